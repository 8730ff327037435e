"""Code in the shape that `ruff format` gives it, for pieces whose length depends on names."""

WIDTH = 88
_STEP = "    "


def bracketed(head: str, items: list[str], tail: str, *, depth: int = 0) -> str:
    """Write a bracket with its items on one line, on an indented line, or one per line.

    Args:
        head: What stands before the items, opening bracket included.
        items: The items, each of which fits on a line.
        tail: What stands after the items, closing bracket included.
        depth: Indentation of the first line, in steps of four columns.

    Returns:
        The code, without indentation of its first line.
    """
    indent = _STEP * depth
    joined = ", ".join(items)
    if _fits(indent + head + joined + tail):
        return head + joined + tail
    if _fits(indent + _STEP + joined):
        return f"{head}\n{indent}{_STEP}{joined}\n{indent}{tail}"
    lines = "".join(f"{indent}{_STEP}{item},\n" for item in items)
    return f"{head}\n{lines}{indent}{tail}"


def _fits(line: str) -> bool:
    return len(line) <= WIDTH


def text_literal(value: str) -> str:
    """Write a text as `ruff format` does: in double quotes, unless that needs more escapes."""
    quoted = repr(value)
    if quoted.startswith('"') or '"' in value:
        return quoted
    return '"' + quoted[1:-1].replace("\\'", "'") + '"'
