"""Two requests at once: what only the code promises, and not the database, breaks.

Both have read before either writes (`Tables.holding`), so that the outcome does not hang on chance.
What is looked for: uniqueness and limits that one request at a time keeps, counts that lose a step,
and server errors where a row is changed and deleted at the same moment.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import psycopg

from validators.probes.blame import find_place, find_root
from validators.probes.lives.creating import Creating
from validators.probes.operations import UPDATES, Operation
from validators.probes.requests.filling import Filled, Filler, UnfilledError
from validators.probes.results import Results
from validators.probes.worlds.acts import Act, Writing
from validators.probes.worlds.tables import Change
from validators.probes.worlds.world import World
from validators.rules import probes as rules
from validators.runtime.app import Request, Response

_SERVER_ERROR = 500
_CROWD = 60
_NAME = "two at once"
# Sets the rows of the races apart from all others.
_INDEX = 90


@dataclass
class Races:
    """The experiments with two requests at once, in the world in which the owner is alone.

    Attributes:
        world: The world.
        filler: Makes the requests.
        results: Takes the findings.
        creating: Knows in which tables creates make their rows.
    """

    world: World
    filler: Filler
    results: Results
    creating: Creating

    def run(self, operations: tuple[Operation, ...]) -> None:
        """Try every operation that was exercised and that such a race may break."""
        for operation in operations:
            self.results.current = operation
            if operation.route not in self.results.exercised or operation.is_last:
                continue
            try:
                if operation.method == "POST" and operation.path_names:
                    self._step_twice(operation)
                elif operation in self.creating.operations:
                    self._create_twice(operation)
                elif operation.method in UPDATES:
                    self._change_and_delete(operation, operations)
            except (UnfilledError, psycopg.Error):
                # What it needs is not there, or cannot be made to be.
                continue

    def _create_twice(self, operation: Operation) -> None:
        table = self.filler.targets.learned.get(operation.path)
        if table is None:
            return
        filled = self._request(operation)
        if self._is_refused_twice(filled.request):
            what = "keeps what must be unique apart"
            self._race(operation, [filled.request] * 2, table, what, _both_succeeded)
            return
        room = self._find_limit(filled, table)
        if room is not None:
            with _Crowd(self.world, table, room):
                other = self._request(operation, _INDEX + 1)
                what = "keeps to a limit"
                requests = [filled.request, other.request]
                self._race(operation, requests, table, what, _both_succeeded)
            return
        self._race(operation, [filled.request] * 2, table, "", _never)

    def _is_refused_twice(self, request: Request) -> bool:
        """Tell whether a create is accepted once and refused the second time."""
        first = self.world.send("owner", request)
        second = self.world.send("owner", request) if first.response.is_success else None
        for exchange in filter(None, (second, first)):
            self.world.undo(exchange)
        return second is not None and 400 <= second.response.status < _SERVER_ERROR  # noqa: PLR2004

    def _find_limit(self, filled: Filled, table: str) -> int | None:
        """Return how many more rows leave room for one, or None where nothing limits them."""
        if self._accepts_behind(filled, table, _CROWD):
            return None
        low, high = 0, _CROWD
        while high - low > 1:
            middle = (low + high) // 2
            if self._accepts_behind(filled, table, middle):
                low = middle
            else:
                high = middle
        return low

    def _accepts_behind(self, filled: Filled, table: str, count: int) -> bool:
        """Tell whether a create is accepted where the owner has so many more rows."""
        with _Crowd(self.world, table, count) as is_there:
            exchange = self.world.send("owner", filled.request)
            self.world.undo(exchange)
            refused = 400 <= exchange.response.status < _SERVER_ERROR  # noqa: PLR2004
            return not (is_there and refused)

    def _step_twice(self, operation: Operation) -> None:
        """Hold what two steps do at once against what they do one behind the other."""
        filled = self._request(operation)
        table = filled.slots[-1].table if filled.slots else None
        if table is None:
            return
        first = self.world.send("owner", filled.request)
        second = self.world.send("owner", filled.request)
        steps = [_steps(exchange.change) for exchange in (first, second)]
        is_refused = first.response.is_success and not second.response.is_success
        for exchange in (second, first):
            self.world.undo(exchange)
        requests = [filled.request] * 2
        if is_refused:
            self._race(operation, requests, table, "is done once", _both_succeeded)
        elif steps[0] and steps[0] == steps[1]:
            wanted = {place: 2 * step for place, step in steps[0].items()}

            def is_lost(responses: list[Response], change: Change) -> bool:
                done = [each for each in responses if each.is_success]
                return len(done) > 1 and _steps(change) != wanted

            self._race(operation, requests, table, "counts each request", is_lost)

    def _change_and_delete(self, operation: Operation, operations: tuple[Operation, ...]) -> None:
        """Let a row be deleted and changed at once: neither may end in a server error."""
        deleting = next(
            (each for each in operations if each.route == f"DELETE {operation.path}"), None
        )
        if deleting is None or deleting.route not in self.results.exercised:
            return
        changed, deleted = self._request(operation), self._request(deleting)
        if changed.slots and changed.request.path == deleted.request.path:
            requests = [deleted.request, changed.request]
            self._race(operation, requests, changed.slots[-1].table, "", _never)

    def _request(self, operation: Operation, index: int = _INDEX) -> Filled:
        return self.filler.fill(operation, "owner", lambda _: "owner", index=index)

    def _race(
        self,
        operation: Operation,
        requests: list[Request],
        table: str,
        promise: str,
        is_broken: Callable[[list[Response], Change], bool],
    ) -> None:
        responses, change = self.world.send_at_once("owner", requests, table)
        trace = tuple(
            f"at once, as the owner: {self._shown(request)} → {response.status}"
            for request, response in zip(requests, responses, strict=True)
        )
        failed = [each for each in responses if each.status in (_SERVER_ERROR, 0)]
        if failed:
            fault = find_root(failed[0].faults)
            said = f": {self.world.neutral(fault.summary).rstrip('.')}." if fault else "."
            message = f"{operation.route} ends in a server error where two requests come at once"
            place = find_place(fault, self.world.app.project) if fault else None
            self.results.report(
                rules.RACE_ERROR, operation, message + said, place=place, trace=trace
            )
        elif is_broken(responses, change):
            message = f"{operation.route} {promise}, but not where two requests come at once."
            self.results.report(rules.RACE, operation, message, trace=trace)
        detail = "Two requests at once end as one behind the other."
        if failed or is_broken(responses, change):
            self.results.note(_NAME, operation, "failed", "Two requests at once break it.")
        else:
            self.results.note(_NAME, operation, "passed", detail)

    def _shown(self, request: Request) -> str:
        named = self.world.names.template(request)
        return self.world.show(Act(0, "owner", named))


def _both_succeeded(responses: list[Response], change: Change) -> bool:
    del change
    return all(each.is_success for each in responses)


def _never(responses: list[Response], change: Change) -> bool:
    del responses, change
    return False


def _steps(change: Change) -> dict[tuple[str, str, str], float]:
    """Return by how much each number of a row has changed."""
    return {place: step for place, step in _all_steps(change) if step}


def _all_steps(change: Change) -> Iterator[tuple[tuple[str, str, str], float]]:
    for was, now in change.changed:
        for name, value in now.data.items():
            before = was.data.get(name)
            if type(value) in (int, float) and type(before) in (int, float):
                yield (now.table, "/".join(now.key), name), value - before


@dataclass
class _Crowd:
    """So many more rows of the owner's in a table, for a while."""

    world: World
    table: str
    count: int
    _act: Act | None = None

    def __enter__(self) -> bool:
        """Return whether they are there."""
        rows = (r for r in self.world.rows_of("owner", self.table) if self.world.name_of(r))
        row = next(rows, None)
        if row is None or not self.count:
            return not self.count
        writing = Writing(self.table, self.world.name_of(row), {}, copies=self.count)
        try:
            self._act = self.world.write(writing)
        except psycopg.Error:
            return False
        return True

    def __exit__(self, *error: object) -> None:
        if self._act is not None:
            self.world.take_back(self._act)
