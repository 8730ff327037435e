"""Findings: verdicts and problems as a person reads them."""

from collections.abc import Iterator

from validators.ownership.interpreter import Interpreter
from validators.ownership.recorder import Entry, Place
from validators.ownership.routes import Route
from validators.ownership.values import Given
from validators.ownership.verdicts import Judge, Judgement
from validators.ownership.writes import NOT_THE_USER
from validators.report import Finding, Query
from validators.rules.isolation import rule

Roots = list[tuple[Entry, Route | None]]


def report(
    interpreter: Interpreter, judge: Judge, roots: Roots, *, is_complete: bool
) -> tuple[tuple[Finding, ...], tuple[Query, ...], tuple[str, ...]]:
    """Return findings, query verdicts and routes."""
    judgements = sorted(
        judge.judgements.values(),
        key=lambda j: (j.site.place.path, j.site.place.line, j.site.index),
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
        self.unverified: set[Given | int] = set()

    def of_site(self, judgement: Judgement) -> Iterator[Finding]:
        """Yield the findings of a query site."""
        place, text = judgement.site.place, "; ".join(judgement.texts)
        if judgement.verdict == "leak" and not self._is_explained(judgement):
            if judgement.site.kind != "insert" or (place.path, place.line) not in self.told:
                yield self._finding(
                    "BP301", place, f"{_capital(text)}.", judgement, self._fix(judgement)
                )
        elif judgement.verdict == "unproven":
            if text.startswith("no route reaches it"):
                yield self._finding("BP310", place, f"{_capital(text)}.", judgement)
            elif "is not part of the backend" not in text or "the dependency" not in text:
                yield self._finding("BP302", place, f"{_capital(text)}.", judgement)

    def _is_explained(self, judgement: Judgement) -> bool:
        """Tell whether findings of the routes say already why the query leaks."""
        if set(judgement.leaking) <= self.unguarded or not judgement.by_query:
            return True
        text = "".join(judgement.texts)
        if ("constant" in text or NOT_THE_USER in text) and set(judgement.leaking) <= self.optional:
            return True
        return bool(judgement.blames) and set(judgement.blames) <= self.unverified

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
        causes = list(self._causes(entries, root, route)) if route is not None else []
        yield from causes
        if route is not None:
            for place in [place for entry in entries for place in entry.bypasses]:
                text = "A setting lets requests through here without a verified user."
                yield self._at("BP309", place, text, route)
        for entry in entries:
            for problem in entry.problems:
                # An identity that is in doubt is one finding, not one for each use of it.
                is_effect = bool(causes) and NOT_THE_USER in problem.message
                if problem.code == "BP308" or (route is not None and not is_effect):
                    yield rule(problem.code).finding(
                        problem.message,
                        path=problem.place.path,
                        line=problem.place.line,
                        column=problem.place.column,
                        fix=problem.fix,
                        route=route.name if route else None,
                        trace=(root.label, entry.label) if route else (),
                    )

    def _causes(self, entries: list[Entry], root: Entry, route: Route) -> Iterator[Finding]:
        """Yield what is wrong with how a route knows who is signed in."""
        leaks = [j for j in self._judgements_of(entries) if route.name in j.routes]
        if not leaks:
            return
        doubtful = list(self._unverified_identity(leaks, route))
        yield from doubtful
        if any(entry.is_verifying for entry in entries):
            yield from self._stand_ins(entries, route)
        elif not doubtful and not any(entry.is_asking for entry in entries):
            self.unguarded.add(route.name)
            text = f"{route.name} reaches rows of users, and nothing asks who is signed in."
            yield self._at("BP303", root.place, text, route)

    def _judgements_of(self, entries: list[Entry]) -> list[Judgement]:
        sites = {event.site for entry in entries for event in entry.events}
        return [
            judgement
            for site in sorted(sites)
            if (judgement := self.judge.judgements.get(site)) and judgement.verdict == "leak"
        ]

    def _unverified_identity(self, leaks: list[Judgement], route: Route) -> Iterator[Finding]:
        for judgement in leaks:
            for blame in judgement.blames:
                place = self._blamed_place(blame)
                if place is not None:
                    self.unverified.add(blame)
                    text = f"{self._blamed(blame)} is taken for the signed-in user."
                    yield self._at("BP304", place, text, route)

    def _stand_ins(self, entries: list[Entry], route: Route) -> Iterator[Finding]:
        for entry in entries:
            for place in entry.stand_ins:
                self.optional.add(route.name)
                text = "Here the dependency returns no verified user, and the request goes on."
                yield self._at("BP309", place, text, route)

    def _blamed(self, blame: Given | int) -> str:
        if isinstance(blame, Given):
            return _capital(f"{blame.name} from the {blame.source}")
        return f"A {self.interpreter.prover.rows[blame].name} that anybody can name"

    def _blamed_place(self, blame: Given | int) -> Place | None:
        """Return where what was taken for the identity is read; None where it is no identity."""
        machine = self.interpreter
        if isinstance(blame, int):
            site = machine.symbol_sites.get(blame)
            return machine.site_list[site].place if site is not None else None
        if blame.source not in ("header", "cookie"):
            return None
        known = [
            (name, place)
            for (source, name), place in machine.given_at.items()
            if source == blame.source and blame.name.startswith(name)
        ]
        return max(known, key=lambda pair: len(pair[0]))[1] if known else None

    def _at(self, code: str, place: Place, text: str, route: Route) -> Finding:
        return rule(code).finding(
            text, path=place.path, line=place.line, column=place.column, route=route.name,
            trace=(route.name,),
        )  # fmt: skip


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
