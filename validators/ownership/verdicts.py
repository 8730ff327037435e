"""Verdicts: what everything that was seen means for each query site."""

from collections import defaultdict
from dataclasses import dataclass, field

from validators.ownership.interpreter import Interpreter
from validators.ownership.recorder import Entry, Event, KeyWrite, Site
from validators.ownership.routes import Route
from validators.report import QueryVerdict

_ORDER: dict[str, int] = {"isolated": 0, "public": 1, "unproven": 2, "leak": 3}


@dataclass(slots=True)
class Judgement:
    """The verdict of a query site so far.

    Attributes:
        site: The site.
        verdict: The worst verdict of all routes.
        texts: Proofs or reasons of that verdict.
        routes: Every route that reaches the site.
        bad_route: The first route with the worst verdict.
        trace: The functions between that route and the site.
    """

    site: Site
    verdict: QueryVerdict = "isolated"
    texts: dict[str, None] = field(default_factory=dict)
    routes: dict[str, None] = field(default_factory=dict)
    bad_route: Route | None = None
    trace: tuple[str, ...] = ()

    def add(
        self, verdict: QueryVerdict, text: str, route: Route | None, trace: tuple[str, ...]
    ) -> None:
        """Take one route's verdict into account."""
        if _ORDER[verdict] > _ORDER[self.verdict] or not self.texts:
            self.verdict = verdict
            self.texts = {text: None}
            self.bad_route, self.trace = route, trace
        elif verdict == self.verdict:
            self.texts[text] = None


class Judge:
    """Turns events into verdicts."""

    def __init__(self, interpreter: Interpreter) -> None:
        self.interpreter = interpreter
        self.judgements: dict[int, Judgement] = {}
        self.unchecked: dict[tuple[str, str], KeyWrite] = {}

    def note_writes(self, entries: list[Entry]) -> None:
        """Collect the foreign keys that are stored without a check."""
        for entry in entries:
            for write in entry.key_writes:
                key = (write.model, write.column)
                known = self.unchecked.get(key)
                if write.verdict == "leak" and (known is None or known.verdict != "leak"):
                    self.unchecked[key] = write
                elif write.verdict == "unproven":
                    self.unchecked.setdefault(key, write)

    def judge(self, root: Entry, route: Route | None) -> None:
        """Judge every site that a route reaches."""
        by_row: dict[tuple[int, int], list[Event]] = defaultdict(list)
        for entry in root.reachable():
            for event in entry.events:
                by_row[(event.site, event.row)].append(event)
        traces = _traces(root)
        for (index, _), events in by_row.items():
            judgement = self.judgements.setdefault(
                index, Judgement(self.interpreter.site_list[index])
            )
            if route is not None:
                judgement.routes[route.name] = None
            verdict, text = self._verdict(events)
            judgement.add(verdict, text, route, traces.get(index, ()))

    def _verdict(self, events: list[Event]) -> tuple[QueryVerdict, str]:
        kinds = {event.kind: event for event in reversed(events)}
        for kind in ("leak", "unproven"):
            if kind in kinds:
                event = kinds[kind]  # type: ignore[index]
                note = _pending_doubt(events)
                if kind == "leak" and note is not None:
                    return "unproven", note
                return kind, event.text  # type: ignore[return-value]
        for kind in ("bound", "checked"):
            if kind in kinds:
                event = kinds[kind]  # type: ignore[index]
                return self._with_needs(event)
        pending = events[0]
        if pending.text.startswith("?"):
            return "unproven", pending.text[1:]
        return "leak", f"{pending.text}, and nothing checks the row afterwards"

    def _with_needs(self, event: Event) -> tuple[QueryVerdict, str]:
        for need in sorted(event.needs):
            write = self.unchecked.get(need)
            if write is not None:
                where = f"{write.place.path}, line {write.place.line}"
                verdict: QueryVerdict = "leak" if write.verdict == "leak" else "unproven"
                return verdict, f"{event.text}; but {write.text} ({where})"
        how = "" if event.kind == "bound" else "checked after it is fetched: "
        return "isolated", how + event.text


def _pending_doubt(events: list[Event]) -> str | None:
    for event in events:
        if event.kind == "pending" and event.text.startswith("?"):
            return event.text[1:]
    return None


def _traces(root: Entry) -> dict[int, tuple[str, ...]]:
    """Return for each site the functions on the shortest way from a route to it."""
    found: dict[int, tuple[str, ...]] = {}
    seen = {root.index}
    queue: list[tuple[Entry, tuple[str, ...]]] = [(root, (root.label,))]
    for entry, trace in queue:
        for event in entry.events:
            found.setdefault(event.site, trace)
        for callee in entry.callees.values():
            if callee.index not in seen:
                seen.add(callee.index)
                queue.append((callee, (*trace, callee.label)))
    return found
