"""The process that forks the children, and the interpreters that it may run on."""

import sys
from pathlib import Path

import pytest

from tests.validators.runtime.backends import booted, plain
from tests.validators.trees import lay_out
from validators.errors import CheckUnavailableError
from validators.location import find_app
from validators.runtime import Request, prepare
from validators.runtime.template import shared_template
from validators.source import load_project


def test_a_program_that_is_no_python_is_one_sentence(tmp_path: Path) -> None:
    false = Path("/bin/false")
    project = load_project(lay_out(tmp_path, plain()))
    location = find_app(project)
    assert location is not None
    with (
        prepare(project, location, false) as booting,
        pytest.raises(CheckUnavailableError) as error,
    ):
        booting.start()
    assert "/bin/false" in error.value.message


def test_a_program_that_is_missing_is_one_sentence() -> None:
    with pytest.raises(CheckUnavailableError, match="cannot be run"):
        shared_template(Path("/nowhere/python"))


def test_a_template_is_started_once() -> None:
    assert shared_template() is shared_template(Path(sys.executable))


def test_a_backends_own_module_comes_before_the_library_of_that_name(tmp_path: Path) -> None:
    route = '\n\n@app.get("/mine")\ndef mine() -> str:\n    return jwt.MINE\n'
    files = {**plain(before="import jwt", after=route), "jwt.py": 'MINE = "own"\n'}
    with booted(tmp_path, files) as (app, findings):
        assert app is not None, findings
        assert app.send(Request("GET", "/mine")).json() == "own"


def test_one_backend_leaves_no_trace_in_the_next(tmp_path: Path) -> None:
    code = "import json\njson.left_behind = True\nimport os\nos.environ['LEFT'] = 'x'"
    with booted(tmp_path / "a", plain(before=code)) as (app, findings):
        assert app is not None, findings
    look = "import json, os\nLEFT = hasattr(json, 'left_behind') or 'LEFT' in os.environ"
    route = '\n\n@app.get("/left")\ndef left() -> bool:\n    return LEFT\n'
    with booted(tmp_path / "b", plain(before=look, after=route)) as (app, findings):
        assert app is not None, findings
        assert app.send(Request("GET", "/left")).json() is False


def test_the_sandbox_has_all_its_layers_or_names_what_is_missing(tmp_path: Path) -> None:
    with booted(tmp_path, plain()) as (app, findings):
        assert app is not None
        named = {finding.message for finding in findings if finding.code == "BP513"}
        assert bool(named) == bool(app.missing_layers)
        assert all(layer in message for layer in app.missing_layers for message in named)
