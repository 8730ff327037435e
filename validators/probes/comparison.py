"""Two worlds: what the owner is answered must not depend on whether the intruder exists.

Isolation is a property of pairs of runs. The owner's script runs once alone and once between the
intruder's attempts; once ids and times are taken out, the answers must be equal.
"""

import json
import re
from collections import defaultdict
from typing import Any

from validators.probes.results import Results, Step
from validators.probes.world import World
from validators.rules import probes as rules

# A finding of one of these rules says already that a route leaks.
_SAID = frozenset({"BP601", "BP603", "BP604", "BP606", "BP607", "BP610"})
_SHOWN_LETTERS = 160
_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?")
_UUID = re.compile(
    r"[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}", re.IGNORECASE
)
_HEADERS = re.compile(r"x-(?!.*(time|id$|trace|request|reset|date|remaining)).*|content-range|link")


def compare_worlds(alone: Results, together: Results, world: World) -> None:
    """Report in `together` each step that was answered otherwise than in `alone`.

    Args:
        alone: What the owner was answered in a world without anybody else.
        together: What the owner was answered among the attempts of others.
        world: The world of `together`, for its tables and texts.
    """
    expected = _by_label(alone.transcript)
    said = {finding.route for finding in together.findings if finding.code in _SAID}
    compared: set[str] = set()
    differing: set[str] = set()
    for label, steps in _by_label(together.transcript).items():
        for step, other in zip(steps, expected.get(label, []), strict=False):
            route = step.operation.route
            compared.add(route)
            got, wanted = _normal(step, world), _normal(other, world)
            if got != wanted and route not in said | differing:
                differing.add(route)
                if step.exchange.response.is_success and other.exchange.response.is_success:
                    # A refusal may come of a limit or a uniqueness that no query is behind.
                    together.leaking.add(route)
                _report(together, step, wanted, got, world)
    for route in sorted(compared):
        step = next(each for each in together.transcript if each.operation.route == route)
        if route in differing:
            detail = "The owner's answers depend on the intruder."
            together.note("two worlds", step.operation, "failed", detail)
        else:
            detail = "The owner is answered alike with and without the intruder."
            together.note("two worlds", step.operation, "passed", detail)


def _report(results: Results, step: Step, wanted: str, got: str, world: World) -> None:
    start = next(
        (
            number
            for number, pair in enumerate(zip(wanted, got, strict=False))
            if pair[0] != pair[1]
        ),
        min(len(wanted), len(got)),
    )
    results.report(
        rules.DEPENDS_ON_OTHERS,
        step.operation,
        f"What {step.operation.route} answers the owner depends on the intruder.",
        trace=(
            f"as the owner: {step.filled.shown}",
            f"without the intruder: {_excerpt(wanted, start, world)}",
            f"with the intruder: {_excerpt(got, start, world)}",
        ),
    )


def _excerpt(text: str, start: int, world: World) -> str:
    neutral = world.neutral(text)
    first = max(0, start - _SHOWN_LETTERS // 2)
    return neutral[first : first + _SHOWN_LETTERS]


def _by_label(transcript: list[Step]) -> dict[str, list[Step]]:
    found: dict[str, list[Step]] = defaultdict(list)
    for step in transcript:
        found[step.label].append(step)
    return found


def _normal(step: Step, world: World) -> str:
    """Return status, headers and body without what differs between two runs of the same app."""
    response = step.exchange.response
    body = response.json()
    headers = {
        k: _UUID.sub("a UUID", v) for k, v in response.headers.items() if _HEADERS.fullmatch(k)
    }
    if response.is_cut:
        # How often a stream repeats itself until it is cut off is chance.
        body = sorted({_plain(each) for each in response.text.splitlines()[:-1]})
    content = _plain(response.text) if body is None else _value("", body, _id_names(world))
    parts = [f"status {response.status}", json.dumps(content, ensure_ascii=False, sort_keys=True)]
    return " ".join([*parts, *(f"{name}: {value}" for name, value in sorted(headers.items()))])


def _id_names(world: World) -> frozenset[str]:
    names = {"id", "ids"}
    for table in world.tables.by_name.values():
        names |= {*table.key, *table.references, table.name}
    return frozenset(names)


def _value(name: str, value: Any, ids: frozenset[str]) -> Any:  # noqa: ANN401
    match value:
        case dict():
            return {key: _value(str(key), item, ids) for key, item in value.items()}
        case list():
            return [_value(name, item, ids) for item in value]
        case bool() | None:
            return value
        case int() | float() | str() if _is_id(name, ids):
            return "an id"
        case str():
            return _UUID.sub("a UUID", _TIME.sub("a time", value))
    return value


def _is_id(name: str, ids: frozenset[str]) -> bool:
    return name in ids or name.lower().endswith(("_id", "_ids")) or name.endswith(("Id", "Ids"))


def _plain(text: str) -> str:
    """Return a text that is no JSON, such as CSV or a link: its numbers may be ids."""
    return re.sub(r"(?<![a-z])\d+", "#", _UUID.sub("a UUID", _TIME.sub("a time", text)))
