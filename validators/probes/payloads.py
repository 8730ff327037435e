"""Request values from JSON schemas: deterministic but for one marker, and valid at first try.

Source: JSON Schema 2020-12 as FastAPI and Pydantic write it.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final
from uuid import NAMESPACE_URL, uuid5

from validators.probes.operations import Document, Schema


class _Missing:
    """What stands for a value that cannot be had."""

    def __repr__(self) -> str:
        return "MISSING"


MISSING: Final = _Missing()
# Given a property's name and schema, returns a row's id; None where the name is no id.
FillId = Callable[[str, Schema], Any]

_DEEPEST = 6
_LONGEST = 100_000
# Patterns that may take for ever on a text that they do not match: a group that is repeated, many
# repetitions, and references back.
_SLOW_PATTERN = re.compile(r"\)[*+{]|\\[1-9]|\(\?P=")
_REPETITION = re.compile(r"[*+]|\{\d*,\d*\}")
_MOST_REPETITIONS = 4
TEXT = "Water the plants"
# What semantic validators ask for that a schema does not show, by a part of the name.
_BY_NAME = {
    "email": "bystander@example.com", "url": "https://example.com/{marker}",
    "link": "https://example.com/{marker}", "website": "https://example.com/{marker}",
    "colo": "#3366ff", "currency": "EUR", "country": "DE", "phone": "+4915112345678",
    "timezone": "Europe/Berlin", "language": "en", "locale": "en", "slug": "{marker}",
    "username": "{marker}", "password": "Str0ng-{marker}!", "cron": "0 6 * * *",
}  # fmt: skip
_OTHERS = (
    "{marker}", "EUR", "#3366ff", "https://example.com/{marker}", "bystander@example.com",
    "2030-05-17", "2030-05", "10:30", "en", "DE", "Europe/Berlin", "+4915112345678", "12345",
    "12.50", "abc", "ABC", "Abc-123", "A", "a", "1", "Str0ng-{marker}!", "2030-05-17T10:30:00Z",
)  # fmt: skip


@dataclass
class Filling:
    """How one body is filled.

    Attributes:
        marker: Letters that are in every free text, by which a leaked value is known again.
        fill_id: Finds ids of rows.
        is_minimal: Leave out what is not required.
        index: Sets bodies of one operation apart, where values must be unique.
        overrides: Values to take for some property names, whatever their schema says.
    """

    marker: str
    fill_id: FillId
    is_minimal: bool = False
    index: int = 0
    overrides: dict[str, Any] = field(default_factory=dict)


class Payloads:
    """Makes values for the schemas of one document."""

    def __init__(self, document: Document) -> None:
        self._document = document

    def body(self, schema: Schema, filling: Filling) -> Any:  # noqa: ANN401
        """Return a body, or `MISSING` where a required id cannot be had."""
        # A list by itself can only mean the operation's own rows.
        return self._value("ids", schema, filling, 0)

    def parameter(self, name: str, schema: Schema, filling: Filling) -> Any:  # noqa: ANN401
        """Return a value for a path or query parameter, or `MISSING`."""
        return self._named(name, schema, filling, 0)

    def alternatives(self, schema: Schema, filling: Filling) -> Iterator[Any]:
        """Yield other values for a property that the backend refused."""
        options = self._options(schema)
        kinds = {str(option.get("type", "")) for option in options}
        formats = {str(option.get("format", "")) for option in options}
        day = datetime.now(UTC) + timedelta(days=30 + filling.index)
        if "date-time" in formats:
            yield from (day.isoformat(), day.replace(year=2020).isoformat())
            yield day.replace(tzinfo=None).isoformat()
        elif "date" in formats:
            yield from (day.date().isoformat(), day.replace(year=2020).date().isoformat())
        elif kinds & {"integer", "number"}:
            yield from (1, 0, 10, 100, 2, 50)
        elif "string" in kinds:
            for text in _OTHERS:
                value = text.format(marker=filling.marker)
                if any(fits_text(value, option) for option in options):
                    yield value

    def _options(self, schema: Schema) -> list[Schema]:
        """Return the schemas that a value may follow, `null` aside."""
        resolved = self._document.flatten(schema)
        several = resolved.get("anyOf") or resolved.get("oneOf")
        if not isinstance(several, list):
            return [resolved]
        found = [option for each in several for option in self._options(each)]
        values = [option for option in found if option.get("type") != "null"]
        return values or found or [resolved]

    def _named(self, name: str, schema: Schema, filling: Filling, depth: int) -> Any:  # noqa: ANN401
        if name in filling.overrides:
            return filling.overrides[name]
        known = filling.fill_id(name, schema)
        return self._value(name, schema, filling, depth) if known is None else known

    def _value(self, name: str, schema: Schema, filling: Filling, depth: int) -> Any:  # noqa: ANN401
        option = self._options(schema)[0]
        if "const" in option:
            return option["const"]
        choices = option.get("enum")
        if isinstance(choices, list) and choices:
            return choices[filling.index % len(choices)]
        kind = option.get("type")
        if isinstance(kind, list):
            kind = next((each for each in kind if each != "null"), "string")
        match kind:
            case "boolean":
                return bool(filling.index % 2)
            case "integer" | "number":
                return _number(name, option, filling.index, is_whole=kind == "integer")
            case "array":
                return self._array(name, option, filling, depth)
            case "object":
                return self._object(option, filling, depth)
            case "null":
                return None
            case "string":
                return _text(name, option, filling)
        return self._object(option, filling, depth) if "properties" in option else TEXT

    def _array(self, name: str, option: Schema, filling: Filling, depth: int) -> Any:  # noqa: ANN401
        least = option.get("minItems", 0)
        if depth >= _DEEPEST or (filling.is_minimal and not least):
            return []
        item = self._document.resolve(option.get("items") or {})
        # `tag_ids` holds what `tag_id` means; `ids` alone stays, as `id` is the object's own.
        singular = name if name == "ids" else name.removesuffix("s")
        value = self._named(singular, item, filling, depth + 1)
        if value is MISSING:
            return MISSING if least else []
        return [value] if isinstance(value, dict) else [value] * max(1, min(least, 3))

    def _object(self, option: Schema, filling: Filling, depth: int) -> Any:  # noqa: ANN401
        found: dict[str, Any] = {}
        if depth >= _DEEPEST:
            return found
        for name, schema, is_required in self._document.properties(option):
            if filling.is_minimal and not is_required and name not in filling.overrides:
                continue
            value = self._named(name, schema, filling, depth + 1)
            if value is MISSING and is_required:
                return MISSING
            if value is not MISSING:
                found[name] = value
        return found


def _number(name: str, schema: Schema, index: int, *, is_whole: bool) -> int | float:
    now = datetime.now(UTC)
    hints = {
        "year": now.year,
        "month": 1 + index % 12,
        "day": 1 + index % 28,
        "page": 1,
        "offset": 0,
    }
    hinted = next((value for hint, value in hints.items() if hint in name.lower()), None)
    value = Decimal(hinted if hinted is not None else 3 + index)
    step = Decimal(1) if is_whole else Decimal("0.01")
    low = _bound(schema, "minimum", "exclusiveMinimum", step)
    high = _bound(schema, "maximum", "exclusiveMaximum", -step)
    if low is not None and value < low:
        value = low + (index if high is None or low + index <= high else 0)
    if high is not None and value > high:
        value = high
    multiple = schema.get("multipleOf")
    if isinstance(multiple, int | float) and multiple:
        value -= value % Decimal(str(multiple))
        if low is not None and value < low:
            value += Decimal(str(multiple))
    return int(value) if is_whole else float(value)


def _bound(schema: Schema, name: str, exclusive: str, step: Decimal) -> Decimal | None:
    if isinstance(schema.get(exclusive), int | float):
        return Decimal(str(schema[exclusive])) + step
    return Decimal(str(schema[name])) if isinstance(schema.get(name), int | float) else None


def _text(name: str, schema: Schema, filling: Filling) -> str:
    formatted = _formatted(str(schema.get("format", "")), filling)
    if formatted is not None:
        return formatted
    hinted = [value for hint, value in _BY_NAME.items() if hint in name.lower()]
    plain = f"{TEXT} {{marker}} {filling.index}"
    literal = str(schema.get("pattern", "")).strip("^$")
    if is_slow(literal):
        # Letters alone fit most of what is asked for in this way.
        plain = "{marker}"
    for text in (*hinted, plain, *([literal] if literal.isalnum() else []), *_OTHERS):
        value = text.format(marker=filling.marker)
        if fits_text(value, schema):
            return value
    return _cut(plain.format(marker=filling.marker), filling.marker, schema)


def _cut(value: str, marker: str, schema: Schema) -> str:
    """Return a text of the length that a schema asks for; no pattern is met."""
    most = schema.get("maxLength")
    least = schema.get("minLength")
    if isinstance(most, int) and len(value) > most:
        value = (marker or TEXT)[:most]
    if isinstance(least, int) and len(value) < least <= _LONGEST:
        value = (value * (least // max(len(value), 1) + 1))[:least]
    return value


def fits_number(value: float, schema: Schema) -> bool:
    """Tell whether a number keeps a schema's limits."""
    exact = Decimal(str(value))
    step = Decimal(1) if schema.get("type") == "integer" else Decimal("0.01")
    low = _bound(schema, "minimum", "exclusiveMinimum", step)
    high = _bound(schema, "maximum", "exclusiveMaximum", -step)
    multiple = schema.get("multipleOf")
    if isinstance(multiple, int | float) and multiple and exact % Decimal(str(multiple)):
        return False
    return (low is None or exact >= low) and (high is None or exact <= high)


def fits_text(value: str, schema: Schema) -> bool:
    """Tell whether a text has a schema's length and pattern."""
    least, most = schema.get("minLength"), schema.get("maxLength")
    if isinstance(least, int) and len(value) < least:
        return False
    if isinstance(most, int) and len(value) > most:
        return False
    pattern = schema.get("pattern")
    if not isinstance(pattern, str) or is_slow(pattern):
        return True
    try:
        return re.search(pattern, value) is not None
    except (re.error, RecursionError, OverflowError):
        return True


def is_slow(pattern: str) -> bool:
    """Tell whether a pattern, which comes from untrusted code, may take for ever to match."""
    is_long = len(_REPETITION.findall(pattern)) > _MOST_REPETITIONS
    return is_long or _SLOW_PATTERN.search(pattern) is not None


def _formatted(kind: str, filling: Filling) -> str | None:
    day = datetime.now(UTC) - timedelta(days=filling.index)
    match kind:
        case "date-time":
            return day.replace(microsecond=0).isoformat()
        case "date":
            return day.date().isoformat()
        case "time":
            return "10:30:00"
        case "duration":
            return "PT1H"
        case "email":
            return "bystander@example.com"
        case "uri" | "url" | "http-url":
            return f"https://example.com/{filling.marker}"
        case "uuid":
            return str(uuid5(NAMESPACE_URL, f"{filling.marker}{filling.index}"))
        case "ipv4":
            return "192.0.2.1"
        case "ipv6":
            return "2001:db8::1"
    return None
