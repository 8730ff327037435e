"""What a predicate proves: a formula as alternatives, each a conjunction of facts."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from itertools import product

from validators.frozen import frozen
from validators.ownership.facts import NO_FACTS, Facts, same
from validators.ownership.values import (
    Anything,
    Assumed,
    Attr,
    Both,
    Either,
    Element,
    Equal,
    Formula,
    Nothing,
    Opposite,
    Statement,
    Term,
    Unfollowed,
    Within,
)

# A predicate with more alternatives than this is not decided.
MOST_BRANCHES = 64

Symbols = Callable[[Statement, Element], int]


@frozen
class Inner:
    """A row of a statement inside the statement, with what is known of it alone."""

    row: int
    site: int
    facts: Facts


@frozen
class Branch:
    """One alternative of a predicate.

    Attributes:
        facts: What holds in it.
        inner: Rows of inner statements.
        reasons: Why parts of it could not be followed.
    """

    facts: Facts = NO_FACTS
    inner: tuple[Inner, ...] = ()
    reasons: tuple[str, ...] = ()


class TooManyBranchesError(Exception):
    """A predicate has more alternatives than can be looked at."""


@dataclass
class Binder:
    """Replaces elements of statements by row symbols."""

    symbols: Symbols
    elements_of: Callable[[Statement, frozenset[Element]], list[Element]]
    column_of: Callable[[Statement], Term | None]
    bound: Mapping[Element, int] = field(default_factory=dict)

    def term(self, term: Term) -> Term:
        """Return a term with its element replaced by the row symbol."""
        if isinstance(term, Attr) and isinstance(term.row, Element) and term.row in self.bound:
            return Attr(self.bound[term.row], term.column)
        return term

    def branches(self, formula: Formula) -> list[Branch]:
        """Return the alternatives under which a formula holds."""
        match formula:
            case Equal(left, right):
                return [Branch(same(self.term(left), self.term(right)))]
            case Both(parts):
                return conjunction([self.branches(part) for part in parts])
            case Either(parts):
                found = [branch for part in parts for branch in self.branches(part)]
                return _limited(found)
            case Assumed(part, facts):
                return [replace(b, facts=b.facts | facts) for b in self.branches(part)]
            case Within(term, statement):
                return self._within(term, statement)
            case Opposite(part):
                return self._opposite(part)
            case Nothing():
                return []
            case Unfollowed(reason):
                return [Branch(reasons=(reason,))]
            case Anything():
                return [Branch()]

    def _opposite(self, part: Formula) -> list[Branch]:
        match part:
            case Opposite(inner):
                return self.branches(inner)
            case Both(parts):
                return self.branches(Either(tuple(Opposite(p) for p in parts)))
            case Either(parts):
                return self.branches(Both(tuple(Opposite(p) for p in parts)))
            case Assumed(inner, _):
                return self._opposite(inner)
            case Within(term, statement):
                found = self._within(term, statement)
                # Rows outside the inner statement are kept: its equality binds only itself.
                return [Branch(NO_FACTS, branch.inner) for branch in found]
            case _:
                return [Branch()]

    def _within(self, term: Term | None, statement: Statement) -> list[Branch]:
        own = self.elements_of(statement, frozenset(self.bound))
        rows = {element: self.symbols(statement, element) for element in own}
        inside = Binder(self.symbols, self.elements_of, self.column_of, {**self.bound, **rows})
        found = inside.statement(statement)
        column = self.column_of(statement)
        link = NO_FACTS
        if term is not None and column is not None:
            link = same(self.term(term), inside.term(column))
        return [
            Branch(
                branch.facts | link,
                branch.inner
                + tuple(Inner(row, statement.site, branch.facts | link) for row in rows.values()),
                branch.reasons,
            )
            for branch in found
        ]

    def together(self, found: list[Branch], statement: Statement) -> list[Branch]:
        """Return the alternatives under which earlier ones and a statement's conditions hold."""
        return conjunction([found, self.statement(statement)])

    def statement(self, statement: Statement) -> list[Branch]:
        """Return the alternatives of a statement's own conditions, outer joins aside."""
        parts: list[Formula] = list(statement.where)
        parts += [joined.on for joined in statement.joins if not joined.is_outer]
        # A statement among the selected columns restricts nothing.
        parts += [
            Opposite(Within(None, column))
            for column in statement.columns
            if isinstance(column, Statement)
        ]
        return conjunction([self.branches(part) for part in parts])


def conjunction(parts: list[list[Branch]]) -> list[Branch]:
    """Return the alternatives under which all parts hold."""
    total = 1
    for part in parts:
        total *= max(len(part), 1)
        if total > MOST_BRANCHES:
            raise TooManyBranchesError
    merged = []
    for chosen in product(*parts):
        facts = NO_FACTS.union(*(branch.facts for branch in chosen))
        inner = tuple(inner for branch in chosen for inner in branch.inner)
        reasons = tuple(reason for branch in chosen for reason in branch.reasons)
        merged.append(Branch(facts, inner, reasons))
    return merged


def _limited(found: list[Branch]) -> list[Branch]:
    if len(found) > MOST_BRANCHES:
        raise TooManyBranchesError
    return found
