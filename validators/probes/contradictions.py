"""The proof and the probes check each other: where they contradict each other, we are wrong.

A query site that is proven `isolated` lets no row of another user's through. Where the probes catch
a leak on a route whose query sites are all proven, either a proof or a probe is wrong, or the rows
take a way that the proof does not see.
"""

import re
from collections.abc import Iterable, Iterator

from validators.report import Finding, Query
from validators.rules import probes as rules

_OF_ONE_ROUTE = frozenset({"BP301", "BP302", "BP303"})
_CONVERTER = re.compile(r"\{(\w+):\w+\}")


def find_contradictions(
    leaking: Iterable[str], queries: Iterable[Query], findings: Iterable[Finding]
) -> Iterator[Finding]:
    """Yield a finding for each route that leaks although all its query sites are isolated.

    Args:
        leaking: Routes on which the probes saw a leak of rows, as `METHOD /path`.
        queries: Every query site with its verdict.
        findings: What the proof found; what it says of keys that are stored and of tokens can be
            behind a leak on any route.
    """
    said = {finding.route if finding.code in _OF_ONE_ROUTE else "" for finding in findings}
    known = tuple(queries)
    by_sites: dict[tuple[Query, ...], list[str]] = {}
    for route in sorted(set(leaking)):
        sites = tuple(query for query in known if route in map(_plain, query.routes))
        is_explained = "" in said or route in said
        if sites and not is_explained and all(query.verdict == "isolated" for query in sites):
            by_sites.setdefault(sites, []).append(route)
    for sites, routes in by_sites.items():
        yield _finding(routes, sites)


def _finding(routes: list[str], sites: tuple[Query, ...]) -> Finding:
    what = "the query here was" if len(sites) == 1 else f"its {len(sites)} queries were"
    return rules.CONTRADICTION.finding(
        f"The probes catch a leak on {', '.join(routes)}, although {what} proven isolated.",
        path=sites[0].path,
        line=sites[0].line,
        route=routes[0],
        trace=tuple(
            f"{query.path}:{query.line} {query.function}: {query.proof}" for query in sites
        ),
    )


def _plain(route: str) -> str:
    """Return a route as the OpenAPI document writes it, without converters."""
    return _CONVERTER.sub(r"{\1}", route)
