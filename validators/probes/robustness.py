"""Requests that no client should send and any client can: none may end in a server error."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from validators.probes.blame import find_fix, find_place, find_root
from validators.probes.filling import Filled, Filler, UnfilledError
from validators.probes.operations import Operation
from validators.probes.results import Results
from validators.probes.world import Exchange, World
from validators.rules import probes as rules
from validators.runtime.faults import Frame

_SERVER_ERROR = 500
_NUL = "a\x00b"
# Beyond PostgreSQL's integer and bigint types, and below every id.
_STRANGE_NUMBERS = (2**31, 2**63, 0, -1)
_MOST_EXAMPLES = 6


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
            if operation.route not in self.results.exercised:
                continue
            self.results.current = operation
            count = 0
            for filled in self._strange(operation):
                exchange = self.world.send("owner", filled.request)
                count += self.is_server_error(operation, filled, exchange)
                self.world.undo(exchange)
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

    def _strange(self, operation: Operation) -> Iterator[Filled]:
        try:
            filled = self.filler.fill(operation, "owner", lambda _: "owner", index=3)
        except UnfilledError:
            return
        for name in operation.path_names:
            parameter = operation.parameter(name)
            if parameter and parameter.schema.get("type") == "integer":
                for number in _STRANGE_NUMBERS:
                    yield _with_path(operation, filled, name, number)
        if isinstance(filled.request.json_body, dict):
            for name, value in filled.request.json_body.items():
                for strange in _strange_values(value):
                    yield _with_value(operation, filled, name, strange)


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
