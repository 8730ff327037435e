"""What a request asks for, understood: resources, fields, relations and endpoints.

`understand.py` makes a blueprint from the request's words, `compose.py` makes source files
from a blueprint. Neither knows the other.

Every resource also has `id`, `user_id`, `created_at` and `updated_at`; a blueprint never lists
them as fields. Names are snake case, unique within their resource, no Python keywords and no
attributes of SQLModel's own. They may be the names of types and builtins (`date`, `type`,
`list`) and SQL's reserved words (`order`, `group`).
"""

from decimal import Decimal
from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict

from agent.auth import DEFAULT, Auth

UserIdType = Literal["text", "int", "uuid"]

Ability = Literal["suggest-due-date", "suggest-priority", "summarize"]


class FieldKind(StrEnum):
    """The kinds of values that a field can hold."""

    TEXT = "text"
    LONG_TEXT = "long text"
    INTEGER = "whole number"
    DECIMAL = "decimal"
    MONEY = "money"
    BOOLEAN = "yes/no"
    DATE = "date"
    DATETIME = "date-time"
    URL = "url"
    EMAIL = "email"
    CHOICE = "choice"
    TEXT_LIST = "list of text"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class FieldSpec(_Part):
    """One field of a resource, in snake case.

    A field that is neither required nor has a default may be null. A required field has no
    default. A yes/no field that is not required has one, and so has a list of text.

    Attributes:
        name: The field's name.
        kind: What it holds.
        is_required: Whether a create request must give it.
        default: The value where none is given: of a choice one of `choices`, of a list of text
            a tuple, of a number an `int` or `Decimal`.
        choices: The allowed values, of a choice only.
        minimum: Smallest value of a number, or smallest length of a text in characters.
        maximum: Greatest value of a number, or greatest length of a text in characters.
    """

    name: str
    kind: FieldKind
    is_required: bool = False
    default: str | int | Decimal | bool | tuple[str, ...] | None = None
    choices: tuple[str, ...] = ()
    minimum: Decimal | None = None
    maximum: Decimal | None = None


class Parent(_Part):
    """The resource that another one belongs to, through `<name>_id`.

    Attributes:
        name: The relation's name, `project` for the key `project_id`.
        resource: The parent's singular name, of a resource of the blueprint or of the
            existing backend. A resource that is its own parent makes a tree; that relation is
            called `parent` and is never required.
        is_required: Whether a row must have one.
    """

    name: str
    resource: str
    is_required: bool = True


class Resource(_Part):
    """One resource of the signed-in user with its six CRUD endpoints.

    Attributes:
        singular: One of them, in snake case.
        plural: Many of them, in snake case; never the same as `singular`.
        fields: Its fields, at least one.
        parents: The resources that it belongs to, besides the user.
        filter_by: Names of fields, keys of parents (`project_id`), `created_at` or `updated_at`.
        search_in: Names of text fields.
        sort_by: Names of fields, `created_at` or `updated_at`.
        default_sort: The order where a request names none: a name of `sort_by`, with "-" in front
            for the greatest first; empty for the newest first.
        is_paginated: Whether the list comes in pages, with the total.
        page_size: How many rows a list returns where a request does not say, from 1 to 100;
            None for 100.
    """

    singular: str
    plural: str
    fields: tuple[FieldSpec, ...]
    parents: tuple[Parent, ...] = ()
    filter_by: tuple[str, ...] = ()
    search_in: tuple[str, ...] = ()
    sort_by: tuple[str, ...] = ()
    default_sort: str = ""
    is_paginated: bool = False
    page_size: int | None = None


class AgentEndpoint(_Part):
    """`POST /api/agents/<name>`: business logic over the user's own rows of one resource.

    Attributes:
        name: The last part of the path.
        resource: The singular name of the resource that it reads, new or existing.
        calls_per_minute: How often each user may call it.
        ability: What it does. `suggest-due-date` needs a date or date-time field,
            `suggest-priority` a text and a choice field called `priority`, `summarize` nothing.
    """

    name: str
    resource: str
    calls_per_minute: int = 10
    ability: Ability = "suggest-due-date"


class Blueprint(_Part):
    """Everything that a request asks for.

    Attributes:
        resources: The new resources, parents before children; empty for the auth layer alone.
        agents: The new agent endpoints.
        has_me: Whether `GET /api/me` is wanted.
        user_id: Type of `User.id`; Better Auth makes it text.
        auth: How a new backend learns who is signed in.
        understood: What was understood and what was assumed, a sentence each, for people.
    """

    resources: tuple[Resource, ...] = ()
    agents: tuple[AgentEndpoint, ...] = ()
    has_me: bool = False
    user_id: UserIdType = "text"
    auth: Auth = DEFAULT
    understood: tuple[str, ...] = ()
