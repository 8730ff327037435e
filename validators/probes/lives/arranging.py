"""Rows as an experiment needs them, written by the check itself.

Where no route makes any, where a request is for old, read, archived or expired ones, and where an
action asks for a state.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import psycopg
from psycopg.types.json import Json

from validators.probes.operations import Schema
from validators.probes.requests.filling import Filler
from validators.probes.requests.payloads import TEXT, Filling
from validators.probes.requests.values.options import options
from validators.probes.requests.wording import text_groups
from validators.probes.worlds.acts import Act, Writing
from validators.probes.worlds.tables import OWNER_COLUMNS, Column, Row, Table
from validators.probes.worlds.world import World

_FAR = timedelta(days=400)
_MOST_VARIANTS = 24
_DEEPEST = 3
_MOST_STATES = 8
_MUCH = 1000
_LEAST_ROOM = 3
_TIMES = ("timestamp", "date")
_TEXTS = ("text", "character", "varchar")
_NUMBERS = ("smallint", "integer", "bigint", "numeric", "double", "real")


@dataclass
class Arranging:
    """Writes rows into the database of one world.

    Attributes:
        world: The world.
        filler: Knows the app's document, and so what its columns may hold.
    """

    world: World
    filler: Filler

    def insert(self, role: str, table: str, depth: int = 0) -> Iterator[Writing]:
        """Yield what gives a user a row of a table, the rows that it points to first.

        What is yielded is to be written before more is asked for. Nothing is yielded for a table
        whose rows nobody can be given.
        """
        described = self.world.tables.by_name[table]
        for column, target in described.references.items():
            is_needed = described.columns[column].is_required and target != table
            is_others = target != self.world.tables.users_table
            if is_needed and is_others and not any(self.world.rows_of(role, target)):
                if depth >= _DEEPEST:
                    return
                yield from self.insert(role, target, depth + 1)
        values = self._values(role, described)
        if values is not None:
            yield Writing(table, None, self.world.names.named(values), role)

    def _values(self, role: str, table: Table) -> dict[str, Any] | None:
        values: dict[str, Any] = {}
        is_someones = False
        for column in table.columns.values():
            if column.is_generated:
                continue
            target = table.references.get(column.name)
            is_owner = target == self.world.tables.users_table or (
                target is None and column.name.lower() in OWNER_COLUMNS
            )
            if is_owner and (column.is_required or not is_someones):
                values[column.name] = self.world.users[role].id
                is_someones = True
            elif target is not None and target != self.world.tables.users_table:
                row = next(self.world.rows_of(role, target), None)
                if row is None and column.is_required:
                    return None
                if row is not None and (column.is_required or not is_someones):
                    values[column.name] = row.key[0]
                    is_someones = True
            elif column.is_required and not column.has_default:
                values[column.name] = self._value(role, table, column)
        return values if is_someones else None

    def _value(self, role: str, table: Table, column: Column) -> Any:  # noqa: ANN401
        kind = column.type
        if kind.endswith("[]"):
            return []
        if kind in self.world.tables.enumerations:
            return self.world.tables.enumerations[kind][0]
        if kind.startswith(_TIMES):
            return datetime.now(UTC).isoformat()
        if kind == "uuid":
            count = len(self.world.rows)
            return str(uuid5(NAMESPACE_URL, f"{role} {table.name} {column.name} {count}"))
        if kind == "boolean":
            return False
        if kind.startswith(_NUMBERS):
            return 3
        if kind in ("json", "jsonb"):
            return Json({})
        if kind == "bytea":
            return TEXT.encode()
        return self._text(role, table, column)

    def _text(self, role: str, table: Table, column: Column) -> str:
        """Return a text for a column, as the document describes what is called like it."""
        marker = self.world.markers[role]
        if column.name in table.key:
            return f"{marker}{len(self.world.rows)}"
        schema = self._schema_of(column.name)
        if schema is not None:
            filling = Filling(marker, lambda *_: None)
            made = self.filler.payloads.parameter(column.name, schema, filling)
            if isinstance(made, str):
                return made
        return f"{TEXT} {marker}"

    def _schema_of(self, name: str) -> Schema | None:
        """Return the first schema of the document's components that has a property of a name."""
        return self.filler.document.property_named(name)

    def variants(self, table: str) -> Iterator[Mapping[str, Any]]:
        """Yield values for some columns of a table's rows: old, done, expired, in each state."""
        described = self.world.tables.by_name[table]
        columns = [
            column
            for column in described.columns.values()
            if not column.is_generated
            and column.name not in described.key
            and column.name not in described.references
            and column.name.lower() not in OWNER_COLUMNS
        ]
        found = [each for each in _all_variants(self, table, columns) if each]
        yield from found[:_MOST_VARIANTS]

    def choices(self, table: str, column: Column) -> list[Any]:
        """Return what a column may hold, where that is a choice of few."""
        labels = self.world.tables.enumerations.get(column.type)
        if labels is not None:
            return list(labels)
        if not column.type.startswith(_TEXTS) or column.type.endswith("[]"):
            return []
        schema = self._schema_of(column.name)
        found = options(self.filler.document, schema) if schema is not None else []
        declared = [each for option in found for each in option.get("enum", [])]
        if not any(each is not None for each in declared):
            return self._written_choices(table, column)
        return [each for option in found for each in option.get("enum", []) if each is not None]

    def _written_choices(self, table: str, column: Column) -> list[Any]:
        """Return the texts that the code lists beside one that the column holds, such as states."""
        held: set[Any] = {
            row.data.get(column.name) for row in self.world.rows.values() if row.table == table
        }
        groups = text_groups(self.world.app.project)
        fitting = [group for group in groups if any(text in held for text in group)]
        return list(sorted(fitting, key=len)[0]) if fitting else []

    def write(self, row: Row, values: Mapping[str, Any]) -> Act | None:
        """Change a row that has a name; None where the database refuses it, or nothing changes."""
        name = self.world.name_of(row)
        if name is None:
            return None
        try:
            act = self.world.write(Writing(row.table, name, dict(values)))
        except psycopg.Error:
            return None
        return act if act.has_changed else None


def _all_variants(
    arranging: Arranging, table: str, columns: list[Column]
) -> Iterator[dict[str, Any]]:
    """Yield values for columns: every time long ago or far ahead, with every state and flag."""
    now = datetime.now(UTC)
    moments = [column for column in columns if column.type.startswith(_TIMES)]
    flags = [column for column in columns if column.type == "boolean"]
    states = [{c.name: choice} for c in columns for choice in arranging.choices(table, c)]
    states += [{column.name: value} for value in (True, False) for column in flags]
    old = {column.name: now - _FAR for column in moments}
    late = {column.name: now + _FAR for column in moments}
    yield old
    yield {column.name: now for column in moments}
    yield from states[:_MOST_STATES]
    yield from ({column.name: None} for column in moments if not column.is_required)
    yield late
    yield from (old | state for state in states[:_MOST_STATES])
    yield {c.name: _MUCH for c in columns if c.type.startswith(_NUMBERS)}
    yield from (late | state for state in states[:_MOST_STATES])
