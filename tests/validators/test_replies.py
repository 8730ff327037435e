"""What a strong model writes today: the checks name each thing that fails, at its line.

The expectation is read off the replies' text with patterns that know nothing of the checks.
"""

import re
from pathlib import Path

import pytest

from agent.reply import parse
from validators import CheckOptions, check
from validators.report import Finding

REPLIES = Path(__file__).parents[2] / "fixtures" / "replies"
ON_TOP_OF_D01 = {"d04", "d05", "d06", "d10", "d12"}

# What fails when the app runs, and what is only old-fashioned there.
USER_ID = re.compile(r'^    \w+: int = Field\(foreign_key="user\.id"')
NAIVE = re.compile(r"\.utcnow\b")
NAIVE_BUT_NOT_STORED = re.compile(r"\.utcnow\(\)\.(date|strftime)\(")
NOT_INSTALLED = re.compile(r"^(from|import) jose\b")

Place = tuple[str, int]


def apply(name: str, folder: Path) -> Path:
    """Lay a reply out, on top of d01 where it was asked for that."""
    names = ["d01", name] if name in ON_TOP_OF_D01 else [name]
    for part in names:
        (path,) = REPLIES.glob(f"{part}-*.md")
        for file in parse(path.read_text(encoding="utf-8")).files:
            target = folder / file.path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(file.code, encoding="utf-8")
    return folder / "backend"


def lines_with(backend: Path, pattern: re.Pattern[str]) -> set[Place]:
    """Return each place whose line a pattern matches."""
    return {
        (path.relative_to(backend).as_posix(), number)
        for path in sorted(backend.rglob("*.py"))
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if pattern.search(line)
    }


def user_keys(backend: Path) -> set[Place]:
    """Return the line of the user table's integer key."""
    lines = (backend / "models.py").read_text(encoding="utf-8").splitlines()
    start = next(n for n, line in enumerate(lines) if line.startswith("class User("))
    number = next(n for n in range(start, len(lines)) if lines[n].startswith("    id: int"))
    return {("models.py", number + 1)}


def places(findings: tuple[Finding, ...], code: str, severity: str) -> set[Place]:
    """Return the places of the findings with a code and a severity."""
    return {
        (finding.path, finding.line or 0)
        for finding in findings
        if (finding.code, finding.severity) == (code, severity)
    }


@pytest.mark.parametrize("name", [f"d{number:02}" for number in range(1, 13)])
def test_a_reply_is_reported_at_every_line_that_fails_today_and_at_no_other(
    name: str, tmp_path: Path
) -> None:
    backend = apply(name, tmp_path)
    findings = check(backend, CheckOptions(is_static=True)).findings
    soft = lines_with(backend, NAIVE_BUT_NOT_STORED)
    assert places(findings, "BP409", "error") == lines_with(backend, NAIVE) - soft
    assert places(findings, "BP409", "warning") == soft
    user_ids = lines_with(backend, USER_ID) | user_keys(backend)
    assert places(findings, "BP411", "error") == user_ids
    assert places(findings, "BP203", "error") == lines_with(backend, NOT_INSTALLED)
    others = {f.code for f in findings if f.code < "BP3" or f.code > "BP4"}
    others -= {"BP203", "BP409", "BP410", "BP411"}
    assert others == ({"BP414"} if name == "d03" else set())


@pytest.mark.parametrize("name", ["d02", "d03", "d07", "d08", "d11"])
def test_handlers_that_do_not_hold_the_event_loop_are_not_reported(
    name: str, tmp_path: Path
) -> None:
    findings = check(apply(name, tmp_path), CheckOptions(is_static=True)).findings
    assert [finding for finding in findings if finding.code == "BP410"] == []


@pytest.mark.parametrize(
    ("name", "count"), [("d01", 7), ("d04", 12), ("d05", 8), ("d06", 15), ("d09", 10), ("d12", 12)]
)
def test_async_functions_that_query_a_plain_session_are_reported_once_each(
    name: str, count: int, tmp_path: Path
) -> None:
    backend = apply(name, tmp_path)
    # Every `async def` in these replies takes the session, except start-up, health checks and
    # the rate limiter, which have neither `session` nor a query.
    text = "\n".join(p.read_text(encoding="utf-8") for p in sorted(backend.rglob("*.py")))
    with_session = re.findall(r"^async def \w+\((?:[^()]|\([^()]*\))*?session: Session", text, re.M)
    findings = check(backend, CheckOptions(is_static=True)).findings
    found = [finding for finding in findings if finding.code == "BP410"]
    assert len(found) == len(with_session) == count


@pytest.mark.parametrize("name", [f"d{number:02}" for number in range(1, 13)])
def test_every_query_of_a_reply_is_proven_isolated(name: str, tmp_path: Path) -> None:
    # Read by hand: each query compares the owner, or hangs on a parent that is checked.
    queries = check(apply(name, tmp_path), CheckOptions(is_static=True)).queries
    assert {query.verdict for query in queries} <= {"isolated"}
    assert queries or name == "d03"


@pytest.mark.parametrize("name", ["d01", "d04", "d05", "d06", "d07", "d08", "d10", "d11", "d12"])
def test_the_database_refuses_an_integer_owner_at_the_column_that_declares_it(
    name: str, tmp_path: Path
) -> None:
    backend = apply(name, tmp_path)
    (refused,) = places(check(backend).findings, "BP508", "error")
    assert refused == min(lines_with(backend, USER_ID))


def test_a_token_whose_user_id_is_read_as_a_number_is_refused(tmp_path: Path) -> None:
    backend = apply("d03", tmp_path)
    (refused,) = places(check(backend).findings, "BP602", "error")
    assert refused in lines_with(backend, re.compile(r"int\(payload"))
