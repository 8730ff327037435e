"""Values that no client should send and any client can: out of range, null, with a NUL."""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import Any, Literal

from validators.probes.operations import Document, Operation, Schema
from validators.probes.requests.filling import Filled
from validators.probes.requests.variants import options
from validators.probes.worlds.world import Exchange

_NUL = "a\x00b"
# Beyond PostgreSQL's integer and bigint types, and below every id, limit and offset.
_NUMBERS = (2**31, 2**63, -1)
_INVALID = 422

Place = Literal["path", "query", "body"]


@dataclass(frozen=True)
class Strange:
    """One strange value.

    Attributes:
        place: Where it goes: `path`, `query` or `body`.
        name: The parameter's or property's name.
        value: The value.
        is_allowed: Whether the document allows it all the same.
    """

    place: Place
    name: str
    value: Any
    is_allowed: bool = False


def strange_values(document: Document, operation: Operation, filled: Filled) -> Iterator[Strange]:
    """Yield every strange value for a request."""
    for parameter in operation.parameters:
        kinds = _kinds(document, parameter.schema)
        name = parameter.name
        match parameter.place:
            case "path" | "query" as place if kinds & {"integer", "number"}:
                yield from (Strange(place, name, each) for each in _NUMBERS)
            case "query" as place if "string" in kinds:
                yield Strange(place, name, _NUL)
    body = filled.request.json_body
    schemas = {name: schema for name, schema, _ in document.properties(operation.body)}
    for name, value in body.items() if isinstance(body, dict) else ():
        may_be_null = "null" in _kinds(document, schemas.get(name, {}))
        yield Strange("body", name, None, is_allowed=may_be_null)
        if isinstance(value, str):
            yield Strange("body", name, _NUL)
        elif isinstance(value, int) and not isinstance(value, bool):
            yield from (Strange("body", name, each) for each in _NUMBERS[:2])


def _kinds(document: Document, schema: Schema) -> set[object]:
    """Return the types that a value may have, those of enumerations aside."""
    return {option.get("type") for option in options(document, schema) if "enum" not in option}


def rounds(values: Sequence[Strange]) -> Iterator[tuple[Strange, ...]]:
    """Yield the values in as few requests as they fit: in each, one value in each place."""
    by_name: dict[tuple[str, str], list[Strange]] = {}
    for each in values:
        by_name.setdefault((each.place, each.name), []).append(each)
    for together in zip_longest(*by_name.values()):
        yield tuple(each for each in together if each is not None)


def put(operation: Operation, filled: Filled, values: Sequence[Strange]) -> Filled:
    """Return a request with strange values in it."""
    request = filled.request
    said = []
    for each in values:
        match each.place:
            case "path":
                request = replace(request, path=_with(request.path, operation.path, each))
            case "query":
                others = tuple(pair for pair in request.query if pair[0] != each.name)
                request = replace(request, query=(*others, (each.name, str(each.value))))
            case _:
                request = replace(request, json_body={**request.json_body, each.name: each.value})
        sign = ":" if each.place == "body" else " ="
        said.append(f"{each.name}{sign} {json.dumps(each.value)}")
    shown = f"{operation.route} with {', '.join(said)}"
    return replace(filled, request=request, shown=shown)


def _with(path: str, template: str, strange: Strange) -> str:
    place = re.compile(rf"\{{{re.escape(strange.name)}(:\w+)?\}}")
    parts = zip(path.split("/"), template.split("/"), strict=True)
    return "/".join(str(strange.value) if place.fullmatch(named) else part for part, named in parts)


def are_refused(values: Sequence[Strange], exchange: Exchange) -> bool:
    """Tell whether an answer says of each of these values that it is not valid."""
    if exchange.response.status != _INVALID:
        return False
    body = exchange.response.json()
    details = body.get("detail") if isinstance(body, dict) else None
    items = details if isinstance(details, list) else []
    named = {_place(item) for item in items if isinstance(item, dict)}
    return all((each.place, each.name) in named for each in values)


def _place(item: dict[str, Any]) -> tuple[str, ...]:
    """Return the parameter or property that a validation error is about."""
    place = item.get("loc")
    return tuple(map(str, place[:2])) if isinstance(place, list) else ()
