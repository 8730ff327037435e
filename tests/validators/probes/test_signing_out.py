"""A backend with sessions of its own: signing out ends what every other request needs."""

from pathlib import Path

from tests.validators.probes.probing import probe

SESSIONS = """import hashlib
import os
import secrets
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException, Path
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import StringConstraints
from sqlmodel import Field, Session, SQLModel, create_engine, select

engine = create_engine(os.environ["DATABASE_URL"])
bearer = HTTPBearer()
Text = Annotated[str, StringConstraints(min_length=1, pattern="^[^\\x00]*$")]
RowId = Annotated[int, Path(ge=1, le=2**31 - 1)]


class User(SQLModel, table=True):
    __tablename__ = "users"
    id: int | None = Field(default=None, primary_key=True)
    email: str = Field(unique=True)
    password_hash: str


class Login(SQLModel, table=True):
    token: str = Field(primary_key=True)
    user_id: int = Field(foreign_key="users.id")


class Note(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    text: str
    user_id: int = Field(foreign_key="users.id")


class Credentials(SQLModel):
    email: Text
    password: Text


class NoteCreate(SQLModel):
    text: Text


def get_session():
    with Session(engine) as session:
        yield session


app = FastAPI()
SQLModel.metadata.create_all(engine)
Database = Annotated[Session, Depends(get_session)]
Bearer = Annotated[HTTPAuthorizationCredentials, Depends(bearer)]


def digest(password: str) -> str:
    return hashlib.sha256(password.encode()).hexdigest()


@app.post("/auth/register", status_code=201)
def register(data: Credentials, session: Database) -> dict[str, bool]:
    if session.exec(select(User).where(User.email == data.email)).first():
        raise HTTPException(409, "Taken")
    session.add(User(email=data.email, password_hash=digest(data.password)))
    session.commit()
    return {"ok": True}


@app.post("/auth/login")
def login(data: Credentials, session: Database) -> dict[str, str]:
    user = session.exec(select(User).where(User.email == data.email)).first()
    if user is None or user.password_hash != digest(data.password):
        raise HTTPException(401, "Wrong password")
    opened = Login(token=secrets.token_urlsafe(32), user_id=user.id)
    session.add(opened)
    session.commit()
    return {"token": opened.token}


def get_user(credentials: Bearer, session: Database) -> User:
    opened = session.get(Login, credentials.credentials)
    if opened is None:
        raise HTTPException(401, "Sign in first")
    return session.get(User, opened.user_id)


Me = Annotated[User, Depends(get_user)]


@app.post("/auth/logout")
def logout(credentials: Bearer, session: Database) -> dict[str, str]:
    opened = session.get(Login, credentials.credentials)
    if opened is not None:
        session.delete(opened)
        session.commit()
    return {"message": "Signed out"}


@app.post("/notes", status_code=201)
def create_note(data: NoteCreate, session: Database, user: Me) -> Note:
    note = Note(text=data.text, user_id=user.id)
    session.add(note)
    session.commit()
    session.refresh(note)
    return note


@app.delete("/notes/{note_id}", status_code=204)
def delete_note(note_id: RowId, session: Database, user: Me) -> None:
    note = session.exec(select(Note).where(Note.id == note_id, Note.user_id == user.id)).first()
    if note is None:
        raise HTTPException(404)
    session.delete(note)
    session.commit()
"""


def test_it_comes_last_and_needs_no_valid_token(tmp_path: Path) -> None:
    run = probe(tmp_path, {"main.py": SESSIONS})
    assert run.findings == ()
    assert run.coverage.missed == ()
    (shown,) = [
        each.detail
        for each in run.probes
        if (each.name, each.route) == ("authentication", "POST /auth/logout")
    ]
    assert shown == "Every token that is not valid signs nobody out."
    assert {each.route for each in run.probes if each.name == "robustness"} == {
        "POST /notes",
        "DELETE /notes/{note_id}",
    }


EVERYBODYS = """    for opened in session.exec(select(Login)).all():
        session.delete(opened)
    session.commit()
    return"""
OWN = """    opened = session.get(Login, credentials.credentials)
    if opened is not None:
        session.delete(opened)
        session.commit()
    return"""


def test_who_ends_the_sessions_of_others_is_found(tmp_path: Path) -> None:
    run = probe(tmp_path, {"main.py": SESSIONS.replace(OWN, EVERYBODYS)})
    found = {(finding.code, finding.route) for finding in run.findings}
    assert found == {("BP601", "POST /auth/logout"), ("BP604", "POST /auth/logout")}


def test_who_answers_with_data_of_others_is_found(tmp_path: Path) -> None:
    telling = SESSIONS.replace(
        "-> dict[str, str]:\n    opened = session.get(Login",
        "-> list[Note]:\n    opened = session.get(Login",
    ).replace('return {"message": "Signed out"}', "return session.exec(select(Note)).all()")
    run = probe(tmp_path, {"main.py": telling})
    found = {(finding.code, finding.route) for finding in run.findings}
    assert found == {("BP601", "POST /auth/logout"), ("BP603", "POST /auth/logout")}
