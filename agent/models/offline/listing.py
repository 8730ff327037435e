"""What lists can do: filters, search, sorting and pages, by the columns that names stand for."""

from decimal import Decimal

from agent.models.offline.blueprint import (
    FieldKind,
)
from agent.models.offline.cast import Cast
from agent.models.offline.defaults import EXTRAS
from agent.models.offline.drafts import Draft, Meaning, draft_of, relation_name
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
    NewestFirst,
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
            _set_page_size(draft, statement.size)
    elif isinstance(statement, NewestFirst):
        for draft in drafts:
            _keep_newest_first(draft)
    elif isinstance(statement, Searches) and not statement.names:
        _search_everywhere(drafts)
    elif isinstance(statement, Filters | Searches | Sorts):
        for name in statement.names:
            _enable_name(cast, drafts, statement, name)


_MAX_PAGE = 100


def _set_page_size(draft: Draft, size: Decimal | None) -> None:
    if size is None:
        return
    if not 1 <= size <= _MAX_PAGE or size != int(size):
        raise ProblemError(f"A page holds a whole number of rows from 1 to {_MAX_PAGE}.")
    if draft.page_size not in {None, int(size)}:
        raise ProblemError("Two sizes of a page are given.")
    draft.page_size = int(size)


_DATES = frozenset({FieldKind.DATE, FieldKind.DATETIME})


def _keep_newest_first(draft: Draft) -> None:
    """Check that no other order is given, unless by a date of which the newest comes first."""
    draft.is_newest_first = True
    _check_order(draft)


def _check_order(draft: Draft) -> None:
    dates = {spec.name for spec in draft.specs if spec.kind in _DATES} | set(_TIMES)
    orders = {"", *(f"-{name}" for name in dates)}
    if draft.is_newest_first and draft.default_sort not in orders:
        raise ProblemError(f"Two default orders are given for {draft.plural.replace('_', ' ')}.")


def _set_default_sort(draft: Draft, key: str, first: str) -> None:
    kind = next((spec.kind for spec in draft.specs if spec.name == key), FieldKind.DATETIME)
    if first == "newest" and kind not in _DATES:
        return  # of the rows themselves, as every list is
    if first == "oldest" and kind not in _DATES:
        raise ProblemError(f'"{key}" is no date, so it has no oldest value to come first.')
    default = key if first in {"+", "oldest"} else f"-{key}"
    if draft.default_sort not in {"", default}:
        raise ProblemError(f"Two default orders are given for {draft.plural.replace('_', ' ')}.")
    draft.default_sort = default
    _check_order(draft)


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
        if isinstance(statement, Sorts) and statement.first:
            _set_default_sort(draft, key, statement.first)


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
    is_parent = key in {f"{relation_name(draft, parent)}_id" for parent in draft.parents}
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
    if draft.singular in draft.parents and name.words in {("parent",), ("parent", draft.singular)}:
        return "parent_id"
    if parent in draft.parents and parent != draft.singular:
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
