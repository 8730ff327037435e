"""Two requests at once break what only the code promises, and not what the database keeps."""

from pathlib import Path

import pytest

from tests.validators.probes.probing import SOUND, probe
from tests.validators.trees import Files

CODE = """
from dependencies import CurrentUser, DatabaseSession
from fastapi import HTTPException
from schemas.common import RequestBody, RowId, Text
from sqlalchemy import UniqueConstraint
from sqlmodel import Field, SQLModel, func, select, update


class Seat(SQLModel, table=True):
    __table_args__ = (CONSTRAINT)
    id: int | None = Field(default=None, primary_key=True)
    user_id: str
    label: str
    votes: int = 0


class SeatIn(RequestBody):
    label: Text


def mine(current_user):
    return select(Seat).where(Seat.user_id == current_user.id)


@app.post("/api/seats", status_code=201)
def create(data: SeatIn, session: DatabaseSession, current_user: CurrentUser) -> Seat:
    CHECK
    seat = Seat(user_id=current_user.id, label=data.label)
    session.add(seat)
    session.commit()
    session.refresh(seat)
    return seat


@app.post("/api/seats/{seat_id}/vote")
def vote(seat_id: RowId, session: DatabaseSession, current_user: CurrentUser) -> Seat:
    seat = session.exec(mine(current_user).where(Seat.id == seat_id)LOCK).first()
    if seat is None:
        raise HTTPException(404, "No such seat")
    seat.votes = COUNT
    session.add(seat)
    session.commit()
    session.refresh(seat)
    return seat
"""
UNIQUE = """if session.exec(mine(current_user).where(Seat.label == data.label)).first() is not None:
        raise HTTPException(409, "There is one of this label")"""
LIMIT = """session.execute(LOCKED)
    if len(session.exec(mine(current_user)).all()) >= 12:
        raise HTTPException(409, "No more than 12")"""
ADVISORY = "select(func.pg_advisory_xact_lock(func.hashtextextended(current_user.id, 0)))"
NO_LOCK = "select(1)"
CONSTRAINT = 'UniqueConstraint("user_id", "label"),'


def backend(**parts: str) -> Files:
    code = CODE
    wanted = {"CONSTRAINT": "", "CHECK": "pass", "LOCK": "", "COUNT": "Seat.votes + 1", **parts}
    for name in ("CHECK", "CONSTRAINT", "LOCKED", "LOCK", "COUNT"):
        code = code.replace(name, wanted.get(name, ""))
    return {**SOUND, "main.py": f"{SOUND['main.py']}{code}"}


def raced(folder: Path, files: Files) -> dict[str | None, str]:
    findings = probe(folder, files).findings
    assert {f.code for f in findings} <= {"BP619"}, findings
    return {finding.route: finding.message for finding in findings}


@pytest.mark.parametrize(
    "parts",
    [
        {"CHECK": UNIQUE, "CONSTRAINT": CONSTRAINT},
        {"CHECK": LIMIT, "LOCKED": ADVISORY},
        {"COUNT": "seat.votes + 1", "LOCK": ".with_for_update()"},
        {"COUNT": "Seat.votes + 1"},
    ],
    ids=["a constraint", "an advisory lock", "a locked row", "an update that counts"],
)
def test_what_the_database_keeps_is_kept(parts: dict[str, str], tmp_path: Path) -> None:
    assert raced(tmp_path, backend(**parts)) == {}


@pytest.mark.parametrize(
    ("parts", "route", "words"),
    [
        ({"CHECK": UNIQUE}, "POST /api/seats", "keeps what must be unique apart"),
        ({"CHECK": LIMIT, "LOCKED": NO_LOCK}, "POST /api/seats", "keeps to a limit"),
        ({"COUNT": "seat.votes + 1"}, "POST /api/seats/{seat_id}/vote", "counts each request"),
    ],
    ids=["uniqueness", "a limit", "a count"],
)
def test_what_only_the_code_keeps_breaks(
    parts: dict[str, str], route: str, words: str, tmp_path: Path
) -> None:
    found = raced(tmp_path, backend(**parts))
    assert list(found) == [route]
    assert words in found[route]
