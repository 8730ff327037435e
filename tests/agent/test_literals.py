"""The tracker of strings agrees with Python's own tokenizer."""

import argparse
import difflib
import doctest
import inspect
import io
import textwrap
import tokenize
import typing
from pathlib import Path
from types import ModuleType

import pytest

from agent.literals import LiteralTracker

# From 3.12 an f-string is several tokens.
_STARTS = {"STRING", "FSTRING_START", "TSTRING_START"}
_ENDS = {"STRING", "FSTRING_END", "TSTRING_END"}


def lines_inside_strings(text: str) -> set[int]:
    """Return the lines, from 1, that start inside a string, as Python sees it."""
    inside: set[int] = set()
    starts: list[int] = []
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        kind = tokenize.tok_name[token.type]
        if kind in _STARTS:
            starts.append(token.start[0])
        if kind in _ENDS:
            inside.update(range(starts.pop() + 1, token.end[0] + 1))
    return inside


def tracked(text: str) -> set[int]:
    """Return the same, as the tracker sees it."""
    tracker = LiteralTracker()
    inside = set()
    for number, line in enumerate(io.StringIO(text), start=1):
        if tracker.is_open:
            inside.add(number)
        tracker.advance(line)
    return inside


@pytest.mark.parametrize(
    "module",
    [argparse, difflib, doctest, inspect, textwrap, tokenize, typing],
    ids=lambda module: module.__name__,
)
def test_in_modules_full_of_strings(module: ModuleType) -> None:
    assert module.__file__ is not None
    text = Path(module.__file__).read_text(encoding="utf-8")
    inside = lines_inside_strings(text)
    assert len(inside) > 20
    assert tracked(text) == inside
