"""Twelve real replies of a model to the seed's prompt: what fails in them on today's stack.

Where each finding must stand is read from the replies' text by patterns, not from the checker.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import validators
from agent.reply import parse
from validators.report import Finding, Report

REPLIES = Path(__file__).parent.parent / "fixtures" / "replies"
REQUESTS: dict[str, str] = json.loads((REPLIES / "requests.json").read_text())

STORED_NAIVE_DATETIME = re.compile(
    r"default_factory=(dt\.)?datetime\.utcnow|(\.\w+_at|now) = (dt\.)?datetime\.utcnow\(\)"
)
INTEGER_USER_ID = re.compile(r'\w+: int = Field\([^)]*foreign_key="user\.id"')
MISSING_LIBRARY = re.compile(r"^from jose import")

Place = tuple[str, int]


@dataclass(frozen=True)
class Checked:
    """A reply laid out as a backend, and the report of its check."""

    folder: Path
    report: Report

    def places(self, code: str) -> set[Place]:
        """Return where errors of a rule were reported."""
        return {
            (finding.path, finding.line or 0)
            for finding in self.report.findings
            if finding.code == code and finding.severity == "error"
        }

    def lines(self, pattern: re.Pattern[str]) -> set[Place]:
        """Return where a pattern stands in the backend."""
        return {place for place, line in self._all_lines() if pattern.search(line)}

    def user_ids(self) -> set[Place]:
        """Return where the key of the user table is an integer."""
        found: set[Place] = set()
        table = ""
        for place, line in self._all_lines():
            table = line.split("(")[0] if line.startswith("class ") else table
            if table == "class User" and re.match(r"    id: int", line):
                found.add(place)
        return found

    def _all_lines(self) -> Iterator[tuple[Place, str]]:
        for path in sorted(self.folder.rglob("*.py")):
            for number, line in enumerate(path.read_text().splitlines(), 1):
                yield (path.relative_to(self.folder).as_posix(), number), line


@pytest.fixture(scope="module", params=sorted(REQUESTS))
def checked(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Checked:
    name: str = request.param
    folder = tmp_path_factory.mktemp(name)
    if REQUESTS[name].startswith("[existing project"):
        lay_out("d01-task-crud", folder)
    lay_out(name, folder)
    return Checked(folder, validators.check(folder))


def lay_out(name: str, folder: Path) -> None:
    """Write a reply's files into a backend's folder."""
    reply = parse((REPLIES / f"{name}.md").read_text())
    assert reply.findings == ()
    for file in reply.files:
        path = folder / file.path.removeprefix("backend/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(file.code)


def test_every_stored_naive_datetime_is_an_error(checked: Checked) -> None:
    assert checked.places("BP409") == checked.lines(STORED_NAIVE_DATETIME)


def test_every_integer_user_id_is_an_error(checked: Checked) -> None:
    expected = checked.lines(INTEGER_USER_ID) | checked.user_ids()
    assert expected
    assert checked.places("BP411") == expected


def test_a_library_that_is_not_installed_is_an_error(checked: Checked) -> None:
    assert checked.places("BP203") == checked.lines(MISSING_LIBRARY)


def test_the_refusal_of_the_database_names_the_column(checked: Checked) -> None:
    refused = checked.places("BP508")
    assert refused <= checked.lines(INTEGER_USER_ID)
    # Without a foreign key to refuse, or without an app that starts, there is no such finding.
    starts = not checked.lines(MISSING_LIBRARY)
    assert bool(refused) == (starts and bool(checked.lines(INTEGER_USER_ID)))


def test_no_query_of_these_replies_leaks(checked: Checked) -> None:
    # Read by hand: each query compares the owner, or hangs on a parent that is checked.
    assert {query.verdict for query in checked.report.queries} <= {"isolated"}


def test_every_finding_says_what_to_do(checked: Checked) -> None:
    def is_complete(finding: Finding) -> bool:
        return bool(finding.message and finding.fix and finding.path and finding.line)

    assert [finding for finding in checked.report.findings if not is_complete(finding)] == []
