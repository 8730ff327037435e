"""Answers as sets of values that can be compared between worlds.

A value that a backend made up stands under its name, a time is a time, and values of one place in
the items of a list are held together, so that only the order of a list depends on its order.
"""

import json
import re
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from validators.probes.worlds.names import plain
from validators.probes.worlds.world import World
from validators.runtime.app import Response

# By place, such as `body.items[].title`: the values there, sorted.
Answer = Mapping[str, tuple[str, ...]]

STATUS = "status"
ORDER = "order"
_DEEPEST = 12
_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?")
_UUID = re.compile(
    r"[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}", re.IGNORECASE
)
_HEADERS = re.compile(r"x-(?!.*(time|id$|trace|request|reset|date|remaining)).*|content-range|link")


def normal(response: Response, world: World) -> Answer:
    """Return what an answer says, place by place, without what each world has for itself."""
    found: dict[str, list[str]] = defaultdict(list)
    found[STATUS].append(str(response.status))
    for name, value in response.headers.items():
        if _HEADERS.fullmatch(name):
            found[f"header {name}"].append(_text(value, world))
    body = response.json()
    if response.is_cut:
        # How often a stream repeats itself until it is cut off is chance.
        found["lines"] = sorted({_text(each, world) for each in response.text.splitlines()[:-1]})
    elif body is None:
        found["text"].append(_text(response.text, world))
    else:
        _collect("body", body, world, found, 0)
    return {place: tuple(sorted(values)) for place, values in found.items()}


def _collect(
    place: str,
    value: Any,  # noqa: ANN401
    world: World,
    found: dict[str, list[str]],
    depth: int,
) -> None:
    if depth > _DEEPEST:
        return
    match value:
        case dict():
            for key, item in value.items():
                _collect(f"{place}.{_text(str(key), world)}", item, world, found, depth + 1)
        case list():
            found[f"{place}.length"].append(str(len(value)))
            found[f"{place} {ORDER}"].append(" ".join(_first_name(each, world) for each in value))
            for item in value:
                _collect(f"{place}[]", item, world, found, depth + 1)
        case str():
            found[place].append(_text(value, world))
        case bool() | None:
            found[place].append(json.dumps(value))
        case _:
            found[place].append(world.names.name_of(value) or json.dumps(value))


def _first_name(item: Any, world: World) -> str:  # noqa: ANN401
    """Return by what an item of a list is known again in another world, or nothing."""
    values = item.values() if isinstance(item, dict) else [item]
    for value in values:
        name = world.names.name_of(value) if isinstance(value, str | int) else None
        if name is not None:
            return f"<{name}>"
    return ""


def _text(value: str, world: World) -> str:
    named = world.names.name_of(value)
    if named is not None:
        return f"<{named}>"
    return _UUID.sub("a UUID", plain(world.names.shown(_TIME.sub("a time", value))))


def differing(one: Answer, other: Answer) -> frozenset[str]:
    """Return the places in which two answers differ."""
    return frozenset(
        place for place in one.keys() | other.keys() if one.get(place) != other.get(place)
    )
