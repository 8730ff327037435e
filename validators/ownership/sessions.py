"""Database sessions and results: what runs a statement, stores a row, or reads what came back."""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from validators.ownership.columns import is_computed
from validators.ownership.containers import is_text
from validators.ownership.facts import NO_FACTS, Facts, Fresh, Safe, equals
from validators.ownership.formulas import equality
from validators.ownership.machine import Call
from validators.ownership.proofs import describe
from validators.ownership.recorder import Event
from validators.ownership.schema import TableModel
from validators.ownership.state import choice, one_of
from validators.ownership.transfers import Change
from validators.ownership.values import (
    NONE,
    Attr,
    Choice,
    ClassValue,
    Const,
    Element,
    Formula,
    Function,
    Given,
    Instance,
    Items,
    Made,
    Mapping,
    Opaque,
    Result,
    Row,
    Statement,
    Term,
    Unfollowed,
    Unknown,
    Value,
)
from validators.ownership.walk import functions_in, member_list, renamed_terms
from validators.ownership.writes import Writes

if TYPE_CHECKING:
    import ast

_RUNS = frozenset(
    {
        "exec",
        "exec_driver_sql",
        "execute",
        "scalars",
        "stream",
        "stream_scalars",
        "fetch_all",
        "iterate",
        "run",
        "fetch",
    }
)
_RUNS_ONE = frozenset({"scalar", "fetch_one", "fetch_val", "fetchrow", "fetchval"})
_GETS = frozenset({"get", "get_one"})
_STORES = frozenset({"add", "add_all", "merge", "bulk_save_objects"})
_BULK = frozenset({"bulk_update_mappings", "bulk_insert_mappings"})
_MAYBE = frozenset(
    {"first", "one_or_none", "scalar_one_or_none", "scalar", "fetchone", "fetch_one"}
)
_ONE = frozenset({"one", "scalar_one", "fetchval", "pop"})
_MANY = frozenset(
    {"all", "scalars", "mappings", "unique", "fetchall", "partitions", "tuples", "fetchmany",
     "yield_per", "columns", "fetch_all", "to_list"}
)  # fmt: skip
# Parameters of these names are database sessions, whoever passes them.
SESSION_NAMES = frozenset({"session", "db", "database", "conn", "connection", "s", "sess"})
_DUMPS = frozenset({"model_dump", "dict", "model_dump_json", "json", "_asdict", "to_dict"})


class Sessions(Writes):
    """Runs sessions."""

    def prepare(self) -> None:
        """Set up what sessions need."""
        super().prepare()
        # Objects that were handed to libraries, by class: they may come back as arguments.
        self.handed: dict[ast.ClassDef, dict[Value, None]] = {}

    def session_method(self, name: str, call: Call) -> Value | None:
        """Return what a session's method gives; None where it is none."""
        first = call.args[0] if call.args else next(iter(call.keywords.values()), None)
        if name == "query":
            return self.begin("query", call)
        if name in _GETS and first is not None:
            return self._get(first, call)
        if name in _RUNS or name in _RUNS_ONE:
            return self._run_statement(name, first, call)
        if name == "merge" and first is not None:
            self.merge_row(first, call)
            return first
        if name in _BULK and first is not None and self.model_of(first) is not None:
            return self._bulk(name, call)
        if name in _STORES and first is not None:
            self.store_row(first, call)
            return NONE
        if name == "delete" and first is not None and not isinstance(first, Const):
            self.delete_row(first, call)
            return NONE
        if name in ("run_sync",) and first is not None:
            inner = Call(call.node, call.state, call.frame, [Made("session"), *call.args[1:]])
            return self.call(first, inner)
        return None

    def _run_statement(self, name: str, first: Value | None, call: Call) -> Value | None:
        if first is not None and is_text(first):
            first = self.text_statement(replace(call, args=[first]))
        statements = [
            (self._with_parameters(statement, call), facts)
            for statement, facts in self.statements_in(first)
        ]
        if not statements:
            return None
        results: list[tuple[Value, Facts]] = []
        for statement, facts in statements:
            inner = Call(call.node, call.state, call.frame, call.args, call.keywords)
            if len(statements) > 1:
                inner.state = call.state.copy()
                inner.state.learn(facts)
            each = self.execute(statement, inner)
            results.append((self.attach(each, inner.state), facts))
        each = choice(results)
        return self.maybe(each) if name in _RUNS_ONE else Result(each)

    def note_lost(self, name: str, call: Call) -> None:
        """Note a statement that runs and is not known."""
        if name not in _RUNS | _RUNS_ONE:
            return
        first = call.args[0] if call.args else next(iter(call.keywords.values()), NONE)
        for member, _ in member_list(first):
            if isinstance(member, Unknown) and not is_computed(member):
                site = self.site(call.node, call.frame, "unknown")
                reason = f"the statement that runs cannot be followed: {member.reason}"
                self.record(call.frame, Event("unproven", 0, site.index, reason))
                return

    def text_statement(self, call: Call) -> Value:
        """Return the statement that a text of SQL is."""
        raise NotImplementedError

    def _with_parameters(self, statement: Statement, call: Call) -> Statement:
        """Return a statement of SQL text with its parameters' values."""
        if not statement.is_text:
            return statement
        given = parameters(call)
        terms: dict[Term, Term] = {}
        for name, value in (*statement.holes, *given.items()):
            one = value.each if isinstance(value, Items) and value.each is not None else value
            terms[Opaque(f":{name}")] = self.settled(one, call.state)
        return renamed_terms(statement, terms)

    def hand_over(self, name: str, call: Call) -> None:
        """Run the statements that are handed to something of which nothing is known."""
        for value in call.values():
            for statement, _ in self.statements_in(value):
                # Whatever is added there, it runs at least what it is given.
                added = Unfollowed(f"it is handed on: {name}")
                handed = replace(statement, where=(*statement.where, added))
                each = self.execute(handed, call)
                self.use(each, call.state, call.frame, "is handed on")
            for function in functions_in(value):
                self.hand_on(function, call)
            for member, facts in member_list(value):
                if isinstance(member, Instance):
                    given = choice([(self.attach(member, call.state), facts)])
                    self.handed.setdefault(member.cls.node, {})[given] = None

    def hand_on(self, function: Function, call: Call) -> None:
        """Run a function as somebody would to whom it is handed: with arguments of theirs."""
        if not function.closure and function.receiver is None:
            return  # A function of a module is judged by itself where no route calls it.
        args = function.node.args
        named = [*args.posonlyargs, *args.args, *args.kwonlyargs]
        env: dict[str, Value] = {}
        if function.receiver is not None and named:
            env[named.pop(0).arg] = function.receiver
        for parameter in (*named, *filter(None, (args.vararg, args.kwarg))):
            is_session = parameter.arg in SESSION_NAMES
            env[parameter.arg] = Made("session") if is_session else Given("caller", parameter.arg)
        self.rebind_around(function, call.state)
        state = call.state.copy()
        value = self.outcome(function, env, state, call.frame).value
        if value is not None:
            self.use(value, state, call.frame, "is returned to what calls it")

    def statements_in(self, value: Value | None) -> list[tuple[Statement, Facts]]:
        """Return the statements that a value is, each with its facts."""
        if isinstance(value, Statement):
            return [(value, NO_FACTS)]
        if isinstance(value, Choice):
            return [(m, facts) for m, facts in value.members if isinstance(m, Statement)]
        return []

    def _get(self, first: Value, call: Call) -> Value | None:
        model = self.model_of(first)
        if model is None:
            if isinstance(first, Choice):
                models = [m for member, _ in first.members if (m := self.model_of(member))]
                if models:
                    return one_of(self._got(model, call) for model in models)
            return None
        return self._got(model, call)

    def _got(self, model: TableModel, call: Call) -> Value:
        key = call.argument(1, "ident", "id")
        row = self.fetch_by_key(model, key or Unknown("no key is passed"), call, "get")
        return self.maybe(row)

    def maybe(self, value: Value) -> Value:
        """Return a value that may be missing."""
        return choice(((value, NO_FACTS), (NONE, NO_FACTS)))

    def _bulk(self, name: str, call: Call) -> Value:
        """Run an insert or update of rows that dictionaries describe, by their keys."""
        model = self.model_of(call.args[0])
        assert model is not None  # noqa: S101  # the caller has looked
        listed = call.argument(1, "mappings") or NONE
        each = self.element(listed, call.node, call.state, call.frame)
        kind = "update" if "update" in name else "insert"
        site = self.site(call.node, call.frame, kind)
        element = Element(model.key)
        where: tuple[Formula, ...] = ()
        if kind == "update":
            keys = [
                (column, self.item(each, Const(column), call.state)) for column in model.primary
            ]
            where = tuple(
                equality(self, Attr(element, column), value, call.state) for column, value in keys
            )
        statement = Statement(kind, site.index, sources=(element,), where=where)
        written = replace(call, args=[each])
        self.execute(self.assigning(statement, written), call)
        return NONE

    def delete_row(self, value: Value, call: Call) -> None:
        """Check what `session.delete` removes."""
        self.use_rows(value, call, "is deleted")

    def merge_row(self, value: Value, call: Call) -> None:
        """Check what `session.merge` writes: a new row, or one that has the same key already."""
        for member, _ in member_list(value):
            if not (isinstance(member, Row) and Fresh(member.symbol) in call.state.facts):
                self.store_row(member, call)
                continue
            self.insert_row(member, call)
            self._judge_merge(member, call)

    def _judge_merge(self, row: Row, call: Call) -> None:
        model = self.prover.rows[row.symbol]
        if not model.is_owned:
            return
        site = self.site(call.node, call.frame, "merge")
        site.models[model.name] = None
        taken = self._taken_over(row, model, call)
        if taken is not None:
            event = Event("leak", row.symbol, site.index, taken)
        else:
            text = f"it names no key of a {model.name} that is not the user's"
            event = Event("bound", row.symbol, site.index, text)
        self.record(call.frame, event)

    def _taken_over(self, row: Row, model: TableModel, call: Call) -> str | None:
        """Say which key from outside may name somebody else's row, or return None."""
        facts = call.state.facts
        keyed = {*model.owners, *(column for column, _, _ in model.parents)}
        if set(model.primary) <= keyed:
            return None
        for column in model.primary:
            attr = Attr(row.symbol, column)
            terms = [t for t in equals(attr, facts) if t not in (attr, NONE)]
            safe = any(
                Safe(t, model.key) in facts or self.is_key_of_owned(t, model, facts) for t in terms
            )
            if terms and not safe and column not in keyed:
                first = min(terms, key=str)
                return (
                    f"{model.name}.{column} is {describe(first)}: a row that has it is taken over"
                )
        return None

    def is_key_of_owned(self, term: Term, model: TableModel, facts: Facts) -> bool:
        """Tell whether a term is the key of a row that is proven the user's."""
        return any(
            isinstance(other, Attr)
            and isinstance(other.row, int)
            and Fresh(other.row) not in facts
            and self.prover.rows[other.row] is model
            and self.prover.owned(other.row, facts) is not None
            for other in equals(term, facts)
        )

    def use_rows(self, value: Value, call: Call, how: str) -> None:
        """Record the use of the rows that a value is or holds."""
        for origin, facts in self.loose(value, call.state.facts):
            if isinstance(origin, Row) and Fresh(origin.symbol) not in facts:
                self.use_row(origin.symbol, facts, call.frame, how)

    # Statements that run by their own methods, and results.

    def query_method(self, statement: Statement, name: str, call: Call) -> Value | None:
        """Return what a running method of `session.query(…)` gives; None for any other."""
        if name == "get":
            element = next(iter(self.elements_of(statement, frozenset())), None)
            if element is None:
                return None
            # What `get` fetches has a site of its own, at the same place.
            self.begun.pop(statement.site, None)
            key = call.argument(0, "ident") or Unknown("no key is passed")
            model = self.model_at(element)
            row = self.fetch_by_key(model, key, call, "get")
            site = self.sites[call.node]
            site.place = self.site_list[statement.site].place
            return self.maybe(row)
        if name in ("delete", "update"):
            assigned: tuple[tuple[str, Value], ...] = statement.assigned
            if name == "update":
                assigned = self.assigning(statement, call).assigned
            changed = Statement(
                name, statement.site, statement.columns, statement.sources, statement.joins,
                statement.where, statement.parts, assigned,
            )  # fmt: skip
            self.execute(changed, call)
            return Unknown("how many rows changed")
        if name == "count":
            each = self.execute(statement, call)
            return self.derived("how many rows there are", [each], call.state)
        if name in _MAYBE | _ONE | _MANY:
            return self.result_method(Result(self.execute(statement, call)), name, call)
        return None

    def result_method(self, result: Result, name: str, call: Call) -> Value:
        """Return what a method of a result gives."""
        each = self.attach(result.each, call.state)
        if name in ("scalar", "scalars", "scalar_one", "scalar_one_or_none"):
            each = first_column(each)
        if name in _MAYBE:
            return self.maybe(each)
        if name in _ONE:
            return each
        if name in ("all", "fetchall", "fetchmany", "fetch_all", "to_list"):
            return Items(None, each)
        if name in _MANY or name in ("keys", "close", "freeze"):
            return Result(each)
        return self.derived(f"the {name} of a result", [each], call.state)

    # Methods of rows and objects.

    def row_method(self, row: Row, name: str, call: Call) -> Value:
        """Return what a library's method of a row gives."""
        model = self.prover.rows[row.symbol]
        if name in _DUMPS:
            known = tuple((column, Attr(row.symbol, column)) for column in model.columns)
            return Mapping(tuple(known))
        if name in ("sqlmodel_update", "update"):
            source = call.argument(0, "obj") or NONE
            self._update_row(row, source, call)
            extra = call.keywords.get("update")
            if extra is not None:
                self._update_row(row, extra, call)
            return row
        if name in ("model_copy", "copy"):
            return row
        return self.derived(f"the method {name} of a {model.name}", [row, *call.args], call.state)

    def _update_row(self, row: Row, source: Value, call: Call) -> None:
        model, before = self.prover.rows[row.symbol], call.state.facts
        if Fresh(row.symbol) not in before:
            self.use_row(row.symbol, before, call.frame, "is changed")
        filled = self.fill(row, source, call.state)
        if Fresh(row.symbol) in call.state.facts or not model.is_owned:
            return
        for name in filled:
            change = Change(row.symbol, name, call.node, before)
            self.check_change(change, call.state, call.frame)

    def class_method(self, cls: ClassValue, name: str, call: Call) -> Value:
        """Return what a library's method of a class gives."""
        model = self.model_of(cls)
        source = call.argument(0, "obj") or NONE
        if name not in ("model_validate", "from_orm", "parse_obj", "validate", "model_construct",
                        "construct", "model_validate_json", "parse_raw"):  # fmt: skip
            return self.derived(f"the method {name} of {cls.name}", call.values(), call.state)
        if model is not None:
            symbol = self.fresh_row(("new", call.node), model, call)
            row = Row(symbol, model.key)
            self.fill(row, source, call.state)
            extra = call.keywords.get("update")
            if extra is not None:
                self.fill(row, extra, call.state)
            return row
        if isinstance(source, Mapping):
            return Instance(cls, tuple((str(k), v) for k, v in source.known), source.rest)
        return Instance(cls, (), self.attach(source, call.state))

    def instance_method(self, value: Instance, name: str, call: Call) -> Value | None:
        """Return what a library's method of a project's object gives; None where unknown."""
        if name in _DUMPS:
            return reduced(Mapping(tuple(value.fields), value.rest), call)
        if name in ("model_copy", "copy", "_replace"):
            extra = call.keywords.get("update")
            if isinstance(extra, Mapping):
                for key, held in extra.known:
                    value = value.set(str(key), held)
            return value
        return None


def first_column(each: Value) -> Value:
    """Return the first column of a result row."""
    if isinstance(each, Choice):
        return choice((first_column(member), facts) for member, facts in each.members)
    if isinstance(each, Items) and each.items:
        return each.items[0]
    return each


def parameters(call: Call) -> dict[str, Value]:
    """Return the parameters that a call passes beside a text of SQL, by name."""
    found: dict[str, Value] = {}
    positional = [*call.args[1:]]
    for name, value in call.keywords.items():
        if name in ("params", "parameters", "values"):
            positional.append(value)
        else:
            found[name] = value
    if len(positional) == 1 and isinstance(positional[0], Items) and positional[0].items:
        positional = list(positional[0].items)
    for index, value in enumerate(positional):
        if isinstance(value, Mapping):
            found |= {str(key): held for key, held in value.known}
        else:
            found[f"p{index}"] = value
    return found


def reduced(value: Mapping, call: Call) -> Mapping:
    """Return a dumped dictionary without the keys that `exclude` names, or only `include`'s."""
    for word, is_kept in (("exclude", False), ("include", True)):
        named = call.keywords.get(word)
        keys: set[object] | None = None
        if isinstance(named, Items) and named.items is not None:
            keys = {item.value for item in named.items if isinstance(item, Const)}
        elif isinstance(named, Mapping):
            keys = {key for key, _ in named.known}
        if keys is not None:
            kept = tuple(pair for pair in value.known if (pair[0] in keys) is is_kept)
            value = Mapping(kept, value.rest)
    return value


Maker = Callable[[Call], Value]
