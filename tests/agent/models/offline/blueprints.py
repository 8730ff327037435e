"""Blueprints that span the range of the offline model."""

from decimal import Decimal
from typing import Any

from agent.models.offline.blueprint import (
    AgentEndpoint,
    Blueprint,
    FieldKind,
    FieldSpec,
    Parent,
    Resource,
)

CHOICES = ("low", "in progress", 'it\'s "done"')


def spec(name: str, kind: FieldKind, **options: Any) -> FieldSpec:
    return FieldSpec(name=name, kind=kind, **options)


def named(singular: str, plural: str, **options: Any) -> Resource:
    fields = options.pop("fields", (spec("name", FieldKind.TEXT, is_required=True),))
    return Resource(singular=singular, plural=plural, fields=fields, **options)


TITLE = spec("title", FieldKind.TEXT, is_required=True, minimum=Decimal(1), maximum=Decimal(200))
DESCRIPTION = spec("description", FieldKind.LONG_TEXT)
COMPLETED = spec("completed", FieldKind.BOOLEAN, default=False)
PRIORITY = spec("priority", FieldKind.CHOICE, choices=("low", "medium", "high"), default="medium")

TASKS = Blueprint(resources=(named("task", "tasks", fields=(TITLE, DESCRIPTION, COMPLETED)),))


def _required(kind: FieldKind) -> FieldSpec:
    choices = CHOICES if kind is FieldKind.CHOICE else ()
    return spec(f"{kind.name.lower()}_required", kind, is_required=True, choices=choices)


def _optional(kind: FieldKind) -> FieldSpec:
    choices = CHOICES if kind is FieldKind.CHOICE else ()
    default = {FieldKind.BOOLEAN: False, FieldKind.TEXT_LIST: ()}.get(kind)
    return spec(f"{kind.name.lower()}_optional", kind, choices=choices, default=default)


WITH_DEFAULTS = (
    spec("nickname", FieldKind.TEXT, default="it's"),
    spec("count", FieldKind.INTEGER, default=3, minimum=Decimal(0), maximum=Decimal(10)),
    spec(
        "ratio",
        FieldKind.DECIMAL,
        default=Decimal("1.5"),
        minimum=Decimal("0.5"),
        maximum=Decimal("99.5"),
    ),
    spec("price", FieldKind.MONEY, default=Decimal("9.99"), minimum=Decimal(0)),
    spec("is_active", FieldKind.BOOLEAN, default=True),
    spec("labels", FieldKind.TEXT_LIST, default=("a", "b")),
    spec("state", FieldKind.CHOICE, choices=("open", "closed"), default="open"),
    spec("day", FieldKind.DATE, default="2026-01-31"),
    spec("link", FieldKind.URL, default="https://example.com"),
)
WITH_LIMITS = (
    spec("views", FieldKind.INTEGER, maximum=Decimal(10**12)),
    spec("code", FieldKind.TEXT, minimum=Decimal(3), maximum=Decimal(10)),
    spec(
        "fee",
        FieldKind.MONEY,
        is_required=True,
        minimum=Decimal("0.01"),
        maximum=Decimal("1000.50"),
    ),
)
EVERY_FIELD = (
    *(_required(kind) for kind in FieldKind),
    *(_optional(kind) for kind in FieldKind),
    *WITH_DEFAULTS,
    *WITH_LIMITS,
)

ALL_KINDS = Blueprint(
    resources=(
        named(
            "sample",
            "samples",
            fields=EVERY_FIELD,
            filter_by=(*(field.name for field in EVERY_FIELD), "created_at", "updated_at"),
            search_in=("text_required", "long_text_optional", "url_required"),
            sort_by=("date_optional", "datetime_required", "price", "updated_at"),
            is_paginated=True,
        ),
    )
)

NESTED = Blueprint(
    resources=(
        named("project", "projects", search_in=("name",)),
        named(
            "task",
            "tasks",
            fields=(TITLE, spec("date", FieldKind.DATE), PRIORITY),
            parents=(Parent(name="project", resource="project"),),
            filter_by=("priority", "project_id"),
            sort_by=("date",),
        ),
        named(
            "comment",
            "comments",
            fields=(spec("body", FieldKind.LONG_TEXT, is_required=True),),
            parents=(
                Parent(name="task", resource="task"),
                Parent(name="reply_to", resource="comment", is_required=False),
            ),
            is_paginated=True,
        ),
        named(
            "label",
            "labels",
            parents=(
                Parent(name="project", resource="project", is_required=False),
                Parent(name="main_task", resource="task", is_required=False),
            ),
        ),
        named(
            "folder",
            "folders",
            parents=(Parent(name="parent", resource="folder", is_required=False),),
        ),
    ),
    user_id="uuid",
)

# Names of types, builtins, SQL's reserved words, Better Auth's tables and our own helpers.
NAMES = Blueprint(
    resources=(
        named(
            "session",
            "sessions",
            fields=(
                spec("list", FieldKind.TEXT),
                spec("str", FieldKind.INTEGER, default=1),
                spec("int", FieldKind.TEXT_LIST, default=()),
                spec("bool", FieldKind.DECIMAL),
                spec("float", FieldKind.BOOLEAN, default=False),
                spec("date", FieldKind.DATE),
                spec("datetime", FieldKind.DATETIME),
                spec("type", FieldKind.CHOICE, choices=("a", "b")),
                spec("order", FieldKind.INTEGER),
                spec("group", FieldKind.TEXT),
                spec("response", FieldKind.TEXT),
                spec("email", FieldKind.EMAIL),
                spec("url", FieldKind.URL),
                spec("text", FieldKind.TEXT),
            ),
            filter_by=("list", "str", "int", "bool", "float", "date", "datetime", "type"),
            sort_by=("order", "datetime"),
        ),
        named("account", "accounts", fields=(spec("balance", FieldKind.MONEY),)),
        named(
            "status",
            "statuses",
            fields=(spec("status", FieldKind.TEXT),),
            parents=(Parent(name="session", resource="session"),),
        ),
        named("error", "errors"),
        named("query", "queries", fields=(spec("data", FieldKind.TEXT),)),
        named(
            "household_shopping_list_item",
            "household_shopping_list_items",
            fields=(
                spec("preferred_supermarket_name", FieldKind.TEXT),
                spec(
                    "urgency_of_the_purchase",
                    FieldKind.CHOICE,
                    choices=("needed today", "needed this week", "needed some day"),
                ),
            ),
            parents=(Parent(name="account", resource="account"),),
            filter_by=("preferred_supermarket_name", "urgency_of_the_purchase"),
            search_in=("preferred_supermarket_name",),
            sort_by=("preferred_supermarket_name",),
            is_paginated=True,
        ),
    ),
    user_id="int",
)

AUTH_ALONE = Blueprint(has_me=True)

AGENTS = Blueprint(
    resources=(
        named(
            "chore",
            "chores",
            fields=(
                TITLE,
                DESCRIPTION,
                COMPLETED,
                PRIORITY,
                spec("due_date", FieldKind.DATE),
                spec("cost", FieldKind.MONEY),
            ),
        ),
        named(
            "event",
            "events",
            fields=(
                spec("place", FieldKind.TEXT),
                spec("deadline", FieldKind.DATETIME),
                spec("priority", FieldKind.CHOICE, choices=("soon", "later")),
            ),
        ),
    ),
    agents=(
        AgentEndpoint(name="suggest-due-date", resource="chore"),
        AgentEndpoint(
            name="suggest-priority",
            resource="chore",
            calls_per_minute=3,
            ability="suggest-priority",
        ),
        AgentEndpoint(name="summarize-chores", resource="chore", ability="summarize"),
        AgentEndpoint(name="suggest-deadline", resource="event"),
        AgentEndpoint(name="rank-event", resource="event", ability="suggest-priority"),
        AgentEndpoint(name="summarize-events", resource="event", ability="summarize"),
    ),
    has_me=True,
)

COMMENTS = Blueprint(
    resources=(
        named(
            "comment",
            "comments",
            fields=(
                spec("content", FieldKind.LONG_TEXT, is_required=True),
                spec("stars", FieldKind.INTEGER),
                spec("tip", FieldKind.MONEY),
                spec("mood", FieldKind.CHOICE, choices=("good", "bad")),
            ),
            parents=(Parent(name="chore", resource="chore"),),
            filter_by=("tip", "created_at"),
            sort_by=("tip",),
            is_paginated=True,
        ),
    ),
)

# Every kind of field once, a parent, and an agent: few enough operations for a quick fuzzer.
FUZZED = Blueprint(
    resources=(
        named(
            "sample",
            "samples",
            fields=(*(_optional(kind) for kind in FieldKind), *WITH_LIMITS),
            parents=(Parent(name="parent", resource="sample", is_required=False),),
            filter_by=("money_optional", "datetime_optional", "choice_optional"),
            search_in=("code",),
            sort_by=("date_optional",),
            is_paginated=True,
        ),
    ),
    agents=(AgentEndpoint(name="summarize", resource="sample", ability="summarize"),),
    has_me=True,
)

# What the tests of behaviour are served.
EVERYTHING = Blueprint(
    resources=(*ALL_KINDS.resources, *NESTED.resources, *AGENTS.resources),
    agents=AGENTS.agents,
    has_me=True,
)

# One for each other way to know the users, with each type of their ids.
OTHER_AUTH = {
    "published keys": TASKS.model_copy(update={"auth": "better-auth-jwks", "user_id": "uuid"}),
    "shared secret": TASKS.model_copy(update={"auth": "better-auth-secret", "user_id": "int"}),
    "own users": TASKS.model_copy(update={"auth": "own"}),
    "own users and agents": AGENTS.model_copy(
        update={"auth": "own", "user_id": "int", "agents": AGENTS.agents[2:3]}
    ),
    "own users alone": AUTH_ALONE.model_copy(update={"auth": "own", "user_id": "uuid"}),
}

NEW_BACKENDS = {
    "fuzzed": FUZZED,
    "tasks": TASKS,
    "all kinds": ALL_KINDS,
    "nested": NESTED,
    "names": NAMES,
    "auth alone": AUTH_ALONE,
    "agents": AGENTS,
    **OTHER_AUTH,
}
