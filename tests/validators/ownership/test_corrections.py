"""Corrections: who applies the suggested lines gets rid of the finding, and gets no new one."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from tests.validators.ownership.backends import proof_of, prove_folder
from validators.location import find_app
from validators.ownership import Proof, prove
from validators.report import Change, Finding
from validators.source import Project, load_project, parse_module

FIXTURES = Path(__file__).parents[3] / "fixtures"
LEAKY = sorted([*FIXTURES.glob("backends/leaky-*"), *FIXTURES.glob("isolation/*-leaky")])
# Of so many leaky fixtures with a finding, at least so many have corrected lines.
FEWEST_CORRECTED = 100


def name(folder: Path) -> str:
    return folder.name


@cache
def project_of(folder: Path) -> Project:
    return load_project(folder)


def applied(text: str, changes: Iterable[Change]) -> str:
    """Do what a person does who pastes the lines, from the last to the first."""
    lines = text.splitlines()
    for change in sorted(changes, key=lambda c: (c.line, c.end_line), reverse=True):
        lines[change.line - 1 : change.end_line] = change.code.splitlines()
    return "\n".join(lines) + "\n"


def proof_with(folder: Path, changes: tuple[Change, ...]) -> Proof:
    project = project_of(folder)
    modules = dict(project.modules)
    for path in {change.path for change in changes}:
        mine = [change for change in changes if change.path == path]
        modules[path] = parse_module(path, applied(modules[path].text, mine))
        assert modules[path].problem is None
    project = replace(project, modules=modules)
    location = find_app(project)
    assert location is not None
    return prove(replace(project, import_root=location.import_root), location)


def faults_of(proof: Proof) -> Counter[tuple[str, str]]:
    """Count, for each file, the errors by rule, and the queries that are not isolated as one."""
    found = Counter(
        (f.code, f.path)
        for f in proof.findings
        if f.severity == "error" and f.code not in ("BP301", "BP302")
    )
    # Corrections may leave a helper without a caller; no route leaks through it any more.
    reached = (q for q in proof.queries if q.routes and q.verdict != "isolated")
    return found + Counter(("query", q.path) for q in reached)


def corrected(folder: Path) -> list[Finding]:
    return [finding for finding in proof_of(folder).findings if finding.correction]


@pytest.mark.parametrize("folder", [f for f in LEAKY if corrected(f)], ids=name)
def test_the_corrected_lines_take_the_finding_away_and_bring_no_other(folder: Path) -> None:
    before = faults_of(proof_of(folder))
    for finding in corrected(folder):
        after = faults_of(proof_with(folder, finding.correction))
        assert not after - before, "something new"
        kind = "query" if finding.code == "BP301" else finding.code
        assert after[kind, finding.path] < before[kind, finding.path]


@pytest.mark.parametrize("folder", [f for f in LEAKY if len(corrected(f)) > 1], ids=name)
def test_all_corrections_of_a_backend_work_together(folder: Path) -> None:
    findings = corrected(folder)
    changes = tuple(dict.fromkeys(c for finding in findings for c in finding.correction))
    taken = Counter((c.path, line) for c in changes for line in range(c.line, c.end_line + 1))
    if max(taken.values(), default=0) > 1:
        return  # Two corrections of the same line: each is applied alone above.
    proof = proof_with(folder, changes)
    kinds = ("query" if f.code == "BP301" else f.code for f in findings)
    mended = Counter(zip(kinds, (f.path for f in findings), strict=True))
    assert not faults_of(proof) - (faults_of(proof_of(folder)) - mended)


def test_most_leaky_fixtures_have_corrected_lines() -> None:
    wrong = [folder for folder in LEAKY if any(proof_of(folder).findings)]
    found = [folder for folder in wrong if corrected(folder)]
    print(f"{len(found)} of {len(wrong)} leaky fixtures have corrected lines")  # noqa: T201
    assert len(found) >= FEWEST_CORRECTED


@pytest.mark.parametrize("folder", LEAKY, ids=name)
def test_a_finding_without_corrected_lines_says_what_to_do(folder: Path) -> None:
    for finding in proof_of(folder).findings:
        assert finding.fix
        assert finding.correction or not finding.fix.endswith(":")


def test_the_cause_is_told_once_and_its_consequences_with_it() -> None:
    [finding] = proof_of(FIXTURES / "backends/leaky-child-moved").findings
    assert (finding.code, finding.path, finding.line) == ("BP306", "routes/tasks.py", 92)
    assert [(step.path, step.line) for step in finding.consequences] == [
        ("routes/comments.py", 52),
        ("routes/comments.py", 118),
        ("routes/tasks.py", 52),
        ("routes/tasks.py", 119),
    ]


def test_the_way_leads_from_the_route_to_the_function_with_the_query() -> None:
    [finding] = proof_of(FIXTURES / "backends/leaky-check-wrong-way").findings
    assert finding.trace == ("GET /api/tasks/{task_id}", "get_task", "get_own_task")
    kinds = [step.kind for step in finding.steps]
    assert kinds == ["route", "call", "call", "query"]


def test_a_function_of_another_module_is_named_with_it() -> None:
    found = proof_of(FIXTURES / "isolation/postcheck-caller-leaky").findings
    assert any(step.startswith("crud.") for finding in found for step in finding.trace)


@pytest.mark.parametrize("folder", LEAKY, ids=name)
def test_messages_are_short(folder: Path) -> None:
    for finding in proof_of(folder).findings:
        assert len(finding.message) <= 175, finding.message
        assert len(finding.fix) <= 140, finding.fix


def test_columns_count_characters_and_not_bytes(tmp_path: Path) -> None:
    for file in (FIXTURES / "isolation/query-count-leaky").glob("*.py"):
        text = file.read_text().replace("db.exec(select(", 'db.exec("äöü" and select(')
        (tmp_path / file.name).write_text(text)
    lines = (tmp_path / "main.py").read_text().splitlines()
    found = [f for f in prove_folder(tmp_path).findings if f.path == "main.py"]
    assert found
    for finding in found:
        assert finding.line
        assert finding.column
        assert finding.end_column
        shown = lines[finding.line - 1][finding.column - 1 : finding.end_column - 1]
        assert shown.startswith("select(")
        assert shown.endswith(")")
