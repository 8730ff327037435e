"""From a request's text to statements, and the words that no rule could read."""

from dataclasses import dataclass, field, replace

from agent.models.offline.attributes import attributes
from agent.models.offline.building import made_resources, starts_resources
from agent.models.offline.clauses import CLAUSES, CURRENT, goes_on_anew
from agent.models.offline.cursor import Cursor, Match, attempt, longest
from agent.models.offline.defaults import STANDS_FOR, USUAL, is_known_noun, kind_by_name
from agent.models.offline.heads import without_heads
from agent.models.offline.nouns import is_plural, singular_name, snake, word_set
from agent.models.offline.phrases import field_name, name_list, noun_phrase, politeness
from agent.models.offline.statements import (
    Constrains,
    Declares,
    Filters,
    HasField,
    Name,
    NewestFirst,
    Paginates,
    Searches,
    Sorts,
    Statement,
    Statements,
    Traits,
)
from agent.models.offline.tokens import Sentence, Token, sentences
from agent.models.offline.traits import traits
from agent.models.offline.words import (
    BUILD_VERBS,
    DETERMINERS,
    FIELD_HEADERS,
    LIST_HEADERS,
    RESOURCE_HEADERS,
)

# Words that ask for nothing when they are all that is left.
_EMPTY = DETERMINERS | word_set("it them is are so too and or to with of for as that ok please : -")


# Where a clause may end and the next one begin, besides the marks between items.
_JOINTS = word_set(": - where while so such but whose in-which")


@dataclass
class Reading:
    """What was read of a request, and what was not.

    Attributes:
        statements: The clauses in their order.
        leftover: The runs of tokens that no rule could read.
    """

    statements: list[Statement] = field(default_factory=list)
    leftover: list[tuple[Token, ...]] = field(default_factory=list)


@dataclass
class _Context:
    """What the sentences so far were about."""

    current: tuple[Name, ...] = ()
    of_sentence: tuple[Name, ...] = ()
    lists_fields: bool = False
    lists_resources: bool = False
    is_bare_title: bool = False
    lists_titles: bool = False


def read(request: str) -> Reading:
    """Read a whole request."""
    reading, context = Reading(), _Context()
    for sentence in sentences(request):
        _read_sentence(sentence, reading, context)
    return reading


def _read_sentence(sentence: Sentence, reading: Reading, context: _Context) -> None:
    cursor = Cursor(sentence)
    context.of_sentence = ()
    if cursor.kind() != "item":
        context.lists_fields = context.lists_resources = context.lists_titles = False
    while _step_over_marks(cursor, context):
        if _header(cursor, reading, context):
            continue
        found = _clause(cursor, context)
        if found is not None:
            start = cursor.position
            cursor.position = found.end
            _add(found.value, reading, context, is_title=cursor.peek() == ":")
            if found.is_whole or cursor.peek() in _JOINTS:
                _note_colon(cursor, context, cursor.tokens[start : found.end])
                continue
        _skip(cursor, reading)


def _clause(cursor: Cursor, context: _Context) -> Match[Statements] | None:
    rules = [*CLAUSES]
    if context.current and not cursor.position:
        rules += [_field_line, goes_on_anew]
    if context.lists_resources:
        rules.append(made_resources)
    if context.lists_fields and context.current:
        rules.insert(0, attributes)
    if not (context.lists_fields or context.lists_resources or cursor.position):
        rules.append(_bare)
    return longest(cursor, rules)


def _bare(cursor: Cursor) -> Statements | None:
    """Read a request that is nothing but nouns: "tasks and projects"."""
    politeness(cursor)
    found = made_resources(cursor)
    if found is None or not (cursor.is_done or cursor.is_at_boundary or cursor.peek() in _JOINTS):
        return None
    declared = [item for item in found if isinstance(item, Declares) and not item.is_strong]
    return found if all(_is_clear(one.name, found) for one in declared) else None


def _field_line(cursor: Cursor) -> Statements | None:
    """Read "Price: money, at least 0", a sentence about one field."""
    name = field_name(cursor)
    if name is None or cursor.peek() != ":":
        return None
    said = traits(cursor)
    if said == Traits():
        cursor.take(":")
    while not cursor.is_done:
        cursor.separator()
        more = traits(cursor)
        if more == Traits():
            return None
        said = said.merged(more)
    return (HasField(name, said),) if said != Traits() else None


def _is_clear(name: Name, found: Statements) -> bool:
    """Tell whether a bare noun is surely a resource: "blog posts", but not "dark mode"."""
    says_more = any(not isinstance(item, Declares) for item in found)
    fields = [item for item in found if isinstance(item, HasField) and name in item.subjects]
    if len(fields) > 1 and is_plural(name.words[-1]):
        return True
    said = " ".join(name.words)
    if singular_name(name.words) in USUAL or said in STANDS_FOR:
        return True
    is_row = is_plural(name.words[-1]) or len(fields) > 1 or not fields
    return len(name.words) == 1 and is_row and (says_more or is_plural(name.words[-1]))


_ONE_OF_A_KIND = word_set("resource model entity table")


def _header(cursor: Cursor, reading: Reading, context: _Context) -> bool:
    """Read "Tasks:" or "Fields:" at the start of a list."""
    start = cursor.position
    line = Cursor(cursor.tokens, start)
    if context.current and not start and _field_line(line) and line.is_done:
        return False
    if _list_header(cursor, reading, context):
        return True
    cursor.position = start
    politeness(cursor)
    while cursor.peek() in BUILD_VERBS and cursor.kind(1) == "word":
        cursor.position += 1
    cursor.take("the", "my")
    name = attempt(cursor, noun_phrase)
    words = name.words if name else ()
    if name is None and cursor.kind() == "word" and cursor.peek(1) == ":":
        words = (cursor.peek(),)
        cursor.position += 1
    if not words or cursor.peek() not in {":"} or not _is_list_ahead(cursor):
        cursor.position = start
        return False
    last = words[-1]
    cursor.take(":")
    if last in LIST_HEADERS and (len(words) == 1 or last not in _ONE_OF_A_KIND):
        context.lists_resources = last in RESOURCE_HEADERS
        context.lists_fields = not context.lists_resources
        context.lists_titles = context.lists_resources
        if last in FIELD_HEADERS and len(words) > 1:
            subject = Name(words[:-1], name.start if name else 0, name.end if name else 0)
            context.current = context.of_sentence = (subject,)
        return True
    if name is not None and _row_header(cursor, start, name, reading, context):
        return True
    cursor.position = start
    return False


def _row_header(
    cursor: Cursor, start: int, whole: Name, reading: Reading, context: _Context
) -> bool:
    """Take up the resource whose name stands over a list."""
    is_title = _is_title_of_list(cursor, start, whole, context)
    if not is_title and _is_field_line(whole, context):
        return False
    name, heads = without_heads(whole)
    if name is None and _describes_row(cursor, start):
        # "applications: position, status", in a list of resources
        if not is_known_noun(singular_name(whole.words)):
            return False
        name = whole
    if name is None:
        context.lists_resources = True
        return True
    is_title = _lists_resources(cursor)
    _add((Declares(name, is_title=True, is_strong=bool(heads)),), reading, context)
    context.lists_fields, context.lists_resources = not is_title, is_title
    return True


def _describes_row(cursor: Cursor, start: int) -> bool:
    """Tell whether a bullet goes on behind its colon, and stands over no list."""
    return start > 0 and cursor.tokens[start - 1].norm == "•" and cursor.peek() != "•"


def _list_header(cursor: Cursor, reading: Reading, context: _Context) -> bool:
    """Read "Students and courses:", the resources that the rest is about."""
    names = name_list(cursor)
    if len(names) <= 1 or cursor.peek() != ":" or (context.lists_fields and context.current):
        return False
    if not all(is_plural(name.words[-1]) for name in names):
        return False
    _add(tuple(Declares(name) for name in names), reading, context)
    return cursor.take(":")


def _is_list_ahead(cursor: Cursor) -> bool:
    return cursor.peek(1) != ""


def _is_field_line(name: Name, context: _Context) -> bool:
    """Tell whether "priority: low or high" describes a field of a list under way."""
    if not (context.lists_fields and context.current):
        return False
    return not (is_plural(name.words[-1]) and is_known_noun(singular_name(name.words)))


def _is_title_of_list(cursor: Cursor, start: int, name: Name, context: _Context) -> bool:
    """Tell whether "Workout" stands over a list of its fields, below "Gym log"."""
    is_item = start > 0 and cursor.tokens[start - 1].norm == "•"
    is_among_titles = context.is_bare_title or (context.lists_titles and start == 1)
    if not (is_item and cursor.peek() == "•" and is_among_titles):
        return False
    key = singular_name(name.words)
    context.lists_titles = is_known_noun(key) or kind_by_name(key) is None
    return context.lists_titles


def _lists_resources(cursor: Cursor) -> bool:
    """Tell whether a list starts with a noun for many that no field is called by."""
    rest = Cursor(cursor.tokens, cursor.position)
    rest.separator()
    return starts_resources(rest)


def _note_colon(cursor: Cursor, context: _Context, read_tokens: tuple[Token, ...]) -> None:
    if cursor.peek() == "•" and read_tokens:
        context.lists_fields = bool(context.current)
        context.lists_resources = not context.current
    if cursor.peek() not in {":", "-"}:
        return
    cursor.position += 1
    context.lists_resources = not context.current or _lists_resources(cursor)
    context.lists_fields = not context.lists_resources


def _step_over_marks(cursor: Cursor, context: _Context) -> bool:
    """Step to the next clause; tell whether there is one."""
    while cursor.separator() or cursor.take(":", "-", ";", "."):
        pass
    if context.of_sentence:
        cursor.phrase("where", "so that", "such that", "while", "but")
    return not cursor.is_done


def _add(found: Statements, reading: Reading, context: _Context, *, is_title: bool = False) -> None:
    declared = [item for item in found if isinstance(item, Declares)]
    if is_title and len(declared) == 1 == len(found):
        found = (replace(declared[0], is_title=True),)
    titles = [item for item in declared if item.is_title and not is_plural(item.name.words[-1])]
    context.is_bare_title = len(found) == 1 == len(titles)
    bound = tuple(_bind(item, context, declared) for item in found)
    subjects = [item.name for item in declared if not item.is_mention]
    subjects = subjects or [name for item in bound for name in item.subjects]
    subjects = subjects or [item.name for item in declared]
    if subjects:
        context.current = context.of_sentence = tuple(dict.fromkeys(subjects))
    reading.statements += bound


def _bind(item: Statement, context: _Context, declared: list[Declares]) -> Statement:
    if item.subjects == (CURRENT,):
        return replace(item, subjects=context.current)
    if item.subjects or isinstance(item, Declares):
        return item
    if isinstance(item, Filters | Searches | Sorts | Paginates | NewestFirst):
        subjects = context.of_sentence or tuple(one.name for one in declared)
        return replace(item, subjects=subjects, is_loose=not subjects)
    if isinstance(item, Constrains):
        return replace(item, subjects=context.current, is_loose=True)
    return (
        replace(item, subjects=context.current)
        if isinstance(item, HasField)
        else _other(item, context)
    )


def _other(item: Statement, context: _Context) -> Statement:
    return replace(item, subjects=context.current)


def _skip(cursor: Cursor, reading: Reading) -> None:
    """Step over what cannot be read, to the next place where a clause may start."""
    start, depth = cursor.position, 0
    while not cursor.is_done:
        depth += (cursor.peek() in {"(", "["}) - (cursor.peek() in {")", "]"})
        is_end = cursor.position > start and depth <= 0 and _may_start_clause(cursor)
        if is_end:
            break
        cursor.position += 1
    tokens = cursor.tokens[start : cursor.position]
    while tokens and tokens[0].norm in {",", "and", ":", "-", "•"}:
        tokens = tokens[1:]
    if any(token.norm not in _EMPTY for token in tokens):
        reading.leftover.append(tokens)


def _may_start_clause(cursor: Cursor) -> bool:
    return cursor.peek() in {",", "and", "•", ":", "plus", "then", "also"}


def name_key(name: Name) -> str:
    """Return a name in snake case."""
    return snake(name.words)


def field_kind_known(name: Name) -> bool:
    """Tell whether a field's name tells its kind."""
    return kind_by_name(snake(name.words)) is not None
