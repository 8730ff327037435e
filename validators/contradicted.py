"""What the proof contradicts: findings of the probes that nobody but us can explain.

Where the probes catch a leak on a route whose queries are all proven isolated (BP617), either of
the two is wrong. Whoever wrote the backend cannot mend that.
"""

import re
from collections.abc import Iterator

from validators.report import Finding, Report

CONTRADICTION = "BP617"
# What a leak of rows looks like to the probes.
_LEAKS = frozenset({"BP603", "BP604", "BP606", "BP607", "BP616"})
_ROUTE = re.compile(r"\b[A-Z]+ /[^\s,]*")


def contradicted(report: Report) -> tuple[Finding, ...]:
    """Return the contradictions of a report, and the leaks on the routes that they name."""
    routes = {route for finding in report.findings for route in _routes(finding)}
    return tuple(
        finding
        for finding in report.findings
        if finding.code == CONTRADICTION or (finding.code in _LEAKS and finding.route in routes)
    )


def _routes(finding: Finding) -> Iterator[str]:
    if finding.code == CONTRADICTION:
        yield from _ROUTE.findall(finding.message)
        if finding.route:
            yield finding.route
