"""What is known on a path: equalities between terms, and rows whose owner was proven."""

from collections.abc import Callable, Iterable
from typing import TypeAlias

from validators.frozen import frozen
from validators.ownership.values import Attr, Const, Given, Identity, Term, Vague


@frozen
class Same:
    """Two terms are equal on this path."""

    sides: frozenset[Term]


@frozen
class Owned:
    """A row belongs to the signed-in user, or was granted to them.

    Attributes:
        row: The row's symbol.
        why: The proof, in words.
        needs: Foreign keys (model and column) of which every write must be checked.
    """

    row: int
    why: str
    needs: frozenset[tuple[str, str]] = frozenset()


@frozen
class Fresh:
    """A row was made by this request and is not stored yet."""

    row: int


@frozen
class Verified:
    """A value from the request was checked against a signature."""

    term: Given


@frozen
class Empty:
    """A value from the request is missing on this path."""

    term: Term


@frozen
class Safe:
    """A value is the key of a row that belongs to the signed-in user, or is missing."""

    term: Term
    model: str


@frozen
class Configured:
    """A setting decided which path is taken."""

    name: str


Fact: TypeAlias = Same | Owned | Fresh | Verified | Empty | Safe | Configured
Facts: TypeAlias = frozenset[Fact]

NO_FACTS: Facts = frozenset()


def same(left: Term, right: Term) -> Facts:
    """Return the fact that two terms are equal; nothing where they are one term."""
    return frozenset((Same(frozenset((left, right))),)) if left != right else NO_FACTS


def equals(term: Term, facts: Facts) -> set[Term]:
    """Return every term known to be equal to a term, itself included."""
    pairs = [fact.sides for fact in facts if type(fact) is Same]
    found = {term}
    reached = {term}
    grew = bool(pairs)
    while grew:
        grew = False
        for sides in pairs:
            if not sides.isdisjoint(reached) and not sides <= found:
                found |= sides
                # Two values that could not be followed are never the same value.
                reached |= {side for side in sides if type(side) is not Vague}
                grew = True
    return found


def subjects(fact: Fact) -> frozenset[object]:
    """Return what a fact is about: row symbols and terms other than columns."""
    match fact:
        case Same(sides):
            return frozenset(side.row if isinstance(side, Attr) else side for side in sides)
        case Owned(row) | Fresh(row):
            return frozenset((row,))
        case Configured():
            return frozenset()
        case Verified(term) | Empty(term) | Safe(term):
            name = term.row if isinstance(term, Attr) else term
            return frozenset((name,))


def relevant(facts: Facts, names: Iterable[object]) -> Facts:
    """Return the facts that say something, at any remove, about row symbols and terms."""
    reached = set(names)
    left = [(fact, subjects(fact)) for fact in facts]
    kept: set[Fact] = set()
    grew = True
    while grew and left:
        grew = False
        rest = []
        for fact, named in left:
            if named.isdisjoint(reached):
                rest.append((fact, named))
            else:
                kept.add(fact)
                # Two things equal to one constant have nothing else in common.
                reached |= {name for name in named if not isinstance(name, Const | Identity)}
                grew = True
        left = rest
    return frozenset(kept)


def rows_of(facts: Facts) -> frozenset[object]:
    """Return the symbols of the rows that facts are about."""
    return frozenset(name for fact in facts for name in subjects(fact) if isinstance(name, int))


def without_repetition(
    facts: Facts, named: frozenset[object], model_of: Callable[[int], object]
) -> Facts:
    """Return the facts without those about rows like another one, where no value names the row.

    Each call that fetches a row by a key leaves facts that tie the row to the key. One such row
    says of the key what all say; without this, every further call would be one with new facts.

    Args:
        facts: What is known.
        named: Row symbols and terms that values name.
        model_of: Gives the table model of a row.
    """
    by_row: dict[int, set[Fact]] = {}
    for fact in facts:
        for name in subjects(fact):
            if isinstance(name, int):
                by_row.setdefault(name, set()).add(fact)
    if len(by_row) < 2:  # noqa: PLR2004  # one row is like no other
        return facts
    known: set[object] = set()
    repeated: set[Fact] = set()
    for row in sorted(by_row, key=lambda row: (row not in named, row)):
        likeness = model_of(row), frozenset(renamed_fact(f, row, 0) for f in by_row[row])
        if row not in named and likeness in known:
            repeated |= by_row[row]
        known.add(likeness)
    return facts - repeated


def without_column(facts: Facts, attr: Attr) -> Facts:
    """Return the facts without those about one column of one row."""
    return frozenset(
        fact
        for fact in facts
        if not (isinstance(fact, Same) and attr in fact.sides)
        and not (isinstance(fact, Safe | Empty) and fact.term == attr)
    )


def about(facts: Facts, names: Iterable[object]) -> Facts:
    """Return the facts that name one of these rows or terms."""
    wanted = frozenset(names)
    return frozenset(fact for fact in facts if not subjects(fact).isdisjoint(wanted))


def renamed_fact(fact: Fact, old: object, new: object) -> Fact:
    """Return a fact with a row symbol or a given term replaced."""
    match fact:
        case Same(sides):
            return Same(frozenset(renamed_term(side, old, new) for side in sides))
        case Owned(row, why, needs):
            return Owned(new, why, needs) if row == old and isinstance(new, int) else fact
        case Fresh(row):
            return Fresh(new) if row == old and isinstance(new, int) else fact
        case Verified(term):
            return Verified(new) if term == old and isinstance(new, Given) else fact
        case Configured():
            return fact
        case Empty(term):
            return Empty(renamed_term(term, old, new))
        case Safe(term, model):
            return Safe(renamed_term(term, old, new), model)


def renamed_term(term: Term, old: object, new: object) -> Term:
    """Return a term with a row symbol or a whole term replaced."""
    if isinstance(term, Attr):
        return Attr(new, term.column) if term.row == old and isinstance(new, int) else term
    if term == old and isinstance(new, Given):
        return new
    return term


def common_facts(tables: list[Facts]) -> Facts:
    """Return what holds on all of several paths.

    A value that is the key of an owned row on one path and missing on another is safe on both.
    """
    common = frozenset.intersection(*tables)
    safe = {fact for table in tables for fact in table if type(fact) is Safe} - common
    for fact in safe:
        if all(fact in table or Empty(fact.term) in table for table in tables):
            common |= {fact}
    return common | _owned_on_all(tables, common)


def _owned_on_all(tables: list[Facts], common: Facts) -> Facts:
    """Return the rows that are proven on every path, each path in its own way."""
    known = {fact.row for fact in common if type(fact) is Owned}
    proofs = [
        {fact.row: fact for fact in sorted(_owned(table), key=str) if fact.row not in known}
        for table in tables
    ]
    rows = set.intersection(*(set(found) for found in proofs))
    return frozenset(
        Owned(
            row,
            ", or ".join(dict.fromkeys(found[row].why for found in proofs)),
            frozenset[tuple[str, str]]().union(*(found[row].needs for found in proofs)),
        )
        for row in rows
    )


def _owned(table: Facts) -> list[Owned]:
    return [fact for fact in table if type(fact) is Owned]
