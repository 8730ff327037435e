"""`backendpro check`: verifies an existing backend."""

import contextlib
import os
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import validators
from agent.errors import InputError
from agent.given import Values, read_given
from agent.terminal import Terminal
from validators.renderers import Format, render
from validators.report import Report
from validators.text import reader_of, text_lines

PASSED = 0
FOUND_ERRORS = 1
NOTHING_TO_CERTIFY = 2


@dataclass(frozen=True)
class Results:
    """What is to be made of a report.

    Attributes:
        form: How it is written.
        certificate: Where to write the table of all queries; None for nowhere.
        reproduction: Where to write a test that shows what the probes found; None for nowhere.
    """

    form: Format = "text"
    certificate: Path | None = None
    reproduction: Path | None = None


def check(
    folder: Path,
    options: Values,
    python: Path | None,
    results: Results,
    *,
    is_static: bool,
    fuzz_seconds: float = 0.0,
    requires_sandbox: bool = False,
) -> int:
    """Check a backend and print the report; return the exit code.

    Args:
        folder: The backend.
        options: Settings from the command line.
        python: Interpreter that starts the app; None for our own.
        results: What to make of the report.
        is_static: Whether to leave the app alone.
        fuzz_seconds: How long to send random requests as well.
        requires_sandbox: Whether an incomplete sandbox is an error.

    Raises:
        agent.errors.InputError: The folder cannot be checked.
    """
    check_options = ready(
        folder, options, python, is_static=is_static, fuzz_seconds=fuzz_seconds,
        requires_sandbox=requires_sandbox,
    )  # fmt: skip
    with contextlib.closing(Terminal()) as terminal:
        if check_options.python is not None and python is None:
            terminal.say(f"Starts the app with {check_options.python}.", "quiet")
        report = validators.check(folder, check_options, terminal)
        if results.form == "text":
            terminal.show(text_lines(report, reader_of(folder), terminal.width))
        else:
            terminal.write(render(report, results.form, folder))
        file = results.certificate
        is_written = file is None or _certify(report, file, terminal)
        if results.reproduction is not None:
            _reproduce(report, results.reproduction, terminal)
    if report.verdict == "pass":
        return PASSED if is_written else NOTHING_TO_CERTIFY
    return FOUND_ERRORS


def ready(
    folder: Path,
    options: Values,
    python: Path | None,
    *,
    is_static: bool,
    fuzz_seconds: float,
    requires_sandbox: bool,
) -> validators.CheckOptions:
    """Return how to check, once it is sure that there is something to check.

    Raises:
        agent.errors.InputError: The folder cannot be checked, or not in this way.
    """
    require_backend(folder)
    _require_interpreter(python)
    # As it is named and not as it is linked: a link in an environment is what makes it one.
    python = python.absolute() if python is not None else None
    if python is None and not is_static:
        python = _find_interpreter(folder)
    if is_static and fuzz_seconds:
        raise InputError("--static and --fuzz exclude each other.")
    if is_static and requires_sandbox:
        raise InputError("--static and --require-sandbox exclude each other.")
    check_options = _check_options(folder, options, python, is_static=is_static)
    return replace(check_options, fuzz_seconds=fuzz_seconds, requires_sandbox=requires_sandbox)


def watch(
    folder: Path, options: Values, python: Path | None, *, is_static: bool, requires_sandbox: bool
) -> int:
    """Check a backend whenever one of its files changes, until Ctrl-C."""
    from agent.commands import watch as command  # noqa: PLC0415  # seldom asked for

    check_options = ready(
        folder, options, python, is_static=is_static, fuzz_seconds=0.0,
        requires_sandbox=requires_sandbox,
    )  # fmt: skip
    named = {"--app": options.get("app"), "--user-id": options.get("user_id"), "--python": python}
    arguments = [part for name, value in named.items() if value for part in (name, str(value))]
    arguments += ["--require-sandbox"] if requires_sandbox else []
    return command.watch(folder, check_options, arguments)


def _certify(report: Report, file: Path, terminal: Terminal) -> bool:
    """Write the certificate; tell whether there was something to certify."""
    from validators.certificate import certificate, nothing_to_certify  # noqa: PLC0415

    reason = nothing_to_certify(report)
    if reason is not None:
        terminal.fail(reason, f"{file} is not written.")
        return False
    _write(file, certificate(report))
    return True


def _reproduce(report: Report, file: Path, terminal: Terminal) -> None:
    """Write the test that shows the findings of the probes, where there are any."""
    from validators.reproduction import reproduction  # noqa: PLC0415

    text = reproduction(report.findings, file.name)
    if text is None:
        terminal.say(f"No finding of the probes is to be shown again; {file} is not written.")
        return
    _write(file, text)
    terminal.say(f"{file} shows the findings of the probes: `python -m pytest {file}`.")


def _write(file: Path, text: str) -> None:
    beside = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        beside.write_text(text, encoding="utf-8", newline="\n")
        beside.replace(file)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise InputError(f"{file} cannot be written: {error.strerror}.") from error


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


def _find_interpreter(folder: Path) -> Path | None:
    """Return the interpreter of the backend's own environment, where there is one that can serve.

    It lies beside the code, or beside the folder that holds it.
    """
    here = folder.absolute()
    for place in (here, here.parent):
        found = place / ".venv" / "bin" / "python"
        is_ours = Path(sys.prefix) == place / ".venv"
        if not is_ours and os.access(found, os.X_OK) and _has_frameworks(place / ".venv"):
            return found
    return None


def _has_frameworks(environment: Path) -> bool:
    packages = [each.name for each in environment.glob("lib/python3.*/site-packages/*")]
    return "fastapi" in packages and "sqlalchemy" in packages


def _require_interpreter(python: Path | None) -> None:
    if python is not None and not (python.is_file() and os.access(python, os.X_OK)):
        raise InputError(f"{python} is not an interpreter that can be run.")
