"""Rules for what is built as against what it is about: "a REST API", "CRUD endpoints"."""

from dataclasses import replace

from agent.models.offline.cursor import Cursor, Rule, longest
from agent.models.offline.nouns import word_set
from agent.models.offline.statements import (
    Declares,
    Extends,
    Name,
    Satisfied,
    Statements,
    WantsAuth,
)
from agent.models.offline.words import (
    DETERMINERS,
    HEADS,
    OPERATIONS,
    PRAISE,
)

_SETS = (
    *("endpoint set", "set of endpoints", "set of crud endpoints", "set of rest endpoints"),
    *("set of routes", "set of api endpoints"),
)


def head(cursor: Cursor) -> int | None:
    """Read "a complete REST API", "CRUD endpoints and schemas"."""
    count = 0
    while True:
        start = cursor.position
        cursor.separator() if count else None
        cursor.take_any(DETERMINERS | PRAISE | {"of"})
        if cursor.kind() == "number" and cursor.peek(1) in HEADS:
            cursor.position += 1
        heads = int(cursor.phrase(*_SETS)) or cursor.take_any(HEADS)
        if not heads and not (count and cursor.take("jwt", "auth")):
            cursor.position = start
            break
        count += heads
        _spelled_out(cursor)
    return count or None


def _spelled_out(cursor: Cursor) -> None:
    """Step over "(create, read, update, delete)" behind "CRUD"."""
    start = cursor.position
    if not (cursor.take("(") and operations(cursor) and cursor.take(")")):
        cursor.position = start


def operations(cursor: Cursor) -> int:
    """Step over "create, read, update and delete"; return the number of verbs."""
    count = 0
    while not cursor.is_done:
        start = cursor.position
        cursor.separator() if count else None
        if not cursor.take(*OPERATIONS):
            cursor.position = start
            break
        cursor.phrase("track of", "up", "down", "new", "track")
        count += 1
    return count


def without_heads(noun: Name) -> tuple[Name | None, set[str]]:
    """Return a noun without "API" or "tracker" behind it, and these words."""
    words = noun.words
    while words and words[-1] in HEADS | {"rest", "restful"}:
        words = words[:-1]
    if len(words) > 1 and words[-1] == "list" and len(words) < len(noun.words):
        words = words[:-1]
    if not words:
        return None, set()
    return Name(words, noun.start, noun.end), set(noun.words[len(words) :])


# What may be said of a resource's list right behind its name.
LISTED = word_set("sorted sortable ordered filtered filterable searchable paginated")


def may_follow(cursor: Cursor) -> bool:
    """Tell whether more may be said of a resource whose name ends here."""
    return cursor.peek() in LISTED or cursor.peek() in {
        *("with", "that", "which", "where", "(", ":", "for", "on", "in", "of", "to", "per", "-"),
        *(
            "within",
            "inside",
            "under",
            "belonging",
            "so",
            "attached",
            "using",
            "having",
            "including",
        ),
        *("each", "both", "by", "whose", "linked", "containing", "as", "and", "too", "please", "?"),
    }


def longest_of(cursor: Cursor, rules: tuple[Rule[Statements], ...]) -> Statements | None:
    """Apply the rule that reads most, and step over what it read."""
    found = longest(cursor, rules)
    if found is None:
        return None
    cursor.position = found.end
    return found.value


def about(subjects: tuple[Name, ...], statements: Statements) -> Statements:
    """Return statements with their subject, where they have none yet."""
    return tuple(
        statement
        if statement.subjects or isinstance(statement, (Declares, Extends, Satisfied, WantsAuth))
        else replace(statement, subjects=subjects)
        for statement in statements
    )
