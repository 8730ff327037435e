"""What the intruder tries on the owner's rows, and what must not come of it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from validators.probes.operations import UPDATES, Operation, Parameter
from validators.probes.requests.filling import NOBODY, Filled, Filler, UnfilledError, Whose
from validators.probes.requests.lists import beside, has_list, without_secrets
from validators.probes.results import Results
from validators.probes.robustness import Robustness
from validators.probes.worlds.evidence import calls, told, way_to
from validators.probes.worlds.tables import Key, Row, Snapshot
from validators.probes.worlds.world import Exchange, World
from validators.report import ProbeOutcome
from validators.rules import probes as rules
from validators.rules.base import Rule

_NO_ONE: frozenset[str] = frozenset()
_INVALID, _TOO_MANY = 422, 429
# What to say of each outcome, the worst first.
_SENTENCES: dict[ProbeOutcome, str] = {
    "failed": "The intruder reaches the owner's rows, or brings the app down.",
    "inconclusive": "The intruder's requests were not answered in earnest.",
    "passed": "The intruder reaches nothing of the owner's.",
}
_OWNER_FIELDS = ("user_id", "owner_id")


@dataclass(frozen=True)
class Attempt:
    """One way to reach the owner's rows.

    Attributes:
        name: What is tried, for people.
        whose: Whose row goes into each slot.
        names_owner: Whether the owner's id is sent as the owner's.
        is_beside_own: Whether lists hold the owner's ids behind own ones.
    """

    name: str
    whose: Whose
    names_owner: bool = False
    is_beside_own: bool = False


@dataclass
class Intrusion:
    """The intruder's experiments on one world."""

    world: World
    filler: Filler
    results: Results
    robustness: Robustness

    def attempt_all(self, operation: Operation, control: Filled) -> None:
        """Try everything on an operation that the owner has used, or is about to use.

        Args:
            operation: The operation.
            control: The owner's own request, with the slots that it had.
        """
        control = without_secrets(operation, control)
        outcomes = {
            self._attempt(operation, control, attempt)
            for attempt in _attempts(control)
            if not attempt.names_owner or self.filler.names_users(operation)
        }
        worst: ProbeOutcome = next(
            (each for each in _SENTENCES if each in outcomes), "inconclusive"
        )
        self.results.note("isolation", operation, worst, _SENTENCES[worst])

    def attempt_query(self, operation: Operation, control: Filled, parameter: Parameter) -> None:
        """Let the intruder send a read with the query parameter that the owner has used."""
        whose = "owner" if control.slots else "intruder"
        filled = self.filler.fill_query(operation, "intruder", whose, parameter)
        exchange = self.world.send("intruder", filled.request)
        attempt = Attempt(f"with the parameter {parameter.name}", lambda _: whose)
        for rule, message in self.violations(attempt, exchange):
            self._report(rule, operation, message, exchange)
            self.results.note("isolation", operation, "failed", message)

    def _attempt(self, operation: Operation, control: Filled, attempt: Attempt) -> ProbeOutcome:
        try:
            filled = self._fill(operation, attempt, control)
        except UnfilledError:
            return "inconclusive"
        if not (attempt.names_owner or attempt.is_beside_own) and self._names_own(attempt, filled):
            return "inconclusive"
        exchange = self.world.send("intruder", filled.request)
        self.results.remember(operation, exchange)
        if self.robustness.is_server_error(operation, filled, exchange):
            self.world.undo(exchange)
            return "failed"
        if exchange.response.status == _TOO_MANY:
            return "inconclusive"
        broken = list(self.violations(attempt, exchange))
        if not broken and control.slots and not (attempt.names_owner or attempt.is_beside_own):
            broken = list(self._compare_with_nobody(operation, attempt, exchange))
        for rule, message in broken:
            self._report(rule, operation, message, exchange)
        if broken or self._has_said_marker(exchange):
            # A key that the owner has chosen must not be found again as the intruder's own.
            self.world.undo(exchange)
        return "failed" if any(rule.severity == "error" for rule, _ in broken) else "passed"

    def _names_own(self, attempt: Attempt, filled: Filled) -> bool:
        """Tell whether what should name a row of the owner's names one of the intruder's as well.

        Keys that are counted or chosen by each user, such as a number or a slug, do.
        """
        theirs = [slot for slot in filled.slots if attempt.whose(slot.name) == "owner"]
        return any(
            str(slot.value) in map(str, row.data.values())
            for slot in theirs
            for row in self.world.rows_of("intruder", slot.table)
        )

    def _report(self, rule: Rule, operation: Operation, message: str, exchange: Exchange) -> None:
        """Report what an attempt has shown, with the way to it and the rows that prove it."""
        steps = way_to(self.world, [exchange.act])
        touched = [*exchange.change.gone, *(was for was, _ in exchange.change.changed)]
        touched += exchange.change.added
        rows = [f"the row in the database: {self.world.neutral(row.text)}" for row in touched[:3]]
        self.results.report(
            rule,
            operation,
            message,
            trace=(*told(self.world, steps), *rows),
            experiment=calls(self.world, steps),
        )

    def _fill(self, operation: Operation, attempt: Attempt, control: Filled) -> Filled:
        overrides = {}
        if attempt.names_owner:
            overrides = dict.fromkeys(_OWNER_FIELDS, self.world.users["owner"].id)
        pinned = {slot.name: slot.value for slot in control.slots}
        if attempt.is_beside_own:
            return beside(self.filler.fill(operation, "intruder", attempt.whose, index=1), control)
        filled = self.filler.fill(
            operation, "intruder", attempt.whose, index=1, overrides=overrides, pinned=pinned
        )
        if operation.method in UPDATES and filled.request.json_body == control.request.json_body:
            # What the owner has just stored would change nothing.
            return next(self.filler.variants(operation, filled), filled)
        return filled

    def violations(self, attempt: Attempt, exchange: Exchange) -> Iterator[tuple[Rule, str]]:
        """Yield what the database and the response show."""
        status = exchange.response.status
        is_shown = self.world.holds_data_of("owner", exchange.response)
        if is_shown and not self._has_said_marker(exchange):
            yield rules.READ, f"The intruder reads the owner's data ({attempt.name}): {status}."
        owners = self.world.owners(self._rows_before(exchange))
        for row in exchange.change.gone:
            if _is_owners(owners[row.table, row.key]):
                yield (
                    rules.CHANGED,
                    f"The intruder deletes the owner's row of {row.table!r} ({attempt.name}).",
                )
        for was, now in exchange.change.changed:
            if _is_owners(owners[was.table, was.key]):
                yield (
                    rules.CHANGED,
                    f"The intruder changes the owner's row of {was.table!r} ({attempt.name}).",
                )
            else:
                yield from self._planted(now, was, attempt, owners)
        for row in exchange.change.added:
            yield from self._planted(row, None, attempt, owners)

    def _has_said_marker(self, exchange: Exchange) -> bool:
        return self.world.markers["owner"] in str(exchange.request).lower()

    def _rows_before(self, exchange: Exchange) -> Snapshot:
        """Return the rows before a request: what it added can make nobody a member of a group."""
        added = {(row.table, row.key) for row in exchange.change.added}
        rows = {place: row for place, row in self.world.rows.items() if place not in added}
        rows |= {(row.table, row.key): row for row in exchange.change.gone}
        return rows | {(row.table, row.key): row for row, _ in exchange.change.changed}

    def _planted(
        self,
        row: Row,
        was: Row | None,
        attempt: Attempt,
        owners: Mapping[tuple[str, Key], frozenset[str]],
    ) -> Iterator[tuple[Rule, str]]:
        """Yield where a row of the intruder names the owner or points to the owner's rows."""
        users = list(self.world.users.values())
        own = self.world.tables.owners({(row.table, row.key): row}, users)[row.table, row.key]
        if _is_owners(own):
            yield (
                rules.FORGED,
                f"The intruder writes a row of {row.table!r} in the owner's name ({attempt.name}).",
            )
            return
        known = set(self.world.tables.references(was)) if was else set()
        for table, key in self.world.tables.references(row):
            if (table, key) not in known and _is_owners(owners.get((table, (key,)), _NO_ONE)):
                yield (
                    rules.PLANTED,
                    f"The intruder stores a row of {row.table!r} that points to the owner's row of "
                    f"{table!r} ({attempt.name}).",
                )

    def _compare_with_nobody(
        self, operation: Operation, attempt: Attempt, exchange: Exchange
    ) -> Iterator[tuple[Rule, str]]:
        """Yield where the owner's ids are answered otherwise than ids that do not exist."""

        def whose(name: str) -> str:
            role = attempt.whose(name)
            return NOBODY if role == "owner" else role

        filled = self.filler.fill(operation, "intruder", whose, index=1)
        control = self.world.send("intruder", filled.request)
        self.world.undo(control)
        got, expected = exchange.response, control.response
        if got.is_success and not expected.is_success:
            yield (
                rules.READ,
                f"The intruder is answered {got.status} for the owner's row, and "
                f"{expected.status} for one that does not exist ({attempt.name}).",
            )
        elif expected.status == _INVALID:
            # What does not look like an id tells nothing.
            return
        elif got.status != expected.status and not got.is_success and not expected.is_success:
            yield (
                rules.DISCLOSED,
                f"The intruder learns that the owner's row exists: {got.status}, and "
                f"{expected.status} for one that does not exist ({attempt.name}).",
            )


def _is_owners(roles: frozenset[str]) -> bool:
    """Tell whether a row is the owner's, and not shared with the intruder."""
    return "owner" in roles and "intruder" not in roles


def _attempts(control: Filled) -> Iterator[Attempt]:
    names = tuple(dict.fromkeys(slot.name for slot in control.slots))
    if not names:
        yield Attempt("the same request", lambda _: "intruder")
    else:
        yield Attempt("the owner's ids", lambda name: "owner" if name in names else "intruder")
    if has_list(control):
        yield Attempt("the owner's ids beside own ones", lambda _: "intruder", is_beside_own=True)
    if len(names) > 1:
        for each in names:
            yield Attempt(
                f"the owner's {each} among own ids",
                lambda name, each=each: "owner" if name == each else "intruder",  # type: ignore[misc]
            )
    yield Attempt(
        "the owner's user id",
        lambda name: "intruder" if name in names else "owner",
        names_owner=True,
    )
