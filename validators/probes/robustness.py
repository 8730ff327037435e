"""Requests that no client should send and any client can: none may end in a server error."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from validators.probes.filling import Filled, Filler, UnfilledError
from validators.probes.operations import Operation
from validators.probes.results import Results
from validators.probes.world import Exchange, World
from validators.rules import probes as rules
from validators.runtime.faults import Fault

_SERVER_ERROR = 500
_NUL = "a\x00b"
# Beyond PostgreSQL's integer and bigint types, and below every id.
_STRANGE_NUMBERS = (2**31, 2**63, 0, -1)
# By the words of an exception: what it means for the backend's author.
_EXPLANATIONS = {
    "naive": "Use aware times: `Field(default_factory=lambda: datetime.now(timezone.utc))`.",
    "out of range": "Limit the number to what the column holds, as with `Path(le=2**31 - 1)`.",
    "NUL": "Refuse NUL characters in text before they reach the database.",
    "null value in column": "Refuse an explicit null for a column that is NOT NULL.",
    "operator does not exist": "Give the column the type of the value that it is compared with.",
    "incompatible types": "Give the foreign key the type of the column that it points to.",
}


@dataclass
class Robustness:
    """The experiments with strange values on one world."""

    world: World
    filler: Filler
    results: Results

    def run(self, operations: Iterable[Operation]) -> None:
        """Send strange ids, explicit nulls, huge numbers and NUL characters as the owner."""
        for operation in operations:
            if operation.route not in self.results.exercised:
                continue
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
        fault = _root(response.faults)
        said = f": {_sentence(fault)}" if fault else "."
        message = f"{operation.route} ends in a server error{said}"
        self.results.report(
            rules.SERVER_ERROR,
            operation,
            message,
            place=fault.innermost if fault else None,
            fix=_fix(fault),
            trace=(filled.shown, *(fault.trace if fault else ())),
        )
        return True

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
                    yield _with_value(filled, name, strange)


def _strange_values(value: Any) -> Iterator[Any]:  # noqa: ANN401
    yield None
    if isinstance(value, str):
        yield _NUL
    elif isinstance(value, int) and not isinstance(value, bool):
        yield 2**31
        yield 2**63


def _with_value(filled: Filled, name: str, value: Any) -> Filled:  # noqa: ANN401
    body = {**filled.request.json_body, name: value}
    shown = f"{filled.request.method} with {name}: {value!r}"
    return replace(filled, request=replace(filled.request, json_body=body), shown=shown)


def _with_path(operation: Operation, filled: Filled, name: str, value: int) -> Filled:
    parts, wanted = filled.request.path.split("/"), operation.path.split("/")
    path = "/".join(
        str(value) if template == f"{{{name}}}" else part
        for part, template in zip(parts, wanted, strict=True)
    )
    shown = f"{operation.route} with {name} = {value}"
    return replace(filled, request=replace(filled.request, path=path), shown=shown)


def _root(faults: tuple[Fault, ...]) -> Fault | None:
    """Return the exception behind a server error: the one that an HTTPException hides, if any."""
    for fault in faults:
        for each in fault.chain:
            if not each.is_a("HTTPException"):
                return each
    return faults[0] if faults else None


def _sentence(fault: Fault) -> str:
    return fault.summary.rstrip(".") + "."


def _fix(fault: Fault | None) -> str | None:
    if fault is None:
        return None
    said = " ".join(each.message for each in fault.chain)
    return next((fix for words, fix in _EXPLANATIONS.items() if words in said), None)
