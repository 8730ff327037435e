"""An app about which nothing can be shown must not pass."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.validators.probes.probing import SOUND, probe
from validators.probes import ProbeRun

HEAD = """from fastapi import APIRouter, HTTPException, Request
from sqlmodel import select

from dependencies import CurrentUser, DatabaseSession
from models import Task
from schemas.common import RowId
from schemas.task import TaskCreate, TaskResponse

router = APIRouter(prefix="/api/tasks", tags=["tasks"])


@router.post("", status_code=201, response_model=TaskResponse)
def create_task(data: TaskCreate, session: DatabaseSession, current_user: CurrentUser) -> Task:
    {create}


@router.get("", response_model=list[TaskResponse])
def list_tasks(session: DatabaseSession, current_user: CurrentUser) -> list[Task]:
    {list}


@router.get("/{{task_id}}", response_model=TaskResponse)
def get_task(task_id: RowId, session: DatabaseSession, current_user: CurrentUser) -> Task:
    {get}
"""
STORE = """task = Task(**data.model_dump(), user_id=current_user.id)
    session.add(task)
    session.commit()
    return task"""
PRETEND = """from datetime import UTC, datetime
    now = datetime.now(UTC)
    return Task(id=1, user_id="x", created_at=now, updated_at=now, **data.model_dump())"""


def probed(tmp_path: Path, *, create: str, rows: str, get: str) -> ProbeRun:
    text = HEAD.format(create=create, list=rows, get=get)
    return probe(tmp_path, {**SOUND, "routes/tasks.py": text})


def errors(run: ProbeRun) -> set[str]:
    return {finding.code for finding in run.findings if finding.severity == "error"}


@pytest.mark.parametrize("status", [401, 403, 404])
def test_an_app_that_refuses_everybody_does_not_pass(status: int, tmp_path: Path) -> None:
    refuse = f"raise HTTPException({status})"
    assert errors(probed(tmp_path, create=refuse, rows=refuse, get=refuse))


def test_an_app_that_shows_everybody_an_empty_list_does_not_pass(tmp_path: Path) -> None:
    run = probed(tmp_path, create=STORE, rows="return []", get="raise HTTPException(404)")
    assert "BP610" in errors(run)


def test_an_app_that_only_pretends_to_store_does_not_pass(tmp_path: Path) -> None:
    run = probed(tmp_path, create=PRETEND, rows="return []", get="raise HTTPException(404)")
    assert "BP609" in errors(run)


def test_an_app_without_routes_does_not_pass(tmp_path: Path) -> None:
    run = probe(tmp_path, {"main.py": "from fastapi import FastAPI\n\napp = FastAPI()\n"})
    assert errors(run) == {"BP612"}


def test_the_same_backend_gives_the_same_report(tmp_path: Path) -> None:
    leak = "return session.get(Task, task_id) or list_tasks(session, current_user)[0]"
    rows = "return list(session.exec(select(Task)).all())"
    first = probed(tmp_path / "a", create=STORE, rows=rows, get=leak)
    second = probed(tmp_path / "b", create=STORE, rows=rows, get=leak)
    assert replace(first, seconds={}) == replace(second, seconds={})
    assert errors(first)
