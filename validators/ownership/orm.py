"""Functions of SQLAlchemy and SQLModel: what builds statements, predicates and sessions."""

from typing import TYPE_CHECKING

from validators.ownership.formulas import as_formula, is_sql
from validators.ownership.machine import Call
from validators.ownership.values import (
    Both,
    Condition,
    Either,
    Load,
    Made,
    Nothing,
    Opposite,
    Related,
    Unknown,
    Value,
)

if TYPE_CHECKING:
    from validators.ownership.interpreter import Interpreter

_EAGER = frozenset({"selectinload", "joinedload", "subqueryload", "immediateload"})
_SQL_TRANSPARENT = frozenset(
    {"lower", "upper", "trim", "max", "min", "cast", "type_coerce", "literal", "col", "desc", "asc",
     "label", "distinct", "text_type"}
)  # fmt: skip
# The packages whose functions these are.
ROOTS = ("sqlalchemy", "sqlmodel")


def call_result(machine: "Interpreter", name: str, last: str, call: Call) -> Value | None:  # noqa: C901, PLR0912  # one branch for each kind
    """Return what a function of SQLAlchemy or SQLModel gives; None where it is unknown."""
    if last.lower() in ("select", "update", "delete", "insert", "exists"):
        return machine.begin(last.lower(), call)
    if ".func." in name or name.endswith(".func"):
        return _function(machine, last, call)
    if last in {"and_", "or_"}:
        parts: list[Value] = list(call.args)
        formulas = [as_formula(machine, part, call.state) for part in parts]
        if call.rest is not None:
            rest = machine.some(call.rest, call.state)
            if last == "or_":
                rest = machine.any_of(call.rest, call.state)
            formulas.append(rest)
        if last == "or_" and not formulas:
            return Condition(Both(()))
        return Condition(Both(tuple(formulas)) if last == "and_" else Either(tuple(formulas)))
    if last == "not_":
        return Condition(Opposite(as_formula(machine, call.args[0], call.state)))
    if last in ("true", "false"):
        return Condition(Both(()) if last == "true" else Nothing())
    if last in ("union", "union_all"):
        return machine.united(call)
    if last in _EAGER and call.args and isinstance(call.args[0], Related):
        return Load(call.args[0], call.node)
    if last == "aliased":
        return machine.alias(call)
    if last == "text":
        return machine.text_statement(call)
    if last in _SQL_TRANSPARENT and call.args:
        return call.args[0]
    if last in ("Session", "AsyncSession", "sessionmaker", "async_sessionmaker", "create_engine",
                "create_async_engine", "scoped_session"):  # fmt: skip
        return Made("session")
    if last in ("Field", "Column", "mapped_column", "Relationship", "relationship"):
        return Unknown("a column's definition")
    if any(is_sql(value) for value in call.args):
        return machine.together(call.args)
    return None


def _function(machine: "Interpreter", last: str, call: Call) -> Value:
    if last in _SQL_TRANSPARENT and call.args:
        return call.args[0]
    return machine.together(call.values())
