"""Random requests for as long as asked: Schemathesis makes them, the sandboxed app answers them.

The owner sends them with own ids, the intruder with the owner's. None may end in a server error,
and none of the intruder's may read or change anything of the owner's.
"""

import importlib.util
import json
import shlex
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from validators.errors import CheckUnavailableError
from validators.probes.operations import JSON, Document, Operation
from validators.probes.others.isolation import Attempt, Intrusion
from validators.probes.requests.filling import Filled, Filler, UnfilledError
from validators.probes.results import Results
from validators.probes.robustness import Robustness
from validators.probes.worlds.world import World
from validators.runtime import folders
from validators.runtime.app import Request
from validators.runtime.process import BackendEndedError

_MOST_EXAMPLES = 50
_LONGEST_SHOWN = 1000

# Sends one random case.
Send = Callable[[Any], None]


def require_fuzzer() -> None:
    """Make sure that Schemathesis is installed.

    Raises:
        CheckUnavailableError: It is not.
    """
    if importlib.util.find_spec("schemathesis") is None:
        raise CheckUnavailableError(
            "--fuzz needs Schemathesis, which is not installed.",
            "Install it: `pip install 'backendpro[fuzz]'`, or check without --fuzz.",
        )


@dataclass
class Fuzzing:
    """The experiments with random requests on one world."""

    world: World
    filler: Filler
    results: Results
    intrusion: Intrusion
    robustness: Robustness
    _deadline: float = 0.0
    _failed: bool = False
    _ended: BackendEndedError | None = None

    def run(self, seconds: float) -> None:
        """Send random requests to every route that was exercised, round after round.

        Args:
            seconds: How long; the first round, a few requests to each route, is finished anyhow.

        Raises:
            BackendEndedError: The app ended, or had to be ended.
        """
        targets = list(self._targets())
        failed: dict[str, bool] = {}
        self._deadline = time.monotonic() + seconds
        with _quiet_home():
            number = 0
            while targets and (number == 0 or time.monotonic() < self._deadline):
                for operation, strategies in targets:
                    self._failed = failed.get(operation.route, False)
                    self.results.current = operation
                    for strategy in strategies:
                        _draw(strategy, number, self._sender(operation, number))
                    failed[operation.route] = self._failed
                    if self._ended is not None:
                        raise self._ended
                number += 1
        for operation, _ in targets:
            self._note(operation, has_failed=failed.get(operation.route, False))

    def _note(self, operation: Operation, *, has_failed: bool) -> None:
        if has_failed:
            detail = "A random request ends in a server error or reaches the owner's rows."
            self.results.note("fuzz", operation, "failed", detail)
        else:
            detail = "No random request ends in a server error or reaches the owner's rows."
            self.results.note("fuzz", operation, "passed", detail)

    def _targets(self) -> Iterator[tuple[Operation, tuple[Any, ...]]]:
        """Yield the routes that were exercised, with what draws valid and invalid cases."""
        import schemathesis  # noqa: PLC0415 - an extra that few install, and slow to import
        from schemathesis import GenerationMode  # noqa: PLC0415
        from schemathesis.core.result import Ok  # noqa: PLC0415

        document = self.world.app.openapi
        schema = schemathesis.openapi.from_dict({"openapi": "3.1.0", **document})
        known = {each.route: each for each in Document(document).operations}
        modes = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
        for found in schema.get_all_operations():
            if not isinstance(found, Ok):
                continue
            each = found.ok()
            operation = known.get(each.label)
            if operation is not None and operation.route in self.results.exercised:
                yield operation, tuple(each.as_strategy(generation_mode=mode) for mode in modes)

    def _sender(self, operation: Operation, number: int) -> Send:
        count = number

        def send(case: Any) -> None:  # noqa: ANN401
            nonlocal count
            # Each route has its first round, however short the time is.
            is_over = number > 0 and time.monotonic() > self._deadline
            if self._ended is not None or is_over:
                return
            count += 1
            try:
                self._send(operation, case, "intruder" if count % 2 else "owner")
            except BackendEndedError as error:
                # Hypothesis would send it again, to be sure.
                self._ended = error

        return send

    def _send(self, operation: Operation, case: Any, role: str) -> None:  # noqa: ANN401
        request = self._request(operation, case)
        shown = self._curl(request, role)
        filled = Filled(request, (), shown)
        exchange = self.world.send(role, request)
        self.results.remember(operation, exchange)
        if self.robustness.is_server_error(operation, filled, exchange):
            self._failed = True
        if role == "intruder":
            attempt = Attempt("a random request", lambda _: "owner")
            for rule, message in self.intrusion.violations(attempt, exchange):
                self._failed = True
                if (rule.code, operation.route) not in self._said():
                    self.results.report(rule, operation, message, trace=(shown,))
        self.world.undo(exchange)

    def _said(self) -> set[tuple[str, str | None]]:
        return {(finding.code, finding.route) for finding in self.results.findings}

    def _request(self, operation: Operation, case: Any) -> Request:  # noqa: ANN401
        """Return a drawn case as a request; ids in its path are the owner's."""
        try:
            path = self.filler.fill(operation, "owner", lambda _: "owner").request.path
        except UnfilledError:
            path = str(case.formatted_path)
        query = tuple((name, each) for name, value in _pairs(case.query) for each in _texts(value))
        request = Request(operation.method, path, query)
        if operation.body is None or operation.media != JSON:
            return request
        body = case.body if _is_json(case.body) else None
        return replace(request, json_body=body)

    def _curl(self, request: Request, role: str) -> str:
        """Return a request as a command that people can run; tokens are in variables."""
        query = f"?{urlencode(request.query)}" if request.query else ""
        parts = [f'curl -X {request.method} "$URL"{shlex.quote(request.path + query)}']
        parts.append(f'-H "Authorization: Bearer ${role.upper()}_TOKEN"')
        if request.json_body is not None:
            body = shlex.quote(json.dumps(request.json_body)[:_LONGEST_SHOWN])
            parts.append(f"-H 'Content-Type: application/json' -d {body}")
        return self.world.neutral(" ".join(parts))


def _draw(strategy: Any, number: int, send: Send) -> None:  # noqa: ANN401
    """Send a round of cases, the same for the same number."""
    from hypothesis import HealthCheck, Phase, given, seed, settings  # noqa: PLC0415
    from hypothesis.errors import Unsatisfiable  # noqa: PLC0415

    chosen = settings(
        # The first rounds are short, so that each route has its turn.
        max_examples=min(_MOST_EXAMPLES, 2 + number * 4),
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    drawing: Callable[[], None] = chosen(seed(number)(given(strategy)(send)))  # type: ignore[no-untyped-call]  # Hypothesis leaves `seed` untyped
    try:
        drawing()
    except Unsatisfiable:
        # A route without parameters has no invalid case.
        return


@contextmanager
def _quiet_home() -> Iterator[None]:
    """Keep what Hypothesis writes out of the current folder."""
    from hypothesis import configuration  # noqa: PLC0415

    folder = folders.make("fuzz")
    configuration.set_hypothesis_home_dir(folder / "hypothesis")
    try:
        yield
    finally:
        configuration.set_hypothesis_home_dir(None)
        folders.remove(folder)


def _pairs(query: Any) -> list[tuple[str, Any]]:  # noqa: ANN401
    return list(query.items()) if isinstance(query, Mapping) else []


def _texts(value: Any) -> list[str]:  # noqa: ANN401
    values = value if isinstance(value, list) else [value]
    return [str(each).encode("utf-8", "replace").decode() for each in values]


def _is_json(value: Any) -> bool:  # noqa: ANN401
    try:
        json.dumps(value)
    except (TypeError, ValueError):
        return False
    return True
