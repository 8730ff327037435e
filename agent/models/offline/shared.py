"""The types that request bodies and query parameters share."""

from collections.abc import Iterable

SHARED = frozenset(
    {
        "Amount", "BigInteger", "Date", "Email", "Integer", "Key", "ListQuery", "MAX_INTEGER",
        "MIN_INTEGER", "Money", "Number", "RequestBody", "RowId", "SearchText", "Text", "Url",
        "UtcDatetime", "VisibleText",
    }
)  # fmt: skip


def with_dependencies(names: Iterable[str]) -> frozenset[str]:
    """Return the shared types with the ones that they are made of."""
    needed = set(names)
    if "Integer" in needed:
        needed.add("MIN_INTEGER")
    return frozenset(needed)
