"""Rules for the order in which a list comes, and for its pages."""

from decimal import Decimal

from agent.models.offline.cursor import Cursor, attempt
from agent.models.offline.phrasebook import (
    DIRECTION,
    GENERIC,
    GREATEST_FIRST,
    NEWEST_FIRST,
    OLDEST_FIRST,
    PAGINATES,
    PAGINATION_DETAILS,
    PAGINATION_DETAILS_2,
    SMALLEST_FIRST,
)
from agent.models.offline.phrases import name_list, noun_phrase, number
from agent.models.offline.statements import Name, NewestFirst, Paginates, Sorts


def sorts(cursor: Cursor) -> Sorts | None:
    """Read "sort by due date", "sortable by name or price", "ordering on created_at"."""
    is_default = cursor.phrase("by default") and (cursor.take(",") or True)
    cursor.take("a", "the", "be")
    is_default = cursor.take("default") or is_default
    if not cursor.take(
        *("sort", "sorts", "sorting", "sorted", "sortable", "order", "ordering", "ordered"),
        *("orderable", "arranged"),
    ):
        return None
    cursor.phrase("options", "option", "support")
    cursor.take("order") if is_default else None
    subjects = list_owner(cursor)
    links = ("by", "on", "for", "using", ":", "via", *(("is", "should be") if is_default else ()))
    if not cursor.take(*links):
        return None
    cursor.take("by") if is_default else None
    names: tuple[Name, ...] = ()
    while True:
        found = name_list(cursor)
        names += found
        directed = _direction(cursor)
        start = cursor.position
        if not (found and directed and cursor.separator()) or cursor.is_done:
            cursor.position = start
            break
    first = _first(cursor) or ("+" if is_default else "")
    if not names or (first and len(names) > 1):  # of two orders only one can come first
        return None
    return Sorts(names, first, subjects=subjects)


def _first(cursor: Cursor) -> str:
    """Read which end of an order comes first: "descending", ", newest first by default"."""
    start, first = cursor.position, ""
    for phrases, sign in (
        *((GREATEST_FIRST, "-"), (SMALLEST_FIRST, "+")),
        *((NEWEST_FIRST, "newest"), (OLDEST_FIRST, "oldest")),
    ):
        cursor.take(",", "with", "and") if not first else None
        if not first and cursor.phrase(*phrases):
            first = sign
            cursor.phrase("by default", "as the default", "as default", "as a default")
            cursor.phrase("( by default )", "( default )", "order by default")
        elif not first:
            cursor.position = start
    return first


def oldest_first(cursor: Cursor) -> Sorts | None:
    """Read "oldest first", by the time when a row was made."""
    cursor.phrase("sort", "sorted", "order", "ordered", "list", "listed", "show")
    subjects = list_owner(cursor)
    cursor.take("the", "by", "with")
    # "soonest first" speaks of a date of theirs
    if cursor.peek() in {"earliest", "soonest"} or not cursor.phrase(*OLDEST_FIRST):
        return None
    cursor.phrase("by default")
    return Sorts((Name(("created", "at")),), "+", subjects=subjects)


def newest_first(cursor: Cursor) -> NewestFirst | None:
    """Read "newest first", which every list is."""
    cursor.phrase("sort", "sorted", "order", "ordered", "list", "listed", "show")
    rows = list_owner(cursor)
    cursor.take("the", "by", "with")
    found = cursor.phrase(*NEWEST_FIRST)
    cursor.phrase("by default")
    return NewestFirst(subjects=rows) if found else None


def paginates(cursor: Cursor) -> Paginates | None:
    """Read "pagination with a total count", "paginated", "page through the results"."""
    cursor.take("a", "the", "simple", "proper")
    cursor.phrase("limit and offset", "limit / offset", "limit-offset", "offset", "page-based")
    if not cursor.phrase(*PAGINATES):
        return None
    cursor.phrase("support", "parameters", "params")
    subjects = list_owner(cursor)
    _pagination_details(cursor)
    size = attempt(cursor, _page_size)
    _pagination_details(cursor)
    return Paginates(size, subjects=subjects)


def page_size(cursor: Cursor) -> Paginates | None:
    """Read "20 per page", "a page size of 20", "show 20 tasks per page"."""
    cursor.phrase("show", "return", "list", "returns", "with", "shows")
    size = attempt(cursor, _page_size)
    return None if size is None else Paginates(size)


def _page_size(cursor: Cursor) -> Decimal | None:
    cursor.take(",", "with", "(", "using", "and", "in")
    is_bracketed = cursor.tokens[cursor.position - 1].norm == "(" if cursor.position else False
    cursor.take("a", "the")
    cursor.take("default")
    if cursor.phrase("page size", "page-size", "pages"):
        cursor.phrase("of", "is", ":", "=", "should be")
        value = number(cursor)
        cursor.take("by") and cursor.take("default")
    else:
        value = number(cursor)
        if not cursor.phrase("per page", "a page", "each page"):
            name = attempt(cursor, noun_phrase) if value is not None else None
            generic = {"items", "results", "rows", "entries", "records"}
            if name is None or name.words[-1] not in generic or not cursor.phrase("per page"):
                return None
    cursor.phrase("by default")
    return None if is_bracketed and not cursor.take(")") else value


def totals(cursor: Cursor) -> Paginates | None:
    """Read "a total count", which comes with pages."""
    cursor.take("a", "the")
    found = cursor.phrase(
        "total count", "total number of results", "total number of rows", "total counts"
    )
    cursor.phrase("of results", "of rows", "of items", "of records", "of entries")
    return Paginates() if found else None


def _pagination_details(cursor: Cursor) -> None:
    while True:
        start = cursor.position
        cursor.phrase(*PAGINATION_DETAILS)
        cursor.take("a", "an", "the", "its")
        found = cursor.phrase(*PAGINATION_DETAILS_2)
        if cursor.position == start or not found:
            cursor.position = start
            return


def list_owner(cursor: Cursor) -> tuple[Name, ...]:
    """Read whose list it is: "tasks", "the list of tasks", "the list"."""
    start = cursor.position
    has_link = cursor.take("for", "of", "on", "through", "over")
    cursor.take("all", "the")
    if cursor.phrase(*GENERIC):
        start = cursor.position
        has_link = cursor.take("of")
        if not has_link:
            return ()
    name = attempt(cursor, noun_phrase)
    if name is None or (cursor.is_at_boundary and not has_link):
        cursor.position = start
        return ()
    return (name,)


def _direction(cursor: Cursor) -> bool:
    start = cursor.position
    cursor.phrase("in", "(", "in either", "in both")
    found = cursor.phrase(*DIRECTION)
    cursor.take(")")
    if not found:
        cursor.position = start
    return found
