"""The certificate: every query site with its verdict and proof, to be committed and reviewed.

Made for a diff. It says what holds and why, and nothing that changes where the code does not: no
times, no absolute paths, no numbers of lines in the table; queries of one function are told apart
by their order. Places stand only where something is open.
"""

import re
from collections.abc import Iterable, Iterator
from importlib import metadata

from validators.report import Finding, Query, Report

_PLACE = re.compile(r"(?:, line \d+|(?<=\.py):\d+)")
# An underscore inside a word is no markup.
_MARKUP = re.compile(r"([\\|<>*`\[\]]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9]))")
_FAMILY = "BP3"


def certificate(report: Report) -> str:
    """Write the certificate of a report, as Markdown.

    Args:
        report: A report whose isolation stage ran.

    Returns:
        The whole text, with a line feed at its end.

    Raises:
        ValueError: Nothing was checked, so there is nothing to certify. The message says what.
    """
    reason = nothing_to_certify(report)
    if reason is not None:
        raise ValueError(reason)
    return "\n".join([*_head(report), "", *_table(report.queries), *_rest(report)]) + "\n"


def nothing_to_certify(report: Report) -> str | None:
    """Say why a report certifies nothing, or return None."""
    if "isolation" not in report.timings:
        return "The queries were not checked, so there is nothing to certify."
    unread = sorted({f.path for f in report.findings if f.code in ("BP201", "BP202") and f.path})
    if unread:
        return f"{', '.join(unread)} could not be read, so there is nothing to certify."
    if not report.routes:
        return "No route was found, so there is nothing to certify."
    return None


def _head(report: Report) -> Iterator[str]:
    queries = report.queries
    counts = {
        kind: sum(q.verdict == kind for q in queries)
        for kind in ("isolated", "public", "leak", "unproven")
    }
    is_open = bool(counts["leak"] or counts["unproven"] or list(_errors(report)))
    yield "# Isolation certificate"
    yield ""
    if not queries:
        yield "No query reads or changes rows of a user."
    elif is_open:
        yield "**Not isolated.** What is open stands below the table."
    else:
        yield "**Isolated.** Every query is bound to the signed-in user, or declared public."
    yield ""
    shown = ", ".join(f"{number} {kind}" for kind, number in counts.items())
    yield f"- routes: {len(report.routes)}"
    yield f"- queries on rows of users: {len(queries)} ({shown})"
    yield f"- made by BackendPro {metadata.version('backendpro')}: `check --certificate`"


def _table(queries: Iterable[Query]) -> Iterator[str]:
    ordered = sorted(queries, key=lambda q: (q.path, q.line))
    if not ordered:
        return
    yield "| path | function | query | verdict | proof |"
    yield "|---|---|---|---|---|"
    for query in ordered:
        models = ", ".join(query.table_models)
        verdict = query.verdict if query.verdict == "isolated" else f"**{query.verdict}**"
        kind, proof = f"{query.kind} {models}".strip(), _PLACE.sub("", query.proof)
        place = f"{_cell(query.path)} | {_cell(query.function)} | {_cell(kind)}"
        yield f"| {place} | {verdict} | {_cell(proof)} |"


def _rest(report: Report) -> Iterator[str]:
    errors = list(_errors(report))
    if errors:
        yield from ("", "## Open", "")
        for finding in errors:
            place = f"{finding.path}:{finding.line}" if finding.line else finding.path
            way = f" ({' → '.join(finding.trace)})" if finding.trace else ""
            yield f"- {_cell(f'{finding.code} {place}: {finding.message}{way}')}"
    named = {finding.path for finding in errors}
    unproven = [q for q in report.queries if q.verdict == "unproven" and q.path not in named]
    if unproven:
        yield from ("", "## Not decided", "")
        yield from (f"- {_cell(f'{q.path}:{q.line} {q.function}: {q.proof}')}" for q in unproven)
    if report.transfers:
        yield from ("", "## Declared transfers", "")
        for each in report.transfers:
            routes = ", ".join(each.routes)
            yield f"- {_cell(f'{each.path}, {each.table_model}: {each.reason} ({routes})')}"
    yield from ("", "## Routes", "")
    yield from (f"- `{route}`" for route in sorted(report.routes))


def _errors(report: Report) -> Iterator[Finding]:
    return (f for f in report.findings if f.severity == "error" and f.code.startswith(_FAMILY))


def _cell(text: str) -> str:
    """Return text that neither ends a cell nor starts markup."""
    plain = " ".join(text.split())
    return _MARKUP.sub(r"\\\1", plain) or " "
