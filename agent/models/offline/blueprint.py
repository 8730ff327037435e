"""What a request asks for, understood: resources, fields, relations and endpoints.

`understand.py` makes a blueprint from the request's words, `compose.py` makes source files
from a blueprint. Neither knows the other.
"""

from decimal import Decimal
from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict

UserIdType = Literal["text", "int", "uuid"]


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

    `minimum` and `maximum` bound a number's value, or the length of a text in characters.
    """

    name: str
    kind: FieldKind
    is_required: bool = False
    default: str | int | Decimal | bool | tuple[str, ...] | None = None
    choices: tuple[str, ...] = ()
    minimum: Decimal | None = None
    maximum: Decimal | None = None


class Parent(_Part):
    """The resource that another one belongs to, through `<name>_id`."""

    name: str
    resource: str
    is_required: bool = True


class Resource(_Part):
    """One resource of the signed-in user with its six CRUD endpoints."""

    singular: str
    plural: str
    fields: tuple[FieldSpec, ...]
    parents: tuple[Parent, ...] = ()
    filter_by: tuple[str, ...] = ()
    search_in: tuple[str, ...] = ()
    sort_by: tuple[str, ...] = ()
    is_paginated: bool = False


class AgentEndpoint(_Part):
    """`POST /api/agents/<name>`: business logic over the user's own rows of one resource."""

    name: str
    resource: str
    calls_per_minute: int = 10


class Blueprint(_Part):
    """Everything that a request asks for.

    Attributes:
        resources: The new resources; empty for the auth layer alone.
        agents: The new agent endpoints.
        user_id: Type of `User.id`; Better Auth makes it text.
        understood: What was understood and what was assumed, a sentence each, for people.
    """

    resources: tuple[Resource, ...] = ()
    agents: tuple[AgentEndpoint, ...] = ()
    user_id: UserIdType = "text"
    understood: tuple[str, ...] = ()
