"""Edits: pieces of source to be replaced, and the whole lines that come of them."""

import ast
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from validators.report import Change
from validators.source import Module

# Where Black and Ruff break lines.
_WIDEST = 88
_INDENT = "    "
# A chain of more links gets a line for each.
_MOST_LINKS = 2


@dataclass(frozen=True, slots=True)
class Edit:
    """New text for a piece of a file; offsets count characters, the end is not included."""

    path: str
    start: int
    end: int
    text: str


def offset(module: Module, line: int, column: int) -> int:
    """Return the offset of a place in a module's text.

    Args:
        module: A module whose lines end with line feeds alone.
        line: Line from 1.
        column: Column from 0, in bytes, as in the syntax tree.
    """
    before = sum(len(text) + 1 for text in module.lines[: line - 1])
    return before + len(module.lines[line - 1].encode()[:column].decode("utf-8", "replace"))


def start_of(module: Module, node: ast.AST) -> int:
    """Return the offset at which a node starts."""
    return offset(module, node.lineno, node.col_offset)  # type: ignore[attr-defined]  # expressions and statements have a place


def end_of(module: Module, node: ast.AST) -> int:
    """Return the offset behind a node."""
    return offset(module, node.end_lineno, node.end_col_offset)  # type: ignore[attr-defined]  # as above


def source_of(module: Module, node: ast.AST) -> str:
    """Return a node's text as it stands."""
    return module.text[start_of(module, node) : end_of(module, node)]


def replaced(module: Module, node: ast.AST, text: str) -> Edit:
    """Return the edit that puts text in a node's place."""
    return Edit(module.path, start_of(module, node), end_of(module, node), text)


def inserted(module: Module, at: int, text: str) -> Edit:
    """Return the edit that adds text at an offset."""
    return Edit(module.path, at, at, text)


def inserted_before(module: Module, statement: ast.stmt, lines: Sequence[str]) -> Edit:
    """Return the edit that adds lines before a statement, indented as it is."""
    decorators = getattr(statement, "decorator_list", [])
    line = min([statement.lineno, *(node.lineno for node in decorators)])
    indent = " " * statement.col_offset
    at = offset(module, line, 0)
    return Edit(module.path, at, at, "".join(f"{indent}{text}\n" for text in lines))


def changes_of(module: Module, edits: Iterable[Edit]) -> tuple[Change, ...] | None:
    """Return the whole lines that edits of one module change; None where they collide."""
    ordered = sorted(dict.fromkeys(edits), key=lambda edit: (edit.start, edit.end))
    if any(one.end > two.start for one, two in pairwise(ordered)):
        return None
    groups: list[list[Edit]] = []
    for edit in ordered:
        first = module.text.count("\n", 0, edit.start)
        before = groups[-1][-1] if groups else None
        is_apart = (
            before is None
            or _adds_lines(module, edit)
            or _adds_lines(module, before)
            or module.text.count("\n", 0, before.end) < first
        )
        if is_apart:
            groups.append([])
        groups[-1].append(edit)
    return tuple(_change(module, group) for group in groups)


def with_changes(text: str, changes: Iterable[Change]) -> str:
    """Return a file's text with changes of it in place."""
    lines = text.split("\n")
    for change in sorted(changes, key=lambda c: (c.line, c.end_line), reverse=True):
        code = change.code.split("\n") if change.code else []
        lines[change.line - 1 : change.end_line] = code
    return "\n".join(lines)


def _adds_lines(module: Module, edit: Edit) -> bool:
    at_line_start = edit.start == 0 or module.text[edit.start - 1] == "\n"
    return edit.start == edit.end and at_line_start and edit.text.endswith("\n")


def _change(module: Module, group: list[Edit]) -> Change:
    first = module.text.count("\n", 0, group[0].start) + 1
    if _adds_lines(module, group[0]):
        lines = group[0].text.removesuffix("\n").split("\n")
        code = "\n".join(line for text in lines for line in broken(text))
        return Change(path=module.path, line=first, end_line=first - 1, code=code)
    last = module.text.count("\n", 0, group[-1].end) + 1
    at = offset(module, first, 0)
    parts: list[str] = []
    for edit in group:
        parts += [module.text[at : edit.start], edit.text]
        at = edit.end
    parts.append(module.lines[last - 1][at - offset(module, last, 0) :])
    code = "".join(parts)
    lines = code.split("\n")
    if len(lines) == 1:
        lines = broken(code)
    return Change(path=module.path, line=first, end_line=last, code="\n".join(lines))


def broken(line: str) -> list[str]:
    """Return a line of code as several where it is too long, split at its brackets."""
    opening = _outermost(line)
    if len(line) <= _WIDEST or opening is None:
        return [line]
    indent = line[: len(line) - len(line.lstrip())]
    links = _links(line)
    if len(links) > _MOST_LINKS and "=" in links[0].partition("(")[0]:
        name, _, first = links[0].partition(" = ")
        inner = [f"{indent}{_INDENT}{part}" for part in (first, *links[1:])]
        return [f"{name} = (", *(piece for part in inner for piece in broken(part)), f"{indent})"]
    start, end = opening
    body = f"{indent}{_INDENT}{line[start + 1 : end].strip()}"
    return [line[: start + 1], *_body(body), indent + line[end:]]


def _body(line: str) -> list[str]:
    """Return what stands between brackets: on one line, or each link or argument on its own."""
    if len(line) <= _WIDEST:
        return [line]
    indent = line[: len(line) - len(line.lstrip())]
    parts = _arguments(line.strip())
    if len(parts) > 1:
        return [piece for part in parts for piece in broken(f"{indent}{part},")]
    links = _links(line)
    if len(links) > _MOST_LINKS:
        return [piece for link in links for piece in broken(f"{indent}{link.strip()}")]
    return broken(line)


def _links(line: str) -> list[str]:
    """Return the calls of a chain of methods, each with what stands before it."""
    depth, start, found = 0, 0, []
    for index, character in enumerate(line):
        depth += (character in "([{") - (character in ")]}")
        if character == "." and depth == 0 and line[index - 1 : index] == ")":
            found.append(line[start:index])
            start = index
    return [*found, line[start:]]


def _outermost(line: str) -> tuple[int, int] | None:
    """Return where the longest outermost pair of brackets opens and closes."""
    depth, start, found = 0, 0, None
    quote = ""
    for index, character in enumerate(line):
        if quote:
            quote = "" if character == quote and line[index - 1] != "\\" else quote
        elif character in "\"'":
            quote = character
        elif character == "#":
            break
        elif character in "([{":
            start = index if depth == 0 else start
            depth += 1
        elif character in ")]}":
            depth -= 1
            if depth == 0 and (found is None or index - start > found[1] - found[0]):
                found = (start, index)
    return found if found is not None and found[1] - found[0] > 1 else None


def _arguments(inner: str) -> list[str]:
    parts, depth, quote, start = [], 0, "", 0
    for index, character in enumerate(inner):
        if quote:
            quote = "" if character == quote and inner[index - 1] != "\\" else quote
        elif character in "\"'":
            quote = character
        elif character in "([{":
            depth += 1
        elif character in ")]}":
            depth -= 1
        elif character == "," and depth == 0:
            parts.append(inner[start:index].strip())
            start = index + 1
    parts.append(inner[start:].strip())
    return [part for part in parts if part]
