"""The second half of the strangers' models: written before the code that makes values for them."""

# Pydantic reads these annotations at run time.
# ruff: noqa: PYI061, TC002, TC003
from __future__ import annotations

import enum
import uuid
from collections import Counter, deque
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from ipaddress import IPv4Interface, IPv4Network, IPv6Address
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, Self

from pydantic import (
    AfterValidator,
    AnyUrl,
    AwareDatetime,
    Base64Str,
    BaseModel,
    ConfigDict,
    Discriminator,
    EmailStr,
    Field,
    FtpUrl,
    FutureDate,
    HttpUrl,
    Json,
    NameEmail,
    PastDate,
    PositiveInt,
    RedisDsn,
    RootModel,
    SecretStr,
    StringConstraints,
    Tag,
    field_validator,
    model_validator,
)
from pydantic.alias_generators import to_camel
from pydantic.types import UUID1, UUID4, UUID7


class Weekday(enum.StrEnum):
    MONDAY = "mon"
    TUESDAY = "tue"


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 3


class Trip(BaseModel):
    name: str = Field(max_length=40)
    departure: datetime
    arrival: datetime

    @model_validator(mode="after")
    def arrives_later(self) -> Self:
        if self.arrival <= self.departure:
            raise ValueError("arrival must be after departure")
        return self


class Stay(BaseModel):
    check_in: date
    check_out: date
    guests: int = Field(ge=1, le=8)

    @model_validator(mode="after")
    def leaves_later(self) -> Self:
        if self.check_out <= self.check_in:
            raise ValueError("check_out must be after check_in")
        if self.check_in < date.today():  # noqa: DTZ011
            raise ValueError("check_in must not be in the past")
        return self


class Shift(BaseModel):
    opens_at: time
    closes_at: time
    days: set[Weekday] = Field(min_length=1)

    @model_validator(mode="after")
    def closes_later(self) -> Self:
        assert self.closes_at > self.opens_at
        return self


class PriceFilter(BaseModel):
    price_min: Decimal = Field(ge=0, max_digits=8, decimal_places=2)
    price_max: Decimal = Field(ge=0, max_digits=8, decimal_places=2)

    @model_validator(mode="after")
    def is_a_range(self) -> Self:
        assert self.price_min < self.price_max
        return self


class SignUp(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel)
    email: EmailStr
    password: SecretStr = Field(min_length=8, max_length=64)
    password_confirm: SecretStr

    @model_validator(mode="after")
    def passwords_match(self) -> Self:
        assert self.password == self.password_confirm
        return self


class Plate(BaseModel):
    plate: str = Field(pattern=r"^[A-Z]{1,3}-[A-Z]{1,2} \d{1,4}$")
    vin: str = Field(pattern=r"^[A-HJ-NPR-Z0-9]{17}$")


class Handle(BaseModel):
    handle: Annotated[str, StringConstraints(pattern=r"^@[a-z0-9_]{4,20}$", strip_whitespace=True)]
    tags: list[Annotated[str, Field(pattern=r"^[a-z]+(-[a-z]+)*$")]] = Field(min_length=2)


class Iban(BaseModel):
    iban: str = Field(
        pattern=r"^[A-Z]{2}\d{2}[A-Z0-9]{11,30}$", examples=["DE89370400440532013000"]
    )
    bic: str | None = Field(None, pattern=r"^[A-Z]{6}[A-Z0-9]{2}([A-Z0-9]{3})?$")

    @field_validator("iban")
    @classmethod
    def sums_up(cls, value: str) -> str:
        turned = value[4:] + value[:4]
        digits = "".join(str(int(each, 36)) for each in turned)
        assert int(digits) % 97 == 1
        return value


class Cat(BaseModel):
    kind: Literal["cat"]
    lives: int = Field(le=9)


class Dog(BaseModel):
    kind: Literal["dog"]
    breed: str


class Fish(BaseModel):
    kind: Literal["fish", "shark"]
    length_cm: float = Field(gt=0, lt=0.5)


class Pet(BaseModel):
    pet: Annotated[Cat | Dog | Fish, Field(discriminator="kind")]


class Pets(RootModel[list[Cat | Dog]]):
    pass


def which(value: Any) -> str:
    got = value.get("radius") if isinstance(value, dict) else getattr(value, "radius", None)
    return "square" if got is None else "circle"


class Circle(BaseModel):
    radius: float = Field(gt=0)


class Square(BaseModel):
    side: float = Field(gt=0)


class Shape(BaseModel):
    shape: Annotated[
        Annotated[Circle, Tag("circle")] | Annotated[Square, Tag("square")], Discriminator(which)
    ]


class Category(BaseModel):
    name: str
    parent: Category | None = None
    children: list[Category] = []


class Expression(BaseModel):
    op: Literal["and", "or"]
    terms: Annotated[list[Expression | Comparison], Field(max_length=4)]


class Comparison(BaseModel):
    field: str
    value: int | str | None


class Point(NamedTuple):
    x: float
    y: float


class Track(BaseModel):
    points: list[Point] = Field(min_length=3)
    box: tuple[Annotated[float, Field(ge=-180, le=180)], Annotated[float, Field(ge=-90, le=90)]]
    mixed: tuple[int, str, bool] | None


class Survey(BaseModel):
    answers: dict[str, int] = Field(min_length=2, max_length=5)
    by_day: dict[Weekday, list[str]]
    by_key: dict[Annotated[str, Field(pattern="^[a-z]{2}$")], float]
    by_number: dict[int, str]


class Hosts(BaseModel):
    model_config = ConfigDict(extra="forbid")
    network: IPv4Network
    interface: IPv4Interface
    gateway: IPv6Address


class Sources(BaseModel):
    website: HttpUrl
    any_url: AnyUrl | None
    ftp_url: FtpUrl
    redis_url: RedisDsn


class Ids(BaseModel):
    a: UUID1
    b: UUID4
    c: UUID7
    d: uuid.UUID


class Settings(BaseModel):
    values: Json[dict[str, list[int]]]
    logo: Base64Str
    folder: Path
    owner: NameEmail
    anything: Any
    extras: dict[str, Any]


class Rate(BaseModel):
    rate: float = Field(gt=0, lt=1, multiple_of=0.05)
    amount: Decimal = Field(gt=Decimal("0.00"), max_digits=5, decimal_places=1)
    quarters: Decimal = Field(multiple_of=0.25, ge=10)


class Big(BaseModel):
    count: int = Field(ge=10**20, multiple_of=7)
    negative: int = Field(lt=-5)
    tiny: float = Field(gt=0.001, lt=0.002)


class Person(BaseModel):
    birth_date: PastDate
    appointment_date: FutureDate
    born_at: AwareDatetime | None = None
    lasts: timedelta


class Coupon(BaseModel):
    code: str = Field(min_length=6, max_length=6, pattern=r"^[A-Z0-9]+$")
    percent: int = Field(gt=0, le=100)
    valid_from: date
    valid_until: date | None = None

    @model_validator(mode="after")
    def is_a_span(self) -> Self:
        assert self.valid_until is None or self.valid_until > self.valid_from
        return self


class Version(BaseModel):
    version: str = Field(pattern=r"^v?(\d+)\.(\d+)\.(\d+)(?:-([0-9A-Za-z-]+))?$")
    sha: str = Field(pattern=r"^[0-9a-f]{40}$")
    color: str = Field(pattern=r"^#(?:[0-9a-fA-F]{3}){1,2}$")


class Unicode(BaseModel):
    title: str = Field(pattern=r"^\p{Lu}[\p{L} ]{2,}$")
    word: str = Field(pattern=r"^[[:alpha:]]{3,9}\z")
    quiet: str = Field(pattern="(?i)^yes|no$")


class Phone(BaseModel):
    phone: str = Field(pattern=r"^\+[1-9]\d{6,14}$")
    zip_code: str = Field(pattern=r"^\d{5}(-\d{4})?$")
    time_of_day: str = Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")
    month: str = Field(pattern=r"^\d{4}-(0[1-9]|1[0-2])$")


def is_currency(value: str) -> str:
    if value not in {"USD", "CHF"}:
        raise ValueError("unknown currency")
    return value


class Price(BaseModel):
    model_config = ConfigDict(json_schema_extra={"examples": [{"currency": "CHF", "amount": 5}]})
    currency: Annotated[str, AfterValidator(is_currency)]
    amount: PositiveInt


class Unit(BaseModel):
    unit: str = "kg"
    title: str = "Untitled"

    @field_validator("unit")
    @classmethod
    def is_known(cls, value: str) -> str:
        assert value in {"kg", "g"}
        return value


class Mixed(BaseModel):
    level: Level
    choice: Literal["a", 1, None, True]
    version: Literal[2]
    letters: frozenset[Literal["x", "y", "z"]] = Field(min_length=2)
    counts: Counter[str]
    last: deque[int] = Field(max_length=2)


class Matrix(RootModel[list[list[Annotated[int, Field(ge=0, le=1)]]]]):
    pass


class Lengths(BaseModel):
    short: str = Field(min_length=1, max_length=1)
    long: str = Field(min_length=300)
    few: list[int] = Field(min_length=5, max_length=5)
    unique: set[int] = Field(min_length=4)
    raw: bytes = Field(max_length=6)


MODELS: tuple[Any, ...] = (
    Trip, Stay, Shift, PriceFilter, SignUp, Plate, Handle, Iban, Pet, Pets, Shape, Category,
    Expression, Track, Survey, Hosts, Sources, Ids, Settings, Rate, Big, Person, Coupon, Version,
    Unicode, Phone, Price, Unit, Mixed, Matrix, Lengths,
    list[Trip], dict[str, Stay], Annotated[list[Pet], Field(min_length=2)], Cat | list[Dog],
)  # fmt: skip
