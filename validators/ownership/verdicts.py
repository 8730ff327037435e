"""Verdicts: what everything that was seen means for each query site."""

import re
from collections import defaultdict
from dataclasses import dataclass, field

from validators.ownership.interpreter import Interpreter
from validators.ownership.recorder import NO_CHECK, Entry, Event, KeyWrite, Site
from validators.ownership.routes import Route
from validators.ownership.values import Given
from validators.ownership.ways import Way, ways
from validators.report import QueryVerdict

_ORDER: dict[str, int] = {"isolated": 0, "public": 1, "unproven": 2, "leak": 3}
_PUBLIC = re.compile(r"#\s*backendpro:\s*public\s*[\u2014\u2013:-]+\s*(?P<reason>[^#\s][^#]*)")


@dataclass(slots=True)
class Judgement:
    """The verdict of a query site so far.

    Attributes:
        site: The site.
        verdict: The worst verdict of all routes.
        texts: Proofs or reasons of that verdict.
        routes: Every route that reaches the site.
        bad_route: The first route with the worst verdict.
        way: The functions from that route to the site.
        leaking: Every route from which it leaks.
        by_query: Whether a query itself is to blame, and not a write elsewhere.
        blames: Parts of the request that were taken for the identity.
        parents: Sites of unchecked rows by whose keys it finds its rows; None among them stands
            for a leak of its own.
        needs: Foreign keys of which every write must be checked for the proof.
    """

    site: Site
    verdict: QueryVerdict = "isolated"
    texts: dict[str, None] = field(default_factory=dict)
    routes: dict[str, None] = field(default_factory=dict)
    bad_route: Route | None = None
    way: Way = ()
    leaking: dict[str, None] = field(default_factory=dict)
    by_query: bool = False
    blames: dict[Given | int, None] = field(default_factory=dict)
    parents: dict[int | None, None] = field(default_factory=dict)
    needs: frozenset[tuple[str, str]] = frozenset()

    def add(self, verdict: QueryVerdict, text: str, route: Route | None, way: Way) -> None:
        """Take one route's verdict into account."""
        if _ORDER[verdict] > _ORDER[self.verdict] or not self.texts:
            self.verdict = verdict
            self.texts = {text: None}
            self.bad_route, self.way = route, way
        elif verdict == self.verdict:
            self.texts[text] = None


class Judge:
    """Turns events into verdicts."""

    def __init__(self, interpreter: Interpreter) -> None:
        self.interpreter = interpreter
        self.judgements: dict[int, Judgement] = {}
        self.unchecked: dict[tuple[str, str], KeyWrite] = {}
        self.writes: dict[tuple[str, str], dict[KeyWrite, None]] = defaultdict(dict)

    def note_writes(self, entries: list[Entry]) -> None:
        """Collect the foreign keys that are stored without a check."""
        for entry in entries:
            for write in entry.key_writes:
                key = (write.model, write.column)
                self.writes[key][write] = None
                known = self.unchecked.get(key)
                if write.verdict == "leak" and (known is None or known.verdict != "leak"):
                    self.unchecked[key] = write
                elif write.verdict == "unproven":
                    self.unchecked.setdefault(key, write)

    def judge(self, root: Entry, route: Route | None) -> None:
        """Judge every site that a route, or a function that no route reaches, comes to."""
        by_row: dict[tuple[int, int], list[Event]] = defaultdict(list)
        for entry in root.reachable():
            for event in entry.events:
                by_row[(event.site, event.row)].append(event)
        found = ways(root, self.interpreter.site_list)
        run = {index for (index, _), events in by_row.items() if not _is_begun(events)}
        for (index, _), events in by_row.items():
            if _is_begun(events) and (index in run or not self._is_of_interest(index)):
                continue
            if route is None and self._is_settled(index):
                continue
            judgement = self.judgements.setdefault(
                index, Judgement(self.interpreter.site_list[index])
            )
            verdict, text = self._verdict(events)
            if route is not None:
                judgement.routes[route.name] = None
            elif verdict != "isolated":
                verdict, text = "unproven", _unreached(text)
            verdict, text = self._public(judgement.site, verdict, text)
            judgement.add(verdict, text, route, found.get(index, ()))
            judgement.needs |= frozenset(need for event in events for need in event.needs)
            if verdict == "leak" and not any(self.open_write(event.needs) for event in events):
                judgement.by_query = True
            if verdict == "leak" and route is not None:
                judgement.leaking[route.name] = None
                judgement.blames |= {e.blame: None for e in events if e.blame is not None}
                judgement.parents |= {
                    self.interpreter.symbol_sites.get(e.parent or 0): None
                    for e in events
                    if e.kind in ("leak", "pending")
                }

    def _is_settled(self, index: int) -> bool:
        """Tell whether routes have said all about a site."""
        known = self.judgements.get(index)
        return bool(known and known.routes)

    def _is_of_interest(self, index: int) -> bool:
        """Tell whether a statement, of which no run was seen, reads rows of an owned model."""
        statement = self.interpreter.begun.get(index)
        if statement is None:
            return False
        elements = self.interpreter.elements_of(statement, frozenset())
        names = {model.name for e in elements if (model := self.interpreter.model_at(e)).is_owned}
        self.interpreter.site_list[index].models |= dict.fromkeys(sorted(names))
        return bool(names)

    def _public(self, site: Site, verdict: QueryVerdict, text: str) -> tuple[QueryVerdict, str]:
        """Accept what a person declared public."""
        if verdict == "isolated":
            return verdict, text
        schema = self.interpreter.schema
        models = [schema.named(name) for name in site.models]
        if models and all(model is not None and model.is_public for model in models):
            return "public", "the table model is declared public in the settings"
        lines = self.interpreter.program.project.modules[site.place.path].lines
        for number in (site.place.line, site.place.line - 1):
            found = _PUBLIC.search(lines[number - 1]) if 0 < number <= len(lines) else None
            if found:
                return "public", f"declared public: {found['reason'].strip()}"
        return verdict, text

    def _verdict(self, events: list[Event]) -> tuple[QueryVerdict, str]:
        kinds = {event.kind: event for event in reversed(events)}
        if _is_begun(events):
            return "unproven", "the statement cannot be followed to where it runs"
        doubt = next((e.text[1:] for e in events if e.text.startswith("?")), None)
        if "leak" in kinds:
            text = self._full_text(events, kinds["leak"])
            if self._is_invariant(events):
                return "unproven", text
            return ("leak", text) if doubt is None else ("unproven", doubt)
        if "unproven" in kinds:
            return "unproven", doubt or kinds["unproven"].text
        proofs = (
            [kinds["bound"]] if "bound" in kinds else [e for e in events if e.kind == "checked"]
        )
        if proofs:
            # Each use rests on what was known there: the weakest of these proofs counts.
            return max(map(self._with_needs, proofs), key=lambda found: _ORDER[found[0]])
        if doubt is not None:
            return "unproven", doubt
        verdict: QueryVerdict = "unproven" if self._is_invariant(events) else "leak"
        return verdict, f"{events[0].text}, and {NO_CHECK}"

    def _is_invariant(self, events: list[Event]) -> bool:
        """Tell whether only the own owner column is not compared, and the writes keep it right.

        Rows below a checked parent belong to its owner as long as every write of the parent's
        key is checked. The query itself does not say so, so nothing is called isolated.
        """
        fetched = [event for event in events if event.kind == "pending"]
        doubtful = fetched or [event for event in events if event.kind == "leak"]
        return all(event.through is not None for event in doubtful) and not any(
            need in self.unchecked for event in doubtful for need in event.through or ()
        )

    def _full_text(self, events: list[Event], leak: Event) -> str:
        """Return why a fetched row leaks: what its statement compared, and how it is used."""
        fetched = next((event for event in events if event.kind == "pending"), None)
        _, mark, use = leak.text.rpartition(", and the row ")
        return f"{fetched.text}{mark}{use}" if fetched is not None and mark else leak.text

    def open_write(self, needs: frozenset[tuple[str, str]]) -> KeyWrite | None:
        """Return the first unchecked write of a column on which a proof rests, or None."""
        found = (self.unchecked.get(need) for need in sorted(needs))
        return next((write for write in found if write is not None), None)

    def _with_needs(self, event: Event) -> tuple[QueryVerdict, str]:
        write = self.open_write(event.needs)
        if write is not None:
            where = f"{write.place.path}:{write.place.line}"
            verdict: QueryVerdict = "leak" if write.verdict == "leak" else "unproven"
            return verdict, f"{event.text}; but at {where} {write.text}"
        how = "" if event.kind == "bound" else "checked after it is fetched: "
        return "isolated", how + event.text


def _unreached(text: str) -> str:
    """Return a reason with the note that no route leads to the query."""
    note = "no route reaches it"
    return text if text.startswith(note) else f"{note}, and {text}"


def _is_begun(events: list[Event]) -> bool:
    """Tell whether a statement was built, and nothing more was seen of it."""
    return all(event.kind == "begun" for event in events)
