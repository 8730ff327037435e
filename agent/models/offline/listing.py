"""What lists can do: filters, search, sorting and pages, by the columns that names stand for."""

from agent.models.offline.blueprint import (
    FieldKind,
)
from agent.models.offline.cast import Cast
from agent.models.offline.defaults import EXTRAS
from agent.models.offline.drafts import Draft, Meaning, draft_of
from agent.models.offline.nouns import plural_name, singular_name, snake
from agent.models.offline.phrases import is_users
from agent.models.offline.specs import (
    TEXTS,
    ProblemError,
    typed_field,
)
from agent.models.offline.statements import (
    Filters,
    Name,
    Paginates,
    Searches,
    Sorts,
    Statement,
)
from agent.models.offline.usual import usual_statements


def enable(meaning: Meaning, cast: Cast, statement: Statement) -> None:
    """Let a list do what a statement asks for.

    Raises:
        ProblemError: It names a field that is not there or that does not allow it.
    """
    drafts = [
        draft_of(meaning, cast, subject) for subject in statement.subjects if not is_users(subject)
    ]
    drafts = drafts or list(meaning.drafts.values())
    if not drafts and cast.refused:
        return
    if not drafts:
        raise ProblemError("A list is to be filtered, searched, sorted or paged, but of what?")
    if isinstance(statement, Paginates):
        for draft in drafts:
            draft.is_paginated = True
    elif isinstance(statement, Searches) and not statement.names:
        _search_everywhere(drafts)
    elif isinstance(statement, Filters | Searches | Sorts):
        for name in statement.names:
            _enable_name(cast, drafts, statement, name)


def _search_everywhere(drafts: list[Draft]) -> None:
    found = False
    for draft in drafts:
        texts = [spec.name for spec in draft.specs if spec.kind in TEXTS]
        draft.search_in += [name for name in texts if name not in draft.search_in]
        found = found or bool(texts)
    if not found:
        raise ProblemError("There is no text to search in.")


def _enable_name(
    cast: Cast, drafts: list[Draft], statement: Filters | Searches | Sorts, name: Name
) -> None:
    found = [(draft, key) for draft in drafts if (key := _column(cast, draft, name))]
    if not found:
        found = [(draft, key) for draft in drafts if (key := _extra(draft, name))]
    if not found:
        owner = drafts[0].plural.replace("_", " ")
        fields = ", ".join(spec.name for draft in drafts for spec in draft.specs)
        raise ProblemError(f'There is no field "{name}" in {owner} (there are: {fields}).')
    for draft, key in found:
        _check_column(draft, key, statement, name)
        listed = _listed(draft, statement)
        if key not in listed:
            listed.append(key)


def _extra(draft: Draft, name: Name) -> str:
    """Add a field that is usual for such a resource where its fields are assumed anyway."""
    extras = usual_statements(EXTRAS.get(draft.singular, "")) if draft.has_usual_fields else {}
    for key in candidates(name.words):
        if key in extras:
            found = typed_field(key, *extras[key])
            draft.specs = (*draft.specs, found.spec)
            return key
    return ""


def _listed(draft: Draft, statement: Filters | Searches | Sorts) -> list[str]:
    if isinstance(statement, Filters):
        return draft.filter_by
    return draft.search_in if isinstance(statement, Searches) else draft.sort_by


def _check_column(
    draft: Draft, key: str, statement: Filters | Searches | Sorts, name: Name
) -> None:
    kind = next((spec.kind for spec in draft.specs if spec.name == key), FieldKind.DATETIME)
    is_parent = key.endswith("_id") and key[:-3] in draft.parents
    if isinstance(statement, Searches) and (kind not in _SEARCHABLE or is_parent):
        raise ProblemError(f'"{name}" holds no text to search in.')
    if isinstance(statement, Sorts) and (kind is FieldKind.TEXT_LIST or is_parent):
        raise ProblemError(f'A list cannot be sorted by "{name}".')


_SYNONYMS = {
    "completion": "completed",
    "complete": "completed",
    "done": "completed",
    "completion_status": "completed",
    "status": "completed",
    "creation_date": "created_at",
    "created_date": "created_at",
    "date_created": "created_at",
    "creation_time": "created_at",
    "creation": "created_at",
    "created": "created_at",
    "newest": "created_at",
    "date_added": "created_at",
    "updated": "updated_at",
    "last_updated": "updated_at",
    "last_modified": "updated_at",
    "modification_date": "updated_at",
    "update_date": "updated_at",
    "update_time": "updated_at",
}


_SUFFIXES = ("range", "flag", "field", "status", "id", "state", "ranges", "value")


def _column(cast: Cast, draft: Draft, name: Name) -> str:
    """Return the column of a resource that a name stands for, or an empty text."""
    columns = {spec.name for spec in draft.specs} | set(_TIMES)
    parent = cast.key(name)
    if parent in draft.parents:
        return f"{parent}_id"
    words = name.words
    if words[0] == draft.singular and len(words) > 1:
        words = words[1:]
    for candidate in candidates(words):
        if candidate in columns:
            return candidate
    dated = [spec.name for spec in draft.specs if spec.kind in {FieldKind.DATE, FieldKind.DATETIME}]
    if words[0] in {"date", "dates"} and len(dated) == 1 and len(words) <= 2:  # noqa: PLR2004
        return dated[0]
    if len(words) > 1 and words[-1] == "id" and snake(words[:-1]) in draft.parents:
        return f"{snake(words[:-1])}_id"
    return ""


def candidates(words: tuple[str, ...]) -> list[str]:
    """Return the columns that words may stand for, the likeliest first."""
    found = [snake(words), singular_name(words), plural_name(words)]
    if len(words) > 1 and words[-1] in _SUFFIXES:
        found += candidates(words[:-1])
    synonym = _SYNONYMS.get(snake(words))
    return [*found, synonym] if synonym else found


_SEARCHABLE = TEXTS | {FieldKind.URL, FieldKind.EMAIL}


_TIMES = ("created_at", "updated_at")
