"""Numbers within the limits of a schema.

Source: JSON Schema 2020-12 validation, section 6.2.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any

from validators.probes.operations import Schema
from validators.probes.requests.values.names import is_high, words

_SHARES = frozenset({"ratio", "probability", "confidence", "opacity", "fraction"})
_BASE, _WIDER, _MOST_SHIFTS = 3, 20, 50


@dataclass(frozen=True)
class _Limits:
    """The limits of a number, exact.

    Attributes:
        low: The least, or None.
        high: The greatest, or None.
        step: What it must be a multiple of, or None.
        is_low_open: Whether the least itself is out.
        is_high_open: Whether the greatest itself is out.
        is_whole: Whether it has no decimal places.
    """

    low: Fraction | None
    high: Fraction | None
    step: Fraction | None
    is_low_open: bool
    is_high_open: bool
    is_whole: bool

    def hold(self, value: Fraction) -> bool:
        """Tell whether a number keeps the limits."""
        if self.low is not None and (value < self.low or (self.is_low_open and value == self.low)):
            return False
        if self.high is not None and (
            value > self.high or (self.is_high_open and value == self.high)
        ):
            return False
        return self.step is None or (value / self.step).denominator == 1


def _limits(schema: Schema) -> _Limits:
    low, is_low_open = _bound(schema, "minimum", "exclusiveMinimum", max)
    high, is_high_open = _bound(schema, "maximum", "exclusiveMaximum", min)
    step = _exact(schema.get("multipleOf"))
    is_whole = schema.get("type") == "integer"
    step = abs(step) if step else None
    if is_whole:
        # The least multiple of p/q that is whole is p.
        step = Fraction(step.numerator) if step else Fraction(1)
    return _Limits(low, high, step, is_low_open, is_high_open, is_whole)


def _bound(schema: Schema, name: str, exclusive: str, pick: Any) -> tuple[Fraction | None, bool]:  # noqa: ANN401
    closed, opened = _exact(schema.get(name)), _exact(schema.get(exclusive))
    if opened is None:
        return closed, False
    if closed is None:
        return opened, True
    return pick(closed, opened), pick(closed, opened) == opened


def _exact(value: Any) -> Fraction | None:  # noqa: ANN401 - comes from untrusted code
    if isinstance(value, bool) or not isinstance(value, int | float) or not _is_finite(value):
        return None
    # A float means the decimal that it is written as.
    return Fraction(value) if isinstance(value, int) else Fraction(repr(value))


def _is_finite(value: float) -> bool:
    return isinstance(value, int) or math.isfinite(value)


def number(name: str, schema: Schema, index: int) -> int | float:
    """Return a number for a schema.

    Args:
        name: What the number is called.
        schema: Its schema, of the type `integer` or `number`.
        index: Sets numbers of the same name apart.
    """
    limits = _limits(schema)
    declared = _declared(schema, limits, index)
    if declared is not None:
        return declared
    value = next(_candidates(_usual(name, index), limits, index), Fraction(0))
    return _plain(value, limits)


def _declared(schema: Schema, limits: _Limits, index: int) -> int | float | None:
    """Return one of the examples, where a schema leaves an end open."""
    examples = schema.get("examples")
    if not isinstance(examples, list) or (limits.low is not None and limits.high is not None):
        return None
    found = [_plain(each, limits) for each in map(_exact, examples) if each and limits.hold(each)]
    return found[index % len(found)] if found else None


def _usual(name: str, index: int) -> Fraction:
    """Return a number that a name lets expect."""
    parts = words(name)
    last = parts[-1] if parts else ""
    now = datetime.now(UTC)
    hints: dict[str, Fraction | int] = {
        "year": now.year, "month": 1 + (now.month - 1 + index) % 12,
        "day": 1 + (now.day - 1 + index) % 28, "page": 1, "offset": 0,
        "skip": 0, "rating": 1 + (_BASE - 1 + index) % 5, "stars": 1 + (_BASE - 1 + index) % 5,
        "priority": 1 + index % 3, "hour": index % 24, "weekday": index % 7, "port": 8080,
        "latitude": Fraction(105, 2), "lat": Fraction(105, 2), "longitude": Fraction(27, 2),
        "lon": Fraction(27, 2), "lng": Fraction(27, 2),
    }  # fmt: skip
    if last in hints:
        return Fraction(hints[last])
    if last in _SHARES:
        return Fraction(1 + index % 9, 10)
    return Fraction(_BASE + index + (_WIDER if is_high(name) else 0))


def _candidates(wanted: Fraction, limits: _Limits, index: int) -> Iterator[Fraction]:
    """Yield numbers within the limits, the better ones first."""
    low, high, step = limits.low, limits.high, limits.step
    starts = [wanted]
    if low is not None:
        starts += [low + (1 + index) * (step or 1), low + (step or 1), low]
    if low is not None and high is not None:
        starts += [low + (high - low) * (1 + index % 9) / 10, (low + high) / 2]
    if high is not None:
        starts += [high, high - (step or 1)]
    for start in starts:
        near = (
            [start]
            if step is None
            else [step * math.floor(start / step) + step * i for i in (0, 1)]
        )
        yield from (each for each in near if limits.hold(each))


def _plain(value: Fraction, limits: _Limits) -> int | float:
    if limits.is_whole:
        return int(value)
    try:
        return float(value)
    except OverflowError:
        return int(value)


def fits_number(value: float, schema: Schema) -> bool:
    """Tell whether a number keeps a schema's limits."""
    exact = _exact(value)
    if exact is None:
        return False
    limits = _limits(schema)
    if limits.is_whole and exact.denominator != 1:
        return False
    return limits.hold(exact)


def other_numbers(value: float, schema: Schema) -> Iterator[int | float]:
    """Yield numbers near another that keep a schema's limits."""
    limits, exact = _limits(schema), _exact(value)
    if exact is None:
        return
    step = limits.step or Fraction(1)
    shifts = [step, -step, 10 * step, -10 * step, step / 2, -step / 2]
    if limits.low is not None and limits.high is not None:
        width = limits.high - limits.low
        shifts += [width / 10, -width / 10, width / 100, -width / 100]
    for shift in shifts:
        if limits.hold(exact + shift):
            yield _plain(exact + shift, limits)
    for bound in (limits.low, limits.high):
        if bound is not None and bound != exact and limits.hold(bound):
            yield _plain(bound, limits)


def greater(value: float, schema: Schema) -> Iterator[int | float]:
    """Yield numbers above another that keep a schema's limits."""
    yield from (each for each in _shifted(value, schema, 1) if each > value)


def lesser(value: float, schema: Schema) -> Iterator[int | float]:
    """Yield numbers below another that keep a schema's limits."""
    yield from (each for each in _shifted(value, schema, -1) if each < value)


def _shifted(value: float, schema: Schema, sign: int) -> Iterator[int | float]:
    limits, exact = _limits(schema), _exact(value)
    if exact is None:
        return
    step = limits.step or Fraction(1)
    for shift in (10 * step, step, step / 2, step / 100):
        if limits.hold(exact + sign * shift):
            yield _plain(exact + sign * shift, limits)
    end = limits.high if sign > 0 else limits.low
    if end is not None:
        for each in ((exact + end) / 2, end):
            if limits.hold(each):
                yield _plain(each, limits)
