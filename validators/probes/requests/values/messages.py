"""What a backend's own refusal asks for: "end must be after start", "one of: low, high".

The message comes from untrusted code: it is cut, searched in linear time, and few bodies are made.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice, permutations
from typing import Any

from validators.probes.operations import Document, Schema
from validators.probes.requests.payloads import Filling, Payloads
from validators.probes.requests.values.fitting import fits, key_of
from validators.probes.requests.values.moments import read
from validators.probes.requests.values.names import repeats, words
from validators.probes.requests.values.numbers import greater, lesser
from validators.probes.requests.values.options import kind_of, options
from validators.probes.requests.values.order import above, below
from validators.probes.requests.variants import other_values, take_turns

_LONGEST, _MOST_BODIES, _MOST_NAMES, _DEEPEST = 500, 24, 40, 3
_NUMBER = re.compile(r"(?<![\w.])-?\d{1,12}(?:\.\d{1,6})?(?![\w.]*\d)")
_QUOTED = re.compile(r"'([^']{1,60})'|\"([^\"]{1,60})\"|`([^`]{1,60})`")
_CHOICES = re.compile(
    r"\b(?:one of|either|any of|allowed(?: values)?(?: are)?|valid(?: values)?(?: are)?|choose from"
    r"|expected|e\.g\.|such as|supported(?: values)?(?: are)?|options(?: are)?)\b[:\s]*(.{1,300})"
)
_AFTER = re.compile(r"\b(?:after|later|greater|exceed|more than|above|larger|higher|>=?)(?!\w)")
_BEFORE = re.compile(r"\b(?:before|earlier|less|smaller|below|lower|fewer|precede)\b|<")
_SAME = re.compile(r"\b(?:match|same|equal|identical)\w*")
_UNLIKE = re.compile(r"\b(?:differ\w*|not be the same|not be equal|must not match|distinct)\b")
_TIME = re.compile(r"\b(?:future|past)\b")
_NOT = re.compile(r"\b(?:not|never|cannot|can't)\b")
_TAKEN = re.compile(
    r"\b(?:already|taken|unique|duplicate\w*|in use|exists?|conflict\w*|overlap\w*)\b"
)
_NEEDED = re.compile(r"\b(?:required|missing|provided?|empty|blank|specif\w+|must be set)\b")
_FORMS: tuple[tuple[str, tuple[Any, ...]], ...] = (
    (r"yyyy-mm-dd|\biso\b|iso 8601", ("2030-05-17", "2030-05-17T10:30:00+00:00")),
    (r"\bhh:mm\b|24.hour", ("10:30",)), (r"yyyy-mm(?!-)", ("2030-05",)),
    (r"\bhex\b|#rrggbb|colou?r", ("#3366ff",)), (r"\bemail\b", ("bystander@example.com",)),
    (r"\burl\b|https?", ("https://example.com/",)), (r"\bcurrency\b|iso 4217", ("EUR",)),
    (r"upper.?case letter|special char|one digit|one number|stronger", ("Str0ng-Word!9",)),
    (r"alphanumeric", ("abc123",)), (r"\bdigits\b|numeric", ("12345678",)),
    (r"upper.?case", ("ABC",)), (r"lower.?case", ("abc",)),
    (r"e\.?164|\bphone\b", ("+4915112345678",)),
    (r"time.?zone|iana", ("Europe/Berlin",)), (r"accept|agree|must be true|confirm", (True,)),
    (r"\bcron\b", ("0 6 * * *",)), (r"non.?zero|not be (?:zero|0)", (1,)),
)  # fmt: skip


@dataclass(frozen=True)
class _Spot:
    """One property of a body.

    Attributes:
        path: The names and positions on the way to it.
        schema: Its schema.
        value: What it holds, None where it is left out.
    """

    path: tuple[str | int, ...]
    schema: Schema
    value: Any

    @property
    def name(self) -> str:
        """The property's own name."""
        return str(self.path[-1])


def asked_for(document: Document, message: str, schema: Schema, body: Any) -> Iterator[Any]:  # noqa: ANN401
    """Yield bodies that do what a refusal asks for, the likelier first; few, and each once.

    Ids are left as they are, and so is what the message does not speak of.

    Args:
        document: Resolves references.
        message: The refusal's own words, such as FastAPI's `detail`.
        schema: The schema of the body.
        body: The body that was refused.
    """
    if not isinstance(body, dict | list):
        return
    text = message[:_LONGEST]
    spots = [*islice(_spots(document, schema, body, (), 0), _MOST_NAMES)]
    named = sorted(_named(text, spots), key=lambda found: found[0])
    chosen = [spot for _, spot in named]
    changes = _changes(document, text, chosen, spots)
    seen = {key_of(body)}
    for spot, value in islice(changes, 10 * _MOST_BODIES):
        if not fits(document, spot.schema, value):
            continue
        other = _with(body, spot.path, value)
        key = key_of(other)
        if key not in seen:
            seen.add(key)
            yield other
        if len(seen) > _MOST_BODIES:
            return


def _spots(
    document: Document,
    schema: Schema,
    body: Any,  # noqa: ANN401
    path: tuple[str | int, ...],
    depth: int,
) -> Iterator[_Spot]:
    """Yield the properties of a body, the outer ones first."""
    inner: list[tuple[Schema, Any, tuple[str | int, ...]]] = []
    for option in options(document, schema):
        if isinstance(body, dict) and fits(document, option, body):
            for name, each, _ in document.properties(option):
                if not _is_id(name):
                    yield _Spot((*path, name), each, body.get(name))
                inner.append((each, body.get(name), (*path, name)))
            break
        if isinstance(body, list) and body and kind_of(option) == "array":
            inner.append((option.get("items") or {}, body[0], (*path, 0)))
    if depth < _DEEPEST:
        for each, value, place in inner:
            if isinstance(value, dict | list):
                yield from _spots(document, each, value, place, depth + 1)


def _is_id(name: str) -> bool:
    return words(name)[-1:] in (("id",), ("ids",), ("uuid",))


def _named(message: str, spots: list[_Spot]) -> Iterator[tuple[int, _Spot]]:
    """Yield the properties that a message names, with where it does."""
    said = " ".join(words_of(message))
    for spot in spots:
        wanted = " ".join(words(spot.name))
        place = f" {said} ".find(f" {wanted} ")
        if place < 0 and wanted:
            place = f" {said} ".find(f" {wanted}s ")
        if wanted and place >= 0:
            yield place, spot


def words_of(message: str) -> list[str]:
    """Return the words of a message, names such as `due_date` taken apart."""
    return [part for word in re.findall(r"[\w-]+", message) for part in words(word)]


def _changes(
    document: Document, message: str, named: list[_Spot], spots: list[_Spot]
) -> Iterator[tuple[_Spot, Any]]:
    """Yield properties with values for them."""
    text = message.lower()
    yield from _pairs(document, text, named, spots)
    asked: tuple[Callable[[_Spot], Iterator[Any]], ...] = (
        lambda _: _choices(message),
        lambda spot: _moments(document, text, spot),
        lambda spot: _sizes(text, spot, document),
        lambda _: _forms(text),
        lambda spot: _others(document, spot) if _TAKEN.search(text) else iter(()),
        lambda spot: _others(document, spot) if _is_needed(text, spot) else iter(()),
    )
    for values in asked:
        yield from take_turns(_with_values(spot, values) for spot in named or spots)
    for spot in named:
        yield from ((spot, value) for value in _others(document, spot))


def _with_values(
    spot: _Spot, values: Callable[[_Spot], Iterator[Any]]
) -> Iterator[tuple[_Spot, Any]]:
    yield from ((spot, value) for value in values(spot))


def _is_needed(text: str, spot: _Spot) -> bool:
    return spot.value in (None, "", []) and _NEEDED.search(text) is not None


def _pairs(
    document: Document, text: str, named: list[_Spot], spots: list[_Spot]
) -> Iterator[tuple[_Spot, Any]]:
    """Yield values that stand to another property's as a message says."""
    if _SAME.search(text) and not _UNLIKE.search(text):
        alike = [pair for pair in permutations(spots, 2) if repeats(pair[0].name, pair[1].name)]
        for name, other in (*alike, *permutations(named[:2], 2)):
            yield name, other.value
    if len(named) < len(("one", "other")):
        return
    first, second = named[:2]
    if bool(_AFTER.search(text)) == bool(_BEFORE.search(text)):
        return
    # `cannot be before` is `must be after`.
    is_later = bool(_AFTER.search(text)) != bool(_NOT.search(text))
    low, high = (second, first) if is_later else (first, second)
    yield from ((high, value) for value in above(document, high.schema, low.value))
    yield from ((low, value) for value in below(document, low.schema, high.value))


def _choices(message: str) -> Iterator[Any]:
    """Yield what a message lists."""
    found = _CHOICES.search(message) or _CHOICES.search(message.lower())
    if found is None:
        return
    rest = found[1]
    quoted = ["".join(each) for each in _QUOTED.findall(rest)]
    plain = re.split(r"\s*(?:,|\||/|;|\bor\b|\band\b)\s*", rest.strip(" .()[]{}:"))
    for each in quoted or [part.strip(" .()[]{}'\"") for part in plain]:
        yield each
        if _NUMBER.fullmatch(each):
            yield _read_number(each)


def _moments(document: Document, text: str, spot: _Spot) -> Iterator[str]:
    """Yield moments ahead of now or behind it, as a message asks for."""
    if not _TIME.search(text) or not _holds_moment(document, spot):
        return
    wants_future = ("future" in text) != bool(_NOT.search(text))
    now = datetime.now(UTC).replace(microsecond=0)
    for days in (30, 2, 400):
        moment = now + timedelta(days=days if wants_future else -days)
        yield from (moment.date().isoformat(), moment.isoformat())
        yield moment.replace(tzinfo=None).isoformat()


def _holds_moment(document: Document, spot: _Spot) -> bool:
    kinds = {option.get("format") for option in options(document, spot.schema)}
    is_read = isinstance(spot.value, str) and read(spot.value) is not None
    return is_read or bool(kinds & {"date", "date-time", "time"})


def _sizes(text: str, spot: _Spot, document: Document) -> Iterator[Any]:
    """Yield numbers, texts and lists of the size that a message asks for."""
    numbers = [_read_number(each) for each in _NUMBER.findall(text)][:3]
    if "positive" in text or "greater than zero" in text:
        numbers.append(1)
    if "negative" in text:
        numbers.append(0 if re.search(r"non.?negative|not be negative", text) else -1)
    if "percent" in text:
        numbers.append(50)
    middle = [sum(numbers[:2]) / 2] if "between" in text and len(numbers) > 1 else []
    for number in (*middle, *numbers):
        if isinstance(spot.value, str):
            yield from _of_length(spot.value, number)
        elif isinstance(spot.value, list):
            yield from _of_count(spot.value, number)
        else:
            yield from _around(document, spot, number, text)


def _around(document: Document, spot: _Spot, number: float, text: str) -> Iterator[float]:
    """Yield a number, and those next to it on the side that a message asks for."""
    is_more = bool(_AFTER.search(text)) or "positive" in text or "least" in text
    is_below = (bool(_BEFORE.search(text)) or not is_more) != bool(_NOT.search(text))
    yield from ([int(number)] if number == int(number) else [number])
    for option in options(document, spot.schema):
        if kind_of(option) in ("integer", "number"):
            both = [[*greater(number, option)], [*lesser(number, option)]]
            near, far = reversed(both) if is_below else both
            yield from (*reversed(near), *far)


def _of_length(value: str, number: float) -> Iterator[str]:
    longest = 10_000
    for length in (int(number), int(number) + 1, int(number) - 1):
        if 0 < length <= longest:
            yield (value * (length // max(len(value), 1) + 1))[:length]


def _of_count(value: list[Any], number: float) -> Iterator[list[Any]]:
    most = 200
    for count in (int(number), int(number) + 1, int(number) - 1):
        if value and 0 <= count <= most:
            yield (value * (count // len(value) + 1))[:count]


def _forms(text: str) -> Iterator[Any]:
    for pattern, values in _FORMS:
        if re.search(pattern, text):
            yield from values


def _others(document: Document, spot: _Spot) -> Iterator[Any]:
    """Yield other values that the schema allows."""
    if spot.value is None:
        filling = Filling("", lambda *_: None, index=1)
        yield Payloads(document).parameter(spot.name, spot.schema, filling)
    else:
        yield from islice(other_values(document, spot.schema, spot.value), 4)


def _read_number(text: str) -> float:
    return float(text) if "." in text else int(text)


def _with(body: Any, path: tuple[str | int, ...], value: Any) -> Any:  # noqa: ANN401
    """Return a body with another value at one place."""
    if not path:
        return value
    first, *rest = path
    if isinstance(body, list) and isinstance(first, int):
        return [*body[:first], _with(body[first], (*rest,), value), *body[first + 1 :]]
    inner = body.get(first) if isinstance(body, Mapping) else None
    return {**(body or {}), first: _with(inner, (*rest,), value)}
