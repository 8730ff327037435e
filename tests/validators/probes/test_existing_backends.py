"""Backends that we did not generate: own users, other drivers, other databases."""

from pathlib import Path

import pytest

from tests.validators.probes.probing import SOUND, probe
from validators.probes import ProbeRun

OWN_USERS = """import hashlib
import os
from datetime import datetime, timedelta, timezone
from typing import Annotated

import jwt
from fastapi import Depends, FastAPI, HTTPException, Path
from fastapi.security import OAuth2PasswordBearer, OAuth2PasswordRequestForm
from pydantic import StringConstraints
from sqlmodel import Field, Session, SQLModel, create_engine, select

SECRET_KEY = {secret}
engine = create_engine(os.environ["DATABASE_URL"].replace("postgresql://", "postgresql{driver}://"))
bearer = OAuth2PasswordBearer(tokenUrl="/auth/login")
Text = Annotated[str, StringConstraints(min_length=1, pattern="^[^\\x00]*$")]
RowId = Annotated[int, Path(ge=1, le=2**31 - 1)]


class User(SQLModel, table=True):
    __tablename__ = "{table}"
    id: int | None = Field(default=None, primary_key=True)
    email: str = Field(unique=True)
    hashed_password: str
    plan: str
    is_active: bool


class Todo(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    title: str
    owner_id: int = Field(foreign_key="{table}.id")


class SignUp(SQLModel):
    email: Text
    password: Text


class TodoCreate(SQLModel):
    title: Text


def get_session():
    with Session(engine) as session:
        yield session


app = FastAPI()
SQLModel.metadata.create_all(engine)
Database = Annotated[Session, Depends(get_session)]


def digest(password: str) -> str:
    return hashlib.sha256(password.encode()).hexdigest()

{sign_up}
def get_user(token: Annotated[str, Depends(bearer)], session: Database) -> User:
    try:
        claims = jwt.decode(token, SECRET_KEY, algorithms=["HS256"])
    except jwt.PyJWTError:
        raise HTTPException(401, "Bad token")
    user = session.get(User, int(claims["sub"]))
    if user is None:
        raise HTTPException(401, "No such user")
    return user


Me = Annotated[User, Depends(get_user)]


@app.post("/todos", status_code=201)
def create_todo(data: TodoCreate, session: Database, user: Me) -> Todo:
    todo = Todo(title=data.title, owner_id=user.id)
    session.add(todo)
    session.commit()
    session.refresh(todo)
    return todo


@app.get("/todos/{{todo_id}}")
def get_todo(todo_id: RowId, session: Database, user: Me) -> Todo:
    todo = session.get(Todo, todo_id)
    if todo is None{check}:
        raise HTTPException(404)
    return todo
"""

SIGN_UP = """
@app.post("/auth/register", status_code=201)
def register(data: SignUp, session: Database) -> dict[str, bool]:
    if session.exec(select(User).where(User.email == data.email)).first():
        raise HTTPException(409, "Taken")
    hashed = digest(data.password)
    session.add(User(email=data.email, hashed_password=hashed, plan="free", is_active=True))
    session.commit()
    return {"ok": True}


@app.post("/auth/login")
def login(form: Annotated[OAuth2PasswordRequestForm, Depends()], session: Database):
    user = session.exec(select(User).where(User.email == form.username)).first()
    if user is None or user.hashed_password != digest(form.password):
        raise HTTPException(401, "Wrong password")
    claims = {"sub": str(user.id), "exp": datetime.now(timezone.utc) + timedelta(hours=1)}
    return {"access_token": jwt.encode(claims, SECRET_KEY, "HS256"), "token_type": "bearer"}

"""

CHECK = " or todo.owner_id != user.id"
CONSTANT = '"written-into-the-code-0123456789-abcdef"'


def own_users(**parts: str) -> dict[str, str]:
    defaults = {
        "secret": CONSTANT,
        "driver": "",
        "table": "users",
        "sign_up": SIGN_UP,
        "check": CHECK,
    }
    return {"main.py": OWN_USERS.format(**{**defaults, **parts})}


def codes(run: ProbeRun) -> list[str]:
    return [finding.code for finding in run.findings]


@pytest.mark.parametrize("table", ["users", "user"])
def test_users_sign_up_and_in_by_the_backends_own_routes(table: str, tmp_path: Path) -> None:
    run = probe(tmp_path, own_users(table=table))
    assert run.findings == ()
    assert {p.route for p in run.probes if p.outcome == "passed"} == set(run.routes)


def test_a_leak_among_signed_up_users_is_found(tmp_path: Path) -> None:
    run = probe(tmp_path, own_users(check=""))
    assert codes(run) == ["BP603"]


def test_users_without_a_way_to_sign_up_are_put_into_the_table(tmp_path: Path) -> None:
    files = own_users(sign_up="\n", secret='os.environ["JWT_SECRET_KEY"]')
    assert probe(tmp_path, files).findings == ()
    leaky = own_users(sign_up="\n", secret='os.environ["JWT_SECRET_KEY"]', check="")
    assert codes(probe(tmp_path / "leaky", leaky)) == ["BP603"]


def test_psycopg2_reaches_the_database(tmp_path: Path) -> None:
    assert probe(tmp_path, own_users(driver="+psycopg2")).findings == ()


def test_a_backend_that_stores_elsewhere_does_not_pass(tmp_path: Path) -> None:
    files = own_users(sign_up="\n", secret='os.environ["JWT_SECRET_KEY"]')
    text = files["main.py"].replace(
        'create_engine(os.environ["DATABASE_URL"].replace("postgresql://", "postgresql://"))',
        'create_engine("sqlite:///own.db")',
    )
    run = probe(tmp_path, {"main.py": text})
    assert [f for f in run.findings if f.severity == "error"]
    assert not [p for p in run.probes if p.name == "isolation" and p.outcome == "passed"]
    (finding,) = [f for f in run.findings if f.code == "BP609"]
    assert "SQLite" in finding.message
    assert "sqlite:///own.db" in text.splitlines()[(finding.line or 0) - 1]


def test_who_leaves_the_tables_to_migrations_learns_that_none_are_run(tmp_path: Path) -> None:
    main = SOUND["main.py"].replace("    create_tables()\n    yield", "    yield")
    run = probe(tmp_path, {**SOUND, "main.py": main})
    server_errors = [finding for finding in run.findings if finding.code == "BP605"]
    assert server_errors
    assert all("create_all" in (finding.fix or "") for finding in server_errors)
