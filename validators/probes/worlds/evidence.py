"""What shows a finding: the requests that lead to it, with what was sent and answered."""

from collections.abc import Iterable, Sequence

from validators.probes.worlds.acts import Act
from validators.probes.worlds.hearing import leaves
from validators.probes.worlds.names import names_in
from validators.probes.worlds.world import World
from validators.report import Call

_SHOWN_ANSWER = 2000
_SHOWN_ROWS = 6


def way_to(world: World, acts: Sequence[Act]) -> list[Act]:
    """Return what has to be done before some acts, and these, in their order.

    An act has to be done where it made something that a later one names.
    """
    makers: dict[str, Act] = {}
    for act in world.history:
        for name in act.born:
            makers.setdefault(name, act)
    found = {act.number: act for act in acts}
    waiting = list(acts)
    while waiting:
        act = waiting.pop()
        named = names_in(act.request) if act.request is not None else set()
        if act.writing is not None and act.writing.row is not None:
            named = {act.writing.row}
        for name in named:
            # `share_token of page 1 of the owner` comes with `page 1 of the owner`.
            maker = makers.get(name) or next(
                (makers[known] for known in makers if name.endswith(f" of {known}")), None
            )
            if maker is not None and maker.number not in found:
                found[maker.number] = maker
                waiting.append(maker)
    return [found[number] for number in sorted(found)]


def told(world: World, acts: Sequence[Act]) -> tuple[str, ...]:
    """Return acts as lines for people, with the last one's answer."""
    lines = [_line(world, act) for act in acts]
    last = acts[-1].response if acts else None
    if last is not None and last.body:
        lines.append(f"the answer: {shorten(world.neutral(last.text))}")
    return tuple(lines)


def _line(world: World, act: Act) -> str:
    status = f" → {act.response.status}" if act.response is not None else ""
    made = f" ({', '.join(act.born[:_SHOWN_ROWS])})" if act.born else ""
    who = "" if act.actor == "check" else f"as the {act.actor}: "
    return f"{who}{world.show(act)}{status}{made}"


def shorten(text: str) -> str:
    """Return the start of a long text."""
    return text if len(text) <= _SHOWN_ANSWER else f"{text[:_SHOWN_ANSWER]} …"


def calls(world: World, acts: Sequence[Act]) -> tuple[Call, ...]:
    """Return acts as data, by which they can be done again elsewhere."""
    found = []
    for number, act in enumerate(acts):
        if act.request is None:
            continue
        later = {
            n for other in acts[number + 1 :] if other.request for n in names_in(other.request)
        }
        request = act.request
        body = None
        if request.json_body is not None:
            body = world.hide_people(request.json_body)
        found.append(
            Call(
                actor=act.actor,
                method=request.method,
                path=request.path,
                query=request.query,
                headers=request.headers,
                body=body,
                form=request.form,
                files=tuple((each.field, each.name, each.kind) for each in request.files),
                status=act.response.status if act.response is not None else 0,
                captures=tuple(_captures(world, act, later)),
            )
        )
    return tuple(found)


def _captures(world: World, act: Act, wanted: Iterable[str]) -> list[tuple[str, str]]:
    """Return where an answer holds the values of names that are needed later."""
    missing = set(wanted)
    found = []
    for path, value in leaves(act.response.json() if act.response is not None else None):
        name = world.names.name_of(value) if isinstance(value, str | int) else None
        if name in missing:
            missing.discard(name)
            found.append((str(name), path.removeprefix(".")))
    return found
