"""What an expression can be worth when code is run without running it.

All values are immutable and hashable, so that a call with the same abstract arguments is
interpreted once. Terms are the values that can be equal to one another: facts are about them.
"""

import ast
from collections.abc import Iterator
from dataclasses import field
from typing import TYPE_CHECKING, Literal, TypeAlias, Union

from validators.frozen import HashedOnce, frozen

if TYPE_CHECKING:
    from validators.ownership.facts import Facts
    from validators.ownership.program import Scope

Source = Literal[
    "path",
    "query",
    "body",
    "header",
    "cookie",
    "form",
    "websocket",
    "caller",
    "shared",
    "answer",
]


@frozen
class Const:
    """A constant."""

    value: object

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Const)
            and type(self.value) is type(other.value)
            and self.value == other.value
        )

    def __hash__(self) -> int:
        return hash((type(self.value).__name__, self.value))


@frozen
class Identity:
    """A value that names the signed-in user: a claim of a verified token.

    Attributes:
        claim: The claim's name, such as `sub`.
        origin: Where it was verified, such as `jwt.decode in utils/jwt.py, line 31`.
    """

    claim: str
    origin: str


@frozen
class Given:
    """A value that the request brings, and so whoever sends it.

    Attributes:
        source: The part of the request.
        name: The parameter, and the way into it: `body.items[].id`.
        shape: The class that the request is parsed into, where one is declared.
    """

    source: Source
    name: str
    shape: "ClassValue | None" = field(default=None, compare=False)


@frozen
class Element:
    """One table model in a statement: the class itself, or an alias of it."""

    model: str
    alias: int = 0


@frozen
class Attr:
    """A column of a row, or of an element of a statement that has not run yet."""

    row: "int | Element"
    column: str


@frozen
class Opaque:
    """A definite value of which nothing is known but where it comes from."""

    label: str


@frozen
class Vague:
    """The side of a comparison that could not be followed; never equal to anything else.

    Attributes:
        label: What it is, in words.
        is_given: Whether it is made from nothing but the request.
    """

    label: str
    is_given: bool = False


Term: TypeAlias = Const | Identity | Given | Attr | Opaque | Vague
TERMS = (Const, Identity, Given, Attr, Opaque, Vague)

# A column whose name is not constant.
ANY_COLUMN = "?"

NONE = Const(None)
TRUE = Const(True)  # noqa: FBT003  # the constant itself
FALSE = Const(False)  # noqa: FBT003  # the constant itself


@frozen
class Unknown(HashedOnce):
    """A value that could not be followed, with the terms and rows it was made from."""

    reason: str
    origins: "frozenset[Term | Row]" = frozenset()


@frozen
class Claims:
    """The claims of a token whose signature was verified."""

    origin: str


@frozen
class Row:
    """A row of a table model; facts say whose it is."""

    symbol: int
    model: str


@frozen
class Items(HashedOnce):
    """A list, tuple or set: either the known items, or what each of them is."""

    items: "tuple[Value, ...] | None" = None
    each: "Value | None" = None
    is_tuple: bool = False


@frozen
class Mapping(HashedOnce):
    """A dictionary with known keys, and what values under any other key, and those keys, are."""

    known: "tuple[tuple[object, Value], ...]" = ()
    rest: "Value | None" = None
    keys: "Value | None" = None

    def get(self, key: object) -> "Value | None":
        """Return the value under a known key, or None."""
        for name, value in self.known:
            if name == key:
                return value
        return None

    def set(self, key: object, value: "Value") -> "Mapping":
        """Return the dictionary with one key replaced or added."""
        kept = tuple(pair for pair in self.known if pair[0] != key)
        return Mapping((*kept, (key, value)), self.rest, self.keys)


@frozen
class ModuleValue:
    """A module of the project, by its path."""

    path: str


@frozen
class Library:
    """A name of a library, such as `fastapi.Depends`."""

    name: str

    @property
    def last(self) -> str:
        """The last part of the name."""
        return self.name.rpartition(".")[2]


@frozen
class Made(HashedOnce):
    """What a library's class or function returned, where its kind matters.

    Attributes:
        kind: The dotted name that was called.
        fields: Arguments and contents worth keeping, by name.
        where: The expression that made it, which tells two apart.
    """

    kind: str
    fields: "tuple[tuple[str, Value], ...]" = ()
    where: int = 0

    def get(self, name: str) -> "Value | None":
        """Return a field, or None."""
        return next((value for key, value in self.fields if key == name), None)


@frozen
class Function(HashedOnce):
    """A function, method or lambda of the project, with what it sees from outside.

    Attributes:
        node: Its definition.
        scope: The module (and class) in which its names are looked up.
        closure: Values of the enclosing function, by name.
        receiver: `self` or the class, where the function is bound.
        wraps: The function whose signature it shows (`functools.wraps`).
    """

    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
    scope: "Scope"
    closure: "tuple[tuple[str, Value], ...]" = ()
    receiver: "Value | None" = None
    wraps: "Function | None" = None

    @property
    def name(self) -> str:
        """The function's name."""
        return "lambda" if isinstance(self.node, ast.Lambda) else self.node.name


@frozen
class ClassValue:
    """A class of the project."""

    node: ast.ClassDef
    scope: "Scope"

    @property
    def name(self) -> str:
        """The class's name."""
        return self.node.name


@frozen
class Instance(HashedOnce):
    """An object of a project's class that is not a table model."""

    cls: ClassValue
    fields: "tuple[tuple[str, Value], ...]" = ()
    rest: "Value | None" = None

    def get(self, name: str) -> "Value | None":
        """Return a field, or None."""
        return next((value for key, value in self.fields if key == name), None)

    def set(self, name: str, value: "Value") -> "Instance":
        """Return the object with one field replaced or added."""
        kept = tuple(pair for pair in self.fields if pair[0] != name)
        return Instance(self.cls, (*kept, (name, value)), self.rest)


@frozen
class Method:
    """A method of a value that is not a project's object, such as `statement.where`."""

    receiver: "Value"
    name: str
    node: ast.expr | None = field(default=None, compare=False)


@frozen
class Partial(HashedOnce):
    """A call that still misses arguments (`functools.partial`)."""

    function: "Value"
    args: "tuple[Value, ...]"
    keywords: "tuple[tuple[str, Value], ...]"


@frozen
class ElementValue:
    """A table model or alias as it stands in a statement."""

    element: Element


@frozen
class Related:
    """A relationship attribute of an element: `Task.comments`."""

    element: Element
    name: str


@frozen
class Condition(HashedOnce):
    """A predicate of a statement."""

    formula: "Formula"


@frozen
class Joined(HashedOnce):
    """One join: what is joined, on which condition, and whether rows without it stay."""

    element: Element
    on: "Formula"
    is_outer: bool = False


@frozen
class Statement(HashedOnce):
    """A statement under construction.

    Attributes:
        kind: `select`, `query`, `update`, `delete`, `insert`, `exists`, `text`.
        site: The query site: the call that began it.
        columns: What it selects, as values.
        sources: Elements named by `select_from`, or the target of a write.
        joins: Its joins.
        where: The conjunction of its predicates.
        parts: Statements that it selects from or unites.
        assigned: Columns that it writes, with their values.
        is_union: Whether the parts are united, so that each must be bound by itself.
        holes: Values written into its text, by the name of their place.
        is_text: Whether it was written as SQL text, with parameters named `:name`.
        loads: Relationships that it loads eagerly.
    """

    kind: str
    site: int
    columns: "tuple[Value, ...]" = ()
    sources: tuple[Element, ...] = ()
    joins: tuple[Joined, ...] = ()
    where: "tuple[Formula, ...]" = ()
    parts: "tuple[Statement, ...]" = ()
    assigned: "tuple[tuple[str, Value], ...]" = ()
    is_union: bool = False
    holes: "tuple[tuple[str, Value], ...]" = ()
    is_text: bool = False
    loads: "tuple[Load, ...]" = ()


@frozen
class Load:
    """A relationship that a statement loads with its rows: `selectinload(Task.comments)`."""

    related: Related
    node: ast.expr = field(compare=False)


@frozen
class Derived:
    """A statement used as a table: a subquery, a CTE, or its collection of columns."""

    statement: Statement


@frozen
class Result:
    """What the database returned: each row of it as a value."""

    each: "Value"


@frozen
class Choice(HashedOnce):
    """One of several values, each with the facts that hold on the paths that lead to it."""

    members: "tuple[tuple[Value, Facts], ...]"


@frozen
class Anything:
    """A predicate that binds nothing, such as `Task.due < now`."""

    about: "tuple[Term, ...]" = ()


@frozen
class Unfollowed:
    """A predicate that could not be followed."""

    reason: str
    about: "tuple[Term, ...]" = ()


@frozen
class Nothing:
    """A predicate that no row meets."""


@frozen
class Equal:
    """Two terms are equal."""

    left: Term
    right: Term


@frozen
class Both(HashedOnce):
    """All parts hold."""

    parts: "tuple[Formula, ...]"


@frozen
class Either(HashedOnce):
    """At least one part holds."""

    parts: "tuple[Formula, ...]"


@frozen
class Opposite(HashedOnce):
    """The part does not hold."""

    part: "Formula"


@frozen
class Assumed:
    """A formula that holds under facts about the path on which it was built."""

    part: "Formula"
    facts: "Facts"


@frozen
class Within:
    """A column is among what a statement selects; or, without column, rows of it exist."""

    term: Term | None
    statement: Statement


Formula: TypeAlias = Union[
    Anything, Unfollowed, Nothing, Equal, "Both", "Either", "Opposite", "Assumed", "Within"
]

Value: TypeAlias = (
    Term
    | Unknown
    | Claims
    | Row
    | Items
    | Mapping
    | ModuleValue
    | Library
    | Made
    | Function
    | ClassValue
    | Instance
    | Method
    | Partial
    | ElementValue
    | Related
    | Load
    | Condition
    | Statement
    | Derived
    | Result
    | Choice
)


def members(value: Value) -> Iterator[Value]:
    """Yield the alternatives of a value; the value itself where there is no choice."""
    if isinstance(value, Choice):
        for member, _ in value.members:
            yield from members(member)
    else:
        yield value
