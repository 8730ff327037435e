"""What was understood, in sentences for people."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING

from agent.models.offline.blueprint import Blueprint, FieldKind, FieldSpec, Resource

if TYPE_CHECKING:
    from agent.models.offline.drafts import Draft

SIGNS_IN = (
    "Users sign up at POST /api/auth/sign-up and in at POST /api/auth/sign-in; passwords are "
    "hashed with Argon2."
)


def tell(
    blueprint: Blueprint, drafts: Mapping[str, "Draft"], notes: Iterable[str]
) -> tuple[str, ...]:
    """Return what was understood and what was assumed, a sentence each."""
    sentences: list[str] = []
    for resource in blueprint.resources:
        draft = drafts[resource.singular]
        sentences.append(_fields(resource))
        if draft.has_usual_fields:
            sentences.append(
                f"No fields were given for {_words(resource.plural)}; these are assumed."
            )
        if draft.assumed:
            kinds = {spec.name: spec.kind for spec in resource.fields}
            told = ", ".join(f"{name} ({kinds[name]})" for name in draft.assumed if name in kinds)
            sentences.append(f"Told by the name alone in {_words(resource.plural)}: {told}.")
        sentences += draft.notes
        sentences += _relations(resource)
        sentences += _lists(resource)
    sentences += [
        f"POST /api/agents/{agent.name}: {agent.ability} over the user's {_words(agent.resource)} "
        f"rows, {agent.calls_per_minute} calls per user and minute; plain logic, no language model."
        for agent in blueprint.agents
    ]
    if blueprint.has_me:
        sentences.append("GET /api/me returns the signed-in user.")
    if blueprint.resources:
        sentences.append("Every row belongs to the signed-in user; nobody else can reach it.")
    return tuple(dict.fromkeys([*sentences, *notes]))


def _words(name: str) -> str:
    return name.replace("_", " ")


def _fields(resource: Resource) -> str:
    fields = ", ".join(map(_field, resource.fields))
    return f"{_words(resource.plural).capitalize()} have {fields}."


def _field(spec: FieldSpec) -> str:
    said: list[str] = []
    if spec.is_required:
        said.append("required")
    if spec.default not in (None, ()):
        said.append(f"default {_value(spec.default)}")
    if spec.minimum is not None and spec.maximum is not None:
        said.append(f"{spec.minimum} to {_size(spec, spec.maximum)}")
    elif spec.minimum is not None:
        said.append(f"at least {_size(spec, spec.minimum)}")
    elif spec.maximum is not None:
        said.append(f"at most {_size(spec, spec.maximum)}")
    if spec.kind is not FieldKind.CHOICE:
        return f"{spec.name} ({', '.join([str(spec.kind), *said])})"
    # A semicolon, so that "required" does not look like a value.
    choices = f"one of {', '.join(spec.choices)}"
    return f"{spec.name} ({'; '.join([choices, *said])})"


def _size(spec: FieldSpec, limit: Decimal) -> str:
    if spec.kind not in {FieldKind.TEXT, FieldKind.LONG_TEXT}:
        return str(limit)
    return f"{limit} character" if limit == 1 else f"{limit} characters"


def _value(default: object) -> str:
    if isinstance(default, bool):
        return "yes" if default else "no"
    return str(default)


def _relations(resource: Resource) -> Iterable[str]:
    one = _words(resource.singular)
    for parent in resource.parents:
        must = "must belong" if parent.is_required else "may belong"
        other = "another" if parent.resource == resource.singular else "a"
        where = f"{_words(parent.resource)} of the same user ({parent.name}_id)"
        yield f"A {one} {must} to {other} {where}."


def _lists(resource: Resource) -> Iterable[str]:
    said = [
        f"{verb} {', '.join(names)}"
        for verb, names in (
            ("filtered by", resource.filter_by),
            ("searched in", resource.search_in),
            ("sorted by", resource.sort_by),
        )
        if names
    ]
    if resource.is_paginated:
        said.append("read in pages with the total")
    if resource.page_size is not None:
        said.append(f"had {resource.page_size} at a time, up to 100 with ?limit=")
    if said:
        yield f"The list of {_words(resource.plural)} can be {'; '.join(said)}."
    if resource.default_sort:
        by, way = resource.default_sort.removeprefix("-"), "ascending"
        way = "descending" if resource.default_sort.startswith("-") else way
        yield f"The list of {_words(resource.plural)} comes sorted by {by}, {way}."
