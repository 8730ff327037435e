"""`backendpro check`: verifies an existing backend."""

import contextlib
import os
from dataclasses import replace
from pathlib import Path

import validators
from agent.errors import InputError
from agent.given import Values, read_given
from agent.terminal import Terminal
from validators.renderers import Format, render
from validators.text import reader_of, text_lines

PASSED = 0
FOUND_ERRORS = 1


def check(
    folder: Path,
    options: Values,
    python: Path | None,
    form: Format,
    *,
    is_static: bool,
    fuzz_seconds: float = 0.0,
) -> int:
    """Check a backend and print the report; return the exit code.

    Args:
        folder: The backend.
        options: Settings from the command line.
        python: Interpreter that starts the app; None for our own.
        form: How to write the report.
        is_static: Whether to leave the app alone.
        fuzz_seconds: How long to send random requests as well.

    Raises:
        agent.errors.InputError: The folder cannot be checked.
    """
    require_backend(folder)
    _require_interpreter(python)
    if is_static and fuzz_seconds:
        raise InputError("--static and --fuzz exclude each other.")
    check_options = _check_options(folder, options, python, is_static=is_static)
    check_options = replace(check_options, fuzz_seconds=fuzz_seconds)
    with contextlib.closing(Terminal()) as terminal:
        report = validators.check(folder, check_options, terminal)
        if form == "text":
            terminal.show(text_lines(report, reader_of(folder), terminal.width))
        else:
            terminal.write(render(report, form, folder))
    return PASSED if report.verdict == "pass" else FOUND_ERRORS


def _check_options(
    folder: Path, options: Values, python: Path | None, *, is_static: bool
) -> validators.CheckOptions:
    given = read_given(folder, options)
    if not given:
        return validators.CheckOptions(python=python, is_static=is_static)
    # Imported here because to load Pydantic takes longer than a static check.
    from agent.settings import settings_of  # noqa: PLC0415

    return settings_of(given).check_options(python, is_static=is_static)


def require_backend(folder: Path) -> None:
    """Make sure that there is something to check.

    Raises:
        agent.errors.InputError: The folder is missing, a file, unreadable, or without Python.
    """
    if not folder.exists():
        raise InputError(f"{folder} does not exist.")
    if not folder.is_dir():
        raise InputError(f"{folder} is a file; a backend is a folder.")
    if not os.access(folder, os.R_OK | os.X_OK):
        raise InputError(f"{folder} cannot be read.")
    if next(folder.rglob("*.py"), None) is None:
        raise InputError(f"{folder} holds no Python file, so there is nothing to check.")


def _require_interpreter(python: Path | None) -> None:
    if python is not None and not (python.is_file() and os.access(python, os.X_OK)):
        raise InputError(f"{python} is not an interpreter that can be run.")
