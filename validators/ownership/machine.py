"""What all layers of the interpreter share: the program, the schema, and what was recorded."""

import ast
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from validators.frozen import frozen
from validators.ownership.facts import (
    Facts,
    Fresh,
    Owned,
    Safe,
    Same,
    equals,
    relevant,
    subjects,
)
from validators.ownership.program import Program
from validators.ownership.proofs import Prover, WhyNot
from validators.ownership.recorder import (
    NO_CHECK,
    Entry,
    Event,
    Frame,
    KeyWrite,
    Place,
    Problem,
    Site,
)
from validators.ownership.schema import OWNER_COLUMNS, Schema, TableModel
from validators.ownership.state import State, attached
from validators.ownership.values import (
    NONE,
    TERMS,
    Attr,
    Choice,
    Given,
    Identity,
    Opaque,
    Row,
    Term,
    Unknown,
    Vague,
    Value,
)
from validators.ownership.walk import loose, member_list, origins, rows_in

# Steps of interpretation after which a backend counts as too large to decide: so many at least,
# so many for each line, and so many at most.
FEWEST_STEPS, STEPS_PER_LINE, MOST_STEPS = 100_000, 60, 1_500_000
# An unknown value remembers at most so many of the terms that it was made from, rows aside.
MOST_ORIGINS = 8


@frozen
class ProofOptions:
    """What a person declared about the backend.

    Attributes:
        owner_columns: Names of columns that name the owner where no foreign key says so.
        identity_dependencies: Dotted names of dependencies of other packages that return the
            verified user or its id.
        public_models: Table models whose rows everybody may read.
        is_correcting: Whether to look for corrected lines of what is found.
    """

    owner_columns: frozenset[str] = OWNER_COLUMNS
    identity_dependencies: frozenset[str] = frozenset()
    public_models: frozenset[str] = frozenset()
    is_correcting: bool = True


class UnreachableError(Exception):
    """The code behind this point never runs: the expression always raises."""


class TooLargeError(Exception):
    """The bound on interpretation was reached."""


@dataclass
class Call:
    """One call expression with its evaluated arguments."""

    node: ast.expr
    state: State
    frame: Frame
    args: list[Value] = field(default_factory=list)
    keywords: dict[str, Value] = field(default_factory=dict)
    rest: Value | None = None
    more: Value | None = None

    def argument(self, position: int, *names: str) -> Value | None:
        """Return an argument by position or by one of its names, or None."""
        if 0 <= position < len(self.args):
            return self.args[position]
        return next((self.keywords[name] for name in names if name in self.keywords), None)

    def values(self) -> list[Value]:
        """Return all arguments."""
        extra = [value for value in (self.rest, self.more) if value is not None]
        return [*self.args, *self.keywords.values(), *extra]


class Machine(ABC):
    """The shared part of the interpreter."""

    def __init__(self, program: Program, schema: Schema, options: ProofOptions) -> None:
        self.program = program
        self.schema = schema
        self.options = options
        self.prover = Prover(schema)
        # Tables of sessions and tokens that a request can fill for whom it likes.
        self.forgeable: set[str] = set()
        # Whether something was found that earlier interpretations did not know.
        self.is_stale = False
        self.sites: dict[ast.AST, Site] = {}
        self.site_list: list[Site] = []
        self.entries: list[Entry] = []
        self.symbol_sites: dict[int, int] = {}
        self.outer_sites: dict[int, dict[int, None]] = {}
        # Which items of known lists are being looked at, which tells their rows apart.
        self.unrolled: tuple[int, ...] = ()
        self.running: Frame | None = None
        # How many dependencies are being interpreted, one inside the other.
        self.depending = 0
        self.given_at: dict[tuple[str, str], Place] = {}
        self._symbols: dict[object, int] = {}
        self._numbers: dict[object, int] = {}
        lines = sum(module.text.count("\n") for module in program.modules.values())
        self.steps = 0
        self.most_steps = min(FEWEST_STEPS + STEPS_PER_LINE * lines, MOST_STEPS)

    # Numbers that stand for things.

    def number(self, thing: object) -> int:
        """Return a number that stands for a thing, the same each time."""
        return self._numbers.setdefault(thing, len(self._numbers) + 1)

    def symbol(self, key: object, model: TableModel, site: int | None) -> int:
        """Return the row symbol for a key."""
        number = self._symbols.get(key)
        if number is None:
            number = self._symbols[key] = len(self._symbols) + 1
            self.prover.rows[number] = model
            if site is not None:
                self.symbol_sites[number] = site
        return number

    def new_row(
        self, key: object, model: TableModel, site: int | None, state: State, frame: Frame
    ) -> int:
        """Return the row symbol for a key within the running function, as a new row."""
        number = self.symbol((key, frame.entry.index, self.unrolled), model, site)
        frame.entry.created[number] = None
        self.renew_row(number, state)
        return number

    def renew_row(self, number: int, state: State) -> None:
        """Make a row symbol stand for a new row on this path."""
        model, site = self.prover.rows[number], self.symbol_sites.get(number)
        state.renew(number, self.symbol(("before", number), model, site))

    def site(self, node: ast.AST, frame: Frame, kind: str) -> Site:
        """Return the query site of a node."""
        if node not in self.sites:
            place = Place.of(frame.path, node)
            site = Site(len(self.site_list), place, frame.entry.label, kind)
            self.sites[node] = site
            self.site_list.append(site)
        return self.sites[node]

    def step(self) -> None:
        """Count one step of interpretation."""
        self.steps += 1
        if self.steps > self.most_steps:
            raise TooLargeError

    # What is recorded.

    def record(self, frame: Frame, event: Event) -> None:
        """Record what happened to a row of a query site, and of those that read it from there."""
        frame.entry.events[event] = None
        for site in self.outer_sites.get(event.row, ()):
            frame.entry.events[replace(event, site=site)] = None

    def problem(self, frame: Frame, node: ast.AST, code: str, message: str) -> None:
        """Record a finding of its own."""
        found = Problem(code, Place.of(frame.path, node), message)
        frame.entry.problems[found] = None

    def key_write(self, frame: Frame, write: KeyWrite) -> None:
        """Record that a foreign key to an owned model was stored."""
        frame.entry.key_writes[write] = None

    def note_given(self, given: Given, frame: Frame, node: ast.AST) -> None:
        """Note where a part of the request is read."""
        if hasattr(node, "lineno"):
            self.given_at.setdefault((given.source, given.name), Place.of(frame.path, node))

    # Terms and what is known of them.

    def resolved(self, value: Value, state: State) -> Value:
        """Return identity where a term is known to equal it, else the value itself."""
        if isinstance(value, Choice) and len(value.members) == 1:
            [(value, facts)] = value.members
            state.learn(facts)
        if isinstance(value, Given | Opaque) or (
            isinstance(value, Attr) and isinstance(value.row, int)
        ):
            identity = self.prover.identity(value, state.facts) if state.facts else None
            return identity or value
        return value

    def as_term(self, value: Value, state: State) -> Term:
        """Return a term that stands for a value, with what is known of its making."""
        if isinstance(value, TERMS):
            return value
        if isinstance(value, Row):
            model = self.prover.rows[value.symbol]
            return Attr(value.symbol, model.primary[0] if model.primary else "id")
        made = origins(value)
        given = [term for term in made if isinstance(term, Given)]
        if given and all(self.prover.identity(term, state.facts) for term in given):
            return Vague("a value made from the signed-in user's id")
        if given and len(given) == len(made):
            first = min(given, key=lambda term: (term.source, term.name))
            return Vague(f"a value made from {first.name} from the {first.source}", is_given=True)
        return Vague(value.reason if isinstance(value, Unknown) else "a computed value")

    def derived(self, reason: str, values: Iterable[Value], state: State) -> Unknown:
        """Return an unknown value made from others; rows proven to be the user's are left out."""
        made: set[Term | Row] = set()
        for value in values:
            for origin, facts in self.loose(value, state.facts):
                row = row_of(origin)
                if row is None or not self._is_settled(row, facts):
                    made.add(origin)
        return Unknown(reason, _telling(made))

    def loose(self, value: Value, facts: Facts) -> Iterator[tuple["Term | Row", Facts]]:
        """Yield terms and rows inside a value, each with the facts that hold for it."""
        return loose(value, facts)

    def _is_settled(self, row: int, facts: Facts) -> bool:
        """Tell whether a row is proven by now, and record that it is."""
        if not self.is_owned(row, facts):
            return False
        if self.running is not None:
            self.use_row(row, facts, self.running, "is read")
        return True

    def is_owned(self, row: int, facts: Facts) -> bool:
        """Tell whether a row is proven to be the signed-in user's, or needs no proof."""
        model = self.prover.rows[row]
        return not model.is_owned or self.prover.owned(row, facts) is not None

    # Uses of rows.

    def use(self, value: Value, state: State, frame: Frame, how: str) -> None:
        """Record that a value leaves the app or takes effect: its rows must be checked by now."""
        for origin, facts in self.loose(value, state.facts):
            row = row_of(origin)
            if row is not None and not self._is_known(origin, facts):
                self.use_row(row, facts, frame, how)

    def use_row(self, row: int, facts: Facts, frame: Frame, how: str = "") -> None:
        """Record that one row is used, or that the last place to check it was passed."""
        model = self.prover.rows[row]
        site = self.symbol_sites.get(row)
        if not model.is_owned or site is None:
            return
        why = self.prover.owned(row, facts)
        if why is not None:
            self.record(frame, Event("checked", row, site, why.text, why.needs, is_use=True))
            return
        reason = self.prover.why_not(row, facts)
        text = f"{reason.text}, and {f'the row {how}' if how else NO_CHECK}"
        event = Event(
            reason.verdict, row, site, text,
            blame=reason.blame, through=reason.through, parent=reason.parent,
        )  # fmt: skip
        self.record(frame, event)
        self._use_parents(row, facts, frame)

    def use_existing(
        self, given: Mapping[str, Value], loops: Collection[str], frame: Frame
    ) -> None:
        """Record the rows that a function keeps to itself, and that exist for sure where it ends.

        Whoever sees it end there learns that there is such a row. A check counts where it makes a
        difference: the function ends otherwise behind it, or does something with the row.

        Args:
            given: What the function was given, by name.
            loops: Names of single items of what may be empty.
            frame: Its interpretation, which is over.
        """
        for value, state in frame.returns:
            passed = (state.env[name] for name in given if name in state.env)
            kept = (value, *given.values(), *passed, *state.store.values())
            known = {row for each in kept for row in rows_in(each)}
            for name, held in state.env.items():
                if name in loops or _ends_alike_without(name, value, frame):
                    continue
                for row, facts in _existing(held, state.facts):
                    if row not in known and not self._makes_a_difference(row, facts, frame):
                        self.use_row(row, facts, frame)

    def _makes_a_difference(self, row: int, facts: Facts, frame: Frame) -> bool:
        """Tell whether a row was made here, or somewhere behind a check that it passed."""
        return (
            Fresh(row) in facts
            or any(
                self.is_owned(row, state.facts | extra)
                for value, state in frame.returns
                for _, extra in member_list(value)
            )
            or any(
                event.row == row and event.kind == "checked" and event.is_use
                for entry in frame.entry.reachable()
                for event in entry.events
            )
        )

    def _use_parents(self, row: int, facts: Facts, frame: Frame) -> None:
        """Record that the rows by whose keys an unchecked row was found are not checked either."""
        child = self.prover.rows[row].name
        for parent in self.prover.unchecked_parents(row, facts):
            site = self.symbol_sites.get(parent)
            if site is None or site == self.symbol_sites.get(row):
                continue
            reason = self.prover.why_not(parent, facts)
            text = f"{reason.text}, and the row is taken for the owner of a {child}"
            self.record(frame, Event(reason.verdict, parent, site, text, blame=reason.blame))

    def _is_known(self, origin: "Term | Row", facts: Facts) -> bool:
        """Tell whether a column holds what the sender knows already, such as the requested id."""
        if not isinstance(origin, Attr):
            return False
        return any(
            isinstance(fact, Same)
            and origin in fact.sides
            and any(isinstance(side, Given | Identity) for side in fact.sides)
            for fact in facts
        )

    def learn(self, state: State, frame: Frame, facts: Facts) -> None:
        """Add facts, and record which rows are checked by them."""
        new = facts - state.facts
        if not new:
            return
        state.learn(new)
        names = {name for fact in new for name in subjects(fact)}
        near = relevant(state.facts, names)
        rows = {name for fact in near for name in subjects(fact) if isinstance(name, int)}
        for row in sorted(rows):
            site = self.symbol_sites.get(row)
            if site is None or not self.prover.rows[row].is_owned:
                continue
            why = self.prover.owned(row, near)
            if why is not None:
                self.record(frame, Event("checked", row, site, why.text, why.needs))
                state.learn(frozenset((Owned(row, why.text, why.needs),)))
                self.learn_safe(row, state)

    def learn_safe(self, row: int, state: State) -> None:
        """Learn that values equal to a checked row's key are safe to store as foreign keys."""
        model = self.prover.rows[row]
        keys = [(column, model.key) for column in model.primary]
        if model.is_grant:
            keys += [(column, parent) for column, parent, _ in model.parents]
        for column, named in keys:
            state.learn(
                frozenset(
                    Safe(term, named)
                    for term in equals(Attr(row, column), state.facts)
                    if isinstance(term, Given)
                )
            )

    def why_not(self, row: int, facts: Facts) -> WhyNot:
        """Say what is missing to prove that a row is the signed-in user's."""
        return self.prover.why_not(row, facts)

    # What the layers above provide.

    @abstractmethod
    def evaluate(self, node: ast.expr, state: State, frame: Frame) -> Value:
        """Return the value of an expression."""

    @abstractmethod
    def call(self, function: Value, call: Call) -> Value:
        """Return the value of a call."""

    @abstractmethod
    def attribute(
        self, value: Value, name: str, node: ast.AST, state: State, frame: Frame
    ) -> Value:
        """Return an attribute of a value."""

    @abstractmethod
    def module_name(self, path: str, name: str) -> Value | None:
        """Return the value of a module's top-level name, or None."""

    def attach(self, value: Value, state: State) -> Value:
        """Return a value that carries what is known of the rows in it."""
        return attached(value, state.facts)


def _existing(value: Value, facts: Facts) -> list[tuple[int, Facts]]:
    """Return the row that a value is for sure, or those of which it is one, with what is known."""
    members = member_list(value)
    rows = [(member.symbol, facts | extra) for member, extra in members if isinstance(member, Row)]
    return rows if len(rows) == len(members) else []


def _ends_alike_without(name: str, value: Value, frame: Frame) -> bool:
    """Tell whether a function ends alike where a name holds no row for sure."""
    return any(
        other == value and not _existing(state.env.get(name, NONE), frozenset())
        for other, state in frame.returns
    )


def _telling(made: set[Term | Row]) -> frozenset[Term | Row]:
    """Return the rows among terms, and as many of the others as are worth remembering."""
    if len(made) <= MOST_ORIGINS:
        return frozenset(made)
    rows = {origin for origin in made if row_of(origin) is not None}
    others = sorted(made - rows, key=lambda term: (type(term).__name__, str(term)))
    kinds = {type(term).__name__: term for term in reversed(others)}
    return frozenset((*rows, *others[:MOST_ORIGINS], *kinds.values()))


def row_of(origin: object) -> int | None:
    """Return the row symbol of a row or of a column of it, or None."""
    if isinstance(origin, Row):
        return origin.symbol
    if isinstance(origin, Attr) and isinstance(origin.row, int):
        return origin.row
    return None
