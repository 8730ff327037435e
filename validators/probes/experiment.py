"""The whole experiment on one booted app: the owner's life, with everybody else's attempts."""

import contextlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import Any

from validators.probes.agenda import Agenda
from validators.probes.files import KINDS
from validators.probes.filling import ANYONE, Filled, Filler, UnfilledError
from validators.probes.interference import Interference
from validators.probes.operations import JSON, MULTIPART, UPDATES, Operation
from validators.probes.pace import CREATES, Pace
from validators.probes.results import Results, Step, line, reason
from validators.probes.robustness import Robustness
from validators.probes.world import Exchange, World
from validators.rules import probes as rules

_SERVER_ERROR, _INVALID, _CREATED, _GONE = 500, 422, 201, (404, 410)
_BAD_FILE = (400, 415, 422)
_MOST_REPAIRS = 8
_MOST_VARIANTS = 12
_DEEPEST_CHAIN = 4
_TAKING_AWAY = frozenset(
    {
        "delete", "remove", "purge", "clear", "empty", "revoke", "archive", "unarchive", "bulk",
        "bulk-delete", "delete-many", "batch", "batch-delete", "reset", "leave", "trash",
        "restore", "cancel",
    }
)  # fmt: skip


@dataclass
class Experiment:
    """The owner's script and everything that is tried between its steps."""

    world: World
    filler: Filler
    results: Results
    interference: Interference
    robustness: Robustness
    pace: Pace
    _creates: list[Operation] = field(default_factory=list)
    _pending: dict[str, tuple[Operation, str]] = field(default_factory=dict)

    def run(self, operations: Iterable[Operation]) -> None:
        """Exercise every operation, in an order in which each finds the rows that it needs."""
        phases = _phases(each for each in operations if not each.ends_session)
        self._creates = phases[0]
        for role in self.interference.roles:
            self._create_for(role)
        self.pace.before(CREATES)
        self._create_for("owner")
        self.pace.after(CREATES)
        self._create_alike()
        for phase in phases:
            for operation in phase:
                self._exercise(operation)
            self._retry()
        self._report_pending()

    def sign_out(self, operations: Iterable[Operation]) -> None:
        """Exercise what may end the sessions that every other operation needs."""
        for operation in operations:
            if operation.ends_session:
                self._exercise(operation)
        self._report_pending()

    def try_strange_values(self, agenda: Agenda) -> None:
        """Send strange values to operations that were exercised, as long as any is left."""
        # The owner has rows of every kind again.
        self._create_for("owner")
        for operation in agenda.take(self.results.exercised):
            agenda.note(operation, self.robustness.send(operation))

    def _create_alike(self) -> None:
        """Let everybody create rows with the same text: nobody may be in the owner's way."""
        for operation in self._creates:
            for role in (*self.interference.roles, "owner"):
                with contextlib.suppress(UnfilledError):
                    filled = self.filler.fill(operation, ANYONE, lambda _, role=role: role)  # type: ignore[misc]
                    exchange = self.world.send(role, filled.request)
                    if role == "owner":
                        self._record("alike", operation, filled, exchange)

    def _record(self, name: str, operation: Operation, filled: Filled, exchange: Exchange) -> None:
        label = f"{operation.route} {name}"
        self.results.transcript.append(Step(label, operation, filled, exchange))

    def _create_for(self, role: str) -> None:
        """Let a user have rows of every kind: first those that need no others."""
        waiting = list(self._creates)
        for _ in range(_DEEPEST_CHAIN):
            for operation in list(waiting):
                try:
                    filled = self.filler.fill(
                        operation, role, lambda _: role, is_minimal=True, index=1
                    )
                except UnfilledError:
                    continue
                exchange = self._send_repaired(role, operation, filled)[1]
                if exchange.response.is_success:
                    self._learn(operation, exchange)
                    waiting.remove(operation)

    def _exercise(self, operation: Operation) -> None:
        self.pace.before(operation.route)
        self._take_step(operation)
        self.pace.after(operation.route)

    def _take_step(self, operation: Operation) -> None:
        self.results.current = operation
        try:
            filled = self._owners_request(operation)
        except UnfilledError as error:
            self._pending.setdefault(operation.route, (operation, str(error)))
            return
        if _takes_away(operation):
            self.interference.attempt(operation, filled)
        filled, exchange = self._send_repaired("owner", operation, filled)
        self._record("", operation, filled, exchange)
        if self._is_server_error(operation, filled, exchange):
            self._pending.pop(operation.route, None)
            self._note_server_error("life", operation, exchange)
            self.results.missed[operation.route] = "the owner's request ends in a server error"
            return
        if not exchange.response.is_success:
            self._pending[operation.route] = (
                operation,
                f"the owner is answered {self.world.neutral(reason(exchange))}".rstrip("."),
            )
            return
        if self._had_nothing_to_delete(operation, filled, exchange):
            why = "the owner has no rows there to delete, and no other route makes any"
            self._pending[operation.route] = (operation, why)
            return
        self._pending.pop(operation.route, None)
        self.results.exercised.add(operation.route)
        filled = self._check_effect(operation, filled, exchange)
        if operation.method == "POST":
            self._learn(operation, exchange)
        if not _takes_away(operation):
            self.interference.attempt(operation, filled)
        if operation.method == "GET":
            self._vary_query(operation)

    def _had_nothing_to_delete(
        self, operation: Operation, filled: Filled, exchange: Exchange
    ) -> bool:
        """Tell whether a collection was emptied that was empty."""
        if operation.method != "DELETE" or exchange.change or filled.slots:
            return False
        table = self.filler.targets.own_table(operation)
        return table is not None and not any(self.world.rows_of("owner", table))

    def _owners_request(self, operation: Operation) -> Filled:
        index = {"PUT": 2, "PATCH": 5}.get(operation.method, 0)
        try:
            return self.filler.fill(operation, "owner", lambda _: "owner", index=index)
        except UnfilledError:
            # What was deleted together with something else is made again.
            self._create_for("owner")
            return self.filler.fill(operation, "owner", lambda _: "owner", index=index)

    def _send_repaired(
        self, actor: str, operation: Operation, filled: Filled
    ) -> tuple[Filled, Exchange]:
        """Send a request; where a value is refused as invalid, try others for it."""
        exchange = self.world.send(actor, filled.request)
        self.results.remember(operation, exchange)
        if filled.request.files:
            filled, exchange = self._send_other_files(actor, operation, filled, exchange)
        overrides = self.filler.overrides.setdefault(operation.route, {})
        for _ in range(3):
            name = _refused_property(exchange)
            if name is None or operation.body is None:
                break
            filled, exchange, overrides[name] = self._repair(
                actor, operation, name, filled, exchange
            )
        return filled, exchange

    def _send_other_files(
        self, actor: str, operation: Operation, filled: Filled, exchange: Exchange
    ) -> tuple[Filled, Exchange]:
        """Where a file is refused, try files of other kinds."""
        kinds = iter(range(len(KINDS)))
        while exchange.response.status in _BAD_FILE:
            kind = next(kinds, None)
            if kind is None:
                break
            self.filler.file_kinds[operation.route] = kind
            filled = self.filler.fill(operation, actor, lambda _: actor)
            exchange = self.world.send(actor, filled.request)
        return filled, exchange

    def _repair(
        self, actor: str, operation: Operation, name: str, filled: Filled, exchange: Exchange
    ) -> tuple[Filled, Exchange, Any]:
        overrides = self.filler.overrides[operation.route]
        tried: Any = None
        for number, value in enumerate(self.filler.alternatives(operation, actor, name)):
            if number >= _MOST_REPAIRS:
                break
            tried = value
            filled = self.filler.fill(
                operation, actor, lambda _: actor, overrides={**overrides, name: value}
            )
            exchange = self.world.send(actor, filled.request)
            if _refused_property(exchange) != name:
                break
        return filled, exchange, tried

    def _learn(self, operation: Operation, exchange: Exchange) -> None:
        tables = {row.table for row in exchange.change.added}
        if len(tables) == 1 and operation.path.rpartition("/")[2][:1] != "{":
            self.filler.targets.learned.setdefault(operation.path, tables.pop())

    def _is_server_error(self, operation: Operation, filled: Filled, exchange: Exchange) -> bool:
        return self.robustness.is_server_error(operation, filled, exchange)

    def _note_server_error(self, name: str, operation: Operation, exchange: Exchange) -> None:
        ending = (
            "is not answered in time" if exchange.response.is_late else "ends in a server error"
        )
        self.results.note(name, operation, "failed", f"The owner's request {ending}.")

    def _check_effect(self, operation: Operation, filled: Filled, exchange: Exchange) -> Filled:
        """Check that what the owner did can be seen in the database.

        Returns:
            The owner's last request that succeeded.
        """
        status = exchange.response.status
        if operation.method in UPDATES and not exchange.change:
            decided = self._update_otherwise(operation, filled, exchange)
            if decided is None:
                detail = (
                    f"{operation.route} answers {status} and changes nothing, and no other value "
                    "is left to send that it accepts: the row may be as it was asked for already."
                )
                self.results.note("life", operation, "inconclusive", detail)
                return filled
            filled, exchange = decided
            status = exchange.response.status
        must_store = operation.method in ("PUT", "PATCH", "DELETE") or status == _CREATED
        if must_store and not exchange.change:
            self._fail_life(
                operation,
                rules.NOT_STORED,
                f"{operation.route} answers {status}, and nothing changes in the database.",
                line(exchange, filled),
            )
            return filled
        if operation.method == "GET" and not self._shows_own(operation, exchange):
            self._fail_life(
                operation,
                rules.NOT_SHOWN,
                f"{operation.route} answers {status}, but not with what the owner stored.",
                line(exchange, filled),
            )
            return filled
        self.results.note("life", operation, "passed", f"The owner is answered {status}.")
        return filled

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
        others = chain(
            self.filler.variants(operation, filled),
            self.filler.id_variants(operation, "owner", filled),
        )
        if filled.request.json_body is None:
            if _claims_more(filled, exchange, self.world):
                return filled, exchange
            others = chain(self._on_a_fresh_row(operation))
        for other in islice(others, _MOST_VARIANTS):
            tried = self.world.send("owner", other.request)
            self._record("again", operation, other, tried)
            if self._is_server_error(operation, other, tried):
                self._note_server_error("life", operation, tried)
            elif tried.response.is_success and (
                tried.change
                or other.request.json_body is not None
                or _claims_more(other, tried, self.world)
            ):
                decided = other, tried
                if tried.change:
                    break
        return decided

    def _on_a_fresh_row(self, operation: Operation) -> Iterator[Filled]:
        """Yield an action that says nothing but its row, for a row that is new."""
        self._create_for("owner")
        with contextlib.suppress(UnfilledError):
            yield self._owners_request(operation)

    def _shows_own(self, operation: Operation, exchange: Exchange) -> bool:
        """Tell whether a collection, or a row by its id, shows the owner what is there."""
        table = self.filler.targets.learned.get(operation.path)
        if operation.path.endswith("}"):
            table = self.filler.targets.learned.get(operation.path.rpartition("/")[0])
        if table is None:
            return True
        marker = self.world.markers["owner"]
        rows = list(self.world.rows_of("owner", table))
        if not any(marker in row.text for row in rows):
            return True
        return self.world.holds_data_of("owner", exchange.response)

    def _fail_life(self, operation: Operation, rule: Any, message: str, shown: str) -> None:  # noqa: ANN401
        self.results.report(rule, operation, message, trace=(shown,))
        self.results.note("life", operation, "failed", message)

    def _vary_query(self, operation: Operation) -> None:
        """Send a read with each of its optional query parameters."""
        for parameter in operation.parameters:
            if parameter.place != "query" or parameter.is_required:
                continue
            try:
                filled = self.filler.fill_query(operation, "owner", "owner", parameter)
                exchange = self.world.send("owner", filled.request)
                self._record(parameter.name, operation, filled, exchange)
                if self._is_server_error(operation, filled, exchange):
                    self._note_server_error("query", operation, exchange)
                    continue
                if exchange.response.is_success:
                    self.interference.attempt_query(operation, filled, parameter)
            except UnfilledError:
                continue

    def _retry(self) -> None:
        for operation, _ in list(self._pending.values()):
            self._exercise(operation)

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


def _phases(operations: Iterable[Operation]) -> list[list[Operation]]:
    """Return creates, reads, updates, what takes away, and deletes; parents before children."""
    phases: list[list[Operation]] = [[], [], [], [], []]
    for operation in operations:
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


def _takes_away(operation: Operation) -> bool:
    """Tell whether the owner's request leaves nothing for others to reach."""
    return operation.method == "DELETE" or operation.ends_session


def _claims_more(filled: Filled, exchange: Exchange, world: World) -> bool:
    """Tell whether an answer shows a yes or no of a row otherwise than the database does."""
    body = exchange.response.json()
    places = [(slot.table, (str(slot.value),)) for slot in filled.slots]
    rows = [world.rows[place] for place in places if place in world.rows]
    if not isinstance(body, dict) or len(rows) != 1:
        return False
    return any(
        isinstance(value, bool) and value != body[name]
        for name, value in rows[0].data.items()
        if isinstance(body.get(name), bool)
    )


def _refused_property(exchange: Exchange) -> str | None:
    """Return the property that a 422 names, where it names one."""
    if exchange.response.status not in (_INVALID, 400):
        return None
    body = exchange.response.json()
    details = body.get("detail") if isinstance(body, dict) else None
    for item in _items(details):
        place = item.get("loc")
        if isinstance(place, list) and len(place) > 1 and place[0] == "body":
            return next((str(part) for part in reversed(place) if isinstance(part, str)), None)
    return None


def _items(details: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401
    for item in details if isinstance(details, list) else ():
        if isinstance(item, dict):
            yield item
