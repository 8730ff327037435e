"""Ways: how a route comes to a query site, and the places on which a proof rests."""

import re
from pathlib import PurePosixPath

from validators.ownership.recorder import Entry, KeyWrite, Place, Site
from validators.report import Step

Way = tuple[Entry, ...]

# Where an identity was verified, as its origin says it.
_VERIFIED = re.compile(
    r"\((?P<claim>[^(),]+), from (?P<how>.+?),? (?:in )?(?P<path>[^\s,]+\.py), line (?P<line>\d+)\)"
)


def ways(root: Entry, sites: list[Site]) -> dict[int, Way]:
    """Return the shortest way from a route to each query site, the function that holds it last.

    What happens to a row later, such as that the route returns it, is recorded elsewhere; such a
    place counts only where the function itself was not seen.
    """
    own: dict[int, Way] = {}
    other: dict[int, Way] = {}
    seen = {root.index}
    queue: list[Way] = [(root,)]
    for way in queue:
        entry = way[-1]
        for event in entry.events:
            known = own if _holds(entry, sites[event.site]) else other
            known.setdefault(event.site, way)
        for callee in entry.callees.values():
            if callee.index not in seen:
                seen.add(callee.index)
                queue.append((*way, callee))
    return other | own


def way_to(root: Entry, wanted: Entry) -> Way:
    """Return the shortest way from a route to an entry; both ends where none is known."""
    seen = {root.index}
    queue: list[Way] = [(root,)]
    for way in queue:
        if way[-1] is wanted:
            return way
        for callee in way[-1].callees.values():
            if callee.index not in seen:
                seen.add(callee.index)
                queue.append((*way, callee))
    return (root, wanted)


def steps_of(way: Way) -> tuple[Step, ...]:
    """Return a way as steps: the route, then each function where it is called."""
    steps = []
    before: Entry | None = None
    for entry in way:
        kind, place = (
            ("route", entry.place) if before is None else ("call", _called_at(before, entry))
        )
        what = entry.label if before is None else _name(entry, before)
        if not (before is not None and before.label == entry.label and before.place == entry.place):
            steps.append(Step(kind=kind, what=what, path=place.path, line=place.line))  # type: ignore[arg-type]
        before = entry
    return tuple(steps)


def query_step(site: Site) -> Step:
    """Return the query itself as a step."""
    models = ", ".join(sorted(site.models))
    place = site.place
    return Step(
        kind="query", what=f"{site.kind} {models}".strip(), path=place.path, line=place.line
    )


def identity_steps(text: str) -> tuple[Step, ...]:
    """Return where the identities that a proof names were verified."""
    found = {
        Step(
            kind="identity",
            what=f"{match['claim']}, from {match['how']}",
            path=match["path"],
            line=int(match["line"]),
        ): None
        for match in _VERIFIED.finditer(text)
    }
    return tuple(found)


def write_steps(writes: list[KeyWrite]) -> tuple[Step, ...]:
    """Return the writes of the foreign keys on which a proof rests."""
    found = {
        (write.place.path, write.place.line, write.column): Step(
            kind="write",
            what=f"{write.model.rpartition(':')[2]}.{write.column}, {write.verdict}",
            path=write.place.path,
            line=write.place.line,
        )
        for write in writes
    }
    return tuple(found[key] for key in sorted(found))


def _holds(entry: Entry, site: Site) -> bool:
    return entry.label == site.function and entry.place.path == site.place.path


def _called_at(caller: Entry, entry: Entry) -> Place:
    if entry.index in caller.called_at:
        path, node = caller.called_at[entry.index]
        if hasattr(node, "lineno"):
            return Place.of(path, node)
    return entry.place


def _name(entry: Entry, caller: Entry) -> str:
    """Return a function's name, with its module where that is another than the caller's."""
    if entry.place.path == caller.place.path or caller.label.count(" ") or "." in entry.label:
        return entry.label
    path = PurePosixPath(entry.place.path)
    module = path.parent.name if path.stem == "__init__" else path.stem
    return f"{module}.{entry.label}" if module else entry.label
