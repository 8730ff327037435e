"""From a plain-language request to a blueprint, or a refusal that names the words."""

import re
from decimal import Decimal

from agent.errors import RequestNotUnderstoodError
from agent.models.offline.blueprint import (
    Blueprint,
    FieldKind,
    FieldSpec,
    Parent,
    Resource,
    UserIdType,
)
from agent.models.offline.defaults import kind_by_name, optional, text
from agent.models.offline.nouns import plural_name, singular_name
from agent.reply import SourceFile

_KINDS = {kind.value: kind for kind in FieldKind} | {"boolean": FieldKind.BOOLEAN}
_ADD = re.compile(
    r"(?:add|create|build) (?:crud|an api) for ([a-z ,]+?)(?: with ([a-z_ ,()/:-]+))?$"
)
_HAS = re.compile(r"(?:a|an|each) ([a-z ]+?) has ([a-z_ ,()/:-]+)$")
_BELONGS = re.compile(r"(?:a|an|each) ([a-z ]+?) belongs to (?:a|an) ([a-z ]+)$")


def understand(
    request: str, existing: tuple[SourceFile, ...], *, user_id: UserIdType = "text"
) -> Blueprint:
    """Return what a request asks for.

    Args:
        request: The developer's words.
        existing: The backend's source files, paths as in a reply; empty for a new backend.
        user_id: Type of `User.id`.

    Raises:
        RequestNotUnderstoodError: The request lies outside the range; the message names the
            words that were not understood.
    """
    del existing
    resources: dict[str, Resource] = {}
    sentences = [part.strip() for part in re.split(r"[.\n]+", request.lower()) if part.strip()]
    leftover = [sentence for sentence in sentences if not _read(sentence, resources)]
    if leftover or not resources:
        raise RequestNotUnderstoodError(f"Not understood: {', '.join(leftover) or 'nothing'}.")
    return Blueprint(resources=tuple(resources.values()), user_id=user_id)


def _read(sentence: str, resources: dict[str, Resource]) -> bool:
    if match := _ADD.match(sentence):
        for noun in re.split(r", (?:and )?| and ", match[1]):
            words = tuple(noun.split())
            fields = _fields(match[2]) if match[2] else _usual(words)
            one = singular_name(words)
            resources[one] = Resource(singular=one, plural=plural_name(words), fields=fields)
        return True
    if match := _HAS.match(sentence):
        one = singular_name(tuple(match[1].split()))
        if one not in resources:
            return False
        resources[one] = resources[one].model_copy(update={"fields": _fields(match[2])})
        return True
    if match := _BELONGS.match(sentence):
        one, parent = (singular_name(tuple(words.split())) for words in match.groups())
        if one not in resources or parent not in resources:
            return False
        link = Parent(name=parent, resource=parent)
        resources[one] = resources[one].model_copy(update={"parents": (link,)})
        return True
    return False


def _usual(words: tuple[str, ...]) -> tuple[FieldSpec, ...]:
    first = "title" if words[-1] in {"tasks", "notes"} else "name"
    rest = [optional("description", FieldKind.LONG_TEXT)]
    if words[-1] == "tasks":
        rest.append(optional("completed", FieldKind.BOOLEAN))
    return (text(first), *rest)


def _fields(words: str) -> tuple[FieldSpec, ...]:
    parts = re.split(r",\s*(?:and )?(?![^(]*\))| and (?![^(]*\))", words)
    return tuple(_field(part.strip(), index) for index, part in enumerate(parts))


def _field(words: str, index: int) -> FieldSpec:
    name, _, rest = words.removeprefix("a ").removeprefix("an ").partition("(")
    name = name.strip().removesuffix(" flag").replace(" ", "_")
    choices = tuple(choice.strip() for choice in rest.rstrip(")").split(",") if choice.strip())
    if len(choices) > 1:
        return FieldSpec(name=name, kind=FieldKind.CHOICE, choices=choices)
    kind = _KINDS.get(choices[0]) if choices else kind_by_name(name)
    kind = kind or FieldKind.TEXT
    if index == 0 and kind is FieldKind.TEXT:
        return text(name)
    if index == 0 and kind in {FieldKind.MONEY, FieldKind.DECIMAL}:
        return FieldSpec(name=name, kind=kind, is_required=True, minimum=Decimal(0))
    return optional(name, kind)
