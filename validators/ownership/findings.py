"""Findings: verdicts and problems as a person reads them."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from validators.frozen import frozen
from validators.ownership.interpreter import Interpreter
from validators.ownership.recorder import NO_CHECK, Entry, OwnerChange, Place
from validators.ownership.routes import Route
from validators.ownership.transfers import NOT_THE_USER
from validators.ownership.values import Given
from validators.ownership.verdicts import Judge, Judgement
from validators.ownership.ways import (
    identity_steps,
    query_step,
    steps_of,
    way_to,
    write_steps,
)
from validators.report import Finding, Query, Step, Transfer
from validators.rules.isolation import rule

Roots = list[tuple[Entry, Route | None]]
Key = tuple[str, int]


@frozen
class Analysis:
    """What the analysis of a project found, in the terms of a report."""

    findings: tuple[Finding, ...]
    queries: tuple[Query, ...]
    routes: tuple[str, ...]
    transfers: tuple[Transfer, ...]


# What to do about queries that have no condition to be mended.
_ADVICE = {
    "text": "Bind {name} in the SQL to a parameter, and pass the signed-in user's id for it.",
    "relationship": "Select the rows here, and compare {name} with the signed-in user's id.",
    "merge": "First fetch the {model} by its key and the signed-in user; refuse where it is "
    "somebody else's.",
}

_UNCHECKED_PARENT = re.compile(
    r"\S+ is stored from (?P<key>[\w.]+) .*nothing checks whose (?P<parent>\w+) that is\.$"
)
_UNCHECKED_ROW = "is the key of an unchecked row: "


def report(interpreter: Interpreter, judge: Judge, roots: Roots, *, is_complete: bool) -> Analysis:
    """Return findings, query verdicts, routes and declared transfers."""
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
    queries = tuple(_query(judgement, judge) for judgement in judgements)
    routes = tuple(dict.fromkeys(route.name for _, route in roots if route))
    kept: dict[tuple[str, str, int | None, str], Finding] = {}
    for finding in found:
        kept.setdefault((finding.code, finding.path, finding.line, finding.message), finding)
    findings = tuple(writer.with_consequences(list(kept.values())))
    return Analysis(findings, queries, routes, _transfers(roots, judge))


def _transfers(roots: Roots, judge: Judge) -> tuple[Transfer, ...]:
    """Return the declared transfers that hold, each with the routes that reach it."""
    found: dict[tuple[str, int, str, str], dict[str, None]] = {}
    for root, route in roots:
        for change in _owner_changes(root):
            if change.reason and judge.open_write(change.needs) is None:
                key = (change.place.path, change.place.line, change.model, change.reason)
                found.setdefault(key, {}).update({route.name: None} if route else {})
    return tuple(
        Transfer(path=path, line=line, table_model=model, reason=reason, routes=tuple(routes))
        for (path, line, model, reason), routes in sorted(found.items())
    )


def _owner_changes(root: Entry) -> Iterator[OwnerChange]:
    for entry in root.reachable():
        yield from entry.owner_changes


def _query(judgement: Judgement, judge: Judge) -> Query:
    site = judgement.site
    proof = "; ".join(judgement.texts)
    writes = [write for need in sorted(judgement.needs) for write in judge.writes.get(need, ())]
    return Query(
        path=site.place.path,
        line=site.place.line,
        function=site.function,
        kind=site.kind,
        table_models=tuple(sorted(site.models)),
        verdict=judgement.verdict,
        proof=proof,
        routes=tuple(judgement.routes),
        steps=(*_way(judgement), *identity_steps(proof), *write_steps(writes)),
    )


def _way(judgement: Judgement) -> tuple[Step, ...]:
    way = steps_of(judgement.way) if judgement.bad_route is not None else ()
    return (*way, query_step(judgement.site))


class _Writer:
    """Writes findings."""

    def __init__(self, interpreter: Interpreter, judge: Judge) -> None:
        self.interpreter = interpreter
        self.judge = judge
        # Sites whose own finding says more than that the query leaks.
        self.told: set[Key] = {
            (problem.place.path, problem.place.line)
            for entry in interpreter.entries
            for problem in entry.problems
            if problem.code in ("BP305", "BP306", "BP307")
        }
        # Routes without authentication and routes that go on without it, with the places where;
        # and unverified identities.
        self.unguarded: dict[str, Place] = {}
        self.optional: dict[str, list[Place]] = {}
        self.unverified: set[Given | int] = set()
        # The queries that are not isolated for a cause elsewhere, by the place of the cause.
        self.consequences: dict[Key, dict[Step, None]] = {}

    def of_site(self, judgement: Judgement) -> Iterator[Finding]:
        """Yield the findings of a query site."""
        place, text = judgement.site.place, "; ".join(judgement.texts)
        if judgement.verdict == "leak":
            causes = self._causes_elsewhere(judgement)
            for cause in causes:
                self._note_consequence(cause, judgement)
            is_told = judgement.site.kind == "insert" and (place.path, place.line) in self.told
            if not causes and not is_told:
                yield self._finding("BP301", _message(judgement), judgement)
        elif judgement.verdict == "unproven":
            if text.startswith("no route reaches it"):
                yield self._finding("BP310", _message(judgement), judgement)
            elif "is not part of the backend" not in text or "the dependency" not in text:
                yield self._finding("BP302", _message(judgement), judgement)

    def _note_consequence(self, cause: Place, judgement: Judgement) -> None:
        key, place = (cause.path, cause.line), judgement.site.place
        if key != (place.path, place.line):
            step = Step(
                kind="query", what=judgement.site.function, path=place.path, line=place.line
            )
            self.consequences.setdefault(key, {})[step] = None

    def with_consequences(self, findings: list[Finding]) -> Iterator[Finding]:
        """Yield the findings, the first at each cause with the queries that leak for it."""
        left = dict(self.consequences)
        for finding in findings:
            if finding.code != "BP310" and (finding.path, finding.line) in left:
                steps = left.pop((finding.path, finding.line or 0))
                ordered = sorted(steps, key=lambda step: (step.path, step.line))
                yield replace(finding, consequences=tuple(ordered))
            else:
                yield finding

    def _causes_elsewhere(self, judgement: Judgement) -> list[Place]:
        """Return the places that findings of their own blame for a leaking query."""
        if set(judgement.leaking) <= set(self.unguarded):
            return [self.unguarded[name] for name in judgement.leaking]
        if not judgement.by_query:
            return self._open_writes(judgement)
        text = "".join(judgement.texts)
        if ("constant" in text or NOT_THE_USER in text) and set(judgement.leaking) <= set(
            self.optional
        ):
            return [place for name in judgement.leaking for place in self.optional[name]]
        if judgement.blames and set(judgement.blames) <= self.unverified:
            found = (self._blamed_place(blame) for blame in judgement.blames)
            return [place for place in found if place is not None]
        return self._leaking_parents(judgement)

    def _open_writes(self, judgement: Judgement) -> list[Place]:
        writes = (self.judge.unchecked.get(need) for need in sorted(judgement.needs))
        return [write.place for write in writes if write is not None and write.verdict == "leak"]

    def _leaking_parents(self, judgement: Judgement) -> list[Place]:
        """Return the queries that fetch the unchecked rows by whose keys this one finds its own."""
        sites = [site for site in judgement.parents if site != judgement.site.index]
        if len(sites) < len(judgement.parents):
            return []
        found = [self.judge.judgements.get(site) for site in sites if site is not None]
        leaks = [parent for parent in found if parent is not None and parent.verdict == "leak"]
        if not leaks or len(leaks) < len(judgement.parents):
            return []
        # What the parents leak for is the cause of this leak too.
        return [
            place for leak in leaks for place in self._causes_elsewhere(leak) or [leak.site.place]
        ]

    def _finding(self, code: str, text: str, judgement: Judgement) -> Finding:
        place, route = judgement.site.place, judgement.bad_route
        way = steps_of(judgement.way) if route else ()
        finding = rule(code).finding(
            text,
            path=place.path,
            line=place.line,
            column=place.column,
            fix=self._fix(judgement) if code == "BP301" else None,
            route=route.name if route else None,
            trace=tuple(step.what for step in way),
        )
        steps = _way(judgement) if route else ()
        return replace(self._placed(finding, place), steps=steps)

    def _fix(self, judgement: Judgement) -> str | None:
        """Say what to compare, by the names of the models."""
        schema = self.interpreter.schema
        models = [schema.named(name) for name in judgement.site.models]
        for model in models:
            if model is not None and model.owners:
                name = f"{model.name}.{model.owners[0]}"
                if judgement.site.kind in _ADVICE:
                    return _ADVICE[judgement.site.kind].format(name=name, model=model.name)
                return f"Compare {name} with the signed-in user's id in the query's condition."
        for model in models:
            if model is not None and model.parents:
                column, parent, _ = model.parents[0]
                name = schema.models[parent].name
                return (
                    f"Join {name} by {model.name}.{column}, and compare its owner with the "
                    "signed-in user's id."
                )
        return None

    def _placed(self, finding: Finding, place: Place) -> Finding:
        """Return a finding with the columns of its place in characters, as far as known."""
        module = self.interpreter.program.project.modules.get(place.path)
        if module is None or not 0 < place.line <= len(module.lines):
            return finding
        line = module.lines[place.line - 1].encode()
        end = place.end_column if place.end_line == place.line else len(line.rstrip()) + 1
        column = len(line[: place.column - 1].decode("utf-8", "replace")) + 1
        last = len(line[: end - 1].decode("utf-8", "replace")) + 1 if place.end_line else None
        return replace(finding, column=column, end_column=last)

    # Routes.

    def of_route(self, root: Entry, route: Route | None) -> Iterator[Finding]:
        """Yield the findings of a route beside those of its query sites."""
        entries = list(root.reachable())
        causes = list(self._causes(entries, root, route)) if route is not None else []
        yield from causes
        if route is not None:
            for place in [place for entry in entries for place in entry.bypasses]:
                text = "A setting lets requests through here without a verified user."
                yield self._at("BP309", place, text, [root])
        for entry in entries:
            for problem in entry.problems:
                # An identity that is in doubt is one finding, not one for each use of it.
                is_effect = bool(causes) and NOT_THE_USER in problem.message
                if problem.code == "BP308" or (route is not None and not is_effect):
                    way = way_to(root, entry) if route is not None else ()
                    fix = problem.fix or _parent_fix(problem.message)
                    yield self._at(problem.code, problem.place, problem.message, way, fix)
            if route is not None:
                for change in entry.owner_changes:
                    yield from self._of_owner_change(change, way_to(root, entry))

    def _of_owner_change(self, change: OwnerChange, way: Iterable[Entry]) -> Iterator[Finding]:
        """Yield that an offer can be made up, where a row changes its owner by one."""
        models = self.interpreter.schema.models
        # An unchecked key of a parent has its finding where it is stored.
        needs = {(key, column) for key, column in change.needs if column in models[key].owners}
        write = self.judge.open_write(frozenset(needs))
        if write is not None:
            text = (
                f"{change.model}.{change.column} is changed by an offer that may be made up: at "
                f"{write.place.path}:{write.place.line} {write.text}."
            )
            fix = (
                "Store in an offer only the signed-in user as its sender and a row of their own, "
                "and change neither afterwards."
            )
            yield self._at("BP307", change.place, text, way, fix)

    def _causes(self, entries: list[Entry], root: Entry, route: Route) -> Iterator[Finding]:
        """Yield what is wrong with how a route knows who is signed in."""
        leaks = [j for j in self._judgements_of(entries) if route.name in j.routes]
        if not leaks:
            return
        doubtful = list(self._unverified_identity(leaks, entries, root))
        yield from doubtful
        if any(entry.is_verifying for entry in entries):
            yield from self._stand_ins(entries, root)
        elif not doubtful and not any(entry.is_asking for entry in entries):
            self.unguarded[route.name] = root.place
            text = f"{route.name} reaches rows of users, and nothing asks who is signed in."
            yield self._at("BP303", root.place, text, [root])

    def _judgements_of(self, entries: list[Entry]) -> list[Judgement]:
        sites = {event.site for entry in entries for event in entry.events}
        return [
            judgement
            for site in sorted(sites)
            if (judgement := self.judge.judgements.get(site)) and judgement.verdict == "leak"
        ]

    def _unverified_identity(
        self, leaks: list[Judgement], entries: list[Entry], root: Entry
    ) -> Iterator[Finding]:
        for judgement in leaks:
            for blame in judgement.blames:
                place = self._blamed_place(blame)
                if place is not None:
                    self.unverified.add(blame)
                    text = f"{self._blamed(blame)} is taken for the signed-in user."
                    way = way_to_place(root, entries, place)
                    yield self._at("BP304", place, text, way, _unverified_fix(blame))

    def _stand_ins(self, entries: list[Entry], root: Entry) -> Iterator[Finding]:
        for entry in entries:
            for place in entry.stand_ins:
                self.optional.setdefault(root.label, []).append(place)
                text = "Here the dependency returns no verified user, and the request goes on."
                yield self._at("BP309", place, text, way_to(root, entry))

    def _blamed(self, blame: Given | int) -> str:
        if isinstance(blame, Given) and blame.name.startswith("the unverified token"):
            return f"`{blame.name.rpartition('.')[2]}` of a token that nothing verifies"
        if isinstance(blame, Given) and ".loads()" in blame.name:
            return f"`{blame.name.rpartition('.')[2]}` of what is only parsed, not verified,"
        if isinstance(blame, Given):
            return f"The {blame.source} `{blame.name}`, which the sender chooses,"
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

    def _at(
        self,
        code: str,
        place: Place,
        text: str,
        way: Iterable[Entry] = (),
        fix: str | None = None,
    ) -> Finding:
        steps = steps_of(tuple(way))
        finding = rule(code).finding(
            text,
            path=place.path,
            line=place.line,
            column=place.column,
            fix=fix,
            route=steps[0].what if steps else None,
            trace=tuple(step.what for step in steps),
        )
        return replace(self._placed(finding, place), steps=steps)


def way_to_place(root: Entry, entries: list[Entry], place: Place) -> tuple[Entry, ...]:
    """Return the way from a route to the function around a place, as far as it is known."""
    around = [
        entry
        for entry in entries
        if entry.node is not None
        and entry.place.path == place.path
        and entry.place.line <= place.line <= (getattr(entry.node, "end_lineno", 0) or 0)
    ]
    return way_to(root, max(around, key=lambda e: e.place.line)) if around else (root,)


def _parent_fix(message: str) -> str | None:
    """Say which parent to fetch before its key is stored."""
    match = _UNCHECKED_PARENT.match(message)
    return (
        f"Before this, fetch the {match['parent']} by {match['key']} and the signed-in user, and "
        "answer 404 where there is none."
        if match
        else None
    )


def _unverified_fix(blame: Given | int) -> str | None:
    """Say what to use in place of what anybody can send."""
    if isinstance(blame, int):
        return "Look the row up by a long random secret, or verify a signed token instead."
    if blame.source in ("header", "cookie") and "token" not in blame.name:
        return f"Take the user from a verified token, not from the {blame.source}."
    return None


def _message(judgement: Judgement) -> str:
    """Return the reason of a verdict in one sentence, and what happens to the row."""
    uses: dict[str, dict[str, None]] = {}
    for text in judgement.texts:
        reason, _, use = text.partition(", and the row ")
        reason = reason.removesuffix(f", and {NO_CHECK}")
        for mark in ("; but ", _UNCHECKED_ROW):
            reason = reason.rpartition(mark)[2]
        uses.setdefault(reason, {})[use.removeprefix("is ")] = None
    # The plainest reason says it all; the proof of the query has the others.
    reason = min(uses, key=len)
    done = [use for use in uses[reason] if use]
    tail = f", and the row is {_listed(done)}" if done else ""
    return f"{_capital(reason)}{tail}."


def _listed(words: list[str]) -> str:
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]]))


def _capital(text: str) -> str:
    return text if "." in text.partition(" ")[0] else text[:1].upper() + text[1:]
