"""Names for the values that a backend makes up, the same in every world: `task 1 of the owner`.

A key, a token or a code differs from world to world, and what it stands for does not. A request
that is written with names can be sent in another world, and answers can be compared by them.
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from validators.runtime.app import Request

# No app writes these: what stands between them is a name.
_OPEN, _CLOSE = "\u27e6", "\u27e7"
_NAMED = re.compile(f"{_OPEN}([^{_OPEN}{_CLOSE}]+){_CLOSE}")
# Smaller numbers mean something else than a row; `Tables.spread_keys` sees to it.
LEAST_NUMBER = 10_000
_LEAST_LETTERS = 8
# What may be a value that was made up, inside a longer text: the longest first.
_PARTS = (
    re.compile(r"[\w\-.=+/~]{8,}"),
    re.compile(r"[\w\-]{8,}"),
    re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}"),
    re.compile(r"\d{5,}"),
)
# A word, or several with a line between, such as the name of a state.
_WORD = re.compile(r"(?:[a-z]{1,19}|[A-Z]{1,19}|[A-Z][a-z]{1,18})(?:[_-](?:[a-z]+|[A-Z]+))*")
_TIME = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d.*)?")


class UnknownNameError(Exception):
    """A name stands for nothing in this world."""


class Names:
    """The named values of one world."""

    def __init__(self) -> None:
        self._values: dict[str, Any] = {}
        self._names: dict[str, str] = {}
        self._born: Counter[str] = Counter()

    def bind(self, name: str, value: Any) -> None:  # noqa: ANN401
        """Let a name stand for a value; a value keeps the first of its names."""
        self._values[name] = value
        self._names.setdefault(str(value), name)

    def rename(self, name: str, value: Any) -> None:  # noqa: ANN401
        """Let a name stand for a value, whatever it was called before."""
        self._values[name] = value
        self._names[str(value)] = name

    def next_name(self, kind: str, actor: str) -> str:
        """Return the name of another row of a kind."""
        what = f"{kind} of the {actor}"
        self._born[what] += 1
        return f"{kind} {self._born[what]} of the {actor}"

    def name_of(self, value: Any) -> str | None:  # noqa: ANN401
        """Return the name of a value, or None."""
        return self._names.get(str(value))

    def value_of(self, name: str) -> Any:  # noqa: ANN401
        """Return what a name stands for here.

        Raises:
            UnknownNameError: Nothing of this name is in this world.
        """
        if name not in self._values:
            raise UnknownNameError(name)
        return self._values[name]

    def shown(self, text: str) -> str:
        """Return a text with names in place of the values in it."""
        exact = self._names.get(text)
        if exact is not None:
            return f"{_OPEN}{exact}{_CLOSE}"
        for part in _PARTS:
            text = part.sub(self._replacement, text)
        return text

    def _replacement(self, found: re.Match[str]) -> str:
        name = self._names.get(found.group())
        return found.group() if name is None else f"{_OPEN}{name}{_CLOSE}"

    def template(self, request: Request) -> Request:
        """Return a request with names in place of values."""
        return _mapped(request, self.named)

    def fill(self, request: Request) -> Request:
        """Return a request with the values of this world in place of names.

        Raises:
            UnknownNameError: A name stands for nothing here.
        """
        return _mapped(request, self.filled)

    def named(self, value: Any) -> Any:  # noqa: ANN401
        """Return data with names in place of values."""
        if isinstance(value, str):
            return self.shown(value)
        if isinstance(value, int) and not isinstance(value, bool):
            name = self._names.get(str(value))
            return value if name is None else f"{_OPEN}{name}{_CLOSE}"
        return _inside(value, self.named)

    def filled(self, value: Any) -> Any:  # noqa: ANN401
        """Return data with values in place of names."""
        if not isinstance(value, str):
            return _inside(value, self.filled)
        whole = _NAMED.fullmatch(value)
        if whole is not None:
            return self.value_of(whole.group(1))
        return _NAMED.sub(lambda found: str(self.value_of(found.group(1))), value)


def plain(text: str) -> str:
    """Return a text with names as a person reads them."""
    return _NAMED.sub(lambda found: f"<{found.group(1)}>", text)


def names_in(request: Request) -> set[str]:
    """Return every name that stands in a request."""
    parts = [request.path, *(v for _, v in request.query), *(v for _, v in request.headers)]
    parts += [json.dumps(request.json_body, ensure_ascii=False), *(v for _, v in request.form)]
    return {name for part in parts for name in _NAMED.findall(part)}


def is_made_up(value: Any, sent: str) -> bool:  # noqa: ANN401
    """Tell whether a backend may have made a value up: nobody has sent it, and it is no time.

    Args:
        value: Any value of a row or an answer.
        sent: All that was sent.
    """
    if isinstance(value, bool):
        return False
    if isinstance(value, int):
        return abs(value) >= LEAST_NUMBER and str(value) not in sent
    return (
        isinstance(value, str)
        and _LEAST_LETTERS <= len(value) <= 512  # noqa: PLR2004 - more is a text or a file
        and " " not in value
        and not _WORD.fullmatch(value)
        and value not in sent
        and not _is_derived(value, sent)
        and not _TIME.fullmatch(value)
    )


def _is_derived(value: str, sent: str) -> bool:
    """Tell whether a value is made of words that were sent, as a slug is made of a title."""
    words = [word for word in re.split(r"[^a-z]+", value.lower()) if len(word) > 2]  # noqa: PLR2004
    told = sum(len(word) for word in words if word in sent.lower())
    return 2 * told >= len(value) > 0


def _mapped(request: Request, change: Callable[[Any], Any]) -> Request:
    def pairs(items: Sequence[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
        return tuple((name, _text(change(value))) for name, value in items)

    path = "/".join(_text(change(part)) for part in request.path.split("/"))
    body = None if request.json_body is None else change(request.json_body)
    return replace(
        request,
        path=path,
        query=pairs(request.query),
        headers=pairs(request.headers),
        form=pairs(request.form),
        json_body=body,
    )


def _text(value: Any) -> str:  # noqa: ANN401
    return value if isinstance(value, str) else str(value)


def _inside(value: Any, change: Callable[[Any], Any]) -> Any:  # noqa: ANN401
    match value:
        case Mapping():
            return {key: change(item) for key, item in value.items()}
        case list() | tuple():
            return [change(item) for item in value]
    return value
