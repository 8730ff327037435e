"""Disputes: what a model answers to a finding that it holds to be wrong; no verdict changes."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from agent.paths import ROOT
from validators.report import Finding

_LINE = re.compile(r"(?:, line |:)\d+:?$")


@dataclass(frozen=True, slots=True)
class Dispute:
    """A finding that a model holds to be wrong.

    Attributes:
        code: The rule's code.
        place: The path that the finding blames, with its line; empty where it blames none.
        route: The route that it names.
        reason: The model's reason.
        round: In which round of repair it came.
    """

    code: str
    place: str
    route: str | None
    reason: str
    round: int

    @classmethod
    def of(cls, finding: Finding, reason: str, turn: int) -> "Dispute":
        """Make the dispute of a finding in the model's turn of this number."""
        line = f":{finding.line}" if finding.path and finding.line else ""
        return cls(finding.code, f"{finding.path}{line}", finding.route, reason, turn - 1)

    def __str__(self) -> str:
        """Return it as people read it."""
        where = ", ".join(part for part in (self.place, self.route) if part) or "the backend"
        return f"{self.code} {where}: {self.reason} (round {self.round})"


def named(findings: Iterable[Finding], code: str, place: str) -> list[Finding]:
    """Return the findings of a rule at a path or on a route, as a model names them."""
    plain = _LINE.sub("", place.strip()).removeprefix(f"{ROOT}/")
    return [
        finding
        for finding in findings
        if finding.code == code.strip() and plain in (finding.path, finding.route)
    ]
