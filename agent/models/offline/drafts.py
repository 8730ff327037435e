"""Resources under construction, and what is known of the whole request."""

from dataclasses import dataclass, field

from agent.models.offline.blueprint import (
    AgentEndpoint,
    FieldSpec,
)
from agent.models.offline.cast import EXISTS, Cast
from agent.models.offline.specs import (
    ProblemError,
)
from agent.models.offline.statements import (
    Name,
    Traits,
)


@dataclass
class Draft:
    """A resource under construction.

    Attributes:
        singular: One of them, in snake case.
        fields: The fields by key: the name as written and what is said about it.
        assumed: Keys whose kind was told by the name alone.
        has_usual_fields: Whether no field was given.
        is_extended: Whether what was given comes on top: "tasks with due dates".
        notes: What is to be told about single fields.
    """

    singular: str
    plural: str
    fields: dict[str, tuple[Name, Traits]] = field(default_factory=dict)
    parents: dict[str, bool | None] = field(default_factory=dict)
    specs: tuple[FieldSpec, ...] = ()
    filter_by: list[str] = field(default_factory=list)
    search_in: list[str] = field(default_factory=list)
    sort_by: list[str] = field(default_factory=list)
    default_sort: str = ""
    is_newest_first: bool = False
    is_paginated: bool = False
    page_size: int | None = None
    has_usual_fields: bool = False
    is_extended: bool = False
    assumed: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@dataclass
class Meaning:
    """What all statements mean together, and why some of them mean nothing.

    Attributes:
        problems: Sentences, one for each thing that cannot be built.
        unknown: Names that stand for nothing that is known.
    """

    drafts: dict[str, Draft] = field(default_factory=dict)
    agents: list[AgentEndpoint] = field(default_factory=list)
    calls: list[int] = field(default_factory=list)
    has_me: bool = False
    wants_auth: bool = False
    wants_agent: bool = False
    problems: list[str] = field(default_factory=list)
    unknown: list[Name] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def relation_name(draft: Draft, parent: str) -> str:
    """Return what the relation to a parent is called: `parent` where a row belongs to its like."""
    return "parent" if parent == draft.singular else parent


def draft_of(meaning: Meaning, cast: Cast, subject: Name) -> Draft:
    """Return the new resource that a name stands for.

    Raises:
        ProblemError: There is none.
    """
    singular = cast.key(subject)
    if singular in meaning.drafts:
        return meaning.drafts[singular]
    if singular in cast.old:
        raise ProblemError(EXISTS.format(subject))
    raise ProblemError(f'It is not clear what "{subject}" is.')
