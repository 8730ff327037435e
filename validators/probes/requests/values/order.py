"""Values that depend on each other: a start before its end, a password twice."""

from collections.abc import Collection, Iterator, Mapping
from datetime import date, datetime, time, timedelta
from itertools import permutations
from typing import Any

from validators.probes.operations import Document, Schema
from validators.probes.requests.values.fitting import fits
from validators.probes.requests.values.moments import later, read
from validators.probes.requests.values.names import comes_before, repeats
from validators.probes.requests.values.numbers import greater, lesser
from validators.probes.requests.values.options import kind_of, options

_DAYS = (10, 1, 40)
_MOST_NAMES = 60


def put_in_order(
    document: Document,
    schemas: Mapping[str, Schema],
    values: dict[str, Any],
    fixed: Collection[str] = (),
) -> None:
    """Change values so that those whose names mean two ends of one thing are in their order.

    Args:
        document: Resolves references.
        schemas: The schemas of the values.
        values: What is changed, by name.
        fixed: The names of values that stay as they are.
    """
    names = [name for name in values if name in schemas][:_MOST_NAMES]
    for name, other in permutations(names, 2):
        if repeats(name, other):
            _copy(document, schemas, values, (name, other), fixed)
    pairs = [pair for pair in permutations(names, 2) if comes_before(*pair)]
    # Once more, because a chain may be met from its far end.
    for low, high in pairs * 2:
        if not is_in_order(values[low], values[high]):
            _part(document, schemas, values, (low, high), fixed)


def _copy(
    document: Document,
    schemas: Mapping[str, Schema],
    values: dict[str, Any],
    names: tuple[str, str],
    fixed: Collection[str],
) -> None:
    name, other = names
    if name in fixed or not fits(document, schemas[name], values[other]):
        name, other = other, name
    if name not in fixed and fits(document, schemas[name], values[other]):
        values[name] = values[other]


def _part(
    document: Document,
    schemas: Mapping[str, Schema],
    values: dict[str, Any],
    names: tuple[str, str],
    fixed: Collection[str],
) -> None:
    low, high = names
    moves = [(high, above(document, schemas[high], values[low]))]
    moves.append((low, below(document, schemas[low], values[high])))
    for name, others in moves:
        found = None if name in fixed else next(others, None)
        if found is not None:
            values[name] = found
            return


def is_in_order(low: Any, high: Any) -> bool:  # noqa: ANN401
    """Tell whether one value lies before another, or they cannot be compared."""
    first, second = _comparable(low), _comparable(high)
    if first is None or second is None or type(first) is not type(second):
        return True
    try:
        return bool(first < second)
    except TypeError:  # with a time zone and without
        return True


def _comparable(value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return float(value)
    return read(value) if isinstance(value, str) else None


def above(document: Document, schema: Schema, value: Any) -> Iterator[Any]:  # noqa: ANN401
    """Yield values that lie above another."""
    yield from _beyond(document, schema, value, 1)


def below(document: Document, schema: Schema, value: Any) -> Iterator[Any]:  # noqa: ANN401
    """Yield values that lie below another."""
    yield from _beyond(document, schema, value, -1)


def _beyond(document: Document, schema: Schema, value: Any, sign: int) -> Iterator[Any]:  # noqa: ANN401
    for option in options(document, schema):
        kind = kind_of(option)
        if isinstance(value, bool):
            return
        if isinstance(value, int | float) and kind in ("integer", "number"):
            yield from greater(value, option) if sign > 0 else lesser(value, option)
        elif isinstance(value, str) and kind in ("string", ""):
            yield from _moved(document, option, value, sign)


def _moved(document: Document, option: Schema, value: str, sign: int) -> Iterator[str]:
    for days in _DAYS:
        text = _as_asked(option, later(value, timedelta(days=sign * days)))
        if text is not None and fits(document, option, text):
            yield text


def _as_asked(option: Schema, text: str | None) -> str | None:
    """Return a moment as a date or with a time, as a schema asks for it."""
    found = None if text is None else read(text)
    kind = option.get("format")
    if isinstance(found, datetime) and kind == "date":
        return found.date().isoformat()
    if isinstance(found, time) or not isinstance(found, date):
        return text
    is_day = not isinstance(found, datetime)
    return f"{found.isoformat()}T10:30:00+00:00" if is_day and kind == "date-time" else text
