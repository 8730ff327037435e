"""Syntax: every file that Python could not import is reported, all of them at once."""

from pathlib import Path

import pytest

from tests.validators.trees import lay_out, places, project_of
from validators import syntax
from validators.source import load_project


def test_a_backend_without_mistakes_has_no_finding(tmp_path: Path) -> None:
    assert syntax.check(project_of(tmp_path, {"main.py": "app = 1\n"})) == []


def test_all_broken_files_are_reported_at_once(tmp_path: Path) -> None:
    files = {"a.py": "def f(:\n", "b.py": "x = 1\n", "c.py": "x = 1\n\nx = (\n"}
    assert places(syntax.check(project_of(tmp_path, files))) == [
        ("BP201", "a.py", 1),
        ("BP201", "c.py", 3),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "def f():\n    return await g()\n",
        "x = 1\nreturn x\n",
        "def f(a, a):\n    pass\n",
        "x = 1\nbreak\n",
        "x = 1\nfrom __future__ import annotations\n",
        "def f():\n    nonlocal x\n",
        "class A:\n    yield 1\n",
    ],
)
def test_what_only_the_compiler_refuses_is_reported(text: str, tmp_path: Path) -> None:
    (finding,) = syntax.check(project_of(tmp_path, {"main.py": text}))
    assert (finding.code, finding.path) == ("BP201", "main.py")
    assert finding.line in (1, 2)


@pytest.mark.parametrize(
    "text", ["type Number = int\n", "def first[T](items: list[T]) -> T: ...\n", "class A[T]: ...\n"]
)
def test_grammar_newer_than_python_3_11_is_reported(text: str, tmp_path: Path) -> None:
    assert places(syntax.check(project_of(tmp_path, {"main.py": text}))) == [
        ("BP201", "main.py", 1)
    ]


def test_a_warning_of_the_compiler_is_no_finding(tmp_path: Path) -> None:
    text = "x = '\\d'\nassert (1, 'always')\nif x is 'a':\n    pass\n"
    assert syntax.check(project_of(tmp_path, {"main.py": text})) == []


def test_a_file_that_cannot_be_read_is_reported(tmp_path: Path) -> None:
    lay_out(tmp_path, {"main.py": "x = 1\n"})
    (tmp_path / "latin.py").write_bytes(b"a\nb\nname = '\xe9'\n")
    (tmp_path / "nul.py").write_bytes(b"x = 1\nx = '\0'\n")
    (tmp_path / "deep.py").write_text("x = " + "-" * 5000 + "1\n")
    assert places(syntax.check(load_project(tmp_path))) == [
        ("BP201", "nul.py", 2),
        ("BP202", "deep.py", None),
        ("BP202", "latin.py", 3),
    ]


def test_messages_are_sentences(tmp_path: Path) -> None:
    findings = syntax.check(project_of(tmp_path, {"a.py": "def f(:\n", "b.py": "x = '\0'"}))
    assert all(finding.message.endswith(".") and finding.fix.endswith(".") for finding in findings)
