"""Declarations: what comments say about the code beside them (`# backendpro: transfer — ...`)."""

import ast
import re
from collections.abc import Iterable, Iterator

from validators.frozen import frozen
from validators.source import Module

_TRANSFER = re.compile(
    r"#\s*backendpro:\s*transfer\b(?:\s*[\u2014\u2013:-]+\s*(?P<reason>[^#\s][^#]*))?"
)


@frozen
class Declaration:
    """A comment that declares the write of an owner column a transfer.

    Attributes:
        line: Its line, from 1.
        reason: What it gives as the reason; empty where it gives none.
    """

    line: int
    reason: str


def declared_transfer(module: Module, node: ast.AST) -> Declaration | None:
    """Return the declaration on the lines of the statement around a node, or right above it."""
    first, last = _lines_of(module, node)
    found = _first(module, range(first, last + 1))
    # A comment behind other code belongs to that code.
    is_comment = first > 1 and module.lines[first - 2].lstrip().startswith("#")
    return found or (_first(module, (first - 1,)) if is_comment else None)


def stray_transfer(module: Module, node: ast.AST) -> Declaration | None:
    """Return the first declaration anywhere in the function around a node, or None."""
    around = next((one for one in module.index.ancestors(node) if _is_function(one)), None)
    if around is None:
        return None
    first, last = getattr(around, "lineno", 1), getattr(around, "end_lineno", 0) or 0
    return _first(module, range(first, last + 1))


def _first(module: Module, numbers: Iterable[int]) -> Declaration | None:
    return next(_found(module, numbers), None)


def _found(module: Module, numbers: Iterable[int]) -> Iterator[Declaration]:
    for number in numbers:
        match = _TRANSFER.search(module.lines[number - 1]) if number <= len(module.lines) else None
        if match:
            yield Declaration(number, (match["reason"] or "").strip())


def _lines_of(module: Module, node: ast.AST) -> tuple[int, int]:
    """Return the first and last line of the statement around a node, or of the node itself."""
    around = [node, *module.index.ancestors(node)]
    statement = next((one for one in around if isinstance(one, ast.stmt)), node)
    shown = node if hasattr(statement, "body") else statement
    first = getattr(shown, "lineno", 1)
    return first, getattr(shown, "end_lineno", None) or first


def _is_function(node: ast.AST) -> bool:
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
