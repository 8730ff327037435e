"""The backend's source is read completely or not at all, and never hangs or crashes the reader."""

import ast
import os
import socket
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.validators.trees import lay_out, project_of
from validators.source import (
    MAX_BYTES,
    MAX_DEPTH,
    is_auxiliary,
    load_project,
    parse_module,
)


def test_every_python_file_is_loaded_in_order(tmp_path: Path) -> None:
    project = project_of(tmp_path, {"main.py": "", "routes/tasks.py": "", "a.txt": "", "b.py": ""})
    assert list(project.modules) == ["b.py", "main.py", "routes/tasks.py"]


@pytest.mark.parametrize(
    "folder", [".git", "__pycache__", "venv", "node_modules", "dist", "lib/site-packages"]
)
def test_what_is_no_source_is_left_out(folder: str, tmp_path: Path) -> None:
    project = project_of(tmp_path, {"main.py": "", f"{folder}/x.py": "1 +"})
    assert list(project.modules) == ["main.py"]


def test_a_virtual_environment_of_any_name_is_left_out(tmp_path: Path) -> None:
    files = {"main.py": "", "py311/pyvenv.cfg": "", "py311/lib/x.py": ""}
    assert list(project_of(tmp_path, files).modules) == ["main.py"]


def test_a_syntax_error_keeps_its_place(tmp_path: Path) -> None:
    module = project_of(tmp_path, {"main.py": "import os\ndef f(:\n"}).modules["main.py"]
    assert module.tree is None
    assert module.problem is not None
    assert (module.problem.line, module.problem.column) == (2, 7)
    assert module.problem.is_syntax


def test_grammar_newer_than_python_3_11_is_refused() -> None:
    problem = parse_module("main.py", "type Number = int\n").problem
    assert problem is not None
    assert problem.is_syntax


def test_a_file_that_is_not_utf8_says_where(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_bytes(b"x = 1\nname = '\xe9'\n")
    problem = load_project(tmp_path).modules["main.py"].problem
    assert problem is not None
    assert (problem.message, problem.line) == ("the file is not UTF-8 text", 2)


def test_a_byte_order_mark_is_no_problem(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_bytes(b"\xef\xbb\xbfx = 1\n")
    assert load_project(tmp_path).modules["main.py"].tree is not None


def test_a_nul_character_is_a_problem_at_its_line() -> None:
    problem = parse_module("main.py", "x = 1\ny = '\0'\n").problem
    assert problem is not None
    assert "null" in problem.message
    assert problem.line == 2


@pytest.mark.parametrize(
    "text",
    [
        "x = " + "(" * 500 + ")" * 500,
        "x = " + "-" * 5000 + "1",
        "x = " + "a." * 3000 + "b",
        "x = " + " + ".join(["1"] * 3000),
        "if a:\n  x = 1\n" + "elif b:\n  x = 2\n" * 3000,
        "x = " + "[" * 150 + "]" * 150 + "." * 0,
        "x = " + "lambda: " * 3000 + "1",
    ],
    ids=["parentheses", "signs", "attributes", "sum", "elif", "lists", "lambdas"],
)
def test_deep_nesting_never_gets_to_those_who_walk_the_tree(text: str) -> None:
    module = parse_module("main.py", text)
    assert module.problem is not None or module.index.depth <= MAX_DEPTH


def test_ordinary_nesting_is_no_problem() -> None:
    text = "x = " + "[" * 50 + "]" * 50 + "\n" + "y = " + " + ".join(["1"] * 100)
    assert parse_module("main.py", text).problem is None


def test_a_huge_file_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text("x=1;" * (5 * MAX_BYTES // 4))
    problem = load_project(tmp_path).modules["main.py"].problem
    assert problem is not None
    assert "larger than" in problem.message


def test_pipes_and_sockets_with_a_python_name_are_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.py")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "socket.py"))
        modules = load_project(tmp_path).modules
    for path in ("pipe.py", "socket.py"):
        problem = modules[path].problem
        assert problem is not None
        assert "not a regular file" in problem.message


def test_symbolic_links_in_a_circle_are_a_problem_and_not_a_hang(tmp_path: Path) -> None:
    (tmp_path / "loop.py").symlink_to(tmp_path / "loop.py")
    (tmp_path / "around").symlink_to(tmp_path)
    modules = load_project(tmp_path).modules
    assert list(modules) == ["loop.py"]
    assert modules["loop.py"].problem is not None


def test_a_link_inside_the_backend_is_read_and_one_that_leads_out_is_not(tmp_path: Path) -> None:
    backend = lay_out(tmp_path / "backend", {"main.py": "x = 1"})
    (tmp_path / "secret.py").write_text("KEY = 1")
    (backend / "inside.py").symlink_to(backend / "main.py")
    (backend / "outside.py").symlink_to(tmp_path / "secret.py")
    modules = load_project(backend).modules
    assert modules["inside.py"].tree is not None
    assert modules["outside.py"].text == ""
    assert modules["outside.py"].problem is not None


def test_a_file_that_goes_away_or_may_not_be_read_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "gone.py").symlink_to(tmp_path / "nowhere.py")
    problem = load_project(tmp_path).modules["gone.py"].problem
    assert problem is not None
    assert problem.message.startswith("the file cannot be read")


def test_a_file_name_that_is_no_text_can_be_reported(tmp_path: Path) -> None:
    path = os.fsencode(tmp_path) + b"/caf\xe9.py"
    with open(path, "w", encoding="utf-8") as file:  # noqa: PTH123  # a name in bytes
        file.write("1 +")
    (found,) = load_project(tmp_path).modules
    assert found == "caf\\xe9.py"
    assert found.encode("utf-8")


def test_the_index_holds_every_node_once_in_the_order_of_the_source() -> None:
    module = parse_module("main.py", "a = f(1)\nb = g(h(2))\n")
    calls = [ast.unparse(node) for node in module.index.of(ast.Call)]
    assert calls == ["f(1)", "g(h(2))", "h(2)"]


def test_the_index_knows_the_nodes_around_a_node() -> None:
    module = parse_module("main.py", "def f():\n    return g(1)\n")
    (call,) = module.index.of(ast.Call)
    kinds = [type(node) for node in module.index.ancestors(call)]
    assert kinds == [ast.Return, ast.FunctionDef, ast.Module]


def test_names_are_qualified_through_their_imports() -> None:
    text = (
        "import datetime\nimport datetime as d\nimport a.b\nfrom datetime import datetime as dt\n"
        "from . import models\nfrom .db import engine\n"
        "datetime.datetime.now\nd.date\na.b.c\ndt.now\nmodels.Task\nengine.x\nown.x\nf().x\n"
    )
    module = parse_module("app/main.py", text)
    assert module.tree is not None
    expressions = [node.value for node in module.tree.body if isinstance(node, ast.Expr)]
    assert [module.qualified(node) for node in expressions] == [
        "datetime.datetime.now",
        "datetime.date",
        "a.b.c",
        "datetime.datetime.now",
        ".models.Task",
        ".db.engine.x",
        "own.x",
        "",
    ]


def test_a_module_beside_its_importer_does_not_hide_an_installed_one(tmp_path: Path) -> None:
    files = {"main.py": "", "utils/__init__.py": "", "utils/jwt.py": "import jwt"}
    project = project_of(tmp_path, files)
    assert project.resolve("jwt", project.modules["utils/jwt.py"]) is None
    assert project.resolve("utils.jwt", project.modules["main.py"]) is not None


def test_relative_names_are_found_from_the_importers_package(tmp_path: Path) -> None:
    files = {"app/__init__.py": "", "app/db.py": "", "app/routes/tasks.py": ""}
    project = project_of(tmp_path, files)
    importer = project.modules["app/routes/tasks.py"]
    assert project.resolve("db", importer, level=2) is project.modules["app/db.py"]
    assert project.resolve("", importer, level=2) is project.modules["app/__init__.py"]
    assert project.resolve("db", importer, level=1) is None
    assert project.resolve("db", importer, level=9) is None


def test_a_module_that_changes_the_path_adds_the_folders_around_it(tmp_path: Path) -> None:
    text = "import sys\nsys.path.append('..')\n"
    project = project_of(tmp_path, {"app/main.py": text, "app/db.py": "", "shared.py": ""})
    importer = project.modules["app/main.py"]
    assert project.resolve("db", importer) is not None
    assert project.resolve("shared", importer) is not None


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("tests/helpers.py", True),
        ("alembic/env.py", True),
        ("scripts/seed.py", True),
        ("conftest.py", True),
        ("test_main.py", True),
        ("routes/tasks.py", False),
        ("testing.py", False),
    ],
)
def test_tests_migrations_and_scripts_are_told_from_the_app(path: str, expected: bool) -> None:  # noqa: FBT001
    assert is_auxiliary(path) is expected


@given(st.text())
def test_any_text_is_parsed_or_has_a_problem(text: str) -> None:
    module = parse_module("main.py", text)
    assert (module.tree is None) is (module.problem is not None)
