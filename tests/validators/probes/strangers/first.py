"""The first half of the strangers' models."""

# Pydantic reads these annotations at run time.
# ruff: noqa: FBT003, TC002, TC003
from __future__ import annotations

import enum
import uuid
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from ipaddress import IPv4Address, IPv6Network
from re import Pattern
from typing import Annotated, Any, Generic, Literal, NotRequired, Self, TypeVar

from pydantic import (
    Base64Bytes,
    Base64UrlStr,
    BaseModel,
    ByteSize,
    ConfigDict,
    EmailStr,
    Field,
    FutureDatetime,
    HttpUrl,
    IPvAnyAddress,
    IPvAnyNetwork,
    Json,
    NegativeFloat,
    NewPath,
    NonNegativeInt,
    PastDatetime,
    PostgresDsn,
    RootModel,
    SecretBytes,
    WebsocketUrl,
    conlist,
    constr,
    field_validator,
    model_validator,
)
from pydantic.types import UUID3, UUID5, UUID6, UUID8
from typing_extensions import TypedDict

T = TypeVar("T")


class Priority(enum.Enum):
    LOW = "low"
    HIGH = "high"


class TaskCreate(BaseModel):
    title: str = Field(..., min_length=1, max_length=200)
    description: str | None = None
    due_date: date | None = None
    priority: Priority = Priority.LOW
    tags: list[str] = []


class Event(BaseModel):
    name: str
    start: datetime
    end: datetime
    capacity: int = Field(gt=0)

    @model_validator(mode="after")
    def ends_later(self) -> Self:
        if self.end <= self.start:
            raise ValueError("end must be after start")
        return self


class Booking(BaseModel):
    startDate: date  # noqa: N815
    endDate: date  # noqa: N815
    min_guests: int
    max_guests: int

    @model_validator(mode="after")
    def is_in_order(self) -> Self:
        assert self.startDate < self.endDate
        assert self.min_guests < self.max_guests
        return self


class Hours(BaseModel):
    from_time: time
    to_time: time
    weekday: int = Field(ge=0, le=6)

    @model_validator(mode="after")
    def is_in_order(self) -> Self:
        assert self.from_time < self.to_time
        return self


class Register(BaseModel):
    username: str = Field(min_length=3, max_length=12, pattern="^[a-z][a-z0-9_]*$")
    email: EmailStr
    password: str = Field(min_length=8)
    confirm_password: str

    @model_validator(mode="after")
    def passwords_match(self) -> Self:
        assert self.password == self.confirm_password
        return self


class Product(BaseModel):
    sku: str = Field(pattern=r"^[A-Z]{3}-\d{4}$")
    ean: str = Field(pattern=r"^\d{13}$", examples=["4006381333931"])
    price: Decimal = Field(gt=0, decimal_places=2)
    url: HttpUrl | None = None

    @field_validator("ean")
    @classmethod
    def sums_up(cls, value: str) -> str:
        assert sum(int(d) * (3 if i % 2 else 1) for i, d in enumerate(value)) % 10 == 0
        return value


class Card(BaseModel):
    kind: Literal["card"] = "card"
    number: str = Field(min_length=12, max_length=19, pattern=r"^\d+$")


class Transfer(BaseModel):
    kind: Literal["transfer"] = "transfer"
    reference: constr(max_length=8, to_upper=True)  # type: ignore[valid-type]


class Payment(BaseModel):
    method: Card | Transfer = Field(discriminator="kind")
    cents: NonNegativeInt


class Node(BaseModel):
    value: int
    next: Node | None = None


class Tree(BaseModel):
    label: str
    branches: dict[str, Tree] = {}


class Envelope(BaseModel, Generic[T]):
    data: T
    meta: dict[str, str]


class Address(TypedDict):
    street: str
    house: int
    floor: NotRequired[int]


class Contact(BaseModel):
    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)
    address: Address
    homes: list[Address] = Field(min_length=1, max_length=2)


class Coordinates(BaseModel):
    latitude: float = Field(ge=-90, le=90)
    longitude: float = Field(ge=-180, le=180)
    corners: tuple[tuple[int, int], tuple[int, int]]
    rest: tuple[int, ...] = ()


class Config(BaseModel):
    flags: dict[str, bool]
    limits: dict[Literal["cpu", "ram"], int]
    by_id: dict[uuid.UUID, str]
    by_day: dict[date, int] = Field(min_length=1)


class Links(BaseModel):
    database: PostgresDsn
    socket: WebsocketUrl
    network: IPvAnyNetwork
    address: IPvAnyAddress | IPv4Address
    block: IPv6Network


class Uuids(BaseModel):
    three: UUID3
    five: UUID5
    six: UUID6
    eight: UUID8


class Blobs(BaseModel):
    data: Base64Bytes
    text: Base64UrlStr
    secret: SecretBytes
    json_any: Json[Any]
    json_list: Json[list[Annotated[int, Field(ge=5)]]]
    size: ByteSize
    rule: Pattern[str]
    path: NewPath
    part: Fraction


class Numbers(BaseModel):
    loss: NegativeFloat
    half: float = Field(multiple_of=0.5, gt=1.2, le=1.9)
    even: int = Field(multiple_of=2, gt=2, lt=6)
    huge: int = Field(gt=2**64)
    percent: float = Field(ge=0, le=100)
    exact: Decimal = Field(ge=Decimal("99.99"), le=Decimal("99.99"))


class Times(BaseModel):
    published_at: PastDatetime
    expires_at: FutureDatetime
    every: timedelta = Field(gt=timedelta(0))
    remind_at: datetime | None = None


class Codes(BaseModel):
    currency: str = Field(pattern="^[A-Z]{3}$")
    locale: str = Field(pattern=r"^[a-z]{2}(_[A-Z]{2})?$")
    hex: str = Field(pattern=r"\A[0-9a-fA-F]{6}\z")
    slug: str = Field(pattern=r"^[a-z0-9]+(?:-[a-z0-9]+)*$", max_length=30)
    name: str = Field(pattern=r"^[A-Z][a-z]+(?: [A-Z][a-z]+)+$")
    not_blank: str = Field(pattern=r"\S")
    note: str = Field(pattern=r"^[^<>]*$", min_length=20)
    account: str = Field(pattern=r"^(?P<bank>\d{4})/(?P<number>\d{6,})$")


class Lists(BaseModel):
    words: conlist(str, min_length=4, max_length=6)  # type: ignore[valid-type]
    dates: set[date] = Field(min_length=2)
    pairs: list[tuple[str, int]] = Field(min_length=1)
    options: list[Priority] = Field(min_length=1)
    either: list[int] | list[str]


class Union(BaseModel):
    value: int | float | str | list[int] | None
    when: date | datetime
    thing: dict[str, int] | list[str]


class Reading(BaseModel):
    since: date
    until: date
    low: float
    high: float

    @model_validator(mode="after")
    def is_in_order(self) -> Self:
        assert self.since < self.until
        assert self.low < self.high
        return self


class Job(BaseModel):
    started_at: datetime
    finished_at: datetime | None = None
    scheduled_for: datetime | None = None
    attempts: Annotated[int, Field(strict=True, ge=0)] = 0

    @model_validator(mode="after")
    def is_in_order(self) -> Self:
        assert self.finished_at is None or self.started_at < self.finished_at
        return self


class Aliased(BaseModel):
    model_config = ConfigDict(validate_by_name=False)
    task_title: str = Field(alias="taskTitle", max_length=5)
    is_done: bool = Field(False, validation_alias="done")


class Period(BaseModel):
    date: str = Field(examples=["2026-01-31"])
    cycle: str = Field("monthly", description="weekly or monthly")

    @field_validator("date")
    @classmethod
    def is_a_day(cls, value: str) -> str:
        date.fromisoformat(value)
        return value

    @field_validator("cycle")
    @classmethod
    def is_known(cls, value: str) -> str:
        assert value in {"weekly", "monthly"}
        return value


class Profile(BaseModel):
    avatar_url: HttpUrl
    timezone: str = "Europe/Paris"
    bio: str = Field("", max_length=160)
    age: int | None = Field(None, ge=0, le=150)


class Grid(RootModel[tuple[tuple[bool, bool], tuple[bool, bool]]]):
    pass


MODELS: tuple[Any, ...] = (
    TaskCreate, Event, Booking, Hours, Register, Product, Payment, Node, Tree, Envelope[int],
    Envelope[list[TaskCreate]], Contact, Coordinates, Config, Links, Uuids, Blobs, Numbers, Times,
    Codes, Lists, Union, Reading, Job, Aliased, Period, Profile, Grid,
    list[TaskCreate], dict[str, int], Annotated[list[Event], Field(max_length=3)],
    TaskCreate | None, Annotated[dict[str, Priority], Field(min_length=1)], set[uuid.UUID],
    Annotated[str, Field(pattern=r"^T-\d{3}$")],
)  # fmt: skip
