"""What people see: progress on standard error, results on standard output."""

import io
import sys
from collections.abc import Iterable
from pathlib import Path

from agent.screen import Screen, screen_for, write
from validators import StageFinished, StageStarted
from validators.text import Line, Piece, Style, counted, printable


class Terminal:
    """Shows the stages of a check and the results of a command; it decides nothing.

    Attributes:
        progress: Where people see what is going on.
    """

    def __init__(self) -> None:
        self._results = screen_for(sys.stdout)
        self.progress: Screen = screen_for(sys.stderr)

    def __call__(self, event: StageStarted | StageFinished) -> None:
        """Show an event."""
        match event:
            case StageStarted(stage):
                self.progress.wait(stage)
            case StageFinished(stage, seconds, findings):
                sign: Piece = ("✗", "error") if findings else ("✓", "good")
                found = f"  {counted(findings, 'finding')}" if findings else ""
                self.show_row(sign, stage, f"{seconds:.2f} s{found}")

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
        self.progress.stop_waiting()
        for line in lines:
            self._results.show(line)

    def show_aside(self, lines: Iterable[Line]) -> None:
        """Show lines where standard output holds something else."""
        for line in lines:
            self._aside(line)

    def write(self, text: str) -> None:
        """Write a result exactly as it is, as UTF-8 whatever the locale."""
        self.progress.stop_waiting()
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")
        write(sys.stdout, text)

    def close(self) -> None:
        """Take the last sign of waiting away."""
        self.progress.stop_waiting()

    def show_row(self, sign: Piece, name: str, detail: str) -> None:
        """Show one step of what is going on."""
        self._aside(
            (("  ", "plain"), sign, (f" {printable(name):<32} ", "plain"), (detail, "quiet"))
        )

    def _aside(self, line: Line) -> None:
        self.progress.stop_waiting()
        self.progress.show(line)


def near(path: Path) -> Path:
    """Return a path as seen from the current folder where it lies below it."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path
