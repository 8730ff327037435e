"""From a plain-language request to a blueprint, or a refusal that names the words."""

from agent.auth import DEFAULT, Auth
from agent.errors import RequestNotUnderstoodError
from agent.models.offline.blueprint import Blueprint, UserIdType
from agent.models.offline.drafts import Meaning
from agent.models.offline.grammar import read
from agent.models.offline.inventory import Inventory, take_inventory
from agent.models.offline.meaning import blueprint, interpret
from agent.models.offline.refusals import RANGE, not_understood
from agent.reply import SourceFile

MAX_REQUEST = 8000


def understand(
    request: str,
    existing: tuple[SourceFile, ...],
    *,
    user_id: UserIdType = "text",
    auth: Auth = DEFAULT,
) -> Blueprint:
    """Return what a request asks for.

    Args:
        request: The developer's words, in English.
        existing: The backend's source files, paths as in a reply; empty for a new backend.
        user_id: Type of `User.id`.
        auth: How a new backend learns who is signed in.

    Raises:
        RequestNotUnderstoodError: The request lies outside the range; the message names every
            word that was not understood, the hint says what is.
    """
    if not request.strip():
        raise RequestNotUnderstoodError("The request is empty.", RANGE)
    if len(request) > MAX_REQUEST:
        raise RequestNotUnderstoodError(
            f"The request has {len(request)} characters; at most {MAX_REQUEST} are read.",
            "Build it in several steps.",
        )
    backend = take_inventory(existing)
    reading = read(request)
    meaning = interpret(reading.statements, backend)
    _check_content(meaning, backend, is_read=not reading.leftover)
    if reading.leftover or meaning.problems or meaning.unknown:
        raise not_understood(request, reading.leftover, meaning)
    return blueprint(meaning, backend, user_id, auth)


def _check_content(meaning: Meaning, backend: Inventory, *, is_read: bool) -> None:
    """Note where a request that was read asks for nothing, or for what is there."""
    if meaning.problems or meaning.unknown or not is_read:
        return
    if meaning.has_me and backend.has_me:
        meaning.problems.append("The backend has GET /api/me already.")
    if meaning.drafts or meaning.agents or meaning.has_me:
        return
    if meaning.wants_auth and backend.has_auth:
        meaning.problems.append("The backend has an auth layer already.")
    elif not meaning.wants_auth:
        meaning.problems.append("The request names no resource to build.")
