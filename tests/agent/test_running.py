"""How a backend is run."""

from pathlib import Path

import pytest

from agent.running import how_to_run

APP = "from fastapi import FastAPI\n\napp = FastAPI()\n"
FACTORY = "from fastapi import FastAPI\n\n\ndef create_app():\n    return FastAPI()\n"


def write(folder: Path, files: dict[str, str]) -> Path:
    for path, code in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(code)
    return folder


@pytest.mark.parametrize(
    ("files", "folder", "command"),
    [
        ({"main.py": APP}, ".", "uvicorn main:app --reload"),
        ({"main.py": FACTORY}, ".", "uvicorn --factory main:create_app --reload"),
        (
            {"app/__init__.py": "", "app/main.py": APP + "from app import db\n", "app/db.py": ""},
            ".",
            "uvicorn app.main:app --reload",
        ),
    ],
    ids=["flat", "factory", "package"],
)
def test_the_command_fits_the_layout(
    tmp_path: Path, files: dict[str, str], folder: str, command: str
) -> None:
    running = how_to_run(write(tmp_path, files))
    assert running is not None
    assert (running.folder, running.command) == (tmp_path / folder, command)


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
