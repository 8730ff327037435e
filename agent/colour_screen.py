"""Shows lines on a terminal, with colours and a spinner, through rich."""

from typing import TYPE_CHECKING, TextIO

from rich.console import Console
from rich.padding import Padding
from rich.text import Text
from rich.theme import Theme

from agent.screen import discard
from validators.text import Line

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
        "code": "green",
    }
)
_WIDEST = 100


class ColourScreen:
    """A terminal. Without colours where NO_COLOR is set, without a spinner where it is dumb."""

    def __init__(self, stream: TextIO) -> None:
        self._console = _Console(
            file=stream, theme=_THEME, highlight=False, markup=False, emoji=False
        )
        self._status: Status | None = None

    @property
    def width(self) -> int:
        """The terminal's width, or what is pleasant to read where it is wider."""
        return min(self._console.width, _WIDEST)

    def show(self, line: Line) -> None:
        """Print a line; what is too long goes on below, indented alike."""
        text = Text.assemble(*line)
        if not text:
            self._console.print()
            return
        if any(style == "code" for _, style in line):
            # The terminal breaks it where it must, so that it is copied in one piece.
            self._console.print(text, soft_wrap=True)
            return
        indent = len(text.plain) - len(text.plain.lstrip())
        self._console.print(Padding(text[indent:], (0, 0, 0, indent), expand=False))

    def wait(self, what: str) -> None:
        """Start a spinner, where the terminal can show one."""
        self.stop_waiting()
        if self._console.is_terminal and not self._console.is_dumb_terminal:
            self._status = self._console.status(Text(what))
            self._status.start()

    def stop_waiting(self) -> None:
        """Take the spinner away."""
        if self._status is not None:
            self._status.stop()
            self._status = None


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """Fall silent, where rich would end the process."""
        self.quiet = True
        discard(self.file)
