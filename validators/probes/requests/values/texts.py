"""Texts: by their format, pattern, length and name, and by what their author declared.

Source: JSON Schema 2020-12 validation, sections 6.3 and 9.
"""

import json
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from validators.probes.operations import Schema
from validators.probes.requests.values.context import TEXT, Filling
from validators.probes.requests.values.formats import formatted
from validators.probes.requests.values.moments import moment
from validators.probes.requests.values.names import hinted, is_free, is_unique, moment_kind
from validators.probes.requests.values.patterns import matches, texts

_LONGEST = 100_000
_OTHERS = (
    "{word}", "EUR", "#3366ff", "https://example.com/{word}", "bystander@example.com",
    "2030-05-17", "2030-05", "10:30", "en", "DE", "Europe/Berlin", "+4915112345678", "12345",
    "12.50", "abc", "ABC", "Abc-123", "A", "a", "1", "Str0ng-{word}!", "2030-05-17T10:30:00Z",
)  # fmt: skip
# Given a schema, returns a value for it.
Make = Callable[[Schema], Any]


def text(name: str, schema: Schema, filling: Filling) -> str:
    """Return a text for a schema: the first that fits, of those that are thought of.

    Args:
        name: What the text is called.
        schema: Its schema, of the type `string`.
        filling: Whose text it is.
    """
    for value in _candidates(name, schema, filling):
        if fits_text(value, schema):
            return value
    return _cut(filling, schema)


def json_text(schema: Schema, make: Make) -> str:
    """Return a text that holds a value as JSON.

    Args:
        schema: The schema of the text, which has the value's in it (section 8.5).
        make: Makes the value.
    """
    inner = schema.get("contentSchema")
    return json.dumps(make(inner if isinstance(inner, dict) else {}))


def is_json(schema: Schema) -> bool:
    """Tell whether a text holds a value as JSON."""
    return schema.get("contentMediaType") == "application/json"


def other_texts(schema: Schema, filling: Filling) -> Iterator[str]:
    """Yield texts that somebody may ask for: declared ones, made ones, usual ones."""
    candidates = (
        *declared(schema),
        *_made(schema, filling),
        *map(partial(_told, filling), _OTHERS),
    )
    yield from (each for each in candidates if fits_text(each, schema))


def _candidates(name: str, schema: Schema, filling: Filling) -> Iterator[str]:
    known = formatted(str(schema.get("format", "")), name, filling)
    if known is not None:
        yield from _better(known, schema)
        yield known
    hint = hinted(name)
    examples = declared(schema)
    first = examples[filling.index % len(examples)] if examples else None
    if hint is not None:
        if first is not None and "{" not in hint:
            yield first
        yield _told(filling, hint)
    if isinstance(schema.get("pattern"), str):
        yield from _patterned(name, schema, filling, first)
    elif hint is None:
        yield from _bare(name, schema, filling, first)
    yield from (filling.line, filling.distinct, *map(partial(_told, filling), _OTHERS))


def _better(known: str, schema: Schema) -> list[str]:
    """Return the examples, where they have another scheme than a web address."""
    is_web = known.startswith("https://")
    return [
        each
        for each in declared(schema)
        if is_web and "://" in each and not each.startswith(("http:", "https:"))
    ]


def _patterned(name: str, schema: Schema, filling: Filling, example: str | None) -> Iterator[str]:
    """Yield texts that may match: with the marker, the author's own, made ones."""
    yield from (filling.line, filling.distinct)
    made = []
    for each in _made(schema, filling):
        if filling.word in each.lower():
            yield each
        else:
            made.append(each)
    if example is not None and (not filling.index or not is_unique(name)):
        yield example
    yield from made
    literal = str(schema["pattern"]).strip("^$")
    yield from (each for each in (example, literal) if each)


def _bare(name: str, schema: Schema, filling: Filling, example: str | None) -> Iterator[str]:
    """Yield texts for a schema that says no more than that it is a text."""
    if is_free(name):
        return
    kind = moment_kind(name)
    if kind is not None:
        yield from ([example] if example is not None else [])
        value = moment(kind, name, filling.when(name), filling.index)
        yield value.removesuffix(":00") if kind == "time" else value
    default = schema.get("default")
    # A text that stands for what is left out is a word of the author's, such as a unit.
    if isinstance(default, str) and default:
        yield default


def _made(schema: Schema, filling: Filling) -> Iterator[str]:
    pattern = schema.get("pattern")
    if isinstance(pattern, str):
        least = min(_length(schema, "minLength") or 0, _LONGEST)
        seed = f"{filling.seed} {filling.index}"
        yield from texts(pattern, filling.word, seed, least)


def declared(schema: Schema) -> list[str]:
    """Return the texts that a schema's author gave as examples, the default last."""
    several = schema.get("examples")
    found = [*several] if isinstance(several, list) else []
    found += [schema.get("example"), schema.get("default")]
    return [each for each in found if isinstance(each, str) and each]


def _told(filling: Filling, template: str) -> str:
    return template.format(word=filling.word, distinct=filling.distinct)


def _cut(filling: Filling, schema: Schema) -> str:
    """Return a text of the length that a schema asks for; no pattern is met."""
    value = filling.line
    most = _length(schema, "maxLength")
    least = _length(schema, "minLength")
    if most is not None and len(value) > most:
        value = filling.word[:most]
        if filling.index and 0 < most < len(filling.distinct):
            value = filling.word[: most - 1] + filling.distinct[-1]
    if least is not None and len(value) < least <= _LONGEST:
        value = ((value or TEXT) * (least // max(len(value), 1) + 1))[:least]
    return value


def fits_text(value: str, schema: Schema) -> bool:
    """Tell whether a text has a schema's length and pattern, as far as that can be told."""
    least, most = _length(schema, "minLength"), _length(schema, "maxLength")
    if (least is not None and len(value) < least) or (most is not None and len(value) > most):
        return False
    pattern = schema.get("pattern")
    return not isinstance(pattern, str) or matches(pattern, value) is not False


def _length(schema: Schema, name: str) -> int | None:
    value = schema.get(name)
    return value if isinstance(value, int) else None
