"""Requests that no client should send and any client can: none may end in a server error."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from validators.probes.blame import find_fix, find_place, find_root
from validators.probes.operations import Operation
from validators.probes.requests.filling import Filled, Filler, UnfilledError
from validators.probes.requests.strange import Strange, are_refused, put, rounds, strange_values
from validators.probes.results import Results
from validators.probes.worlds.world import Exchange, World
from validators.rules import probes as rules
from validators.runtime.faults import Frame

_SERVER_ERROR = 500
_MOST_EXAMPLES = 6

# A request, and what came of it.
Answered = tuple[Filled, Exchange]


@dataclass
class Robustness:
    """The experiments with strange values on one world."""

    world: World
    filler: Filler
    results: Results
    # The findings so far, by place, type and fix.
    _known: dict[tuple[Frame | None, str, str | None], int] = field(default_factory=dict)

    def send(self, operation: Operation) -> list[Answered]:
        """Send strange ids, explicit nulls, huge numbers and NUL characters to one operation.

        One request holds many values. Where the answer does not say of each that it is not
        valid, each is sent by itself as well.

        Returns:
            What the owner has sent, with what came of it.
        """
        self.results.current = operation
        try:
            filled = self.filler.fill(operation, "owner", lambda _: "owner", index=3)
        except UnfilledError:
            return []
        values = list(strange_values(self.filler.document, operation, filled))
        answered: list[Answered] = []
        together = list(rounds([each for each in values if not each.is_allowed]))
        sent = self._send_all(operation, filled, together)
        for several, (request, exchange) in zip(together, sent, strict=True):
            alone = []
            if len(several) > 1 and not are_refused(several, exchange):
                alone = self._send_all(operation, filled, [(each,) for each in several])
            # The shortest request that shows a cause is enough.
            has_shown = any(each.response.status >= _SERVER_ERROR for _, each in alone)
            answered += alone if has_shown else [(request, exchange), *alone]
        # What is allowed is likely to change rows, and then has to be looked at by itself.
        for each in values:
            if each.is_allowed:
                answered += self._send_all(operation, filled, [(each,)])
        return answered

    def _send_all(
        self, operation: Operation, filled: Filled, batches: Sequence[Sequence[Strange]]
    ) -> list[Answered]:
        all_filled = [put(operation, filled, values) for values in batches]
        exchanges = self.world.try_all("owner", [each.request for each in all_filled])
        return list(zip(all_filled, exchanges, strict=True))

    def judge(self, operation: Operation, answered: Iterable[Answered]) -> None:
        """Report which strange requests ended in a server error, on this world or another."""
        outcomes = [self.is_server_error(operation, *each) for each in answered]
        if not outcomes:
            return
        count = sum(outcomes)
        detail = f"{count} strange requests end in a server error."
        self.results.note("robustness", operation, "failed" if count else "passed", detail)

    def is_server_error(self, operation: Operation, filled: Filled, exchange: Exchange) -> bool:
        """Report a request that ends in a server error, or in no answer; tell whether it did."""
        response = exchange.response
        if response.is_late:
            message = f"{operation.route} does not answer in time."
            self.results.report(
                rules.SERVER_ERROR, operation, message, trace=(self._shown(filled, exchange),)
            )
            return True
        if response.status not in (_SERVER_ERROR, 0):
            return False
        fault = find_root(response.faults)
        place = find_place(fault, self.world.app.project) if fault else None
        trace = (self._shown(filled, exchange), *(fault.trace if fault else ()))
        key = (place, fault.type if fault else "", find_fix(fault))
        if place is not None and key in self._known:
            self._add_example(self._known[key], self._shown(filled, exchange))
            return True
        self._known[key] = len(self.results.findings)
        said = f": {self.world.neutral(fault.summary).rstrip('.')}." if fault else "."
        self.results.report(
            rules.SERVER_ERROR,
            operation,
            f"{operation.route} ends in a server error{said}",
            place=place,
            fix=find_fix(fault),
            trace=trace,
        )
        return True

    def _shown(self, filled: Filled, exchange: Exchange) -> str:
        # What was made strange is named by itself; everything else as it was sent.
        return filled.shown or self.world.show(exchange.act)

    def _add_example(self, number: int, shown: str) -> None:
        """Add a request to a finding that has the same cause."""
        finding = self.results.findings[number]
        if len(finding.trace) < _MOST_EXAMPLES:
            trace = (*finding.trace, shown)
            self.results.findings[number] = replace(finding, trace=trace)
