"""What the interpreter saw: query sites, what happened to their rows, and who called whom."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from validators.frozen import frozen
from validators.ownership.facts import Facts
from validators.ownership.state import State
from validators.ownership.values import Given, Value

# What is said of a row that is fetched, and of which nothing else is seen.
NO_CHECK = "nothing checks the row afterwards"
# `begun` says that a statement was built; another event follows where it runs.
EventKind = Literal["bound", "pending", "checked", "leak", "unproven", "begun"]


@frozen
class Place:
    """A place in the source: path, line and column from 1; the end only serves to show it.

    Columns count bytes, as in the syntax tree.
    """

    path: str
    line: int
    column: int
    end_line: int = field(default=0, compare=False)
    end_column: int = field(default=0, compare=False)

    @staticmethod
    def of(path: str, node: ast.AST) -> "Place":
        """Return the place where a node starts."""
        line, column = getattr(node, "lineno", 1), getattr(node, "col_offset", 0)
        end_line, end_column = getattr(node, "end_lineno", 0), getattr(node, "end_col_offset", 0)
        return Place(path, line, column + 1, end_line or 0, (end_column or 0) + 1)


@dataclass(slots=True)
class Site:
    """A query site."""

    index: int
    place: Place
    function: str
    kind: str
    models: dict[str, None] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


@frozen
class Event:
    """What happened to a row of a query site: bound by its statement, fetched, checked, used.

    Attributes:
        is_use: Whether a row that is checked was used then, and not only looked at.
    """

    kind: EventKind
    row: int
    site: int
    text: str
    needs: frozenset[tuple[str, str]] = frozenset()
    blame: Given | int | None = None
    through: frozenset[tuple[str, str]] | None = None
    parent: int | None = None
    is_use: bool = False


@frozen
class Problem:
    """A finding of its own, beside the verdicts of query sites."""

    code: str
    place: Place
    message: str
    fix: str | None = None


@frozen
class OwnerChange:
    """A stored row got another owner, and nothing speaks against it at that place.

    Attributes:
        place: The write of the owner column.
        model: The table model's name.
        column: The owner column.
        reason: Why, where a comment declares it; empty where an offer proves it.
        needs: Columns (model and column) of which every write must be checked.
    """

    place: Place
    model: str
    column: str
    reason: str
    needs: frozenset[tuple[str, str]]


@frozen
class KeyWrite:
    """A foreign key to an owned model, or a column that names the user of a grant, was stored."""

    model: str
    column: str
    place: Place
    verdict: Literal["checked", "leak", "unproven"]
    text: str


@dataclass(eq=False, slots=True)
class Entry:
    """One interpretation of one function with certain abstract arguments.

    Attributes:
        index: Number of the entry, in order of interpretation.
        label: The function's name, for the trace.
        place: Where the function is defined.
        callees: The entries that it calls, by index; `called_at` says where.
        node: The function's definition.
        arguments: The values of its parameters, and `facts` what was known of them.
    """

    index: int
    label: str
    place: Place
    events: dict[Event, None] = field(default_factory=dict)
    problems: dict[Problem, None] = field(default_factory=dict)
    key_writes: dict[KeyWrite, None] = field(default_factory=dict)
    owner_changes: dict[OwnerChange, None] = field(default_factory=dict)
    callees: dict[int, "Entry"] = field(default_factory=dict)
    called_at: dict[int, tuple[str, ast.AST]] = field(default_factory=dict)
    node: ast.AST | None = None
    arguments: "dict[str, Value]" = field(default_factory=dict)
    facts: Facts = frozenset()
    created: dict[int, None] = field(default_factory=dict)
    is_verifying: bool = False
    role: Literal["", "dependency", "handler"] = ""
    is_asking: bool = False
    bypasses: dict[Place, None] = field(default_factory=dict)
    stand_ins: dict[Place, None] = field(default_factory=dict)
    outcome: "Outcome | None" = None
    is_running: bool = False

    def reachable(self) -> Iterator["Entry"]:
        """Yield this entry and every entry that it calls, directly or not."""
        seen = {self.index}
        stack = [self]
        while stack:
            entry = stack.pop()
            yield entry
            for callee in reversed(entry.callees.values()):
                if callee.index not in seen:
                    seen.add(callee.index)
                    stack.append(callee)


@dataclass(slots=True)
class Outcome:
    """What a call gives back: its value, and what is known where it returns.

    Attributes:
        value: The returned value; None where the call never returns.
        facts: What holds after every return.
        parameters: Parameters that the function changed in place, with their new values.
        store: What travels with the request afterwards.
        yielded: What a generator yields.
    """

    value: Value | None
    facts: Facts
    parameters: dict[str, Value] = field(default_factory=dict)
    store: dict[str, Value] = field(default_factory=dict)
    yielded: Value | None = None


@dataclass(eq=False, slots=True)
class Frame:
    """One running interpretation of a function body.

    Attributes:
        entry: Where events are recorded.
        path: The module whose code runs.
        owner: The class around the function.
        returns: Values returned so far, each with the state at that point.
        yields: Values yielded so far.
        loops: For each loop around, the states of `break` and of `continue`.
        tries: For each `try` around, the states from which an exception may come.
    """

    entry: Entry
    path: str
    owner: ast.ClassDef | None = None
    receiver: Value | None = None
    returns: list[tuple[Value, State]] = field(default_factory=list)
    yields: list[tuple[Value, State]] = field(default_factory=list)
    loops: list[tuple[list[State], list[State]]] = field(default_factory=list)
    tries: list[list[State]] = field(default_factory=list)
    global_names: set[str] = field(default_factory=set)
