"""From statements to a blueprint: names found again, assumptions made, contradictions told."""

from collections.abc import Callable
from dataclasses import replace

from agent.auth import Auth
from agent.models.offline.agency import note_endpoints, set_limits
from agent.models.offline.blueprint import (
    Blueprint,
    FieldKind,
    FieldSpec,
    Parent,
    Resource,
    UserIdType,
)
from agent.models.offline.cast import EXISTS, Cast, find_cast
from agent.models.offline.defaults import kind_by_name, usual_fields
from agent.models.offline.drafts import Draft, Meaning, draft_of, relation_name
from agent.models.offline.inventory import Inventory
from agent.models.offline.listing import enable
from agent.models.offline.nouns import is_plural, plural_name, singular_name, snake
from agent.models.offline.phrases import is_users
from agent.models.offline.specs import (
    ALWAYS_THERE,
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
    Moves,
    Name,
    Nests,
    NewestFirst,
    Paginates,
    Searches,
    Sorts,
    Statement,
    Traits,
)
from agent.models.offline.telling import SIGNS_IN, tell
from agent.models.offline.usual import usual_statements

_ALL_FIELDS = frozenset({"fields", "field", "attributes", "columns"})


def interpret(statements: list[Statement], backend: Inventory) -> Meaning:
    """Put the statements together."""
    meaning = Meaning()
    cast = find_cast(statements, backend)
    meaning.problems += cast.problems
    meaning.unknown += cast.unknown
    meaning.notes += cast.notes
    for singular, plural in cast.new.items():
        meaning.drafts[singular] = Draft(singular, plural)
    for statement in statements:
        if isinstance(statement, HasField | HasMany | BelongsTo | Nests):
            _guarded(meaning, cast, statement, _describe)
    for statement in statements:
        if isinstance(statement, Constrains | Moves):
            _guarded(meaning, cast, statement, _say_more)
    for draft in meaning.drafts.values():
        _type_fields(meaning, draft)
    for statement in statements:
        if isinstance(statement, Filters | Searches | Sorts | Paginates | NewestFirst):
            _guarded(meaning, cast, statement, enable)
    for statement in statements:
        note_endpoints(meaning, cast, statement)
    set_limits(meaning)
    _check_cycles(meaning)
    meaning.problems = list(dict.fromkeys(meaning.problems))
    return meaning


def blueprint(meaning: Meaning, backend: Inventory, user_id: UserIdType, auth: Auth) -> Blueprint:
    """Return the blueprint of a meaning without problems."""
    resources = tuple(_resource(draft) for draft in _parents_first(meaning.drafts))
    alone = not resources and not meaning.agents
    has_me = meaning.has_me or (alone and meaning.wants_auth and not backend.has_me)
    made = Blueprint(
        resources=resources,
        agents=tuple(meaning.agents),
        has_me=has_me,
        user_id=user_id,
        auth=auth,
    )
    notes = list(meaning.notes)
    if auth == "own" and not backend.has_auth:
        notes.append(SIGNS_IN)
    return made.model_copy(update={"understood": tell(made, meaning.drafts, notes)})


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
    for subject in statement.subjects:
        if cast.key(subject) in cast.refused:
            _note_outside(meaning, statement)
            continue
        if is_users(subject):
            continue
        draft = draft_of(meaning, cast, subject)
        if isinstance(statement, HasField):
            _add_field(meaning, cast, draft, statement)
        elif isinstance(statement, HasMany):
            _add_child(meaning, cast, draft, statement.child)
        elif isinstance(statement, BelongsTo):
            _add_parent(cast, draft, statement.parent, Traits(is_required=statement.is_required))
        elif isinstance(statement, Nests):
            draft.parents[draft.singular] = False
    if not statement.subjects and isinstance(statement, HasField):
        raise ProblemError(f'It is not clear which resource has "{statement.name}".')


def _say_more(meaning: Meaning, cast: Cast, statement: Statement) -> None:
    """Take up what is said about fields and parents once all of them are known."""
    if isinstance(statement, Constrains):
        _constrain(meaning, cast, statement)
    elif isinstance(statement, Moves):
        _check_move(meaning, cast, statement)


def _note_outside(meaning: Meaning, statement: Statement) -> None:
    """Name the words of a clause about something that cannot be built."""
    if isinstance(statement, HasField) and outside_reason(statement.name, statement.traits):
        meaning.unknown.append(statement.name)


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
    if (
        cast.key(name) not in cast.known
        and _nests(draft, name)
        and said.kind is None
        and said.is_required is not True
    ):
        draft.parents[draft.singular] = False
        return True
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


def _nests(draft: Draft, name: Name) -> bool:
    """Tell whether a field stands for the row's place in a tree: "parent folder"."""
    if name.words == ("sub" + plural_name((draft.singular,)),):
        return True
    front, last = name.words[:-1], singular_name(name.words[-1:])
    ways = {"other", "child", "nested", "sub"} if is_plural(name.words[-1]) else {"parent"}
    return last == draft.singular and len(front) == 1 and front[0] in ways


def _is_own_kind(draft: Draft, name: Name) -> bool:
    """Tell whether a field stands for another row of the same resource: "parent task"."""
    return (
        len(name.words) > 1
        and singular_name(name.words[-1:]) == draft.singular
        and name.words[0] in {"parent", "child", "sub", "related", "previous", "next", "linked"}
    )


def _check_standard(name: Name, key: str, said: Traits) -> None:
    is_other = said.kind not in {None, ALWAYS_THERE[key]} or said.default or said.strange
    if is_other or said.maximum is not None:
        raise ProblemError(
            f'"{name}" is there already, as {ALWAYS_THERE[key]}, and cannot be changed.'
        )


def _itself(draft: Draft, verb: str, name: Name) -> str:
    return f'{draft.plural.replace("_", " ").capitalize()} cannot {verb} themselves ("{name}").'


def _add_child(meaning: Meaning, cast: Cast, draft: Draft, child: Name) -> None:
    key = cast.key(child)
    if key in cast.old:
        raise ProblemError(EXISTS.format(child))
    if key not in meaning.drafts and _nests(draft, child):
        draft.parents[draft.singular] = False
        return
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


def _check_move(meaning: Meaning, cast: Cast, statement: Moves) -> None:
    """Check that what is to be moved has a parent of that kind."""
    if cast.refused:
        return
    drafts = list(meaning.drafts.values())
    if statement.child is not None:
        drafts = [draft_of(meaning, cast, statement.child)]
    wanted = cast.key(statement.parent) if statement.parent else None
    if any(wanted in draft.parents if wanted else draft.parents for draft in drafts):
        return
    child, parent = statement.child or "something", statement.parent or "parent"
    raise ProblemError(f'"{child}" has no "{parent}" that it could be moved to another of.')


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
    is_resource = cast.key(name) in cast.known
    if drafts and not is_resource and (said.choices or said.kind is not None):
        drafts[0].is_extended = drafts[0].is_extended or not drafts[0].fields
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
        children = {one.plural for one in meaning.drafts.values() if draft.singular in one.parents}
        usual = usual_statements(usual_fields(draft.singular))
        usual = {key: said for key, said in usual.items() if key not in children}
        draft.fields = usual | draft.fields
        for parent in draft.parents:  # "category" is a parent here, no text
            if len(draft.fields) > 1:
                draft.fields.pop(parent, None)
    typed: list[tuple[FieldSpec, Traits]] = []
    for key, (name, plain) in draft.fields.items():
        said = _as_usual(draft, key, plain)
        try:
            found = typed_field(key, name, said)
        except ProblemError as problem:
            meaning.problems.append(str(problem))
            continue
        typed.append((found.spec, said))
        if (found.assumed or said != plain) and not draft.has_usual_fields:
            draft.assumed.append(found.spec.name)
    draft.specs = tuple(with_required(typed))
    keys = {f"{relation_name(draft, parent)}_id" for parent in draft.parents}
    if draft.singular in draft.parents and "parent" in draft.parents:
        meaning.problems.append('Two relations would be called "parent".')
    twice = [spec.name for spec in draft.specs if spec.name in keys]
    meaning.problems += [f'"{name}" is both a field and the key of a parent.' for name in twice]


def _as_usual(draft: Draft, key: str, said: Traits) -> Traits:
    """Take the type that a field has in such a resource: an invoice's number is a text."""
    _, usual = usual_statements(usual_fields(draft.singular)).get(key, (None, Traits()))
    is_open = replace(said, is_required=None) == Traits()
    return replace(said, kind=usual.kind) if is_open and usual.kind else said


def _only_lists(draft: Draft) -> bool:
    """Tell whether nothing but lists was given: "recipes with ingredients and steps"."""
    return all(
        said == Traits() and is_plural(name.words[-1]) and kind_by_name(key) in _LISTS
        for key, (name, said) in draft.fields.items()
    )


_LISTS = {None, FieldKind.TEXT_LIST}


def _check_cycles(meaning: Meaning) -> None:
    for singular in meaning.drafts:
        seen, to_do = set[str](), [singular]
        while to_do:
            child = to_do.pop()
            for parent in meaning.drafts[child].parents:
                if parent == child:
                    continue
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
            if all(
                parent in placed or parent not in drafts or parent == draft.singular
                for parent in draft.parents
            )
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
            Parent(
                name=relation_name(draft, parent),
                resource=parent,
                is_required=required is not False,
            )
            for parent, required in draft.parents.items()
        ),
        filter_by=tuple(draft.filter_by),
        search_in=tuple(draft.search_in),
        sort_by=tuple(draft.sort_by),
        default_sort=draft.default_sort,
        is_paginated=draft.is_paginated,
        page_size=draft.page_size,
    )
