"""Statements that run: what their predicates prove of each row, and what they give back."""

from collections.abc import Iterable
from dataclasses import replace

from validators.ownership.columns import is_computed
from validators.ownership.facts import NO_FACTS, Facts, Fresh, Owned, Same, equals, same
from validators.ownership.formulas import equality
from validators.ownership.machine import Call
from validators.ownership.predicates import Binder, Branch, TooManyBranchesError
from validators.ownership.proofs import Why, WhyNot, compared_columns
from validators.ownership.recorder import Event, EventKind, Frame
from validators.ownership.schema import Relation, TableModel
from validators.ownership.state import State, choice, one_of
from validators.ownership.statements import Statements
from validators.ownership.values import (
    NONE,
    Attr,
    Const,
    Element,
    ElementValue,
    Given,
    Identity,
    Items,
    Made,
    Mapping,
    Row,
    Statement,
    Term,
    Unknown,
    Vague,
    Value,
)
from validators.ownership.walk import with_rows

_WRITES = frozenset({"update", "delete"})


class Execution(Statements):
    """Runs statements."""

    def execute(self, statement: Statement, call: Call) -> Value:
        """Run a statement; return what each row of its result is."""
        if statement.is_union:
            return one_of(self.execute(part, call) for part in statement.parts)
        if statement.kind == "insert":
            return self.insert_rows(statement, call)
        rows = self._instantiate(statement, call)
        if not rows:
            self._note_unnamed(statement, call)
        # What is known of a row holds where there is one: the facts travel with the row.
        before = call.state.facts
        call = replace(call, state=call.state.copy())
        branches = self._branches(statement, rows)
        symbols = {element: row.symbol for element, row in rows.items()}
        common = frozenset.intersection(*(branch.facts for branch in branches))
        call.state.learn(common)
        self._accept_secrets(rows.values(), branches, call)
        for element, row in rows.items():
            extra = self._outer_facts(statement, element, symbols)
            self._judge(row.symbol, branches, extra, statement, call)
        self._judge_inner(branches, call)
        self._use_compared(branches, symbols, call)
        self._load(statement, rows, call)
        if statement.kind == "update":
            self.check_assigned(statement, rows, call)
        return choice([(self._returned(statement, rows), call.state.facts - before)])

    def insert_rows(self, statement: Statement, call: Call) -> Value:
        """Run an insert."""
        raise NotImplementedError

    def check_assigned(self, statement: Statement, rows: dict[Element, Row], call: Call) -> None:
        """Check the columns that an update writes."""
        raise NotImplementedError

    def _instantiate(self, statement: Statement, call: Call) -> dict[Element, Row]:
        rows: dict[Element, Row] = {}
        for part in reversed(self.with_parts(statement)):
            for element in self.elements_of(part, frozenset()):
                table = self.tables.get(element)
                if element in rows or (table is not None and table.site != part.site):
                    continue
                model = self.model_at(element)
                key = (call.node, part.site, element)
                symbol = self.new_row(key, model, part.site, call.state, call.frame)
                self.symbol_sites[symbol] = part.site
                if part is not statement:
                    self.outer_sites.setdefault(symbol, {})[statement.site] = None
                rows[element] = Row(symbol, model.key)
        return rows

    def _load(self, statement: Statement, rows: dict[Element, Row], call: Call) -> None:
        """Judge the rows that a statement loads eagerly."""
        for load in statement.loads:
            row = rows.get(load.related.element)
            relation = self.model_at(load.related.element).relations.get(load.related.name)
            if row is not None and relation is not None:
                self.related_rows(row, relation, load.node, call.state, call.frame)

    def _note_unnamed(self, statement: Statement, call: Call) -> None:
        """Note a statement that reads a table of which nothing is known."""
        lost = [column for column in statement.columns if isinstance(column, Unknown | Given)]
        if any(not is_computed(column) for column in lost):
            reason = "the table that it reads cannot be followed"
            self.record(call.frame, Event("unproven", 0, statement.site, reason))

    def _branches(self, statement: Statement, rows: dict[Element, Row]) -> list[Branch]:
        bound = {element: row.symbol for element, row in rows.items()}
        binder = Binder(self._inner_symbol, self.elements_of, self.column_of, bound)
        try:
            found = [Branch()]
            for part in self.with_parts(statement):
                found = binder.together(found, part)
        except TooManyBranchesError:
            return [Branch(reasons=("its predicate has too many alternatives",))]
        return found or [Branch(reasons=("its predicate never holds",))]

    def _inner_symbol(self, statement: Statement, element: Element) -> int:
        key = ("inner", statement.site, element)
        return self.symbol(key, self.model_at(element), statement.site)

    def _outer_facts(
        self, statement: Statement, element: Element, symbols: dict[Element, int]
    ) -> Facts:
        """Return what the condition of an outer join says of the element that it joins."""
        binder = Binder(self._inner_symbol, self.elements_of, self.column_of, symbols)
        facts: Facts = NO_FACTS
        for joined in statement.joins:
            if joined.is_outer:
                found = binder.branches(joined.on)
                if found and joined.element == element:
                    facts |= frozenset.intersection(*(branch.facts for branch in found))
        return facts

    # Verdicts.

    def _judge(
        self,
        row: int,
        branches: list[Branch],
        extra: Facts,
        statement: Statement,
        call: Call,
    ) -> None:
        model = self.prover.rows[row]
        self._learn_person(row, model, branches, call)
        if not model.is_owned:
            return
        self.site_list[statement.site].models[model.name] = None
        site = self.symbol_sites[row]
        self.site_list[site].models[model.name] = None
        why, reason = self._decide(row, branches, call.state.facts | extra)
        if why is not None:
            call.state.learn(frozenset((Owned(row, why.text, why.needs),)))
            self.learn_safe(row, call.state)
            self.record(call.frame, Event("bound", row, site, why.text, why.needs))
        elif statement.kind in _WRITES:
            self.record(call.frame, _event(reason.verdict, row, site, reason.text, reason))
        else:
            self.record(call.frame, _event("pending", row, site, _noted(reason), reason))

    def _use_compared(
        self, branches: list[Branch], symbols: dict[Element, int], call: Call
    ) -> None:
        """Record the use of earlier rows whose columns decide what a statement finds."""
        own = set(symbols.values())
        for branch in branches:
            for attr in sorted(compared_columns(branch.facts), key=str):
                row = attr.row
                if not isinstance(row, int) or row in own or not self.prover.rows[row].is_owned:
                    continue
                model = self.prover.rows[row]
                keys = {*model.unique, *model.owners, *(key.column for key in model.foreign)}
                if attr.column in keys:
                    continue
                if not self._is_inner(row, branches):
                    how = "decides what another query finds"
                    self.use_row(row, call.state.facts | branch.facts, call.frame, how)

    def _is_inner(self, row: int, branches: list[Branch]) -> bool:
        return any(inner.row == row for branch in branches for inner in branch.inner)

    def _learn_person(
        self, row: int, model: TableModel, branches: list[Branch], call: Call
    ) -> None:
        """Learn whose row it is where every alternative names the signed-in user."""
        if len(branches) == 1:
            return
        for column in sorted(model.unique if model.is_user else model.owners):
            attr = Attr(row, column)
            found = [
                self.prover.identity(attr, call.state.facts | branch.facts) for branch in branches
            ]
            self._note_doubt(row, attr, found, branches)
            if found[0] is not None and all(identity is not None for identity in found):
                call.state.learn(same(attr, found[0]))

    def _note_doubt(
        self, row: int, attr: Attr, found: list[Identity | None], branches: list[Branch]
    ) -> None:
        """Note by what else than the identity a user is looked up on some path."""
        for identity, branch in zip(found, branches, strict=True):
            if identity is not None:
                continue
            for term in sorted(equals(attr, branch.facts), key=str):
                if isinstance(term, Given | Const):
                    self.prover.doubts[row] = term

    def _decide(self, row: int, branches: list[Branch], facts: Facts) -> tuple[Why | None, WhyNot]:
        whys: list[Why] = []
        for branch in branches:
            known = facts | branch.facts
            why = self.prover.owned(row, known)
            if why is None:
                reason = self.prover.why_not(row, known)
                if branch.reasons and reason.is_missing:
                    reason = WhyNot("unproven", f"{reason.text}: {branch.reasons[0]}")
                if len(branches) > 1:
                    reason = replace(reason, text=f"in one alternative {reason.text}")
                return None, reason
            whys.append(why)
        texts = dict.fromkeys(why.text for why in whys)
        needs = frozenset[tuple[str, str]]().union(*(why.needs for why in whys))
        return Why(", or ".join(texts), needs), WhyNot("leak", "")

    def _judge_inner(self, branches: list[Branch], call: Call) -> None:
        """Judge the rows that statements inside the statement read."""
        for branch in branches:
            for inner in branch.inner:
                model = self.prover.rows[inner.row]
                if not model.is_owned:
                    continue
                self.site_list[inner.site].models[model.name] = None
                facts = call.state.facts | branch.facts | inner.facts
                why = self.prover.owned(inner.row, facts) or self._confined(inner.row, facts)
                if why is not None:
                    event = Event("bound", inner.row, inner.site, why.text, why.needs)
                else:
                    reason = self.prover.why_not(inner.row, facts)
                    event = Event(reason.verdict, inner.row, inner.site, reason.text)
                self.record(call.frame, event)

    def _confined(self, row: int, facts: Facts) -> Why | None:
        """Accept a row that only narrows down which of the user's own rows are read."""
        for attr in sorted(compared_columns(facts), key=str):
            if attr.row != row:
                continue
            for fact in facts:
                if not (isinstance(fact, Same) and attr in fact.sides):
                    continue
                for side in fact.sides - {attr}:
                    if isinstance(side, Attr) and isinstance(side.row, int):
                        why = self.prover.owned(side.row, facts, frozenset({row}))
                        if why is not None:
                            return Why(
                                f"it only narrows down rows that are checked: {why.text}", why.needs
                            )
        return None

    def _accept_secrets(self, rows: Iterable[Row], branches: list[Branch], call: Call) -> None:
        """Accept a row that was looked up by a secret from the request."""
        for row in rows:
            model = self.prover.rows[row.symbol]
            for column in () if model.key in self.forgeable else model.secrets:
                attr = Attr(row.symbol, column)
                if all(_is_compared_with_request(attr, branch.facts) for branch in branches):
                    self._accept_secret(row, model, column, call)
                    break

    def _accept_secret(self, row: Row, model: TableModel, column: str, call: Call) -> None:
        place = self.place_text(call)
        origin = f"the {model.name} row with the request's {column}, {place}"
        call.state.learn(frozenset((Owned(row.symbol, f"looked up by the secret {column}"),)))
        named = model.primary if model.is_user else model.owners
        if model.is_user or model.is_credential:
            call.frame.entry.is_verifying = True
            for name in named:
                call.state.learn(same(Attr(row.symbol, name), Identity(name, origin)))

    def place_text(self, call: Call) -> str:
        """Return where a call stands, in words."""
        line = getattr(call.node, "lineno", 0)
        return f"{call.frame.path}, line {line}"

    def _returned(self, statement: Statement, rows: dict[Element, Row]) -> Value:
        columns = statement.columns
        if statement.kind in _WRITES and not columns:
            return Unknown("how many rows changed")
        if statement.kind == "exists" or not columns:
            return Made("existence", (("rows", Items(tuple(rows.values()))),))
        values = tuple(with_rows(column, rows) for column in columns)
        if not any(_is_of_row(value) for value in values) and rows:
            # An aggregate such as `count(*)` says something about every row read.
            values = (*values[:-1], Unknown("a computed result", frozenset(rows.values())))
        is_single = len(values) == 1 and not statement.is_text
        return values[0] if is_single else Items(values, None, is_tuple=True)

    # Rows by key and by relationship.

    def fetch_by_key(self, model: TableModel, key: Value, call: Call, kind: str) -> Value:
        """Return the row that `session.get(Model, key)` gives."""
        site = self.site(call.node, call.frame, kind)
        element = Element(model.key)
        where = tuple(
            equality(self, Attr(element, column), self.resolved(part, call.state), call.state)
            for column, part in key_parts(model, key)
        )
        fetched = Statement("get", site.index, (ElementValue(element),), where=where)
        return self.execute(fetched, call)

    def related_rows(
        self, row: Row, relation: object, node: object, state: State, frame: Frame
    ) -> Value:
        """Return what a relationship attribute loads."""
        assert isinstance(relation, Relation)  # noqa: S101  # only relations are passed
        model, target = self.prover.rows[row.symbol], self.schema.models[relation.model]
        assert hasattr(node, "lineno")  # noqa: S101  # relations are loaded by expressions
        site = self.site(node, frame, "relationship") if target.is_owned else None  # type: ignore[arg-type]
        key = ("related", row.symbol, relation.name)
        symbol = self.symbol((key, frame.entry.index), target, site.index if site else None)
        if site is not None:
            self.symbol_sites.setdefault(symbol, site.index)
        facts = self._relation_facts(row, model, relation, symbol, target)
        facts = facts or self._linked_facts(row, symbol, target, state)
        if site is not None and Fresh(row.symbol) not in state.facts:
            self._judge_related(symbol, State({}, state.facts | facts), frame)
        each = choice([(Row(symbol, target.key), facts)])
        return Items(None, each) if relation.is_list else one_of([each, NONE])

    def _linked_facts(self, row: Row, symbol: int, target: TableModel, state: State) -> Facts:
        """Return that rows linked to a checked row are the user's, as far as all links are."""
        model = self.prover.rows[row.symbol]
        why = self.prover.owned(row.symbol, state.facts)
        for link in self.schema.models.values():
            keys = {parent: column for column, parent, _ in link.parents}
            if why is not None and {model.key, target.key} <= keys.keys():
                text = f"{link.name} links it to a checked {model.name} ({why.text})"
                needs = why.needs | {(link.key, column) for column in keys.values()}
                return frozenset((Owned(symbol, text, needs),))
        return NO_FACTS

    def _judge_related(self, symbol: int, state: State, frame: Frame) -> None:
        model = self.prover.rows[symbol]
        site = self.symbol_sites[symbol]
        self.site_list[site].models[model.name] = None
        why = self.prover.owned(symbol, state.facts)
        if why is not None:
            self.record(frame, Event("bound", symbol, site, why.text, why.needs))
            return
        reason = self.prover.why_not(symbol, state.facts)
        self.record(frame, _event("pending", symbol, site, _noted(reason), reason))

    def _relation_facts(
        self, row: Row, model: TableModel, relation: Relation, symbol: int, target: TableModel
    ) -> Facts:
        wanted = relation.columns
        pairs: list[tuple[str, Term, Term]] = [
            (key.column, Attr(row.symbol, key.column), Attr(symbol, key.target))
            for key in model.foreign
            if key.table in (target.table, target.name)
        ]
        pairs += [
            (key.column, Attr(symbol, key.column), Attr(row.symbol, key.target))
            for key in target.foreign
            if key.table in (model.table, model.name)
        ]
        chosen = [pair for pair in pairs if pair[0] in wanted] or pairs
        return same(chosen[0][1], chosen[0][2]) if chosen else NO_FACTS


def key_parts(model: TableModel, key: Value) -> list[tuple[str, Value]]:
    """Return the primary key's columns with the values that a lookup gives them."""
    if isinstance(key, Items) and key.items is not None:
        return list(zip(model.primary, key.items, strict=False))
    if isinstance(key, Mapping):
        return [(column, held) for column in model.primary if (held := key.get(column))]
    if len(model.primary) != 1:
        return []
    return [(model.primary[0], key)]


def _is_of_row(value: Value) -> bool:
    if isinstance(value, Row):
        return True
    if isinstance(value, Attr):
        return isinstance(value.row, int)
    return isinstance(value, Unknown) and any(_is_of_row(origin) for origin in value.origins)


def _is_compared_with_request(attr: Attr, facts: Facts) -> bool:
    return any(
        isinstance(fact, Same)
        and attr in fact.sides
        and any(
            isinstance(side, Given) or (isinstance(side, Vague) and side.is_given)
            for side in fact.sides
        )
        for fact in facts
    )


def _event(kind: EventKind, row: int, site: int, text: str, reason: WhyNot) -> Event:
    return Event(
        kind, row, site, text, blame=reason.blame, through=reason.through, parent=reason.parent
    )


def _noted(reason: WhyNot) -> str:
    return f"?{reason.text}" if reason.verdict == "unproven" else reason.text
