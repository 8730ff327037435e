"""Which paths a reply may name."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.paths import path_problem, shown
from agent.reply import parse
from validators import source

GOOD = [
    "backend/main.py",
    "backend/routes/__init__.py",
    "backend/alembic/versions/001_tasks.py",
    "backend/my-script.py",
    "backend/caf\u00e9.py",
    "backend/a/b/c/d/e.py",
    f"backend/{'x' * 252}.py",
]

BAD = {
    "": "does not start with backend/",
    "main.py": "does not start with backend/",
    "backend": "does not start with backend/",
    "Backend/main.py": "does not start with backend/",
    "backend2/main.py": "does not start with backend/",
    "./backend/main.py": "does not start with backend/",
    "/backend/main.py": "is absolute",
    "/etc/passwd.py": "is absolute",
    "//server/share/x.py": "is absolute",
    "../main.py": "does not start with backend/",
    "backend/../main.py": 'has the part ".."',
    "backend/x/../../y.py": 'has the part ".."',
    "backend/..": 'has the part ".."',
    "backend/./main.py": 'has the part "."',
    "backend//main.py": "has an empty part",
    "backend/x.py/": "has an empty part",
    "backend/.git/hooks.py": "names the hidden .git",
    "backend/.env": "names the hidden .env",
    "backend/.github/x.py": "names the hidden .github",
    "backend/.hidden.py": "names the hidden .hidden.py",
    "backend/...py": "names the hidden ...py",
    "C:\\backend\\main.py": "holds the character :",
    "C:/backend/main.py": "holds the character :",
    "backend\\main.py": "holds a backslash",
    "backend/a\\..\\..\\b.py": "holds a backslash",
    "backend/a\x00.py": "holds the character U+0000",
    "backend/a\x1b.py": "holds the character U+001B",
    "backend/a\x7f.py": "holds the character U+007F",
    "backend/a b.py": "holds the character U+0020",
    "backend/a\u202ey.py": "holds the character U+202E",
    "backend/a\u200b.py": "holds the character U+200B",
    "backend/a\ud800.py": "holds the character U+D800",
    "backend/GIT~1/a.py": "holds the character ~",
    "backend/a?.py": "holds the character ?",
    "backend/a`.py": "holds the character `",
    "backend/a.txt": "does not end with .py",
    "backend/a.PY": "does not end with .py",
    "backend/a.pyc": "does not end with .py",
    "backend/x./a.py": 'has the part "x.", which ends with a dot',
    "backend/con.py": "has the part con.py, which Windows reserves",
    "backend/NUL/a.py": "has the part NUL, which Windows reserves",
    "backend/lpt1.foo.py": "which Windows reserves",
    "backend/a.py/b.py": "has the folder a.py, which is named like a file",
    "backend/venv/a.py": "lies in venv/, which is never checked",
    "backend/x/Build/a.py": "lies in Build/, which is never checked",
    f"backend/{'x' * 253}.py": "has a part longer than 255 bytes",
    f"backend/{'é' * 127}.py": "has a part longer than 255 bytes",
    f"backend/{'x/' * 600}a.py": "is longer than 1024 bytes",
}


@pytest.mark.parametrize("path", GOOD)
def test_may_be_named(path: str) -> None:
    assert path_problem(path) == ""
    assert parse(f"{path}\n```python\nx\n```\n").findings == ()


@pytest.mark.parametrize(("path", "problem"), BAD.items(), ids=map(ascii, range(len(BAD))))
def test_may_not_be_named(path: str, problem: str) -> None:
    assert problem in path_problem(path)


@pytest.mark.parametrize("path", [path for path in BAD if "/" in path or "\\" in path], ids=ascii)
def test_a_file_with_such_a_path_is_a_finding_and_not_used(path: str) -> None:
    parsed = parse(f"{path}\n```python\nx = 1\n```\n\nbackend/good.py\n```python\ny = 2\n```\n")
    assert [file.path for file in parsed.files] == ["backend/good.py"]
    codes = [finding.code for finding in parsed.findings]
    # Blanks may make a line prose; then the code has no path.
    assert codes == ["BP102"] or codes[-1] == "BP103"
    assert parsed.findings[0].line == 1
    assert all(finding.message.isprintable() for finding in parsed.findings)


@pytest.mark.parametrize("folder", sorted(source._SKIPPED_FOLDERS))
def test_no_file_may_lie_where_the_checks_do_not_look(folder: str) -> None:
    assert path_problem(f"backend/{folder}/a.py")


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.text())
def test_what_is_shown_fits_one_printable_line(text: str) -> None:
    assert shown(text).isprintable()
    assert len(shown(text, width=20)) <= 20 * 6
