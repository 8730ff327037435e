"""Rules for the small parts of a sentence: nouns, lists of nouns, politeness."""

from decimal import Decimal

from agent.models.offline.cursor import LONGEST_LIST, Cursor, attempt
from agent.models.offline.nouns import is_plural, word_set
from agent.models.offline.phrasebook import (
    ABILITY,
    NEWEST_FIRST,
    OLDEST_FIRST,
    POLITE,
    TAILS,
)
from agent.models.offline.statements import Name
from agent.models.offline.tokens import Token, number_of
from agent.models.offline.words import (
    DETERMINERS,
    LENGTH_UNITS,
    NAME_TAILS,
    OF_HEADS,
    PRAISE,
    STOP,
    USERS,
)

_LONGEST_NAME = 4
_LIMIT_WORDS = word_set("max min maximum minimum")

_STACK = word_set(
    """fastapi sqlmodel postgresql postgres python neon pydantic jwt jwts better-auth sqlalchemy
    rest restful json http openapi v2 uvicorn serverless v1 swagger"""
)
_STACK_LINKS = word_set("in with using on via and based built by use the of python , for a an our")
_PROJECT = word_set(
    """app application project hackathon startup company website site frontend front-end product
    business demo client portfolio course class homework team backend api side mobile web pet
    platform service friend todo small little new existing current my the our this a an own
    codebase repo repository database server"""
)


def noun_phrase(cursor: Cursor) -> Name | None:
    """Read a name of up to four words, without the articles before it."""
    _skip_determiners(cursor)
    words: list[str] = []
    first = cursor.position
    if cursor.phrase(*NEWEST_FIRST, *OLDEST_FIRST) or _starts_order(cursor):
        return None
    while len(words) < _LONGEST_NAME and _is_name_word(cursor, words):
        token = cursor.token
        assert token is not None  # noqa: S101 - `_is_name_word` looked at it
        words += token.parts
        cursor.position += 1
        if words[-1] in OF_HEADS and len(words) == 1 and cursor.peek() == "of":
            words += _of_phrase(cursor)
    if not words or _is_listing(words):
        return None
    if cursor.peek() in {"at", "on"} and _ends_name(cursor):
        words.append(cursor.peek())
        cursor.position += 1
    tokens = cursor.tokens[first : cursor.position]
    return Name(tuple(words), tokens[0].start, tokens[-1].end)


def field_name(cursor: Cursor) -> Name | None:
    """Read a field's name, without "field" or "column" behind it."""
    name = noun_phrase(cursor)
    if name is None:
        return None
    words = name.words
    while len(words) > 1 and words[-1] in NAME_TAILS:
        words = words[:-1]
    return Name(words, name.start, name.end)


def name_list(cursor: Cursor) -> tuple[Name, ...]:
    """Read names with commas, "and" or "or" between them; the last must end at a boundary."""
    names: list[Name] = []
    while len(names) < LONGEST_LIST:
        start = cursor.position
        if names and not cursor.separator():
            break
        cursor.take("by", "on", "both", "either", "each")
        name = attempt(cursor, field_name)
        if name is None or not (cursor.is_at_boundary or _ends_list(cursor)):
            cursor.position = start
            break
        names.append(name)
    return tuple(names)


def number(cursor: Cursor) -> Decimal | None:
    """Read a number, in digits or in words."""
    if cursor.kind() != "number":
        return None
    value = number_of(cursor.peek())
    if value is not None:
        cursor.position += 1
    return value


def length_unit(cursor: Cursor) -> bool:
    """Read "characters" or the like."""
    found = bool(cursor.take_any(LENGTH_UNITS))
    if found:
        cursor.phrase("long", "in length", "in total")
    return found


def politeness(cursor: Cursor) -> bool:
    """Step over what a person says before the point."""
    start = cursor.position
    while True:
        if cursor.phrase(*POLITE):
            cursor.take(",", "!", ":")
        elif not (cursor.position > start and cursor.take(",")):
            return cursor.position > start


def ability(cursor: Cursor) -> bool:
    """Step over "users can", "I want to be able to" and the like."""
    start = cursor.position
    while cursor.phrase(*ABILITY):
        pass
    return cursor.position > start


def tail(cursor: Cursor) -> bool:
    """Step over what may end a clause and asks for nothing: "for my app", "using FastAPI"."""
    start = cursor.position
    while not cursor.is_done:
        here = cursor.position
        cursor.take(",", "and")
        if not (cursor.phrase(*TAILS) or _stack(cursor) or _project(cursor)):
            cursor.position = here
            break
    return cursor.position > start


def is_users(name: Name) -> bool:
    """Tell whether a name stands for the users of the backend."""
    words = [word for word in name.words if word not in {"signed", "in", "logged", "current"}]
    return len(words) == 1 and words[0] in USERS


def _is_name_word(cursor: Cursor, words: list[str]) -> bool:
    token = cursor.token
    if token is None:
        return False
    if token.kind == "number":
        return bool(words) and token.norm.isdigit() and _is_short_end(cursor)
    if token.kind != "word" or token.norm.endswith("'s"):
        return False
    if words and _tells_order(cursor):
        return False
    if token.norm in _LIMIT_WORDS and not words:
        return _is_plain_word(cursor, 1)
    return token.norm not in STOP


_ORDERS = word_set("descending ascending desc asc alphabetically first")
_ENDS_OF_ORDER = word_set(
    """highest lowest largest smallest biggest cheapest oldest newest latest earliest soonest
    longest shortest best"""
)


def _starts_order(cursor: Cursor) -> bool:
    return cursor.peek() in _ENDS_OF_ORDER and cursor.peek(1) == "first"


def _is_listing(words: list[str]) -> bool:
    """Tell whether a verb starts what looks like a name: "list applications"."""
    starts = len(words) > 1 and words[0] == "list" and words[1] not in {"items", "entries"}
    return starts and is_plural(words[-1])


def _tells_order(cursor: Cursor) -> bool:
    """Tell whether what stands behind a name says how to sort by it: "due date descending"."""
    if cursor.peek() in {"by", "most"}:
        return cursor.peek(1) in {"default", "recent", "expensive"}
    if cursor.peek() == "from":
        return cursor.peek(1) in {"high", "low", "newest", "oldest"}
    return cursor.peek() in _ORDERS or _starts_order(cursor)


def _ends_name(cursor: Cursor) -> bool:
    """Tell whether "at" or "on" belongs to the name: "starts at", "spent on (date)"."""
    rest = Cursor(cursor.tokens, cursor.position + 1)
    return rest.is_at_boundary or rest.peek() in {"(", ":"} or _tells_order(rest)


def _is_plain_word(cursor: Cursor, ahead: int) -> bool:
    following = cursor.peek(ahead)
    return (
        cursor.kind(ahead) == "word"
        and following not in STOP
        and following not in {"length", "size", "value"}
    )


def _is_short_end(cursor: Cursor) -> bool:
    return cursor.peek(1) in {"", ",", "(", ":", "and", "or"} and len(cursor.peek()) == 1


def _of_phrase(cursor: Cursor) -> list[str]:
    start = cursor.position
    cursor.take("of")
    _skip_determiners(cursor)
    token = cursor.token
    if token is None or token.kind != "word" or token.norm in STOP:
        cursor.position = start
        return []
    cursor.position += 1
    return ["of", *token.parts]


_POSSESSIVES = word_set("user's owner's person's")


def _skip_determiners(cursor: Cursor) -> None:
    while not cursor.is_done:
        token = cursor.token
        is_possessive = token is not None and (
            token.norm in _POSSESSIVES or token.text.lower() in {"users'", "users\u2019"}
        )
        is_determiner = cursor.peek() in DETERMINERS and cursor.kind() == "word"
        if not ((is_possessive or is_determiner) and cursor.kind(1) == "word"):
            return
        cursor.position += 1


def _ends_list(cursor: Cursor) -> bool:
    return _tells_order(cursor) or cursor.peek() in {
        "with",
        "using",
        "for",
        "in",
        "which",
        "that",
        "too",
        "as",
        "to",
        ":",
        "(",
    }


def _stack(cursor: Cursor) -> bool:
    start = cursor.position
    if cursor.peek() not in _STACK_LINKS or cursor.peek() in {",", "and"}:
        return False
    while cursor.take_any(_STACK_LINKS | _STACK):
        pass
    return _trim(cursor, start, _STACK)


def _project(cursor: Cursor) -> bool:
    start = cursor.position
    if not cursor.take("for", "to", "in", "into"):
        return False
    if not cursor.take("my", "our", "the", "this", "an", "a"):
        cursor.position = start
        return False
    cursor.take_any(_PROJECT | PRAISE)
    last = cursor.tokens[cursor.position - 1].norm
    if last in _PROJECT - {"my", "our", "the", "this", "a", "an", "new", "own", "small", "little"}:
        return True
    cursor.position = start
    return False


def _trim(cursor: Cursor, start: int, wanted: frozenset[str]) -> bool:
    """Step back to the last wanted word; tell whether there is one."""
    while cursor.position > start and cursor.tokens[cursor.position - 1].norm not in wanted:
        cursor.position -= 1
    return cursor.position > start


def span_text(tokens: tuple[Token, ...], request: str) -> str:
    """Return the request's own text of these tokens."""
    return " ".join(request[tokens[0].start : tokens[-1].end].split())
