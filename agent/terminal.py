"""What people see: progress on standard error, results on standard output."""

import io
import sys
from collections.abc import Collection, Iterable
from pathlib import Path

from agent.events import (
    Asked,
    Checked,
    Event,
    FileArrived,
    Noted,
    Replied,
    SentBack,
)
from agent.models.base import Finished
from agent.screen import screen_for, write
from validators import StageFinished, StageStarted
from validators.text import Line, Piece, Style, counted, printable


class Terminal:
    """Shows the events of a command and its results; it decides nothing.

    Args:
        existing: Paths, as in a reply, of the files that the backend has already.
    """

    def __init__(self, existing: Collection[str] = ()) -> None:
        self._results = screen_for(sys.stdout)
        self._progress = screen_for(sys.stderr)
        self._existing = existing

    def __call__(self, event: Event) -> None:
        """Show an event."""
        match event:
            case Asked(turn, model):
                again = "" if turn == 1 else f" again (turn {turn})"
                self._progress.wait(f"asking {model}{again}")
            case Noted(text):
                self.say(f"  {printable(text)}")
            case FileArrived(file):
                sign: Piece = ("~", "warning") if file.path in self._existing else ("+", "good")
                lines = counted(len(file.code.splitlines()), "line")
                self._aside(_row(sign, file.path.partition("/")[2], lines))
            case StageStarted(stage):
                self._progress.wait(stage)
            case StageFinished(stage, seconds, findings):
                sign = ("✗", "error") if findings else ("✓", "good")
                found = f"  {counted(findings, 'finding')}" if findings else ""
                self._aside(_row(sign, stage, f"{seconds:.2f} s{found}"))
            case SentBack(turn, findings):
                found = counted(len(findings), "finding")
                self.say(f"  {found} to send back (round {turn})", "warning")
            case Replied(_, _, finished):
                self._show_usage(finished)
            case Checked():
                self._progress.stop_waiting()

    @property
    def width(self) -> int:
        """Columns at which sentences among the results are to be broken; 0 for nowhere."""
        return self._results.width

    def say(self, text: str, style: Style = "plain") -> None:
        """Tell something beside the results."""
        self._aside(((text, style),))

    def fail(self, message: str, hint: str = "") -> None:
        """Tell what keeps the command from its work, and what to do next."""
        self._aside((("error: ", "error"), (printable(message), "plain")))
        if hint:
            self.say(printable(hint))

    def show(self, lines: Iterable[Line]) -> None:
        """Show lines as results."""
        self._progress.stop_waiting()
        for line in lines:
            self._results.show(line)

    def show_aside(self, lines: Iterable[Line]) -> None:
        """Show lines where standard output holds something else."""
        for line in lines:
            self._aside(line)

    def write(self, text: str) -> None:
        """Write a result exactly as it is, as UTF-8 whatever the locale."""
        self._progress.stop_waiting()
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")
        write(sys.stdout, text)

    def close(self) -> None:
        """Take the last sign of waiting away."""
        self._progress.stop_waiting()

    def _show_usage(self, finished: Finished | None) -> None:
        self._progress.stop_waiting()
        # Only a model that charges for tokens counts them.
        if finished is not None and finished.output_tokens:
            cached = f", {finished.cached_tokens:,} cached" if finished.cached_tokens else ""
            usage = f"{finished.input_tokens:,} tokens in{cached}, {finished.output_tokens:,} out"
            self.say(f"  {usage}", "quiet")

    def _aside(self, line: Line) -> None:
        self._progress.stop_waiting()
        self._progress.show(line)


def near(path: Path) -> Path:
    """Return a path as seen from the current folder where it lies below it."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


def _row(sign: Piece, name: str, detail: str) -> Line:
    return ("  ", "plain"), sign, (f" {printable(name):<32} ", "plain"), (detail, "quiet")
