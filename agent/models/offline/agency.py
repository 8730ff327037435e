"""The agent endpoints of a request: which resource each reads, and how often it may be called."""

from agent.models.offline.blueprint import (
    Ability,
    AgentEndpoint,
    FieldKind,
    FieldSpec,
)
from agent.models.offline.cast import Cast
from agent.models.offline.drafts import Meaning
from agent.models.offline.listing import candidates
from agent.models.offline.specs import PRIORITIES
from agent.models.offline.statements import (
    Limits,
    Statement,
    WantsAgent,
    WantsAuth,
    WantsMe,
)

ABILITIES = "suggest-due-date, suggest-priority or summarize"
ONLY_AGENTS = "Only agent endpoints can be limited to a number of calls."
# The calls per minute where a limit is asked for without a number.
USUAL_CALLS = AgentEndpoint.model_fields["calls_per_minute"].default
_DATES = frozenset({FieldKind.DATE, FieldKind.DATETIME})
_NEEDED: dict[Ability, FieldSpec] = {
    "suggest-due-date": FieldSpec(name="due_date", kind=FieldKind.DATE),
    "suggest-priority": FieldSpec(name="priority", kind=FieldKind.CHOICE, choices=PRIORITIES),
}


def note_endpoints(meaning: Meaning, cast: Cast, statement: Statement) -> None:
    """Note the endpoints besides CRUD that a statement asks for."""
    if isinstance(statement, WantsMe):
        meaning.has_me = True
    elif isinstance(statement, WantsAuth):
        meaning.wants_auth = True
    elif isinstance(statement, Limits):
        meaning.calls.append(USUAL_CALLS if statement.calls is None else statement.calls)
    elif isinstance(statement, WantsAgent):
        meaning.wants_agent = True
        if statement.ability is None:
            meaning.problems.append(f"Say what the agent endpoint shall do: {ABILITIES}.")
        else:
            _add_agent(meaning, cast, statement, statement.ability)


def _add_agent(meaning: Meaning, cast: Cast, statement: WantsAgent, ability: Ability) -> None:
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
    _assume_field(meaning, targets[0], ability)
    columns = _columns_of(meaning, cast, targets[0])
    meaning.unknown += [
        noun
        for noun in statement.nouns
        if cast.key(noun) not in cast.known and not set(candidates(noun.words)) & columns
    ]
    meaning.agents.append(AgentEndpoint(name=statement.name, resource=targets[0], ability=ability))


def _assume_field(meaning: Meaning, singular: str, ability: Ability) -> None:
    """Give a resource whose fields are assumed the one that the ability works on."""
    draft = meaning.drafts.get(singular)
    needed = _NEEDED.get(ability)
    if draft is None or needed is None or not draft.has_usual_fields:
        return
    if needed.kind is FieldKind.DATE:
        is_there = any(spec.kind in _DATES for spec in draft.specs)
    else:
        is_there = any(spec.name == needed.name for spec in draft.specs)
    if not is_there:
        draft.specs = (*draft.specs, needed)
        what, rows = needed.name.replace("_", " "), draft.plural.replace("_", " ")
        draft.notes.append(f"A {what} is assumed for {rows}, because {ability} needs one.")


def _columns_of(meaning: Meaning, cast: Cast, singular: str) -> set[str]:
    if singular in meaning.drafts:
        return {spec.name for spec in meaning.drafts[singular].specs}
    return set(cast.old[singular].columns)


def set_limits(meaning: Meaning) -> None:
    """Give the agent endpoints the limit that was asked for."""
    if not meaning.calls:
        return
    if not meaning.agents:
        meaning.problems += [] if meaning.wants_agent else [ONLY_AGENTS]
        return
    if len(set(meaning.calls)) > 1 or not 1 <= meaning.calls[0] <= 1000:  # noqa: PLR2004
        meaning.problems.append(
            "The limit must be one whole number from 1 to 1000 calls per minute."
        )
        return
    meaning.agents = [
        agent.model_copy(update={"calls_per_minute": meaning.calls[0]}) for agent in meaning.agents
    ]
