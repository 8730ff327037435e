"""How much of the app was exercised, and whether that is enough to say anything about it."""

from collections.abc import Iterator

from validators.report import Coverage, Finding
from validators.rules import probes as rules
from validators.text import counted

_LISTED = 5


def judge_coverage(coverage: Coverage, least: float) -> Iterator[Finding]:
    """Yield a finding where too few routes were exercised.

    Args:
        coverage: What was exercised.
        least: The share of the routes that has to be, from 0 to 1.
    """
    if not coverage.routes or not coverage.exercised:
        return
    if coverage.exercised / coverage.routes >= least:
        return
    routes = [each.route for each in coverage.missed]
    more = f" and {len(routes) - _LISTED} more" if len(routes) > _LISTED else ""
    yield rules.TOO_LITTLE.finding(
        f"{counted(len(routes), 'route')} of {coverage.routes} were not exercised: "
        f"{', '.join(routes[:_LISTED])}{more}. That is more than the setting `coverage` allows.",
        trace=tuple(f"{each.route}: {each.reason}" for each in coverage.missed[:_LISTED]),
    )
