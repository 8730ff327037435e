"""What the owner's requests must bring about: rows that change, and rows that come back.

A claim is held against the row that it is about. Where a request may have had nothing to do, that
is said, and is no fault of the backend's.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import Any

from validators.probes.operations import UPDATES, Operation
from validators.probes.requests.filling import Filled, Filler
from validators.probes.results import Results, line
from validators.probes.worlds.hearing import leaves
from validators.probes.worlds.tables import Row
from validators.probes.worlds.world import Exchange, World
from validators.rules import probes as rules
from validators.runtime.app import Response

_CREATED = 201
_MOST_VARIANTS = 12
_LEAST_LETTERS = 5
_SHOWN_ROW = 300
_COUNTS = re.compile(
    r"(delet|remov|purg|clear|archiv|updat|chang|affect|mark|count|total|rows|read|restor|expir)",
    re.IGNORECASE,
)
_NO_ACTIONS = re.compile(r"(search|preview|validate|query|calculate|estimate|export|token|login)")


@dataclass
class Effects:
    """Holds the owner's answers against the rows in the database.

    Attributes:
        world: The world in which the owner lives.
        filler: Knows what requests are about.
        results: Takes the findings.
    """

    world: World
    filler: Filler
    results: Results
    # Tables whose rows some answer has shown, and reads that should have: the first of each table.
    _shown: set[str] = field(default_factory=set)
    _unshown: dict[str, tuple[Operation, str]] = field(default_factory=dict)

    def note_shown(self, operation: Operation, filled: Filled, exchange: Exchange) -> None:
        """Note whether a read shows the row that was asked for, or any of a collection's."""
        rows = self._rows_asked_for(operation, filled)
        if not rows:
            return
        table = rows[0].table
        if any(self._shows(row, exchange.response) for row in rows):
            self._shown.add(table)
        else:
            said = line(exchange, self.world)
            self._unshown.setdefault(table, (operation, said))

    def report_unshown(self) -> None:
        """Report reads of tables whose rows no answer has shown."""
        for table, (operation, said) in self._unshown.items():
            if table not in self._shown:
                message = (
                    f"{operation.route} answers the owner, but not with what the owner stored, and "
                    "neither does any other route."
                )
                self.results.report(rules.NOT_SHOWN, operation, message, trace=(said,))
                self.results.note("life", operation, "failed", message)

    def _rows_asked_for(self, operation: Operation, filled: Filled) -> list[Row]:
        if operation.path.endswith("}"):
            last = filled.slots[-1] if filled.slots else None
            row = self._row_of(last.table, last.value) if last else None
            return [row] if row is not None else []
        table = self.filler.targets.learned.get(operation.path)
        parents = {(slot.table, str(slot.value)) for slot in filled.slots}
        rows = self.world.rows_of("owner", table) if table else ()
        # Of what belongs to a row in the path, only its own children.
        return [
            row for row in rows if not parents or parents & set(self.world.tables.references(row))
        ]

    def _row_of(self, table: str, value: Any) -> Row | None:  # noqa: ANN401
        row = self.world.rows.get((table, (str(value),)))
        if row is not None:
            return row
        found = (r for r in self.world.rows.values() if r.table == table)
        return next((r for r in found if str(value) in map(str, r.data.values())), None)

    def _shows(self, row: Row, response: Response) -> bool:
        """Tell whether an answer holds a row: its key, its text, or two of its values by name."""
        text = response.text
        if self.world.markers["owner"] in text.lower():
            return True
        values = [str(v) for v in row.data.values() if isinstance(v, str | int)]
        if any(len(value) >= _LEAST_LETTERS and value in text for value in values):
            return True
        held = {(path.rpartition(".")[2], str(value)) for path, value in leaves(response.json())}
        own = {(name, str(value)) for name, value in row.data.items() if value is not None}
        return len(held & own) > 1 or not isinstance(response.json(), dict | list)

    def rows_of(self, filled: Filled) -> Iterator[str]:
        """Yield the rows that a request names, as they are in the database, for people."""
        for slot in filled.slots:
            row = self._row_of(slot.table, slot.value)
            if row is not None:
                text = self.world.neutral(row.text)
                yield f"the row in the database: {text[:_SHOWN_ROW]}"

    def may_hold_already(self, operation: Operation, exchange: Exchange) -> bool:
        """Tell whether an update changed nothing, perhaps because all of it was so already."""
        return operation.method in UPDATES and not exchange.change

    def nothing_to_do(self, operation: Operation, filled: Filled, exchange: Exchange) -> str | None:
        """Return why a request that changed nothing may have had nothing to do; None otherwise."""
        if exchange.change or operation.method in UPDATES:
            return None
        is_of_a_row = operation.path.endswith("}") and len(filled.slots) == 1
        if operation.method == "DELETE" and not is_of_a_row:
            return (
                None
                if self._claims_some(exchange.response)
                else ("nothing is there that it applies to, as far as its answer says")
            )
        return None

    def should_have_stored(self, operation: Operation, filled: Filled, exchange: Exchange) -> bool:
        """Tell whether an answer claims a change that the database does not show."""
        if exchange.change:
            return False
        if operation.method in UPDATES:
            return True
        if operation.method == "DELETE":
            if operation.path.endswith("}") and len(filled.slots) == 1:
                slot = filled.slots[0]
                return self._row_of(slot.table, slot.value) is not None
            return self._claims_some(exchange.response)
        return exchange.response.status == _CREATED and self._claims_a_row(operation, exchange)

    def _claims_a_row(self, operation: Operation, exchange: Exchange) -> bool:
        """Tell whether an answer shows a row as if it were stored: with an id, or what was sent."""
        if _NO_ACTIONS.search(operation.path):
            return False
        body = exchange.response.json()
        if not isinstance(body, dict):
            return False
        table = self.filler.targets.own_table(operation)
        key = self.world.tables.by_name[table].key if table else ("id",)
        has_id = any(body.get(name) is not None for name in (*key, "id"))
        return has_id and not any(
            str(body.get("id")) in row.key for row in self.world.rows.values()
        )

    def _claims_some(self, response: Response) -> bool:
        """Tell whether an answer says that so many rows, and not none, were changed."""
        return any(
            isinstance(value, int) and not isinstance(value, bool) and value > 0
            for path, value in leaves(response.json())
            if _COUNTS.search(path.rpartition(".")[2])
        )

    def claims_more(self, filled: Filled, exchange: Exchange) -> bool:
        """Tell whether an answer shows a yes or no of a row otherwise than the database does."""
        body = exchange.response.json()
        places = [(slot.table, (str(slot.value),)) for slot in filled.slots]
        rows = [self.world.rows[place] for place in places if place in self.world.rows]
        if not isinstance(body, dict) or len(rows) != 1:
            return False
        return any(
            isinstance(value, bool) and value != body[name]
            for name, value in rows[0].data.items()
            if isinstance(body.get(name), bool)
        )

    def other_updates(self, operation: Operation, filled: Filled) -> Iterator[Filled]:
        """Yield an update with other values, some."""
        others = chain(
            self.filler.variants(operation, filled),
            self.filler.id_variants(operation, "owner", filled),
        )
        yield from islice(others, _MOST_VARIANTS)


def is_empty(response: Response) -> bool:
    """Tell whether an answer is a collection, or a page of one, with nothing in it."""
    body = response.json()
    if isinstance(body, list):
        return not body
    if not isinstance(body, dict):
        return False
    lists = [value for value in body.values() if isinstance(value, list)]
    others = [value for value in body.values() if isinstance(value, dict)]
    return bool(lists) and not any(lists) and not any(others)
