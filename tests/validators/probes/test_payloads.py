"""Values made from JSON schemas."""

from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from validators.probes.operations import Document
from validators.probes.requests.payloads import MISSING, Filling, Payloads

MARKER = "qwertyuiop"
PAYLOADS = Payloads(Document({}))


def no_id(name: str, schema: object) -> None:
    del name, schema


def made(schema: dict[str, Any], *, is_minimal: bool = False, index: int = 0) -> Any:
    return PAYLOADS.body(schema, Filling(MARKER, no_id, is_minimal, index))


def an_object(**properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties)}


NUMBERS = st.fixed_dictionaries(
    {"type": st.sampled_from(["integer", "number"])},
    optional={"minimum": st.integers(-50, 10), "exclusiveMaximum": st.integers(20, 90)},
)
TEXTS = st.fixed_dictionaries(
    {"type": st.just("string")},
    optional={"minLength": st.integers(0, 5), "maxLength": st.integers(5, 300)},
)
FORMATS = st.fixed_dictionaries(
    {
        "type": st.just("string"),
        "format": st.sampled_from(["date-time", "date", "time", "email", "uri", "uuid", "ipv4"]),
    }
)
CHOICES = st.fixed_dictionaries({"enum": st.lists(st.text(), min_size=1, max_size=4, unique=True)})
SCALARS = NUMBERS | TEXTS | FORMATS | CHOICES | st.just({"type": "boolean"})
SCHEMAS = st.recursive(
    SCALARS,
    lambda inner: (
        st.fixed_dictionaries(
            {"type": st.just("array"), "items": inner}, optional={"minItems": st.integers(0, 3)}
        )
        | st.lists(inner, max_size=3).map(lambda parts: {"anyOf": [*parts, {"type": "null"}]})
    ),
    max_leaves=4,
)


@settings(deadline=None)  # the machine may be busy
@given(st.dictionaries(st.sampled_from(["title", "count", "due_date", "tags"]), SCHEMAS))
def test_a_body_is_valid_for_its_schema(properties: dict[str, Any]) -> None:
    schema = an_object(**properties)
    for is_minimal in (True, False):
        for index in range(3):
            jsonschema.validate(made(schema, is_minimal=is_minimal, index=index), schema)


def test_free_text_holds_the_marker_and_differs_by_index() -> None:
    schema = an_object(title={"type": "string", "maxLength": 200})
    first, second = made(schema), made(schema, index=1)
    assert MARKER in first["title"]
    assert first != second


def test_what_is_not_required_is_left_out_of_a_minimal_body() -> None:
    schema = {**an_object(a={"type": "string"}, b={"type": "string"}), "required": ["a"]}
    assert made(schema, is_minimal=True).keys() == {"a"}
    assert made(schema).keys() == {"a", "b"}


@pytest.mark.parametrize(
    ("name", "pattern"),
    [("currency", "^[A-Z]{3}$"), ("color", "^#[0-9a-f]{6}$"), ("month", r"^\d{4}-\d\d$")],
)
def test_a_pattern_is_met(name: str, pattern: str) -> None:
    schema = an_object(**{name: {"type": "string", "pattern": pattern}})
    jsonschema.validate(made(schema), schema)


def test_a_required_id_that_cannot_be_had_makes_the_whole_body_missing() -> None:
    schema = an_object(task_id={"type": "integer"})
    assert PAYLOADS.body(schema, Filling(MARKER, lambda *_: MISSING)) is MISSING


def test_ids_are_asked_for_by_name_in_lists_as_well() -> None:
    asked: list[str] = []

    def fill_id(name: str, schema: object) -> int | None:
        del schema
        asked.append(name)
        return 7 if name == "tag_id" else None

    schema = an_object(tag_ids={"type": "array", "items": {"type": "integer"}})
    assert PAYLOADS.body(schema, Filling(MARKER, fill_id)) == {"tag_ids": [7]}
    assert "tag_id" in asked


def test_references_and_parts_are_followed() -> None:
    document = Document({"components": {"schemas": {"Name": {"type": "string", "maxLength": 3}}}})
    named = {"$ref": "#/components/schemas/Name"}
    schema = {"allOf": [an_object(a=named), an_object(b=named)]}
    body = Payloads(document).body(schema, Filling(MARKER, no_id))
    assert {name: len(value) for name, value in body.items()} == {"a": 3, "b": 3}


def test_a_schema_that_refers_to_itself_ends() -> None:
    loop = {"$ref": "#/components/schemas/Loop"}
    document = Document({"components": {"schemas": {"Loop": an_object(inner=loop)}}})
    assert Payloads(document).body(loop, Filling(MARKER, no_id))
