"""Rules for endpoints that are named by their path, and for agent endpoints."""

import re

from agent.models.offline.blueprint import Ability
from agent.models.offline.cursor import Cursor, attempt
from agent.models.offline.features import limits
from agent.models.offline.nouns import word_set
from agent.models.offline.phrasebook import (
    AGENT_HEADS,
)
from agent.models.offline.phrases import noun_phrase
from agent.models.offline.statements import Declares, Name, Statement, WantsAgent, WantsMe
from agent.models.offline.words import BUILD_VERBS

_METHODS = word_set("get post put patch delete")
_AGENT_PATH = re.compile(r"/api/agents/([a-z][a-z0-9-]*)/?$")
_CRUD_PATH = re.compile(r"/api/([a-z][a-z0-9_-]*)(?:/\{[a-z_]+\})?/?$")
_SUGGEST = word_set(
    """suggest suggests suggesting propose proposes proposing recommend recommends recommending pick
    picks choose chooses find finds suggestion suggestions proposal recommendation"""
)
_SUMMARIZE = word_set(
    """summarize summarizes summarise summarises summarizing summarising summary summaries overview
    summarization"""
)
_PLAIN = word_set(
    """a an the and , that which to looks look looking at my our their user's users' user open
    unfinished existing current other pending new of its for with based on in by from considers
    considering taking into account uses using use reads reading given title titles description
    descriptions and-then returns return returning it as json me all incomplete own good best
    sensible suitable i have should can will when creating added about text context
    workload already busy free least still completed done also good one signed-in your
    takes take accepts accept input gives give what is are due-dates dates upcoming likely next
    would be appropriate right fitting reasonable how many there each deadlines priorities them
    considers currently load undone list"""
)
_STOPS = word_set(
    """limit rate crud filter sort search max allow limited limiting rate-limited rate-limit
    rate-limiting maximum up only"""
)


def agent(cursor: Cursor) -> WantsAgent | None:
    """Read "an agent endpoint POST /api/agents/suggest-due-date that looks at my open tasks"."""
    cursor.take("a", "an", "the")
    start = cursor.position
    cursor.take("new", "ai", "smart", "simple", "rate-limited")
    cursor.phrase("rate limited")
    has_head = cursor.phrase(*AGENT_HEADS)
    said = cursor.tokens[cursor.position - 1].norm if has_head else ""
    is_agent = (has_head and said != "endpoint") or _names_agent(cursor, start)
    cursor.take(":", ",", "at", "called", "named")
    name = _agent_path(cursor)
    if not (name or (has_head and is_agent)):
        return None
    start = cursor.position
    if has_head and not name and said in _ENDPOINTS and _says_no_more(cursor):
        return WantsAgent("", None, ())
    ability, nouns = _task(cursor)
    by_name = _ability_of(tuple(name.split("-"))) if name else None
    if ability and by_name and ability != by_name:
        cursor.position = start
    ability = by_name or ability
    return WantsAgent(name or ability, ability, nouns) if ability else None


def agent_and_limit(cursor: Cursor) -> tuple[Statement, ...] | None:
    """Read an agent endpoint, and how often it may be called."""
    found = agent(cursor)
    if found is None:
        return None
    start = cursor.position
    cursor.take(",")
    cursor.take("and", "with", "but")
    limit = attempt(cursor, limits)
    if limit is None:
        cursor.position = start
        return (found,)
    return (found, limit)


def starts_agent(cursor: Cursor) -> bool:
    """Tell whether an agent endpoint is asked for here, whatever it shall do, and no resource."""
    start = cursor.position
    cursor.take("a", "an", "the")
    cursor.take("new", "ai", "smart", "simple", "rate-limited")
    cursor.phrase("rate limited")
    if not cursor.phrase(*AGENT_HEADS) or not _names_agent(cursor, start):
        return False
    return cursor.tokens[cursor.position - 1].norm in _ENDPOINTS


_ENDPOINTS = frozenset({"endpoint", "endpoints", "route", "api"})


def _says_no_more(cursor: Cursor) -> bool:
    """Tell whether nothing is said about what an agent endpoint shall do."""
    rest = Cursor(cursor.tokens, cursor.position)
    rest.take(",")
    rest.take("and", "with", "but")
    return rest.is_done or cursor.is_at_boundary or limits(rest) is not None


def _names_agent(cursor: Cursor, start: int) -> bool:
    said = {token.norm for token in cursor.tokens[start : cursor.position]}
    return bool(said & {"agent", "agents", "assistant", "ai"})


def _agent_path(cursor: Cursor) -> str:
    start = cursor.position
    cursor.take("post")
    match = _AGENT_PATH.match(cursor.peek()) if cursor.kind() == "path" else None
    if match is None:
        cursor.position = start
        return ""
    cursor.position += 1
    cursor.take("endpoint", "route")
    return match[1]


def _task(cursor: Cursor) -> tuple[Ability | None, tuple[Name, ...]]:
    """Read what the agent shall do and the nouns that it is said to look at."""
    said: list[str] = []
    nouns: list[Name] = []
    while not cursor.is_done and not _ends_task(cursor):
        norm = cursor.peek()
        if cursor.phrase("due date", "due dates", "due-date", "deadline", "deadlines"):
            said += ["due", "date"]
            continue
        if cursor.phrase("priority", "priorities"):
            said.append("priority")
            continue
        if cursor.phrase("not yet completed", "not yet done", "not completed", "not done"):
            continue
        if norm in _PLAIN | _SUGGEST | _SUMMARIZE or norm.endswith("'s"):
            said += cursor.tokens[cursor.position].parts
            cursor.position += 1
            continue
        name = attempt(cursor, noun_phrase)
        if name is None:
            break
        said += name.words
        nouns.append(name)
    _step_back(cursor)
    return _ability_of(tuple(said)), tuple(nouns)


def _ends_task(cursor: Cursor) -> bool:
    if cursor.kind() not in {"word", "mark"} or cursor.peek() in _STOPS:
        return True
    rest = Cursor(cursor.tokens, cursor.position)
    rest.take_any(frozenset({",", "and", "with", "but"}))
    if rest.phrase("at most", "no more than", "not more than"):
        return True
    is_link = cursor.peek() in {",", "and"}
    following = cursor.peek(1 if is_link else 0)
    if is_link and following == "and":
        following = cursor.peek(2)
    return is_link and following in (BUILD_VERBS | _STOPS) - {"create", "need", "have"}


def _step_back(cursor: Cursor) -> None:
    while cursor.position and cursor.tokens[cursor.position - 1].norm in {",", "and"}:
        cursor.position -= 1


def _ability_of(said: tuple[str, ...]) -> Ability | None:
    words = set(said)
    if words & _SUMMARIZE:
        return "summarize"
    if not words & _SUGGEST:
        return None
    if words & {"deadline", "deadlines"} or ("due" in words and words & {"date", "dates"}):
        return "suggest-due-date"
    if words & {"priority", "priorities"}:
        return "suggest-priority"
    return None


def paths(cursor: Cursor) -> tuple[Statement, ...] | None:
    """Read "GET /api/tasks, POST /api/tasks": endpoints that a resource has anyway."""
    cursor.take("endpoints", "routes", "the", "endpoint", "route")
    cursor.take(":")
    found: list[Statement] = []
    while True:
        start = cursor.position
        cursor.separator() if found else None
        methods = 0
        while cursor.take(*_METHODS):
            methods += 1
            cursor.separator()
        cursor.take("for", "on", "at", "to", "under", "endpoints", "endpoint")
        if cursor.kind() != "path":
            is_more_of_it = bool(found and methods) and cursor.is_done
            cursor.position = cursor.position if is_more_of_it else start
            break
        token = cursor.tokens[cursor.position]
        match = _CRUD_PATH.match(token.norm)
        if token.norm.rstrip("/") == "/api/me":
            found.append(WantsMe())
        elif match is None or match[1] == "agents":
            cursor.position = start
            break
        else:
            words = tuple(re.split("[-_]", match[1]))
            found.append(Declares(Name(words, token.start, token.end)))
        cursor.position += 1
        cursor.take("endpoint", "route", "endpoints", "routes")
    return tuple(found) or None
