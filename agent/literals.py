"""Whether a line of Python starts inside a string, so that a fence there is text, not an end."""

import re

_MARK = re.compile(r"\\(?:\r\n|.)|\"\"\"|'''|[\"'#\r\n]", re.DOTALL)
_LINE_ENDS = ("\n", "\r")


class LiteralTracker:
    """Follows quotes and comments from line to line, in code that may be unfinished or wrong."""

    def __init__(self) -> None:
        self._open = ""

    @property
    def is_open(self) -> bool:
        """Whether the next line starts inside a string."""
        return self._open not in ("", "#")

    def advance(self, line: str) -> None:
        """Read the next line, with its end."""
        for match in _MARK.finditer(line):
            self._open = self._after(match.group())

    def _after(self, mark: str) -> str:
        match self._open:
            case "":
                return "" if mark.startswith(("\\", *_LINE_ENDS)) else mark
            case "#":
                return "" if mark.endswith(_LINE_ENDS) else "#"
            case '"""' | "'''" as quotes:
                return "" if mark == quotes else quotes
            case quote:
                # Three quotes end a string of one quote and add an empty one.
                return "" if mark[0] in (quote, *_LINE_ENDS) else quote
