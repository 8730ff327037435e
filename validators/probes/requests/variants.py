"""Other valid values in place of one that a request holds.

An update can be seen in the database only where it brings something new.
Source: JSON Schema 2020-12 as FastAPI and Pydantic write it.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, time, timedelta
from itertools import islice
from typing import Any, TypeVar

from validators.probes.operations import Document, Schema
from validators.probes.requests.payloads import Filling, Payloads
from validators.probes.requests.values.fitting import fits, fits_option, item_schemas, key_of
from validators.probes.requests.values.formats import is_known, other_formatted
from validators.probes.requests.values.numbers import other_numbers
from validators.probes.requests.values.options import kind_of, options
from validators.probes.requests.values.order import put_in_order
from validators.probes.requests.values.patterns import texts
from validators.probes.requests.values.texts import declared, fits_text, is_json

__all__ = ["options", "other_values", "take_turns"]

_T = TypeVar("_T")
_DEEPEST, _MOST, _MOST_ITEMS, _MOST_POSITIONS, _MOST_MADE = 4, 300, 20, 40, 3
# Each character of a text may give way to its neighbour of the same kind.
_NEIGHBOURS = {
    character: kind[(position + 1) % len(kind)]
    for kind in ("0123456789", "abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    for position, character in enumerate(kind)
}


def other_values(document: Document, schema: Schema, value: Any) -> Iterator[Any]:  # noqa: ANN401
    """Yield other values that a schema allows, each once.

    Args:
        document: Resolves the schema's references.
        schema: The schema of the value.
        value: What must not come again.
    """
    seen = {key_of(value)}
    for other in islice(_all(document, schema, value, 0), _MOST):
        key = key_of(other)
        if key not in seen:
            seen.add(key)
            yield other


def take_turns(several: Iterable[Iterable[_T]]) -> Iterator[_T]:
    """Yield the first of each, then the second of each, and so on."""
    waiting = [iter(each) for each in several]
    while waiting:
        left = []
        for each in waiting:
            for value in each:
                yield value
                left.append(each)
                break
        waiting = left


def _all(document: Document, schema: Schema, value: Any, depth: int) -> Iterator[Any]:  # noqa: ANN401
    for option in options(document, schema):
        if fits_option(document, option, value) or not _is_same_kind(option, value):
            others = _others(document, option, value, depth)
            yield from (each for each in others if fits_option(document, option, each))
        if not fits_option(document, option, value):
            yield from _made(document, option, value)


def _is_same_kind(option: Schema, value: Any) -> bool:  # noqa: ANN401
    # A value of one branch is no start for another of objects.
    return isinstance(value, dict) and kind_of(option) == "object"


def _made(document: Document, option: Schema, value: Any) -> Iterator[Any]:  # noqa: ANN401
    """Yield values for another branch, with what both have in common."""
    kept = {}
    if isinstance(value, dict):
        kept = {
            name: value[name]
            for name, schema, _ in document.properties(option)
            if name in value and fits(document, schema, value[name])
        }
    for index in range(_MOST_MADE):
        filling = Filling("", lambda *_: None, index=index, overrides=kept)
        other = Payloads(document).body(option, filling)
        if fits_option(document, option, other):
            yield other


def _others(document: Document, option: Schema, value: Any, depth: int) -> Iterator[Any]:  # noqa: ANN401
    choices = [option["const"]] if "const" in option else option.get("enum")
    if isinstance(choices, list):
        yield from choices
        return
    kind = kind_of(option)
    match value:
        case _ if kind == "null":
            yield None
        case bool() if kind == "boolean":
            yield not value
        case int() | float() if kind in ("integer", "number"):
            yield from other_numbers(value, option)
        case str() if kind in ("string", ""):
            yield from _texts(document, option, value, depth)
        case list() if kind == "array" and depth < _DEEPEST:
            yield from _lists(document, option, value, depth)
        case dict() if kind == "object" and depth < _DEEPEST:
            yield from _objects(document, option, value, depth)


def _texts(document: Document, option: Schema, value: str, depth: int) -> Iterator[str]:
    kind = str(option.get("format", ""))
    if kind in ("date-time", "date", "time"):
        yield from _moments(kind, value)
    elif is_known(kind):
        yield from other_formatted(kind, value)
    elif is_json(option):
        yield from _json_texts(document, option, value, depth)
    else:
        yield from (each for each in declared(option) if value in declared(option))
        yield from _near(option, value)
        if isinstance(option.get("pattern"), str):
            made = texts(option["pattern"], "", "once more", len(value))
            yield from (each for each in made if fits_text(each, option))


def _near(option: Schema, value: str) -> Iterator[str]:
    first = max(0, len(value) - _MOST_POSITIONS)
    for position in range(len(value) - 1, first - 1, -1):
        character = value[position]
        other = _NEIGHBOURS.get(character, character)
        text = f"{value[:position]}{other}{value[position + 1 :]}"
        if other != character and fits_text(text, option):
            yield text


def _json_texts(document: Document, option: Schema, value: str, depth: int) -> Iterator[str]:
    try:
        inner = json.loads(value)
    except (ValueError, RecursionError):
        return
    schema = option.get("contentSchema")
    schema = schema if isinstance(schema, Mapping) else {}
    yield from map(json.dumps, _all(document, schema, inner, depth + 1))


def _moments(kind: str, value: str) -> Iterator[str]:
    try:
        if kind == "time":
            moment = time.fromisoformat(value)
            yield moment.replace(minute=(moment.minute + 1) % 60).isoformat()
            return
        read = datetime.fromisoformat if kind == "date-time" else date.fromisoformat
        for days in (1, -1, 2, -2, 40, -40):
            yield (read(value) + timedelta(days=days)).isoformat()
    except (ValueError, OverflowError):
        return


def _lists(document: Document, option: Schema, value: list[Any], depth: int) -> Iterator[list[Any]]:
    schemas = item_schemas(option, len(value))[:_MOST_ITEMS]
    if not value and option.get("items"):
        yield from _made(document, option, value)

    def with_other(position: int, schema: Schema) -> Iterator[list[Any]]:
        for other in _all(document, schema, value[position], depth + 1):
            yield [*value[:position], other, *value[position + 1 :]]

    yield from take_turns(with_other(position, each) for position, each in enumerate(schemas))
    if not option.get("minItems", 0):
        yield []


def _objects(
    document: Document, option: Schema, value: dict[str, Any], depth: int
) -> Iterator[dict[str, Any]]:
    schemas = {name: schema for name, schema, _ in document.properties(option)}
    rest = option.get("additionalProperties")
    if isinstance(rest, Mapping):
        schemas = {**dict.fromkeys([*value][:_MOST_ITEMS], rest), **schemas}

    def with_other(name: str, schema: Schema) -> Iterator[dict[str, Any]]:
        for other in _all(document, schema, value[name], depth + 1):
            changed = {**value, name: other}
            put_in_order(document, schemas, changed, {name})
            yield changed

    named = [(name, schema) for name, schema in schemas.items() if name in value]
    yield from take_turns(with_other(*each) for each in named)
    if not value:
        yield from _made(document, option, value)
