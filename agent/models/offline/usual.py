"""The usual fields of well-known nouns, read with the same rules as a request's."""

from functools import cache

from agent.models.offline.attributes import a_field
from agent.models.offline.cursor import Cursor
from agent.models.offline.statements import HasField, Name, Traits
from agent.models.offline.tokens import sentences


@cache
def usual_statements(fields: str) -> dict[str, tuple[Name, Traits]]:
    """Return the fields written as in `defaults.USUAL` by their key."""
    found: dict[str, tuple[Name, Traits]] = {}
    for part in _parts(fields):
        (sentence,) = sentences(part.replace("!", ""))
        read = a_field(Cursor(sentence))
        (statement,) = read or ()
        if not isinstance(statement, HasField):
            continue
        said = statement.traits.merged(Traits(is_required=True if "!" in part else None))
        found["_".join(statement.name.words)] = (statement.name, said)
    return found


def _parts(fields: str) -> list[str]:
    """Cut a list at its commas outside brackets."""
    parts, depth = [""], 0
    for letter in fields:
        depth += (letter == "(") - (letter == ")")
        if letter == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += letter
    return [part.strip() for part in parts if part.strip()]
