"""What a user hears in answers and has to say again: tokens, codes, cursors, entity tags."""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from validators.probes.worlds.names import is_made_up
from validators.runtime.app import Response

_WORDS = ("token", "code", "cursor", "secret", "sig", "ticket", "next", "after", "expires")
_MOST_LEAVES = 400
_DEEPEST = 8


def hear(response: Response) -> dict[str, str]:
    """Return what an answer says for later, by name: the parts of links included."""
    found: dict[str, str] = {}
    for path, value in leaves(response.json()):
        name = path.rpartition(".")[2].lower()
        if not isinstance(value, str):
            continue
        if "?" in value and "=" in value:
            found |= dict(parse_qsl(urlsplit(value).query))
        elif any(word in name for word in _WORDS) and is_made_up(value, ""):
            found[name] = value
    return found


def leaves(data: Any, path: str = "", depth: int = 0) -> Iterator[tuple[str, Any]]:  # noqa: ANN401
    """Yield each value of an answer that is no collection, with the way to it; some hundreds."""
    if depth > _DEEPEST:
        return
    match data:
        case Mapping():
            for key, value in list(data.items())[:_MOST_LEAVES]:
                yield from leaves(value, f"{path}.{key}", depth + 1)
        case list():
            for number, value in enumerate(data[:_MOST_LEAVES]):
                yield from leaves(value, f"{path}.{number}", depth + 1)
        case _:
            yield path, data
