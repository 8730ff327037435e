"""The sentence of a refusal: the words that were not understood, the reasons, the way out."""

from difflib import get_close_matches
from itertools import pairwise
from typing import TYPE_CHECKING

from agent.errors import RequestNotUnderstoodError
from agent.models.offline.agency import ABILITIES, ONLY_AGENTS
from agent.models.offline.phrases import span_text
from agent.models.offline.tokens import Token
from agent.models.offline.words import KEYWORDS, OUTSIDE, STOP

if TYPE_CHECKING:
    from agent.models.offline.drafts import Meaning

RANGE = (
    "The offline model builds resources with fields, types, limits and defaults, parents and "
    "children, filters, search, sorting, pagination, the auth layer, GET /api/me and agent "
    'endpoints; for example "add CRUD for tasks with title, due date and priority (low, medium, '
    'high), filter by priority, and an agent endpoint that suggests a due date".'
)
_REASONS_SHOWN = 3
_SHORTEST_SLIP = 5
_LONGEST_QUOTE = 300


def not_understood(
    request: str, leftover: list[tuple[Token, ...]], meaning: "Meaning"
) -> RequestNotUnderstoodError:
    """Return the refusal of a request."""
    spans = [span_text(tokens, request) for tokens in leftover]
    spans += [request[name.start : name.end] or str(name) for name in meaning.unknown]
    quoted = ", ".join(f'"{span[:_LONGEST_QUOTE]}"' for span in dict.fromkeys(spans))
    sentences = [f"Not understood: {quoted}."] if quoted else []
    sentences += meaning.problems if not leftover else _independent(meaning)
    words = [token.norm for tokens in leftover for token in tokens]
    words += [word for name in meaning.unknown for word in name.words]
    hints = [*_reasons(words), *_near_misses(words), *_abilities(request, leftover)]
    return RequestNotUnderstoodError(" ".join(sentences), " ".join([*hints, RANGE]))


def _independent(meaning: "Meaning") -> list[str]:
    """Return the problems that are not the mere echo of words that were not read."""
    problems = meaning.problems if meaning.drafts else []
    # What was not read may be the agent endpoint.
    return [problem for problem in problems if problem != ONLY_AGENTS]


def _abilities(request: str, leftover: list[tuple[Token, ...]]) -> list[str]:
    """Name the abilities where an agent endpoint was asked for and not understood."""
    is_agent = leftover and "agent" in request.lower()
    return [f"An agent endpoint does one of these: {ABILITIES}."] if is_agent else []


def _reasons(words: list[str]) -> list[str]:
    pairs = ["-".join(pair) for pair in pairwise(words)]
    found = [OUTSIDE[word] for word in (*pairs, *words) if word in OUTSIDE]
    return list(dict.fromkeys(found))[:_REASONS_SHOWN]


def _near_misses(words: list[str]) -> list[str]:
    found: list[str] = []
    for word in dict.fromkeys(words):
        if len(word) < _SHORTEST_SLIP or word in KEYWORDS | STOP or word in OUTSIDE:
            continue
        close = get_close_matches(word, sorted(KEYWORDS), n=1, cutoff=0.85)
        if close and word.rstrip("s") != close[0].rstrip("s"):
            found.append(f'Did you mean "{close[0]}" instead of "{word}"?')
    return found[:_REASONS_SHOWN]
