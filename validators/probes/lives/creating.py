"""Lets a user have rows of every kind, by the creates of the backend itself."""

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

from validators.probes.operations import Operation
from validators.probes.requests.files import KINDS
from validators.probes.requests.filling import Filled, Filler, UnfilledError
from validators.probes.requests.values.messages import asked_for
from validators.probes.results import Results, reason
from validators.probes.worlds.world import Exchange, World
from validators.runtime.app import Request

_INVALID, _BAD_REQUEST = 422, 400
_BAD_FILE = (400, 409, 413, 415, 422)
_MOST_REPAIRS, _MOST_REPAIRED = 8, 3
_DEEPEST_CHAIN = 4
_MOST_TRIES = 2
# 412 and 428 (RFC 9110, RFC 6585).
_WANTS_TAG = (412, 428)
_UNSUPPORTED, _CSV = 415, KINDS.index("text/csv")
_TEXT_MEDIA = re.compile(r"text/(csv|plain)")
_COLUMNS = re.compile(
    r"(?:columns?|headers?|fields?|first line)\b[^a-z]*(?:are|must be|is|:)?\s*(.{1,200})", re.I
)
_COLUMN = re.compile(
    r"\b(?!and\b|or\b|if\b|you\b|like\b|the\b|with\b|optional\b)[a-z][a-z_]{1,30}\b"
)
_EXPLAINED, _CONFLICT, _MOST_TOLD = (400, 409, 422), 409, 8


@dataclass
class Creating:
    """Sends creates in one world, and finds values that the backend accepts.

    Attributes:
        world: The world.
        filler: Makes the requests.
        results: Remembers where handlers are.
        operations: The creates, parents first.
        note: Told of each request of the owner's that is part of what happens in every world.
    """

    world: World
    filler: Filler
    results: Results
    operations: list[Operation]
    note: Callable[[Operation, Filled, Exchange], None] = lambda *_: None
    _tried: Counter[tuple[str, str]] = field(default_factory=Counter)

    def provide(self, role: str) -> bool:
        """Let a user have rows of every kind: first those that need no others.

        Returns:
            Whether any was made.
        """
        waiting = [each for each in self.operations if self._is_lacking(role, each)]
        is_any_made = False
        for _ in range(_DEEPEST_CHAIN):
            made = [each for each in waiting if self._create(role, each)]
            waiting = [each for each in waiting if each not in made]
            is_any_made = is_any_made or bool(made)
            if not made:
                break
        return is_any_made

    def _is_lacking(self, role: str, operation: Operation) -> bool:
        if self._tried[role, operation.route] >= _MOST_TRIES:
            return False
        table = self.table_of(operation)
        if table is None:
            return not self._tried["made by the " + role, operation.route]
        return not any(self.world.rows_of(role, table))

    def table_of(self, operation: Operation) -> str | None:
        """Return the table in which a create was seen to make rows, or may."""
        return self.filler.targets.learned.get(operation.path) or self.filler.targets.own_table(
            operation
        )

    def create(self, role: str, operation: Operation, index: int = 1) -> Exchange | None:
        """Create one more row, whatever there is; None where the request cannot be made."""
        try:
            filled = self.filler.fill(operation, role, lambda _: role, is_minimal=True, index=index)
        except UnfilledError:
            return None
        filled, exchange = self.send(role, operation, filled)
        if role == "owner":
            self.note(operation, filled, exchange)
        return exchange

    def _create(self, role: str, operation: Operation) -> bool:
        exchange = self.create(role, operation)
        if exchange is None:
            return False
        if not exchange.response.is_success:
            self._tried[role, operation.route] += 1
            return False
        self._tried["made by the " + role, operation.route] += 1
        self.learn(operation, exchange)
        return True

    def learn(self, operation: Operation, exchange: Exchange) -> None:
        """Learn in which table a create makes its rows."""
        tables = {row.table for row in exchange.change.added}
        if operation.path.rpartition("/")[2][:1] == "{" or not tables:
            return
        own = self.filler.targets.own_table(operation)
        if len(tables) == 1 or own in tables:
            table = tables.pop() if len(tables) == 1 else str(own)
            self.filler.targets.learned.setdefault(operation.path, table)

    def send(self, actor: str, operation: Operation, filled: Filled) -> tuple[Filled, Exchange]:
        """Send a request; where a value is refused as invalid, try others for it."""
        exchange = self.world.send(actor, filled.request)
        self.results.remember(operation, exchange)
        if filled.request.files:
            filled, exchange = self._send_other_files(actor, operation, filled, exchange)
        values = self.filler.accepted_by(operation).values
        for _ in range(_MOST_REPAIRED):
            name = refused_property(exchange)
            if name is None or operation.body is None:
                break
            filled, exchange, values[name] = self._repair(actor, operation, name, filled, exchange)
        if exchange.response.status in _WANTS_TAG:
            filled, exchange = self._send_with_tag(actor, filled, exchange)
        if exchange.response.status == _UNSUPPORTED:
            return self._send_as_text(actor, operation, filled, exchange)
        if exchange.response.status in _EXPLAINED:
            if filled.request.json_body is not None:
                return self._do_as_told(actor, operation, filled, exchange)
            if filled.request.query:
                return self._ask_as_told(actor, operation, filled, exchange)
        return filled, exchange

    def _ask_as_told(
        self, actor: str, operation: Operation, filled: Filled, exchange: Exchange
    ) -> tuple[Filled, Exchange]:
        """The same for what stands in the query."""
        declared = {p.name: p.schema for p in operation.parameters if p.place == "query"}
        schema = {"type": "object", "properties": declared}
        body = dict(filled.request.query)
        others = asked_for(self.filler.document, reason(exchange), schema, body)
        for other in islice(others, _MOST_TOLD):
            pairs = tuple((name, str(value)) for name, value in other.items() if value is not None)
            told = replace(filled, request=replace(filled.request, query=pairs))
            tried = self.world.send(actor, told.request)
            if tried.response.is_success:
                return told, tried
        return filled, exchange

    def _do_as_told(
        self, actor: str, operation: Operation, filled: Filled, exchange: Exchange
    ) -> tuple[Filled, Exchange]:
        """Send what a refusal asks for in its own words, such as an end after the start."""
        body = filled.request.json_body
        bodies = asked_for(self.filler.document, reason(exchange), operation.body or {}, body)
        for other in islice(bodies, _MOST_TOLD):
            told = replace(filled, request=replace(filled.request, json_body=other))
            tried = self.world.send(actor, told.request)
            if tried.response.is_success:
                if isinstance(body, dict) and exchange.response.status != _CONFLICT:
                    changed = {k: v for k, v in other.items() if body.get(k) != v}
                    self.filler.accepted_by(operation).values.update(changed)
                return told, tried
        return filled, exchange

    def _send_with_tag(
        self, actor: str, filled: Filled, exchange: Exchange
    ) -> tuple[Filled, Exchange]:
        """Where a condition is asked for, read the row and name the tag that it came with."""
        path, tag = filled.request.path, None
        while tag is None and path.count("/") > 1:
            read = self.world.send(actor, Request("GET", path))
            tag = read.response.headers.get("etag")
            # A step stands below the row that it is about.
            path = path.rpartition("/")[0]
        if tag is None:
            return filled, exchange
        others = tuple(each for each in filled.request.headers if each[0].lower() != "if-match")
        request = replace(filled.request, headers=(*others, ("if-match", tag)))
        return replace(filled, request=request), self.world.send(actor, request)

    def _send_other_files(
        self, actor: str, operation: Operation, filled: Filled, exchange: Exchange
    ) -> tuple[Filled, Exchange]:
        """Where a file is refused, try files of other kinds, and the columns that are asked for."""
        kinds = iter([*range(len(KINDS)), _CSV])
        while exchange.response.status in _BAD_FILE:
            kind = next(kinds, None)
            if kind is None:
                break
            self.filler.accepted_by(operation).file_kind = kind
            self._learn_columns(operation, exchange)
            filled = self.filler.fill(operation, actor, lambda _: actor)
            exchange = self.world.send(actor, filled.request)
        return filled, exchange

    def _learn_columns(self, operation: Operation, exchange: Exchange) -> None:
        """Learn from a refusal which columns a table must have: "the columns are email, name"."""
        found = _COLUMNS.search(reason(exchange))
        names = _COLUMN.findall(found.group(1)) if found else []
        if names:
            self.filler.accepted_by(operation).columns = tuple(dict.fromkeys(names))

    def _send_as_text(
        self, actor: str, operation: Operation, filled: Filled, exchange: Exchange
    ) -> tuple[Filled, Exchange]:
        """Where another kind of body is asked for, such as text/csv, send that."""
        wanted = _TEXT_MEDIA.search(reason(exchange))
        if wanted is None:
            return filled, exchange
        self.filler.accepted_by(operation).media = wanted.group()
        for _ in range(2):
            filled = self.filler.fill(operation, actor, lambda _: actor)
            exchange = self.world.send(actor, filled.request)
            if exchange.response.is_success:
                break
            self._learn_columns(operation, exchange)
        return filled, exchange

    def _repair(
        self, actor: str, operation: Operation, name: str, filled: Filled, exchange: Exchange
    ) -> tuple[Filled, Exchange, Any]:
        values = self.filler.accepted_by(operation).values
        tried: Any = None
        for number, value in enumerate(self.filler.alternatives(operation, actor, name)):
            if number >= _MOST_REPAIRS:
                break
            tried = value
            filled = self.filler.fill(
                operation, actor, lambda _: actor, overrides={**values, name: value}
            )
            exchange = self.world.send(actor, filled.request)
            if refused_property(exchange) != name:
                break
        return filled, exchange, tried


def refused_property(exchange: Exchange) -> str | None:
    """Return the property that a refusal names, where it names one."""
    if exchange.response.status not in (_INVALID, _BAD_REQUEST):
        return None
    body = exchange.response.json()
    details = body.get("detail") if isinstance(body, dict) else None
    for item in details if isinstance(details, list) else ():
        place = item.get("loc") if isinstance(item, dict) else None
        if isinstance(place, list) and len(place) > 1 and place[0] == "body":
            return next((str(part) for part in reversed(place) if isinstance(part, str)), None)
    return None
