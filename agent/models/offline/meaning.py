"""From statements to a blueprint: names found again, assumptions made, contradictions told."""

from collections.abc import Callable
from dataclasses import dataclass, field

from agent.models.offline.blueprint import (
    AgentEndpoint,
    Blueprint,
    FieldKind,
    FieldSpec,
    Parent,
    Resource,
    UserIdType,
)
from agent.models.offline.cast import Cast, find_cast
from agent.models.offline.defaults import EXTRAS, kind_by_name, usual_fields
from agent.models.offline.inventory import Inventory
from agent.models.offline.nouns import is_plural, plural_name, singular_name, snake
from agent.models.offline.phrases import is_users
from agent.models.offline.specs import (
    ALWAYS_THERE,
    TEXTS,
    ProblemError,
    field_key,
    merged,
    outside_reason,
    typed_field,
    with_required,
)
from agent.models.offline.statements import (
    BelongsTo,
    Constrains,
    Filters,
    HasField,
    HasMany,
    Limits,
    Name,
    Paginates,
    Searches,
    Sorts,
    Statement,
    Traits,
    WantsAgent,
    WantsAuth,
    WantsMe,
)
from agent.models.offline.telling import tell
from agent.models.offline.usual import usual_statements

_TIMES = ("created_at", "updated_at")
_ALL_FIELDS = frozenset({"fields", "field", "attributes", "columns"})
_SEARCHABLE = TEXTS | {FieldKind.URL, FieldKind.EMAIL}


@dataclass
class Draft:
    """A resource under construction.

    Attributes:
        singular: One of them, in snake case.
        fields: The fields by key: the name as written and what is said about it.
        assumed: Keys whose kind was told by the name alone.
        has_usual_fields: Whether no field was given.
        is_extended: Whether what was given comes on top: "tasks with due dates".
        notes: What is to be told about single fields.
    """

    singular: str
    plural: str
    fields: dict[str, tuple[Name, Traits]] = field(default_factory=dict)
    parents: dict[str, bool | None] = field(default_factory=dict)
    specs: tuple[FieldSpec, ...] = ()
    filter_by: list[str] = field(default_factory=list)
    search_in: list[str] = field(default_factory=list)
    sort_by: list[str] = field(default_factory=list)
    is_paginated: bool = False
    has_usual_fields: bool = False
    is_extended: bool = False
    assumed: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@dataclass
class Meaning:
    """What all statements mean together, and why some of them mean nothing.

    Attributes:
        problems: Sentences, one for each thing that cannot be built.
        unknown: Names that stand for nothing that is known.
    """

    drafts: dict[str, Draft] = field(default_factory=dict)
    agents: list[AgentEndpoint] = field(default_factory=list)
    calls: list[int] = field(default_factory=list)
    has_me: bool = False
    wants_auth: bool = False
    problems: list[str] = field(default_factory=list)
    unknown: list[Name] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def interpret(statements: list[Statement], backend: Inventory) -> Meaning:
    """Put the statements together."""
    meaning = Meaning()
    cast = find_cast(statements, backend)
    meaning.problems += cast.problems
    meaning.unknown += cast.unknown
    meaning.notes += cast.notes
    for singular, plural in cast.new.items():
        meaning.drafts[singular] = Draft(singular, plural)
    for kinds in ((HasField, HasMany, BelongsTo), (Constrains,)):
        for statement in statements:
            if isinstance(statement, kinds):
                _guarded(meaning, cast, statement, _describe)
    for draft in meaning.drafts.values():
        _type_fields(meaning, draft)
    for statement in statements:
        if isinstance(statement, Filters | Searches | Sorts | Paginates):
            _guarded(meaning, cast, statement, _enable)
    for statement in statements:
        _note_endpoints(meaning, cast, statement)
    _set_limits(meaning)
    _check_cycles(meaning)
    meaning.problems = list(dict.fromkeys(meaning.problems))
    return meaning


def blueprint(meaning: Meaning, backend: Inventory, user_id: UserIdType) -> Blueprint:
    """Return the blueprint of a meaning without problems."""
    resources = tuple(_resource(draft) for draft in _parents_first(meaning.drafts))
    alone = not resources and not meaning.agents
    has_me = meaning.has_me or (alone and meaning.wants_auth and not backend.has_me)
    made = Blueprint(
        resources=resources, agents=tuple(meaning.agents), has_me=has_me, user_id=user_id
    )
    return made.model_copy(update={"understood": tell(made, meaning.drafts, meaning.notes)})


def _guarded(
    meaning: Meaning,
    cast: Cast,
    statement: Statement,
    action: Callable[[Meaning, Cast, Statement], None],
) -> None:
    try:
        action(meaning, cast, statement)
    except ProblemError as problem:
        meaning.problems.append(str(problem))


def _describe(meaning: Meaning, cast: Cast, statement: Statement) -> None:
    if isinstance(statement, Constrains):
        _constrain(meaning, cast, statement)
        return
    for subject in statement.subjects:
        if cast.key(subject) in cast.refused:
            _note_outside(meaning, statement)
            continue
        if is_users(subject):
            continue
        draft = _draft(meaning, cast, subject)
        if isinstance(statement, HasField):
            _add_field(meaning, cast, draft, statement)
        elif isinstance(statement, HasMany):
            _add_child(meaning, cast, draft, statement.child)
        elif isinstance(statement, BelongsTo):
            _add_parent(cast, draft, statement.parent, Traits(is_required=statement.is_required))
    if not statement.subjects and isinstance(statement, HasField):
        raise ProblemError(f'It is not clear which resource has "{statement.name}".')


def _note_outside(meaning: Meaning, statement: Statement) -> None:
    """Name the words of a clause about something that cannot be built."""
    if isinstance(statement, HasField) and outside_reason(statement.name, statement.traits):
        meaning.unknown.append(statement.name)


def _draft(meaning: Meaning, cast: Cast, subject: Name) -> Draft:
    singular = cast.key(subject)
    if singular in meaning.drafts:
        return meaning.drafts[singular]
    if singular in cast.old:
        raise ProblemError(
            f'"{subject}" exists in this backend already; only new resources can be added to it.'
        )
    raise ProblemError(f'It is not clear what "{subject}" is.')


def _add_field(meaning: Meaning, cast: Cast, draft: Draft, statement: HasField) -> None:
    name, said = _in_singular(cast, statement.name, statement.traits), statement.traits
    if _add_relation(meaning, cast, draft, name, said):
        return
    key, note = field_key(name, draft.singular)
    if key in ALWAYS_THERE and not said.choices:
        _check_standard(name, key, said)
        return
    reason = outside_reason(name, said)
    if reason:
        meaning.unknown.append(name)
        meaning.notes.append(reason)
        return
    if name.words != statement.name.words and not draft.fields:
        draft.is_extended = True
    if key in draft.fields:
        first = draft.fields[key][1]
        if said in (first, Traits()):
            raise ProblemError(f'"{name}" is named twice for {draft.plural.replace("_", " ")}.')
        draft.fields[key] = (name, merged(first, said, name))
        return
    draft.fields[key] = (name, said)
    draft.notes += [note] if note else []


def _add_relation(meaning: Meaning, cast: Cast, draft: Draft, name: Name, said: Traits) -> bool:
    """Add a parent or children where that is what a field's name stands for."""
    key = snake(name.words)
    if key.endswith("_id") and key[:-3] in cast.known:
        _add_parent(cast, draft, Name(tuple(key[:-3].split("_"))), said)
        return True
    other = cast.key(name) if said == Traits(is_required=said.is_required) else ""
    if _is_own_kind(draft, name) or (other in cast.known and other == draft.singular):
        raise ProblemError(_itself(draft, "contain", name))
    if other not in cast.known:
        return False
    if is_plural(name.words[-1]):
        _add_child(meaning, cast, draft, name)
    else:
        _add_parent(cast, draft, name, said)
    return True


def _in_singular(cast: Cast, name: Name, said: Traits) -> Name:
    """Return "due date" for "due dates": every row has one of its own."""
    one = singular_name(name.words)
    is_plain_list = kind_by_name(snake(name.words)) is None and is_plural(name.words[-1])
    if cast.key(name) in cast.known or said.kind is not None or not is_plain_list:
        return name
    single = kind_by_name(one) in _SINGLE_KINDS or one.rsplit("_", 1)[-1] in {"priority", "status"}
    return Name(tuple(one.split("_")), name.start, name.end) if single else name


_SINGLE_KINDS = {FieldKind.DATE, FieldKind.DATETIME, FieldKind.BOOLEAN, FieldKind.MONEY}


def _is_own_kind(draft: Draft, name: Name) -> bool:
    """Tell whether a field stands for another row of the same resource: "parent task"."""
    return (
        len(name.words) > 1
        and singular_name(name.words[-1:]) == draft.singular
        and name.words[0] in {"parent", "child", "sub", "related", "previous", "next", "linked"}
    )


def _check_standard(name: Name, key: str, said: Traits) -> None:
    if said.kind not in {None, ALWAYS_THERE[key]} or said.default or said.maximum is not None:
        raise ProblemError(
            f'"{name}" is there already, as {ALWAYS_THERE[key]}, and cannot be changed.'
        )


def _itself(draft: Draft, verb: str, name: Name) -> str:
    return f'{draft.plural.replace("_", " ").capitalize()} cannot {verb} themselves ("{name}").'


def _add_child(meaning: Meaning, cast: Cast, draft: Draft, child: Name) -> None:
    key = cast.key(child)
    if key in cast.old:
        raise ProblemError(
            f'"{child}" exists in this backend already; only new resources can be added to it.'
        )
    if key not in meaning.drafts:
        field_name, _ = field_key(child, draft.singular)
        draft.fields.setdefault(field_name, (child, Traits(kind=FieldKind.TEXT_LIST)))
        return
    if key == draft.singular:
        raise ProblemError(_itself(draft, "contain", child))
    meaning.drafts[key].parents.setdefault(draft.singular, None)


def _add_parent(cast: Cast, draft: Draft, parent: Name, said: Traits) -> None:
    key, required = cast.key(parent), said.is_required
    if key == draft.singular:
        raise ProblemError(_itself(draft, "belong to", parent))
    if key in cast.old and not cast.old[key].has_owner:
        raise ProblemError(f'The rows of "{parent}" have no owner, so nothing can belong to them.')
    earlier = draft.parents.get(key)
    if earlier is not None and required is not None and earlier != required:
        raise ProblemError(f'"{parent}" is said to be both required and optional.')
    draft.parents[key] = required if required is not None else earlier


def _constrain(meaning: Meaning, cast: Cast, statement: Constrains) -> None:
    drafts = [
        meaning.drafts[key] for key in map(cast.key, statement.subjects) if key in meaning.drafts
    ]
    drafts += [draft for draft in meaning.drafts.values() if draft not in drafts]
    name, said = statement.name, statement.traits
    if snake(name.words) in _ALL_FIELDS and not said.default and said.kind is None:
        for draft in drafts[: len(statement.subjects) or None]:
            for key, (own, known) in draft.fields.items():
                if known.is_required is None and not known.default:
                    draft.fields[key] = (own, merged(known, said, own))
        return
    for draft in drafts:
        key = _key_of(draft, name)
        if key:
            own, known = draft.fields[key]
            draft.fields[key] = (own, merged(known, said, name))
            return
        parent = cast.key(name)
        if parent in draft.parents and said == Traits(is_required=said.is_required):
            draft.parents[parent] = said.is_required
            return
    if drafts and (said.choices or said.kind is not None):
        _add_field(meaning, cast, drafts[0], HasField(name, said))
        return
    usual = _usual_with(drafts, name)
    if usual is not None:
        usual.fields |= dict(usual_statements(usual_fields(usual.singular)))
        _constrain(meaning, cast, statement)
        return
    raise ProblemError(f'There is no field "{name}" that this could be said of.')


def _usual_with(drafts: list[Draft], name: Name) -> Draft | None:
    """Return a resource without fields of its own whose usual ones include this one."""
    for draft in drafts:
        if not draft.fields and snake(name.words) in usual_statements(usual_fields(draft.singular)):
            draft.has_usual_fields = True
            return draft
    return None


def _key_of(draft: Draft, name: Name) -> str:
    wanted = snake(name.words)
    shorter = wanted.removeprefix(f"{draft.singular}_")
    candidates = (wanted, shorter, f"{draft.singular}_{wanted}", singular_name(name.words))
    return next((key for key in (*candidates, plural_name(name.words)) if key in draft.fields), "")


def _type_fields(meaning: Meaning, draft: Draft) -> None:
    if not draft.fields or draft.is_extended or _only_lists(draft):
        draft.has_usual_fields = True
        draft.fields = usual_statements(usual_fields(draft.singular)) | draft.fields
        for parent in draft.parents:  # "category" is a parent here, no text
            if len(draft.fields) > 1:
                draft.fields.pop(parent, None)
    typed: list[tuple[FieldSpec, Traits]] = []
    for key, (name, said) in draft.fields.items():
        try:
            found = typed_field(key, name, said)
        except ProblemError as problem:
            meaning.problems.append(str(problem))
            continue
        typed.append((found.spec, said))
        if found.assumed and not draft.has_usual_fields:
            draft.assumed.append(found.spec.name)
    draft.specs = tuple(with_required(typed))
    keys = {f"{parent}_id" for parent in draft.parents}
    twice = [spec.name for spec in draft.specs if spec.name in keys]
    meaning.problems += [f'"{name}" is both a field and the key of a parent.' for name in twice]


def _only_lists(draft: Draft) -> bool:
    """Tell whether nothing but lists was given: "recipes with ingredients and steps"."""
    return all(
        said == Traits() and is_plural(name.words[-1]) and kind_by_name(key) in _LISTS
        for key, (name, said) in draft.fields.items()
    )


_LISTS = {None, FieldKind.TEXT_LIST}


def _enable(meaning: Meaning, cast: Cast, statement: Statement) -> None:
    drafts = [
        _draft(meaning, cast, subject) for subject in statement.subjects if not is_users(subject)
    ]
    drafts = drafts or list(meaning.drafts.values())
    if not drafts and cast.refused:
        return
    if not drafts:
        raise ProblemError("A list is to be filtered, searched, sorted or paged, but of what?")
    if isinstance(statement, Paginates):
        for draft in drafts:
            draft.is_paginated = True
    elif isinstance(statement, Searches) and not statement.names:
        _search_everywhere(drafts)
    elif isinstance(statement, Filters | Searches | Sorts):
        for name in statement.names:
            _enable_name(cast, drafts, statement, name)


def _search_everywhere(drafts: list[Draft]) -> None:
    found = False
    for draft in drafts:
        texts = [spec.name for spec in draft.specs if spec.kind in TEXTS]
        draft.search_in += [name for name in texts if name not in draft.search_in]
        found = found or bool(texts)
    if not found:
        raise ProblemError("There is no text to search in.")


def _enable_name(
    cast: Cast, drafts: list[Draft], statement: Filters | Searches | Sorts, name: Name
) -> None:
    found = [(draft, key) for draft in drafts if (key := _column(cast, draft, name))]
    if not found:
        found = [(draft, key) for draft in drafts if (key := _extra(draft, name))]
    if not found:
        owner = drafts[0].plural.replace("_", " ")
        fields = ", ".join(spec.name for draft in drafts for spec in draft.specs)
        raise ProblemError(f'There is no field "{name}" in {owner} (there are: {fields}).')
    for draft, key in found:
        _check_column(draft, key, statement, name)
        listed = _listed(draft, statement)
        if key not in listed:
            listed.append(key)


def _extra(draft: Draft, name: Name) -> str:
    """Add a field that is usual for such a resource where its fields are assumed anyway."""
    extras = usual_statements(EXTRAS.get(draft.singular, "")) if draft.has_usual_fields else {}
    for key in _candidates(name.words):
        if key in extras:
            found = typed_field(key, *extras[key])
            draft.specs = (*draft.specs, found.spec)
            return key
    return ""


def _listed(draft: Draft, statement: Filters | Searches | Sorts) -> list[str]:
    if isinstance(statement, Filters):
        return draft.filter_by
    return draft.search_in if isinstance(statement, Searches) else draft.sort_by


def _check_column(
    draft: Draft, key: str, statement: Filters | Searches | Sorts, name: Name
) -> None:
    kind = next((spec.kind for spec in draft.specs if spec.name == key), FieldKind.DATETIME)
    is_parent = key.endswith("_id") and key[:-3] in draft.parents
    if isinstance(statement, Searches) and (kind not in _SEARCHABLE or is_parent):
        raise ProblemError(f'"{name}" holds no text to search in.')
    if isinstance(statement, Sorts) and (kind is FieldKind.TEXT_LIST or is_parent):
        raise ProblemError(f'A list cannot be sorted by "{name}".')


_SYNONYMS = {
    "completion": "completed",
    "complete": "completed",
    "done": "completed",
    "completion_status": "completed",
    "status": "completed",
    "creation_date": "created_at",
    "created_date": "created_at",
    "date_created": "created_at",
    "creation_time": "created_at",
    "creation": "created_at",
    "created": "created_at",
    "newest": "created_at",
    "date_added": "created_at",
    "updated": "updated_at",
    "last_updated": "updated_at",
    "last_modified": "updated_at",
    "modification_date": "updated_at",
    "update_date": "updated_at",
    "update_time": "updated_at",
}
_SUFFIXES = ("range", "flag", "field", "status", "id", "state", "ranges", "value")


def _column(cast: Cast, draft: Draft, name: Name) -> str:
    """Return the column of a resource that a name stands for, or an empty text."""
    columns = {spec.name for spec in draft.specs} | set(_TIMES)
    parent = cast.key(name)
    if parent in draft.parents:
        return f"{parent}_id"
    words = name.words
    if words[0] == draft.singular and len(words) > 1:
        words = words[1:]
    for candidate in _candidates(words):
        if candidate in columns:
            return candidate
    dated = [spec.name for spec in draft.specs if spec.kind in {FieldKind.DATE, FieldKind.DATETIME}]
    if words[0] in {"date", "dates"} and len(dated) == 1 and len(words) <= 2:  # noqa: PLR2004
        return dated[0]
    if len(words) > 1 and words[-1] == "id" and snake(words[:-1]) in draft.parents:
        return f"{snake(words[:-1])}_id"
    return ""


def _candidates(words: tuple[str, ...]) -> list[str]:
    found = [snake(words), singular_name(words), plural_name(words)]
    if len(words) > 1 and words[-1] in _SUFFIXES:
        found += _candidates(words[:-1])
    synonym = _SYNONYMS.get(snake(words))
    return [*found, synonym] if synonym else found


def _note_endpoints(meaning: Meaning, cast: Cast, statement: Statement) -> None:
    if isinstance(statement, WantsMe):
        meaning.has_me = True
    elif isinstance(statement, WantsAuth):
        meaning.wants_auth = True
    elif isinstance(statement, Limits):
        meaning.calls.append(statement.calls)
    elif isinstance(statement, WantsAgent):
        _add_agent(meaning, cast, statement)


def _add_agent(meaning: Meaning, cast: Cast, statement: WantsAgent) -> None:
    named = [key for noun in statement.nouns if (key := cast.key(noun)) in cast.known]
    targets = list(dict.fromkeys(named)) or list(cast.known)
    if statement.name in cast.agents or statement.name in {one.name for one in meaning.agents}:
        meaning.problems.append(f'The agent endpoint "{statement.name}" is there already.')
        return
    if len(targets) != 1:
        which = "there is no resource" if not targets else f"there are {', '.join(targets)}"
        meaning.problems.append(
            f'It is not clear which resource the agent endpoint "{statement.name}" reads: {which}.'
        )
        return
    columns = _columns_of(meaning, cast, targets[0])
    meaning.unknown += [
        noun
        for noun in statement.nouns
        if cast.key(noun) not in cast.known and not set(_candidates(noun.words)) & columns
    ]
    meaning.agents.append(
        AgentEndpoint(name=statement.name, resource=targets[0], ability=statement.ability)
    )


def _columns_of(meaning: Meaning, cast: Cast, singular: str) -> set[str]:
    if singular in meaning.drafts:
        return {spec.name for spec in meaning.drafts[singular].specs}
    return set(cast.old[singular].columns)


def _set_limits(meaning: Meaning) -> None:
    if not meaning.calls:
        return
    if not meaning.agents:
        meaning.problems.append("Only agent endpoints can be limited to a number of calls.")
        return
    if len(set(meaning.calls)) > 1 or not 1 <= meaning.calls[0] <= 1000:  # noqa: PLR2004
        meaning.problems.append(
            "The limit must be one whole number from 1 to 1000 calls per minute."
        )
        return
    meaning.agents = [
        agent.model_copy(update={"calls_per_minute": meaning.calls[0]}) for agent in meaning.agents
    ]


def _check_cycles(meaning: Meaning) -> None:
    for singular in meaning.drafts:
        seen, to_do = set[str](), [singular]
        while to_do:
            for parent in meaning.drafts[to_do.pop()].parents:
                if parent == singular:
                    other = singular.replace("_", " ")
                    meaning.problems.append(
                        f'"{other}" would belong to itself through its parents; a relation goes '
                        "one way, and many-to-many relations are outside the range."
                    )
                    return
                if parent in meaning.drafts and parent not in seen:
                    seen.add(parent)
                    to_do.append(parent)


def _parents_first(drafts: dict[str, Draft]) -> list[Draft]:
    ordered: list[Draft] = []
    waiting = list(drafts.values())
    while waiting:
        placed = {draft.singular for draft in ordered}
        ready = next(
            draft
            for draft in waiting
            if all(parent in placed or parent not in drafts for parent in draft.parents)
        )
        ordered.append(ready)
        waiting.remove(ready)
    return ordered


def _resource(draft: Draft) -> Resource:
    return Resource(
        singular=draft.singular,
        plural=draft.plural,
        fields=draft.specs,
        parents=tuple(
            Parent(name=parent, resource=parent, is_required=required is not False)
            for parent, required in draft.parents.items()
        ),
        filter_by=tuple(draft.filter_by),
        search_in=tuple(draft.search_in),
        sort_by=tuple(draft.sort_by),
        is_paginated=draft.is_paginated,
    )
