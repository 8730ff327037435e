"""How a backend is run: the command, and the environment variables that it reads."""

import ast
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from validators.location import AppLocation, find_app
from validators.source import Project, load_project

_VARIABLE = re.compile(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)+")


@dataclass(frozen=True, slots=True)
class Running:
    """How to run a backend.

    Attributes:
        folder: Where to run it.
        command: The command line.
        variables: Environment variables that the code reads, in the order of the alphabet.
    """

    folder: Path
    command: str
    variables: tuple[str, ...]


def how_to_run(backend: Path, app: str | None = None) -> Running | None:
    """Return how to run a backend, or None where no app is found.

    Args:
        backend: The backend's folder.
        app: The app as `module:attribute`; None to find it.
    """
    project = load_project(backend)
    location = find_app(project, app)
    if location is None:
        return None
    return Running(backend / location.import_root, _command(location), _variables(project))


def _command(location: AppLocation) -> str:
    options = ["--factory"] if location.is_factory else []
    return shlex.join(["uvicorn", *options, f"{location.module}:{location.attribute}", "--reload"])


def _variables(project: Project) -> tuple[str, ...]:
    found: set[str] = set()
    for module in project.modules.values():
        if module.tree is not None:
            found |= {name for node in ast.walk(module.tree) for name in _read_by(node)}
    return tuple(sorted(found))


def _read_by(node: ast.AST) -> Iterator[str]:
    """Yield the variable that `os.getenv("X")`, `environ["X"]` or a helper of the like reads."""
    match node:
        case (
            ast.Call(args=[ast.Constant(value=str(name)), *_])
            | ast.Subscript(
                value=ast.Attribute(attr="environ") | ast.Name(id="environ"),
                slice=ast.Constant(value=str(name)),
            )
        ):
            if _VARIABLE.fullmatch(name):
                yield name
        case _:
            return
