"""One edit of a source text at a syntax node, which keeps every later line where it was."""

import ast
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Edit:
    """Replace a node's text by another.

    Attributes:
        node: The node that is replaced.
        text: What stands there afterwards; `{}` stands for the old text.
    """

    node: ast.expr | ast.stmt
    text: str


def source_of(text: str, node: ast.AST) -> str:
    """Return the text of a node."""
    return ast.get_source_segment(text, node) or ""


def apply(text: str, edits: list[Edit]) -> str:
    """Return the text with every edit made; the edits must not overlap."""
    ordered = sorted(edits, key=lambda edit: (edit.node.lineno, edit.node.col_offset), reverse=True)
    for edit in ordered:
        text = _replace(text, edit)
    return text


def _replace(text: str, edit: Edit) -> str:
    start, end = _span(text, edit.node)
    old = text[start:end]
    new = edit.text.replace("{}", old)
    # Inside brackets a line may end anywhere, so lost lines are given back behind the text.
    lost = old.count("\n") - new.count("\n")
    if lost > 0:
        new = (
            f"({new}" + "\n" * lost + ")" if isinstance(edit.node, ast.expr) else new + "\n" * lost
        )
    return text[:start] + new + text[end:]


def _span(text: str, node: ast.expr | ast.stmt) -> tuple[int, int]:
    lines = text.splitlines(keepends=True)
    assert node.end_lineno is not None
    assert node.end_col_offset is not None
    return (
        _offset(lines, node.lineno, node.col_offset),
        _offset(lines, node.end_lineno, node.end_col_offset),
    )


def _offset(lines: list[str], line: int, column: int) -> int:
    before = sum(len(text) for text in lines[: line - 1])
    # Columns of the syntax tree count UTF-8 bytes.
    return before + len(lines[line - 1].encode()[:column].decode())
