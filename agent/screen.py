"""Where lines are shown: plainly in pipes and files, in colours on a terminal."""

import codecs
import io
import os
from typing import IO, Protocol, TextIO

from validators.text import Line

# For terminals and files whose encoding cannot hold them.
_PLAIN_CHARACTERS = str.maketrans(
    {"✓": "+", "✗": "x", "→": ">", "│": "|", "…": "~", "·": "-", "—": "-"}
)
_ERROR_HANDLER = "backendpro-plain"


class Screen(Protocol):
    """Shows styled lines, and that something is being waited for."""

    @property
    def width(self) -> int:
        """Columns at which sentences are to be broken; 0 for nowhere."""
        ...

    def show(self, line: Line) -> None:
        """Show a line."""
        ...

    def wait(self, what: str) -> None:
        """Show that this is being waited for, until `stop_waiting`."""
        ...

    def stop_waiting(self) -> None:
        """Take the sign of waiting away, if one is shown."""
        ...


class PlainScreen:
    """Writes bare lines; shows no waiting, so that logs hold only what happened."""

    width = 0

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def show(self, line: Line) -> None:
        """Write a line at once."""
        text = "".join(piece for piece, _ in line).rstrip()
        write(self._stream, f"{text}\n")

    def wait(self, what: str) -> None:
        """Do nothing."""
        del what

    def stop_waiting(self) -> None:
        """Do nothing."""


def screen_for(stream: TextIO) -> Screen:
    """Return the screen that fits a stream: with colours where a person looks at it."""
    _make_safe(stream)
    if not (stream.isatty() or os.environ.get("FORCE_COLOR")):
        return PlainScreen(stream)
    from agent.colour_screen import ColourScreen  # noqa: PLC0415  # rich is not needed in pipes

    return ColourScreen(stream)


def write(stream: TextIO, text: str) -> None:
    """Write at once; where nobody reads any more, as in `| head`, say nothing."""
    try:
        stream.write(text)
        stream.flush()
    except BrokenPipeError:
        discard(stream)


def discard(stream: IO[str]) -> None:
    """Send what a stream still holds, and all that follows, nowhere."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def _make_safe(stream: TextIO) -> None:
    """Let a stream replace what its encoding cannot hold, instead of failing."""
    codecs.register_error(_ERROR_HANDLER, _simplify)
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors=_ERROR_HANDLER)


def _simplify(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text = error.object[error.start : error.end].translate(_PLAIN_CHARACTERS)
    return text.encode("ascii", "backslashreplace").decode("ascii"), error.end
