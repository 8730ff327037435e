"""Looks through values: which rows and terms they hold, and the same value renamed."""

from collections.abc import Callable, Iterator
from collections.abc import Mapping as Mapping_
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any

from validators.ownership.facts import (
    NO_FACTS,
    Empty,
    Facts,
    Fresh,
    Owned,
    Safe,
    Same,
    Verified,
    renamed_fact,
    renamed_term,
    subjects,
)
from validators.ownership.values import (
    TERMS,
    Anything,
    Assumed,
    Attr,
    Both,
    Choice,
    ClassValue,
    Const,
    Derived,
    Either,
    Element,
    ElementValue,
    Equal,
    Formula,
    Function,
    Given,
    Identity,
    Instance,
    Items,
    Library,
    Made,
    Mapping,
    Method,
    ModuleValue,
    Opaque,
    Opposite,
    Partial,
    Result,
    Row,
    Statement,
    Term,
    Unfollowed,
    Unknown,
    Value,
    Within,
)

_FACTS = (Same, Verified, Owned, Fresh, Empty, Safe)
# An alternative of a value, with the facts that hold for it.
Member = tuple[Value, Facts]
# Values that hold other values.
HOLDERS = (Items, Mapping, Instance, Made, Function, Result, Method, Partial)
_LEAVES = (Const, Identity, Opaque, ClassValue, ModuleValue, Library)


def contents(value: Value) -> Iterator[Value]:  # noqa: C901, PLR0912  # one branch for each kind
    """Yield the values that a value holds directly."""
    match value:
        case Items(items, each):
            yield from items or ()
            if each is not None:
                yield each
        case Mapping(known, rest) | Instance(fields=known, rest=rest):
            for _, held in known:
                yield held
            if rest is not None:
                yield rest
        case Choice(choices):
            for held, _ in choices:
                yield held
        case Made(fields=named) | Function(closure=named):
            for _, held in named:
                yield held
            if isinstance(value, Function) and value.receiver is not None:
                yield value.receiver
        case Result(each) | Method(receiver=each):
            yield each
        case Partial(function, args, keywords):
            yield function
            yield from args
            for _, held in keywords:
                yield held
        case _:
            return


def functions_in(value: Value) -> Iterator[Function]:
    """Yield the project's functions that a value is or holds."""
    if isinstance(value, Function):
        yield value
    elif isinstance(value, Items | Mapping | Choice | Partial):
        for held in contents(value):
            yield from functions_in(held)


def origins(value: Value) -> frozenset[Term | Row]:
    """Return the terms and rows that a value is made from, constants aside."""
    if isinstance(value, _LEAVES) and not isinstance(value, Identity | Opaque):
        return frozenset()
    return _origins(value)


def member_list(value: Value) -> list[Member]:
    """Return the alternatives of a value with their facts."""
    return list(value.members) if isinstance(value, Choice) else [(value, NO_FACTS)]


def loose(value: Value, facts: Facts) -> Iterator[tuple[Term | Row, Facts]]:
    """Yield terms and rows inside a value, each with the facts that hold for it."""
    if isinstance(value, Choice):
        for member, extra in value.members:
            yield from loose(member, facts | extra)
    elif isinstance(value, HOLDERS):
        for held in contents(value):
            yield from loose(held, facts)
    else:
        for origin in sorted(origins(value), key=str):
            yield origin, facts


@cache
def _origins(value: Value) -> frozenset[Term | Row]:
    found: set[Term | Row] = set()
    stack: list[Value] = [value]
    # The same part may stand in many places.
    seen: set[int] = set()
    while stack:
        held = stack.pop()
        if id(held) in seen:
            continue
        seen.add(id(held))
        if isinstance(held, Row | Identity | Given | Attr | Opaque):
            found.add(held)
        elif isinstance(held, Unknown):
            found |= held.origins
        elif isinstance(held, Derived):
            continue
        else:
            stack.extend(contents(held))
    return frozenset(found)


@cache
def names_in(value: Value) -> frozenset[object]:
    """Return the row symbols, given terms and other terms that a value, or its facts, name."""
    found: set[object] = set()
    for held in _everything(value):
        if isinstance(held, Row):
            found.add(held.symbol)
        elif isinstance(held, Given | Opaque):
            found.add(held)
        elif isinstance(held, Attr) and isinstance(held.row, int):
            found.add(held.row)
        elif isinstance(held, _FACTS):
            found |= {name for name in subjects(held) if isinstance(name, int)}
    return frozenset(found)


@cache
def rows_in(value: Value) -> frozenset[int]:
    """Return the symbols of the rows that a value holds, or was made from; not of its facts."""
    found: set[int] = set()
    for held in _everything(value, without=_FACTS):
        if isinstance(held, Row):
            found.add(held.symbol)
        elif isinstance(held, Attr) and isinstance(held.row, int):
            found.add(held.row)
    return frozenset(found)


def _everything(value: object, without: tuple[type, ...] = ()) -> Iterator[object]:
    stack: list[Any] = [value]
    while stack:
        held = stack.pop()
        if isinstance(held, without):
            continue
        yield held
        if isinstance(held, tuple | frozenset):
            stack.extend(held)
        else:
            kind: Any = type(held)
            stack.extend([getattr(held, name) for name in _field_names(kind)])


@cache
def _field_names(cls: Any) -> tuple[str, ...]:  # noqa: ANN401  # any dataclass
    """Return the fields that hold values or parts of them; none of any other class."""
    if cls in (ClassValue, ModuleValue, Library) or not is_dataclass(cls):
        return ()
    hidden = {"node", "scope", "shape"}
    return tuple(field.name for field in fields(cls) if field.name not in hidden)


def renamed(value: Value, old: object, new: object) -> Value:
    """Return a value with a row symbol, or a given term, replaced everywhere."""
    if old not in names_in(value):
        return value
    rebuilt: Value = _rebuilt(value, lambda part: _replace(part, old, new))
    return rebuilt


def _replace(part: object, old: object, new: object) -> object | None:
    if isinstance(part, Row):
        return Row(new, part.model) if part.symbol == old and isinstance(new, int) else part
    if isinstance(part, TERMS):
        return renamed_term(part, old, new)
    if isinstance(part, _FACTS):
        return renamed_fact(part, old, new)
    return None


def _rebuilt(value: Any, replace: Callable[[object], object | None]) -> Any:  # noqa: ANN401  # keeps its type
    replaced = replace(value)
    if replaced is not None:
        return replaced
    if isinstance(value, tuple):
        return tuple(_rebuilt(item, replace) for item in value)
    if isinstance(value, frozenset):
        return frozenset(_rebuilt(item, replace) for item in value)
    cls: Any = type(value)
    names = _field_names(cls)
    if not names:
        return value
    changed = {name: _rebuilt(getattr(value, name), replace) for name in names}
    hidden = {
        field.name: getattr(value, field.name) for field in fields(cls) if field.name not in changed
    }
    return cls(**changed, **hidden)


def renamed_elements(value: Statement, new: dict[Element, Element]) -> Statement:
    """Return a statement with elements replaced."""

    def replace(part: object) -> object | None:
        return new.get(part) if isinstance(part, Element) else None

    result = _rebuilt(value, replace)
    assert isinstance(result, Statement)  # noqa: S101  # a rebuilt value keeps its type
    return result


def renamed_terms(value: Statement, new: dict[Term, Term]) -> Statement:
    """Return a statement with terms replaced."""

    def replace(part: object) -> object | None:
        return new.get(part) if isinstance(part, Opaque) else None

    result = _rebuilt(value, replace)
    assert isinstance(result, Statement)  # noqa: S101  # a rebuilt value keeps its type
    return result


def with_rows(value: Value, rows: Mapping_[Element, Row]) -> Value:
    """Return a selected value with its elements replaced by rows."""

    def replace(part: object) -> object | None:
        if isinstance(part, ElementValue) and part.element in rows:
            return rows[part.element]
        if isinstance(part, Attr) and isinstance(part.row, Element) and part.row in rows:
            return Attr(rows[part.row].symbol, part.column)
        return None

    rebuilt: Value = _rebuilt(value, replace)
    return rebuilt


def terms_in(formula: Formula) -> tuple[Term, ...]:
    """Return the terms that a formula compares, statements inside it aside."""
    match formula:
        case Equal(left, right):
            return (left, right)
        case Anything(about) | Unfollowed(_, about):
            return about
        case Both(parts) | Either(parts):
            return tuple(dict.fromkeys(term for part in parts for term in terms_in(part)))
        case Opposite(part) | Assumed(part):
            return terms_in(part)
        case Within(term, _) if term is not None:
            return (term,)
        case _:
            return ()


def has_statement(formula: Formula) -> bool:
    """Tell whether a formula holds a statement, such as a subquery."""
    match formula:
        case Both(parts) | Either(parts):
            return any(has_statement(part) for part in parts)
        case Opposite(part) | Assumed(part):
            return has_statement(part)
        case _:
            return isinstance(formula, Within)


def mentioned(formula: Formula) -> Iterator[Element]:
    """Yield the elements whose columns a formula compares."""
    for term in terms_in(formula):
        if isinstance(term, Attr) and isinstance(term.row, Element):
            yield term.row


def clear_caches() -> None:
    """Forget what was remembered about values."""
    for cached in (_origins, names_in):
        cached.cache_clear()
