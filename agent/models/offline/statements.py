"""What the single clauses of a request say, before they are put together."""

from dataclasses import dataclass, field
from decimal import Decimal

from agent.models.offline.blueprint import Ability, FieldKind


@dataclass(frozen=True, slots=True)
class Name:
    """A noun phrase: its words in lower case, and where it stands in the request."""

    words: tuple[str, ...]
    start: int = 0
    end: int = 0

    def __str__(self) -> str:
        return " ".join(self.words)


@dataclass(frozen=True, slots=True)
class Traits:
    """Everything said about one field besides its name; None and empty where not said.

    Attributes:
        kind: Its type.
        is_required: Whether it is said to be required or optional.
        default: The words of its default.
        choices: The allowed values.
        minimum: Smallest value or length.
        maximum: Greatest value or length.
        above: A value that it must exceed.
        below: A value that it must stay below.
        limits_length: Whether the limits are said to count characters.
        unit: What a number counts.
        strange: What stands in its brackets and says nothing that is known.
        listed: All that stands in those brackets, as the values that may have been meant.
        conflict: What was said twice and differently; empty where nothing was.
    """

    kind: FieldKind | None = None
    is_required: bool | None = None
    default: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()
    minimum: Decimal | None = None
    maximum: Decimal | None = None
    above: Decimal | None = None
    below: Decimal | None = None
    limits_length: bool = False
    unit: str = ""
    strange: tuple[str, ...] = ()
    listed: tuple[str, ...] = ()
    conflict: str = ""

    def merged(self, other: "Traits") -> "Traits":
        """Return both together; what they say differently is named in `conflict`."""
        values: dict[str, object] = {}
        conflict = self.conflict or other.conflict
        for name, what in _SAID.items():
            mine, theirs = getattr(self, name), getattr(other, name)
            values[name] = theirs if mine in (None, (), "") else mine
            if mine not in (None, (), "") and theirs not in (None, (), "", mine):
                conflict = conflict or what
        return Traits(
            **values,  # type: ignore[arg-type]  # the values of the attributes that `_SAID` names
            limits_length=self.limits_length or other.limits_length,
            strange=self.strange + other.strange,
            listed=self.listed or other.listed,
            conflict=conflict,
        )


_SAID = {
    "kind": "its type",
    "is_required": "whether it is required",
    "default": "its default",
    "choices": "its choices",
    "minimum": "its minimum",
    "maximum": "its maximum",
    "above": "its minimum",
    "below": "its maximum",
    "unit": "its unit",
}


@dataclass(frozen=True, slots=True)
class Statement:
    """One clause.

    Attributes:
        subjects: The resources that it is about.
        is_loose: Whether the clause named no resource, so that it is about whichever fits.
    """

    subjects: tuple[Name, ...] = field(default=(), kw_only=True)
    is_loose: bool = field(default=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Declares(Statement):
    """There is such a resource.

    Attributes:
        name: What it is called.
        is_mention: Whether the clause only uses it ("list my tasks"), and so may repeat it.
        is_title: Whether the name stands over a list and may be the application's only.
        is_app: Whether it is the name of a whole application, "a gym app".
        is_strong: Whether CRUD, an API, a model or the like was asked for by that name.
    """

    name: Name
    is_mention: bool = False
    is_title: bool = False
    is_strong: bool = False
    is_app: bool = False


@dataclass(frozen=True, slots=True)
class Extends(Statement):
    """Something is added to a resource that must be known."""

    name: Name


@dataclass(frozen=True, slots=True)
class HasField(Statement):
    """The subject has this field, or this child or parent where that is what it names."""

    name: Name
    traits: Traits = Traits()


@dataclass(frozen=True, slots=True)
class Constrains(Statement):
    """A field named elsewhere is such."""

    name: Name
    traits: Traits


@dataclass(frozen=True, slots=True)
class BelongsTo(Statement):
    """The subject belongs to a parent."""

    parent: Name
    is_required: bool | None = None


@dataclass(frozen=True, slots=True)
class Nests(Statement):
    """Rows of the subject can contain rows of the same kind."""


@dataclass(frozen=True, slots=True)
class Moves(Statement):
    """A child can be given another parent, as every row with a parent can."""

    child: Name | None
    parent: Name | None


@dataclass(frozen=True, slots=True)
class HasMany(Statement):
    """The subject has children."""

    child: Name


@dataclass(frozen=True, slots=True)
class Filters(Statement):
    """The list can be filtered by these."""

    names: tuple[Name, ...]


@dataclass(frozen=True, slots=True)
class Searches(Statement):
    """The list can be searched in these; empty for every text field."""

    names: tuple[Name, ...]


@dataclass(frozen=True, slots=True)
class Sorts(Statement):
    """The list can be sorted by these.

    Attributes:
        names: What it can be sorted by.
        first: Which end comes first unless asked otherwise: "-" for the greatest, "+" for the
            smallest, "newest", "oldest"; empty where nothing is said. Only with a single name.
    """

    names: tuple[Name, ...]
    first: str = ""


@dataclass(frozen=True, slots=True)
class NewestFirst(Statement):
    """The list has the newest rows first, as every list has unless another order is given."""


@dataclass(frozen=True, slots=True)
class Paginates(Statement):
    """The list comes in pages, of so many rows where that is said."""

    size: Decimal | None = None


@dataclass(frozen=True, slots=True)
class WantsAuth(Statement):
    """The auth layer is wanted."""


@dataclass(frozen=True, slots=True)
class WantsMe(Statement):
    """`GET /api/me` is wanted."""


@dataclass(frozen=True, slots=True)
class Satisfied(Statement):
    """Something that every backend has anyway, such as that only the owner sees a row."""


@dataclass(frozen=True, slots=True)
class Limits(Statement):
    """Each user may call so often in a minute; None where no number is said."""

    calls: int | None


@dataclass(frozen=True, slots=True)
class WantsAgent(Statement):
    """An agent endpoint is wanted; `nouns` are what it is said to look at.

    Name and ability are missing where nothing is said about what it shall do.
    """

    name: str
    ability: Ability | None
    nouns: tuple[Name, ...]


Statements = tuple[Statement, ...]
