"""Whatever the source, the static checks end with findings and never with an exception."""

import asyncio
import email
import importlib
import json
import logging
import sqlite3
import sys
import xml
from dataclasses import asdict, replace
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.validators.trees import lay_out
from validators import conventions, imports, layout, syntax
from validators.location import find_app
from validators.report import Finding
from validators.source import Project, load_project, parse_module

SOUND = Path(__file__).parents[2] / "fixtures" / "backends" / "sound"
APP = "from fastapi import FastAPI\n\napp = FastAPI()\n"
PROJECT = load_project(SOUND)


def findings_of(project: Project) -> list[Finding]:
    """Return what the checks of this half of the static check find."""
    location = find_app(project)
    if location is not None:
        project = replace(project, import_root=location.import_root)
    return [
        *syntax.check(project),
        *imports.check(project, location),
        *layout.check(project, location),
        *conventions.check(project),
    ]


def assert_reportable(project: Project) -> None:
    """Check that there are findings only for places that exist, and that JSON takes them."""
    for finding in findings_of(project):
        assert json.dumps(asdict(finding), ensure_ascii=False).encode()
        if finding.line is not None:
            module = project.modules[finding.path]
            assert 1 <= finding.line <= len(module.lines)


@pytest.mark.parametrize(
    "package",
    [asyncio, email, importlib, json, logging, sqlite3, xml],
    ids=lambda package: package.__name__,
)
def test_packages_of_the_standard_library_are_checked_to_the_end(package: object) -> None:
    file = getattr(package, "__file__", None)
    assert file is not None
    assert_reportable(load_project(Path(file).parent))


def test_the_strangest_files_of_the_standard_library_are_checked_to_the_end(
    tmp_path: Path,
) -> None:
    library = Path(json.__file__).parent.parent
    strange = ["typing.py", "enum.py", "dataclasses.py", "os.py", "inspect.py", "this.py"]
    for name in strange:
        lay_out(tmp_path, {name: (library / name).read_text(encoding="utf-8")})
    assert_reportable(load_project(tmp_path))


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_cut_and_mangled_sources_are_checked_to_the_end(data: st.DataObject) -> None:
    modules = dict(PROJECT.modules)
    for path in data.draw(st.lists(st.sampled_from(sorted(modules)), min_size=1, max_size=4)):
        text = modules[path].text
        start = data.draw(st.integers(0, len(text)))
        end = data.draw(st.integers(start, min(len(text), start + 200)))
        middle = data.draw(st.one_of(st.just(""), st.text(max_size=10)))
        keeps_rest = data.draw(st.booleans())
        modules[path] = parse_module(path, text[:start] + middle + text[end:] * keeps_rest)
    assert_reportable(Project(PROJECT.root, modules))


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            [
                "from . import *",
                "from .. import x",
                "from ....a import b",
                "import main",
                "from main import *",
                "from main import main",
                "import routes.routes.routes",
                "from routes import tasks, nothing",
                "import os.path.join",
                "from __future__ import braces",
                "import importlib; importlib.import_module('\\ud800')",
                "import importlib; importlib.import_module('')",
                "import importlib; importlib.import_module('..')",
                "__import__()",
                "try:\n    import a\nexcept* ImportError:\n    import b",
                "class A(A): pass",
                "class A(B): pass\nclass B(A): pass",
                "X = X\nasync def f(s: X): s()",
                "def f(x: 'int | '): x.dict()",
                "def f(x: '" + "list[" * 50 + "'): x.dict()",
                "SECRET_KEY = '\\ud800abcd'",
                "from models import *\nfrom models import Task as Task",
                "from datetime import *\nx = datetime.utcnow()",
                "app.add_middleware(*a, **b)",
                "import jwt as jwt, jwt as other; jwt.x = jwt.y",
                "__all__ = ['x'] + other; __all__ += ['y']",
                "lambda: (yield)",
                "match x:\n    case {'a': 1, **rest}: pass\n    case [*_]: pass",
            ]
        ),
        max_size=6,
    )
)
def test_odd_statements_in_any_order_are_checked_to_the_end(lines: list[str]) -> None:
    text = "\n".join([APP, *lines]) + "\n"
    modules = {
        "main.py": parse_module("main.py", text),
        "routes/tasks.py": parse_module("routes/tasks.py", "from main import app\n" + text),
        "models.py": parse_module("models.py", "from main import *\n" + text),
    }
    assert_reportable(Project(Path("/nowhere"), modules))


def test_a_backend_of_a_thousand_files_is_checked_in_linear_time(tmp_path: Path) -> None:
    def work(count: int) -> int:
        router = "from fastapi import APIRouter\nfrom models import Task\nrouter = APIRouter()\n"
        modules = {f"routes/r{n}.py": router for n in range(count)} | {"models.py": "Task = 1\n"}
        names = ", ".join(f"r{n}" for n in range(count))
        modules["main.py"] = f"from routes import {names}\n" + APP
        project = Project(
            tmp_path, {path: parse_module(path, text) for path, text in sorted(modules.items())}
        )
        calls = 0

        def count_calls(frame: object, event: str, argument: object) -> None:
            nonlocal calls
            del frame, argument
            calls += event == "call"

        sys.setprofile(count_calls)
        try:
            findings_of(project)
        finally:
            sys.setprofile(None)
        return calls

    small, large = work(50), work(500)
    assert large < 15 * small


def test_the_root_of_a_project_may_be_any_folder() -> None:
    module = parse_module("a/b/main.py", APP)
    project = Project(Path("/nowhere"), {module.path: module}, PurePosixPath("elsewhere"))
    assert_reportable(project)
