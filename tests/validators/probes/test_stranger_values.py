"""Values for what strangers declare: what is made is accepted at the first try."""

import json
from collections.abc import Iterator
from itertools import islice
from typing import Any

import pytest
from fastapi.testclient import TestClient
from pydantic import TypeAdapter, ValidationError

from tests.validators.probes.strangers import first, routes, second
from validators.probes.operations import JSON, Document, Operation
from validators.probes.requests.files import file_fields, make_file
from validators.probes.requests.payloads import Filling, Payloads
from validators.probes.requests.variants import other_values

MARKER = "qwertyuiop"
MODELS = [*first.MODELS, *second.MODELS]
WAYS = [(index, is_minimal) for index in range(6) for is_minimal in (True, False)]


def filling(index: int = 0, *, is_minimal: bool = False) -> Filling:
    return Filling(MARKER, lambda *_: None, is_minimal, index)


def described(adapter: TypeAdapter[Any]) -> tuple[Document, dict[str, Any]]:
    """Return the schema of a type as a document of FastAPI holds it."""
    schema = adapter.json_schema(ref_template="#/components/schemas/{model}")
    return Document({"components": {"schemas": schema.pop("$defs", {})}}), schema


def refusals(adapter: TypeAdapter[Any]) -> Iterator[str]:
    document, schema = described(adapter)
    for index, is_minimal in WAYS:
        body = Payloads(document).body(schema, filling(index, is_minimal=is_minimal))
        try:
            adapter.validate_json(json.dumps(body))
        except ValidationError as error:
            yield f"{index} {is_minimal} {body}: {error}"


@pytest.mark.parametrize("model", MODELS, ids=str)
def test_a_body_is_accepted(model: Any) -> None:
    assert [*refusals(TypeAdapter(model))] == []


def operations() -> list[Operation]:
    return [*Document(routes.app.openapi()).operations]


def parameters(payloads: Payloads, operation: Operation, wanted: Filling) -> dict[str, Any]:
    values = {
        each.name: payloads.parameter(each.name, each.schema, wanted)
        for each in operation.parameters
    }
    payloads.put_in_order(operation.parameters, values)
    return values


def answer(operation: Operation, wanted: Filling) -> tuple[int, str]:
    """Send a request as the probes do, with every parameter, and return what comes back."""
    document = Document(routes.app.openapi())
    payloads = Payloads(document)
    values = parameters(payloads, operation, wanted)
    path = operation.path.format(**values)
    query = {name: value for name, value in values.items() if name not in operation.path_names}
    body = payloads.body(operation.body or {}, wanted) if operation.body else None
    kind = "json" if operation.media == JSON else "data"
    sent: dict[str, Any] = {kind: body}
    if kind == "data" and isinstance(body, dict):
        fields = [name for name in file_fields(document, operation.body or {}) if name in body]
        made = [make_file(name, "text", 0) for name in fields]
        sent = {
            "data": {name: value for name, value in body.items() if name not in fields},
            "files": [(each.field, (each.name, each.content, each.kind)) for each in made],
        }
    client = TestClient(routes.app)
    response = client.request(operation.method, path, params=query, **sent)
    return response.status_code, response.text


@pytest.mark.parametrize("operation", operations(), ids=lambda each: each.route)
def test_a_request_is_accepted(operation: Operation) -> None:
    answers = [answer(operation, filling(index, is_minimal=way)) for index, way in WAYS]
    assert {*answers} == {(200, '"ok"')}


@pytest.mark.parametrize("model", MODELS, ids=str)
def test_other_values_differ_and_are_accepted(model: Any) -> None:
    adapter = TypeAdapter(model)
    document, schema = described(adapter)
    body = Payloads(document).body(schema, filling())
    others = [*islice(other_values(document, schema, body), 12)]
    assert body not in others
    # What only the code of a model knows cannot be kept by all of them.
    assert any(is_accepted(adapter, other) for other in others)


def is_accepted(adapter: TypeAdapter[Any], value: Any) -> bool:
    try:
        return bool(adapter.validate_json(json.dumps(value)) or True)
    except ValidationError:
        return False


def test_every_branch_of_a_union_is_reached() -> None:
    document, schema = described(TypeAdapter(second.Pet))
    payloads = Payloads(document)
    by_index = {payloads.body(schema, filling(index))["pet"]["kind"] for index in range(6)}
    assert by_index >= {"cat", "dog", "shark"}
    body = payloads.body(schema, filling())
    others = {other["pet"]["kind"] for other in other_values(document, schema, body)}
    assert others >= {"dog", "fish"}


def test_free_text_with_an_example_still_holds_the_marker() -> None:
    schema = {"properties": {"title": {"type": "string", "examples": ["Milk"], "default": "x"}}}
    assert MARKER in Payloads(Document({})).body(schema, filling())["title"]
