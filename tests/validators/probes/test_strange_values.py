"""Strange values are sent to every route, in one of the two worlds."""

from pathlib import Path

import pytest

from tests.validators.probes.probing import SOUND, probe
from validators.probes import ProbeRun

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
    assert tried(run) == set(run.routes) - {"GET /api/tasks", "GET /health"}


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
