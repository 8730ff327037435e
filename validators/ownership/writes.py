"""Writes: new rows, changed columns, and whether owner and parents are the user's own."""

import ast
import re
from collections.abc import Iterable
from typing import Literal

from validators.frozen import frozen
from validators.ownership.facts import Facts, Fresh, Safe, equals, same, without_column
from validators.ownership.machine import Call, row_of
from validators.ownership.proofs import WhyNot, describe
from validators.ownership.recorder import Event, Frame, KeyWrite, Place
from validators.ownership.schema import TableModel
from validators.ownership.state import State, choice
from validators.ownership.transfers import NOT_THE_USER, Change, Transfers
from validators.ownership.values import (
    NONE,
    Attr,
    Choice,
    ClassValue,
    Const,
    Element,
    Given,
    Instance,
    Items,
    Made,
    Mapping,
    Opaque,
    Row,
    Statement,
    Term,
    Unknown,
    Vague,
    Value,
    members,
)

_OWNER = re.compile(r"owner|creator|created_by|author")


@frozen
class Origin:
    """Where a row was made."""

    node: ast.AST
    path: str
    label: str


LOOKED_UP = f"{NOT_THE_USER}: one looked up by"
KeyVerdict = Literal["checked", "leak", "unproven"]


class Writes(Transfers):
    """Checks what is stored."""

    def prepare(self) -> None:
        """Set up what writes need."""
        super().prepare()
        self.made_at: dict[int, Origin] = {}
        # Every value that a column of a row was set to, on any path.
        self.written: dict[Attr, dict[Term, None]] = {}

    # New rows.

    def new_object(self, model: TableModel, call: Call) -> Value:
        """Return a new object of a table model."""
        symbol = self.fresh_row(("new", call.node), model, call)
        row = Row(symbol, model.key)
        for name, value in call.keywords.items():
            self._set_column(row, model, name, value, call.state)
        if call.more is not None:
            known = set(call.keywords)
            self._set_rest(row, model, call.more, known, call.state)
        return row

    def fresh_row(self, key: object, model: TableModel, call: Call) -> int:
        """Return the symbol of a row that this request makes."""
        symbol = self.new_row(key, model, None, call.state, call.frame)
        self.made_at[symbol] = Origin(call.node, call.frame.path, call.frame.entry.label)
        call.state.learn(frozenset((Fresh(symbol),)))
        return symbol

    def fill(self, row: Row, source: Value, state: State, skip: Iterable[str] = ()) -> list[str]:
        """Set the columns of a row from a dictionary, an object or a part of the request.

        Returns:
            The columns that were set, as far as they name owners or parents.
        """
        model = self.prover.rows[row.symbol]
        left = set(skip)
        if isinstance(source, Choice):
            found = [name for m, _ in source.members for name in self.fill(row, m, state, skip)]
            return list(dict.fromkeys(found))
        known: tuple[tuple[object, Value], ...] = ()
        rest: Value | None = None
        if isinstance(source, Mapping):
            known, rest = source.known, source.rest
        elif isinstance(source, Instance):
            known, rest = source.fields, source.rest
        elif isinstance(source, Given) and source.shape is not None:
            known = tuple(
                (name, self.given_field(source, name)) for name in self.field_names(source.shape)
            )
        else:
            rest = source
        telling = self._telling_columns(model)
        filled = []
        for name, value in known:
            if name not in left:
                self._set_column(row, model, str(name), value, state)
                left.add(str(name))
                filled += [str(name)] if name in telling else []
        if rest is not None:
            self._set_rest(row, model, rest, left, state)
            filled += [name for name in telling if name not in left]
        return filled

    def _set_rest(
        self, row: Row, model: TableModel, rest: Value, known: set[str], state: State
    ) -> None:
        for name in self._telling_columns(model):
            if name not in known:
                self._set_column(row, model, name, rest, state)

    def _telling_columns(self, model: TableModel) -> list[str]:
        return list(dict.fromkeys((*model.owners, *(column for column, _, _ in model.parents))))

    def _set_column(
        self, row: Row, model: TableModel, name: str, value: Value, state: State
    ) -> None:
        name, value = self._stored(model, name, value)
        if name not in model.columns:
            return
        attr = Attr(row.symbol, name)
        facts = without_column(state.facts, attr)
        if isinstance(value, Choice):
            parent = next(((key, at) for c, key, at in model.parents if c == name), None)
            if parent is not None and self._all_safe(value, *parent, state):
                state.facts = facts | {Safe(attr, parent[0])}
                return
        term = self.settled(value, state)
        state.facts = facts | same(attr, term)
        self.written.setdefault(attr, {})[term] = None

    def _stored(self, model: TableModel, name: str, value: Value) -> tuple[str, Value]:
        """Return the column and the key that are stored where a row is assigned to a relation."""
        relation = model.relations.get(name)
        rows = [member for member in members(value) if isinstance(member, Row)]
        if relation is None or len(rows) != 1:
            return name, value
        target = self.schema.models[rows[0].model]
        named = {key.column for key in model.foreign} & set(relation.columns)
        for key in model.foreign:
            is_meant = not named or key.column in named
            if is_meant and key.table in (target.table, target.name):
                return key.column, Attr(rows[0].symbol, key.target)
        return name, value

    def _terms(self, attr: Attr, facts: Facts) -> list[Term]:
        """Return what a column of a new row is equal to, or was set to on some path."""
        terms = sorted((term for term in equals(attr, facts) if term != attr), key=str)
        return terms or [
            term
            for term in self.written.get(attr, {})
            if term != NONE and self.prover.identity(term, facts) is None
        ]

    def _all_safe(self, value: Choice, parent: str, target: str, state: State) -> bool:
        """Tell whether every alternative is missing or the key of an owned row."""
        for member, extra in value.members:
            facts = state.facts | extra
            term = self.as_term(member, state)
            if term == NONE or Safe(term, parent) in facts:
                continue
            if not self._is_owned_key(term, parent, target, facts, frozenset()):
                return False
        return True

    def _is_owned_key(
        self, term: Term, parent: str, target: str, facts: Facts, seen: frozenset[int]
    ) -> bool:
        """Tell whether a term is the key of an owned row of a model."""
        return (
            isinstance(term, Attr)
            and isinstance(term.row, int)
            and term.column == target
            and self.prover.rows[term.row].key == parent
            and self.prover.owned(term.row, facts, seen) is not None
        )

    def settled(self, value: Value, state: State) -> Term:
        """Return the term that a stored value is; the least trusted of several."""
        if not isinstance(value, Choice):
            return self.as_term(self.resolved(value, state), state)
        found: list[tuple[int, Term]] = []
        for member, facts in value.members:
            inner = State(state.env, state.facts | facts, state.store)
            term = self.as_term(self.resolved(member, inner), inner)
            found.append((self._trust(term, inner.facts), term))
        return min(found, key=lambda pair: pair[0])[1]

    def _trust(self, term: Term, facts: Facts) -> int:
        """Return how far a value may be trusted, from what the sender chooses to nothing at all."""
        if isinstance(term, Given) or (isinstance(term, Vague) and term.is_given):
            return 0
        if term == NONE:
            return 5
        if self.prover.identity(term, facts) is not None:
            return 4
        row = row_of(term)
        if row is None:
            return 1
        return 3 if self.is_owned(row, facts) else 2

    # Storing.

    def store_row(self, value: Value, call: Call) -> None:
        """Check what `session.add` stores."""
        if isinstance(value, Choice):
            for member, facts in value.members:
                inner = Call(call.node, call.state.copy(), call.frame, call.args, call.keywords)
                inner.state.learn(facts)
                self.store_row(member, inner)
        elif isinstance(value, Items):
            held = [*(value.items or ()), *([value.each] if value.each is not None else [])]
            for item in held:
                self.store_row(item, call)
        elif isinstance(value, Row):
            if Fresh(value.symbol) in call.state.facts:
                self.insert_row(value, call)
            else:
                self.use_row(value.symbol, call.state.facts, call.frame, "is stored")

    def insert_row(self, row: Row, call: Call) -> None:
        """Check the owner and the parents of a new row."""
        model = self.prover.rows[row.symbol]
        if model.is_credential:
            self._note_forgery(row, model, call)
        if not model.is_owned:
            return
        made = self.made_at[row.symbol]
        frame = Frame(call.frame.entry, made.path)
        site = self.site(made.node, frame, "insert")
        site.function = made.label
        site.models[model.name] = None
        keys = self._check_keys(row, model, made, call)
        place = Place.of(made.path, made.node)
        self._note_users(row.symbol, model, model.owners, place, call.state.facts, call.frame)
        reason = self._owner_doubt(
            row.symbol, model, call.state.facts, has_parent="checked" in keys
        )
        if reason is not None:
            code = "BP305" if reason.verdict == "leak" else ""
            self._problem_at(made, call, code, f"{reason.text}.")
            event = Event(reason.verdict, row.symbol, site.index, reason.text, blame=reason.blame)
        elif "leak" in keys or "unproven" in keys:
            verdict: Literal["leak", "unproven"] = "leak" if "leak" in keys else "unproven"
            event = Event(verdict, row.symbol, site.index, keys[verdict])
        else:
            event = Event("bound", row.symbol, site.index, self._insert_proof(row, model, call))
        self.record(call.frame, event)

    def _note_forgery(self, row: Row, model: TableModel, call: Call) -> None:
        """Note that anybody can store a session or token for whom they like."""
        for column in model.owners:
            attr = Attr(row.symbol, column)
            terms = self._terms(attr, call.state.facts)
            is_chosen = any(self._trust(term, call.state.facts) == 0 for term in terms)
            if is_chosen and model.key not in self.forgeable:
                self.forgeable.add(model.key)
                self.is_stale = True

    def _insert_proof(self, row: Row, model: TableModel, call: Call) -> str:
        why = self.prover.owned(row.symbol, call.state.facts)
        return why.text if why else f"the new {model.name} names nobody else's row"

    def _problem_at(self, made: Origin, call: Call, code: str, message: str) -> None:
        if code:
            frame = Frame(call.frame.entry, made.path)
            self.problem(frame, made.node, code, message)

    def _owner_doubt(
        self, row: int, model: TableModel, facts: Facts, *, has_parent: bool
    ) -> WhyNot | None:
        """Return why the owner of a new row is not the signed-in user, or None."""
        doubts: list[WhyNot] = []
        for column in model.owners:
            attr = Attr(row, column)
            if self.prover.identity(attr, facts) is not None:
                return None
            terms = self._terms(attr, facts)
            if terms and terms != [NONE]:
                doubt = self._doubt(model, column, terms, facts)
                if len(model.owners) > 1 and _OWNER.match(column) and doubt.blame is not None:
                    # Beside it stands whom the row is for, which says nothing about its owner.
                    return WhyNot(doubt.verdict, doubt.text.lstrip("~"), doubt.blame)
                doubts.append(doubt)
        if not doubts or model.is_credential:
            return None
        if has_parent and (model.is_grant or doubts[0].text.startswith("~")):
            return None
        first = doubts[0]
        return WhyNot(first.verdict, first.text.lstrip("~"), first.blame)

    def _doubt(self, model: TableModel, column: str, terms: list[Term], facts: Facts) -> WhyNot:
        for term in terms:
            if isinstance(term, Attr) and isinstance(term.row, int):
                side = self.prover.looked_up_by(term.row, facts)
                if isinstance(side, Given):
                    text = f"~{model.name}.{column} is set to {LOOKED_UP} {describe(side)}"
                    return WhyNot("leak", text, side)
        return _doubt(model, column, terms)

    def _check_keys(
        self, row: Row, model: TableModel, made: Origin, call: Call
    ) -> dict[KeyVerdict, str]:
        """Record each foreign key to an owned model that a new row stores."""
        found: dict[KeyVerdict, str] = {}
        place = Place.of(made.path, made.node)
        for column, parent, target in model.parents:
            result = self.key_state(row.symbol, column, parent, target, call.state.facts)
            if result is None:
                continue
            verdict, text = result
            found[verdict] = text
            write = KeyWrite(model.key, column, place, verdict, text)
            self.key_write(call.frame, write)
            if verdict == "leak":
                self._problem_at(made, call, "BP306", f"{text}.")
        return found

    def key_state(
        self, row: int, column: str, parent: str, target: str, facts: Facts
    ) -> tuple[KeyVerdict, str] | None:
        """Say whether a stored foreign key names a row of the user; None where none is stored."""
        attr = Attr(row, column)
        if Safe(attr, parent) in facts:
            return "checked", ""
        terms = self._terms(attr, facts)
        if not terms or terms == [NONE]:
            return None
        if any(self._is_owned_key(t, parent, target, facts, frozenset({row})) for t in terms):
            return "checked", ""
        if any(Safe(term, parent) in facts for term in terms):
            return "checked", ""
        name = self.prover.rows[row].name
        wanted = self.schema.models[parent].name
        vague = [
            t for t in terms if isinstance(t, Opaque) or (isinstance(t, Vague) and not t.is_given)
        ]
        if vague:
            text = f"{name}.{column} is stored from a value that cannot be followed: "
            return "unproven", text + describe(vague[0])
        given = next((t for t in terms if isinstance(t, Given | Vague)), terms[0])
        text = f"{name}.{column} is stored from {describe(given)}"
        return "leak", f"{text}, and nothing checks whose {wanted} that is"

    # Changes.

    def set_attribute(
        self,
        holder: Value,
        base: ast.expr,
        name: str,
        value: Value,
        node: ast.AST,
        state: State,
        frame: Frame,
    ) -> None:
        """Assign an attribute of a value that an expression gives."""
        found: list[tuple[Value, Facts]] = []
        members = holder.members if isinstance(holder, Choice) else ((holder, frozenset()),)
        for member, facts in members:
            if isinstance(member, Row):
                state.learn(facts) if len(members) == 1 else None
                self.change_row(member, name, value, node, state, frame, facts)
            elif isinstance(member, Instance):
                found.append((member.set(name, self.attach(value, state)), facts))
            elif isinstance(member, Given) and member.shape is not None:
                filled = self.instance_of(member, member.shape)
                found.append((filled.set(name, self.attach(value, state)), facts))
            elif isinstance(member, ClassValue):
                self.set_class_field(member, name, value)
            elif isinstance(member, Made):
                self.set_made_attribute(member, name, value, state)
        if found and len(found) == len(members):
            self.write_back(base, choice(found), state, frame)

    def set_made_attribute(self, holder: Made, name: str, value: Value, state: State) -> None:
        """Assign an attribute of a library's object."""
        raise NotImplementedError

    def change_row(
        self,
        row: Row,
        name: str,
        value: Value,
        node: ast.AST,
        state: State,
        frame: Frame,
        extra: Facts = frozenset(),
    ) -> None:
        """Change one column of a row."""
        model = self.prover.rows[row.symbol]
        is_new = Fresh(row.symbol) in state.facts
        before = state.facts | extra
        if not is_new:
            self.use_row(row.symbol, state.facts | extra, frame, "is changed")
        if name in model.relations and isinstance(value, Items):
            self.use(value, state, frame, "is linked to another row")
        self._set_column(row, model, name, value, state)
        if not is_new and model.is_owned:
            column, _ = self._stored(model, name, value)
            self.check_change(Change(row.symbol, column, node, before), state, frame)

    def check_change(self, change: Change, state: State, frame: Frame) -> None:
        """Check a changed owner column or foreign key."""
        row, model = change.row, self.prover.rows[change.row]
        if change.column in model.owners:
            reason = self._owner_doubt(row, model, state.facts, has_parent=False)
            if reason is None:
                self.take_over(change, state.facts, frame)
            elif reason.verdict == "leak":
                self.give_away(change, reason, state.facts, frame)
            place = Place.of(frame.path, change.node)
            self._note_users(row, model, (change.column,), place, state.facts, frame)
        for column, parent, target in model.parents:
            if column != change.column:
                continue
            result = self.key_state(row, column, parent, target, state.facts)
            if result is not None:
                verdict, text = result
                place = Place.of(frame.path, change.node)
                self.key_write(frame, KeyWrite(model.key, column, place, verdict, text))
                if verdict == "leak":
                    self.problem(frame, change.node, "BP306", f"{text}.")

    def _note_users(
        self,
        row: int,
        model: TableModel,
        columns: Iterable[str],
        place: Place,
        facts: Facts,
        frame: Frame,
    ) -> None:
        """Record whom a grant with two sides names, for those who rely on its sender."""
        if len(model.owners) < 2 or not model.parents:  # noqa: PLR2004  # sender and recipient
            return
        for column in columns:
            attr = Attr(row, column)
            if self.prover.identity(attr, facts) is not None:
                write = KeyWrite(model.key, column, place, "checked", "")
            else:
                terms = self._terms(attr, facts)
                doubt = self._doubt(model, column, terms, facts) if terms else None
                if doubt is None or terms == [NONE]:
                    continue
                write = KeyWrite(model.key, column, place, doubt.verdict, doubt.text.lstrip("~"))
            self.key_write(frame, write)

    def check_assigned(self, statement: Statement, rows: dict[Element, Row], call: Call) -> None:
        """Check the columns that an update writes."""
        for row in rows.values():
            model = self.prover.rows[row.symbol]
            state, before = call.state.copy(), call.state.facts
            begun = self.site_list[statement.site]
            places = tuple(
                (begun.place.path, node) for node, site in self.sites.items() if site is begun
            )
            names = dict(statement.assigned)
            written = set(names)
            if "*" in names:
                written |= set(self.fill(row, names.pop("*"), state, names))
            for name, value in names.items():
                self._set_column(row, model, name, value, state)
            for name in self._telling_columns(model):
                if model.is_owned and name in written:
                    change = Change(row.symbol, name, call.node, before, places)
                    self.check_change(change, state, call.frame)

    def _copied(self, statement: Statement, call: Call) -> list[Value]:
        """Return the columns that an insert takes from another statement's rows."""
        copied: list[Value] = []
        for part in statement.parts:
            each = self.execute(part, call)
            self.use(each, call.state, call.frame, "is copied")
            copied = _parts_of(each)
        return copied

    def insert_rows(self, statement: Statement, call: Call) -> Value:
        """Run an insert."""
        for element in statement.sources:
            model = self.model_at(element)
            sources = self._copied(statement, call)
            symbol = self.fresh_row(("insert", call.node, element), model, call)
            row = Row(symbol, model.key)
            names = dict(statement.assigned)
            extra = call.args[1] if len(call.args) > 1 else None
            for source in (names.pop("*", None), extra):
                if source is not None:
                    each = source
                    if isinstance(source, Items):
                        each = self.element(source, call.node, call.state, call.frame)
                    self.fill(row, each, call.state, names)
            for index, (name, value) in enumerate(names.items()):
                held = sources[index] if index < len(sources) else value
                self._set_column(row, model, name, held, call.state)
            site_place = self.site_list[statement.site]
            node = next(n for n, s in self.sites.items() if s is site_place)
            if isinstance(node, ast.expr):
                self.made_at[symbol] = Origin(node, site_place.place.path, site_place.function)
            self.insert_row(row, call)
            return row
        return Unknown("the result of an insert")


def _parts_of(value: Value) -> list[Value]:
    inner = value.members[0][0] if isinstance(value, Choice) and len(value.members) == 1 else value
    if isinstance(inner, Items) and inner.items is not None:
        facts = value.members[0][1] if isinstance(value, Choice) else frozenset()
        return [choice([(item, facts)]) for item in inner.items]
    return [value]


def _doubt(model: TableModel, column: str, terms: list[Term]) -> WhyNot:
    name = f"{model.name}.{column}"
    for term in terms:
        if isinstance(term, Given) or (isinstance(term, Vague) and term.is_given):
            blame = term if isinstance(term, Given) else None
            return WhyNot("leak", f"{name} is set to {describe(term)}", blame)
    for term in terms:
        if isinstance(term, Const) and term.value is not None:
            return WhyNot("leak", f"{name} is set to the constant {term.value!r}")
        if isinstance(term, Opaque | Vague):
            return WhyNot(
                "unproven", f"{name} is set to a value that cannot be followed: {describe(term)}"
            )
    return WhyNot("leak", f"~{name} is set to {NOT_THE_USER}")
