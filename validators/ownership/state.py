"""The state on one path: what names are worth, which facts hold, what the request carries."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from validators.ownership.facts import (
    NO_FACTS,
    Facts,
    Owned,
    common_facts,
    relevant,
    renamed_fact,
    subjects,
)
from validators.ownership.values import (
    Anything,
    Choice,
    Condition,
    Const,
    Either,
    Formula,
    Given,
    Identity,
    Items,
    Library,
    Mapping,
    Row,
    Statement,
    Unknown,
    Value,
)
from validators.ownership.walk import has_statement, loose, names_in, origins, renamed, terms_in

# More alternatives than this become one unknown value.
MOST_MEMBERS = 16

# What `request.state` holds under a name that was not set on some path.
ABSENT = Library("absent")


@dataclass(slots=True)
class State:
    """One path through a function.

    Attributes:
        env: Local names and their values.
        facts: What holds on this path.
        store: What travels with the request: `request.state` and context variables.
    """

    env: dict[str, Value]
    facts: Facts = NO_FACTS
    store: dict[str, Value] = field(default_factory=dict)

    def copy(self) -> "State":
        """Return an independent copy."""
        return State(dict(self.env), self.facts, dict(self.store))

    def take(self, other: "State") -> None:
        """Become another state."""
        self.env, self.facts, self.store = other.env, other.facts, other.store

    def learn(self, facts: Facts) -> None:
        """Add facts."""
        if facts:
            self.facts |= facts

    def names(self) -> frozenset[object]:
        """Return the row symbols and terms that facts and values of this path name."""
        values = (*self.env.values(), *self.store.values())
        return frozenset(
            (
                *(name for fact in self.facts for name in subjects(fact)),
                *(name for value in values for name in names_in(value)),
            )
        )

    def renew(self, name: object, old: object) -> None:
        """Make a row symbol, or a given term, stand for something new.

        What it stood for until now is called `old` from here on and keeps its facts, as far as
        they also hold for what was called `old` before.
        """
        named = [fact for fact in self.facts if name in subjects(fact)]
        held = any(name in names_in(value) for value in self.env.values())
        stored = any(name in names_in(value) for value in self.store.values())
        if not (named or held or stored):
            return
        earlier = frozenset(fact for fact in self.facts if old in subjects(fact))
        moved = frozenset(renamed_fact(fact, name, old) for fact in named)
        if earlier or any(old in names_in(value) for value in self.env.values()):
            moved &= earlier
        self.facts = (self.facts - earlier - frozenset(named)) | moved
        for values in (self.env, self.store):
            for key, value in values.items():
                values[key] = renamed(value, name, old)


def choice(alternatives: Iterable[tuple[Value, Facts]]) -> Value:
    """Return the value that is one of several, flattened and without repetition."""
    found: dict[Value, Facts] = {}
    for value, facts in alternatives:
        inner = value.members if isinstance(value, Choice) else ((value, NO_FACTS),)
        for member, carried in inner:
            together = facts | carried
            before = found.get(member, together)
            found[member] = together if before == together else common_facts([before, together])
    if len(found) > 1 and all(isinstance(value, Identity) for value in found):
        # Whichever claim it is, it names the signed-in user.
        found = {next(iter(found)): frozenset.intersection(*found.values())}
    if len(found) > MOST_MEMBERS:
        found = _weakened(found)
    if len(found) > MOST_MEMBERS:
        return _any_of(found)
    if len(found) == 1:
        [(value, facts)] = found.items()
        if not facts:
            return value
    return Choice(tuple(found.items()))


def _weakened(found: dict[Value, Facts]) -> dict[Value, Facts]:
    """Return the alternatives with what differs in its predicates alone made one.

    Statements, and lists of predicates, keep the predicates that all of them share, so that they
    find at least the rows that each of them finds.
    """
    kept: dict[Value, Facts] = {}
    alike: dict[Statement, list[tuple[Statement, Facts]]] = {}
    lists: list[tuple[tuple[Value, ...], Facts]] = []
    for value, facts in found.items():
        if isinstance(value, Statement):
            alike.setdefault(replace(value, where=()), []).append((value, facts))
        elif isinstance(value, Items) and value.items is not None and not value.is_tuple:
            lists.append((value.items, facts))
        else:
            kept[value] = facts
    for bare, several in alike.items():
        where = weakest([value.where for value, _ in several])
        common = frozenset.intersection(*(facts for _, facts in several))
        kept[replace(bare, where=where)] = common
    return kept | _weakened_lists(lists)


def weakest(several: list[tuple[Formula, ...]]) -> tuple[Formula, ...]:
    """Return the predicates that all conjunctions share, with the others as optional ones."""
    shared = set.intersection(*map(set, several))
    where = [f if f in shared else _optional(f) for formulas in several for f in formulas]
    return tuple(dict.fromkeys(where))


def _weakened_lists(lists: list[tuple[tuple[Value, ...], Facts]]) -> dict[Value, Facts]:
    """Return lists of predicates that begin alike as one that is longer and one that is not."""
    if not lists:
        return {}
    shortest = min((items for items, _ in lists), key=len)
    size = next(
        (n for n, item in enumerate(shortest) if any(items[n] != item for items, _ in lists)),
        len(shortest),
    )
    prefix = shortest[:size]
    added = [item for items, _ in lists for item in items[size:]]
    if not all(isinstance(item, Condition) for item in added):
        return {Items(items): facts for items, facts in lists}
    optional = [Condition(_optional(i.formula)) for i in added if isinstance(i, Condition)]
    common = frozenset.intersection(*(facts for _, facts in lists))
    found: dict[Value, Facts] = {Items((*prefix, *dict.fromkeys(optional))): common}
    alone = [facts for items, facts in lists if items == prefix]
    if alone:
        found[Items(prefix)] = frozenset.intersection(*alone)
    return found


def _optional(formula: Formula) -> Formula:
    """Return a formula that holds for every row; statements inside it are still read."""
    open_to_all = Anything(terms_in(formula))
    return Either((formula, open_to_all)) if has_statement(formula) else open_to_all


def _any_of(found: dict[Value, Facts]) -> Value:
    """Return an unknown value for many alternatives, with the rows that all of them prove."""
    made = frozenset(origin for value in found for origin in origins(value))
    proofs: dict[int, Owned | None] = {}
    if not any(isinstance(o, Row) or isinstance(getattr(o, "row", None), int) for o in made):
        return Unknown("there are too many alternatives", made)
    for value, facts in found.items():
        for origin, known in loose(value, facts):
            row = origin.symbol if isinstance(origin, Row) else getattr(origin, "row", None)
            if isinstance(row, int):
                proof = next((f for f in known if type(f) is Owned and f.row == row), None)
                proofs[row] = proof if proof is not None and proofs.get(row, proof) else None
    unknown = Unknown("there are too many alternatives", made)
    owned = frozenset(proof for proof in proofs.values() if proof is not None)
    return Choice(((unknown, owned),)) if owned else unknown


def one_of(values: Iterable[Value]) -> Value:
    """Return the value that is one of several, with no facts attached."""
    return choice((value, NO_FACTS) for value in values)


def join(states: Sequence[State | None]) -> State | None:
    """Return the state after paths meet: what holds on all; None where no path arrives."""
    alive = [state for state in states if state is not None]
    if not alive:
        return None
    if len(alive) == 1:
        return alive[0]
    common = common_facts([state.facts for state in alive])
    env = _join_values([state.env for state in alive], [s.facts - common for s in alive])
    stored = dict.fromkeys(name for state in alive for name in state.store)
    stores = [{name: state.store.get(name, ABSENT) for name in stored} for state in alive]
    store = _join_values(stores, [state.facts - common for state in alive])
    return State(env, common, store)


def _join_values(tables: list[dict[str, Value]], extra: list[Facts]) -> dict[str, Value]:
    joined: dict[str, Value] = {}
    first = tables[0]
    for name in dict.fromkeys(name for table in tables for name in table):
        value = first.get(name)
        if value is not None and all(table.get(name) == value for table in tables):
            joined[name] = value
            continue
        present = [
            (table[name], facts)
            for table, facts in zip(tables, extra, strict=True)
            if name in table
        ]
        joined[name] = choice(present)
    return joined


def attached(value: Value, facts: Facts) -> Value:
    """Return a value that carries what is known of the rows in it."""
    if not facts:
        return value
    named = {
        name
        for name in names_in(value)
        if isinstance(name, int) or (isinstance(name, Given) and name.name.endswith("[]"))
    }
    known = relevant(facts, named) if named else NO_FACTS
    return choice([(value, known)]) if known else value


def gathered(value: Value) -> Value:
    """Return a list or dictionary that a loop fills, as what each item of it is."""
    if not isinstance(value, Choice) or len(value.members) == 1:
        return value
    if all(isinstance(member, Items) and not member.is_tuple for member, _ in value.members):
        held = [
            (item, facts)
            for member, facts in value.members
            if isinstance(member, Items)
            for item in (*(member.items or ()), *((member.each,) if member.each else ()))
        ]
        return Items(None, choice(held) if held else None)
    if all(isinstance(member, Mapping) for member, _ in value.members):
        return _gathered_mapping(value)
    return value


def _gathered_mapping(value: Choice) -> Mapping:
    tables = [(member, facts) for member, facts in value.members if isinstance(member, Mapping)]
    common = set.intersection(*({key for key, _ in table.known} for table, _ in tables))
    known: dict[object, list[tuple[Value, Facts]]] = {}
    rest: list[tuple[Value, Facts]] = []
    keys: list[Value] = []
    for table, facts in tables:
        for key, held in table.known:
            if key in common:
                known.setdefault(key, []).append((held, facts))
            else:
                rest.append((held, facts))
                keys.append(Const(key))
        rest += [(table.rest, facts)] if table.rest is not None else []
        keys += [table.keys] if table.keys is not None else []
    return Mapping(
        tuple((key, choice(held)) for key, held in known.items()),
        choice(rest) if rest else None,
        one_of(keys) if keys else None,
    )
