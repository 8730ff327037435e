"""The proof and the probes check each other: where they contradict each other, that is reported."""

from pathlib import Path

import pytest

from tests.validators.probes.probing import SOUND
from tests.validators.trees import Files, lay_out
from validators import check
from validators.probes import find_contradictions
from validators.report import Finding, Query, QueryVerdict, Report
from validators.rules.probes import CONTRADICTION

READ = "GET /api/tasks/{task_id}"


def query(verdict: QueryVerdict, *routes: str, line: int = 7) -> Query:
    return Query(
        path="routes/tasks.py",
        line=line,
        function="get_task",
        kind="select",
        table_models=("Task",),
        verdict=verdict,
        proof="Task.user_id is the signed-in user.",
        routes=routes,
    )


def finding(code: str, route: str | None) -> Finding:
    return Finding(
        code=code, name="", severity="error", path="", line=1, column=1, message="", fix="",
        route=route,
    )  # fmt: skip


def test_a_leak_at_a_proven_query_is_a_contradiction() -> None:
    (found,) = find_contradictions([READ], [query("isolated", READ)], [])
    assert (found.code, found.severity, found.path, found.line, found.route) == (
        "BP617", "error", "routes/tasks.py", 7, READ,
    )  # fmt: skip
    assert "please report" in found.fix


def test_routes_are_matched_without_their_converters() -> None:
    written = "GET /api/tasks/{task_id:int}"
    assert list(find_contradictions([READ], [query("isolated", written)], []))


def test_one_finding_names_every_route_of_the_same_queries() -> None:
    other = "PUT /api/tasks/{task_id}"
    (found,) = find_contradictions([other, READ], [query("isolated", READ, other)], [])
    assert READ in found.message
    assert other in found.message


@pytest.mark.parametrize("verdict", ["leak", "unproven", "public"])
def test_a_query_that_is_not_isolated_explains_the_leak(verdict: QueryVerdict) -> None:
    queries = [query("isolated", READ), query(verdict, READ, line=9)]
    assert list(find_contradictions([READ], queries, [])) == []


def test_a_route_without_queries_contradicts_nothing() -> None:
    assert list(find_contradictions([READ], [query("isolated", "GET /other")], [])) == []


@pytest.mark.parametrize(
    ("code", "route", "reported"),
    [
        ("BP301", READ, 0),
        ("BP301", "GET /other", 1),
        # What is stored or how a token is verified has consequences on other routes.
        ("BP304", "GET /other", 0),
        ("BP306", "GET /other", 0),
    ],
)
def test_what_the_proof_found_elsewhere_may_explain_a_leak(
    code: str, route: str, reported: int
) -> None:
    found = list(find_contradictions([READ], [query("isolated", READ)], [finding(code, route)]))
    assert len(found) == reported


def checked(folder: Path, files: Files) -> Report:
    return check(lay_out(folder / "backend", files))


def places(report: Report) -> list[tuple[str, int | None]]:
    return [(f.path, f.line) for f in report.findings if f.code == "BP617"]


def test_the_rules_bad_example_is_reported_at_its_line(tmp_path: Path) -> None:
    example = CONTRADICTION.bad
    report = checked(tmp_path, {**SOUND, example.path: example.code})
    lines = enumerate(example.code.splitlines(), start=1)
    marked = [(example.path, number) for number, line in lines if line.endswith("# BP617")]
    assert places(report) == marked
    assert {query.verdict for query in report.queries} == {"isolated"}


REWRITING = """

from sqlalchemy import event


@event.listens_for(engine, "before_cursor_execute", retval=True)
def widen(connection, cursor, statement, parameters, context, executemany):
    bound = "task.user_id = %(user_id_1)s::VARCHAR"
    return statement.replace(bound, "%(user_id_1)s::VARCHAR IS NOT NULL"), parameters
"""
PATCHING = """

from sqlalchemy.sql.selectable import Select

type.__setattr__(Select, "where", lambda self, *clauses: self)
"""
TRIGGER = '''

def widen() -> None:
    with engine.begin() as link:
        link.exec_driver_sql(
            """CREATE FUNCTION widen() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            NEW.description := (SELECT title FROM task WHERE user_id <> NEW.user_id LIMIT 1);
            RETURN NEW; END $$"""
        )
        link.exec_driver_sql(
            "CREATE TRIGGER widen BEFORE INSERT ON task FOR EACH ROW EXECUTE FUNCTION widen()"
        )
'''


@pytest.mark.parametrize("meddling", [REWRITING, PATCHING, TRIGGER])
def test_what_the_proof_cannot_see_is_no_silent_leak(meddling: str, tmp_path: Path) -> None:
    main = SOUND["main.py"]
    if "def widen() ->" in meddling:
        main = main.replace("import create_tables, engine", "import create_tables, engine, widen")
        main = main.replace("    create_tables()\n", "    create_tables()\n    widen()\n")
    files = {**SOUND, "main.py": main, "database.py": SOUND["database.py"] + meddling}
    report = checked(tmp_path, files)
    assert {query.verdict for query in report.queries if query.path == "routes/tasks.py"} == {
        "isolated"
    }
    assert {"BP603", "BP617"} <= {finding.code for finding in report.findings}
