"""What people see: progress on standard error, results on standard output."""

import codecs
import os
import sys
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import IO, TYPE_CHECKING, TextIO

from rich.console import Console
from rich.text import Text
from rich.theme import Theme

from agent.events import (
    Asked,
    Checked,
    Event,
    FileArrived,
    Noted,
    Replied,
    SentBack,
)
from validators import StageFinished, StageStarted
from validators.text import Line, counted, printable

if TYPE_CHECKING:
    from rich.status import Status

_THEME = Theme(
    {
        "plain": "none",
        "error": "bold red",
        "warning": "yellow",
        "good": "green",
        "place": "bold",
        "caret": "bold red",
        "quiet": "dim",
    }
)
# For terminals and files that cannot show them.
_PLAIN_CHARACTERS = str.maketrans(
    {"✓": "+", "✗": "x", "→": ">", "│": "|", "…": "~", "·": "-", "—": "-"}
)
_WIDEST = 100
_ERROR_HANDLER = "backendpro-plain"


class Terminal:
    """Shows the events of a command and its results; it decides nothing.

    Args:
        existing: Paths, as in a reply, of the files that the backend has already.
    """

    def __init__(self, existing: Collection[str] = ()) -> None:
        for stream in (sys.stdout, sys.stderr):
            _make_safe(stream)
        self._out = _console(sys.stdout)
        self._err = _console(sys.stderr)
        self._status: Status | None = None
        self._existing = existing

    def __call__(self, event: Event) -> None:
        """Show an event."""
        match event:
            case Asked(turn, model):
                again = "" if turn == 1 else f" again (turn {turn})"
                self._wait(f"asking {model}{again}")
            case Noted(text):
                self._say(Text(f"  {printable(text)}"))
            case FileArrived(file):
                sign, style = ("~", "warning") if file.path in self._existing else ("+", "good")
                lines = counted(len(file.code.splitlines()), "line")
                self._say(_row((sign, style), file.path.partition("/")[2], lines))
            case StageStarted(stage):
                self._wait(stage)
            case StageFinished(stage, seconds, findings):
                self._show_stage(stage, seconds, findings)
            case SentBack(turn, findings):
                found = counted(len(findings), "finding")
                self._say(Text(f"  {found} to send back (round {turn})", "warning"))
            case Replied() | Checked():
                self._stop_waiting()

    @property
    def width(self) -> int:
        """Columns for sentences on standard output; 0 where they are not to be broken."""
        return min(self._out.width, _WIDEST) if self._out.is_terminal else 0

    def say(self, text: str, style: str = "plain") -> None:
        """Tell something beside the results, on standard error."""
        self._say(Text(text, style))

    def fail(self, message: str, hint: str = "") -> None:
        """Tell what keeps the command from its work, and what to do next."""
        self._say(Text.assemble(("error: ", "error"), printable(message)))
        if hint:
            self._say(Text(printable(hint)))

    def show(self, lines: Iterable[Line]) -> None:
        """Print styled lines as a result."""
        self._stop_waiting()
        self._print(self._out, lines)

    def show_aside(self, lines: Iterable[Line]) -> None:
        """Print styled lines on standard error, where standard output holds something else."""
        self._stop_waiting()
        self._print(self._err, lines)

    def write(self, text: str) -> None:
        """Write a result exactly as it is, UTF-8 whatever the locale."""
        self._stop_waiting()
        try:
            sys.stdout.flush()
            sys.stdout.buffer.write(text.encode("utf-8", "backslashreplace"))
            sys.stdout.flush()
        except BrokenPipeError:
            _discard(sys.stdout)

    def close(self) -> None:
        """Take the last spinner away and empty the buffers."""
        self._stop_waiting()
        try:
            sys.stdout.flush()
        except BrokenPipeError:
            _discard(sys.stdout)

    def _print(self, console: Console, lines: Iterable[Line]) -> None:
        for line in lines:
            console.print(Text.assemble(*line), soft_wrap=True)

    def _show_stage(self, stage: str, seconds: float, findings: int) -> None:
        sign = ("✗", "error") if findings else ("✓", "good")
        found = f"  {counted(findings, 'finding')}" if findings else ""
        self._say(_row(sign, stage, f"{seconds:.2f} s{found}"))

    def _say(self, text: Text) -> None:
        self._stop_waiting()
        self._err.print(text, soft_wrap=True)

    def _wait(self, what: str) -> None:
        self._stop_waiting()
        if self._err.is_terminal and not self._err.is_dumb_terminal:
            self._status = self._err.status(Text(what), spinner="dots")
            self._status.start()

    def _stop_waiting(self) -> None:
        if self._status is not None:
            self._status.stop()
            self._status = None


def near(path: Path) -> Path:
    """Return a path as seen from the current folder where it lies below it."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


def _row(sign: tuple[str, str], name: str, detail: str) -> Text:
    return Text.assemble("  ", sign, f" {printable(name):<32} ", (detail, "quiet"))


class _Console(Console):
    """A console that falls silent when nobody reads it any more, as in `| head`."""

    def on_broken_pipe(self) -> None:
        self.quiet = True
        _discard(self.file)


def _console(stream: TextIO) -> Console:
    return _Console(file=stream, theme=_THEME, highlight=False, markup=False, emoji=False)


def _discard(stream: IO[str]) -> None:
    """Send what a stream still holds, and all that follows, nowhere."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def _make_safe(stream: TextIO) -> None:
    """Let a stream replace what its encoding cannot hold, instead of failing."""
    codecs.register_error(_ERROR_HANDLER, _simplify)
    reconfigure = getattr(stream, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors=_ERROR_HANDLER)


def _simplify(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text = error.object[error.start : error.end].translate(_PLAIN_CHARACTERS)
    return text.encode("ascii", "backslashreplace").decode("ascii"), error.end
