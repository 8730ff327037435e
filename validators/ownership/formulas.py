"""From values to formulas: what Python's operators mean inside a statement."""

import ast
from collections.abc import Iterator
from itertools import product
from typing import TypeGuard

from validators.ownership.facts import NO_FACTS, Facts
from validators.ownership.machine import Machine
from validators.ownership.state import State
from validators.ownership.values import (
    ANY_COLUMN,
    TERMS,
    Anything,
    Assumed,
    Attr,
    Both,
    Choice,
    Condition,
    Const,
    Derived,
    Either,
    Element,
    ElementValue,
    Equal,
    Formula,
    Items,
    Nothing,
    Opposite,
    Related,
    Result,
    Row,
    Statement,
    Term,
    Unfollowed,
    Unknown,
    Value,
    Within,
)
from validators.ownership.walk import origins

_TAUTOLOGY = Both(())


def is_sql(value: Value) -> bool:
    """Tell whether a value is part of a statement rather than a Python value."""
    if isinstance(value, Choice):
        return any(is_sql(member) for member, _ in value.members)
    if isinstance(value, Attr):
        return isinstance(value.row, Element)
    if isinstance(value, Unknown):
        return any(is_sql(term) for term in value.origins)
    return isinstance(value, Condition | Related | ElementValue | Derived | Statement)


def as_formula(machine: Machine, value: Value, state: State) -> Formula:
    """Return the formula that a value means inside `where`."""
    match value:
        case Condition(formula):
            return formula
        case Const(held):
            return _TAUTOLOGY if held or held is None else Nothing()
        case Choice(members):
            return Either(
                tuple(
                    Assumed(as_formula(machine, member, state), facts) for member, facts in members
                )
            )
        case Statement(kind="exists"):
            return Within(None, value)
        case Statement():
            return Within(None, value)
        case Items(items) if items is not None:
            return Both(tuple(as_formula(machine, item, state) for item in items))
        case Attr():
            return Anything((value,))
        case _:
            about = tuple(sorted((t for t in origins(value) if is_sql_term(t)), key=str))
            if about and is_sql(value):
                return Anything(about)
            reason = value.reason if isinstance(value, Unknown) else "a predicate"
            return Unfollowed(f"a predicate that cannot be followed ({reason})", about)


def is_sql_term(origin: object) -> TypeGuard[Attr]:
    """Tell whether a term is a column of a statement's element."""
    return isinstance(origin, Attr) and isinstance(origin.row, Element)


def comparison(
    machine: Machine, operator: ast.cmpop, left: Value, right: Value, state: State
) -> Formula:
    """Return the formula of a comparison inside a statement."""
    if isinstance(operator, ast.Eq | ast.Is):
        return equality(machine, left, right, state)
    if isinstance(operator, ast.NotEq | ast.IsNot):
        return Opposite(equality(machine, left, right, state))
    return Anything(tuple(_columns(left, right)))


def equality(machine: Machine, left: Value, right: Value, state: State) -> Formula:
    """Return the formula that two values are equal."""
    parts: list[Formula] = []
    for (one, facts), (other, more) in product(_alternatives(left), _alternatives(right)):
        part = _equal(machine, one, other, state)
        parts.append(Assumed(part, facts | more) if facts | more else part)
    return parts[0] if len(parts) == 1 else Either(tuple(parts))


def _equal(machine: Machine, left: Value, right: Value, state: State) -> Formula:
    if isinstance(right, Related) or is_column(right):
        left, right = right, left
    if isinstance(left, Related):
        return _related_equal(machine, left, right, state)
    if isinstance(right, Statement) and is_column(left):
        return Within(machine.as_term(left, state), right)
    if isinstance(left, Attr) and left.column == ANY_COLUMN:
        return Unfollowed("a column whose name is not constant", (left,))
    if is_column(left):
        return Equal(machine.as_term(left, state), _term(machine, right, state))
    return Anything(tuple(_columns(left, right)))


def _term(machine: Machine, value: Value, state: State) -> Term:
    return machine.as_term(machine.resolved(value, state), state)


def _related_equal(machine: Machine, left: Related, right: Value, state: State) -> Formula:
    model = machine.schema.models[left.element.model]
    relation = model.relations[left.name]
    for key in model.foreign:
        target = machine.schema.table(key.table) or machine.schema.named(key.table)
        if target is not None and target.key == relation.model and isinstance(right, Row):
            return Equal(Attr(left.element, key.column), Attr(right.symbol, key.target))
    del state
    return Anything((Attr(left.element, model.primary[0] if model.primary else "id"),))


def membership(machine: Machine, column: Value, holder: Value, state: State) -> Formula:
    """Return the formula `column in holder`."""
    if not is_column(column):
        return Anything(tuple(_columns(column, holder)))
    parts: list[Formula] = []
    for value, facts in _alternatives(holder):
        part = _member(machine, column, value, state)
        parts.append(Assumed(part, facts) if facts else part)
    return parts[0] if len(parts) == 1 else Either(tuple(parts))


def _member(machine: Machine, column: Value, holder: Value, state: State) -> Formula:
    match holder:
        case Statement():
            return Within(machine.as_term(column, state), holder)
        case Derived(statement):
            return Within(machine.as_term(column, state), statement)
        case Items(items, each):
            held = [*(items or ()), *([each] if each is not None else [])]
            parts = tuple(equality(machine, column, item, state) for item in held)
            return Either(parts) if parts else Nothing()
        case Result(each):
            return equality(machine, column, each, state)
        case _:
            return equality(machine, column, holder, state)


def is_column(value: Value) -> bool:
    """Tell whether a value is a column of a statement's element."""
    return isinstance(value, TERMS) and is_sql_term(value)


def _alternatives(value: Value) -> Iterator[tuple[Value, Facts]]:
    if isinstance(value, Choice):
        yield from value.members
    else:
        yield value, NO_FACTS


def _columns(*values: Value) -> list[Term]:
    found = {term for value in values for term in origins(value) if is_sql_term(term)}
    return sorted(found, key=str)
