"""The Python that the backend runs on: where it finds modules, and what it says when asked."""

import json
import os
import sys
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

# Our own rooms and their folder. A backend must not find them, however we are installed.
_OWN_FOLDER = Path(__file__).resolve().parents[2]
OWN_ROOMS = frozenset({"agent", "benchmarks", "fixtures", "prompts", "tests", "validators"})
_SITE_FOLDERS = frozenset({"site-packages", "dist-packages"})
_SECONDS = 60.0

_DESCRIBE = """
import json, sys
json.dump({"paths": sys.path, "builtins": sys.builtin_module_names,
           "standard": sorted(sys.stdlib_module_names)}, sys.stdout)
"""

# Runs in the child. What an imported package prints must not mix with the answers.
_ASK = """
import importlib, json, os, sys, warnings
warnings.simplefilter("ignore")
answers = os.fdopen(os.dup(1), "w")
os.dup2(os.open(os.devnull, os.O_WRONLY), 1)

def has(module, name):
    try:
        found = importlib.import_module(module)
    except ModuleNotFoundError as error:
        return not (error.name and (module + ".").startswith(error.name + "."))
    if name is None:
        return True
    try:
        getattr(found, name)
        return True
    except Exception:
        pass
    try:
        importlib.import_module(module + "." + name)
        return True
    except ImportError:
        return False

for module, name in json.load(sys.stdin):
    try:
        answer = has(module, name)
    except BaseException as error:
        answer = type(error).__name__
    print(json.dumps(answer), file=answers, flush=True)
os._exit(0)
"""

Question = tuple[str, str | None]


class InterpreterError(Exception):
    """The interpreter does not start, or does not answer like Python 3.11 or later."""


@dataclass(frozen=True)
class Interpreter:
    """One Python, seen from outside.

    Attributes:
        executable: Its path.
        paths: Folders in which it looks for modules, in its order, without the backend's own.
        builtins: Modules compiled into it.
        standard: Top-level names of its standard library.
        is_ours: Whether this process runs on it.
    """

    executable: Path
    paths: tuple[Path, ...]
    builtins: frozenset[str]
    standard: frozenset[str]
    is_ours: bool

    def ask(self, questions: Sequence[Question]) -> list[bool | None]:
        """Let a child process import installed modules and look for names in them.

        Args:
            questions: A module's dotted name, and a name in it or None for the module itself.
                Only modules of the standard library and of installed packages may be asked
                for; the backend's own code does not run here.

        Returns:
            For each question whether it exists; None where the child could not tell.
        """
        lines: list[str] = []
        with suppress(InterpreterError):
            lines = _run(self.executable, _ASK, json.dumps(questions)).splitlines()
        answers = [json.loads(line) for line in lines]
        told = [answer if isinstance(answer, bool) else None for answer in answers]
        return told + [None] * (len(questions) - len(told))


@lru_cache
def describe(python: Path | None) -> Interpreter:
    """Return what there is to know about an interpreter without importing anything in it.

    Args:
        python: Its path, or None for the one that runs this process.

    Raises:
        InterpreterError: It does not start.
    """
    if python is None:
        return Interpreter(
            executable=Path(sys.executable),
            paths=_usable(_own_paths()),
            builtins=frozenset(sys.builtin_module_names),
            standard=frozenset(sys.stdlib_module_names),
            is_ours=True,
        )
    try:
        facts = json.loads(_run(python, _DESCRIBE, ""))
        return Interpreter(
            executable=python,
            paths=_usable(facts["paths"]),
            builtins=frozenset(facts["builtins"]),
            standard=frozenset(facts["standard"]),
            is_ours=False,
        )
    except (ValueError, KeyError, TypeError) as error:
        raise InterpreterError(f"{python} does not answer like Python 3.11 or later") from error


def is_own_room(folder: Path, name: str) -> bool:
    """Tell whether a top-level module is one of this tool's own, which no backend may use."""
    return name in OWN_ROOMS and folder.resolve() == _OWN_FOLDER


def _own_paths() -> Iterable[str]:
    # What the environment or the way of starting put on the path is not there for a backend.
    started_from = {"", str(Path.cwd()), str(Path(sys.argv[0] or ".").parent.resolve())}
    given = set(os.environ.get("PYTHONPATH", "").split(os.pathsep))
    return [path for path in sys.path if path not in started_from | given]


def _usable(paths: Iterable[str]) -> tuple[Path, ...]:
    folders = [Path(path) for path in dict.fromkeys(paths)]
    return tuple(
        folder
        for folder in folders
        if folder.is_dir() and (folder.name in _SITE_FOLDERS or folder.resolve() != _OWN_FOLDER)
    )


def _run(python: Path, code: str, text: str) -> str:
    # Imported here because most checks start no other process.
    import subprocess  # noqa: PLC0415
    import tempfile  # noqa: PLC0415

    with tempfile.TemporaryDirectory(prefix="backendpro-") as folder:
        environment = {"PATH": os.defpath, "HOME": folder, "LC_ALL": "C.UTF-8"}
        try:
            done = subprocess.run(  # isolated: neither the current folder nor variables count
                [str(python), "-I", "-B", "-c", code],
                input=text,
                capture_output=True,
                text=True,
                encoding="utf-8",
                errors="replace",
                cwd=folder,
                env=environment,
                timeout=_SECONDS,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise InterpreterError(f"{python} does not start: {error}") from error
    return done.stdout
