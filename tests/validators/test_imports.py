"""Imports: whatever Python would fail to import is reported, and nothing else is."""

import sys
import venv
from pathlib import Path

import pytest

from tests.validators.trees import Files, located, places, project_of
from validators import imports
from validators.imports.advice import nearest
from validators.location import find_app
from validators.report import Finding

APP = "from fastapi import FastAPI\n\napp = FastAPI()\n"


def findings_of(folder: Path, files: Files, python: Path | None = None) -> list[Finding]:
    """Return what the check of imports finds in an app's files; main.py is added where needed."""
    project = project_of(folder, {"main.py": APP} | files)
    return imports.check(located(project), find_app(project), python)


def errors_of(folder: Path, text: str, files: Files | None = None) -> list[tuple[str, int | None]]:
    """Return code and line of each finding in main.py, which holds this text after the app."""
    findings = findings_of(folder, {"main.py": text + "\n" + APP} | (files or {}))
    return [(finding.code, finding.line) for finding in findings if finding.path == "main.py"]


@pytest.mark.parametrize(
    "line",
    [
        # the standard library: loaded, not loaded, compiled, packages, special modules
        "import os, sys, json, time, math",
        "import os.path",
        "from os.path import join",
        "from os import path, environ",
        "from datetime import UTC, datetime, timezone",
        "from collections.abc import AsyncIterator, Sequence",
        "from concurrent.futures import ThreadPoolExecutor",
        "from xml.etree import ElementTree",
        "import xml.etree.ElementTree as ET",
        "from math import sqrt",
        "from time import monotonic",
        "from zoneinfo import ZoneInfo",
        "from __future__ import annotations",
        "from sqlite3 import connect, Row",
        "from asyncio import sleep, TaskGroup, to_thread",
        "from socket import AF_INET",
        "from typing import Annotated, Any, TypeVar",
        "from string import *",
        "from email import message_from_string",
        "from importlib.metadata import version",
        # installed packages: re-exports, star imports, lazy attributes, compiled modules
        "from fastapi import APIRouter, BackgroundTasks, Depends, FastAPI, Request, status",
        "from fastapi.middleware.cors import CORSMiddleware",
        "from fastapi.responses import JSONResponse, StreamingResponse",
        "from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer",
        "from fastapi.security.api_key import APIKeyHeader",
        "from fastapi.testclient import TestClient",
        "from starlette.status import HTTP_404_NOT_FOUND, HTTP_422_UNPROCESSABLE_ENTITY",
        "from sqlmodel import Field, Relationship, Session, SQLModel, col, create_engine, select",
        "from sqlmodel import Column, JSON, DateTime, String, UniqueConstraint, func, or_, text",
        "from sqlmodel.ext.asyncio.session import AsyncSession",
        "from sqlalchemy import Integer, delete, event, func, inspect, update",
        "from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, selectinload",
        "from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine",
        "from sqlalchemy.exc import IntegrityError, NoResultFound, SQLAlchemyError",
        "from sqlalchemy.dialects.postgresql import JSONB, UUID, insert",
        "from sqlalchemy.engine import Engine",
        "from sqlalchemy.pool import NullPool, StaticPool",
        "from pydantic import BaseModel, ConfigDict, EmailStr, Field, field_validator",
        "from pydantic import BeforeValidator, SecretStr, TypeAdapter, computed_field, MISSING",
        "from pydantic.alias_generators import to_camel",
        "from pydantic_settings import BaseSettings, SettingsConfigDict",
        "from pydantic_core import PydanticCustomError",
        "import jwt",
        "from jwt import InvalidTokenError, PyJWKClient, decode",
        "from jwt.exceptions import ExpiredSignatureError",
        "from dotenv import find_dotenv, load_dotenv",
        "import httpx, uvicorn, psycopg, email_validator, multipart",
        "from psycopg import sql",
        "from psycopg.rows import dict_row",
        "from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey",
        "from cryptography.hazmat.primitives import serialization",
        "from typing_extensions import TypedDict, override",
        "from anyio import to_thread",
        "from anthropic import AsyncAnthropic",
        # the modules' own attributes
        "from fastapi import __version__, __file__, __path__",
    ],
)
def test_what_is_there_is_no_finding(line: str, tmp_path: Path) -> None:
    assert errors_of(tmp_path, line) == []


@pytest.mark.parametrize(
    ("line", "code", "words"),
    [
        ("import jose", "BP203", "`jose` is neither a module of the backend nor an installed"),
        ("import fastpi", "BP203", "Did you mean `fastapi`?"),
        ("import jsn", "BP203", "Did you mean `json`?"),
        ("from sqlalchemy.ext.asyncoi import x", "BP203", "Did you mean `sqlalchemy.ext.asyncio`?"),
        ("import os.pth", "BP203", "`os` is installed, but has no module `pth`."),
        ("from fastapi import Dependss", "BP204", "Did you mean `Depends`?"),
        ("from fastapi.security import HTTPBearr", "BP204", "Did you mean `HTTPBearer`?"),
        ("from sqlmodel import Sesion", "BP204", "Did you mean `Session`?"),
        ("from pydantic import BaseModle", "BP204", "Did you mean `BaseModel`?"),
        ("from pydantic import BaseSettings", "BP204", "has no `BaseSettings`"),
        ("from datetime import utcnow", "BP204", "`datetime` has no `utcnow`"),
        ("from math import squareroot", "BP204", "`math` has no `squareroot`"),
        ("from collections import Mapping", "BP204", "`collections` has no `Mapping`"),
        ("from starlette.status import HTTP_499_NO", "BP204", "has no `HTTP_499_NO`"),
        ("from psycopg import squeal", "BP204", "`psycopg` has no `squeal`"),
        ("from cryptography import fernets", "BP204", "Did you mean `fernet`?"),
    ],
)
def test_what_is_not_there_is_named_with_the_nearest_that_is(
    line: str, code: str, words: str, tmp_path: Path
) -> None:
    (finding,) = findings_of(tmp_path, {"main.py": f"{APP}\n{line}\n"})
    assert (finding.code, finding.path, finding.line) == (code, "main.py", 5)
    assert words in finding.message
    assert finding.severity == "error"


@pytest.mark.parametrize("name", ["agent", "validators", "prompts", "tests", "fixtures"])
def test_our_own_packages_do_not_exist_for_a_backend(name: str, tmp_path: Path) -> None:
    assert errors_of(tmp_path, f"import {name}") == [("BP203", 1)]


def test_a_backend_may_have_packages_of_those_names(tmp_path: Path) -> None:
    files = {"agent/__init__.py": "", "agent/tools.py": "x = 1", "prompts/a.py": ""}
    assert errors_of(tmp_path, "from agent.tools import x\nimport prompts.a", files) == []


def test_a_package_that_is_not_installed_is_named_as_one_installs_it(tmp_path: Path) -> None:
    (finding,) = findings_of(tmp_path, {"main.py": "from jose import JWTError, jwt\n" + APP})
    assert finding.fix == (
        "Add python-jose[cryptography] to the backend's requirements and install it; "
        "or use `jwt` (PyJWT), which is installed."
    )


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("requirements.txt", "fastapi\npython-jose[cryptography]==3.5.0\n"),
        ("pyproject.toml", '[project]\ndependencies = ["python_jose>=3"]\n'),
    ],
)
def test_a_package_that_the_requirements_name_must_only_be_installed(
    name: str, text: str, tmp_path: Path
) -> None:
    files = {"main.py": "import jose\n" + APP, name: text}
    (finding,) = findings_of(tmp_path, files)
    assert finding.fix.startswith("Install python-jose[cryptography], which the backend's")


@pytest.mark.parametrize(
    ("line", "files"),
    [
        ("import models", {"models.py": ""}),
        ("from models import Task", {"models.py": "class Task: pass"}),
        ("from routes import tasks", {"routes/__init__.py": "", "routes/tasks.py": ""}),
        ("from routes import tasks", {"routes/tasks.py": ""}),
        ("import routes.tasks", {"routes/tasks.py": ""}),
        ("from models import *", {"models.py": ""}),
        ("from models import Task", {"models.py": "from base import *", "base.py": "Task = 1"}),
        (
            "from models import Task",
            {"models/__init__.py": "from .task import *", "models/task.py": "class Task: pass"},
        ),
        ("from models import a, b", {"models.py": "a = b = 1"}),
        ("from models import a, b, c", {"models.py": "(a, [b, *c]) = f()"}),
        ("from models import x", {"models.py": "if C:\n    x = 1\nelse:\n    y = 2"}),
        (
            "from models import x",
            {"models.py": "try:\n    import x\nexcept ImportError:\n    x = 0"},
        ),
        (
            "from models import x, y",
            {"models.py": "for x in ():\n    with f() as y:\n        pass"},
        ),
        ("from models import x", {"models.py": "x: int = 1"}),
        ("from models import x", {"models.py": "if (x := 1):\n    pass"}),
        ("from models import x", {"models.py": "def f():\n    global x\n    x = 1"}),
        ("from models import x", {"models.py": "match f():\n    case [x, *y]:\n        pass"}),
        ("from models import datetime", {"models.py": "from datetime import datetime"}),
        ("from models import o", {"models.py": "import os as o"}),
        ("from models import os", {"models.py": "import os.path"}),
        ("from models import Any", {"models.py": "from typing import *"}),
        ("from models import __doc__, __file__", {"models.py": ""}),
        ("from models import x", {"models.py": "if TYPE_CHECKING:\n    y = 1\nelse:\n    x = 1"}),
    ],
)
def test_a_name_of_the_backend_is_found_however_it_is_bound(
    line: str, files: Files, tmp_path: Path
) -> None:
    assert errors_of(tmp_path, line, files) == []


@pytest.mark.parametrize(
    ("line", "files", "code", "words"),
    [
        ("import modles", {"models.py": ""}, "BP203", "Did you mean `models`?"),
        ("import routes.task", {"routes/tasks.py": ""}, "BP203", "Did you mean `routes.tasks`?"),
        ("from models import Taks", {"models.py": "Task = 1"}, "BP204", "Did you mean `Task`?"),
        ("from models import x", {"models.py": "x: int"}, "BP204", "`models` has no `x`"),
        (
            "from models import x",
            {"models.py": "if TYPE_CHECKING:\n    from a import x", "a.py": "x = 1"},
            "BP204",
            "`models` has no `x`",
        ),
        (
            "from models import _x",
            {"models.py": "from base import *", "base.py": "_x = 1"},
            "BP204",
            "`models` has no `_x`",
        ),
        (
            "from models import y",
            {"models.py": "from base import *", "base.py": "__all__ = ['x']\nx = y = 1"},
            "BP204",
            "`models` has no `y`",
        ),
        ("from routes import x", {"routes/tasks.py": ""}, "BP204", "`routes` has no `x`"),
        ("from models.task import x", {"models.py": ""}, "BP203", "no module `models.task`"),
    ],
)
def test_what_the_backend_does_not_have_is_reported(
    line: str, files: Files, code: str, words: str, tmp_path: Path
) -> None:
    found = findings_of(tmp_path, {"main.py": f"{line}\n{APP}"} | files)
    own = [finding for finding in found if finding.path == "main.py"]
    assert [(finding.code, finding.line) for finding in own] == [(code, 1)]
    assert words in own[0].message


def test_each_missing_name_has_the_line_on_which_it_stands(tmp_path: Path) -> None:
    text = "from models import (\n    Task,\n    Tag,\n    User,\n)"
    assert errors_of(tmp_path, text, {"models.py": "Task = 1"}) == [("BP204", 3), ("BP204", 4)]


def test_a_missing_module_is_one_finding_however_many_names_it_should_give(tmp_path: Path) -> None:
    assert errors_of(tmp_path, "from nowhere import a, b, c") == [("BP203", 1)]


def test_names_of_a_file_that_does_not_parse_are_not_missed(tmp_path: Path) -> None:
    assert errors_of(tmp_path, "from models import Task", {"models.py": "def f(:"}) == []


def test_a_name_that_shows_only_at_run_time_is_a_warning(tmp_path: Path) -> None:
    files = {"main.py": "from models import Task\n" + APP, "models.py": "globals()['Task'] = 1"}
    (finding,) = findings_of(tmp_path, files)
    assert (finding.code, finding.severity, finding.line) == ("BP204", "warning", 1)


@pytest.mark.parametrize(
    "text",
    [
        "try:\n    import ujson\nexcept ImportError:\n    import json as ujson",
        "try:\n    import ujson\nexcept (ValueError, ModuleNotFoundError):\n    ujson = None",
        "try:\n    from jose import jwt\nexcept Exception:\n    jwt = None",
        "try:\n    import models\nexcept ImportError:\n    import backend.models as models",
        "try:\n    from backend.models import x\nexcept ImportError:\n    from models import x",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from models import x",
    ],
)
def test_an_import_that_may_fail_is_no_finding(text: str, tmp_path: Path) -> None:
    assert errors_of(tmp_path, text, {"models.py": "x = 1"}) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # The handler itself fails.
        ("try:\n    import ujson\nexcept ImportError:\n    import nojson", [("BP203", 4)]),
        # Nothing catches an import's failure.
        ("try:\n    import ujson\nexcept ValueError:\n    pass", [("BP203", 2)]),
        # In a function, the request fails instead of the start.
        ("def f() -> None:\n    import ujson", [("BP203", 2)]),
    ],
)
def test_an_import_that_nothing_catches_is_a_finding(
    text: str, expected: list[tuple[str, int]], tmp_path: Path
) -> None:
    assert errors_of(tmp_path, text) == expected


def test_a_router_that_can_never_be_imported_is_a_warning_although_its_failure_is_caught(
    tmp_path: Path,
) -> None:
    text = "try:\n    from routes import tags\nexcept ImportError:\n    tags = None\n"
    files = {"main.py": text + APP, "routes/tasks.py": ""}
    (finding,) = findings_of(tmp_path, files)
    assert (finding.code, finding.severity, finding.line) == ("BP204", "warning", 2)


def test_an_import_for_type_checkers_alone_is_a_warning(tmp_path: Path) -> None:
    text = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import ujson\n"
    (finding,) = findings_of(tmp_path, {"main.py": text + APP})
    assert (finding.severity, finding.line) == ("warning", 3)


def test_a_file_that_the_app_never_reaches_gives_warnings(tmp_path: Path) -> None:
    files = {"unused.py": "import ujson\nfrom jwt import nothing\n"}
    findings = findings_of(tmp_path, files)
    assert places(findings) == [("BP203", "unused.py", 1), ("BP204", "unused.py", 2)]
    assert {finding.severity for finding in findings} == {"warning"}


def test_a_file_that_the_app_reaches_late_gives_errors(tmp_path: Path) -> None:
    files = {
        "main.py": APP + "def f() -> None:\n    import late\n",
        "late.py": "import ujson\n",
    }
    (finding,) = findings_of(tmp_path, files)
    assert finding.severity == "error"


@pytest.mark.parametrize(
    "line", ["importlib.import_module('late')", "importlib.import_module(name)"]
)
def test_a_file_that_is_imported_by_its_name_as_text_gives_errors(
    line: str, tmp_path: Path
) -> None:
    files = {"main.py": f"import importlib\nname = 'x'\n{line}\n{APP}", "late.py": "import ujson"}
    (finding,) = findings_of(tmp_path, files)
    assert (finding.path, finding.severity) == ("late.py", "error")


@pytest.mark.parametrize("path", ["tests/test_api.py", "alembic/env.py", "scripts/seed.py"])
def test_files_that_run_in_other_surroundings_are_passed_over(path: str, tmp_path: Path) -> None:
    assert findings_of(tmp_path, {path: "import something_else\n"}) == []


def test_a_second_app_in_the_tree_imports_from_its_own_folder(tmp_path: Path) -> None:
    files = {
        "models.py": "Task = 1",
        "admin/main.py": "from models import Admin\nimport db\n" + APP,
        "admin/models.py": "Admin = 1",
        "admin/db.py": "",
    }
    assert findings_of(tmp_path, files) == []


def test_a_relative_import_without_a_package_is_reported(tmp_path: Path) -> None:
    files = {"main.py": "from models import x\n" + APP, "models.py": "from .base import x\n"}
    found = findings_of(tmp_path, files | {"base.py": "x = 1"})
    assert places(found) == [("BP206", "models.py", 1)]


def test_relative_imports_inside_a_package_are_fine(tmp_path: Path) -> None:
    files = {
        "main.py": "from app.routes import tasks\n" + APP,
        "app/routes/tasks.py": "from ..models import x\nfrom . import tags\nfrom .. import models",
        "app/routes/tags.py": "",
        "app/models.py": "x = 1",
    }
    assert findings_of(tmp_path, files) == []


def test_a_module_that_hides_a_framework_is_reported_at_its_first_line(tmp_path: Path) -> None:
    assert places(findings_of(tmp_path, {"pydantic.py": "", "typing.py": ""})) == [
        ("BP207", "pydantic.py", 1),
        ("BP207", "typing.py", 1),
    ]


def test_a_module_in_a_package_hides_nothing(tmp_path: Path) -> None:
    files = {"main.py": "from utils import jwt\n" + APP, "utils/jwt.py": "import jwt\njwt.decode"}
    assert findings_of(tmp_path, files) == []


def test_a_module_that_hides_the_package_it_needs_is_reported_where_it_is_needed(
    tmp_path: Path,
) -> None:
    files = {
        "main.py": "import jwt\njwt.verify('x')\n" + APP,
        "jwt.py": "from jwt import decode\n\n\ndef verify(x: str) -> None:\n    decode(x)\n",
    }
    (finding,) = findings_of(tmp_path, files)
    assert (finding.code, finding.path, finding.line) == ("BP207", "jwt.py", 1)
    assert "installed" in finding.message


def test_a_module_behind_a_package_of_its_name_is_reported(tmp_path: Path) -> None:
    files = {"models.py": "Task = 1", "models/__init__.py": "Task = 2"}
    (finding,) = findings_of(tmp_path, files)
    assert (finding.code, finding.path, finding.severity) == ("BP208", "models.py", "warning")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("import jwt\njwt.decoed('x')", "`jwt` has no `decoed`. Did you mean `decode`?"),
        ("import models\nmodels.Taks()", "Did you mean `Task`?"),
        ("from routes import tasks\ntasks.ruoter", "Did you mean `router`?"),
        ("import datetime as dt\ndt.utcnow()", "`dt` has no `utcnow`."),
    ],
)
def test_a_name_that_a_whole_imported_module_lacks_is_reported_where_it_is_used(
    text: str, words: str, tmp_path: Path
) -> None:
    files = {"models.py": "Task = 1", "routes/tasks.py": "router = 1"}
    (finding,) = findings_of(tmp_path, {"main.py": f"{text}\n{APP}"} | files)
    assert (finding.code, finding.line) == ("BP204", 2)
    assert words in finding.message


@pytest.mark.parametrize(
    "text",
    [
        "import jwt\njwt.decode('x')\njwt.exceptions.DecodeError\njwt.__version__",
        "import sqlalchemy\nsqlalchemy.orm.Session",
        "import xml.etree\nxml.etree.ElementTree",
        "import os\nif hasattr(os, 'startfile'):\n    os.startfile('x')",
        "import os\ntry:\n    os.startfile('x')\nexcept AttributeError:\n    pass",
        "import jwt\n\n\ndef f(jwt: str) -> None:\n    jwt.whatever()",
        "import jwt\njwt.extra = 1\njwt.extra",
        "from models import Task\nTask.whatever",
    ],
)
def test_a_name_that_may_well_be_there_is_no_finding(text: str, tmp_path: Path) -> None:
    assert errors_of(tmp_path, text, {"models.py": "class Task: pass"}) == []


def test_another_interpreter_decides_what_is_installed(tmp_path: Path) -> None:
    environment = tmp_path / "env"
    venv.create(environment, with_pip=False, symlinks=True)
    site = next(environment.glob("lib/python*/site-packages"))
    (site / "jose").mkdir()
    (site / "jose" / "__init__.py").write_text("def encode(): ...\n")
    files = {
        "main.py": "from jose import encode, decode\nfrom math import sqrt, cube\nimport jwt\n"
    }
    backend = tmp_path / "backend"
    project = project_of(backend, files)
    found = imports.check(project, None, environment / "bin" / "python")
    assert sorted((finding.line, finding.message.split(".")[0]) for finding in found) == [
        (1, "`jose` has no `decode`"),
        (2, "`math` has no `cube`"),
        (3, "`jwt` is neither a module of the backend nor an installed package"),
    ]


@pytest.mark.parametrize("python", ["/nowhere/python", "/bin/true"])
def test_an_interpreter_that_does_not_answer_is_an_error_and_no_pass(
    python: str, tmp_path: Path
) -> None:
    (finding,) = findings_of(tmp_path, {}, Path(python))
    assert finding.severity == "error"
    assert finding.message.startswith("No import could be checked")


def test_nothing_of_the_frameworks_is_imported_into_this_process(tmp_path: Path) -> None:
    before = set(sys.modules)
    findings_of(tmp_path, {"main.py": "import antigravity, this, turtle, idlelib\n" + APP})
    new = {name.partition(".")[0] for name in set(sys.modules) - before}
    assert not new & {"fastapi", "sqlmodel", "sqlalchemy", "antigravity", "this", "turtle"}


@pytest.mark.parametrize(
    ("name", "known", "expected"),
    [
        ("Taks", ["Task", "User"], "Task"),
        ("TASK", ["Task"], "Task"),
        ("xyz", ["Task"], None),
        ("Task", ["Task"], None),
    ],
)
def test_the_nearest_name(name: str, known: list[str], expected: str | None) -> None:
    assert nearest(name, known) == expected
