"""SQL as text: a statement from what `text()`, or a driver's cursor, is given."""

import re

from validators.ownership.machine import Call
from validators.ownership.statements import Statements
from validators.ownership.values import (
    Anything,
    Choice,
    Const,
    Element,
    ElementValue,
    Formula,
    Given,
    Made,
    Statement,
    Unfollowed,
    Unknown,
    Value,
)
from validators.ownership.walk import origins

_PARTS = re.compile(r"(?<![:\w]):(\w+)|%\((\w+)\)s|(%s)|\$(\d+)|(\?)")
# One constant, or one call of a function: `SELECT 1`, `SELECT pg_advisory_xact_lock(:key)`.
_COMPUTES = re.compile(
    r"\s*select\s+(\d+|\w+\s*\((?![^()]*\b(select|from|table)\b)[^()]*\))\s*;?\s*", re.IGNORECASE
)
HOLE = "hole__"
COMPUTED = Unknown("a value that the database computes")
# Stands in a text for a piece that is not known.
_GAP = "\0"


def parse_text(machine: Statements, value: Value, call: Call) -> Value:
    """Return the statement that a text of SQL is.

    Args:
        machine: Knows the table models.
        value: The text: a constant, or a template with values written into it.
        call: The call that takes the text, which is the query site.

    Returns:
        The statement, with parameters as terms named `:name`. A text that cannot be followed
        gives a statement whose predicate cannot be followed, on the owned tables it names.
    """
    if isinstance(value, Choice):
        return Choice(
            tuple((parse_text(machine, member, call), facts) for member, facts in value.members)
        )
    pieces = _pieces(value)
    shown = "".join(piece if isinstance(piece, str) else _GAP for piece in pieces)
    if not any(isinstance(piece, str) for piece in pieces):
        return Unknown("a text of SQL that cannot be followed", origins(value))
    site = machine.site(call.node, call.frame, "text").index
    injected = _injected(pieces)
    if injected is not None:
        return _undecided(machine, shown, site, injected, is_leak=True)
    sql, holes = _with_holes(pieces)
    simple = None if holes else computed(sql, site)
    if simple is not None:
        return simple
    # Imported here because to load sqlglot takes longer than a whole check.
    from validators.ownership.sql import UnreadableError, read_sql  # noqa: PLC0415

    try:
        return read_sql(machine, placeholders(sql), site, holes)
    except UnreadableError:
        return _undecided(machine, shown, site, "its text cannot be parsed", is_leak=False)


def computed(sql: str, site: int) -> Statement | None:
    """Return the statement of a text that reads no table: a constant, or one call.

    Any other text gives None, and must be parsed.
    """
    if _COMPUTES.fullmatch(sql) is None:
        return None
    return Statement("select", site, (COMPUTED,), is_text=True)


def _pieces(value: Value) -> list[str | Value]:
    """Return a text as its constant parts and the values written between them."""
    if isinstance(value, Const) and isinstance(value.value, str):
        return [value.value]
    if isinstance(value, Made) and value.kind == "text":
        return [piece for _, part in value.fields for piece in _pieces(part)]
    return [value]


def _injected(pieces: list[str | Value]) -> str | None:
    for piece in pieces:
        if not isinstance(piece, str):
            given = sorted((o for o in origins(piece) if isinstance(o, Given)), key=str)
            if given:
                first = given[0]
                return f"{first.name} from the {first.source} is written into the SQL text"
    return None


def _with_holes(pieces: list[str | Value]) -> tuple[str, dict[str, Value]]:
    holes: dict[str, Value] = {}
    text = ""
    for index, piece in enumerate(pieces):
        if isinstance(piece, str):
            text += piece
        else:
            holes[f"{HOLE}{index}"] = piece
            text += f":{HOLE}{index}"
    return text, holes


def placeholders(sql: str) -> str:
    """Return SQL with every driver's kind of parameter written as `:name`."""
    counter = iter(range(len(sql)))

    def name(match: re.Match[str]) -> str:
        if match[1] or match[2]:
            return f":{match[1] or match[2]}"
        if match[4]:
            return f":p{int(match[4]) - 1}"
        return f":p{next(counter)}"

    return _PARTS.sub(name, sql)


def _undecided(machine: Statements, text: str, site: int, reason: str, *, is_leak: bool) -> Value:
    """Return a statement on every owned table that a text names, bound by nothing."""
    words = {word.lower() for word in re.findall(r"\w+", text)}
    sources = tuple(
        Element(model.key)
        for model in machine.schema.models.values()
        if model.is_owned and model.table.lower() in words
    )
    verb = next((w for w in ("insert", "update", "delete") if w in words), "select")
    where: Formula = Unfollowed(reason)
    if is_leak:
        # The sender can write the predicate away.
        machine.site_list[site].notes.append(reason)
        where = Anything()
    columns: tuple[Value, ...] = tuple(ElementValue(element) for element in sources)
    if not sources and _GAP in text:
        # A piece that is not known may name any table.
        columns = (Unknown(reason),)
    return Statement(verb, site, columns, sources, where=(where,))
