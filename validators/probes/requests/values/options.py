"""The schemas that a value may follow: the branches of `anyOf` and `oneOf`.

Source: JSON Schema 2020-12, section 10.2.
"""

from collections.abc import Iterator, Mapping
from itertools import islice

from validators.probes.operations import Document, Schema

_MOST, _DEEPEST = 64, 6


def options(document: Document, schema: Schema) -> list[Schema]:
    """Return the schemas that a value may follow, those that are `null` last.

    Args:
        document: Resolves the schema's references.
        schema: The schema of the value.
    """
    found = islice(_options(document, schema, 0), _MOST)
    return sorted(found, key=lambda option: option.get("type") == "null")


def _options(document: Document, schema: Schema, depth: int) -> Iterator[Schema]:
    resolved = document.flatten(schema)
    several = resolved.get("anyOf") or resolved.get("oneOf")
    if not isinstance(several, list) or depth > _DEEPEST:
        yield resolved
        return
    beside = {key: value for key, value in resolved.items() if key in ("examples", "example")}
    tag = resolved.get("discriminator")
    tag = tag.get("propertyName") if isinstance(tag, Mapping) else None
    for each in several:
        for option in _options(document, each, depth + 1):
            yield _tagged({**beside, **option} if beside else option, tag)


def _tagged(option: Schema, tag: object) -> Schema:
    """Return a branch that must name its tag, even where the tag has a default."""
    required = option.get("required")
    required = required if isinstance(required, list) else []
    if not isinstance(tag, str) or tag in required or "properties" not in option:
        return option
    return {**option, "required": [*required, tag]}


def kind_of(option: Schema) -> str:
    """Return the type of the values that a schema without branches has, or an empty text."""
    kind = option.get("type")
    if isinstance(kind, list):
        kind = next((each for each in kind if each != "null"), "null")
    if isinstance(kind, str):
        return kind
    for name, keywords in _TELLING.items():
        if any(keyword in option for keyword in keywords):
            return name
    return ""


_TELLING = {
    "object": ("properties", "additionalProperties", "patternProperties"),
    "array": ("items", "prefixItems"),
    "string": ("pattern", "format", "minLength", "maxLength", "contentMediaType"),
    "number": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
}
