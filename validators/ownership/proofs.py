"""Whose row is it? The rules by which facts prove that a row belongs to the signed-in user."""

from collections.abc import Iterator
from typing import Literal

from validators.frozen import frozen
from validators.ownership.facts import Facts, Fresh, Owned, Same, equals
from validators.ownership.schema import Schema, TableModel
from validators.ownership.values import Attr, Const, Given, Identity, Opaque, Term, Vague

Needs = frozenset[tuple[str, str]]


@frozen
class Why:
    """A proof in words, and the foreign keys of which every write must be checked for it."""

    text: str
    needs: Needs = frozenset()


@frozen
class WhyNot:
    """Why nothing is proven.

    Attributes:
        verdict: The verdict that follows.
        text: The reason in words.
        blame: The part of the request, or the row, that was taken for the identity.
        is_missing: Whether nothing at all is compared.
        through: Foreign keys that lead to a checked parent, where only the own column is missing.
        parent: The unchecked row by whose key this one was found.
    """

    verdict: Literal["leak", "unproven"]
    text: str
    blame: "Given | int | None" = None
    is_missing: bool = False
    through: Needs | None = None
    parent: int | None = None


class Prover:
    """Answers whose a row is, from facts.

    Attributes:
        schema: The table models.
        rows: The model of each row symbol.
    """

    def __init__(self, schema: Schema) -> None:
        self.schema = schema
        self.rows: dict[int, TableModel] = {}
        # By what else than the identity a user's row is looked up on some path.
        self.doubts: dict[int, Given | Const] = {}

    def identity(self, term: Term, facts: Facts) -> Identity | None:
        """Return the identity that a term is known to equal, or None."""
        if isinstance(term, Identity):
            return term
        seen: set[Term] = set()
        stack: list[Term] = [term]
        found: list[Identity] = []
        while stack:
            for other in equals(stack.pop(), facts) - seen:
                seen.add(other)
                if isinstance(other, Identity):
                    found.append(other)
                elif isinstance(other, Attr):
                    stack += self._same_person(other)
                    found += self._new_account(other, facts)
        return min(found, key=lambda identity: (identity.origin, identity.claim), default=None)

    def _same_person(self, attr: Attr) -> Iterator[Term]:
        """Yield the unique columns of a user row, each of which names the same person."""
        model = self.rows.get(attr.row) if isinstance(attr.row, int) else None
        if model is None or not model.is_user or attr.column not in model.unique:
            return
        for column in sorted(model.unique):
            if column != attr.column:
                yield Attr(attr.row, column)

    def _new_account(self, attr: Attr, facts: Facts) -> Iterator[Identity]:
        model = self.rows.get(attr.row) if isinstance(attr.row, int) else None
        if model is None or not model.is_user or Fresh(int(str(attr.row))) not in facts:
            return
        # Whoever chooses the key of an account, the sender or the source, can choose anybody's.
        keys = (equals(Attr(attr.row, column), facts) for column in model.primary)
        if not any(isinstance(other, Given | Const) for known in keys for other in known):
            yield Identity(attr.column, "the account that this request creates")

    def owned(self, row: int, facts: Facts, seen: frozenset[int] = frozenset()) -> Why | None:
        """Return the proof that a row is the signed-in user's, or None."""
        if row in seen:
            return None
        seen |= {row}
        known = [fact for fact in facts if isinstance(fact, Owned) and fact.row == row]
        if known:
            first = min(known, key=lambda fact: fact.why)
            return Why(first.why, first.needs)
        model = self.rows[row]
        return (
            self._by_column(row, model, facts)
            or self._same_row(row, model, facts, seen)
            or self._through_grant(row, model, facts, seen)
            or self._through_shared_parent(row, model, facts, seen)
            or self._through_parent(row, model, facts, seen)
        )

    def _by_column(self, row: int, model: TableModel, facts: Facts) -> Why | None:
        columns = model.unique if model.is_user else model.owners
        for column in sorted(columns):
            identity = self.identity(Attr(row, column), facts)
            if identity is not None:
                return Why(f"{model.name}.{column} is {describe(identity)}")
        return None

    def _same_row(
        self, row: int, model: TableModel, facts: Facts, seen: frozenset[int]
    ) -> Why | None:
        if len(model.primary) != 1:
            return None
        for other in self._equal_rows(Attr(row, model.primary[0]), facts, seen):
            # A new row whose key was chosen proves nothing about the stored one with that key.
            is_chosen = Fresh(_symbol(other)) in facts and self._is_given(other, facts)
            if not is_chosen and other.column == model.primary[0] and self._is(other, model.key):
                why = self.owned(_symbol(other), facts, seen)
                if why:
                    return Why(f"the same {model.name} was checked before: {why.text}", why.needs)
        return None

    def _is_given(self, attr: Attr, facts: Facts) -> bool:
        """Tell whether a column is known to equal something that is not the database's own."""
        return any(isinstance(term, Given | Const | Vague) for term in equals(attr, facts))

    def _through_grant(
        self, row: int, model: TableModel, facts: Facts, seen: frozenset[int]
    ) -> Why | None:
        for symbol, column in self.grants_of(row, model, facts, seen):
            grant = self.rows[symbol]
            why = self._by_column(symbol, grant, facts)
            if why:
                text = f"{model.name} is reached through {grant.name}.{column}"
                return Why(f"{text}, and {why.text}", frozenset({(grant.key, column)}))
        return None

    def grants_of(
        self, row: int, model: TableModel, facts: Facts, seen: frozenset[int] = frozenset()
    ) -> Iterator[tuple[int, str]]:
        """Yield the stored rows with an owner that name a row, each with the column that does."""
        for column in sorted({*model.primary, *model.unique}):
            for other in self._equal_rows(Attr(row, column), facts, seen):
                grant = self.rows[_symbol(other)]
                if (other.column, model.key, column) not in grant.parents or not grant.owners:
                    continue
                # A grant that this request makes up grants nothing.
                if Fresh(_symbol(other)) not in facts:
                    yield _symbol(other), other.column

    def _through_shared_parent(
        self, row: int, model: TableModel, facts: Facts, seen: frozenset[int]
    ) -> Why | None:
        """Accept a row below a parent that is shared: the task of a team with a membership."""
        for column, parent, target in model.parents:
            for other in self._equal_rows(Attr(row, column), facts, seen):
                grant = self.rows[_symbol(other)]
                if not grant.is_grant or (other.column, parent, target) not in grant.parents:
                    continue
                why = self._by_column(_symbol(other), grant, facts)
                if why:
                    name = self.schema.models[parent].name
                    text = f"{model.name}.{column} is the key of a {name} that is shared"
                    return Why(f"{text}: {why.text}", frozenset({(grant.key, other.column)}))
        return None

    def _through_parent(
        self, row: int, model: TableModel, facts: Facts, seen: frozenset[int]
    ) -> Why | None:
        # A grant belongs to the owner of what it grants as well as to whom it names.
        if model.owners and not model.is_grant:
            return None
        return self._by_parent(row, model, facts, seen)

    def _by_parent(
        self, row: int, model: TableModel, facts: Facts, seen: frozenset[int]
    ) -> Why | None:
        for column, parent, target in model.parents:
            for other in self._equal_rows(Attr(row, column), facts, seen):
                if other.column != target or not self._is(other, parent):
                    continue
                why = self.owned(_symbol(other), facts, seen)
                if why:
                    name = self.schema.models[parent].name
                    text = f"{model.name}.{column} is the key of a checked {name}: {why.text}"
                    return Why(text, why.needs | {(model.key, column)})
        return None

    def _equal_rows(self, attr: Attr, facts: Facts, seen: frozenset[int]) -> list[Attr]:
        found = [
            other
            for other in equals(attr, facts)
            if isinstance(other, Attr) and isinstance(other.row, int) and other.row not in seen
        ]
        return sorted(found, key=lambda other: (_symbol(other), other.column))

    def _is(self, attr: Attr, key: str) -> bool:
        return self.rows[_symbol(attr)].key == key

    def why_not(self, row: int, facts: Facts, seen: frozenset[int] = frozenset()) -> WhyNot:
        """Say what is missing to prove that a row is the signed-in user's."""
        model = self.rows[row]
        seen |= {row}
        columns = model.owners or tuple(column for column, _, _ in model.parents)
        reasons = [self._compared(row, model, column, facts) for column in columns]
        known = [reason for reason in reasons if reason is not None]
        for reason in known:
            if reason.verdict == "unproven":
                return reason
        parent = None if model.owners else self._unproven_parent(row, model, facts, seen)
        if parent is not None:
            return parent
        if known:
            return known[0]
        through = self._by_parent(row, model, facts, seen) if model.owners else None
        if through is not None:
            names = " or ".join(f"{model.name}.{column}" for column in model.owners)
            text = f"{through.text}; but {names} is not compared with the signed-in user"
            return WhyNot("leak", text, through=through.needs)
        if model.owners:
            names = " or ".join(f"{model.name}.{column}" for column in model.owners)
            text = f"{names} is not compared with the signed-in user"
            return WhyNot("leak", text, is_missing=True)
        names = " or ".join(f"{model.name}.{column}" for column in columns)
        text = f"{names} is not bound to a row of the signed-in user"
        return WhyNot("leak", text, is_missing=True)

    def _unproven_parent(
        self, row: int, model: TableModel, facts: Facts, seen: frozenset[int]
    ) -> WhyNot | None:
        for column, parent, target in model.parents:
            for other in self._equal_rows(Attr(row, column), facts, seen):
                if other.column == target and self._is(other, parent):
                    reason = self.why_not(_symbol(other), facts, seen)
                    text = f"{model.name}.{column} is the key of an unchecked row: {reason.text}"
                    return WhyNot(reason.verdict, text, parent=_symbol(other))
        return None

    def unchecked_parents(self, row: int, facts: Facts) -> list[int]:
        """Return the rows by whose keys a row was found, and that are not the signed-in user's."""
        model = self.rows[row]
        return [
            _symbol(other)
            for column, parent, target in model.parents
            for other in self._equal_rows(Attr(row, column), facts, frozenset((row,)))
            if other.column == target
            and self._is(other, parent)
            and self.owned(_symbol(other), facts) is None
        ]

    def _compared(self, row: int, model: TableModel, column: str, facts: Facts) -> WhyNot | None:
        attr = Attr(row, column)
        others = [term for term in equals(attr, facts) if term != attr]
        for term in sorted(others, key=lambda term: (type(term).__name__, str(term))):
            if isinstance(term, Opaque) or (isinstance(term, Vague) and not term.is_given):
                text = f"{model.name}.{column} is compared with a value that cannot be followed"
                return WhyNot("unproven", f"{text}: {term.label}")
        for term in sorted(others, key=lambda term: (type(term).__name__, str(term))):
            if isinstance(term, Given | Vague):
                text = f"{model.name}.{column} is compared with {describe(term)}"
                blame = term if isinstance(term, Given) else None
                # What the sender chooses is nobody's identity; no need to say so.
                tail = "" if text.endswith("chooses") else ", not with the signed-in user"
                return WhyNot("leak", text + tail, blame)
            if isinstance(term, Const):
                text = f"{model.name}.{column} is compared with the constant {term.value!r}"
                return WhyNot("leak", f"{text}, not with the signed-in user")
        return self._looked_up(model, column, others, facts)

    def _looked_up(
        self, model: TableModel, column: str, others: list[Term], facts: Facts
    ) -> WhyNot | None:
        """Say by what the user was looked up whose key a column is compared with."""
        for term in sorted(others, key=str):
            user = self.rows.get(term.row) if isinstance(term, Attr) else None  # type: ignore[arg-type]
            if not isinstance(term, Attr) or user is None:
                continue
            side = self.looked_up_by(term.row, facts) if isinstance(term.row, int) else None
            if side is None:
                continue
            text = f"{model.name}.{column} is compared with a {user.name} looked up by"
            blame: Given | int | None = side if isinstance(side, Given) else None
            # An offer names users, and a row of theirs, and stands for nobody who is signed in.
            is_stand_in = not user.is_user and not user.parents
            if blame is not None and is_stand_in and isinstance(term.row, int):
                blame = term.row
            return WhyNot("leak", f"{text} {describe(side)}", blame)
        return None

    def looked_up_by(self, row: int, facts: Facts) -> Given | Const | None:
        """Return the part of the request, or the constant, by which a row was looked up."""
        for key in sorted(self.rows[row].columns):
            for side in sorted(equals(Attr(row, key), facts), key=str):
                if isinstance(side, Given | Const):
                    return side
        return self.doubts.get(row)


def describe(term: Term) -> str:
    """Say in words what a term is."""
    match term:
        case Identity(claim, origin):
            return f"the signed-in user ({claim}, from {origin})"
        case Given("caller", name):
            return f"the parameter {name}"
        case Given("shared", name):
            return f"{name}, which all requests share"
        case Given("answer", name):
            return f"a part of {name}"
        case Given(source, name):
            return f"{name} from the {source}, which the sender chooses"
        case Const(value):
            return f"the constant {value!r}"
        case Opaque(label) | Vague(label):
            return label
        case Attr(_, column):
            return f"a column {column}"


def _symbol(attr: Attr) -> int:
    assert isinstance(attr.row, int)  # noqa: S101  # only rows of facts come here
    return attr.row


def compared_columns(facts: Facts) -> set[Attr]:
    """Return every column of a row that some fact mentions."""
    return {
        side
        for fact in facts
        if isinstance(fact, Same)
        for side in fact.sides
        if isinstance(side, Attr) and isinstance(side.row, int)
    }
