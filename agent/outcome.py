"""How a build ended: the last report, what of it blocks, and whose it is to mend."""

from dataclasses import dataclass

from agent.disputes import Dispute
from validators.contradicted import contradicted
from validators.report import Finding, Query, Report

_UNPROVEN = ("leak", "unproven")


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a build ended.

    Attributes:
        report: Of the last check; empty where the last reply could not be checked.
        format_findings: What is wrong with the format of the last reply.
        known: Findings of the report that the backend had before the build.
        reason: Why the build gave up; empty where the staged files may be applied.
        disputes: What the model holds to be wrong in what was sent to it; changes no verdict.
    """

    report: Report
    format_findings: tuple[Finding, ...] = ()
    known: frozenset[Finding] = frozenset()
    reason: str = ""
    disputes: tuple[Dispute, ...] = ()

    @property
    def errors(self) -> tuple[Finding, ...]:
        """The findings that keep the staged files from being applied.

        To write a query that is not proven would be to guess, whatever its finding is called.
        """
        unproven = {(query.path, query.line) for query in self.unproven}
        found = (*self.format_findings, *self.report.findings)
        return tuple(
            finding
            for finding in found
            if finding.severity == "error" or (finding.path, finding.line) in unproven
        )

    @property
    def contradicted(self) -> tuple[Finding, ...]:
        """The findings that the proof contradicts: ours to explain, and nobody's to mend."""
        return contradicted(self.report)

    @property
    def to_mend(self) -> tuple[Finding, ...]:
        """The errors that a model can be asked to mend."""
        ours = frozenset(self.contradicted)
        return tuple(finding for finding in self.errors if finding not in ours)

    @property
    def unproven(self) -> tuple[Query, ...]:
        """The queries that are not proven to be bound to the signed-in user."""
        return tuple(query for query in self.report.queries if query.verdict in _UNPROVEN)

    @property
    def is_proven(self) -> bool:
        """Whether the backend was checked to the last stage, and nothing is left open."""
        is_complete = "probes" in self.report.timings and self.report.verdict == "pass"
        return is_complete and not self.errors and not self.unproven
