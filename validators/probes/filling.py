"""From an operation to a request: each id in it taken from the rows of the user who is meant."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import uuid4

from validators.probes.files import file_fields, make_file
from validators.probes.operations import (
    FORM,
    JSON,
    MULTIPART,
    Document,
    Operation,
    Parameter,
    Schema,
)
from validators.probes.payloads import MISSING, TEXT, Filling, Payloads
from validators.probes.tables import OWNER_COLUMNS, Row, Tables
from validators.probes.targets import Targets
from validators.probes.values.options import kind_of
from validators.probes.values.order import put_in_order
from validators.probes.variants import options, other_values, take_turns
from validators.probes.world import World
from validators.runtime.app import WEBSOCKET, File, Request

NOBODY = "nobody"
# Writes the same text as everybody else.
ANYONE = "anyone"
_UNUSED_NUMBER = 1_987_654_321
_DEEPEST = 4
# What chats call the text of a message.
_MESSAGE_FIELDS = ("text", "message", "content", "body", "data")

# Given the name of a slot, tells whose row goes into it.
Whose = Callable[[str], str]


@dataclass(frozen=True)
class Slot:
    """One place in a request that holds the id of a row.

    Attributes:
        name: The parameter's or property's name.
        table: The row's table.
        value: What was filled in.
    """

    name: str
    table: str
    value: Any


@dataclass(frozen=True)
class Filled:
    """A request that is ready to be sent.

    Attributes:
        request: The request, without a token.
        slots: The ids of rows in it, those of the user table aside.
        shown: The request as a person reads it, without what differs from run to run.
    """

    request: Request
    slots: tuple[Slot, ...]
    shown: str


class UnfilledError(Exception):
    """A request cannot be made; the message says what is missing."""


@dataclass
class Filler:
    """Fills operations with the rows of one world."""

    document: Document
    world: World
    targets: Targets
    # Values that the backend was found to accept, by route and property.
    overrides: dict[str, dict[str, Any]] = field(default_factory=dict)
    # Which kind of file the backend was found to accept, by route.
    file_kinds: dict[str, int] = field(default_factory=dict)
    payloads: Payloads = field(init=False)

    def __post_init__(self) -> None:
        self.payloads = Payloads(self.document)

    def _files(self, operation: Operation, body: Mapping[str, Any], actor: str) -> dict[str, File]:
        """Return the files that a form asks for, by field."""
        kind = self.file_kinds.get(operation.route, 0)
        text = f"{TEXT} {self.world.markers.get(actor, 'nobody')}"
        fields = file_fields(self.document, operation.body or {})
        return {name: make_file(name, text, kind) for name in fields if name in body}

    def _takes_more(self, operation: Operation) -> bool:
        schema = self.document.flatten(operation.body or {})
        return schema.get("additionalProperties") is not False

    def names_users(self, operation: Operation) -> bool:
        """Tell whether a request can say whose the rows are: in its path, query or body."""
        users = self.world.tables.users_table
        names = [p.name for p in operation.parameters if p.place in ("path", "query")]
        return operation.body is not None or any(
            self.targets.table_of(operation, name) == users for name in names
        )

    def alternatives(self, operation: Operation, actor: str, name: str) -> Iterator[Any]:
        """Yield other values for a property of an operation's body that was refused."""
        marker = self.world.markers.get(actor, "")
        schema = self._find_property(operation.body or {}, name, 0)
        if schema is not None:
            yield from self.payloads.alternatives(schema, Filling(marker, lambda *_: None))

    def variants(self, operation: Operation, filled: Filled) -> Iterator[Filled]:
        """Yield a request again and again, each time with another value in its JSON body.

        The ids of rows stay as they are.
        """
        body, schema = filled.request.json_body, operation.body
        if body is None or schema is None:
            return
        if not isinstance(body, dict):
            for other in other_values(self.document, schema, body):
                yield self._with_body(operation, filled, other)
            return
        schemas = {name: item for name, item, _ in self.document.properties(schema)}

        def with_other(name: str) -> Iterator[Filled]:
            for other in other_values(self.document, schemas[name], body[name]):
                changed = {**body, name: other}
                put_in_order(self.document, schemas, changed, {name})
                yield self._with_body(operation, filled, changed)

        yield from take_turns(
            with_other(name)
            for name, item in schemas.items()
            if name in body and not self._holds_ids(operation, name, item)
        )

    def id_variants(self, operation: Operation, actor: str, filled: Filled) -> Iterator[Filled]:
        """Yield a request with the ids of other rows of the actor's in its JSON body, or null."""
        body = filled.request.json_body
        if not isinstance(body, dict):
            return
        for name, item, _ in self.document.properties(operation.body):
            table = self._table_of_id(operation, name, item)
            if name in body and table not in (None, self.world.tables.users_table):
                for other in self._other_ids(actor, str(table), name, item):
                    if other != body[name]:
                        yield self._with_body(operation, filled, {**body, name: other})

    def _table_of_id(self, operation: Operation, name: str, schema: Schema) -> str | None:
        table = self.targets.table_of(operation, name)
        return table if _may_be_id(schema, self.document) else None

    def _holds_ids(self, operation: Operation, name: str, schema: Schema) -> bool:
        """Tell whether a property is the id of a row, or a list of them."""
        singles = [
            self.document.resolve(option.get("items") or option)
            for option in options(self.document, schema)
        ]
        return any(self._table_of_id(operation, name, each) is not None for each in singles)

    def _other_ids(self, actor: str, table: str, name: str, schema: Schema) -> Iterator[Any]:
        column = self.targets.column_of(self.world.tables.by_name[table], name)
        if column is not None:
            yield from (row.data[column] for row in self.world.rows_of(actor, table))
        if any(option.get("type") == "null" for option in options(self.document, schema)):
            yield None

    def _with_body(self, operation: Operation, filled: Filled, body: Any) -> Filled:  # noqa: ANN401
        request = replace(filled.request, json_body=body)
        shown = _Making(self, operation, ANYONE, lambda _: ANYONE).show(request)
        return replace(filled, request=request, shown=shown)

    def _find_property(self, schema: Schema, name: str, depth: int) -> Schema | None:
        if depth > _DEEPEST:
            return None
        for each, found, _ in self.document.properties(schema):
            if each == name:
                return found
            inner = self._find_property(found.get("items") or found, name, depth + 1)
            if inner is not None:
                return inner
        return None

    def fill_query(
        self, operation: Operation, actor: str, whose: str, parameter: Parameter
    ) -> Filled:
        """Return a request for an operation with one of its optional query parameters set.

        Raises:
            UnfilledError: A row that the request needs does not exist.
        """
        making = _Making(self, operation, ANYONE, lambda _: whose)
        value = making.parameter_value(parameter)
        if value is MISSING or (isinstance(value, str) and value.startswith(TEXT)):
            # A word that is in the text of everybody's rows.
            value = TEXT.split()[-1]
        return self.fill(operation, actor, lambda _: whose, query={parameter.name: value})

    def fill(
        self,
        operation: Operation,
        actor: str,
        whose: Whose,
        *,
        is_minimal: bool = False,
        index: int = 0,
        query: Mapping[str, Any] | None = None,
        overrides: Mapping[str, Any] | None = None,
    ) -> Filled:
        """Return a request for an operation.

        Args:
            operation: What to ask for.
            actor: Whose free text goes into the body.
            whose: Whose row goes into each slot.
            is_minimal: Leave out what is not required.
            index: Sets requests of the same operation apart.
            query: Values for optional query parameters, by name.
            overrides: Values for properties, by name.

        Raises:
            UnfilledError: A row that the request needs does not exist.
        """
        if operation.body is not None and not _can_make(operation.media):
            raise UnfilledError(f"no probe makes a body of the type {operation.media}")
        making = _Making(self, operation, actor, whose)
        path = making.path()
        pairs = making.query(query or {})
        body = None
        if operation.body is not None:
            marker = self.world.markers.get(actor, "")
            known = {**self.overrides.get(operation.route, {}), **(overrides or {})}
            filling = Filling(marker, making.body_id, is_minimal, index, known, seed=actor)
            body = self.payloads.body(operation.body, filling)
            if body is MISSING:
                raise UnfilledError(f"a row of {making.missing} is needed, and the owner has none")
        if overrides and isinstance(body, dict) and self._takes_more(operation):
            # Undeclared properties reach code that stores whatever comes.
            body = {**overrides, **body}
        request = Request(operation.method, path, pairs, body)
        if operation.media in (FORM, MULTIPART) and isinstance(body, dict):
            files = self._files(operation, body, actor)
            form = _form({name: v for name, v in body.items() if name not in files})
            request = Request(operation.method, path, pairs, form=form, files=(*files.values(),))
        if operation.method == WEBSOCKET:
            text = f"{TEXT} {self.world.markers.get(actor, '')}"
            said = dict.fromkeys(("type", *_MESSAGE_FIELDS), text) | {"type": "message"}
            request = replace(request, messages=(json.dumps(said),))
        return Filled(request, tuple(making.slots), making.show(request))


@dataclass
class _Making:
    """One request that is being made."""

    filler: Filler
    operation: Operation
    actor: str
    whose: Whose
    slots: list[Slot] = field(default_factory=list)
    missing: str = "another table"
    _chosen: dict[tuple[str, str], Row] = field(default_factory=dict)
    _is_in_body: bool = False

    @property
    def _tables(self) -> Tables:
        return self.filler.world.tables

    @property
    def _marker(self) -> str:
        return self.filler.world.markers.get(self.actor, "")

    def path(self) -> str:
        """Return the path with its ids."""
        values: dict[str, Any] = {}
        # From the last to the first: a comment decides which task stands before it.
        for name in reversed(self.operation.path_names):
            parameter = self.operation.parameter(name)
            values[name] = self._path_value(name, parameter)
        return re.sub(r"\{(\w+)(?::\w+)?\}", lambda m: str(values[m.group(1)]), self.operation.path)

    def query(self, chosen: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
        """Return the required query parameters, and those that were chosen."""
        declared = [each for each in self.operation.parameters if each.place == "query"]
        values = {
            each.name: chosen[each.name] if each.name in chosen else self.parameter_value(each)
            for each in declared
            if each.name in chosen or each.is_required
        }
        self.filler.payloads.put_in_order(declared, values, chosen)
        return tuple(
            (name, _as_text(each)) for name, value in values.items() for each in _as_list(value)
        )

    def body_id(self, name: str, schema: Schema) -> Any:  # noqa: ANN401
        """Return the id that a property holds, `MISSING`, or None where it holds none."""
        if name in ("id", "uuid", "pk"):
            return None  # the new row's own
        table = self.filler.targets.table_of(self.operation, name)
        if table is None or not _may_be_id(schema, self.filler.document):
            return None
        if table == self._tables.users_table:
            return self._user_id(name)
        self._is_in_body = True
        value = self._row_value(name, table)
        is_text = _kinds(schema, self.filler.document) == {"string"}
        return str(value) if is_text and value is not MISSING else value

    def show(self, request: Request) -> str:
        """Return the request as a person reads it."""
        query = "&".join(f"{name}={{{name}}}" for name, _ in request.query)
        text = f"{self.operation.route}{'?' if query else ''}{query}"
        if request.files:
            fields = [*(name for name, _ in request.form), *(each.field for each in request.files)]
            return f"{text} with a form of {', '.join(fields)} ({request.files[0].kind})"
        if request.json_body is None:
            return text
        body = json.dumps(request.json_body, ensure_ascii=False, sort_keys=False)
        return f"{text} {self.filler.world.neutral(body)}"

    def _path_value(self, name: str, parameter: Parameter | None) -> Any:  # noqa: ANN401
        table = self.filler.targets.table_of(self.operation, name)
        if table == self._tables.users_table:
            return self._user_id(name)
        if table is not None:
            value = self._row_value(name, table)
            if value is MISSING:
                raise UnfilledError(f"a row of {table!r} is needed, and the owner has none")
            return value
        schema = parameter.schema if parameter else {}
        return self._plain(name, schema)

    def parameter_value(self, parameter: Parameter) -> Any:  # noqa: ANN401
        """Return a value for a query parameter."""
        known = self.body_id(parameter.name, parameter.schema)
        if known is MISSING:
            raise UnfilledError(f"a row of {self.missing} is needed, and the owner has none")
        if known is not None:
            return known
        filling = Filling(self._marker, self.body_id, seed=self.actor)
        found = self.filler.payloads.parameter(parameter.name, parameter.schema, filling)
        if found is MISSING or found == []:
            raise UnfilledError(f"a row of {self.missing} is needed, and the owner has none")
        return found

    def _plain(self, name: str, schema: Schema) -> Any:  # noqa: ANN401
        filling = Filling(self._marker, lambda *_: None, seed=self.actor)
        return self.filler.payloads.parameter(name, schema, filling)

    def _user_id(self, name: str) -> Any:  # noqa: ANN401
        snake = name.lower()
        is_self = snake in OWNER_COLUMNS or snake in ("id", "userid")
        role = self.whose(name) if is_self else "bystander"
        users = self.filler.world.users
        user = users.get(role)
        return user.id if user else _unused("text")

    def _row_value(self, name: str, table: str) -> Any:  # noqa: ANN401
        described = self._tables.by_name[table]
        column = self.filler.targets.column_of(described, name)
        if column is None:
            self.missing = repr(table)
            return MISSING
        role = self.whose(name)
        if role == NOBODY:
            value: Any = _unused(described.columns[column].type)
        else:
            row = self._choose(role, table)
            if row is None:
                self.missing = repr(table)
                return MISSING
            value = row.data[column]
        self.slots.append(Slot(name, table, value))
        return value

    def _choose(self, role: str, table: str) -> Row | None:
        world = self.filler.world
        known = self._chosen.get((role, table))
        if known is not None and self._is_in_body:
            # A row that points to its own kind, such as a folder in a folder: not to itself.
            return next((row for row in world.rows_of(role, table) if row.key != known.key), None)
        if known is None:
            known = self._parent_of_chosen(role, table)
        if known is None:
            known = next(world.rows_of(role, table), None)
        if known is not None:
            self._chosen[role, table] = known
        return known

    def _parent_of_chosen(self, role: str, table: str) -> Row | None:
        world = self.filler.world
        for (owner, _), row in self._chosen.items():
            for target, key in world.tables.references(row):
                if owner == role and target == table:
                    return world.rows.get((table, (key,)))
        return None


def _may_be_id(schema: Schema, document: Document) -> bool:
    """Tell whether a property can hold an id: a number or a text, or a list of these."""
    kinds = _kinds(schema, document)
    if "array" in kinds:
        return False  # asked again for its items, under the singular of the name
    is_listed = any("enum" in option for option in options(document, schema))
    return bool(kinds & {"integer", "string", "number"}) and not is_listed


def _kinds(schema: Schema, document: Document) -> set[str]:
    """Return the types that a value may have, `null` aside."""
    return {kind_of(option) for option in options(document, schema)} - {"null"}


def _can_make(media: str) -> bool:
    return media in (JSON, FORM, MULTIPART) or media.endswith("+json")


def _form(body: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    return tuple(
        (name, _as_text(each))
        for name, value in body.items()
        for each in _as_list(value)
        if each is not None
    )


def _unused(kind: str) -> Any:  # noqa: ANN401
    """Return a value that no row has, for a column of this type."""
    if "int" in kind or kind.startswith("numeric"):
        return _UNUSED_NUMBER
    if kind == "date" or kind.startswith("timestamp"):
        return "1971-02-03" if kind == "date" else "1971-02-03T04:05:06+00:00"
    return str(uuid4()) if kind == "uuid" else uuid4().hex


def _as_list(value: Any) -> list[Any]:  # noqa: ANN401
    return value if isinstance(value, list) else [value]


def _as_text(value: Any) -> str:  # noqa: ANN401
    return str(value).lower() if isinstance(value, bool) else str(value)
