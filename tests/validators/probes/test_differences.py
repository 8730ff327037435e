"""What differs between the worlds is a leak where the intruder causes it, and nowhere else."""

from pathlib import Path

import pytest

from tests.validators.probes.probing import SOUND, probe
from tests.validators.trees import Files
from validators.report import Finding

IMPORTS = """
import datetime as dt
import secrets
import time
from typing import Annotated

from dependencies import CurrentUser, DatabaseSession
from fastapi import HTTPException, Query
from models import Task
from schemas.common import RequestBody, RowId, Text
from sqlmodel import Field, SQLModel, func, select

NOW = lambda: dt.datetime.now(dt.timezone.utc)


class Visit(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    user_id: str
    label: str
    code: str = Field(default_factory=lambda: secrets.token_urlsafe(9))
    number: int = 0
    day: dt.date
    at: dt.datetime = Field(default_factory=NOW)


class VisitIn(RequestBody):
    label: Text
    day: dt.date
    at: dt.datetime | None = None


def own(model, me):
    return select(model).where(model.user_id == me.id)


@app.post("/api/visits", status_code=201)
def create(data: VisitIn, session: DatabaseSession, current_user: CurrentUser) -> Visit:
    CREATE
    visit = Visit(user_id=current_user.id, **data.model_dump(exclude_none=True))
    NUMBER
    session.add(visit)
    session.commit()
    session.refresh(visit)
    return visit
"""
OWN = "own(Visit, current_user)"
ALL = "select(Visit)"

# By what they show: a read, as a sound backend has it, and as a leaky one.
READS = {
    "a running time": (
        "return {'seconds': round((NOW() - session.exec(ROWS.order_by(Visit.at)).first().at)"
        ".total_seconds(), 2)}",
        OWN,
        None,
    ),
    "the clock": ("return {'now': time.time(), 'rows': len(session.exec(ROWS).all())}", OWN, ALL),
    "an order by a time": ("return session.exec(ROWS.order_by(Visit.at.desc())).all()", OWN, None),
    "an order by a random code": (
        "return session.exec(ROWS.order_by(Visit.code)).all()",
        OWN,
        None,
    ),
    "the first by a random code": (
        "return {'first': session.exec(ROWS.order_by(Visit.code)).first().label}",
        OWN,
        None,
    ),
    "random codes": (
        "return {'codes': [v.code for v in session.exec(ROWS)], 'all': session.exec("
        "select(func.count()).select_from(ROWS.subquery())).one()}",
        OWN,
        ALL,
    ),
    "a count": (
        "return {'count': session.exec(select(func.count()).select_from(ROWS.subquery())).one()}",
        OWN,
        ALL,
    ),
    "a text with a number": (
        "return {'text': f'You have {len(session.exec(ROWS).all())} visits'}",
        OWN,
        ALL,
    ),
}


def backend(
    body: str = "return {'ok': True}", create: str = "", number: str = "", more: str = ""
) -> Files:
    read = f"""

@app.get("/api/visits/report")
def report(session: DatabaseSession, current_user: CurrentUser):
    {body}
"""
    code = IMPORTS.replace("CREATE", create or "pass").replace("NUMBER", number or "pass")
    return {**SOUND, "main.py": f"{SOUND['main.py']}{code}{read}{more}"}


def depending(findings: tuple[Finding, ...]) -> set[str | None]:
    return {finding.route for finding in findings if finding.code == "BP616"}


@pytest.mark.parametrize("name", READS)
def test_what_differs_by_chance_or_by_the_clock_is_no_leak(name: str, tmp_path: Path) -> None:
    body, sound, _ = READS[name]
    assert probe(tmp_path, backend(body.replace("ROWS", sound))).findings == ()


@pytest.mark.parametrize("name", [name for name, parts in READS.items() if parts[2]])
def test_what_the_intruder_changes_is_found_beside_what_differs_by_chance(
    name: str, tmp_path: Path
) -> None:
    body, _, leaky = READS[name]
    run = probe(tmp_path, backend(body.replace("ROWS", str(leaky))))
    assert depending(run.findings) == {"GET /api/visits/report"}


UNIQUE = """if session.exec(ROWS.where(Visit.day == data.day)).first() is not None:
        raise HTTPException(409, "There is one on that day")"""
NUMBER = "visit.number = 1 + (session.exec(select(func.max(Visit.number)).WHERE).one() or 0)"
LIMIT = """if len(session.exec(ROWS).all()) >= 25:
        raise HTTPException(409, "No more than 25")"""
OF_THE_USER = "where(Visit.user_id == current_user.id)"


@pytest.mark.parametrize(
    "parts",
    [
        {"create": UNIQUE.replace("ROWS", OWN)},
        {"number": NUMBER.replace("WHERE", OF_THE_USER)},
        {"create": LIMIT.replace("ROWS", OWN)},
    ],
    ids=["one each day", "a number of one's own", "a limit of one's own"],
)
def test_what_each_user_has_for_oneself_is_sound(parts: dict[str, str], tmp_path: Path) -> None:
    run = probe(tmp_path, backend(**parts))
    assert [finding for finding in run.findings if finding.severity == "error"] == []


@pytest.mark.parametrize(
    "parts",
    [
        {"create": UNIQUE.replace("ROWS", ALL)},
        {"number": NUMBER.replace(".WHERE", "")},
        {"create": LIMIT.replace("ROWS", ALL)},
    ],
    ids=["one each day", "a number over all", "a limit over all"],
)
def test_what_all_users_share_is_found(parts: dict[str, str], tmp_path: Path) -> None:
    run = probe(tmp_path, backend(**parts))
    assert depending(run.findings) == {"POST /api/visits"}


LISTED = """

@app.get("/api/picked")
def picked(
    visit_ids: Annotated[list[RowId], Query()], session: DatabaseSession, current_user: CurrentUser
):
    rows = session.exec(ROWS.where(Visit.id.in_(visit_ids))).all()
    if len(rows) < len(set(visit_ids)):
        raise HTTPException(404, "No such visit")
    return {"labels": [row.label for row in rows]}
"""


def test_a_list_of_ids_in_a_query_names_rows_of_the_owner(tmp_path: Path) -> None:
    run = probe(tmp_path, backend(more=LISTED.replace("ROWS", OWN)))
    assert run.findings == ()
    assert "GET /api/picked" not in {each.route for each in run.coverage.missed}


def test_ids_of_others_among_own_ones_are_found_to_be_taken(tmp_path: Path) -> None:
    half = LISTED.replace("ROWS", ALL).replace(
        "if len(rows) < len(set(visit_ids))",
        "if not any(r.user_id == current_user.id for r in rows)",
    )
    run = probe(tmp_path, backend(more=half))
    assert ("BP603", "GET /api/picked") in {(f.code, f.route) for f in run.findings}


KEPT = """

_kept: dict[str, object] = {}


@app.get("/api/visits/kept")
def kept(session: DatabaseSession, current_user: CurrentUser):
    key = KEY
    if key not in _kept:
        _kept[key] = {"rows": len(session.exec(own(Visit, current_user)).all())}
    return _kept[key]
"""


def test_an_answer_that_is_kept_for_the_next_user_is_found(tmp_path: Path) -> None:
    leaky = probe(tmp_path / "leaky", backend(more=KEPT.replace("KEY", "'all'")))
    assert "GET /api/visits/kept" in depending(leaky.findings)
    sound = KEPT.replace("KEY", "current_user.id").replace("if key not in _kept", "if True")
    assert probe(tmp_path / "sound", backend(more=sound)).findings == ()


def test_the_finding_shows_which_request_of_the_intruders_suffices(tmp_path: Path) -> None:
    body = READS["a count"][0].replace("ROWS", ALL)
    (finding,) = probe(tmp_path, backend(body)).findings
    others = [call for call in finding.experiment if call.actor == "intruder"]
    assert [(call.method, call.path) for call in others] == [("POST", "/api/visits")]
    assert finding.experiment[-1].actor == "owner"
    assert dict(finding.expected)["body.count"] in ("0", "1", "2", "3", "4")
    assert any(line.startswith("without the intruder, body.count: ") for line in finding.trace)
    assert any(line.startswith("with the intruder, body.count: ") for line in finding.trace)
