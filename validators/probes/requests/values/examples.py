"""Examples that an author declared at one place for values at another.

Sources: JSON Schema 2020-12 validation, section 9.5; OpenAPI 3.1, media types and parameters.
"""

from collections.abc import Mapping
from typing import Any

from validators.probes.operations import Schema


def with_examples(schema: Schema, around: Schema, name: str) -> Schema:
    """Return a property's schema with what the examples of its object say about it.

    Args:
        schema: The property's schema.
        around: The object's schema.
        name: The property's name.
    """
    if "examples" in schema or "example" in schema:
        return schema
    found = [each[name] for each in _examples(around) if isinstance(each, Mapping) and name in each]
    return {**schema, "examples": found} if found else schema


def _examples(schema: Schema) -> list[Any]:
    several = schema.get("examples")
    found = [*several] if isinstance(several, list) else []
    return [*found, schema["example"]] if "example" in schema else found
