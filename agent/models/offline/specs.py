"""From what is said about a field to its specification, or one sentence why that cannot be."""

import datetime as dt
import keyword
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import pairwise

from agent.models.offline.blueprint import FieldKind, FieldSpec
from agent.models.offline.defaults import ESSENTIAL, kind_by_name
from agent.models.offline.nouns import is_plural, snake, word_set
from agent.models.offline.statements import Name, Traits
from agent.models.offline.tokens import number_of
from agent.models.offline.words import (
    COLUMN_WORDS,
    GERUND_NOUNS,
    NAMEABLE_HEADS,
    OUTSIDE,
    PROMISES,
    SOFT_OUTSIDE,
)

TEXT_LIMIT = Decimal(200)
MAX_INTEGER = 2**31 - 1
MAX_NAME = 40
MAX_TEXT = 10_000_000

TEXTS = frozenset({FieldKind.TEXT, FieldKind.LONG_TEXT})
NUMBERS = frozenset({FieldKind.INTEGER, FieldKind.DECIMAL, FieldKind.MONEY})
_CENT = Decimal("0.01")

# What every resource has, by the words for it.
ALWAYS_THERE = {
    "id": FieldKind.INTEGER,
    "ids": FieldKind.INTEGER,
    "user_id": FieldKind.TEXT,
    "user": FieldKind.TEXT,
    "owner": FieldKind.TEXT,
    "owner_id": FieldKind.TEXT,
    "created_at": FieldKind.DATETIME,
    "updated_at": FieldKind.DATETIME,
    "created": FieldKind.DATETIME,
    "updated": FieldKind.DATETIME,
    "creation_date": FieldKind.DATETIME,
    "created_date": FieldKind.DATETIME,
    "date_created": FieldKind.DATETIME,
    "creation_time": FieldKind.DATETIME,
    "timestamps": FieldKind.DATETIME,
    "updated_date": FieldKind.DATETIME,
    "primary_key": FieldKind.INTEGER,
}
# Attributes that SQLModel, Pydantic and SQLAlchemy keep for themselves.
_TAKEN = word_set(
    """metadata registry schema copy json dict construct validate fields config query
    parse_obj parse_raw parse_file from_orm schema_json update_forward_refs"""
)
# What a priority is where nothing is said.
PRIORITIES = ("low", "medium", "high")
_CURRENCIES = word_set("usd eur gbp euros dollars cents")
_WHOLE_UNITS = word_set("seconds minutes hours days weeks months years kcal calories bytes")
_YES = frozenset({"true", "yes", "on", "1"})
_NO = frozenset({"false", "no", "off", "0"})
_IRREGULAR_BOOLEAN = {"not_done": "no", "open": "no", "unchecked": "no", "unread": "no"}


class ProblemError(Exception):
    """One sentence that says why a part of the request cannot be built."""


@dataclass(frozen=True)
class Typed:
    """A field's specification, and what was assumed for it.

    Attributes:
        spec: The specification.
        assumed: Whether the kind was told by the name alone.
    """

    spec: FieldSpec
    assumed: bool


def field_key(name: Name, resource: str) -> tuple[str, str]:
    """Return a field's name in snake case, and a sentence where it had to be changed.

    Raises:
        ProblemError: No field can be called so.
    """
    key = snake(tuple(_clean(word) for word in name.words))
    if not key.strip("_") or not key[0].isalpha():
        raise ProblemError(f'"{name}" cannot be the name of a field.')
    if len(key) > MAX_NAME:
        raise ProblemError(f'"{name}" is too long for the name of a field.')
    if keyword.iskeyword(key) or key in _TAKEN or key.startswith(("model_", "sqlmodel_", "sa_")):
        return f"{resource}_{key}", (
            f'"{name}" cannot be used as it is in Python; the field is called `{resource}_{key}`.'
        )
    return key, ""


def _clean(word: str) -> str:
    return "".join(letter for letter in word if letter.isalnum())


def outside_reason(name: Name, traits: Traits) -> str:
    """Return why a name stands for something outside the range; empty where it does not."""
    *front, last = name.words
    joined = {"-".join(pair) for pair in pairwise(name.words)} | {"-".join(name.words[:3])}
    found = next((word for word in (*joined, *name.words) if word in OUTSIDE), "")
    if found in PROMISES:
        return OUTSIDE.get(found, "")
    if traits.kind is not None or traits.choices:
        return ""
    if last.endswith("ing") and last not in GERUND_NOUNS and kind_by_name(last) is None:
        return "A field is named by a noun; say its type where it is one."
    if not found or (front and last in NAMEABLE_HEADS):
        return ""
    is_soft = found in SOFT_OUTSIDE and found == last
    return "" if is_soft else OUTSIDE[found]


def typed_field(key: str, name: Name, traits: Traits) -> Typed:
    """Return the specification of a field, required or not as far as that was said.

    Raises:
        ProblemError: What is said about it contradicts itself or cannot be.
    """
    if traits.conflict:
        raise ProblemError(f'"{name}" is described twice, with a difference in {traits.conflict}.')
    if traits.strange:
        raise ProblemError(_strange(name, traits))
    kind, is_assumed = _kind(key, name, traits)
    if traits.unit and kind in NUMBERS and not key.endswith(traits.unit):
        key = f"{key}_{traits.unit}"
    spec = FieldSpec(name=key, kind=kind, choices=_choices(name, kind, traits))
    spec = _limited(spec, name, traits)
    spec = _defaulted(spec, name, traits)
    if traits.is_required and spec.default is not None and traits.default:
        raise ProblemError(f'"{name}" cannot be required and have a default.')
    if spec.default is None and traits.is_required:
        spec = spec.model_copy(update={"is_required": True})
    return Typed(_completed(spec), is_assumed)


def _strange(name: Name, traits: Traits) -> str:
    """Return why words in the brackets behind a name are not understood."""
    told = [word.replace("_", " ") for word in traits.strange]
    quoted = " and ".join(f'"{word}"' for word in told)
    reasons = dict.fromkeys(OUTSIDE[word] for word in traits.strange if word in PROMISES)
    message = f'{quoted} cannot be said of the field "{name}".'
    if reasons:
        return " ".join([message, *reasons])
    values = ", ".join(word.replace("_", " ") for word in traits.listed)
    is_list = len(traits.listed) > 1 and not (traits.choices or COLUMN_WORDS & {*traits.strange})
    return f'{message} Where these are its values, say "one of {values}".' if is_list else message


def _kind(key: str, name: Name, traits: Traits) -> tuple[FieldKind, bool]:
    """Return the kind, and whether it was told by the name alone."""
    if traits.choices or (key.endswith("priority") and _is_open(traits)):
        if traits.kind not in {None, FieldKind.TEXT, FieldKind.CHOICE, FieldKind.LONG_TEXT}:
            raise ProblemError(f'"{name}" cannot be {traits.kind} and one of a few values.')
        return FieldKind.CHOICE, not traits.choices
    if traits.kind is not None:
        return traits.kind, False
    by_name = kind_by_name(key)
    if traits.unit and by_name not in NUMBERS:
        return unit_kind(traits.unit), True
    has_limits = any(
        value is not None for value in (traits.minimum, traits.maximum, traits.above, traits.below)
    )
    if traits.limits_length and (by_name or FieldKind.TEXT) in TEXTS:
        return by_name or FieldKind.TEXT, False
    if has_limits and by_name not in NUMBERS | TEXTS | {FieldKind.TEXT_LIST}:
        if by_name is not None:
            raise ProblemError(f'"{name}" is {_a(by_name)}, which cannot have such limits.')
        return FieldKind.INTEGER, True
    if by_name is None:
        by_name = _kind_by_default(traits) or (
            FieldKind.TEXT_LIST if is_plural(name.words[-1]) else FieldKind.TEXT
        )
    return by_name, True


def _is_open(traits: Traits) -> bool:
    """Tell whether nothing is said about a field's values but perhaps one of the usual ones."""
    is_usual = not traits.default or traits.default[0].lower() in PRIORITIES
    limits = (traits.minimum, traits.maximum, traits.above, traits.below)
    return traits.kind is None and is_usual and all(limit is None for limit in limits)


def unit_kind(unit: str) -> FieldKind:
    """Return the kind of a number that counts such a unit."""
    if unit in _CURRENCIES:
        return FieldKind.MONEY
    return FieldKind.INTEGER if unit in _WHOLE_UNITS else FieldKind.DECIMAL


def _a(kind: FieldKind) -> str:
    return f"{'an' if kind.value[0] in 'aeiou' else 'a'} {kind.value}"


def _kind_by_default(traits: Traits) -> FieldKind | None:
    if len(traits.default) != 1:
        return None
    value = traits.default[0].lower()
    if value in (_YES | _NO) - {"0", "1"}:
        return FieldKind.BOOLEAN
    number = number_of(value)
    if number is None:
        return None
    return FieldKind.INTEGER if number == number.to_integral_value() else FieldKind.DECIMAL


def _choices(name: Name, kind: FieldKind, traits: Traits) -> tuple[str, ...]:
    if kind is not FieldKind.CHOICE:
        return ()
    if not traits.choices and _is_open(traits):
        return PRIORITIES
    if len(traits.choices) <= 1:
        raise ProblemError(f'"{name}" needs at least two values to choose from.')
    twice = [choice for choice in traits.choices if traits.choices.count(choice) > 1]
    if twice:
        raise ProblemError(f'"{name}" has the value "{twice[0]}" twice.')
    return traits.choices


def _limited(spec: FieldSpec, name: Name, traits: Traits) -> FieldSpec:
    low, high = _bounds(spec.kind, name, traits)
    if low is None and high is None:
        return spec
    if spec.kind not in NUMBERS | TEXTS:
        raise ProblemError(f'"{name}" is {_a(spec.kind)}, which cannot have such limits.')
    if traits.limits_length and spec.kind in NUMBERS:
        raise ProblemError(f'"{name}" is {_a(spec.kind)}, so it has no length in characters.')
    if low is not None and high is not None and low > high:
        raise ProblemError(f'The minimum of "{name}" is above its maximum.')
    is_whole = spec.kind in TEXTS or spec.kind is FieldKind.INTEGER
    for bound in (low, high):
        if bound is None:
            continue
        if is_whole and bound != bound.to_integral_value():
            raise ProblemError(f'A limit of "{name}" must be a whole number, not {bound}.')
        if abs(bound) > (MAX_TEXT if spec.kind in TEXTS else MAX_INTEGER):
            raise ProblemError(f'The limit {bound} of "{name}" is too large.')
    if spec.kind in TEXTS and ((low or 0) < 0 or (high is not None and high < 1)):
        raise ProblemError(f'"{name}" cannot have such a length.')
    return spec.model_copy(update={"minimum": low, "maximum": high})


def _bounds(kind: FieldKind, name: Name, traits: Traits) -> tuple[Decimal | None, Decimal | None]:
    """Return the limits with "more than" and "less than" turned into the next value."""
    low, high = traits.minimum, traits.maximum
    if traits.above is None and traits.below is None:
        return low, high
    step = _CENT if kind is FieldKind.MONEY else Decimal(1)
    if kind is FieldKind.DECIMAL:
        raise ProblemError(f'Give the limits of "{name}" as "at least" or "at most".')
    if traits.above is not None:
        low = traits.above + step if low is None else max(low, traits.above + step)
    if traits.below is not None:
        high = traits.below - step if high is None else min(high, traits.below - step)
    return low, high


def _defaulted(spec: FieldSpec, name: Name, traits: Traits) -> FieldSpec:
    if not traits.default:
        return spec
    text = " ".join(traits.default)
    default = _default(spec, name, text)
    spec = spec.model_copy(update={"default": default})
    value = Decimal(len(text)) if spec.kind in TEXTS else default
    if isinstance(value, (int, Decimal)) and not isinstance(value, bool):
        is_low = spec.minimum is not None and value < spec.minimum
        if is_low or (spec.maximum is not None and value > spec.maximum):
            raise ProblemError(f'The default {text} of "{name}" lies outside its limits.')
    return spec


def _default(spec: FieldSpec, name: Name, text: str) -> str | int | Decimal | bool:
    value: str | int | Decimal | bool | None = None
    if spec.kind is FieldKind.BOOLEAN:
        value = _truth(text.lower())
    elif spec.kind in NUMBERS:
        value = _count(spec.kind, text)
    elif spec.kind is FieldKind.CHOICE:
        value = _chosen(spec, name, text)
    elif spec.kind is FieldKind.DATE:
        value = _day(text)
    elif spec.kind in TEXTS:
        value = text
    if value is None:
        raise ProblemError(f'"{text}" cannot be the default of "{name}", {_a(spec.kind)}.')
    return value


def _truth(text: str) -> bool | None:
    value = _IRREGULAR_BOOLEAN.get(text.replace(" ", "_"), text)
    return value in _YES if value in _YES | _NO else None


def _count(kind: FieldKind, text: str) -> int | Decimal | None:
    number = number_of(text)
    if number is None or abs(number) > MAX_INTEGER:
        return None
    if kind is not FieldKind.INTEGER:
        return number
    return int(number) if number == number.to_integral_value() else None


def _day(text: str) -> str | None:
    try:
        return dt.date.fromisoformat(text).isoformat()
    except ValueError:
        return None


def _chosen(spec: FieldSpec, name: Name, text: str) -> str:
    wanted = text.replace(" ", "_").replace("-", "_").lower()
    found = [choice for choice in spec.choices if choice.replace("-", "_").lower() == wanted]
    if not found:
        raise ProblemError(
            f'The default "{text}" of "{name}" is not one of {", ".join(spec.choices)}.'
        )
    return found[0]


def _completed(spec: FieldSpec) -> FieldSpec:
    """Fill in what nobody needs to say: a yes/no is no, a list is empty, a text has an end."""
    updates: dict[str, object] = {}
    if spec.kind is FieldKind.BOOLEAN and not spec.is_required and spec.default is None:
        updates["default"] = False
    if spec.kind is FieldKind.TEXT_LIST and not spec.is_required and spec.default is None:
        updates["default"] = ()
    if spec.kind is FieldKind.TEXT and spec.maximum is None:
        updates["maximum"] = max(TEXT_LIMIT, spec.minimum or TEXT_LIMIT)
    if spec.kind in TEXTS and spec.is_required and spec.minimum is None:
        updates["minimum"] = Decimal(1)
    return spec.model_copy(update=updates)


def with_required(typed: list[tuple[FieldSpec, Traits]]) -> list[FieldSpec]:
    """Decide which fields are required where nothing was said.

    Where some field is said to be required, the others are not. Elsewhere those are without
    which a row is hardly worth storing, at least one.
    """
    if any(traits.is_required for _, traits in typed):
        return [spec for spec, _ in typed]
    open_ = [
        spec.default is None and traits.is_required is None and spec.kind is not FieldKind.TEXT_LIST
        for spec, traits in typed
    ]
    essential = [
        is_open and spec.name.replace("_", "-") in ESSENTIAL
        for (spec, _), is_open in zip(typed, open_, strict=True)
    ]
    if not any(essential) and True in open_:
        essential[open_.index(True)] = True
    return [
        _completed(spec.model_copy(update={"is_required": True})) if is_essential else spec
        for (spec, _), is_essential in zip(typed, essential, strict=True)
    ]


def merged(first: Traits, second: Traits, name: Name) -> Traits:
    """Return what two clauses say about one field.

    Raises:
        ProblemError: They contradict each other.
    """
    both = first.merged(second)
    if both.conflict:
        raise ProblemError(f'"{name}" is described twice, with a difference in {both.conflict}.')
    return replace(both)
