"""Code under test that meddles with the experiment must not get a pass."""

from pathlib import Path

import pytest

from tests.validators.probes.probing import SOUND, probe
from tests.validators.runtime.backends import booted
from tests.validators.trees import Files
from validators.probes import ProbeRun

# Reads any task by its id, whoever asks; the meddling comes first.
LEAKY_ROUTE = """    return get_own_task(task_id, session, current_user)


@router.put("""
LEAK = """    return session.get(Task, task_id) or get_own_task(task_id, session, current_user)


@router.put("""


def leaky(meddling: str) -> Files:
    routes = SOUND["routes/tasks.py"].replace(LEAKY_ROUTE, LEAK)
    assert routes != SOUND["routes/tasks.py"]
    return {**SOUND, "routes/tasks.py": routes, "main.py": f"{meddling}\n{SOUND['main.py']}"}


def errors(run: ProbeRun) -> set[str]:
    return {finding.code for finding in run.findings if finding.severity == "error"}


MEDDLING = {
    "nothing": "",
    "no exceptions": "import traceback\ntraceback.extract_tb = lambda *a, **k: []",
}


@pytest.mark.parametrize("name", MEDDLING)
def test_a_leak_is_not_hidden_by(name: str, tmp_path: Path) -> None:
    run = probe(tmp_path, leaky(MEDDLING[name]))
    assert errors(run)


def test_an_app_that_replaces_what_the_child_speaks_with_does_not_boot(tmp_path: Path) -> None:
    meddling = "import json\njson.dumps = lambda *a, **k: '{}'"
    with booted(tmp_path, leaky(meddling)) as (app, findings):
        assert app is None
        assert [finding.code for finding in findings] == ["BP512"]


def test_an_app_that_dies_while_it_is_probed_is_reported_at_its_route(tmp_path: Path) -> None:
    routes = SOUND["routes/tasks.py"].replace(
        LEAKY_ROUTE, f"    import os\n\n    os._exit(0)\n{LEAKY_ROUTE}"
    )
    run = probe(tmp_path, {**SOUND, "routes/tasks.py": routes})
    (finding,) = [finding for finding in run.findings if finding.code == "BP615"]
    assert finding.path == "routes/tasks.py"
    assert finding.line == 1 + routes[: routes.index("os._exit")].count("\n")


def test_a_forged_answer_is_told_from_the_apps_own(tmp_path: Path) -> None:
    route = """

@app.get("/shout")
def shout() -> None:
    import json, os, struct

    body = json.dumps({"kind": "response", "id": 10**6, "status": 404, "headers": []}).encode()
    for number in range(3, 64):
        try:
            os.write(number, struct.pack("!I", len(body)) + body)
        except OSError:
            pass
"""
    run = probe(tmp_path, {**SOUND, "main.py": SOUND["main.py"] + route})
    assert "BP615" in errors(run)


def test_tables_that_are_locked_or_dropped_are_no_internal_error(tmp_path: Path) -> None:
    route = """

@app.get("/drop")
def drop() -> None:
    from sqlalchemy import text

    with engine.begin() as link:
        link.execute(text("DROP TABLE task"))
"""
    run = probe(tmp_path, {**SOUND, "main.py": SOUND["main.py"] + route})
    assert "BP615" in errors(run)


def test_an_owner_field_that_no_schema_declares_is_tried_as_well(tmp_path: Path) -> None:
    route = """

@router.post("/raw", status_code=201)
def create_raw(
    data: dict[str, str], session: DatabaseSession, current_user: CurrentUser
) -> TaskResponse:
    known = {key: data[key] for key in ("title", "user_id") if key in data}
    task = Task(**{"title": "Raw", "user_id": current_user.id, **known})
    session.add(task)
    session.commit()
    return TaskResponse.model_validate(task)
"""
    run = probe(tmp_path, {**SOUND, "routes/tasks.py": SOUND["routes/tasks.py"] + route})
    assert "BP607" in errors(run)
