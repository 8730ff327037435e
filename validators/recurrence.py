"""Recurrence: which findings of one report come back unchanged in a later one."""

from validators.report import Finding, Report

_Likeness = tuple[str, str | None, str]


def recurring(before: Report, after: Report) -> dict[Finding, Finding]:
    """Return the findings of a report that an earlier one had already, each with the earlier one.

    Lines move when code changes, so rule, route and message tell what is the same; where no route
    is named, the file stands for it.

    Args:
        before: The earlier report.
        after: The later report; what it says was found again by an experiment of its own.
    """
    known = {_likeness(finding): finding for finding in reversed(before.findings)}
    return {
        finding: known[_likeness(finding)]
        for finding in after.findings
        if _likeness(finding) in known
    }


def _likeness(finding: Finding) -> _Likeness:
    return finding.code, finding.route or finding.path, finding.message
