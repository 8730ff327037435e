"""Strange values are sent to every route, in one of the two worlds."""

import json
from pathlib import Path

import pytest

from tests.validators.probes.probing import SOUND, probe
from validators.probes import ProbeRun
from validators.probes.requests.strange import Strange, are_refused, rounds
from validators.probes.worlds.acts import Act
from validators.probes.worlds.tables import Change
from validators.probes.worlds.world import Exchange
from validators.rules.probes import SERVER_ERROR
from validators.runtime import Request, Response

# One in each world.
DEADLY = {
    "PUT /api/tasks/{task_id}": '"""Replace a task; what is left out gets its default."""\n',
    "PATCH /api/tasks/{task_id}": '"""Change a task; what is left out stays as it is."""\n',
}
METHODS = ("GET", "PUT", "PATCH", "DELETE")
DEATH = """    if data.description is None and "description" in data.model_fields_set:
        import os

        os._exit(3)
"""


def tried(run: ProbeRun) -> set[str]:
    return {each.route for each in run.probes if each.name == "robustness"}


def test_every_route_that_takes_a_value_is_tried(tmp_path: Path) -> None:
    run = probe(tmp_path, SOUND)
    assert run.findings == ()
    assert tried(run) == set(run.routes) - {"GET /health"}


LIST = """@router.get("", response_model=list[TaskResponse], responses=READ_ERRORS)
def list_tasks("""
SEARCH = """@router.get("/search", response_model=list[TaskResponse])
def search_tasks(
    session: DatabaseSession, current_user: CurrentUser, {parameter} = {default}
) -> Sequence[Task]:
    statement = select(Task).where(Task.user_id == current_user.id)
    return session.exec(statement{clause}).all()


"""


@pytest.mark.parametrize(
    ("parameter", "default", "clause", "shown"),
    [
        ("limit: int", "20", ".limit(limit)", "limit = 9223372036854775808"),
        ("skip: int", "0", ".offset(skip)", "skip = 9223372036854775808"),
        ("limit: int", "20", ".limit(min(limit, 50))", "limit = -1"),
        ("title: str", '""', ".where(Task.title == title)", 'title = "a\\u0000b"'),
    ],
)
def test_a_query_parameter_may_end_in_no_server_error(
    parameter: str, default: str, clause: str, shown: str, tmp_path: Path
) -> None:
    search = SEARCH.format(parameter=parameter, default=default, clause=clause)
    routes = SOUND["routes/tasks.py"].replace(LIST, search + LIST)
    run = probe(tmp_path, {**SOUND, "routes/tasks.py": routes})
    findings = [finding for finding in run.findings if finding.code == "BP605"]
    assert {finding.route for finding in findings} == {"GET /api/tasks/search"}
    assert f"GET /api/tasks/search with {shown}" in findings[0].trace
    assert findings[0].fix not in (None, SERVER_ERROR.fix)


def test_many_values_are_sent_in_few_requests() -> None:
    values = [
        Strange("path", "id", 1),
        Strange("path", "id", 2),
        Strange("body", "title", None),
    ]
    assert list(rounds(values)) == [(values[0], values[2]), (values[1],)]


@pytest.mark.parametrize("route", DEADLY)
def test_an_app_that_dies_of_one_is_reported_once(route: str, tmp_path: Path) -> None:
    routes = SOUND["routes/tasks.py"].replace(DEADLY[route], DEADLY[route] + DEATH)
    run = probe(tmp_path, {**SOUND, "routes/tasks.py": routes})
    (finding,) = run.findings
    assert (finding.code, finding.route) == ("BP615", route)
    assert finding.line == 1 + routes[: routes.index("os._exit")].count("\n")


def test_a_cause_that_both_worlds_show_is_one_finding(tmp_path: Path) -> None:
    bounded = "RowId = Annotated[int, Field(ge=1, le=MAX_INTEGER)]"
    common = SOUND["schemas/common.py"].replace(bounded, "RowId = int")
    run = probe(tmp_path, {**SOUND, "schemas/common.py": common})
    (finding,) = run.findings
    assert (finding.code, finding.path) == ("BP605", "routes/tasks.py")
    failed = {each.route for each in run.probes if each.outcome == "failed"}
    assert failed == {f"{method} /api/tasks/{{task_id}}" for method in METHODS}


TITLE, ROW_ID = {"loc": ["body", "title"]}, {"loc": ["path", "id"]}


def answer(status: int, body: object) -> Exchange:
    response = Response(status, {}, json.dumps(body).encode(), ())
    request = Request("PUT", "/")
    return Exchange("owner", request, response, Change((), (), ()), Act(0, "owner", request))


@pytest.mark.parametrize("title", [TITLE, {"loc": ["body", "title", "str"]}])
def test_what_an_answer_names_was_refused(title: object) -> None:
    values = [Strange("path", "id", -1), Strange("body", "title", None)]
    assert are_refused(values, answer(422, {"detail": [title, ROW_ID]}))


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, {"detail": [TITLE, ROW_ID]}),
        (422, {"detail": [TITLE]}),
        (422, {"detail": [TITLE, {"loc": ["query", "id"]}]}),
        (422, {"detail": [TITLE, {"loc": ["body", "items", 0, "id"]}]}),
        (422, {"detail": [TITLE, {"loc": "id"}, None]}),
        (422, {"detail": "no"}),
        (422, {"detail": 7}),
        (422, [TITLE, ROW_ID]),
        (422, None),
    ],
)
def test_what_no_answer_names_may_be_accepted(status: int, body: object) -> None:
    values = [Strange("path", "id", -1), Strange("body", "title", None)]
    assert not are_refused(values, answer(status, body))
