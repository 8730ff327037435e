"""How a backend is run: the command, and the environment variables that it reads."""

import ast
import re
import shlex
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from validators.location import AppLocation, find_app
from validators.source import Project, load_project

_VARIABLE = re.compile(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)+")
# Lines of a .env file, in the order in which they are shown.
_EXAMPLES = {
    "DATABASE_URL": "DATABASE_URL=postgresql://user:password@localhost:5432/database",
    "BETTER_AUTH_URL": "BETTER_AUTH_URL=http://localhost:3000  # where Better Auth runs",
    "BETTER_AUTH_SECRET": "BETTER_AUTH_SECRET=  # the one of Better Auth, 32 characters or more",
    "AUTH_SECRET": "AUTH_SECRET=  # 32 random characters or more, known to nobody else",
    "TOKEN_SECONDS": "TOKEN_SECONDS=3600  # how long a token is valid",
    "CORS_ORIGINS": "CORS_ORIGINS=http://localhost:3000  # where the frontend runs",
}
_URL, _SECRET = "BETTER_AUTH_URL", "BETTER_AUTH_SECRET"
# Where the code reads both, as generated code does, the URL wins.
_EITHER = {
    _URL: f"# Tokens of Better Auth's jwt plugin (EdDSA):\n{_EXAMPLES[_URL]}",
    _SECRET: f"# Or, without that URL, tokens signed with a shared secret (HS256):\n"
    f"# {_EXAMPLES[_SECRET]}",
}


@dataclass(frozen=True, slots=True)
class Running:
    """How to run a backend.

    Attributes:
        folder: The folder that the app is imported from.
        options: What uvicorn is told: the app, and how to call it.
        variables: Environment variables that the code reads, in the order of the alphabet.
    """

    folder: Path
    options: tuple[str, ...]
    variables: tuple[str, ...]

    def command(self, folder: Path) -> str:
        """Return the command line.

        Args:
            folder: The app's folder as seen from where the command is run.
        """
        place = () if folder == Path() else ("--app-dir", str(folder))
        return f"{program('uvicorn')} {shlex.join([*place, *self.options])}"

    def environment(self) -> Iterator[str]:
        """Yield the variables as lines of a .env file, with examples."""
        examples = dict(_EXAMPLES)
        if {_URL, _SECRET} <= set(self.variables):
            examples |= _EITHER
        for name, lines in examples.items():
            if name in self.variables:
                yield from lines.splitlines()
        yield from (f"{name}=" for name in self.variables if name not in examples)


def program(name: str) -> str:
    """Return what to type for a program that is installed beside our interpreter.

    Args:
        name: The program, such as `uvicorn`.

    Returns:
        Its name where the shell finds this very program by it, else its path from here.
    """
    path = Path(sys.executable).with_name(name)
    found = shutil.which(name)
    if not path.exists() or (found is not None and Path(found) == path):
        return name
    here = Path.cwd()
    return shlex.quote(str(path.relative_to(here) if path.is_relative_to(here) else path))


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
    return Running(backend / location.import_root, _options(location), _variables(project))


def _options(location: AppLocation) -> tuple[str, ...]:
    app = f"{location.module}:{location.attribute}"
    return ("--factory", app) if location.is_factory else (app,)


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
