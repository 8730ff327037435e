"""How a backend is run."""

import sys
from io import StringIO
from pathlib import Path

import pytest
from dotenv import dotenv_values

from agent.running import Running, how_to_run, program

APP = "from fastapi import FastAPI\n\napp = FastAPI()\n"
FACTORY = "from fastapi import FastAPI\n\n\ndef create_app():\n    return FastAPI()\n"


def write(folder: Path, files: dict[str, str]) -> Path:
    for path, code in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(code)
    return folder


@pytest.mark.parametrize(
    ("files", "options"),
    [
        ({"main.py": APP}, ("main:app",)),
        ({"main.py": FACTORY}, ("--factory", "main:create_app")),
        (
            {"app/__init__.py": "", "app/main.py": APP + "from app import db\n", "app/db.py": ""},
            ("app.main:app",),
        ),
    ],
    ids=["flat", "factory", "package"],
)
def test_the_command_fits_the_layout(
    tmp_path: Path, files: dict[str, str], options: tuple[str, ...]
) -> None:
    running = how_to_run(write(tmp_path, files))
    assert running is not None
    assert (running.folder, running.options) == (tmp_path, options)


def test_the_command_runs_from_any_folder() -> None:
    running = Running(Path(), ("main:app",), ())
    assert running.command(Path()) == f"{program('uvicorn')} main:app"
    there = running.command(Path("my app/backend"))
    assert there == f"{program('uvicorn')} --app-dir 'my app/backend' main:app"


def test_a_program_is_named_so_that_the_shell_finds_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs = Path(sys.executable).parent
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.chdir(programs.parent)
    assert program("uvicorn") == f"{programs.name}/uvicorn"
    monkeypatch.chdir(tmp_path)
    assert program("uvicorn") == str(programs / "uvicorn")
    monkeypatch.setenv("PATH", str(programs))
    assert program("uvicorn") == "uvicorn"


def test_of_two_ways_to_verify_tokens_the_one_that_wins_is_set() -> None:
    running = Running(Path(), (), ("BETTER_AUTH_SECRET", "BETTER_AUTH_URL", "SMTP_HOST"))
    values = dotenv_values(stream=StringIO("\n".join(running.environment())))
    assert values == {"BETTER_AUTH_URL": "http://localhost:3000", "SMTP_HOST": ""}


def test_a_secret_that_is_the_only_way_is_asked_for() -> None:
    running = Running(Path(), (), ("BETTER_AUTH_SECRET",))
    values = dotenv_values(stream=StringIO("\n".join(running.environment())))
    assert values == {"BETTER_AUTH_SECRET": ""}


def test_without_an_app_there_is_nothing_to_run(tmp_path: Path) -> None:
    assert how_to_run(write(tmp_path, {"tool.py": "x = 1\n"})) is None


def test_the_variables_that_the_code_reads_are_named(tmp_path: Path) -> None:
    settings = (
        "import os\nfrom os import environ\n\n"
        'A = os.getenv("DATABASE_URL")\n'
        'B = os.environ["BETTER_AUTH_SECRET"]\n'
        'C = environ.get("CORS_ORIGINS", "")\n'
        'D = read_variable("BETTER_AUTH_URL")\n'
        'E = {"NOT_READ": 1}["NOT_READ"]\n'
        'F = print("Hello")\n'
    )
    running = how_to_run(write(tmp_path, {"main.py": APP, "settings.py": settings}))
    assert running is not None
    assert running.variables == (
        "BETTER_AUTH_SECRET",
        "BETTER_AUTH_URL",
        "CORS_ORIGINS",
        "DATABASE_URL",
    )
