"""Request values from JSON schemas: deterministic but for one marker, and valid at first try.

Source: JSON Schema 2020-12 as FastAPI and Pydantic write it.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from validators.probes.operations import Document, Parameter, Schema
from validators.probes.requests.values.context import MISSING, TEXT, FillId, Filling
from validators.probes.requests.values.examples import with_examples
from validators.probes.requests.values.fitting import item_schemas, key_of
from validators.probes.requests.values.moments import asked
from validators.probes.requests.values.names import words
from validators.probes.requests.values.numbers import fits_number, number
from validators.probes.requests.values.options import kind_of, options
from validators.probes.requests.values.order import put_in_order
from validators.probes.requests.values.patterns import is_slow
from validators.probes.requests.values.texts import fits_text, is_json, json_text, other_texts, text

__all__ = [
    "MISSING", "TEXT", "FillId", "Filling", "Payloads", "fits_number", "fits_text", "is_slow",
]  # fmt: skip

_DEEPEST, _TOO_DEEP = 6, 12
# How many values a body holds at most, and a list of them.
_MOST_VALUES, _MOST_ITEMS = 2_000, 200
_CONSENT = frozenset({"accept", "accepted", "accepts", "agree", "agreed", "terms", "consent"})


class Payloads:
    """Makes values for the schemas of one document."""

    def __init__(self, document: Document) -> None:
        self._document = document

    def body(self, schema: Schema, filling: Filling) -> Any:  # noqa: ANN401
        """Return a body, or `MISSING` where a required id cannot be had."""
        # A list by itself can only mean the operation's own rows.
        return _Maker(self._document, filling).value("ids", schema, filling, _Place())

    def parameter(self, name: str, schema: Schema, filling: Filling) -> Any:  # noqa: ANN401
        """Return a value for a path or query parameter, or `MISSING`."""
        wanted = replace(filling, when=asked)
        return _Maker(self._document, wanted).named(name, schema, wanted, _Place())

    def put_in_order(
        self,
        parameters: Iterable[Parameter],
        values: dict[str, Any],
        fixed: Collection[str] = (),
    ) -> None:
        """Change the values of parameters so that a start comes before its end.

        Args:
            parameters: What is declared.
            values: What is changed, by the parameters' names.
            fixed: The names of values that stay as they are.
        """
        schemas = {each.name: each.schema for each in parameters}
        put_in_order(self._document, schemas, values, fixed)

    def alternatives(self, schema: Schema, filling: Filling) -> Iterator[Any]:
        """Yield other values for a property that the backend refused."""
        found = [each for each in options(self._document, schema) if kind_of(each) != "null"]
        kinds = {kind_of(option) for option in found}
        formats = {str(option.get("format", "")) for option in found}
        day = datetime.now(UTC) + timedelta(days=30 + filling.index)
        if "date-time" in formats:
            yield from (day.isoformat(), day.replace(year=2020).isoformat())
            yield day.replace(tzinfo=None).isoformat()
        elif "date" in formats:
            yield from (day.date().isoformat(), day.replace(year=2020).date().isoformat())
        elif kinds & {"integer", "number"}:
            yield from (1, 0, 10, 100, 2, 50)
        elif "string" in kinds:
            for option in found:
                yield from other_texts(option, filling)


@dataclass(frozen=True)
class _Place:
    """Where in a body a value stands.

    Attributes:
        depth: How deep.
        around: Tells the objects apart that it is in.
    """

    depth: int = 0
    around: tuple[int, ...] = ()

    def below(self, schema: Schema) -> "_Place":
        """Return the place of a value in an object or a list with this schema."""
        return _Place(self.depth + 1, (*self.around, _identity(schema)))

    @property
    def is_deep(self) -> bool:
        """Whether what may be left out is better left out."""
        return self.depth >= _DEEPEST

    def is_in(self, schema: Schema) -> bool:
        """Tell whether an object with this schema is around already."""
        return "properties" in schema and _identity(schema) in self.around


def _identity(schema: Schema) -> int:
    # References that are resolved twice still share their properties.
    return id(schema.get("properties", schema))


class _Maker:
    """Makes the values of one body, so many and no more."""

    def __init__(self, document: Document, filling: Filling) -> None:
        self._document = document
        self._overrides = filling.overrides
        self._left = _MOST_VALUES

    def named(self, name: str, schema: Schema, filling: Filling, place: _Place) -> Any:  # noqa: ANN401
        """Return the value of a property or parameter."""
        if name in self._overrides:
            return self._overrides[name]
        known = filling.fill_id(name, schema)
        return self.value(name, schema, filling, place) if known is None else known

    def value(self, name: str, schema: Schema, filling: Filling, place: _Place) -> Any:  # noqa: ANN401
        """Return a value for a schema, whatever a row's id may be."""
        self._left -= 1
        option = self._choose(schema, filling, place)
        if "const" in option:
            return option["const"]
        choices = option.get("enum")
        if isinstance(choices, list) and choices:
            return choices[filling.index % len(choices)]
        match kind_of(option):
            case "boolean":
                return bool(filling.index % 2) or bool(_CONSENT & {*words(name)})
            case "integer" | "number":
                return number(name, option, filling.index)
            case "array":
                return self._array(name, option, filling, place)
            case "object":
                return self._object(name, option, filling, place)
            case "null":
                return None
            case "string" if is_json(option):
                return json_text(
                    option, lambda inner: self.value(name, inner, filling, place.below(option))
                )
        return text(name, option, filling)

    def _choose(self, schema: Schema, filling: Filling, place: _Place) -> Schema:
        """Return the branch of a schema to follow: each in its turn, where there are objects."""
        found = options(self._document, schema)
        several = [option for option in found if kind_of(option) != "null"]
        if not several:
            return found[0]
        new = [option for option in several if not place.is_in(option)]
        is_last = place.is_deep or self._left <= 0
        if len(several) < len(found) and (not new or is_last):
            return found[-1]
        several = new or several
        if all(kind_of(option) == "object" for option in several):
            return several[filling.index % len(several)]
        if is_last:
            flat = [option for option in several if kind_of(option) not in ("object", "array")]
            several = flat or several
        # A number of bytes rather than a text that spells one.
        return next((option for option in several if "pattern" not in option), several[0])

    def _array(self, name: str, option: Schema, filling: Filling, place: _Place) -> Any:  # noqa: ANN401
        first = option.get("prefixItems")
        fixed = len(first) if isinstance(first, list) else 0
        least = max(_count(option, "minItems"), fixed)
        rest = self._document.resolve(option.get("items") or {})
        # A list that is asked for holds something even where little is: a form has no empty lists.
        is_short = place.is_deep or self._left <= 0
        if not least and (is_short or option.get("maxItems") == 0 or self._is_around(rest, place)):
            return []
        if place.depth > _TOO_DEEP:
            return []
        found: list[Any] = []
        count = min(max(1, least), _MOST_ITEMS)
        schemas = item_schemas(option, count)
        below = place.below(option)
        # Where items must differ, some are made in vain.
        for number_ in range(count if not option.get("uniqueItems") else 3 * count):
            schema = self._document.resolve(schemas[min(number_, count - 1)])
            item = self._item(name, schema, replace(filling, index=filling.index + number_), below)
            if item is MISSING:
                return MISSING if least else []
            if not option.get("uniqueItems") or key_of(item) not in map(key_of, found):
                found.append(item)
            if len(found) == count or self._left <= -_MOST_VALUES:
                break
        return found or MISSING

    def _is_around(self, schema: Schema, place: _Place) -> bool:
        return all(place.is_in(option) for option in options(self._document, schema))

    def _item(self, name: str, schema: Schema, filling: Filling, place: _Place) -> Any:  # noqa: ANN401
        # `tag_ids` holds what `tag_id` means; `ids` alone stays, as `id` is the object's own.
        singular = name if name == "ids" else _singular(name)
        if name != "ids" and not name.lower().endswith("ids") and _may_be_row(schema):
            # `tags` that are numbers are rows as well.
            known = filling.fill_id(f"{singular}_id", schema)
            if known is not None:
                return known
        return self.named(singular, schema, filling, place)

    def _object(self, name: str, option: Schema, filling: Filling, place: _Place) -> Any:  # noqa: ANN401
        found: dict[str, Any] = {}
        if place.depth > _TOO_DEEP or self._left <= -_MOST_VALUES:
            return found
        below = place.below(option)
        is_short = filling.is_minimal or place.is_deep or self._left <= 0
        schemas = {}
        for each, plain, is_required in self._document.properties(option):
            if is_short and not is_required and each not in self._overrides:
                continue
            schemas[each] = with_examples(plain, option, each)
            value = self.named(each, schemas[each], filling, below)
            if value is MISSING and is_required:
                return MISSING
            if value is not MISSING:
                found[each] = value
        if not option.get("properties") and option.get("additionalProperties") is not False:
            return self._map(name, option, filling, below)
        put_in_order(self._document, schemas, found, self._overrides)
        return found

    def _map(self, name: str, option: Schema, filling: Filling, place: _Place) -> Any:  # noqa: ANN401
        """Return an object with keys that nobody declared."""
        least = _count(option, "minProperties")
        if not least and (filling.is_minimal or place.is_deep or self._left <= 0):
            return {}
        keys, values = self._kinds(option)
        if not least and self._is_around(values, place):
            return {}
        found: dict[str, Any] = {}
        count = min(max(1, least), _MOST_ITEMS)
        for number_ in range(3 * count):
            each = replace(filling, index=filling.index + number_)
            key = str(self.value("key", keys, each, place)) if keys else str(1 + each.index)
            value = self.named(_singular(name), values, each, place)
            if value is MISSING:
                return MISSING if least else {}
            found.setdefault(key, value)
            if len(found) == count or self._left <= -_MOST_VALUES:
                break
        return found

    def _kinds(self, option: Schema) -> tuple[Schema, Schema]:
        """Return the schemas of the keys, which may be empty, and of the values of a map."""
        patterns = option.get("patternProperties")
        if isinstance(patterns, Mapping) and patterns:
            pattern, values = next(iter(patterns.items()))
            return {"type": "string", "pattern": pattern}, self._document.resolve(values)
        keys = self._document.resolve(option.get("propertyNames") or {})
        values = self._document.resolve(option.get("additionalProperties") or {})
        if keys and "enum" not in keys and "const" not in keys:
            keys = {"type": "string", **keys}
        return keys, values


def _count(option: Schema, name: str) -> int:
    value = option.get(name)
    return value if isinstance(value, int) else 0


def _singular(name: str) -> str:
    return f"{name[:-3]}y" if name.endswith("ies") else name.removesuffix("s")


def _may_be_row(schema: Schema) -> bool:
    """Tell whether a schema is that of a key: a bare number or a UUID."""
    if "enum" in schema or "const" in schema:
        return False
    return schema.get("type") == "integer" or schema.get("format") in ("uuid", "uuid4", "uuid7")
