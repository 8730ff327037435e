"""Rules for what a resource has: its fields, children, parents and what its list can do."""

from dataclasses import replace

from agent.models.offline.blueprint import FieldKind
from agent.models.offline.cursor import LONGEST_LIST, Cursor, Rule, attempt, longest
from agent.models.offline.defaults import is_known_noun, is_state, kind_by_name
from agent.models.offline.features import ALWAYS, feature, feature_intro, user_phrase
from agent.models.offline.heads import LISTED, about, may_follow, operations, without_heads
from agent.models.offline.nouns import singular_name, word_set
from agent.models.offline.phrasebook import (
    BELONGS,
    DEPTH,
    FIELD_CALLED,
    MANY,
    MAY_BELONG,
    NESTED,
    PLACE,
)
from agent.models.offline.phrases import (
    ability,
    field_name,
    is_users,
    noun_phrase,
    tail,
)
from agent.models.offline.statements import (
    BelongsTo,
    Constrains,
    Declares,
    HasField,
    HasMany,
    Name,
    Nests,
    Satisfied,
    Statement,
    Statements,
    Traits,
)
from agent.models.offline.traits import traits
from agent.models.offline.words import (
    BOOLEAN_TAILS,
    DETERMINERS,
    PRAISE,
    PURE_TYPES,
    TYPES,
)


def feature_list(cursor: Cursor) -> Statements | None:
    """Read "pagination, search in title and filters for status"."""
    found: list[Statement] = []
    while True:
        start = cursor.position
        cursor.separator() if found else None
        item = longest(cursor, (feature, always))
        if item is None:
            cursor.position = start
            return tuple(found) or None
        cursor.position = item.end
        found += item.value
        if not item.is_whole:
            return tuple(found)


def always(cursor: Cursor) -> Statements | None:
    """Read something that every backend does anyway."""
    cursor.take("with", "and")
    found = longest(cursor, ALWAYS)
    if found is None:
        return None
    cursor.position = found.end
    tail(cursor)
    return (found.value,)


def placed(cursor: Cursor) -> Statements | None:
    """Read "on tasks", "for each project", "in a folder"."""
    if not cursor.phrase(*PLACE):
        return None
    if attempt(cursor, user_phrase):
        return (Satisfied(),)
    parent = attempt(cursor, noun_phrase)
    if parent is None or is_users(parent):
        return None
    name, _ = without_heads(parent)
    return (BelongsTo(name),) if name else None


def can_be(cursor: Cursor) -> Statements | None:
    """Read "can be filtered by status", "can be pinned"."""
    if not (cursor.phrase("can be", "should be", "must be", "are", "is") or ability(cursor)):
        return None
    cursor.take("also", "either")
    return attempt(cursor, feature_list) or attempt(cursor, nested) or attempt(cursor, states)


def nested(cursor: Cursor) -> Statements | None:
    """Read "nested", "nested inside other folders to any depth"."""
    if not cursor.phrase(*NESTED):
        return None
    start = cursor.position
    name = attempt(cursor, noun_phrase) if cursor.phrase(*_INSIDE_OTHERS) else None
    if name is None:
        cursor.position = start
    cursor.phrase(*DEPTH)
    if name is not None:
        return (HasField(Name(("other", *name.words), name.start, name.end)),)
    return (Nests(),) if cursor.is_at_boundary else None


_INSIDE_OTHERS = tuple(
    f"{link} {other}" for link in ("in", "inside", "within", "into") for other in ("other",)
)


def attributes(cursor: Cursor) -> Statements | None:
    """Read a list of fields, features and relations of one resource."""
    found: list[Statement] = []
    while len(found) < LONGEST_LIST:
        start = cursor.position
        cursor.separator()
        cursor.phrase("also", "it has", "a list of fields :", "optionally")
        item = longest(cursor, _ATTRIBUTES)
        if item is None or not (item.is_whole or cursor_stops(cursor, item.end)):
            cursor.position = start
            break
        cursor.position = item.end
        found += item.value
    return tuple(found) or None


def cursor_stops(cursor: Cursor, position: int) -> bool:
    """Tell whether a list may stop at a position because another addition follows."""
    rest = Cursor(cursor.tokens, position)
    return (
        rest.peek() in LISTED
        or rest.peek() in {"for", "that", "which", "where", ".", "-", "so", "to"}
        or tail(rest)
    )


def a_field(cursor: Cursor) -> Statements | None:
    """Read one field: "an optional due date (date)", "priority: low, medium or high"."""
    lead = _leading(cursor)
    cursor.phrase(*FIELD_CALLED)
    name = attempt(cursor, _state) or field_name(cursor)
    if name is None:
        return None
    name, said = typed_name(name)
    if cursor.peek() == "/" and _ends_in_choice(name):
        cursor.position -= 1
        name = Name(name.words[:-1], name.start, cursor.tokens[cursor.position - 1].end)
    if name.words[-1] in {"date", "day"} and cursor.phrase("and time", "/ time"):
        said = said.merged(Traits(kind=FieldKind.DATETIME))
    said = lead.merged(said).merged(traits(cursor))
    return (HasField(name, said),)


_CHOSEN = word_set("status state stage type kind severity level priority category mood condition")


def _ends_in_choice(name: Name) -> bool:
    """Tell whether a name has the first of its values behind it: "state open/closed"."""
    return len(name.words) > 1 and name.words[-2] in _CHOSEN


def _state(cursor: Cursor) -> Name | None:
    """Read a name that starts like a clause: "is active", "has garden", "in stock"."""
    token = cursor.token
    if token is None or token.norm not in {"is", "has", "in", "on", "was"}:
        return None
    cursor.position += 1
    if cursor.kind() != "word" or cursor.peek() in DETERMINERS:
        return None
    name = noun_phrase(cursor)
    if name is None or not (cursor.is_at_boundary or cursor.peek() in {"(", ":"}):
        return None
    if token.norm in {"in", "on"} and name.words not in {("stock",), ("sale",), ("hold",)}:
        return None
    return Name((token.norm, *name.words), token.start, name.end)


def _leading(cursor: Cursor) -> Traits:
    """Read "an optional", "a required", "a boolean" before a field's name."""
    said = Traits()
    while not cursor.is_done:
        start = cursor.position
        if cursor.kind(1) == "word" and cursor.peek() in DETERMINERS:
            cursor.position += 1
        elif cursor.take("required", "mandatory"):
            said = said.merged(Traits(is_required=True))
        elif cursor.take("optional", "optionally", "nullable"):
            said = said.merged(Traits(is_required=False))
        elif cursor.peek() in PURE_TYPES and cursor.kind(1) == "word" and _is_name(cursor, 1):
            said = said.merged(Traits(kind=TYPES[cursor.peek()]))
            cursor.position += 1
        if cursor.position == start:
            break
    return said


def _is_name(cursor: Cursor, ahead: int) -> bool:
    rest = Cursor(cursor.tokens, cursor.position + ahead)
    return noun_phrase(rest) is not None and cursor.peek(ahead) not in {"field", "value"}


def typed_name(name: Name) -> tuple[Name, Traits]:
    """Take a type off a name's end: "completed flag", "quantity integer"."""
    *front, last = name.words
    if not front:
        return name, Traits()
    if last in {"enum", "choice", "dropdown"}:
        return Name(tuple(front), name.start, name.end), Traits()
    if last in BOOLEAN_TAILS or last in PURE_TYPES:
        kind = TYPES.get(last, TYPES["flag"])
        return Name(tuple(front), name.start, name.end), Traits(kind=kind)
    return name, Traits()


def _many(cursor: Cursor) -> Statements | None:
    if not cursor.phrase(*MANY):
        return None
    child = attempt(cursor, noun_phrase)
    if child is None:
        return None
    traits_said = traits(cursor)
    if traits_said != Traits():
        return (HasField(child, traits_said),)
    return (HasMany(child),)


def _listed(cursor: Cursor) -> Statements | None:
    """Read "a list of ingredients", a list of text by that name."""
    if not cursor.phrase("a list of", "list of", "an array of", "array of", "lists of"):
        return None
    name = attempt(cursor, noun_phrase)
    if name is None:
        return None
    return (HasField(name, Traits(kind=TYPES["list of text"]).merged(traits(cursor))),)


def parents(cursor: Cursor) -> Statements | None:
    """Read "belongs to a project and a client"."""
    is_required = None
    if cursor.phrase(*MAY_BELONG):
        is_required = False
    elif not cursor.phrase(*BELONGS):
        return None
    is_grouped = cursor.tokens[cursor.position - 1].norm == "by"
    found: list[Statement] = []
    while len(found) < LONGEST_LIST:
        start = cursor.position
        if found and cursor.peek() == "•":
            break
        cursor.separator() if found else None
        may = bool(found) and cursor.phrase("optionally to", "optionally in", "maybe to")
        parent = _parent(cursor)
        if is_grouped and isinstance(parent, BelongsTo) and not _is_group(parent.parent):
            return None
        if may and isinstance(parent, BelongsTo):
            parent = replace(parent, is_required=False)
        if parent is None:
            cursor.position = start
            break
        found.append(
            parent
            if isinstance(parent, Satisfied)
            else replace(parent, is_required=is_required)
            if parent.is_required is None
            else parent
        )
    return tuple(found) or None


def _is_group(name: Name) -> bool:
    """Tell whether rows are grouped by others, and not by a field: "by status"."""
    key = singular_name(name.words)
    return is_known_noun(key) or kind_by_name(key) is None


def _parent(cursor: Cursor) -> BelongsTo | Satisfied | None:
    start = cursor.position
    cursor.take("both")
    if attempt(cursor, user_phrase):
        return Satisfied()
    is_required = None
    if cursor.phrase("exactly one", "exactly 1", "one", "1", "a single"):
        is_required = True
    elif cursor.phrase(
        "at most one", "at most 1", "zero or one", "0 or 1", "an optional", "maybe a"
    ):
        is_required = False
    parent = attempt(cursor, noun_phrase)
    if parent is None:
        cursor.position = start
        return None
    if cursor.phrase("( optional )", "optionally", "but does not have to", "or none", "or to none"):
        is_required = False
    elif cursor.phrase("( required )"):
        is_required = True
    if not (cursor.is_at_boundary or may_follow(cursor)):
        cursor.position = start
        return None
    return BelongsTo(parent, is_required)


def _whether(cursor: Cursor) -> Statements | None:
    """Read "whether it has been read", "if it is done"."""
    if not cursor.take("whether", "if"):
        return None
    cursor.take("it", "they", "or", "the")
    if cursor.phrase("i've", "i have", "we've", "we have"):
        found = states(cursor)
        cursor.take("it", "them")
        return found
    cursor.phrase("is", "are", "was", "has been", "have been", "were", "it is", "it has been")
    return states(cursor)


_ENDPOINTS = word_set("crud api endpoint endpoints route routes operations")


def _own_operations(cursor: Cursor) -> Statements | None:
    """Read "routes to add, list, edit and delete comments on a task" among attributes."""
    cursor.take_any(DETERMINERS | PRAISE)
    if not cursor.take_any(_ENDPOINTS):
        return None
    cursor.take("to", "for", "that", "which")
    ability(cursor)
    if not operations(cursor) or cursor.take("it", "them") or cursor.is_at_boundary:
        return (Satisfied(),)
    name = attempt(cursor, noun_phrase)
    if name is None:
        return None
    where = attempt(cursor, placed) or ()
    return (Declares(name, is_mention=True), *about((name,), where))


def _all_said(cursor: Cursor) -> Statements | None:
    """Read "both required", "all optional" behind the fields that it is about."""
    cursor.take("and")
    if not cursor.take("both", "all", "each"):
        return None
    cursor.phrase("of them", "of which", "are", "fields", "being")
    said = traits(cursor)
    if said.is_required is None or said != Traits(is_required=said.is_required):
        return None
    return (Constrains(ALL_FIELDS, said),)


# Stands for all the fields of a resource of which nothing else is said.
ALL_FIELDS = Name(("fields",))


def _attribute_feature(cursor: Cursor) -> Statements | None:
    feature_intro(cursor)
    ability(cursor)
    return feature(cursor)


_ATTRIBUTES: tuple[Rule[Statements], ...] = (
    _attribute_feature,
    always,
    _many,
    _listed,
    parents,
    _own_operations,
    _whether,
    _all_said,
    a_field,
)


def states(cursor: Cursor) -> Statements | None:
    """Read "done", "read or unread": names of yes/no fields."""
    found: list[Statement] = []
    while True:
        start = cursor.position
        cursor.separator() if found else None
        cursor.phrase("marked as", "flagged as", "set to", "marked", "set as", "as")
        token = cursor.token
        if token is None or not is_state(token.norm):
            cursor.position = start
            return tuple(found) or None
        cursor.position += 1
        cursor.phrase("or not", "or un" + token.norm, "or open", "and un" + token.norm, "or undone")
        name = Name((token.norm,), token.start, token.end)
        found.append(HasField(name, Traits(kind=FieldKind.BOOLEAN)))
