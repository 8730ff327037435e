"""What the probes have shown so far: findings, outcomes, and which routes were exercised."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from validators.probes.filling import Filled
from validators.probes.operations import Operation
from validators.probes.world import Exchange
from validators.report import Coverage, Finding, Missed, Probe, ProbeOutcome
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
    """

    findings: tuple[Finding, ...]
    probes: tuple[Probe, ...]
    routes: tuple[str, ...]
    coverage: Coverage = field(default_factory=Coverage)
    leaking: tuple[str, ...] = ()


@dataclass(frozen=True)
class Step:
    """One step of the owner's script.

    Attributes:
        label: Names the step; the same step has the same label in every world.
        operation: What was asked for.
        filled: The request.
        exchange: What came of it.
    """

    label: str
    operation: Operation
    filled: Filled
    exchange: Exchange


@dataclass
class Results:
    """Collects findings and outcomes.

    Attributes:
        handlers: Where the handler of each route is, once a request reached it.
        exercised: Routes on which the owner succeeded.
        missed: Why the others could not be exercised, by route.
        current: The operation that is being probed.
        transcript: What the owner was answered, step by step.
        leaking: Routes on which rows were seen to reach a user whose they are not.
    """

    findings: list[Finding] = field(default_factory=list)
    probes: list[Probe] = field(default_factory=list)
    handlers: dict[str, Frame] = field(default_factory=dict)
    exercised: set[str] = field(default_factory=set)
    missed: dict[str, str] = field(default_factory=dict)
    current: Operation | None = None
    transcript: list[Step] = field(default_factory=list)
    leaking: set[str] = field(default_factory=set)

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
    ) -> None:
        """Add a finding, at the route's handler where no other place is given."""
        route = operation.route if operation else None
        if route and rule in _LEAKS:
            self.leaking.add(route)
        found = place or (self.handlers.get(route) if route else None)
        self.findings.append(
            rule.finding(
                message,
                path=found.path if found else "",
                line=found.line if found else None,
                fix=fix,
                route=route,
                trace=trace,
            )
        )

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
        return ProbeRun(findings, tuple(self.probes), known, coverage, leaking)

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


def line(exchange: Exchange, filled: Filled, role: str | None = None) -> str:
    """Return a request and its answer as one line of a reproduction."""
    return f"as the {role or exchange.actor}: {filled.shown} → {exchange.response.status}"


def reason(exchange: Exchange) -> str:
    """Return what a refusal says, in one line."""
    detail = exchange.response.json()
    said = detail.get("detail", "") if isinstance(detail, dict) else ""
    if isinstance(said, list):
        said = "; ".join(_validation_error(each) for each in said if isinstance(each, dict))
    text = " ".join(str(said).split())[:_MOST_REASON]
    return f"{exchange.response.status} {text}".strip()


def _validation_error(item: dict[str, object]) -> str:
    place = item.get("loc")
    names = ".".join(map(str, place)) if isinstance(place, list) else ""
    return f"{names}: {item.get('msg', '')}"
