"""Rules for whole clauses: wishes, descriptions, relations, conditions."""

from dataclasses import replace

from agent.models.offline.attributes import (
    ALL_FIELDS,
    always,
    attributes,
    can_be,
    feature_list,
    parents,
    states,
    typed_name,
)
from agent.models.offline.building import MADE, build, resources, uses
from agent.models.offline.choices import choice_list
from agent.models.offline.cursor import LONGEST_LIST, Cursor, Rule, attempt
from agent.models.offline.defaults import kind_by_name
from agent.models.offline.endpoints import agent_and_limit, paths
from agent.models.offline.features import feature_intro, limits
from agent.models.offline.heads import about, operations, without_heads
from agent.models.offline.nouns import is_plural, snake, word_set
from agent.models.offline.phrasebook import (
    ELSEWHERE,
    FIELDS_OF,
    FOR_EACH,
    HAVE,
    IS_COPULA,
    MOVED,
    NOTHING,
    OTHER_FIELDS,
    WORKS,
)
from agent.models.offline.phrases import (
    ability,
    field_name,
    is_users,
    noun_phrase,
    politeness,
    tail,
)
from agent.models.offline.statements import (
    BelongsTo,
    Constrains,
    Declares,
    Extends,
    Filters,
    HasField,
    Moves,
    Name,
    NewestFirst,
    Paginates,
    Searches,
    Sorts,
    Statement,
    Statements,
    Traits,
)
from agent.models.offline.traits import traits
from agent.models.offline.words import BUILD_VERBS, DETERMINERS, HEADS, OPERATIONS, PRAISE


def describes(cursor: Cursor) -> Statements | None:
    """Read "a task has a title", "each project has many tasks", "users have notes"."""
    politeness(cursor)
    subjects = _subjects(cursor)
    if not subjects:
        return None
    found = _finite_have(cursor)
    return about(subjects, found) if found else None


_NOT_FINITE = word_set("with having including containing consisting")


def goes_on(cursor: Cursor) -> Statements | None:
    """Read "and has a date", said of what the clause before was about."""
    if cursor.position == 0:
        return None
    return goes_on_anew(cursor)


def goes_on_anew(cursor: Cursor) -> Statements | None:
    """Read a sentence without a subject, "Belong to a company", about what was spoken of."""
    if cursor.peek() in BUILD_VERBS | OPERATIONS and not cursor.position:
        return None
    cursor.take("it", "they", "also", "each")
    found = attempt(cursor, _finite_have) or attempt(cursor, parents) or attempt(cursor, can_be)
    return about((CURRENT,), found) if found else None


def for_each(cursor: Cursor) -> Statements | None:
    """Read "for each project, tasks with a title", "for every trip I want to store stops"."""
    politeness(cursor)
    if not cursor.phrase(*FOR_EACH):
        return None
    parent = attempt(cursor, noun_phrase)
    if parent is None:
        return None
    cursor.take(",")
    politeness(cursor)
    ability(cursor)
    operations(cursor) or cursor.take_any(BUILD_VERBS)
    found = resources(cursor, MADE)
    if found is None:
        return None
    links = () if is_users(parent) else (BelongsTo(parent),)
    made = tuple(item.name for item in found if isinstance(item, Declares))
    return (*found, *(replace(link, subjects=(name,)) for link in links for name in made))


def moves(cursor: Cursor) -> Statements | None:
    """Read "moving a bookmark to another folder must work"."""
    politeness(cursor)
    ability(cursor)
    is_verb = cursor.take("move", "moving", "reassign", "reassigning")
    child = None if is_verb and cursor.take("it", "them") else attempt(cursor, noun_phrase)
    if not is_verb and (child is None or not cursor.phrase(*MOVED)):
        return None
    parent = attempt(cursor, noun_phrase) if cursor.phrase("from one", "from 1", "from a") else None
    if not cursor.phrase(*ELSEWHERE):
        return None
    parent = attempt(cursor, noun_phrase) or parent
    cursor.take("one") if parent else None
    cursor.phrase(*WORKS)
    return (Moves(child, parent),) if parent else None


def _finite_have(cursor: Cursor) -> Statements | None:
    if cursor.peek() in _NOT_FINITE or not cursor.phrase(*HAVE):
        return None
    cursor.phrase(*FIELDS_OF)
    cursor.take(":")
    return attributes(cursor)


def marks(cursor: Cursor) -> Statements | None:
    """Read "mark tasks as done": a yes/no field that is changed like any other."""
    politeness(cursor)
    ability(cursor)
    if not cursor.take("mark", "flag", "marking"):
        return None
    subject = attempt(cursor, noun_phrase)
    cursor.take("as")
    found = states(cursor)
    return about((subject,), found) if subject and found else None


def _subjects(cursor: Cursor) -> tuple[Name, ...]:
    names: list[Name] = []
    while len(names) < LONGEST_LIST:
        start = cursor.position
        cursor.separator() if names else None
        if not names and cursor.take("it", "they", "this", "these"):
            return (CURRENT,)
        cursor.take("all", "each", "every", "both", "a single", "one")
        noun = attempt(cursor, noun_phrase)
        name = without_heads(noun)[0] if noun else None
        if name is None or name.words in {one.words for one in names}:
            cursor.position = start
            break
        names.append(name)
    return tuple(names)


# Stands for the resources that the request is speaking of.
CURRENT = Name(())


def relates(cursor: Cursor) -> Statements | None:
    """Read "tasks belong to projects", "bookmarks live in folders"."""
    politeness(cursor)
    subjects = _subjects(cursor)
    if not subjects:
        return None
    found = attempt(cursor, parents) or attempt(cursor, can_be)
    return about(subjects, found) if found else None


def constrains(cursor: Cursor) -> Statements | None:
    """Read "the title is required", "notes and tags are optional", "status defaults to todo"."""
    politeness(cursor)
    if cursor.phrase(*OTHER_FIELDS):
        said = _said_of(cursor)
        return (Constrains(ALL_FIELDS, said),) if said else None
    names: list[Name] = []
    while len(names) < LONGEST_LIST:
        start = cursor.position
        cursor.separator() if names else None
        cursor.take("the", "a", "an", "its", "only", "all", "both")
        name = attempt(cursor, field_name)
        if name is None:
            cursor.position = start
            break
        names.append(typed_name(name)[0])
    subject: tuple[Name, ...] = ()
    if names and cursor.phrase("of a", "of each", "of the", "of", "of every"):
        owner = attempt(cursor, noun_phrase)
        subject = (owner,) if owner else ()
    said = _said_of(cursor)
    if not names or said is None:
        return None
    found = tuple(Constrains(name, said) for name in names)
    return about(subject, found) if subject else found


def _said_of(cursor: Cursor) -> Traits | None:
    """Read "is required", "defaults to low", "must be at most 5"."""
    if not _is_copula(cursor):
        return None
    said = traits(cursor)
    if said == Traits():
        start = cursor.position
        choices = choice_list(cursor)
        has_or = "or" in {token.norm for token in cursor.tokens[start : cursor.position]}
        if not has_or or len(choices) <= 1:
            return None
        said = Traits(choices=choices).merged(traits(cursor))
    return None if said == Traits() else said


def _is_copula(cursor: Cursor) -> bool:
    here = Cursor(cursor.tokens, cursor.position)
    if traits(here) != Traits() and cursor.peek() not in {"(", ":", "/", "in", "of", "for"}:
        return True
    return cursor.phrase(*IS_COPULA)


def add_to(cursor: Cursor) -> Statements | None:
    """Read "add comments to tasks", "add a due date field to tasks"."""
    politeness(cursor)
    if not cursor.take("add", "attach", "introduce", "include", "put"):
        return None
    items = attributes(cursor)
    if not items or not cursor.phrase(
        "to", "to each", "to every", "on", "to all", "to the", "to my"
    ):
        return None
    target = attempt(cursor, noun_phrase)
    name = without_heads(target)[0] if target else None
    if name is None or not any(map(_is_field, items)):
        return None
    return (Extends(name), *about((name,), items))


def _is_field(item: Statement) -> bool:
    """Tell whether what is added is a field, and no resource of its own."""
    if not isinstance(item, HasField):
        return False
    key = snake(item.name.words)
    is_row = is_plural(item.name.words[-1]) and kind_by_name(key) is None
    return item.traits != Traits() or not is_row


def an_agent(cursor: Cursor) -> Statements | None:
    """Read the wish for an agent endpoint."""
    politeness(cursor)
    cursor.take_any(BUILD_VERBS)
    cursor.take("me", "us")
    return agent_and_limit(cursor)


def a_limit(cursor: Cursor) -> Statements | None:
    """Read a rate limit."""
    politeness(cursor)
    cursor.take_any(BUILD_VERBS)
    cursor.take("with", "a", "and")
    found = limits(cursor)
    return (found,) if found else None


_OF_LISTS = (Filters, Searches, Sorts, Paginates, NewestFirst, Constrains)


def a_feature(cursor: Cursor) -> Statements | None:
    """Read "add pagination", "filter by status", "the list should be sortable by price"."""
    politeness(cursor)
    cursor.take_any(BUILD_VERBS)
    ability(cursor)
    found = attempt(cursor, feature_list)  # "list tasks by status"
    if found is None:
        feature_intro(cursor)
        cursor.take("also")
        found = attempt(cursor, feature_list)
    if found is None or not all(isinstance(item, _OF_LISTS) for item in found):
        return found
    if not cursor.phrase("to the", "to my", "to all", "to", "for the", "for"):
        return found
    owner = attempt(cursor, noun_phrase)
    name = without_heads(owner)[0] if owner else None
    cursor.take_any(HEADS | {"list", "lists"})
    return about((name,), found) if name else None


def always_so(cursor: Cursor) -> Statements | None:
    """Read a clause that asks for what every backend does."""
    politeness(cursor)
    cursor.take_any(BUILD_VERBS)
    cursor.take("me", "us", "up", "also")
    return always(cursor)


def by_path(cursor: Cursor) -> Statements | None:
    """Read endpoints that are named by their paths."""
    politeness(cursor)
    cursor.take_any(BUILD_VERBS)
    return paths(cursor)


def nothing(cursor: Cursor) -> Statements | None:
    """Read what a person says without asking for anything."""
    start = cursor.position
    politeness(cursor)
    _scene(cursor)
    here = cursor.position
    ability(cursor)
    if not cursor.phrase(*NOTHING):
        cursor.position = here
    tail(cursor)
    cursor.take("yet", "already", "together")
    return () if cursor.position > start and cursor.is_at_boundary else None


_SCENES = word_set("building making creating on developing writing starting")
_PROJECTS = word_set("project app application startup hackathon prototype product demo thing")


def _scene(cursor: Cursor) -> None:
    """Step over "a little side project" behind "I'm working on"."""
    start = cursor.position
    if not (start and cursor.tokens[start - 1].norm in _SCENES):
        return
    cursor.take_any(DETERMINERS | PRAISE | {"side", "school", "weekend", "hobby", "hackathon"})
    has_noun = cursor.tokens[cursor.position - 1].norm in _PROJECTS
    if not (has_noun or cursor.take(*_PROJECTS)):
        cursor.position = start


CLAUSES: tuple[Rule[Statements], ...] = (
    an_agent,
    a_limit,
    by_path,
    always_so,
    a_feature,
    describes,
    relates,
    for_each,
    moves,
    goes_on,
    marks,
    constrains,
    add_to,
    build,
    uses,
    nothing,
)
