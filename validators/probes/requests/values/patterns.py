"""Texts for regular expressions that come from untrusted code: bounded in time and memory.

Source: the syntax of Rust's regex crate, which Pydantic's patterns have unless a model says
otherwise: without look-around and references back, and matched in linear time.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from itertools import islice
from random import Random
from typing import Any, TypeVar

_T = TypeVar("_T")
# Patterns that may take for ever on a text that they do not match: a group that is repeated, many
# repetitions, and references back.
_SLOW_PATTERN = re.compile(r"\)[*+{]|\\[1-9]|\(\?P=")
_REPETITION = re.compile(r"[*+]|\{\d*,\d*\}")
_MOST_REPETITIONS = 4
_COUNT = re.compile(r"(\)?)\{(\d{0,6}),?(\d{0,6})\}")
_LONGEST_PATTERN, _MOST_STEPS, _MOST_TRIES = 2_000, 20_000_000, 400
# What one text may cost: characters to choose from, and rounds of repetitions.
_MOST_WORK, _MOST_CHARACTERS = 200_000, 1_000
_MOST_WIDE = 4
_WIDE = re.compile(r"-(\\[uUxN]|[^\x00-\xff])")
_BEYOND = re.compile(r"\\U|\\N|[\U00010000-\U0010ffff]")
# Sets in sets and their operations, of which Python warns.
_SETS = re.compile(r"(?<!\\)\[\[|--|&&|~~|\|\|")
# How often more than it must something is repeated, at least and at most, attempt by attempt.
_EXTRA = ((0, 4), (0, 0), (0, 12), (1, 1), (0, 2), (0, 30))
_MOST_LENGTHS, _MOST_MARKED = 20, 4
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
# What Python's parser does not know, and something that it does.
_POSIX = {
    "alpha": "a-zA-Z", "digit": "0-9", "alnum": "a-zA-Z0-9", "lower": "a-z", "upper": "A-Z",
    "space": " ", "word": "a-zA-Z0-9_", "punct": "!-", "xdigit": "0-9a-f", "blank": " ",
}  # fmt: skip
_UNICODE = {"L": "a-zA-Z", "Lu": "A-Z", "Ll": "a-z", "N": "0-9", "Nd": "0-9", "P": "!,", "Z": " ",
            "Zs": " ", "Letter": "a-zA-Z", "Alphabetic": "a-zA-Z", "Lowercase": "a-z",
            "Uppercase": "A-Z", "M": ""}  # fmt: skip
_RUST = re.compile(
    r"(?P<posix>\[:(?P<class>\w+):\])|\\p(?:\{(?P<long>\w+)\}|(?P<short>\w))|(?P<end>\\z)"
    r"|(?P<name>\(\?<(?=\w))|(?P<code>\\x\{(?P<hex>[0-9a-fA-F]{1,4})\})|\\.|(?P<bracket>[\[\]])",
    re.DOTALL,
)


def is_slow(pattern: str) -> bool:
    """Tell whether Python may take for ever to match a pattern, which comes from untrusted code."""
    is_long = len(_REPETITION.findall(pattern)) > _MOST_REPETITIONS
    return is_long or _SLOW_PATTERN.search(pattern) is not None


def matches(pattern: str, text: str) -> bool | None:
    """Tell whether a text has a pattern in it, or None where that cannot be told."""
    if len(pattern) > _LONGEST_PATTERN or steps(pattern) * (len(text) + 1) > _MOST_STEPS:
        return None
    validator = _rust(pattern)
    if validator is not None:
        return bool(validator.isinstance_python(text))
    if is_slow(pattern) or _SETS.search(pattern):
        return None
    try:
        return re.search(pattern, text) is not None
    except (re.error, RecursionError, OverflowError):
        return None


def steps(pattern: str) -> int:
    """Return how many states a pattern has at most, counted repetitions written out."""
    total, factor = len(pattern), 1
    for group, least, most in _COUNT.findall(pattern):
        count = max(int(least or 0), int(most or 0), 1)
        if group:
            factor *= count
        else:
            total += count
    return total * factor


@lru_cache(maxsize=16)  # each may hold megabytes
def _rust(pattern: str) -> Any:  # noqa: ANN401 - a validator of a module that is imported late
    from pydantic_core import SchemaError, SchemaValidator, core_schema  # noqa: PLC0415

    try:
        return SchemaValidator(core_schema.str_schema(pattern=pattern))
    except (SchemaError, UnicodeError):
        return None


def texts(pattern: str, marker: str, seed: str, length: int) -> Iterator[str]:
    """Yield texts that were made for a pattern, those with the marker in them first.

    Whether they match is for the caller to see: what is made is right for most patterns.

    Args:
        pattern: The regular expression.
        marker: What shall be in the text.
        seed: The same seed yields the same texts.
        length: How long a text must be at least.
    """
    tries = min(_MOST_TRIES, _MOST_STEPS // (steps(pattern) * 100 + 1))
    lengths = range(length, max(-1, length - _MOST_LENGTHS), -1)
    extras = (*_EXTRA, *((each, each) for each in lengths)) if length else _EXTRA
    plain: list[str] = []
    for number, extra in enumerate(extras):
        text = make(pattern, Random(f"{seed} {number}"), extra)  # noqa: S311 - no secret
        if text is None:
            if number > len(plain):
                break  # it is beyond what is tried
            continue
        plain.append(text)
        if marker and number < _MOST_MARKED:
            yield from islice(_with_marker(text, marker), tries // _MOST_MARKED)
    yield from plain


def _with_marker(text: str, marker: str) -> Iterator[str]:
    size = len(marker)
    for word in (marker, marker.upper()):
        for start in range(min(len(text), 40) + 1):
            yield f"{text[:start]}{word}{text[start:]}"
            if len(text) >= start + size:
                yield f"{text[:start]}{word}{text[start + size :]}"
            elif start:
                yield f"{text[: start - 1]}{word}{text[start:]}"


def make(pattern: str, random: Random, extra: tuple[int, int]) -> str | None:
    """Return a text for a pattern, or None where it is beyond what is tried.

    Args:
        pattern: The regular expression.
        random: Decides; it is drawn from.
        extra: How often more than it must something is repeated, at least and at most.
    """
    from rstr import Rstr  # noqa: PLC0415 - most backends have no patterns

    ranges = _WIDE.findall(pattern)
    if len(pattern) > _LONGEST_PATTERN or len(ranges) > _MOST_WIDE or _BEYOND.search(pattern):
        return None
    choosing = _Choosing(random, extra, len(pattern))
    written = _pythonic(pattern)
    if _SETS.search(written):
        return None
    try:
        return Rstr(choosing, printable=f"{_LETTERS} ", whitespace=" ").xeger(written)
    except (re.error, _TooMuchError, RecursionError, OverflowError, MemoryError):
        return None
    except (KeyError, IndexError, ValueError, TypeError, AttributeError):
        # What the library does not know of: atomic groups, classes without a member.
        return None


def _pythonic(pattern: str) -> str:
    """Return a pattern as Python writes it; what it matches is a part of what the other does."""
    depth = 0

    def rewrite(found: re.Match[str]) -> str:
        nonlocal depth
        if found["bracket"]:
            depth = max(0, depth + (1 if found["bracket"] == "[" else -1))
            return found[0]
        if found["posix"] and depth:
            return _POSIX.get(found["class"], "")
        kind = found["long"] or found["short"]
        if kind:
            inner = _UNICODE.get(kind, "a-z")
            return inner if depth else f"[{inner}]"
        if found["name"]:
            return "(?P<"
        if found["code"]:
            return f"\\u{found['hex']:0>4}"
        return r"\Z" if found["end"] else found[0]

    return _RUST.sub(rewrite, pattern)


class _TooMuchError(Exception):
    """A pattern asks for more than is given to it."""


class _Choosing(Random):
    """Chooses little, readable characters, and the same in every process."""

    def __init__(self, random: Random, extra: tuple[int, int], size: int) -> None:
        super().__init__(0)
        self._from = random
        self._extra = extra
        self._size = size
        self._left = _MOST_WORK

    def randint(self, a: int, b: int) -> int:
        least, most = (min(b, a + each) for each in self._extra)
        times = self._from.randint(least, most)
        self._pay(times * self._size)
        return times

    def choice(self, seq: Sequence[_T]) -> _T:  # type: ignore[override]
        self._pay(len(seq))
        if not isinstance(seq[0], str):
            return self._from.choice(seq)
        characters = sorted(set(seq[:_MOST_CHARACTERS]), key=str)
        for is_liked in _LIKED:
            liked = [each for each in characters if is_liked(str(each))]
            if liked:
                return self._from.choice(liked)
        return self._from.choice(characters)

    def _pay(self, work: int) -> None:
        self._left -= work + 1
        if self._left < 0:
            raise _TooMuchError


_LIKED: tuple[Callable[[str], bool], ...] = (
    lambda character: character in _LETTERS,
    lambda character: character.isascii() and character.isalnum(),
    str.isalnum,
    str.isprintable,
)
