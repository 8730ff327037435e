"""Code in the shape that `ruff format` gives it, for pieces whose length depends on names."""

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH = 88
_STEP = "    "


@dataclass(frozen=True, slots=True)
class Bracket:
    """A piece of code with a bracket that may be broken over several lines.

    Attributes:
        head: What stands before the items, opening bracket included.
        items: What stands in the bracket.
        tail: What stands after the items, closing bracket included.
    """

    head: str
    items: "Sequence[str | Bracket | Operation]"
    tail: str = ")"


@dataclass(frozen=True, slots=True)
class Operation:
    """Two operands, to be broken before the operator."""

    left: str
    operator: str
    right: str


Piece = str | Bracket | Operation


def written(piece: Piece, depth: int = 0, reserve: int = 0) -> str:
    """Write a piece of code, broken where it does not fit.

    Args:
        piece: What to write.
        depth: Indentation of its first line, in steps of four columns.
        reserve: Columns to keep free behind it.

    Returns:
        The code, without indentation of its first line.
    """
    indent = _STEP * depth
    line = _flat(piece)
    if isinstance(piece, str) or len(indent) + len(line) + reserve <= WIDTH:
        return line
    if isinstance(piece, Operation):
        return f"{piece.left}\n{indent}{piece.operator} {piece.right}"
    joined = ", ".join(map(_flat, piece.items))
    if len(indent) + len(_STEP) + len(joined) <= WIDTH:
        return f"{piece.head}\n{indent}{_STEP}{joined}\n{indent}{piece.tail}"
    items = (f"{indent}{_STEP}{written(item, depth + 1, 1)},\n" for item in piece.items)
    return f"{piece.head}\n{''.join(items)}{indent}{piece.tail}"


def bracketed(head: str, items: Sequence[Piece], tail: str = ")", *, depth: int = 0) -> str:
    """Write a bracket: on one line, with its items on a line, or with one item per line."""
    return written(Bracket(head, items, tail), depth)


def declared(name: str, annotation: str, value: str = "") -> str:
    """Write a class attribute, with its type in parentheses where it is too long for a line."""
    assigned = f" = {value}" if value else ""
    line = f"{name}: {annotation}{assigned}"
    if len(_STEP) + len(line) <= WIDTH:
        return line
    return f"{name}: (\n{_STEP * 2}{annotation}\n{_STEP}){assigned}"


def assigned(name: str, annotation: str, arguments: Sequence[Piece]) -> str:
    """Write a class attribute whose value is a call of `Field`."""
    left = f"{name}: {annotation} = "
    if len(f"{_STEP}{left}Field(") <= WIDTH:
        return bracketed(f"{left}Field(", arguments, depth=1)
    if len(f"{_STEP}{left}(") <= WIDTH:
        return f"{left}(\n{_STEP * 2}{bracketed('Field(', arguments, depth=2)}\n{_STEP})"
    return declared(name, annotation, bracketed("Field(", arguments, depth=1))


def _flat(piece: Piece) -> str:
    match piece:
        case Bracket(head, items, tail):
            return head + ", ".join(map(_flat, items)) + tail
        case Operation(left, operator, right):
            return f"{left} {operator} {right}"
        case _:
            return piece


def text_literal(value: str) -> str:
    """Write a text as `ruff format` does: in double quotes, unless that needs more escapes."""
    quoted = repr(value)
    if quoted.startswith('"') or '"' in value:
        return quoted
    return f'"{quoted[1:-1]}"'
