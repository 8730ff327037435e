"""The owner's life in a world of its own: it finds out what works, and writes the script."""

import contextlib
from collections import Counter
from collections.abc import Iterable, Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from itertools import islice

import psycopg

from validators.probes.lives.arranging import Arranging
from validators.probes.lives.creating import Creating
from validators.probes.lives.effects import Effects, is_empty
from validators.probes.lives.script import Alike, Invitation, Mark, Script, with_names
from validators.probes.operations import JSON, MULTIPART, Operation
from validators.probes.others.interference import Interference
from validators.probes.requests.filling import ANYONE, Filled, Filler, UnfilledError
from validators.probes.results import Results, line, reason
from validators.probes.robustness import Robustness
from validators.probes.worlds.acts import Act
from validators.probes.worlds.hearing import hear
from validators.probes.worlds.tables import Row
from validators.probes.worlds.world import Exchange, World
from validators.rules import probes as rules

CREATED, CROWDED, LIVED = "created", "crowded", "lived"
_SERVER_ERROR = 500
_GONE = (404, 410)
_STATES = (400, 403, 404, 409, 410, 412, 422, 423)
_MOST_ROWS_TRIED = 3
_MOST_OTHERS, _MOST_TABLES = 4, 2
# So often a route is tried until what it needs is there.
_MOST_STEPS = 16
# Sets rows that are made late apart from all others.
_FIRST_FRESH = 6
_TAKING_AWAY = frozenset(
    {
        "delete", "remove", "purge", "clear", "empty", "revoke", "archive", "unarchive", "bulk",
        "bulk-delete", "delete-many", "batch", "batch-delete", "reset", "leave", "trash",
        "restore", "cancel",
    }
)  # fmt: skip


@dataclass
class Life:
    """What the owner does, step by step, with what works noted for every other world.

    Attributes:
        world: The world in which the owner is alone.
        filler: Makes the requests.
        results: What is shown by it.
        robustness: Judges server errors.
        script: What is written.
        others: Who else comes to this world, after each step.
    """

    world: World
    filler: Filler
    results: Results
    robustness: Robustness
    script: Script
    others: Interference
    creating: Creating = field(init=False)
    _effects: Effects = field(init=False)
    _arranging: Arranging = field(init=False)
    _pending: dict[str, tuple[Operation, str]] = field(default_factory=dict)
    _created: dict[str, tuple[Operation, Filled, Exchange]] = field(default_factory=dict)
    _lacking: dict[str, str] = field(default_factory=dict)
    _operations: list[Operation] = field(default_factory=list)
    _spent: Counter[str] = field(default_factory=Counter)
    _fresh: int = 0

    def __post_init__(self) -> None:
        self.creating = Creating(self.world, self.filler, self.results, [], self._note_create)
        self._effects = Effects(self.world, self.filler, self.results)
        self._arranging = Arranging(self.world, self.filler)

    def run(self, operations: Iterable[Operation]) -> None:
        """Exercise every operation, in an order in which each finds the rows that it needs."""
        self._operations = [each for each in operations if not each.is_last]
        phases = phases_of(self._operations)
        self.creating.operations = phases[0]
        self.creating.provide("owner")
        self.script.add(Mark(CREATED, deepcopy(self.filler.accepted)))
        self._create_alike()
        for number, phase in enumerate(phases):
            for operation in phase:
                if self._take_step(operation) and operation.method == "DELETE":
                    # Some things can be done with what was just deleted, and no longer later.
                    self._retry()
            self._retry()
            if number >= len(phases) - 2:
                # Before rows are deleted, and once more for what deletes under a condition.
                self._count_creates()
                self._arrange()
                self._retry()
        self._effects.report_unshown()
        self._report_pending()

    def end(self, operations: Iterable[Operation]) -> None:
        """Exercise what may end the session or the account that every other operation needs."""
        for ends in ("ends_session", "ends_account"):
            for operation in operations:
                if getattr(operation, ends):
                    self._take_step(operation)
        self._report_pending()

    def _create_alike(self) -> None:
        """Create rows with a text that everybody else uses: nobody may be in the owner's way."""
        for operation in self.creating.operations:
            with contextlib.suppress(UnfilledError):
                filled = self.filler.fill(operation, ANYONE, lambda _: "owner")
                self.script.add(Alike(operation))
                exchange = self.world.send("owner", filled.request)
                self._note(operation, filled, exchange)

    def _note_create(self, operation: Operation, filled: Filled, exchange: Exchange) -> None:
        self._note(operation, filled, exchange)
        if exchange.response.is_success:
            self._created.setdefault(operation.route, (operation, filled, exchange))

    def _count_creates(self) -> None:
        """Let a create count that succeeded while rows were made, and not once more."""
        for route in [each for each in self._pending if each in self._created]:
            self._judge(*self._created[route])

    def _note(self, operation: Operation, filled: Filled, exchange: Exchange) -> None:
        """Write down what is part of every world."""
        del filled
        exchange.act.operation = operation
        if exchange.response.is_success:
            heard = hear(exchange.response)
            for name, value in heard.items():
                self.world.names.bind(f"{name} of {operation.route}", value)
            self.filler.heard |= heard
        self.script.add(exchange.act)

    def _take_step(self, operation: Operation) -> bool:
        """Exercise one operation; tell whether that was done."""
        if self._spent[operation.route] >= _MOST_STEPS:
            return False
        self._spent[operation.route] += 1
        with self.results.about(operation):
            try:
                filled = self._owners_request(operation)
            except UnfilledError as error:
                self._postpone(operation, str(error), error.table)
                return False
            return self._go(operation, filled)

    def _go(self, operation: Operation, filled: Filled, actor: str = "owner") -> bool:
        """Send a request, of the owner's as a rule, and judge what comes of it."""
        filled, exchange = self.creating.send(actor, operation, filled)
        if exchange.response.is_success and can_be_done_once(operation, filled):
            # Behind it, a refusal would show nothing.
            self._invite(operation, filled, None)
        self._note(operation, filled, exchange)
        if self.robustness.is_server_error(operation, filled, exchange):
            self._pending.pop(operation.route, None)
            self._note_server_error("life", operation, exchange)
            self.results.missed[operation.route] = "the owner's request ends in a server error"
            return False
        if not exchange.response.is_success:
            self._note_gone(filled, exchange)
            said = self.world.neutral(reason(exchange))
            self._postpone(operation, f"the owner is answered {said}".rstrip("."))
            return False
        return self._judge(operation, filled, exchange)

    def _judge(self, operation: Operation, filled: Filled, exchange: Exchange) -> bool:
        """Check the effect of what succeeded, and let the others try the same."""
        self.results.answered.add(operation.route)
        if operation.method == "GET":
            self._effects.note_shown(operation, filled, exchange)
            if is_empty(exchange.response):
                self._postpone(operation, "the answer is empty, so that it shows nothing")
                return False
        else:
            nothing = self._effects.nothing_to_do(operation, filled, exchange)
            if nothing is not None:
                self._postpone(operation, nothing)
                return False
        self._pending.pop(operation.route, None)
        self.results.missed.pop(operation.route, None)
        self.results.exercised.add(operation.route)
        if operation.method == "POST":
            self.creating.learn(operation, exchange)
        filled, exchange = self._check_effect(operation, filled, exchange)
        if not can_be_done_once(operation, filled):
            self._invite(operation, filled, exchange.act)
        if operation.method == "GET":
            self._vary_query(operation)
        return True

    def _check_effect(
        self, operation: Operation, filled: Filled, exchange: Exchange
    ) -> tuple[Filled, Exchange]:
        """Check that what the owner did can be seen in the database.

        Returns:
            The owner's last request that succeeded.
        """
        status = exchange.response.status
        if self._effects.may_hold_already(operation, exchange):
            decided = self._update_otherwise(operation, filled, exchange)
            if decided is None:
                detail = (
                    f"{operation.route} answers {status} and changes nothing, and no other value "
                    "is left to send that it accepts: the row may be as it was asked for already."
                )
                self.results.note("life", operation, "inconclusive", detail)
                return filled, exchange
            filled, exchange = decided
            status = exchange.response.status
        if self._effects.should_have_stored(operation, filled, exchange):
            message = f"{operation.route} answers {status}, and nothing changes in the database."
            trace = (line(exchange, self.world), *self._effects.rows_of(filled))
            self.results.report(rules.NOT_STORED, operation, message, trace=trace)
            self.results.note("life", operation, "failed", message)
            return filled, exchange
        self.results.note("life", operation, "passed", f"The owner is answered {status}.")
        return filled, exchange

    def _update_otherwise(
        self, operation: Operation, filled: Filled, exchange: Exchange
    ) -> tuple[Filled, Exchange] | None:
        """Update again with other values than those that may be stored already.

        Two different bodies cannot both be stored already: where both are accepted and nothing
        changes, nothing is stored.

        Returns:
            The update that changed something, otherwise the last one that should have; None where
            there is none.
        """
        decided = None
        if filled.request.json_body is None and self._effects.claims_more(filled, exchange):
            return filled, exchange
        for other in self._other_updates(operation, filled):
            tried = self.world.send("owner", other.request)
            self._note(operation, other, tried)
            if self.robustness.is_server_error(operation, other, tried):
                self._note_server_error("life", operation, tried)
            elif tried.response.is_success and (
                tried.change
                or other.request.json_body is not None
                or self._effects.claims_more(other, tried)
            ):
                decided = other, tried
                if tried.change:
                    break
        return decided

    def _other_updates(self, operation: Operation, filled: Filled) -> Iterator[Filled]:
        if filled.request.json_body is not None:
            yield from self._effects.other_updates(operation, filled)
            return
        # An action that says nothing but its row: for a row that is new.
        if self._make_fresh(operation):
            with contextlib.suppress(UnfilledError):
                yield self._owners_request(operation)

    def _make_fresh(self, operation: Operation) -> bool:
        """Create another row of the kind that an operation is about."""
        own = self.filler.targets.own_table(operation)
        return own is not None and self._make_fresh_in(own)

    def _make_fresh_in(self, table: str, depth: int = 1) -> bool:
        self._fresh += 1
        for create in self.creating.operations:
            if self.creating.table_of(create) != table:
                continue
            for _ in range(2):
                exchange = self.creating.create("owner", create, _FIRST_FRESH + self._fresh)
                if exchange is not None and exchange.response.is_success:
                    return True
                # Perhaps there can be but one for each of the rows that it belongs to.
                above = set(self.world.tables.by_name[table].references.values()) - {table}
                made = [depth and self._make_fresh_in(each, depth - 1) for each in sorted(above)]
                if not any(made):
                    break
        return False

    def _owners_request(self, operation: Operation) -> Filled:
        index = {"PUT": 2, "PATCH": 5}.get(operation.method, 0)
        try:
            return self.filler.fill(operation, "owner", lambda _: "owner", index=index)
        except UnfilledError:
            # What was deleted together with something else is made again.
            if not self.creating.provide("owner"):
                raise
            return self.filler.fill(operation, "owner", lambda _: "owner", index=index)

    def _invite(self, operation: Operation, filled: Filled, act: Act | None) -> None:
        if act is not None:
            self.others.attempt(operation, filled)
        self.script.add(
            Invitation(
                operation,
                with_names(filled, self.world.names),
                act=act,
                accepted=deepcopy(self.filler.accepted_by(operation)),
            )
        )

    def _vary_query(self, operation: Operation) -> None:
        """Send a read with each of its optional query parameters."""
        for parameter in operation.parameters:
            if parameter.place != "query" or parameter.is_required:
                continue
            with contextlib.suppress(UnfilledError):
                filled = self.filler.fill_query(operation, "owner", "owner", parameter)
                exchange = self.world.send("owner", filled.request)
                self._note(operation, filled, exchange)
                if self.robustness.is_server_error(operation, filled, exchange):
                    self._note_server_error("query", operation, exchange)
                elif exchange.response.is_success:
                    named = with_names(filled, self.world.names)
                    accepted = deepcopy(self.filler.accepted_by(operation))
                    self.script.add(Invitation(operation, named, accepted, parameter, exchange.act))

    def _postpone(self, operation: Operation, why: str, lacking: str | None = None) -> None:
        if operation.route in self.results.exercised:
            return
        self._pending[operation.route] = (operation, why)
        if lacking:
            self._lacking[operation.route] = lacking

    def _note_gone(self, filled: Filled, exchange: Exchange) -> None:
        """Remember rows that the app no longer shows, though the database has them."""
        if exchange.response.status in _GONE and filled.slots:
            last = filled.slots[-1] if len(filled.slots) == 1 else filled.slots[0]
            self.filler.gone.add((last.table, str(last.value)))

    def _note_server_error(self, name: str, operation: Operation, exchange: Exchange) -> None:
        ending = (
            "is not answered in time" if exchange.response.is_late else "ends in a server error"
        )
        self.results.note(name, operation, "failed", f"The owner's request {ending}.")

    def _retry(self) -> None:
        for operation, _ in list(self._pending.values()):
            if not self._take_step(operation):
                self._try_other_rows(operation)

    def _try_other_rows(self, operation: Operation) -> bool:
        """Try an operation on other rows of the owner's than the newest."""
        table = self.filler.targets.own_table(operation)
        if table is None or not operation.path_names or operation.route not in self._pending:
            return False
        for row in list(self.world.rows_of("owner", table))[:_MOST_ROWS_TRIED]:
            filled = self._request_for(operation, [row, *self._parents_of(row)])
            if filled is not None and self._go(operation, filled):
                return True
        return False

    def _parents_of(self, row: Row) -> Iterator[Row]:
        """Yield the rows that a row points to, and those that these point to."""
        for table, key in self.world.tables.references(row):
            parent = self.world.rows.get((table, (key,)))
            if parent is not None and parent is not row:
                yield parent
                yield from islice(self._parents_of(parent), _MOST_ROWS_TRIED)

    def _arrange(self) -> None:
        """Bring about what the operations that are left need: rows, other rows, other states."""
        for operation, _ in list(self._pending.values()):
            for way in (self._provide_rows, self._let_bystander, self._try_states):
                if operation.route in self._pending:
                    self.results.current = operation
                    way(operation)

    def _let_bystander(self, operation: Operation) -> None:
        """Let the bystander do it with a row in which the owner gave a part, such as an offer."""
        for _ in range(2):
            with contextlib.suppress(UnfilledError):
                filled = self.filler.fill(operation, "bystander", lambda _: "bystander")
                is_about_a_row = bool(filled.slots) or operation.method == "GET"
                if is_about_a_row and self._go(operation, filled, "bystander"):
                    return
            # What was given may have been taken back, or be used up.
            table = self._lacking.get(operation.route) or self.filler.targets.own_table(operation)
            if table is None or not self._make_fresh_in(table):
                return

    def _provide_rows(self, operation: Operation) -> None:
        """Write rows where the owner has none and no route makes any."""
        table = self._lacking.pop(operation.route, None) or self.filler.targets.own_table(operation)
        if table is None or table == self.world.tables.users_table:
            return
        if any(self.world.rows_of("owner", table)) or not self._insert(table):
            return
        self._take_step(operation)

    def _insert(self, table: str) -> bool:
        try:
            for writing in self._arranging.insert("owner", table):
                self.script.add(self.world.write(writing))
        except psycopg.Error:
            return False
        return any(self.world.rows_of("owner", table))

    def _try_states(self, operation: Operation) -> None:
        """Try an operation on new rows, behind others of its kind, and on rows in other states."""
        ways = (self._try_on_new_rows, self._try_other_ids, self._try_behind_others)
        if any(way(operation) for way in ways):
            return
        for table in self._tables_of(operation):
            rows = [row for row in self.world.rows_of("owner", table) if self.world.name_of(row)]
            affected = rows[:1] if operation.path_names else rows[:_MOST_ROWS_TRIED]
            for values in self._arranging.variants(table):
                if self._try_state(operation, affected, values):
                    return

    def _try_on_new_rows(self, operation: Operation) -> bool:
        """Make new rows of all kinds that an operation names, parents first, and try it on them."""
        with contextlib.suppress(UnfilledError):
            tables = [slot.table for slot in self._owners_request(operation).slots]
            own = self.filler.targets.own_table(operation)
            wanted = dict.fromkeys([*tables, own] if operation.path_names else tables)
            made = [self._make_fresh_in(table) for table in wanted if table is not None]
            return any(made) and self._take_step(operation)
        return False

    def _try_other_ids(self, operation: Operation) -> bool:
        """Take values for ids of what the refusal names, where no name tells that they are."""
        why = self._pending[operation.route][1]
        words = why.rpartition(":")[2].lower().replace(".", " ").split()
        tables = [self.filler.targets.by_word(word) for word in words]
        named = [table for table in tables if table is not None]
        table = next(iter(named), None) or self.filler.targets.own_table(operation)
        if table is None or operation.body is None or not self._make_fresh_in(table):
            return False
        with contextlib.suppress(UnfilledError):
            filled = self._owners_request(operation)
            for other in self.filler.with_ids(operation, filled, "owner", table):
                if self._go(operation, other):
                    return True
        return False

    def _try_behind_others(self, operation: Operation) -> bool:
        """Try an operation behind each other that begins alike: what is started can be stopped."""
        start = operation.segments[: max(len(operation.segments) - 1, 1)]
        others = [
            each
            for each in self._operations
            if each.method == "POST"
            and each.segments[: len(start)] == start
            and each.route != operation.route
        ]
        for other in others[:_MOST_OTHERS]:
            with contextlib.suppress(UnfilledError):
                filled, exchange = self.creating.send("owner", other, self._owners_request(other))
                if not exchange.response.is_success:
                    continue
                self._note(other, filled, exchange)
                if self._take_step(operation):
                    return True
        return False

    def _tables_of(self, operation: Operation) -> list[str]:
        """Return the tables that an operation may be about, the likeliest first."""
        found: list[str | None] = []
        with contextlib.suppress(UnfilledError):
            found = [slot.table for slot in reversed(self._owners_request(operation).slots)]
        found.append(self.filler.targets.own_table(operation))
        known = [each for each in dict.fromkeys(found) if each is not None]
        if not known:
            owned = [
                row.table
                for table in self.world.tables.by_name
                for row in self.world.rows_of("owner", table)
            ]
            known = sorted(set(owned), key=lambda table: (-owned.count(table), table))
        users = self.world.tables.users_table
        return [table for table in known if table != users][:_MOST_TABLES]

    def _try_state(self, operation: Operation, rows: list[Row], values: object) -> bool:
        """Try an operation where rows hold some values; they are brought back where it fails."""
        acts: list[Act] = []
        for row in rows:
            current = self.world.rows.get((row.table, row.key))
            if current is not None:
                act = self._arranging.write(current, values)  # type: ignore[arg-type]
                acts += [act] if act is not None else []
        if not acts:
            return False
        filled = self._request_for(operation, rows)
        exchange = self.world.send("owner", filled.request) if filled else None
        is_done = (
            filled is not None
            and exchange is not None
            and exchange.response.is_success
            and not (operation.method == "GET" and is_empty(exchange.response))
            and self._effects.nothing_to_do(operation, filled, exchange) is None
        )
        if exchange is not None:
            self.world.undo(exchange)
        if not is_done or filled is None:
            for act in reversed(acts):
                self.world.take_back(act)
            return False
        for act in acts:
            self.script.add(act)
        return self._go(operation, filled)

    def _request_for(self, operation: Operation, rows: list[Row]) -> Filled | None:
        self.filler.preferred = {(row.table, row.key) for row in rows}
        try:
            return self._owners_request(operation)
        except UnfilledError:
            return None
        finally:
            self.filler.preferred = set()

    def make_ready(self) -> None:
        """Let the owner have new rows of every kind again, with texts of the owner's own."""
        self.creating.provide("owner")
        self._fresh += 1
        for create in self.creating.operations:
            if create.route in self.results.exercised:
                self.creating.create("owner", create, _FIRST_FRESH + self._fresh)

    def _report_pending(self) -> None:
        by_reason: dict[str, list[Operation]] = {}
        for operation, why in self._pending.values():
            by_reason.setdefault(why, []).append(operation)
            self.results.missed[operation.route] = why
            message = f"The route could not be exercised: {why}."
            self.results.note("life", operation, "inconclusive", message)
        for why, operations in by_reason.items():
            routes = ", ".join(operation.route for operation in operations)
            message = f"Nothing was shown about {routes}: {why}."
            self.results.report(rules.NOT_EXERCISED, operations[0], message)
        self._pending.clear()


def phases_of(operations: Iterable[Operation]) -> list[list[Operation]]:
    """Return creates, reads, updates, what takes away, and deletes; parents before children."""
    phases: list[list[Operation]] = [[], [], [], [], []]
    for operation in operations:
        if operation.is_last:
            continue
        if operation.media not in (JSON, MULTIPART) and operation.body is not None:
            phases[3].append(operation)
            continue
        words = {part.lower() for part in operation.segments}
        number = {"GET": 1, "PUT": 2, "PATCH": 2, "DELETE": 4}.get(operation.method, 0)
        if operation.method == "POST" and words & _TAKING_AWAY:
            number = 3
        phases[number].append(operation)
    phases[0].sort(key=lambda operation: len(operation.path_names))
    phases[4].sort(key=lambda operation: -len(operation.segments))
    return phases


def can_be_done_once(operation: Operation, filled: Filled) -> bool:
    """Tell whether a request may leave nothing for others to reach: a delete, a step to a state."""
    is_step = operation.method == "POST" and bool(filled.slots)
    return operation.method == "DELETE" or operation.ends_session or is_step
