"""What was done in a world: requests of users, and rows that the check itself wrote."""

from dataclasses import dataclass
from typing import Any

from validators.probes.operations import Operation
from validators.runtime.app import Request, Response


@dataclass(frozen=True)
class Writing:
    """Rows that the check itself writes into the database.

    Attributes:
        table: The table's name.
        row: The name of the row that is changed; None where one is added.
        values: The columns' values, with names in place of values that differ from world to world.
        whose: The user whose rows they are.
        copies: How many more rows like the named one are added; 0 where that one is changed.
    """

    table: str
    row: str | None
    values: dict[str, Any]
    whose: str = "owner"
    copies: int = 0


@dataclass
class Act:
    """One thing that somebody did in a world.

    Attributes:
        number: Its place in the history of that world.
        actor: `owner`, `intruder`, `bystander`, `nobody`, or `check` where rows were written.
        request: What was sent, with names; None for what the check wrote.
        response: What was answered there.
        shown: The request as a person reads it.
        operation: What was asked for, where that is known.
        writing: What the check wrote.
        born: The names of the rows that it added.
        has_changed: Whether any row was other than before.
        is_undone: Whether the rows were brought back afterwards.
        pause: Seconds since the owner's act before it.
    """

    number: int
    actor: str
    request: Request | None
    response: Response | None = None
    shown: str = ""
    operation: Operation | None = None
    writing: Writing | None = None
    born: tuple[str, ...] = ()
    has_changed: bool = False
    is_undone: bool = False
    pause: float = 0.0
