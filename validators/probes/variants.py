"""Other valid values in place of one that a request holds.

An update can be seen in the database only where it brings something new.
Source: JSON Schema 2020-12 as FastAPI and Pydantic write it.
"""

import json
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from validators.probes.operations import Document, Schema
from validators.probes.payloads import fits_number, fits_text

_DEEPEST = 4
_FIXED = {
    "duration": ("PT1H", "PT2H"),
    "email": ("bystander@example.com", "someone@example.com"),
    "ipv4": ("192.0.2.1", "192.0.2.2"),
    "ipv6": ("2001:db8::1", "2001:db8::2"),
}
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
    seen = {_key(value)}
    for option in options(document, schema):
        for other in _others(document, option, value, 0):
            if _key(other) not in seen:
                seen.add(_key(other))
                yield other


def options(document: Document, schema: Schema) -> list[Schema]:
    """Return the schemas that a value may follow, those that are `null` last."""
    resolved = document.flatten(schema)
    several = resolved.get("anyOf") or resolved.get("oneOf")
    if not isinstance(several, list):
        return [resolved]
    found = [option for each in several for option in options(document, each)]
    return sorted(found, key=lambda option: option.get("type") == "null")


def _others(document: Document, option: Schema, value: Any, depth: int) -> Iterator[Any]:  # noqa: ANN401
    choices = [option["const"]] if "const" in option else option.get("enum")
    if isinstance(choices, list):
        yield from choices
        return
    kind = option.get("type")
    match value:
        case _ if kind == "null":
            yield None
        case bool() if kind == "boolean":
            yield not value
        case int() | float() if kind in ("integer", "number"):
            yield from _numbers(option, value)
        case str() if kind == "string":
            yield from _texts(option, value)
        case list() if kind == "array" and depth < _DEEPEST:
            yield from _lists(document, option, value, depth)
        case dict() if depth < _DEEPEST:
            yield from _objects(document, option, value, depth)


def _numbers(option: Schema, value: float) -> Iterator[Any]:
    multiple = option.get("multipleOf")
    step = multiple if isinstance(multiple, int | float) and multiple else 1
    for number in (value + step, value - step, value + 10 * step, value + step / 2):
        whole = int(number) if option.get("type") == "integer" else float(number)
        if whole == number and fits_number(whole, option):
            yield whole


def _texts(option: Schema, value: str) -> Iterator[str]:
    kind = str(option.get("format", ""))
    if kind in _FIXED:
        yield from _FIXED[kind]
    elif kind == "uuid":
        yield str(uuid5(NAMESPACE_URL, value))
    elif kind in ("date-time", "date", "time"):
        yield from _moments(kind, value)
    else:
        for position in range(len(value) - 1, -1, -1):
            character = value[position]
            other = _NEIGHBOURS.get(character, character)
            text = f"{value[:position]}{other}{value[position + 1 :]}"
            if other != character and fits_text(text, option):
                yield text


def _moments(kind: str, value: str) -> Iterator[str]:
    try:
        if kind == "time":
            moment = time.fromisoformat(value)
            yield moment.replace(minute=(moment.minute + 1) % 60).isoformat()
            return
        read = datetime.fromisoformat if kind == "date-time" else date.fromisoformat
        for days in (1, -1, 40, -40):
            yield (read(value) + timedelta(days=days)).isoformat()
    except (ValueError, OverflowError):
        return


def _lists(document: Document, option: Schema, value: list[Any], depth: int) -> Iterator[list[Any]]:
    items = options(document, option.get("items") or {})
    for position, item in enumerate(value):
        for each in items:
            for other in _others(document, each, item, depth + 1):
                yield [*value[:position], other, *value[position + 1 :]]
    if not option.get("minItems", 0):
        yield []


def _objects(
    document: Document, option: Schema, value: dict[str, Any], depth: int
) -> Iterator[dict[str, Any]]:
    for name, schema, _ in document.properties(option):
        if name in value:
            for each in options(document, schema):
                for other in _others(document, each, value[name], depth + 1):
                    yield {**value, name: other}


def _key(value: Any) -> str:  # noqa: ANN401
    # As JSON, because Python takes True for 1.
    return json.dumps(value, sort_keys=True)
