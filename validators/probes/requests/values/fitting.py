"""Whether a value is valid for a schema, as far as a schema can tell.

Source: JSON Schema 2020-12.
"""

import json
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from validators.probes.operations import Document, Schema
from validators.probes.requests.values.moments import read
from validators.probes.requests.values.numbers import fits_number
from validators.probes.requests.values.options import kind_of, options
from validators.probes.requests.values.texts import fits_text

_DEEPEST = 8


def fits(document: Document, schema: Schema, value: Any) -> bool:  # noqa: ANN401
    """Tell whether a value is valid for a schema.

    Args:
        document: Resolves the schema's references.
        schema: The schema.
        value: A value as JSON has it.
    """
    return _fits(document, schema, value, 0)


def _fits(document: Document, schema: Schema, value: Any, depth: int) -> bool:  # noqa: ANN401
    if depth > _DEEPEST:
        return True
    return any(fits_option(document, option, value, depth) for option in options(document, schema))


def fits_option(document: Document, option: Schema, value: Any, depth: int = 0) -> bool:  # noqa: ANN401
    """Tell whether a value is valid for a schema without branches."""
    choices = [option["const"]] if "const" in option else option.get("enum")
    if isinstance(choices, list):
        return key_of(value) in map(key_of, choices)
    kind = kind_of(option)
    match value:
        case None:
            types = option.get("type")
            return kind in ("null", "") or (isinstance(types, list) and "null" in types)
        case bool():
            return kind in ("boolean", "")
        case int() | float():
            is_whole = isinstance(value, int)
            return kind == "" or (
                (kind == "number" or (kind == "integer" and is_whole))
                and fits_number(value, option)
            )
        case str():
            return kind == "" or (kind == "string" and _fits_text(value, option))
        case list():
            return kind == "" or (kind == "array" and _fits_list(document, option, value, depth))
        case dict():
            return kind == "" or (kind == "object" and _fits_object(document, option, value, depth))
    return False


def _fits_text(value: str, option: Schema) -> bool:
    if not fits_text(value, option):
        return False
    kind = str(option.get("format", ""))
    if kind == "uuid":
        try:
            return bool(UUID(value))
        except ValueError:
            return False
    return kind not in ("date", "date-time", "time") or read(value) is not None


def _fits_list(document: Document, option: Schema, value: list[Any], depth: int) -> bool:
    least, most = option.get("minItems"), option.get("maxItems")
    if isinstance(least, int) and len(value) < least:
        return False
    if isinstance(most, int) and len(value) > most:
        return False
    if option.get("uniqueItems") and len({key_of(each) for each in value}) < len(value):
        return False
    schemas = item_schemas(option, len(value))
    return all(_fits(document, *pair, depth + 1) for pair in zip(schemas, value, strict=True))


def item_schemas(option: Schema, count: int) -> list[Schema]:
    """Return the schema of each item of a list with so many items."""
    first = option.get("prefixItems")
    first = first if isinstance(first, list) else []
    schemas = [each for each in first if isinstance(each, Mapping)]
    rest = option.get("items")
    rest = rest if isinstance(rest, Mapping) else {}
    return [*schemas[:count], *[rest] * (count - len(schemas))]


def _fits_object(document: Document, option: Schema, value: dict[str, Any], depth: int) -> bool:
    declared = {name: (schema, needed) for name, schema, needed in document.properties(option)}
    if any(needed and name not in value for name, (_, needed) in declared.items()):
        return False
    rest = option.get("additionalProperties")
    least, most = option.get("minProperties"), option.get("maxProperties")
    if isinstance(least, int) and len(value) < least:
        return False
    if isinstance(most, int) and len(value) > most:
        return False
    for name, each in value.items():
        schema = declared[name][0] if name in declared else rest
        if schema is False and not option.get("patternProperties"):
            return False
        if isinstance(schema, Mapping) and not _fits(document, schema, each, depth + 1):
            return False
    return True


def key_of(value: Any) -> str:  # noqa: ANN401
    """Return what two values have in common only where they are the same."""
    # As JSON, because Python takes True for 1.
    return json.dumps(value, sort_keys=True)
