"""Rules for what to build: resources by their names, with all that may follow one."""

from dataclasses import replace

from agent.models.offline.attributes import (
    always,
    attributes,
    can_be,
    feature_list,
    parents,
    placed,
)
from agent.models.offline.blueprint import FieldKind
from agent.models.offline.cursor import LONGEST_LIST, Cursor, Rule, attempt, longest
from agent.models.offline.defaults import STANDS_FOR, is_known_noun, kind_by_name
from agent.models.offline.endpoints import agent_and_limit, starts_agent
from agent.models.offline.features import ALWAYS
from agent.models.offline.heads import (
    LISTED,
    about,
    head,
    longest_of,
    may_follow,
    operations,
    without_heads,
)
from agent.models.offline.nouns import is_plural, singular_name, snake, word_set
from agent.models.offline.phrasebook import (
    FIELDS_OF,
    HAVE,
    RELATIVE,
)
from agent.models.offline.phrases import (
    ability,
    noun_phrase,
    politeness,
    tail,
)
from agent.models.offline.statements import (
    Declares,
    Name,
    Paginates,
    Satisfied,
    Searches,
    Statement,
    Statements,
)
from agent.models.offline.words import (
    APP_HEADS,
    BUILD_VERBS,
    DETERMINERS,
    HEADS,
    LIST_HEADERS,
    OPERATIONS,
    PRAISE,
    STRONG_HEADS,
    TECHNICAL,
    WEAK_HEADS,
)


def build(cursor: Cursor) -> Statements | None:
    """Read "build a notes API with ...", "I need CRUD endpoints for tasks"."""
    politeness(cursor)
    verbs = cursor.take_any(BUILD_VERBS - {"need", "support", "have"})
    verbs += cursor.phrase("need", "me", "us", "support", "have")
    cursor.take("me", "us", "up", "also", "in")
    has_head = bool(attempt(cursor, head))
    secured = attempt(cursor, _head_auth) if has_head else None
    links = 0
    is_scene = cursor.peek() == "where" and not _lets(cursor)
    while has_head and not is_scene and (link := attempt(cursor, _head_link)):
        links += link
    if has_head:
        tail(cursor)
        if cursor.is_done or cursor.peek() in {":", "-"}:
            return secured or (Satisfied(),)
        if not links and cursor.peek() == "where":
            return (Satisfied(),)
        if not links and not _names_next(cursor) and cursor.peek() not in {"named", "called"}:
            return attempt(cursor, _head_extras)
    if has_head:
        cursor.take("named", "called")
    found = resources(cursor, MADE)
    if found is None or not (verbs or has_head or _is_strong(found[0])):
        return None
    return _strengthened(found) if has_head else found


def _names_next(cursor: Cursor) -> bool:
    """Tell whether a head has its name behind it: "crud tasks", "a resource measurement"."""
    said = cursor.tokens[cursor.position - 1].norm
    rest = Cursor(cursor.tokens, cursor.position)
    return said == "crud" or (said in {"resource", "entity"} and noun_phrase(rest) is not None)


def _lets(cursor: Cursor) -> bool:
    """Tell whether "where" goes on with what users can do."""
    rest = Cursor(cursor.tokens, cursor.position)
    return ability(rest) or (rest.take("where") and ability(rest))


def _head_auth(cursor: Cursor) -> Statements | None:
    """Read "with JWT auth" between a head and what it is about."""
    found = always(cursor) if cursor.take("with", "using") else None
    return found if found and cursor.peek() in {"for", "to", "that", "which", ":", ""} else None


def _strengthened(found: Statements) -> Statements:
    """Note that resources were asked for as such: "endpoints for", "a model called"."""
    return tuple(
        replace(item, is_strong=True) if isinstance(item, Declares) and not item.is_title else item
        for item in found
    )


def _is_strong(statement: Statement) -> bool:
    return isinstance(statement, Declares) and (statement.is_strong or statement.is_title)


def _head_link(cursor: Cursor) -> int | None:
    """Read "for", "to manage", "that lets users create and edit" behind a head."""
    start = cursor.position
    tail(cursor)
    cursor.take("for", "to", "that", "which", "where", "so", "of", "on", "around", "about")
    ability(cursor)
    cursor.take("to", "that")
    operations(cursor)
    attempt(cursor, head)
    cursor.take("for", "of", "on")
    cursor.phrase("the following", "these", "all of these")
    return 1 if cursor.position > start else None


# Heads that stand for a backend as a whole, and so may come "with tasks and projects".
_HOLDERS = APP_HEADS | {"api", "apis", "crud", "schema", "models", "resources", "database"}


def _head_extras(cursor: Cursor) -> Statements | None:
    """Read "with pagination", "with tasks and projects" behind a bare head."""
    has_parts = bool({token.norm for token in cursor.tokens[: cursor.position]} & _HOLDERS)
    if not cursor.take("with", "including", "containing", "having", "and", ","):
        return None
    found = longest(cursor, (feature_list, made_resources) if has_parts else (feature_list,))
    if found is None:
        return None
    cursor.position = found.end
    return found.value


# Verbs that say what a backend is for.
_PURPOSES = word_set(
    """manage managing track tracking organize organizing organise organising store storing save
    saving keep keeping record recording log logging maintain maintaining plan planning collect
    collecting handle handling"""
)


def uses(cursor: Cursor) -> Statements | None:
    """Read "users can create and edit tasks", "to track my expenses"."""
    politeness(cursor)
    has_subject = ability(cursor) or _doer(cursor)
    cursor.take("to", "for")
    has_head = bool(attempt(cursor, head))
    cursor.take("to", "for", "that", "which")
    verb = cursor.peek()
    count = operations(cursor)
    # "Delete all my tasks" is an order to delete them, no wish for endpoints.
    is_wish = has_subject or has_head or count > 1 or verb in _PURPOSES
    if not (count and is_wish):
        return None
    cursor.take("a", "an", "single", "one")
    return resources(cursor, MENTIONED if has_subject or not has_head else MADE)


def _doer(cursor: Cursor) -> bool:
    """Step over "users" in "users write journal entries"."""
    start = cursor.position
    if cursor.phrase("users", "people", "the users", "i", "we") and cursor.peek() in OPERATIONS:
        return True
    cursor.position = start
    return False


_Found = tuple[Name, Statements]


def resources(cursor: Cursor, rule: "Rule[_Found]") -> Statements | None:
    """Read "tasks and projects", each with its own additions."""
    found: list[Statement] = []
    names: list[Name] = []
    while len(names) < LONGEST_LIST:
        start = cursor.position
        cursor.separator() if names else None
        item = attempt(cursor, rule)
        if item is None or item[0].words in {name.words for name in names}:
            cursor.position = start
            break
        names.append(item[0])
        found += item[1]
    if not names:
        return None
    return (*found, *_shared(cursor, tuple(names)))


def made_resources(cursor: Cursor) -> Statements | None:
    """Read resources that are to be made."""
    return resources(cursor, MADE)


def _shared(cursor: Cursor, names: tuple[Name, ...]) -> Statements:
    """Read what is said of all the resources in a list: "both with pagination"."""
    start = cursor.position
    cursor.take(",")
    if cursor.phrase("both with", "each with", "all with", "with"):
        features = attempt(cursor, feature_list)
        if features is not None:
            return about(names, features)
    cursor.position = start
    return ()


def _made(cursor: Cursor) -> _Found | None:
    """Read one resource that is to be made."""
    if starts_agent(Cursor(cursor.tokens, cursor.position)):
        return None
    cursor.take_any(DETERMINERS | PRAISE)
    has_head = bool(attempt(cursor, head))
    if has_head and not cursor.take("for", "of", "on"):
        return None
    cursor.take_any(PRAISE | DETERMINERS)
    able = _able(cursor)
    noun = attempt(cursor, noun_phrase)
    if noun is None or noun.words[0] in BUILD_VERBS | _NO_RESOURCE:
        return None
    if noun.words in _COLLECTIONS and cursor.take("of"):
        cursor.take_any(PRAISE | DETERMINERS)
        noun = attempt(cursor, noun_phrase)
    if noun is None or (noun.words[-1:] in _COLLECTIONS and cursor.peek() == "of"):
        return None
    is_header = noun.words[-1] in LIST_HEADERS and " ".join(noun.words) not in STANDS_FOR
    if is_header and cursor.peek() == ":":
        return None
    name, heads = without_heads(noun)
    start = cursor.position
    cursor.take_any(HEADS)
    heads = {*heads, *(token.norm for token in cursor.tokens[start : cursor.position])}
    if name is None:
        return None
    start = cursor.position
    is_title = heads or " ".join(name.words) in STANDS_FOR
    if is_title and not able and (listed := _titled(cursor, name)):
        return name, listed
    cursor.position = start
    if not (cursor.is_at_boundary or may_follow(cursor)):
        return None
    is_title = bool(heads & (APP_HEADS | {"api", "apis"})) and not is_plural(name.words[-1])
    declared = Declares(
        name,
        is_title=is_title,
        is_strong=has_head or _asks_for(name, heads),
        is_app=bool(heads & APP_HEADS),
    )
    found: list[Statement] = [declared, *about((name,), able)]
    _additions(cursor, name, found)
    return name, tuple(found)


def _able(cursor: Cursor) -> Statements:
    """Read "searchable" and "paginated" before a resource's name."""
    found: list[Statement] = []
    while cursor.kind(1) == "word":
        if cursor.take("searchable"):
            found.append(Searches(()))
        elif cursor.take("paginated", "paged"):
            found.append(Paginates())
        else:
            break
    return tuple(found)


def _asks_for(name: Name, heads: set[str]) -> bool:
    """Tell whether the words behind a name ask for a resource: "task CRUD", "notes API"."""
    if heads & STRONG_HEADS:
        return True
    return bool(heads - WEAK_HEADS) and singular_name(name.words) not in TECHNICAL


def _mentioned(cursor: Cursor) -> _Found | None:
    """Read one resource that a clause uses: "list my tasks"."""
    item = _made(cursor)
    if item is None:
        return None
    name, (first, *rest) = item
    if not isinstance(first, Declares):
        return item
    return name, (replace(first, is_mention=not first.is_strong), *rest)


MADE: "Rule[_Found]" = _made


MENTIONED: "Rule[_Found]" = _mentioned


_COLLECTIONS = {("list",), ("collection",), ("set",), ("catalog",), ("catalogue",)}
# Words that start no resource's name.
_NO_RESOURCE = word_set("jwt auth authentication token graphql")


# What applications are called that store something else.
_TITLES = word_set(
    """library shop store blog crm kanban inventory school clinic gym restaurant hotel finance
    fitness travel budget budgeting personal-finance recipe hr erp pos e-commerce ecommerce
    bookstore marketplace zoo garden music cinema office household home team family sales warehouse
    university college classroom church charity pet farm journal planner productivity hackathon
    learning study medical health todo task note expense habit trello"""
)


def _titled(cursor: Cursor, name: Name) -> Statements | None:
    """Read "with books and authors" behind "a library app": the resources of an application."""
    tail(cursor)
    cursor.phrase("for managing", "to manage", "that manages", "to track", "to organize")
    said = " ".join(name.words)
    is_title = said in _TITLES or said in STANDS_FOR or is_known_noun(singular_name(name.words))
    if cursor.peek() == "for" and not is_title:
        return None
    if not cursor.take("with", "for", "that", "has", "having", "including", "containing"):
        return None
    cursor.take("has", "stores", "manages", "handles", "contains")
    if not starts_resources(Cursor(cursor.tokens, cursor.position)):
        return None
    found = resources(cursor, MADE)
    return (Declares(name, is_title=True), *found) if found else None


def starts_resources(cursor: Cursor) -> bool:
    """Tell whether a list starts with a noun for many that no field is called by."""
    cursor.take_any(DETERMINERS | PRAISE)
    name = attempt(cursor, noun_phrase)
    if name is None or not (cursor.is_at_boundary or cursor.peek() in _OF_ROWS):
        return False
    many, one = kind_by_name(snake(name.words)), kind_by_name(singular_name(name.words))
    last = singular_name(name.words[-1:])
    is_known = is_known_noun(singular_name(name.words))
    is_field = many is not None or one in _VALUES or last in {"priority", "status"}
    return is_plural(name.words[-1]) and (not is_field or (is_known and many is None))


_OF_ROWS = word_set("with ( having containing including")

# Kinds that are told of fields, not of rows.
_VALUES = {FieldKind.DATE, FieldKind.DATETIME, FieldKind.BOOLEAN, FieldKind.MONEY}


def _additions(cursor: Cursor, name: Name, found: list[Statement]) -> None:
    """Read everything that follows a resource's name."""
    while not cursor.is_done:
        start = cursor.position
        addition = longest(cursor, _ADDITIONS)
        if addition is None:
            cursor.position = start
            return
        cursor.position = addition.end
        found += about((name,), addition.value)


def _agent(cursor: Cursor) -> Statements | None:
    """Read "with an agent endpoint that summarizes them" behind a resource."""
    cursor.take(",")
    if not cursor.take("with", "including", "having"):
        return None
    return agent_and_limit(cursor)


def _tail(cursor: Cursor) -> Statements | None:
    return (Satisfied(),) if tail(cursor) else None


def _listed(cursor: Cursor) -> Statements | None:
    """Read "sorted by due date", "filterable by status"."""
    return feature_list(cursor) if cursor.peek() in LISTED else None


def _owned(cursor: Cursor) -> Statements | None:
    start = cursor.position
    cursor.take("with", ",")
    found = longest(cursor, ALWAYS)
    if found is None or (cursor.position == start and not found.is_whole):
        return None
    cursor.position = found.end
    return (found.value,)


def _bracketed(cursor: Cursor) -> Statements | None:
    """Read "(title, due date)" behind a resource."""
    if not cursor.take("("):
        return None
    cursor.take("with")
    found = attributes(cursor)
    return found if found and cursor.take(")") else None


def _with(cursor: Cursor) -> Statements | None:
    """Read "with a title and a due date"."""
    cursor.take(",")
    if not cursor.take("with", "having", "including", "containing"):
        return None
    cursor.phrase(*FIELDS_OF)
    cursor.take(":")
    return attributes(cursor)


def _relative(cursor: Cursor) -> Statements | None:
    """Read "that belongs to a project", "which have a title", "whose list is paginated"."""
    cursor.take(",")
    cursor.phrase(*RELATIVE)
    cursor.take("also", "all", "both", "each")
    if cursor.phrase(*HAVE):
        cursor.phrase(*FIELDS_OF)
        cursor.take(":")
        return attributes(cursor)
    return longest_of(cursor, (parents, can_be))


_ADDITIONS: tuple[Rule[Statements], ...] = (
    _tail,
    _bracketed,
    placed,
    _agent,
    _with,
    _relative,
    _owned,
    _listed,
)
