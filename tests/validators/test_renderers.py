"""A report as text, JSON, SARIF and annotations, on reports written by hand."""

import json
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from tests.validators.sarif_schema import SARIF
from validators import CheckOptions, check
from validators.renderers import FORMATS, render
from validators.report import (
    Change,
    Coverage,
    Finding,
    Missed,
    Probe,
    Query,
    QueryVerdict,
    Report,
    Step,
    Transfer,
)
from validators.rules import all_rules
from validators.text import finding_lines, plain, reader_of, text_lines

ROUTES = '''"""Routes."""

def get_task(task_id: int, session: Session) -> Task:
    task = session.get(Task, task_id)
    return task
'''

LEAK = Finding(
    code="BP301",
    name="query-leaks",
    severity="error",
    path="routes/tasks.py",
    line=4,
    column=12,
    message="`session.get(Task, task_id)` returns a row whoever asks.",
    fix="Select with `Task.user_id == current_user.id` as well.",
    route="GET /api/tasks/{task_id}",
    trace=("GET /api/tasks/{task_id}", "get_task"),
)
HINT = Finding(
    code="BP404",
    name="missing-hint",
    severity="warning",
    path="models.py",
    line=7,
    column=None,
    message="`make` has no return type.",
    fix="",
)
BOOT = Finding(
    code="BP501",
    name="start-fails",
    severity="error",
    path="",
    line=None,
    column=None,
    message="The app does not start.",
    fix="Set DATABASE_URL.",
)
QUERIES = (
    Query(
        path="routes/tasks.py",
        line=4,
        function="get_task",
        kind="get",
        table_models=("Task",),
        verdict="leak",
        proof="nothing binds the row to the signed-in user",
        routes=("GET /api/tasks/{task_id}",),
    ),
    Query(
        path="routes/tasks.py",
        line=9,
        function="list_tasks",
        kind="select",
        table_models=("Task",),
        verdict="isolated",
        proof="Task.user_id == current_user.id",
        routes=("GET /api/tasks",),
    ),
    Query(
        path="routes/stats.py",
        line=3,
        function="count_all",
        kind="select",
        table_models=("Task",),
        verdict="public",
        proof="declared public: a figure for the landing page",
        routes=("GET /api/stats",),
    ),
)
PROBES = (
    Probe(name="no token", route="GET /api/tasks", outcome="passed", detail="401"),
    Probe(
        name="read as the intruder",
        route="GET /api/tasks/{task_id}",
        outcome="inconclusive",
        detail="the owner's own request failed with 422",
    ),
)
FULL = Report(
    findings=(BOOT, HINT, LEAK),
    queries=QUERIES,
    probes=PROBES,
    routes=("GET /api/stats", "GET /api/tasks", "GET /api/tasks/{task_id}"),
    coverage=Coverage(
        routes=3, exercised=2, missed=(Missed(route="GET /api/stats", reason="it needs a file"),)
    ),
    files=10,
    timings={"syntax": 0.01, "boot": 0.8, "probes": 0.4},
)
CLEAN = Report(files=1, routes=("GET /api/tasks",), timings={"syntax": 0.02, "isolation": 0.02})


def finding(**changes: Any) -> Finding:
    return replace(LEAK, **changes)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "routes").mkdir()
    (tmp_path / "routes" / "tasks.py").write_text(ROUTES)
    return tmp_path


def text(report: Report, root: Path, width: int = 0) -> list[str]:
    return plain(text_lines(report, reader_of(root), width)).splitlines()


def test_the_text_shows_findings_then_what_could_not_be_decided_then_counts(root: Path) -> None:
    assert (
        render(FULL, "text", root)
        == """\
error BP501 start-fails
    The app does not start.
    fix: Set DATABASE_URL.

models.py:7: warning BP404 missing-hint
    `make` has no return type.

routes/tasks.py:4:12: error BP301 query-leaks
    `session.get(Task, task_id)` returns a row whoever asks.
        4 │     task = session.get(Task, task_id)
          │            ^
    via: GET /api/tasks/{task_id} → get_task
    fix: Select with `Task.user_id == current_user.id` as well.

Declared public:
    - routes/stats.py:3 count_all: declared public: a figure for the landing page

Not decided:
    - GET /api/tasks/{task_id}, read as the intruder: the owner's own request failed with 422

Not exercised:
    - GET /api/stats: it needs a file

Failed with 2 errors and 1 warning, 1 route not exercised.
10 files, 3 routes; queries: 1 isolated, 1 leak, 0 unproven, 1 public; probes: 1 passed, 0 failed, \
1 inconclusive; routes: 2 of 3 exercised; 1.2 s
"""
    )


def test_declared_transfers_are_listed_with_their_reasons(root: Path) -> None:
    transfer = Transfer(
        path="routes/tasks.py",
        line=4,
        table_model="Task",
        reason="the owner hands it over",
        routes=("POST /api/tasks/{task_id}/transfer",),
    )
    assert text(replace(CLEAN, transfers=(transfer,)), root)[:3] == [
        "Declared transfers:",
        "    - routes/tasks.py:4 Task: the owner hands it over",
        "",
    ]


def test_a_clean_report_is_two_lines(root: Path) -> None:
    assert text(CLEAN, root) == [
        "Passed.",
        "1 file, 1 route; no query on an owned model; the app was not started; 0.0 s",
    ]


@pytest.mark.parametrize(
    ("queries", "words"),
    [
        ((), "no query could be judged"),
        ((QUERIES[1],), "queries in what could be read: 1 isolated, 0 leaks, 0 unproven"),
    ],
    ids=["no file", "some files"],
)
def test_what_could_not_be_read_is_not_called_free_of_queries(
    root: Path, queries: tuple[Query, ...], words: str
) -> None:
    finding = all_rules()["BP201"].finding("'(' was never closed.", path="main.py")
    report = replace(CLEAN, findings=(finding,), queries=queries)
    assert f"; {words}; " in text(report, root)[-1]


@pytest.mark.parametrize("verdict", ["leak", "unproven"])
def test_a_query_that_is_not_proven_never_passes(root: Path, verdict: QueryVerdict) -> None:
    query = replace(QUERIES[1], verdict=verdict)
    report = replace(CLEAN, queries=(query,))
    assert report.verdict == "fail"
    assert "Failed: not every query is proven." in text(report, root)


def test_a_line_that_cannot_be_shown_is_not_quoted() -> None:
    finding = all_rules()["BP107"].finding("The reply holds no file.", path="reply", line=1)
    shown = plain(finding_lines([finding], lambda _: ""))
    assert "The reply holds no file." in shown
    assert "│" not in shown


def test_a_report_of_nothing_does_not_say_that_it_passed(root: Path) -> None:
    assert text(Report(), root)[0] == "Nothing was checked."


def test_a_warning_alone_passes_and_is_counted(root: Path) -> None:
    report = Report(findings=(HINT,), timings={"syntax": 0.1})
    assert "Passed with 1 warning." in text(report, root)


def test_an_app_that_did_not_start_is_said_not_to_be_probed(root: Path) -> None:
    report = Report(findings=(BOOT,), timings={"boot": 0.1})
    assert "the app was not probed" in text(report, root)[-1]


def test_a_query_without_a_finding_is_listed_where_it_is_not_proven(root: Path) -> None:
    report = Report(queries=QUERIES, timings={"isolation": 0.1})
    lines = text(report, root)
    assert lines[:2] == [
        "Not proven:",
        "    - routes/tasks.py:4 get_task: nothing binds the row to the signed-in user",
    ]


def test_sentences_are_broken_at_the_width(root: Path) -> None:
    lines = text(FULL, root, width=40)
    assert all(len(line) <= 40 for line in lines if "│" in line or line.startswith("    "))
    joined = " ".join(" ".join(lines).split())
    assert "returns a row whoever asks." in joined


def test_a_long_line_is_cut_around_the_caret(root: Path) -> None:
    code = f"{'a' * 200} = session.get(Task, task_id)  # {'b' * 200}"
    (root / "routes" / "tasks.py").write_text(code)
    report = Report(findings=(finding(line=1, column=204),), timings={"syntax": 0.1})
    quoted, caret = [line for line in text(report, root, width=60) if "│" in line]
    assert len(quoted) <= 60
    assert quoted[caret.index("^") :].startswith("session.get(Task")


@pytest.mark.parametrize(
    ("code", "column"),
    [
        ("\ttask = session.get(Task, task_id)", 9),
        ('    emoji = "漢字"; session.get(Task)', 19),
        ("session.get(Task)", 1),
    ],
)
def test_the_caret_stands_below_the_column(root: Path, code: str, column: int) -> None:
    (root / "routes" / "tasks.py").write_text(code)
    report = Report(findings=(finding(line=1, column=column),), timings={"syntax": 0.1})
    quoted, caret = [line for line in text(report, root) if "│" in line]
    cells = [character for character in quoted for _ in range(2 if character in "漢字" else 1)]
    assert "".join(cells[caret.index("^") :]).startswith("session")


def test_a_file_that_cannot_be_read_is_not_quoted(root: Path) -> None:
    (root / "routes" / "tasks.py").write_bytes(b"\xff\n" * 9)
    report = Report(findings=(LEAK,), timings={"syntax": 0.1})
    assert not any("│" in line for line in text(report, root))


def test_code_and_messages_cannot_steer_the_terminal(root: Path) -> None:
    (root / "routes" / "tasks.py").write_text("x = 1  # \x1b[2J\u202e\n")
    evil = finding(line=1, column=1, message="bad \x1b]0;title\x07", fix="\x9b31m")
    shown = "\n".join(text(Report(findings=(evil,), timings={"syntax": 0.1}), root))
    assert all(character.isprintable() for character in shown.replace("\n", ""))


@settings(deadline=None)
@given(message=st.text(), fix=st.text(), path=st.text(), trace=st.lists(st.text(), max_size=3))
def test_no_text_of_a_backend_can_break_a_rendering(
    message: str, fix: str, path: str, trace: list[str]
) -> None:
    any_text = finding(message=message, fix=fix, path=path.replace("\0", ""), trace=tuple(trace))
    report = Report(findings=(any_text,), timings={"syntax": 0.1})
    shown = plain(text_lines(report, lambda _: f"{message}\n" * 4, 60))
    assert all(character.isprintable() for character in shown.replace("\n", ""))
    annotations = render(report, "github", Path()).split("\n")
    assert len(annotations) == 3
    assert len([line for line in annotations if line.startswith("::")]) == 1
    assert len(sarif(report)["results"]) == 1


def test_json_is_the_documented_schema(root: Path) -> None:
    data = json.loads(render(FULL, "json", root))
    assert list(data) == [
        "schema", "findings", "queries", "probes", "routes", "coverage", "transfers",
        "timings", "route_seconds", "verdict",
    ]  # fmt: skip
    assert data["schema"] == 1
    assert data["verdict"] == "fail"
    assert data["findings"][2] == {
        "code": "BP301",
        "name": "query-leaks",
        "severity": "error",
        "path": "routes/tasks.py",
        "line": 4,
        "column": 12,
        "message": "`session.get(Task, task_id)` returns a row whoever asks.",
        "fix": "Select with `Task.user_id == current_user.id` as well.",
        "route": "GET /api/tasks/{task_id}",
        "trace": ["GET /api/tasks/{task_id}", "get_task"],
        "end_column": None,
        "steps": [],
        "correction": [],
        "consequences": [],
        "experiment": [],
        "expected": [],
    }
    assert data["queries"][1]["proof"] == "Task.user_id == current_user.id"
    assert data["coverage"] == {
        "routes": 3,
        "exercised": 2,
        "missed": [{"route": "GET /api/stats", "reason": "it needs a file"}],
    }
    assert data["timings"] == {"syntax": 0.01, "boot": 0.8, "probes": 0.4}


def test_github_gets_an_annotation_for_each_finding() -> None:
    lines = render(FULL, "github", Path("backend")).splitlines()
    assert lines == [
        "::error title=BP501 start-fails::The app does not start. Set DATABASE_URL.",
        "::warning title=BP404 missing-hint,file=backend/models.py,line=7::"
        "`make` has no return type.",
        "::error title=BP301 query-leaks,file=backend/routes/tasks.py,line=4,col=12::"
        "`session.get(Task, task_id)` returns a row whoever asks. "
        "(GET /api/tasks/{task_id} → get_task) "
        "Select with `Task.user_id == current_user.id` as well.",
        "BackendPro: failed, 2 errors, 1 warning",
    ]


def test_a_message_cannot_start_a_workflow_command_of_its_own() -> None:
    evil = finding(path="a,b:c.py", message="bad\n::set-output name=x::y\r100%")
    first, _ = render(
        Report(findings=(evil,), timings={"syntax": 0.1}), "github", Path()
    ).splitlines()
    assert "file=a%2Cb%3Ac.py" in first
    assert "bad%0A::set-output name=x::y%0D100%25" in first


def sarif(report: Report, root: Path = Path("backend")) -> dict[str, Any]:
    data = json.loads(render(report, "sarif", root))
    jsonschema.validate(data, SARIF)
    run: dict[str, Any] = data["runs"][0]
    return run


@pytest.mark.parametrize("report", [FULL, CLEAN, Report()], ids=["full", "clean", "empty"])
def test_sarif_keeps_to_the_schema(report: Report) -> None:
    assert len(sarif(report)["results"]) == len(report.findings)


def test_sarif_points_at_the_place() -> None:
    leak = sarif(FULL)["results"][2]
    assert leak["locations"][0]["physicalLocation"] == {
        "artifactLocation": {"uri": "backend/routes/tasks.py", "uriBaseId": "%SRCROOT%"},
        "region": {"startLine": 4, "startColumn": 12},
    }
    assert leak["level"] == "error"
    assert leak["message"]["text"].splitlines() == [
        "`session.get(Task, task_id)` returns a row whoever asks.",
        "GET /api/tasks/{task_id} → get_task",
        "Select with `Task.user_id == current_user.id` as well.",
    ]


def test_a_sarif_path_below_the_current_folder_is_relative(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A code scanning service knows files by their path in the repository.
    monkeypatch.chdir(root.parent)
    uri = sarif(FULL, root)["results"][2]["locations"][0]["physicalLocation"]["artifactLocation"]
    assert uri == {"uri": f"{root.name}/routes/tasks.py", "uriBaseId": "%SRCROOT%"}


def test_sarif_describes_every_rule_and_results_refer_to_them() -> None:
    code = next(iter(all_rules()))
    run = sarif(Report(findings=(finding(code=code),), timings={"syntax": 0.1}))
    rules = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == list(all_rules())
    assert rules[run["results"][0]["ruleIndex"]]["id"] == code


def test_a_sarif_fingerprint_survives_moved_lines() -> None:
    moved = finding(line=40, column=3)
    first = sarif(Report(findings=(LEAK, HINT), timings={"syntax": 0.1}))["results"]
    again = sarif(Report(findings=(moved, HINT), timings={"syntax": 0.1}))["results"]
    prints = [[result["partialFingerprints"] for result in results] for results in (first, again)]
    assert prints[0] == prints[1]
    assert prints[0][0] != prints[0][1]


def test_two_findings_of_one_kind_in_one_function_have_two_fingerprints() -> None:
    both = sarif(Report(findings=(LEAK, finding(line=40)), timings={"syntax": 0.1}))["results"]
    assert both[0]["partialFingerprints"] != both[1]["partialFingerprints"]


LEAKY = Path(__file__).parents[2] / "fixtures" / "backends"


@pytest.mark.parametrize("folder", sorted(LEAKY.glob("leaky-*")), ids=lambda folder: folder.name)
def test_real_reports_keep_to_the_schemas(folder: Path) -> None:
    report = check(folder, CheckOptions(is_static=True))
    run = sarif(report, folder)
    for result, found in zip(run["results"], report.findings, strict=True):
        assert ("codeFlows" in result) == bool(found.steps)
        assert ("fixes" in result) == bool(found.correction)
    schema = json.loads(SCHEMA.read_text())
    jsonschema.validate(json.loads(render(report, "json", folder)), schema)


def test_a_leak_has_its_way_and_its_correction_in_sarif() -> None:
    folder = LEAKY / "leaky-check-wrong-way"
    [result] = sarif(check(folder, CheckOptions(is_static=True)), folder)["results"]
    [flow] = result["codeFlows"][0]["threadFlows"]
    said = [step["location"]["message"]["text"] for step in flow["locations"]]
    assert said == ["GET /api/tasks/{task_id}", "get_task", "get_own_task", "get Task"]
    [change] = result["fixes"][0]["artifactChanges"]
    region = change["replacements"][0]["deletedRegion"]
    assert region == {"startLine": 107, "startColumn": 1, "endLine": 108, "endColumn": 1}


def test_security_rules_have_a_score_and_others_none() -> None:
    for rule in sarif(FULL)["tool"]["driver"]["rules"]:
        properties = rule["properties"]
        is_security = "security" in properties["tags"]
        assert is_security is rule["id"].startswith(("BP3", "BP6"))
        assert ("security-severity" in properties) is is_security
        assert 0 < float(properties.get("security-severity", 1)) <= 10


SCHEMA = Path(__file__).parents[2] / "docs" / "report-schema.json"


def test_the_schema_in_the_docs_is_that_of_the_report() -> None:
    schema = TypeAdapter(Report).json_schema()
    properties = schema["properties"]
    del properties["files"]
    names = ["schema", *properties, "verdict"]
    properties["schema"] = {"const": 1}
    properties["verdict"] = {"enum": ["pass", "fail"]}
    documented = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **schema,
        "title": "Report of `backendpro check --format json`, version 1",
        "description": "Fields may be added; where one changes its meaning, `schema` rises.",
        "required": names,
    }
    documented["properties"] = {name: properties[name] for name in names}
    assert json.loads(SCHEMA.read_text()) == documented


def test_a_check_of_nothing_was_not_successful() -> None:
    assert sarif(Report())["invocations"] == [{"executionSuccessful": False}]


@pytest.mark.parametrize("form", FORMATS)
def test_the_same_report_is_written_the_same_byte_for_byte(form: Any, root: Path) -> None:
    again = deepcopy(FULL)
    assert render(FULL, form, root) == render(again, form, root)


CORRECTED = finding(
    column=12,
    end_column=38,
    correction=(
        Change(path="routes/tasks.py", line=4, end_line=4, code="    task = own(session, task_id)"),
        Change(path="routes/tasks.py", line=1, end_line=0, code="from models import Task"),
        Change(path="models.py", line=2, end_line=3, code="x = 1\ny = 2"),
    ),
    consequences=(
        Step(kind="query", what="list_tasks", path="routes/tasks.py", line=41),
        Step(kind="query", what="get_comment", path="routes/comments.py", line=118),
    ),
)


def test_corrected_lines_stand_as_they_are_to_be_pasted(root: Path) -> None:
    lines = text(Report(findings=(CORRECTED,), timings={"syntax": 0.1}), root)
    at = next(i for i, line in enumerate(lines) if line.startswith("    fix: "))
    assert lines[at + 1 : at + 7] == [
        "        4 │     task = own(session, task_id)",
        "         add before line 1:",
        "        + │ from models import Task",
        "         in place of lines 2 to 3 of models.py:",
        "        2 │ x = 1",
        "          │ y = 2",
    ]


def test_the_whole_expression_is_marked(root: Path) -> None:
    lines = text(Report(findings=(CORRECTED,), timings={"syntax": 0.1}), root)
    quoted = next(i for i, line in enumerate(lines) if "session.get" in line and "│" in line)
    marks = lines[quoted + 1]
    assert marks.count("^") == 26
    start = marks.index("^")
    assert lines[quoted][start : start + 26] == "session.get(Task, task_id)"


def test_places_and_routes_are_never_broken(root: Path) -> None:
    report = Report(findings=(CORRECTED,), timings={"syntax": 0.1})
    lines = text(report, root, width=50)
    assert any("routes/comments.py:118 get_comment" in line for line in lines)
    assert any("GET /api/tasks/{task_id}" in line for line in lines)
    assert any(line.endswith("│     task = own(session, task_id)") for line in lines)


def test_a_query_told_as_a_consequence_is_not_listed_again(root: Path) -> None:
    query = Query(
        path="routes/tasks.py", line=41, function="list_tasks", kind="select",
        table_models=("Task",), verdict="leak", proof="nothing binds it", routes=(),
    )  # fmt: skip
    report = Report(findings=(CORRECTED,), queries=(query,), timings={"syntax": 0.1})
    assert "Not proven:" not in text(report, root)


def test_what_another_finding_explains_comes_after_it(root: Path) -> None:
    effect = finding(path="models.py", line=7, code="BP306")
    cause = finding(
        consequences=(Step(kind="write", what="create", path="models.py", line=7),),
    )
    lines = text(Report(findings=(effect, cause), timings={"syntax": 0.1}), root)
    heads = [line for line in lines if " error " in line]
    assert heads[0].startswith("routes/tasks.py")
    assert heads[1].startswith("models.py")


def test_corrected_lines_are_part_of_one_annotation() -> None:
    shown = render(Report(findings=(CORRECTED,), timings={"syntax": 0.1}), "github", Path())
    assert "endColumn=38" in shown
    assert "%0A    task = own(session, task_id)%0Afrom models import Task" in shown
    assert len(shown.splitlines()) == 2
