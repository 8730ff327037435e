"""Rules for the values of a field that is one of a few."""

from agent.models.offline.blueprint import FieldKind
from agent.models.offline.cursor import Cursor
from agent.models.offline.defaults import kind_by_name
from agent.models.offline.words import COLUMN_WORDS, DETERMINERS

_STOPS_CHOICE = frozenset({"one", "one of", "with", "which", "that", "is", "has", "have"})
LONGEST_CHOICE = 3


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
    while len(words) < LONGEST_CHOICE and cursor.kind() in {"word", "number"}:
        norm = cursor.peek()
        if words and _starts_trait(cursor):
            break
        if norm in {"or", "and"} or norm in (DETERMINERS if not words else _STOPS_CHOICE):
            break
        words.append(value_of(cursor))
        cursor.position += 1
    name = "_".join(words)
    kind = kind_by_name(name.lower()) if words and not is_first else None
    is_field = kind not in {None, FieldKind.BOOLEAN} and name not in _CHOICE_LIKE
    if (
        not words
        or is_field
        or name in COLUMN_WORDS
        or words[0] in {"default", "defaults", "defaulting"}
    ):
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


def value_of(cursor: Cursor) -> str:
    """Return a value of a choice as it is written, "USD" and "in-progress", but "low" for "Low"."""
    token = cursor.tokens[cursor.position]
    return token.text if token.text.isupper() and len(token.text) > 1 else token.text.lower()
