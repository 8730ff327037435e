"""Requests that no client should send and any client can: none may end in a server error."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from validators.probes.blame import find_fix, find_place, find_root
from validators.probes.filling import Filled, Filler, UnfilledError
from validators.probes.operations import Operation
from validators.probes.results import Results
from validators.probes.variants import options
from validators.probes.world import Exchange, World
from validators.rules import probes as rules
from validators.runtime.faults import Frame

_SERVER_ERROR = 500
_NUL = "a\x00b"
# Beyond PostgreSQL's integer and bigint types, and below every id.
_STRANGE_NUMBERS = (2**31, 2**63, 0, -1)
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

    def run(self, operations: Iterable[Operation]) -> None:
        """Send strange ids, explicit nulls, huge numbers and NUL characters as the owner."""
        for operation in operations:
            self.results.current = operation
            self.judge(operation, self.send(operation))

    def send(self, operation: Operation) -> list[Answered]:
        """Send the strange requests to one operation, and return each with what came of it."""
        strange = list(self._strange(operation))
        refused = [filled for filled, is_allowed in strange if not is_allowed]
        # What is allowed is likely to change rows, and then has to be looked at by itself.
        batches = [refused, *([filled] for filled, is_allowed in strange if is_allowed)]
        return [
            (filled, exchange)
            for batch in batches
            for filled, exchange in zip(batch, self._send_all(batch), strict=True)
        ]

    def _send_all(self, batch: list[Filled]) -> Iterator[Exchange]:
        return self.world.try_all("owner", [filled.request for filled in batch])

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
            self.results.report(rules.SERVER_ERROR, operation, message, trace=(filled.shown,))
            return True
        if response.status not in (_SERVER_ERROR, 0):
            return False
        fault = find_root(response.faults)
        place = find_place(fault, self.world.app.project) if fault else None
        trace = (filled.shown, *(fault.trace if fault else ()))
        key = (place, fault.type if fault else "", find_fix(fault))
        if place is not None and key in self._known:
            self._add_example(self._known[key], filled)
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

    def _add_example(self, number: int, filled: Filled) -> None:
        """Add a request to a finding that has the same cause."""
        finding = self.results.findings[number]
        if len(finding.trace) < _MOST_EXAMPLES:
            trace = (*finding.trace, filled.shown)
            self.results.findings[number] = replace(finding, trace=trace)

    def _strange(self, operation: Operation) -> Iterator[tuple[Filled, bool]]:
        """Yield strange requests, and whether the document allows each all the same."""
        try:
            filled = self.filler.fill(operation, "owner", lambda _: "owner", index=3)
        except UnfilledError:
            return
        for name in operation.path_names:
            parameter = operation.parameter(name)
            if parameter and parameter.schema.get("type") == "integer":
                for number in _STRANGE_NUMBERS:
                    yield _with_path(operation, filled, name, number), False
        if isinstance(filled.request.json_body, dict):
            nullable = self._nullable(operation)
            for name, value in filled.request.json_body.items():
                for strange in _strange_values(value):
                    is_allowed = strange is None and name in nullable
                    yield _with_value(operation, filled, name, strange), is_allowed

    def _nullable(self, operation: Operation) -> set[str]:
        """Return the properties of a body that may be null."""
        document = self.filler.document
        return {
            name
            for name, schema, _ in document.properties(operation.body)
            if any(option.get("type") == "null" for option in options(document, schema))
        }


def _strange_values(value: Any) -> Iterator[Any]:  # noqa: ANN401
    yield None
    if isinstance(value, str):
        yield _NUL
    elif isinstance(value, int) and not isinstance(value, bool):
        yield 2**31
        yield 2**63


def _with_value(operation: Operation, filled: Filled, name: str, value: Any) -> Filled:  # noqa: ANN401
    body = {**filled.request.json_body, name: value}
    shown = f"{operation.route} with {name}: {json.dumps(value)}"
    return replace(filled, request=replace(filled.request, json_body=body), shown=shown)


def _with_path(operation: Operation, filled: Filled, name: str, value: int) -> Filled:
    parts, wanted = filled.request.path.split("/"), operation.path.split("/")
    path = "/".join(
        str(value) if template == f"{{{name}}}" else part
        for part, template in zip(parts, wanted, strict=True)
    )
    shown = f"{operation.route} with {name} = {value}"
    return replace(filled, request=replace(filled.request, path=path), shown=shown)
