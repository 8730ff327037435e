"""From an operation to a request: each id in it taken from the rows of the user who is meant."""

import json
import re
import string
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import uuid4

from validators.probes.operations import (
    FORM,
    JSON,
    MULTIPART,
    Document,
    Operation,
    Parameter,
    Schema,
)
from validators.probes.requests.accepted import Accepted, AllAccepted
from validators.probes.requests.files import file_fields, make_file
from validators.probes.requests.payloads import MISSING, TEXT, Filling, Payloads
from validators.probes.requests.people import PASSWORD
from validators.probes.requests.targets import Targets
from validators.probes.requests.values.options import kind_of
from validators.probes.requests.values.order import put_in_order
from validators.probes.requests.variants import options, other_values, take_turns
from validators.probes.worlds.tables import OWNER_COLUMNS, Key, Row, Tables
from validators.probes.worlds.world import World
from validators.runtime.app import WEBSOCKET, File, Request

NOBODY = "nobody"
# Writes the same text as everybody else.
ANYONE = "anyone"
_UNUSED_NUMBER = 1_987_654_321
_FAR_AWAY = 977
_DEEPEST = 4
# Every letter and digit as another one of its kind.
_SHIFTED = str.maketrans(
    string.ascii_lowercase + string.ascii_uppercase + string.digits,
    string.ascii_lowercase[::-1] + string.ascii_uppercase[::-1] + "5678901234",
)
# What chats call the text of a message.
_MESSAGE_FIELDS = ("text", "message", "content", "body", "data")

# Sent with every request anyhow.
_CREDENTIALS = frozenset({"authorization", "content-type", "accept", "host", "content-length"})
# A header that asks for what another one has said.
_SAME_AS = {"if_match": "etag", "if_none_match": "etag", "last_event_id": "event_id"}
_TEXTS = ("text/csv", "text/plain")
_STRING: Schema = {"type": "string"}
_CURRENT = re.compile(r"current|old|existing|^password$")
_TICKETS = ("token", "sig", "ticket", "expires")
# Columns by which a row says how often it was changed.
_VERSIONS = frozenset({"version", "revision", "etag", "lock_version", "row_version", "rev"})

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
    """A request cannot be made; the message says what is missing.

    Attributes:
        table: The table of which a row is missing, where it is that.
    """

    def __init__(self, message: str, table: str | None = None) -> None:
        super().__init__(message)
        self.table = table


@dataclass
class Filler:
    """Fills operations with the rows of one world."""

    document: Document
    world: World
    targets: Targets
    # What the backend was found to accept.
    accepted: AllAccepted = field(default_factory=dict)
    # What the owner was answered, by name: tokens, cursors, versions.
    heard: dict[str, Any] = field(default_factory=dict)
    # Rows that the app says are gone, by table and value; and rows that are wanted now.
    gone: set[tuple[str, str]] = field(default_factory=set)
    preferred: set[tuple[str, Key]] = field(default_factory=set)
    payloads: Payloads = field(init=False)

    def __post_init__(self) -> None:
        self.payloads = Payloads(self.document)

    def accepted_by(self, operation: Operation) -> Accepted:
        """Return what an operation was found to accept, to be looked at or added to."""
        return self.accepted.setdefault(operation.route, Accepted())

    def _own(self, value: Any, marker: str) -> Any:  # noqa: ANN401
        """Return a value that was found for one user with another one's marker in it."""
        if isinstance(value, str):
            for other in self.world.markers.values():
                value = value.replace(other, marker)
        return value

    def _files(self, operation: Operation, body: Mapping[str, Any], actor: str) -> dict[str, File]:
        """Return the files that a form asks for, by field."""
        kind = self.accepted_by(operation).file_kind
        text = f"{TEXT} {self.world.markers.get(actor, 'nobody')}"
        fields = file_fields(self.document, operation.body or {})
        rows = self._table(operation, actor)
        return {name: make_file(name, text, kind, rows) for name in fields if name in body}

    def _table(self, operation: Operation, actor: str) -> str:
        """Return a table of one row as text, with the columns that a route asks for, or may."""
        marker = self.world.markers.get(actor, "nobody")
        known = self.accepted_by(operation).columns
        own = self.targets.own_table(operation)
        if known is None and own is not None and own != self.world.tables.users_table:
            described = self.world.tables.by_name[own]
            known = tuple(
                name
                for name, column in described.columns.items()
                if name not in described.key
                and name not in described.references
                and name.lower() not in OWNER_COLUMNS
                and not column.has_default
            )
        filling = Filling(marker, lambda *_: None, seed=actor)
        values = [
            self.payloads.parameter(name, self.document.property_named(name) or _STRING, filling)
            for name in known or ()
        ]
        return "\n".join(",".join(map(_as_text, line)) for line in (known or (), values)) + "\n"

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

    def with_ids(
        self, operation: Operation, filled: Filled, actor: str, table: str
    ) -> Iterator[Filled]:
        """Yield a request with ids of the actor's rows for values that may be ids, each another."""
        body, described = filled.request.json_body, self.world.tables.by_name[table]
        if not isinstance(body, dict) or len(described.key) != 1:
            return
        keys = [row.data[described.key[0]] for row in self.world.rows_of(actor, table)]
        known = {slot.name for slot in filled.slots}
        names = [
            name
            for name, schema, _ in self.document.properties(operation.body)
            if name in body and name not in known and _may_be_id(schema, self.document)
        ]
        for chosen in (names, *([name] for name in names)):
            if chosen and len(keys) >= len(chosen):
                ids = dict(zip(chosen, keys, strict=False))
                slots = tuple(Slot(name, table, key) for name, key in ids.items())
                other = self._with_body(operation, filled, {**body, **ids})
                yield replace(other, slots=(*filled.slots, *slots))

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
        value = making.of_a_row(parameter)
        if value is None:
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
        pinned: Mapping[str, Any] | None = None,
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
            pinned: The owner's values for slots, by name; the newest row's where None.

        Raises:
            UnfilledError: A row that the request needs does not exist.
        """
        is_text = operation.media in _TEXTS or self.accepted_by(operation).media is not None
        if operation.body is not None and not (is_text or _can_make(operation.media)):
            raise UnfilledError(f"no probe makes a body of the type {operation.media}")
        making = _Making(self, operation, actor, whose, pinned=pinned or {}, index=index)
        making.anticipate()
        path = making.path()
        pairs = making.query(query or {})
        body = None
        if operation.body is not None and not is_text:
            marker = self.world.markers.get(actor, "")
            accepted = self.accepted_by(operation).values
            known = {name: self._own(value, marker) for name, value in accepted.items()}
            known |= overrides or {}
            filling = Filling(marker, making.body_id, is_minimal, index, known, seed=actor)
            body = self.payloads.body(operation.body, filling)
            if body is MISSING:
                raise making.lacking()
        if overrides and isinstance(body, dict) and self._takes_more(operation):
            # Undeclared properties reach code that stores whatever comes.
            body = {**overrides, **body}
        request = Request(operation.method, path, pairs, body)
        if operation.media in (FORM, MULTIPART) and isinstance(body, dict):
            files = self._files(operation, body, actor)
            form = _form({name: v for name, v in body.items() if name not in files})
            request = Request(operation.method, path, pairs, form=form, files=(*files.values(),))
        if is_text:
            media = self.accepted_by(operation).media or operation.media
            request = replace(request, text=(media, self._table(operation, actor)))
        if operation.method == WEBSOCKET:
            text = f"{TEXT} {self.world.markers.get(actor, '')}"
            said = dict.fromkeys(("type", *_MESSAGE_FIELDS), text) | {"type": "message"}
            request = replace(request, messages=(json.dumps(said),))
        request = replace(request, headers=making.headers())
        return Filled(request, tuple(making.slots), making.show(request))


@dataclass
class _Making:
    """One request that is being made."""

    filler: Filler
    operation: Operation
    actor: str
    whose: Whose
    slots: list[Slot] = field(default_factory=list)
    missing: str = ""
    pinned: Mapping[str, Any] = field(default_factory=dict)
    index: int = 0
    _chosen: dict[tuple[str, str], Row] = field(default_factory=dict)
    _anticipated: set[tuple[str, str]] = field(default_factory=set)
    _is_in_body: bool = False

    @property
    def _tables(self) -> Tables:
        return self.filler.world.tables

    @property
    def _marker(self) -> str:
        return self.filler.world.markers.get(self.actor, "")

    def anticipate(self) -> None:
        """Choose rows for the body that belong to what the path names, before the path is made.

        What a body says of a collection is about the children of the row in the path.
        """
        parents = {
            self.filler.targets.table_of(self.operation, name) for name in self.operation.path_names
        }
        for name, _, _ in self.filler.document.properties(self.operation.body):
            table = self.filler.targets.table_of(self.operation, name)
            if table is None or table in parents or table == self._tables.users_table:
                continue
            if parents & set(self._tables.by_name[table].references.values()):
                self._choose(self.whose(name), table)
                self._anticipated.add((self.whose(name), table))

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
            each.name: chosen[each.name] if each.name in chosen else self._required(each)
            for each in declared
            if each.name in chosen or each.is_required or self._is_ticket(each)
        }
        self.filler.payloads.put_in_order(declared, values, chosen)
        return tuple(
            (name, _as_text(each)) for name, value in values.items() for each in _as_list(value)
        )

    def headers(self) -> tuple[tuple[str, str], ...]:
        """Return the headers and cookies that are required, or known from an answer."""
        pairs = []
        for parameter in self.operation.parameters:
            if (
                parameter.place in ("header", "cookie")
                and parameter.name.lower() not in _CREDENTIALS
            ):
                text = self._header(parameter)
                if text is None:
                    continue
                if parameter.place == "cookie":
                    pairs.append(("cookie", f"{parameter.name}={text}"))
                else:
                    pairs.append((parameter.name, text))
        return tuple(pairs)

    def _is_ticket(self, parameter: Parameter) -> bool:
        """Tell whether an optional parameter is for what the owner was given to be let in by."""
        name = parameter.name.lower()
        return any(word in name for word in _TICKETS) and self._heard(name) is not None

    def _header(self, parameter: Parameter) -> str | None:
        if "idempotency" in parameter.name.lower():
            # The same for everybody where everybody sends the same.
            marker = self.filler.world.markers.get(self.actor, "everybody")
            return f"{marker}-{(self.operation.path_names and 'row') or 'new'}-{self.index}"
        if not parameter.is_required:
            return None
        known = self._heard(parameter.name)
        return _as_text(self.parameter_value(parameter) if known is None else known)

    def _heard(self, name: str) -> Any:  # noqa: ANN401
        """Return what the owner was answered under a name: a token, a cursor, a version."""
        plain = name.lower().replace("-", "_").removeprefix("x_")
        names = (plain, _SAME_AS.get(plain, ""), f"next_{plain}")
        heard = self.filler.heard
        longer = [name for name in heard if name.endswith(f"_{plain}")]
        return next((heard[name] for name in (*names, *longer) if name in heard), None)

    def lacking(self) -> UnfilledError:
        """Return the error that a row is missing."""
        what = repr(self.missing) if self.missing else "another table"
        return UnfilledError(f"a row of {what} is needed, and the owner has none", self.missing)

    def body_id(self, name: str, schema: Schema) -> Any:  # noqa: ANN401
        """Return the id that a property holds, `MISSING`, or None where it holds none."""
        if name in ("id", "uuid", "pk"):
            return None  # the new row's own
        if "password" in self.operation.path and _CURRENT.search(name.lower()):
            return PASSWORD
        version = self._version(name)
        if version is not None:
            return version
        table = self.filler.targets.table_of(self.operation, name)
        if table is None or not _may_be_id(schema, self.filler.document):
            return None
        described = self._tables.by_name[table]
        is_own = name in described.columns and name not in described.references
        if is_own and table == self.filler.targets.own_table(self.operation):
            return None  # a key that the row is given, such as a slug
        if table == self._tables.users_table:
            return self._user_id(name)
        self._is_in_body = True
        value = self._row_value(name, table)
        is_text = _kinds(schema, self.filler.document) == {"string"}
        return str(value) if is_text and value is not MISSING else value

    def _version(self, name: str) -> Any:  # noqa: ANN401
        """Return the version of the row that is asked for, where a name means that."""
        plain = name.lower().removeprefix("expected_").removeprefix("current_")
        if plain not in _VERSIONS:
            return None
        own = self.filler.targets.own_table(self.operation)
        row = next((r for (_, table), r in self._chosen.items() if table == own), None)
        return row.data.get(plain) if row is not None else None

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
            if value is MISSING and self._is_natural(name, table):
                return self._plain(name, parameter.schema if parameter else {})
            if value is MISSING:
                raise self.lacking()
            return value
        schema = parameter.schema if parameter else {}
        return self._plain(name, schema)

    def _required(self, parameter: Parameter) -> Any:  # noqa: ANN401
        value = self.of_a_row(parameter) if parameter.place == "query" else None
        return self.parameter_value(parameter) if value is None else value

    def of_a_row(self, parameter: Parameter) -> Any:  # noqa: ANN401
        """Return what a row holds in the column that a parameter is called after, or None."""
        table = self.filler.targets.own_table(self.operation)
        if table is None or table == self._tables.users_table:
            return None
        column = self._tables.by_name[table].columns.get(parameter.name)
        if column is None or parameter.name in self._tables.by_name[table].key:
            return None
        row = self._choose(self.whose(parameter.name), table)
        value = row.data.get(parameter.name) if row is not None else None
        return value if isinstance(value, str | int) else None

    def _is_natural(self, name: str, table: str) -> bool:
        """Tell whether a row can be made under a key that the request chooses, such as a day."""
        column = self._tables.by_name[table].columns.get(name)
        return self.operation.method == "PUT" and column is not None and not column.has_default

    def parameter_value(self, parameter: Parameter) -> Any:  # noqa: ANN401
        """Return a value for a query parameter."""
        known = self.body_id(parameter.name, parameter.schema)
        if known is MISSING:
            raise self.lacking()
        if known is not None:
            return known
        heard = self._heard(parameter.name)
        if heard is not None and _may_be_id(parameter.schema, self.filler.document):
            return heard
        filling = Filling(self._marker, self.body_id, seed=self.actor)
        found = self.filler.payloads.parameter(parameter.name, parameter.schema, filling)
        if found is MISSING or found == []:
            raise self.lacking()
        return found

    def _plain(self, name: str, schema: Schema) -> Any:  # noqa: ANN401
        heard = self._heard(name)
        if heard is not None and _may_be_id(schema, self.filler.document):
            return heard
        filling = Filling(self._marker, lambda *_: None, seed=self.actor)
        return self.filler.payloads.parameter(name, schema, filling)

    def _user_id(self, name: str) -> Any:  # noqa: ANN401
        snake = name.lower()
        is_self = snake in OWNER_COLUMNS or snake in ("id", "userid")
        role = self.whose(name) if is_self else "bystander"
        users = self.filler.world.users
        user = users.get(role)
        return user.id if user else _unused("text", [each.id for each in users.values()])

    def _row_value(self, name: str, table: str) -> Any:  # noqa: ANN401
        described = self._tables.by_name[table]
        column = self.filler.targets.column_of(described, name)
        if column is None:
            self.missing = table
            return MISSING
        role = self.whose(name)
        if role == "owner" and name in self.pinned:
            self.slots.append(Slot(name, table, self.pinned[name]))
            return self.pinned[name]
        if role == NOBODY:
            rows = [row for row in self.filler.world.rows.values() if row.table == table]
            known = [row.data.get(column) for row in rows]
            value: Any = _unused(described.columns[column].type, known)
        else:
            row = self._choose(role, table)
            if row is None:
                self.missing = table
                return MISSING
            value = row.data[column]
        self.slots.append(Slot(name, table, value))
        return value

    def _choose(self, role: str, table: str) -> Row | None:
        world = self.filler.world
        known = self._chosen.get((role, table))
        if known is not None and (role, table) in self._anticipated:
            return known
        if known is not None and self._is_in_body:
            # A row that points to its own kind, such as a folder in a folder: not to itself.
            return next((row for row in world.rows_of(role, table) if row.key != known.key), None)
        if known is None:
            known = self._parent_of_chosen(role, table)
        if known is None:
            rows = list(world.rows_of(role, table))
            likely = [row for row in rows if self._is_preferred(row)] or rows
            known = next(filter(self._is_below_chosen, likely), None) or next(iter(likely), None)
        if known is not None:
            self._chosen[role, table] = known
        return known

    def _is_below_chosen(self, row: Row) -> bool:
        """Tell whether a row belongs to one that was chosen for the same request."""
        above = {(table, key) for _, chosen in self._chosen.items() for table, key in _keys(chosen)}
        return bool(above & set(self.filler.world.tables.references(row)))

    def _is_preferred(self, row: Row) -> bool:
        if self.filler.preferred:
            return (row.table, row.key) in self.filler.preferred
        return not any((row.table, str(value)) in self.filler.gone for value in row.key)

    def _parent_of_chosen(self, role: str, table: str) -> Row | None:
        world = self.filler.world
        for (owner, _), row in self._chosen.items():
            for target, key in world.tables.references(row):
                if owner == role and target == table:
                    return world.rows.get((table, (key,)))
        return None


def _keys(row: Row) -> list[tuple[str, str]]:
    return [(row.table, row.key[0])] if len(row.key) == 1 else []


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


def _unused(kind: str, known: list[Any]) -> Any:  # noqa: ANN401
    """Return a value that no row has, for a column of this type, of the shape that others have."""
    if "int" in kind or kind.startswith("numeric"):
        numbers = [int(value) for value in known if isinstance(value, int | float)]
        return max(numbers) + _FAR_AWAY if numbers else _UNUSED_NUMBER
    if kind == "date" or kind.startswith("timestamp"):
        return "1971-02-03" if kind == "date" else "1971-02-03T04:05:06+00:00"
    if kind == "uuid":
        return str(uuid4())
    texts = {value for value in known if isinstance(value, str)}
    for text in sorted(texts):
        # Keys often begin with a word that tells their kind.
        for kept in (len(text) - 3, len(text) - 1, 0):
            other = text[: max(kept, 0)] + text[max(kept, 0) :].translate(_SHIFTED)
            if other not in texts:
                return other
    return uuid4().hex


def _as_list(value: Any) -> list[Any]:  # noqa: ANN401
    return value if isinstance(value, list) else [value]


def _as_text(value: Any) -> str:  # noqa: ANN401
    return str(value).lower() if isinstance(value, bool) else str(value)
