"""Which routes were exercised, and why the others were not."""

from pathlib import Path

import pytest

from tests.validators.probes.probing import SOUND, probe
from tests.validators.trees import Files, lay_out
from validators import CheckOptions, check
from validators.probes import ProbeRun, judge_coverage
from validators.report import Coverage, Missed


def with_main(code: str, before: str = "") -> Files:
    return {**SOUND, "main.py": f"{before}\n{SOUND['main.py']}\n{code}"}


def missed(run: ProbeRun) -> dict[str, str]:
    return {each.route: each.reason for each in run.coverage.missed}


def test_every_route_of_a_sound_backend_is_exercised(tmp_path: Path) -> None:
    coverage = probe(tmp_path, SOUND).coverage
    assert (coverage.routes, coverage.exercised, coverage.missed) == (6, 6, ())


def test_a_route_that_refuses_its_owner_is_missed_with_the_reason(tmp_path: Path) -> None:
    route = """
from dependencies import CurrentUser
from fastapi import HTTPException


@app.get("/api/beta")
def beta(current_user: CurrentUser) -> None:
    raise HTTPException(403, "Ask for access first")
"""
    run = probe(tmp_path, with_main(route))
    assert missed(run) == {"GET /api/beta": "the owner is answered 403 Ask for access first"}
    assert (run.coverage.routes, run.coverage.exercised) == (7, 6)


def test_a_route_that_fails_is_missed(tmp_path: Path) -> None:
    run = probe(tmp_path, with_main('\n\n@app.get("/x")\ndef x() -> None:\n    1 / 0\n'))
    assert missed(run) == {"GET /x": "the owner's request ends in a server error"}


CLEAR = """
from dependencies import CurrentUser, DatabaseSession
from models import Task
from sqlmodel import Field, SQLModel, delete


class Draft(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    user_id: str


@app.delete("/api/drafts", status_code=204)
def clear(session: DatabaseSession, current_user: CurrentUser) -> None:
    session.exec(delete(Draft).where(Draft.user_id == current_user.id))
    session.commit()
"""


def test_rows_that_no_route_makes_are_put_there_by_the_check(tmp_path: Path) -> None:
    run = probe(tmp_path, with_main(CLEAR))
    assert missed(run) == {}
    assert run.findings == ()


def test_whoever_empties_the_collection_of_others_is_found(tmp_path: Path) -> None:
    leaky = CLEAR.replace("delete(Draft).where(Draft.user_id == current_user.id)", "delete(Draft)")
    run = probe(tmp_path, with_main(leaky))
    assert ("BP604", "DELETE /api/drafts") in {(f.code, f.route) for f in run.findings}


def test_what_was_not_exercised_is_not_passed() -> None:
    coverage = Coverage(routes=20, exercised=17, missed=(Missed(route="GET /x", reason="why"),) * 3)
    (finding,) = judge_coverage(coverage, 0.9)
    assert (finding.code, finding.severity) == ("BP618", "error")
    assert "3 routes of 20 were not exercised" in finding.message
    assert not list(judge_coverage(coverage, 0.85))


@pytest.mark.parametrize(("share", "verdict"), [(0.9, "fail"), (0.5, "pass")])
def test_a_check_fails_where_too_little_was_exercised(
    share: float, verdict: str, tmp_path: Path
) -> None:
    refusing = """
from dependencies import CurrentUser
from fastapi import HTTPException


@app.get("/api/beta")
def beta(current_user: CurrentUser) -> None:
    raise HTTPException(403, "Ask for access first")
"""
    folder = lay_out(tmp_path, with_main(refusing))
    report = check(folder, CheckOptions(coverage=share))
    assert report.verdict == verdict
    assert ("BP618" in {finding.code for finding in report.findings}) == (verdict == "fail")


HIDDEN = """
from dependencies import CurrentUser, DatabaseSession
from fastapi import APIRouter
from models import Task

hidden = APIRouter(prefix="/internal", include_in_schema=False)


@hidden.get("/tasks/{task_id}")
def read(task_id: int, session: DatabaseSession, current_user: CurrentUser) -> Task | None:
    return session.get(Task, task_id)


app.include_router(hidden)
"""


def test_a_route_that_the_document_hides_is_probed(tmp_path: Path) -> None:
    run = probe(tmp_path, with_main(HIDDEN))
    assert "GET /internal/tasks/{task_id}" in run.routes
    assert {f.route for f in run.findings if f.code == "BP603"} == {"GET /internal/tasks/{task_id}"}


def test_a_route_that_a_document_of_the_apps_own_leaves_out_is_probed(tmp_path: Path) -> None:
    shown = HIDDEN.replace(", include_in_schema=False", "")
    own = shown + "\ndocument = FastAPI().openapi()\napp.openapi = lambda: document\n"
    run = probe(tmp_path, with_main(own))
    assert len(run.routes) == 7
    assert {f.route for f in run.findings if f.code == "BP603"} == {"GET /internal/tasks/{task_id}"}


MOUNTED = """
from dependencies import CurrentUser, DatabaseSession
from models import Task
from sqlmodel import SQLModel

inner = FastAPI()


class TaskIn(SQLModel):
    title: str = "x"


@inner.patch("/tasks/{task_id}")
def rename(
    task_id: int, data: TaskIn, session: DatabaseSession, current_user: CurrentUser
) -> Task | None:
    task = session.get(Task, task_id)
    if task is not None:
        task.title = data.title
        session.commit()
    return task


app.mount("/inner", inner)
"""


def test_an_app_in_the_app_is_probed(tmp_path: Path) -> None:
    run = probe(tmp_path, with_main(MOUNTED))
    assert {f.route for f in run.findings if f.code == "BP604"} == {"PATCH /inner/tasks/{task_id}"}


def test_what_is_no_app_with_routes_is_listed(tmp_path: Path) -> None:
    mount = """
from starlette.staticfiles import StaticFiles

app.mount("/static", StaticFiles(directory="routes"))
"""
    assert missed(probe(tmp_path, with_main(mount))) == {
        "ANY /static/*": "something else than an app with routes is mounted here"
    }


LISTED = """
from dependencies import CurrentUser, DatabaseSession
from fastapi import HTTPException
from schemas.common import RequestBody, RowId, Text
from sqlalchemy import ARRAY, Column, String
from sqlmodel import Field, SQLModel, select


class Parcel(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    user_id: str
    label: str
    stops: list[str] = Field(default_factory=list, sa_column=Column(ARRAY(String), nullable=False))
    state: str = "packed"


class ParcelIn(RequestBody):
    label: Text


@app.post("/api/parcels", status_code=201)
def create(data: ParcelIn, session: DatabaseSession, current_user: CurrentUser) -> Parcel:
    parcel = Parcel(user_id=current_user.id, label=data.label, stops=[data.label])
    session.add(parcel)
    session.commit()
    session.refresh(parcel)
    return parcel


STATES = ("packed", "sent", "lost")


@app.post("/api/parcels/{parcel_id}/claim")
def claim(parcel_id: RowId, session: DatabaseSession, current_user: CurrentUser) -> Parcel:
    own = select(Parcel).where(Parcel.id == parcel_id, Parcel.user_id == current_user.id)
    parcel = session.exec(own).first()
    if parcel is None:
        raise HTTPException(404, "No such parcel")
    if parcel.state != "lost":
        raise HTTPException(409, "Only what is lost can be claimed")
    parcel.state = "packed"
    session.add(parcel)
    session.commit()
    session.refresh(parcel)
    return parcel
"""


def test_a_state_that_no_route_brings_about_is_written_by_the_check(tmp_path: Path) -> None:
    run = probe(tmp_path, with_main(LISTED))
    assert missed(run) == {}
    assert [finding for finding in run.findings if finding.severity == "error"] == []


def test_a_step_that_others_can_take_is_found_in_that_state(tmp_path: Path) -> None:
    leaky = LISTED.replace(
        "Parcel.id == parcel_id, Parcel.user_id == current_user.id", "Parcel.id == parcel_id"
    )
    run = probe(tmp_path, with_main(leaky))
    assert ("BP604", "POST /api/parcels/{parcel_id}/claim") in {
        (finding.code, finding.route) for finding in run.findings
    }
