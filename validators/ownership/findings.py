"""Findings: verdicts and problems as a person reads them."""

from validators.ownership.interpreter import Interpreter
from validators.ownership.recorder import Entry
from validators.ownership.routes import Route
from validators.ownership.verdicts import Judge
from validators.report import Finding, Query


def report(
    interpreter: Interpreter, judge: Judge, roots: list[tuple[Entry, Route | None]]
) -> tuple[tuple[Finding, ...], tuple[Query, ...], tuple[str, ...]]:
    """Return findings, query verdicts and routes."""
    del interpreter
    queries = []
    for judgement in judge.judgements.values():
        site = judgement.site
        queries.append(
            Query(
                path=site.place.path,
                line=site.place.line,
                function=site.function,
                kind=site.kind,
                table_models=tuple(sorted(site.models)),
                verdict=judgement.verdict,
                proof="; ".join(judgement.texts),
                routes=tuple(judgement.routes),
            )
        )
    queries.sort(key=lambda q: (q.path, q.line, q.kind))
    routes = tuple(dict.fromkeys(route.name for _, route in roots if route))
    return (), tuple(queries), routes
