"""Findings: verdicts and problems as a person reads them."""

from collections.abc import Iterator

from validators.ownership.interpreter import Interpreter
from validators.ownership.machine import row_of
from validators.ownership.recorder import Entry, Place
from validators.ownership.routes import Route
from validators.ownership.values import (
    NONE,
    Choice,
    Const,
    Given,
    Identity,
    Mapping,
    Row,
    Value,
)
from validators.ownership.verdicts import Judge, Judgement
from validators.report import Finding, Query
from validators.rules.isolation import rule

Roots = list[tuple[Entry, Route | None]]
_NAMES = frozenset({"id", "user_id", "sub", "email", "uid", "userId", "username"})


def report(
    interpreter: Interpreter, judge: Judge, roots: Roots, *, is_complete: bool
) -> tuple[tuple[Finding, ...], tuple[Query, ...], tuple[str, ...]]:
    """Return findings, query verdicts and routes."""
    judgements = sorted(
        judge.judgements.values(), key=lambda j: (j.site.place.path, j.site.place.line, j.site.index)
    )
    writer = _Writer(interpreter, judge)
    found = [finding for root, route in roots for finding in writer.of_route(root, route)]
    found += [finding for judgement in judgements for finding in writer.of_site(judgement)]
    if not is_complete:
        text = "The backend is too large to be decided within the bounds of the analysis."
        found.append(rule("BP302").finding(text))
    queries = tuple(_query(judgement) for judgement in judgements)
    routes = tuple(dict.fromkeys(route.name for _, route in roots if route))
    kept: dict[tuple[str, str, int | None, str], Finding] = {}
    for finding in found:
        kept.setdefault((finding.code, finding.path, finding.line, finding.message), finding)
    return tuple(kept.values()), queries, routes


def _query(judgement: Judgement) -> Query:
    site = judgement.site
    return Query(
        path=site.place.path,
        line=site.place.line,
        function=site.function,
        kind=site.kind,
        table_models=tuple(sorted(site.models)),
        verdict=judgement.verdict,
        proof="; ".join(judgement.texts),
        routes=tuple(judgement.routes),
    )


class _Writer:
    """Writes findings."""

    def __init__(self, interpreter: Interpreter, judge: Judge) -> None:
        self.interpreter = interpreter
        self.judge = judge
        # Sites whose own finding says more than that the query leaks.
        self.told: set[tuple[str, int]] = {
            (problem.place.path, problem.place.line)
            for entry in interpreter.entries
            for problem in entry.problems
            if problem.code in ("BP305", "BP306", "BP307")
        }
        # Routes without authentication, routes that go on without it, and unverified identities.
        self.unguarded: set[str] = set()
        self.optional: set[str] = set()
        self.unverified: set[tuple[str, str]] = set()

    def of_site(self, judgement: Judgement) -> Iterator[Finding]:
        """Yield the findings of a query site."""
        place, text = judgement.site.place, "; ".join(judgement.texts)
        if judgement.verdict == "leak" and not self._is_explained(judgement):
            if judgement.site.kind != "insert" or (place.path, place.line) not in self.told:
                yield self._finding("BP301", place, f"{_capital(text)}.", judgement, self._fix(judgement))
        elif judgement.verdict == "unproven":
            if text.startswith("no route reaches it"):
                yield self._finding("BP310", place, f"{_capital(text)}.", judgement)
            elif "is not part of the backend" not in text or "the dependency" not in text:
                yield self._finding("BP302", place, f"{_capital(text)}.", judgement)

    def _is_explained(self, judgement: Judgement) -> bool:
        """Tell whether findings of the routes say already why the query leaks."""
        if set(judgement.leaking) <= self.unguarded:
            return True
        if "constant" in "".join(judgement.texts) and set(judgement.leaking) <= self.optional:
            return True
        return bool(judgement.blames) and all(
            (given.source, given.name) in self.unverified for given in judgement.blames
        )

    def _fix(self, judgement: Judgement) -> str | None:
        schema = self.interpreter.schema
        for name in judgement.site.models:
            model = schema.named(name)
            if model is not None and model.owners:
                line = f"{name}.{model.owners[0]} == current_user.id"
                return f"Bind the rows to the signed-in user: add `{line}` to the predicate."
        return None

    def _finding(
        self, code: str, place: Place, text: str, judgement: Judgement, fix: str | None = None
    ) -> Finding:
        route = judgement.bad_route
        return rule(code).finding(
            text,
            path=place.path,
            line=place.line,
            column=place.column,
            fix=fix,
            route=route.name if route else None,
            trace=judgement.trace if route else (),
        )

    # Routes.

    def of_route(self, root: Entry, route: Route | None) -> Iterator[Finding]:
        """Yield the findings of a route beside those of its query sites."""
        entries = list(root.reachable())
        for entry in entries:
            for problem in entry.problems:
                if problem.code == "BP308" or route is not None:
                    yield rule(problem.code).finding(
                        problem.message,
                        path=problem.place.path,
                        line=problem.place.line,
                        column=problem.place.column,
                        fix=problem.fix,
                        route=route.name if route else None,
                        trace=(root.label, entry.label) if route else (),
                    )
        if route is None:
            return
        leaks = [j for j in self._judgements_of(entries) if route.name in j.routes]
        if not leaks:
            return
        if not any(entry.is_verifying for entry in entries):
            self.unguarded.add(route.name)
            text = f"{route.name} reaches rows of users, and nothing asks who is signed in."
            yield self._at("BP303", root.place, text, route)
        yield from self._doubtful_identity(entries, leaks, route)

    def _judgements_of(self, entries: list[Entry]) -> list[Judgement]:
        sites = {event.site for entry in entries for event in entry.events}
        return [
            judgement
            for site in sorted(sites)
            if (judgement := self.judge.judgements.get(site)) and judgement.verdict == "leak"
        ]

    def _doubtful_identity(
        self, entries: list[Entry], leaks: list[Judgement], route: Route
    ) -> Iterator[Finding]:
        for judgement in leaks:
            for given in judgement.blames:
                place = self.interpreter.given_at.get((given.source, given.name))
                if given.source in ("header", "cookie") and place is not None:
                    self.unverified.add((given.source, given.name))
                    text = f"{given.name} from the {given.source} is taken for the signed-in user."
                    yield self._at("BP304", place, text, route)
        for entry in entries:
            for value, place in entry.returned:
                if entry.is_dependency and self._is_stand_in(value):
                    self.optional.add(route.name)
                    text = "Here the dependency returns no verified user, and the request goes on."
                    yield self._at("BP309", place, text, route)

    def _is_stand_in(self, value: Value) -> bool:
        """Tell whether a dependency returns something in place of the signed-in user."""
        if isinstance(value, Choice):
            return any(
                self._is_stand_in(member) for member, _ in value.members if member != NONE
            )
        if isinstance(value, Const):
            return value.value is None or isinstance(value.value, str | int)
        if isinstance(value, Mapping):
            named = [held for key, held in value.known if key in _NAMES]
            return bool(named) and all(isinstance(held, Const) for held in named)
        if isinstance(value, Row):
            return self.interpreter.prover.rows[value.symbol].is_user
        return False

    def _at(self, code: str, place: Place, text: str, route: Route) -> Finding:
        return rule(code).finding(
            text, path=place.path, line=place.line, column=place.column, route=route.name,
            trace=(route.name,),
        )  # fmt: skip


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


__all__ = ["Given", "Identity", "report", "row_of"]
