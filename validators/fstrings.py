"""F-strings that only Python 3.12 and later can read (PEP 701).

A newer parser takes them whatever grammar it is asked for. Python 3.11 reads an f-string as an
ordinary string first: its quotes may not come back inside, and its expressions hold neither
backslashes nor comments.
"""

import ast
import re
from collections.abc import Iterator

from validators.source import Module

_START = re.compile(r"(?P<prefix>[A-Za-z]{0,2})(?P<quote>'''|\"\"\"|'|\")")
_BETWEEN = re.compile(r"(?:\s|\\\r?\n|#[^\n]*)*")


def newer_fstrings(module: Module) -> Iterator[ast.JoinedStr]:
    """Yield the f-strings of a module that Python 3.11 cannot read, where a newer one runs us."""
    for node in module.index.of(ast.JoinedStr):
        inside = any(isinstance(around, ast.JoinedStr) for around in module.index.ancestors(node))
        text = None if inside else _source(module, node)
        if text is not None and not is_readable(text):
            yield node


def is_readable(text: str) -> bool:
    """Tell whether Python 3.11 reads a text as one or several adjacent strings.

    Args:
        text: The source of an expression that a newer Python reads as an f-string.
    """
    position = 0
    while position < len(text):
        start = _START.match(text, position)
        if start is None:
            return False
        end = _end(text, start.end(), start["quote"])
        if end is None:
            return False
        body = text[start.end() : end]
        if "f" in start["prefix"].lower() and not _is_plain(body):
            return False
        position = end + len(start["quote"])
        between = _BETWEEN.match(text, position)
        position = between.end() if between else position
    return True


def _end(text: str, position: int, quote: str) -> int | None:
    """Return where the closing quote of an ordinary string stands."""
    while position < len(text):
        if text.startswith(quote, position):
            return position
        if text[position] == "\n" and len(quote) == 1:
            return None
        position += 2 if text[position] == "\\" else 1
    return None


def _is_plain(body: str) -> bool:
    """Tell whether the expressions of an f-string hold neither backslashes nor comments."""
    depth, in_format = 0, False
    position = 0
    while position < len(body):
        char = body[position]
        if depth == 0 and body[position : position + 2] in ("{{", "}}"):
            position += 1
        elif char == "{" or (depth and char in "[("):
            depth += 1
            in_format = in_format and char != "{"
        elif char in "}])":
            depth = max(depth - 1, 0)
            in_format = False
        elif char == ":" and depth == 1:
            in_format = True
        elif depth and not in_format and char in "\\#":
            return False
        position += 1
    return True


def _source(module: Module, node: ast.JoinedStr) -> str | None:
    if node.end_lineno is None or node.end_col_offset is None:
        return None
    lines = [line.encode() for line in module.lines[node.lineno - 1 : node.end_lineno]]
    lines[-1] = lines[-1][: node.end_col_offset]
    lines[0] = lines[0][node.col_offset :]
    return b"\n".join(lines).decode("utf-8", "replace")
