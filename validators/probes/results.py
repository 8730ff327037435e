"""What the probes have shown so far: findings, outcomes, and which routes were exercised."""

import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from validators.probes.operations import Operation
from validators.probes.worlds.world import Exchange, World
from validators.report import Call, Coverage, Finding, Missed, Probe, ProbeOutcome
from validators.rules import probes as rules
from validators.rules.base import Rule
from validators.runtime.faults import Frame

_MOST_REASON = 200
_NOT_REACHED = "the check ended before"
_LEAKS = (rules.READ, rules.CHANGED, rules.PLANTED, rules.FORGED)


@dataclass(frozen=True)
class ProbeRun:
    """What the probes found.

    Attributes:
        findings: One for each rule broken at a route.
        probes: Every experiment, in the order in which they ran.
        routes: Every route of the app.
        coverage: Which routes were exercised.
        leaking: Routes on which rows were seen to reach a user whose they are not.
        seconds: How long the experiments with each route have taken.
    """

    findings: tuple[Finding, ...]
    probes: tuple[Probe, ...]
    routes: tuple[str, ...]
    coverage: Coverage = field(default_factory=Coverage)
    leaking: tuple[str, ...] = ()
    seconds: dict[str, float] = field(default_factory=dict)


@dataclass
class Results:
    """Collects findings and outcomes.

    Attributes:
        handlers: Where the handler of each route is, once a request reached it.
        exercised: Routes on which the owner succeeded.
        answered: Those, and the ones on which a success showed nothing.
        missed: Why the others could not be exercised, by route.
        current: The operation that is being probed.
        leaking: Routes on which rows were seen to reach a user whose they are not.
        seconds: How long the experiments with each route have taken.
    """

    findings: list[Finding] = field(default_factory=list)
    probes: list[Probe] = field(default_factory=list)
    handlers: dict[str, Frame] = field(default_factory=dict)
    exercised: set[str] = field(default_factory=set)
    answered: set[str] = field(default_factory=set)
    missed: dict[str, str] = field(default_factory=dict)
    current: Operation | None = None
    leaking: set[str] = field(default_factory=set)
    seconds: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))

    @contextmanager
    def about(self, operation: Operation) -> Iterator[None]:
        """Count the time of some experiments for the operation that they are about."""
        self.current = operation
        started = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[operation.route] += time.perf_counter() - started

    def remember(self, operation: Operation, exchange: Exchange) -> None:
        """Remember where the handler of a route is."""
        if exchange.response.handler is not None:
            self.handlers.setdefault(operation.route, exchange.response.handler)

    def note(self, name: str, operation: Operation, outcome: ProbeOutcome, detail: str) -> None:
        """Add the outcome of one experiment."""
        self.probes.append(Probe(name=name, route=operation.route, outcome=outcome, detail=detail))

    def report(
        self,
        rule: Rule,
        operation: Operation | None,
        message: str,
        *,
        place: Frame | None = None,
        fix: str | None = None,
        trace: tuple[str, ...] = (),
        experiment: tuple[Call, ...] = (),
        expected: tuple[tuple[str, str], ...] = (),
    ) -> None:
        """Add a finding, at the route's handler where no other place is given."""
        route = operation.route if operation else None
        if route and rule in _LEAKS:
            self.leaking.add(route)
        found = place or (self.handlers.get(route) if route else None)
        finding = rule.finding(
            message,
            path=found.path if found else "",
            line=found.line if found else None,
            fix=fix,
            route=route,
            trace=trace,
        )
        self.findings.append(replace(finding, experiment=experiment, expected=expected))

    def add(self, other: "Results") -> None:
        """Take in what was shown elsewhere."""
        self.findings += other.findings
        self.probes += other.probes
        self.exercised |= other.exercised
        self.missed = {**other.missed, **self.missed}
        self.leaking |= other.leaking
        for route, seconds in other.seconds.items():
            self.seconds[route] += seconds

    def finish(self, routes: Iterable[str]) -> ProbeRun:
        """Return all of it, each finding once."""
        known = tuple(dict.fromkeys(routes))
        missed = tuple(
            Missed(route=route, reason=self.missed.get(route, _NOT_REACHED))
            for route in known
            if route not in self.exercised
        )
        coverage = Coverage(routes=len(known), exercised=len(known) - len(missed), missed=missed)
        findings = tuple(dict.fromkeys(self._once()))
        leaking = tuple(sorted(self.leaking))
        seconds = {route: round(self.seconds[route], 3) for route in known if self.seconds[route]}
        return ProbeRun(findings, tuple(self.probes), known, coverage, leaking, seconds)

    def _once(self) -> Iterator[Finding]:
        """Yield the findings; a route that takes several kinds of bad tokens is one finding."""
        of_tokens: dict[str | None, Finding] = {}
        about_tokens = [f for f in self.findings if f.code == rules.UNAUTHENTICATED.code]
        for finding in about_tokens:
            first = of_tokens.setdefault(finding.route, finding)
            if first is not finding:
                of_tokens[finding.route] = replace(first, trace=(*first.trace, finding.message))
        for finding in self.findings:
            if finding.code != rules.UNAUTHENTICATED.code:
                yield finding
            elif finding.route in of_tokens:
                yield of_tokens.pop(finding.route)


def line(exchange: Exchange, world: World) -> str:
    """Return a request and its answer as one line of a reproduction."""
    return f"as the {exchange.actor}: {world.show(exchange.act)} → {exchange.response.status}"


def reason(exchange: Exchange) -> str:
    """Return what a refusal says, in one line."""
    detail = exchange.response.json()
    said = detail.get("detail", "") if isinstance(detail, dict) else ""
    if isinstance(said, list) and all(isinstance(each, dict) and "loc" in each for each in said):
        said = "; ".join(_validation_error(each) for each in said)
    if not said or isinstance(said, list | dict):
        said = exchange.response.text
    text = " ".join(str(said).split())[:_MOST_REASON]
    return f"{exchange.response.status} {text}".strip()


def _validation_error(item: dict[str, object]) -> str:
    place = item.get("loc")
    names = ".".join(map(str, place)) if isinstance(place, list) else ""
    return f"{names}: {item.get('msg', '')}"
