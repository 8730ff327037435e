"""`backendpro check --watch`: checks again whenever a file changes, until Ctrl-C."""

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import IO, Self

from agent.given import DEBUG_VARIABLE
from agent.terminal import Terminal, near
from validators import CheckOptions, check
from validators.report import Report
from validators.text import counted, printable, reader_of, text_lines

# How long a look at the files lasts before the running check is looked at, in milliseconds.
_LOOK = 100
# Changes that come together count as one, in milliseconds.
_TOGETHER = 150
# Seconds that a cancelled check has to leave nothing behind.
_GRACE = 15.0
_CLEAR = "\x1b[H\x1b[2J\x1b[3J"


def watch(folder: Path, options: CheckOptions, arguments: list[str]) -> int:
    """Check a backend again and again; ends with Ctrl-C alone.

    The static verdicts are shown at once. The app is started by another process, which ends where
    another change comes first.

    Args:
        folder: The backend.
        options: How to check.
        arguments: The command line of a check with these options, without the folder.
    """
    # Imported here because nothing else needs it.
    from watchfiles import PythonFilter  # noqa: PLC0415
    from watchfiles import watch as changes  # noqa: PLC0415

    with contextlib.closing(Terminal()) as terminal, _Worlds(folder, arguments) as worlds:
        is_checked = False
        # It watches from here on, so that a change while something is checked is not lost.
        for seen in changes(
            folder,
            watch_filter=PythonFilter(extra_extensions=(".toml", ".env")),
            debounce=_TOGETHER,
            step=50,
            rust_timeout=_LOOK,
            yield_on_timeout=True,
        ):
            if seen or not is_checked:
                paths = {Path(path) for _, path in seen}
                worlds.cancel()
                _round(folder, options, terminal, worlds, paths)
                is_checked = True
            else:
                _show_worlds(terminal, worlds)
    return 0


def _round(
    folder: Path, options: CheckOptions, terminal: Terminal, worlds: "_Worlds", paths: set[Path]
) -> None:
    """Show the static verdicts, and start the rest where it makes sense."""
    _clear(terminal)
    if paths:
        names = ", ".join(printable(str(near(path))) for path in sorted(paths)[:3])
        more = f" and {counted(len(paths) - 3, 'other')}" if len(paths) > 3 else ""  # noqa: PLR2004  # as above
        terminal.say(f"Changed: {names}{more}", "quiet")
    report = check(folder, _statically(options))
    terminal.show(text_lines(report, reader_of(folder), terminal.width))
    if not options.is_static and _can_start(report):
        terminal.say("Starting the app; its results follow.", "quiet")
        worlds.start()
    else:
        terminal.say("Waiting for changes. Ctrl-C ends.", "quiet")


def _show_worlds(terminal: Terminal, worlds: "_Worlds") -> None:
    text = worlds.result()
    if text is not None:
        _clear(terminal)
        terminal.write(text)
        terminal.say("Waiting for changes. Ctrl-C ends.", "quiet")


def _statically(options: CheckOptions) -> CheckOptions:
    return replace(options, is_static=True, fuzz_seconds=0.0)


def _can_start(report: Report) -> bool:
    return not any(finding.code.startswith("BP2") for finding in report.findings)


def _clear(terminal: Terminal) -> None:
    if sys.stdout.isatty():
        terminal.write(_CLEAR)


class _Worlds:
    """The check that starts the app, in a process of its own that can be cancelled."""

    def __init__(self, folder: Path, arguments: list[str]) -> None:
        self._command = [
            sys.executable, "-c", "from agent.cli import main; main()", "check", str(folder),
            *arguments,
        ]  # fmt: skip
        self._process: subprocess.Popen[bytes] | None = None
        self._output: IO[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.cancel()

    def start(self) -> None:
        """Start a check from the beginning."""
        self.cancel()
        self._output = tempfile.TemporaryFile()  # noqa: SIM115  # closed by `cancel`
        # A process that is just being started is not known yet, so that nothing could end it.
        with _signals_held_back():
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=self._output,
                stderr=subprocess.STDOUT if _is_debugging() else subprocess.DEVNULL,
                env=dict(_environment()),
                # Ctrl-C reaches this process alone, which ends the other one.
                start_new_session=True,
            )

    def result(self) -> str | None:
        """Return what a finished check printed, once; None while there is none."""
        if self._process is None or self._output is None or self._process.poll() is None:
            return None
        code = self._process.returncode
        self._output.seek(0)
        text = self._output.read().decode("utf-8", "replace")
        self._process = None
        self.cancel()
        return text or f"The check ended with exit code {code} and said nothing.\n"

    def cancel(self) -> None:
        """End the running check, and wait until it has cleaned up."""
        process = self._process
        if process is not None and process.poll() is None:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(_GRACE)
            except subprocess.TimeoutExpired:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        self._process = None
        if self._output is not None:
            self._output.close()
            self._output = None


@contextlib.contextmanager
def _signals_held_back() -> Iterator[None]:
    """Let Ctrl-C, and a request to end, wait until the end of this."""
    names = (signal.SIGINT, signal.SIGTERM)
    waiting: list[int] = []
    before = [signal.signal(name, lambda number, _: waiting.append(number)) for name in names]
    try:
        yield
    finally:
        for name, handler in zip(names, before, strict=True):
            signal.signal(name, handler)
        if waiting:
            signal.raise_signal(waiting[0])


def _is_debugging() -> bool:
    return bool(os.environ.get(DEBUG_VARIABLE))


def _environment() -> Iterator[tuple[str, str]]:
    """Yield the environment of the other process, which writes as for this terminal."""
    yield from os.environ.items()
    if sys.stdout.isatty():
        size = os.get_terminal_size(sys.stdout.fileno())
        yield from (("FORCE_COLOR", "1"), ("COLUMNS", str(size.columns)))
