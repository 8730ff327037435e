"""Routes as strangers declare them, with parameters, forms and files; each answers `ok`."""

# What they do with their parameters is not the point.
# ruff: noqa: ARG001, FBT001
import uuid
from datetime import date, datetime, time
from decimal import Decimal
from enum import Enum
from typing import Annotated, Literal

from fastapi import Body, FastAPI, File, Form, HTTPException, Path, Query, UploadFile
from pydantic import AfterValidator, BaseModel, EmailStr, Field, HttpUrl

app = FastAPI()


class Sort(Enum):
    NEWEST = "newest"
    OLDEST = "-created"


class Page(BaseModel):
    model_config = {"extra": "forbid"}
    limit: int = Field(100, gt=0, le=100)
    offset: int = Field(0, ge=0)
    order_by: Literal["created_at", "updated_at"]
    tags: list[str] = []


class Note(BaseModel):
    title: Annotated[str, Field(max_length=50)]
    code: str = Field(pattern="^[A-Z]{2}[0-9]{2}$")


class Login(BaseModel):
    username: str
    password: str = Field(min_length=10)
    remember: bool = False


def is_even(value: int) -> int:
    if value % 2:
        raise ValueError("must be even")
    return value


def in_order(start: object, end: object) -> str:
    if not start < end:  # type: ignore[operator]
        raise HTTPException(400, "end must be after start")
    return "ok"


@app.get("/a1")
def a1(q: Annotated[str, Query(min_length=3, max_length=50, pattern="^fixed[a-z]*$")]) -> str:
    return "ok"


@app.get("/a2/{item_id}")
def a2(
    item_id: Annotated[int, Path(ge=1, le=1000)], size: Annotated[float, Query(gt=0, lt=1)]
) -> str:
    return "ok"


@app.get("/a3")
def a3(page: Annotated[Page, Query()]) -> str:
    return "ok"


@app.get("/a4")
def a4(start_date: date, end_date: date) -> str:
    return in_order(start_date, end_date)


@app.get("/a5")
def a5(ids: Annotated[list[int], Query(min_length=2)], sort: Sort) -> str:
    return "ok"


@app.post("/a6")
def a6(username: Annotated[str, Form()], password: Annotated[str, Form(min_length=8)]) -> str:
    return "ok"


@app.post("/a7")
def a7(file: UploadFile, note: Annotated[str, Form(max_length=5)]) -> str:
    return "ok"


@app.post("/a8")
def a8(note: Note, importance: Annotated[int, Body(gt=0)]) -> str:
    return "ok"


@app.post("/a9/{key}")
def a9(
    key: Annotated[str, Path(pattern=r"^[a-z]{2}-\d{2}$")], note: Annotated[Note, Body(embed=True)]
) -> str:
    return "ok"


@app.get("/b1/{day}/{moment}")
def b1(day: date, moment: time, since: datetime, until: datetime) -> str:
    return in_order(since, until)


@app.get("/b2/{kind}/{number}")
def b2(
    kind: Sort, number: uuid.UUID, ratio: Annotated[Decimal, Query(ge=0, le=1, decimal_places=2)]
) -> str:
    return "ok"


@app.get("/b3")
def b3(
    min_price: Annotated[float, Query(ge=0)], max_price: Annotated[float, Query(le=20)], on: bool
) -> str:
    return in_order(min_price, max_price)


@app.post("/b4")
def b4(form: Annotated[Login, Form()]) -> str:
    return "ok"


@app.post("/b5")
def b5(
    files: list[UploadFile], labels: Annotated[list[str], Form()], at: Annotated[datetime, Form()]
) -> str:
    return "ok"


@app.put("/b6")
def b6(
    raw: Annotated[bytes, File()],
    email: Annotated[EmailStr, Form()],
    site: Annotated[HttpUrl, Form()],
) -> str:
    return "ok"


@app.post("/b7")
def b7(
    notes: Annotated[list[Note], Body(min_length=1)],
    even: Annotated[int, AfterValidator(is_even), Query(examples=[12])],
) -> str:
    return "ok"


@app.get("/b8")
def b8(
    q: Annotated[set[Literal["x", "y"]], Query()],
    code: Annotated[str, Query(alias="the-code", pattern=r"^\w{4}$")],
) -> str:
    return "ok"


@app.post("/b9")
def b9(
    even: Annotated[int, AfterValidator(is_even), Body(openapi_examples={"one": {"value": 24}})],
) -> str:
    return "ok"
