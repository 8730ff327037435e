"""An OpenAPI document comes from the code under check: whatever it holds, no probe breaks on it."""

import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from validators.probes.operations import Document
from validators.probes.requests.files import file_fields
from validators.probes.requests.payloads import Filling, Payloads, fits_text
from validators.probes.requests.variants import other_values
from validators.runtime.documents import merge_documents, read_paths, read_websockets

KEYS = (
    "paths", "get", "post", "/tasks/{task_id}", "/{", "parameters", "name", "in", "required",
    "schema", "requestBody", "content", "application/json", "multipart/form-data", "security",
    "components", "schemas", "Task", "$ref", "type", "properties", "items", "anyOf", "allOf",
    "enum", "const", "pattern", "format", "minLength", "maxLength", "minimum", "multipleOf",
    "exclusiveMinimum", "minItems", "contentMediaType", "title",
)  # fmt: skip
WORDS = (
    "path", "query", "string", "integer", "number", "array", "object", "null", "boolean", "date",
    "#/components/schemas/Task", "#/paths", "^(a+)+$", "uuid", "date-time", "/tasks", "Task",
)  # fmt: skip
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(WORDS) | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=3), inner, max_size=6)
    ),
    max_leaves=30,
)
documents = st.dictionaries(st.sampled_from(KEYS[:6]), values, max_size=4)


def routed(operation: Any, schema: Any) -> dict[str, Any]:
    """Return a document that is whole on the way to these values."""
    content = {"application/json": {"schema": schema}}
    routes = {"post": {"requestBody": {"content": content}}, "get": operation}
    return {"paths": {"/tasks/{task_id}": routes}, "components": {"schemas": {"Task": schema}}}


def use(document: Document) -> None:
    """Do with each operation what the probes do."""
    payloads, filling = Payloads(document), Filling("marker", lambda *_: None)
    for operation in document.operations:
        assert operation.route
        for parameter in operation.parameters:
            payloads.parameter(parameter.name, parameter.schema, filling)
        list(file_fields(document, operation.body or {}))
        if operation.body is not None:
            value = payloads.body(operation.body, filling)
            list(other_values(document, operation.body, value))
            list(payloads.alternatives(operation.body, filling))


@settings(deadline=None, max_examples=150)
@given(documents)
def test_any_document_is_read(data: dict[str, Any]) -> None:
    use(Document(data))


@settings(deadline=None, max_examples=150)
@given(values, values)
def test_any_operation_and_any_schema_are_read(operation: Any, schema: Any) -> None:
    use(Document(routed(operation, schema)))


@settings(deadline=None)
@given(documents, values, values, values)
def test_any_parts_are_merged(data: dict[str, Any], parts: Any, sockets: Any, mounts: Any) -> None:
    merged = merge_documents(data, parts if isinstance(parts, list) else [{"openapi": parts}])
    use(Document(merged))
    use(Document({"paths": read_websockets(sockets)}))
    assert all(isinstance(path, str) for path in read_paths(mounts))


@pytest.mark.parametrize("pattern", ["^(a+)+$", "^((a|b)*c)*d$", r"(.*)(.*)\1\2x", "a*a*a*a*a*a*b"])
def test_a_pattern_that_takes_for_ever_is_not_tried(pattern: str) -> None:
    started = time.process_time()
    fits_text("a" * 60, {"pattern": pattern})
    assert time.process_time() - started < 1


@pytest.mark.parametrize("pattern", [r"^[^@\s]+@[^@\s]+\.[a-z]{2,}$", "^[A-Z]{3}-[0-9]+$"])
def test_usual_patterns_are_tried(pattern: str) -> None:
    assert not fits_text("Water the plants", {"pattern": pattern})


def test_a_length_that_nobody_can_send_is_not_made() -> None:
    document = Document({})
    schema = {"type": "string", "minLength": 10**12}
    made = Payloads(document).body(schema, Filling("marker", lambda *_: None))
    assert len(made) < 1000
