"""Rules for what is said about one field: its type, choices, limits and default."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from agent.models.offline.blueprint import FieldKind
from agent.models.offline.cursor import Cursor, Rule, attempt, longest
from agent.models.offline.defaults import kind_by_name
from agent.models.offline.phrasebook import (
    ABOVE,
    AS_TYPE,
    AT_LEAST,
    AT_MOST,
    BELOW,
    DEFAULT,
    ONE_OF,
    OPTIONAL,
    RANGE,
    REQUIRED,
)
from agent.models.offline.phrases import length_unit, number
from agent.models.offline.statements import Traits
from agent.models.offline.words import DETERMINERS, STOP, TYPES, UNITS

_TYPE_WORDS = {tuple(phrase.split()): kind for phrase, kind in TYPES.items()}
_LONGEST_TYPE = max(len(words) for words in _TYPE_WORDS)

_NOUNS_OF_NUMBERS = frozenset({"stars", "points", "star", "inclusive", "both", "included"})
_STOPS_CHOICE = frozenset({"one", "one of", "with", "which", "that", "is", "has", "have"})
_LONGEST_CHOICE = 3


def traits(cursor: Cursor) -> Traits:
    """Read everything that is said about a field behind its name; may be nothing."""
    result = Traits()
    while not cursor.is_done:
        start = cursor.position
        cursor.phrase(
            "which is", "that is", "which are", "which must be", "that must be", "which can be"
        )
        if cursor.position == start and _is_more(cursor):
            cursor.separator()
            cursor.phrase("which is", "that is", "which", "that")
        cursor.take("-")
        found = longest(cursor, _PIECES)
        if found is None:
            cursor.position = start
            break
        cursor.position = found.end
        result = result.merged(found.value)
    return result


def kind_phrase(cursor: Cursor) -> FieldKind | None:
    """Read the name of a type: "whole number", "a list of text"."""
    cursor.take("a", "an", "the")
    for length in range(_LONGEST_TYPE, 0, -1):
        words = tuple(cursor.peek(index) for index in range(length))
        if "" not in words and words in _TYPE_WORDS:
            cursor.position += length
            cursor.phrase("field", "value", "column", "type")
            return _TYPE_WORDS[words]
    return None


def choice_list(cursor: Cursor) -> tuple[str, ...]:
    """Read the values of "one of": "low, medium or high", "todo/doing/done"."""
    choices: list[str] = []
    while True:
        start = cursor.position
        ends = bool(choices) and _choice_separator(cursor)
        if choices and cursor.position == start:
            break
        choice = _choice(cursor, is_first=not choices)
        if not choice:
            cursor.position = start
            break
        choices.append(choice)
        if ends:
            break
    return tuple(choices)


def _choice_separator(cursor: Cursor) -> bool:
    """Step over a separator; tell whether it announces the last value."""
    cursor.take(",", "/", "|")
    return cursor.take("or", "and")


def _choice(cursor: Cursor, *, is_first: bool) -> str:
    start = cursor.position
    words: list[str] = []
    while len(words) < _LONGEST_CHOICE and cursor.kind() in {"word", "number"}:
        norm = cursor.peek()
        if words and _starts_trait(cursor):
            break
        if norm in {"or", "and"} or norm in (DETERMINERS if not words else _STOPS_CHOICE):
            break
        words.append(_value(cursor))
        cursor.position += 1
    name = "_".join(words)
    kind = kind_by_name(name.lower()) if words and not is_first else None
    is_field = kind not in {None, FieldKind.BOOLEAN} and name not in _CHOICE_LIKE
    if not words or is_field or words[0] in {"default", "defaults", "defaulting"}:
        cursor.position = start
        return ""
    if not (cursor.is_at_boundary or cursor.peek() in {"|", "/", "="} or _starts_trait(cursor)):
        cursor.position = start
        return ""
    return name


# Names of fields that are values of a choice just as often.
_CHOICE_LIKE = frozenset(
    """comment note link email text book phone mail image review total day days week weeks year
    years month months hours minutes website date age page number message""".split()  # noqa: SIM905
)


def _starts_trait(cursor: Cursor) -> bool:
    return cursor.peek() in {
        *("default", "defaults", "defaulting", "with", "which", "that", "(", "=", "required"),
        *("optional", "by", "for", "as", "initially", "to"),
    }


def bracket(cursor: Cursor) -> Traits | None:
    """Read what stands in brackets behind a name: a type, choices, limits, in any order."""
    closing = {"(": ")", "[": "]", "{": "}"}.get(cursor.peek())
    if closing is None:
        return None
    cursor.position += 1
    result, plain, kinds = Traits(), list[str](), list[tuple[str, FieldKind]]()
    while not cursor.take(closing):
        start = cursor.position
        found = longest(cursor, _PIECES)
        if found is not None and (found.is_whole or _continues(cursor, found.end)):
            cursor.position = found.end
            text = "_".join(token.text.lower() for token in cursor.tokens[start : found.end])
            if found.value.kind is not None and found.value == Traits(kind=found.value.kind):
                kinds.append((text, found.value.kind))
            else:
                result = result.merged(found.value)
        else:
            choice = _bracket_word(cursor)
            if not choice:
                return None
            plain.append(choice)
            if cursor.peek() == "(" and cursor.phrase("( default )", "( the default )"):
                result = result.merged(Traits(default=(choice,)))
        is_apart = _bracket_separator(cursor) or cursor.peek() == closing
        if not is_apart and found is None:
            return None
    return _with_words(result, plain, kinds)


def _continues(cursor: Cursor, position: int) -> bool:
    """Tell whether more is said about the same field without a comma: "boolean default no"."""
    rest = Cursor(cursor.tokens, position)
    return longest(rest, _PIECES) is not None


def _bracket_separator(cursor: Cursor) -> bool:
    start = cursor.position
    while cursor.take(",", "/", "|", ";", "or", "and", "-"):
        pass
    return cursor.position > start


def _bracket_word(cursor: Cursor) -> str:
    words: list[str] = []
    while len(words) < _LONGEST_CHOICE and cursor.kind() in {"word", "number"}:
        if words and cursor.peek() in {"or", "and", "default"}:
            break
        words.append(_value(cursor))
        cursor.position += 1
    return "_".join(words)


def _value(cursor: Cursor) -> str:
    """Return a value of a choice as it is written, "USD" and "in-progress", but "low" for "Low"."""
    token = cursor.tokens[cursor.position]
    return token.text if token.text.isupper() and len(token.text) > 1 else token.text.lower()


def _with_words(
    result: Traits, plain: list[str], kinds: Sequence[tuple[str, FieldKind]]
) -> Traits | None:
    """Decide whether the plain words in brackets are choices, a unit or nothing known."""
    if len(plain) + len(kinds) > 1 and (plain or len({kind for _, kind in kinds}) > 1):
        return result.merged(Traits(choices=(*(text for text, _ in kinds), *plain)))
    if kinds:
        return result.merged(Traits(kind=kinds[0][1]))
    if len(plain) == 1:
        if plain[0] in UNITS:
            return result.merged(Traits(unit=plain[0]))
        kind = kind_by_name(plain[0]) if "_" not in plain[0] else None
        return result.merged(Traits(kind=kind)) if kind else None
    return result


def _as_type(cursor: Cursor) -> Traits | None:
    cursor.phrase(*AS_TYPE)
    kind = kind_phrase(cursor)
    if kind is None:
        return None
    if cursor.phrase("| none", "| null"):
        return Traits(kind=kind, is_required=False)
    return Traits(kind=kind)


def _optional_type(cursor: Cursor) -> Traits | None:
    cursor.take(":")
    if not cursor.phrase("optional ["):
        return None
    kind = kind_phrase(cursor)
    return Traits(kind=kind, is_required=False) if kind and cursor.take("]") else None


def _necessity(cursor: Cursor) -> Traits | None:
    cursor.take(":")
    if cursor.phrase(*REQUIRED):
        return Traits(is_required=True)
    return Traits(is_required=False) if cursor.phrase(*OPTIONAL) or cursor.take("?") else None


# "default sort by title" speaks of the list.
_OF_LISTS = frozenset({"sort", "sorting", "order", "ordering", "page"})


def _default(cursor: Cursor) -> Traits | None:
    if not cursor.phrase(*DEFAULT) or cursor.peek() in _OF_LISTS:
        return None
    start = cursor.position
    if cursor.take("null", "none", "empty", "nothing"):
        return Traits(is_required=False)
    while (
        cursor.kind() in {"word", "number"}
        and cursor.position - start < _LONGEST_CHOICE
        and not (cursor.is_at_boundary or (cursor.position > start and cursor.peek() in STOP))
    ):
        cursor.position += 1
    words = tuple(token.text for token in cursor.tokens[start : cursor.position])
    return Traits(default=words) if words else None


def _trailing_default(cursor: Cursor) -> Traits | None:
    """Read "low by default", "false as default"."""
    if cursor.kind() not in {"word", "number"} or cursor.peek() in STOP:
        return None
    value = cursor.tokens[cursor.position].text
    cursor.position += 1
    if not cursor.phrase("by default", "as default", "as the default", "as a default"):
        return None
    return Traits(default=(value,))


def _choices(cursor: Cursor) -> Traits | None:
    cursor.phrase(":", "can be", "may be", "must be", "is", "with", "as")
    cursor.take("a", "an")
    if not cursor.phrase(*ONE_OF):
        return None
    cursor.take(":")
    in_brackets = attempt(cursor, bracket)
    if in_brackets is not None:
        return in_brackets if in_brackets.choices else None
    choices = choice_list(cursor)
    return Traits(choices=choices) if len(choices) > 1 else None


def _slashes(cursor: Cursor) -> Traits | None:
    """Read "todo/doing/done" or "todo | doing | done" right behind the name."""
    cursor.take(":")
    choices: list[str] = []
    while cursor.kind() in {"word", "number"} and cursor.peek() not in DETERMINERS:
        choices.append(_value(cursor))
        cursor.position += 1
        if not cursor.take("/", "|"):
            break
    return Traits(choices=tuple(choices)) if len(choices) > 1 else None


def _colon_choices(cursor: Cursor) -> Traits | None:
    """Read "priority: low, medium or high"."""
    if not cursor.take(":"):
        return None
    start = cursor.position
    choices = choice_list(cursor)
    said = {token.norm for token in cursor.tokens[start : cursor.position]}
    return Traits(choices=choices) if len(choices) > 1 and "or" in said else None


def _range(cursor: Cursor) -> Traits | None:
    opens = cursor.phrase(*RANGE)
    low = number(cursor)
    if low is None or not cursor.take("to", "and", "-", "..", "...", "through", "until"):
        return None
    # "5 and ..." is a range only behind "between".
    if cursor.tokens[cursor.position - 1].norm == "and" and not opens:
        return None
    high = number(cursor)
    if high is None:
        return None
    is_length = length_unit(cursor)
    _skip_number_noun(cursor)
    return Traits(minimum=low, maximum=high, limits_length=is_length)


def _bound(cursor: Cursor) -> Traits | None:
    cursor.phrase("must be", "should be", "must have", "with", "be", "of", "is")
    cursor.take("of", "a")
    for phrases, name in ((AT_LEAST, "minimum"), (AT_MOST, "maximum")):
        if cursor.phrase(*phrases):
            return _limit(cursor, name)
    for phrases, name in ((ABOVE, "above"), (BELOW, "below")):
        if cursor.phrase(*phrases):
            return _limit(cursor, name)
    value = number(cursor)
    if value is None:
        return None
    if cursor.phrase("or more", "and above", "or greater", "and up", "or higher"):
        return Traits(minimum=value)
    if cursor.phrase("or less", "and below", "or fewer", "or lower", "max", "maximum", "at most"):
        return Traits(maximum=value, limits_length=length_unit(cursor))
    if length_unit(cursor):
        cursor.phrase("max", "maximum", "at most", "or less", "or fewer")
        return Traits(maximum=value, limits_length=True)
    return None


def _limit(cursor: Cursor, name: str) -> Traits | None:
    value = number(cursor)
    if value is None:
        return None
    is_length = length_unit(cursor)
    _skip_number_noun(cursor)
    limits = Traits(limits_length=is_length)
    if name == "minimum":
        return replace(limits, minimum=value)
    if name == "maximum":
        return replace(limits, maximum=value)
    return replace(limits, above=value) if name == "above" else replace(limits, below=value)


def _sign(cursor: Cursor) -> Traits | None:
    cursor.phrase("must be", "should be", "be", "always")
    if cursor.phrase("positive", "greater than zero"):
        return _typed_sign(cursor, Traits(above=Decimal(0)))
    if cursor.phrase(
        "non-negative", "not negative", "not be negative", "nonnegative", "zero or more"
    ):
        return _typed_sign(cursor, Traits(minimum=Decimal(0)))
    if cursor.phrase("cannot be negative", "can't be negative", "must not be negative"):
        return Traits(minimum=Decimal(0))
    return None


def _typed_sign(cursor: Cursor, limits: Traits) -> Traits:
    kind = attempt(cursor, kind_phrase)
    return replace(limits, kind=kind)


def _unit(cursor: Cursor) -> Traits | None:
    if not cursor.phrase("in", "measured in", "given in"):
        return None
    unit = cursor.peek()
    if unit not in UNITS:
        return None
    cursor.position += 1
    return Traits(unit=unit)


def _skip_number_noun(cursor: Cursor) -> None:
    while cursor.peek() in _NOUNS_OF_NUMBERS and not cursor.is_done:
        cursor.position += 1


_FINITE = frozenset({"is", "are", "must", "should", "defaults", "can", "may", "default"})
_DEFAULT_WORDS = frozenset({"default", "defaults", "defaulting"})


_BOUND_STARTS = frozenset({"max", "min", "maximum", "minimum", "up", "at", "between"})


def _is_bound(cursor: Cursor, ahead: int) -> bool:
    """Tell whether a limit and nothing else stands behind a comma: "max 120 chars"."""
    rest = Cursor(cursor.tokens, cursor.position + ahead)
    return (_bound(rest) or _range(rest)) is not None and rest.is_at_boundary


def _is_more(cursor: Cursor) -> bool:
    """Tell whether a separator carries on the same field: "and defaults to low"."""
    if cursor.peek() == ",":
        ahead = 2 if cursor.peek(1) == "and" else 1
        ends = cursor.peek(ahead + 1) in {"", ",", ";", ".", "•"}
        is_necessity = cursor.peek(ahead) in {"required", "optional", "mandatory", "nullable"}
        if cursor.peek(ahead) in _BOUND_STARTS and _is_bound(cursor, ahead):
            return True
        if cursor.peek(ahead) in {"which", "that"} and cursor.peek(ahead + 1) in _FINITE:
            return True
        return cursor.peek(ahead) in _DEFAULT_WORDS or (is_necessity and ends)
    ends = cursor.peek(2) in {"", ",", ";", ".", "•", ")", "and"}
    if cursor.peek() == "and" and ends and cursor.peek(1) in {"required", "optional", "mandatory"}:
        return True
    return cursor.peek() == "and" and cursor.peek(1) in {
        *("defaults", "default", "defaulting", "must"),
        *(
            "at",
            "not",
            "cannot",
            "between",
            "with",
            "is",
            "can",
            "no",
            "max",
            "min",
            "up",
            "limited",
        ),
    }


_PIECES: tuple[Rule[Traits], ...] = (
    _as_type,
    bracket,
    _optional_type,
    _necessity,
    _default,
    _trailing_default,
    _choices,
    _slashes,
    _colon_choices,
    _range,
    _bound,
    _sign,
    _unit,
)
