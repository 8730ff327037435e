"""Rules for what is said about one field: its type, choices, limits and default."""

from dataclasses import dataclass, field, replace
from decimal import Decimal

from agent.models.offline.blueprint import FieldKind
from agent.models.offline.choices import LONGEST_CHOICE, choice_list, value_of
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
from agent.models.offline.words import COLUMN_WORDS, DETERMINERS, STOP, TYPES, UNITS

_TYPE_WORDS = {tuple(phrase.split()): kind for phrase, kind in TYPES.items()}
_LONGEST_TYPE = max(len(words) for words in _TYPE_WORDS)

_NOUNS_OF_NUMBERS = frozenset({"stars", "points", "star", "inclusive", "both", "included"})


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


@dataclass
class _Bracket:
    """What stands in brackets: what describes a field, and the words that may be its values."""

    said: Traits = field(default_factory=Traits)
    words: list[tuple[str, FieldKind | None]] = field(default_factory=list)

    @property
    def listed(self) -> tuple[str, ...]:
        """The words as values."""
        return tuple(word for word, _ in self.words)

    @property
    def plain(self) -> tuple[str, ...]:
        """The words that name no type."""
        return tuple(word for word, kind in self.words if kind is None)

    @property
    def kinds(self) -> tuple[FieldKind, ...]:
        """The types that are named."""
        return tuple(dict.fromkeys(kind for _, kind in self.words if kind is not None))


def bracket(cursor: Cursor) -> Traits | None:
    """Read what stands in brackets behind a name: a type, choices, limits, in any order."""
    found = _bracket(cursor)
    return _judged(found) if found else None


def _bracket(cursor: Cursor) -> _Bracket | None:
    closing = {"(": ")", "[": "]", "{": "}"}.get(cursor.peek())
    if closing is None:
        return None
    cursor.position += 1
    found = _Bracket()
    while not cursor.take(closing):
        is_read = _piece(cursor, found)
        if not (is_read or _bracket_value(cursor, found)):
            return None
        is_apart = _bracket_separator(cursor) or cursor.peek() == closing
        if not (is_apart or is_read):
            return None
    return found


def _piece(cursor: Cursor, found: _Bracket) -> bool:
    """Read a type, a limit, a default or the like."""
    start = cursor.position
    piece = longest(cursor, _PIECES)
    if piece is None or not (piece.is_whole or _continues(cursor, piece.end)):
        return False
    cursor.position = piece.end
    kind = piece.value.kind
    if kind is not None and piece.value == Traits(kind=kind):
        text = "_".join(token.text.lower() for token in cursor.tokens[start : piece.end])
        found.words.append((text, kind))
    else:
        found.said = found.said.merged(piece.value)
    return True


def _bracket_value(cursor: Cursor, found: _Bracket) -> bool:
    """Read a word that is none of these: a value, a unit or nothing known."""
    word = _bracket_word(cursor)
    if not word:
        return False
    found.words.append((word, None))
    if cursor.peek() == "(" and cursor.phrase("( default )", "( the default )"):
        found.said = found.said.merged(Traits(default=(word,)))
    return True


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
    while len(words) < LONGEST_CHOICE and cursor.kind() in {"word", "number"}:
        if words and cursor.peek() in {"or", "and", "default"}:
            break
        words.append(value_of(cursor))
        cursor.position += 1
    return "_".join(words)


def _judged(found: _Bracket) -> Traits | None:
    """Decide whether words in brackets are choices, a unit or what cannot be said of a field.

    Brackets that start with a type, or hold a limit, describe a field; every word in them must
    say something that is known.
    """
    strange = tuple(word for word in found.plain if word in COLUMN_WORDS)
    if found.said.choices:
        strange += tuple(word for word in found.plain if word not in strange)
    elif not strange and len(found.words) > 1 and (found.plain or len(found.kinds) > 1):
        if not _describes(found):
            return found.said.merged(Traits(choices=found.listed))
        strange = found.plain or found.listed[1:]
    if strange:
        return found.said.merged(Traits(strange=strange, listed=found.listed))
    if found.kinds:
        return found.said.merged(Traits(kind=found.kinds[0]))
    return _one_word(found.said, found.plain)


def _describes(found: _Bracket) -> bool:
    said = found.said
    limits = (said.minimum, said.maximum, said.above, said.below)
    starts_with_type = found.words[0][1] is not None
    is_limited = said.is_required is not None or any(limit is not None for limit in limits)
    if not found.plain:
        return is_limited
    return starts_with_type or any(limit is not None for limit in limits)


def _one_word(said: Traits, plain: tuple[str, ...]) -> Traits | None:
    """Take a single word for a unit or for a name that tells a type: "(kg)", "(birthday)"."""
    if not plain:
        return said
    if plain[0] in UNITS:
        return said.merged(Traits(unit=plain[0]))
    kind = kind_by_name(plain[0]) if "_" not in plain[0] else None
    if kind:
        return said.merged(Traits(kind=kind))
    return None if said == Traits() else said.merged(Traits(strange=plain, listed=plain))


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
        and cursor.position - start < LONGEST_CHOICE
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
    in_brackets = attempt(cursor, _bracket)
    if in_brackets is not None:
        return _as_values(in_brackets)
    choices = choice_list(cursor)
    return Traits(choices=choices) if len(choices) > 1 else None


def _as_values(found: _Bracket) -> Traits | None:
    """Take the words in brackets behind "one of" for values, types or not."""
    strange = tuple(word for word in found.plain if word in COLUMN_WORDS)
    if strange:
        return found.said.merged(Traits(strange=strange, listed=found.listed))
    return found.said.merged(Traits(choices=found.listed)) if len(found.words) > 1 else None


def _slashes(cursor: Cursor) -> Traits | None:
    """Read "todo/doing/done" or "todo | doing | done" right behind the name."""
    cursor.take(":")
    choices: list[str] = []
    while cursor.kind() in {"word", "number"} and cursor.peek() not in DETERMINERS:
        choices.append(value_of(cursor))
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
