"""Ids of rows in queries and bodies: in lists, in texts, and in the order of their fields."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import pytest

from validators.probes.operations import Document
from validators.probes.requests.filling import Filler, UnfilledError
from validators.probes.requests.targets import Targets
from validators.probes.worlds.tables import Column, Row, Table, Tables
from validators.runtime.app import Request

if TYPE_CHECKING:
    from validators.probes.worlds.world import World

KEY = "0190f3c1-0000-7000-8000-000000000007"

KEY_COLUMNS = {
    kind: Column("id", kind, is_required=True, has_default=True) for kind in ("integer", "uuid")
}


@dataclass
class FakeTables:
    """Two tables: recipes with a number for a key, tags with a UUID."""

    users_table: str = "user"
    by_name: dict[str, Table] = field(
        default_factory=lambda: {
            "recipe": Table("public", "recipe", ("id",), {"id": KEY_COLUMNS["integer"]}),
            "tag": Table("public", "tag", ("id",), {"id": KEY_COLUMNS["uuid"]}),
        }
    )

    def references(self, row: Row) -> Iterator[tuple[str, str]]:
        del row
        yield from ()


@dataclass
class FakeWorld:
    """The owner has one row of each kind, and nobody else has any."""

    tables: FakeTables = field(default_factory=FakeTables)
    users: dict[str, Any] = field(default_factory=dict)
    markers: dict[str, str] = field(default_factory=lambda: {"owner": "qwertyuiop"})

    def rows_of(self, role: str, table: str) -> Iterator[Row]:
        if role == "owner":
            yield Row(table, ("7",), {"id": 7 if table == "recipe" else KEY}, "")

    def neutral(self, text: str) -> str:
        return text


def query(name: str, schema: dict[str, Any], whose: str = "owner") -> tuple[tuple[str, str], ...]:
    parameter = {"name": name, "in": "query", "required": True, "schema": schema}
    return sent({"get": {"parameters": [parameter]}}, whose).query


def sent(item: dict[str, Any], whose: str = "owner") -> Request:
    document = Document({"paths": {"/recipes": item}})
    world = FakeWorld()
    targets = Targets(cast("Tables", world.tables))
    filler = Filler(document, cast("World", world), targets)
    (operation,) = document.operations
    return filler.fill(operation, "owner", lambda _: whose).request


NUMBERS = {"type": "array", "items": {"type": "integer"}}
UUIDS = {"type": "array", "items": {"type": "string", "format": "uuid"}}


@pytest.mark.parametrize(
    ("name", "schema", "value"),
    [
        ("recipe_ids", NUMBERS, "7"),
        ("recipeIds", NUMBERS, "7"),
        ("ids", NUMBERS, "7"),
        ("recipes", NUMBERS, "7"),
        ("tag_ids", {"anyOf": [UUIDS, {"type": "null"}]}, KEY),
        ("ids", {"type": "string"}, "7"),
        ("recipe_ids", {"type": "string"}, "7"),
        ("recipe_id", {"type": "integer"}, "7"),
    ],
)
def test_ids_in_a_query_are_those_of_rows(name: str, schema: dict[str, Any], value: str) -> None:
    assert query(name, schema) == ((name, value),)


def test_a_query_for_rows_that_nobody_has_is_not_made() -> None:
    with pytest.raises(UnfilledError):
        query("recipe_ids", NUMBERS, whose="intruder")


def test_words_that_are_no_ids_stay_words() -> None:
    ((_, value),) = query("tags", {"type": "array", "items": {"type": "string"}})
    assert "qwertyuiop" in value


def test_an_id_in_a_text_of_a_body_is_a_text() -> None:
    schema = {"type": "object", "properties": {"recipe_id": {"type": "string"}}}
    content = {"application/json": {"schema": schema}}
    assert sent({"post": {"requestBody": {"content": content}}}).json_body == {"recipe_id": "7"}


def test_a_start_comes_before_its_end_in_a_query() -> None:
    day = {"type": "string", "format": "date"}
    names = ("end", "start")
    parameters = [{"name": n, "in": "query", "required": True, "schema": day} for n in names]
    values = dict(sent({"get": {"parameters": parameters}}).query)
    assert values["start"] < values["end"]
