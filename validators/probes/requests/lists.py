"""Ids in lists, the owner's behind the intruder's own; and values that are secrets, not ids."""

from dataclasses import replace
from typing import Any

from validators.probes.operations import Operation
from validators.probes.requests.filling import Filled

_SECRETS = ("token", "secret", "signature", "sig", "code", "link", "share", "invite")
_LEAST_LETTERS = 12


def has_list(filled: Filled) -> bool:
    """Tell whether a request holds ids of rows in a list."""
    return bool(_lists(filled))


def _lists(filled: Filled) -> list[str]:
    """Return the names of lists that hold ids, in the body or the query."""
    ids = {str(slot.value) for slot in filled.slots}
    body = filled.request.json_body
    found = []
    if isinstance(body, list) and _holds(body, ids):
        found.append("")
    for name, value in body.items() if isinstance(body, dict) else ():
        if isinstance(value, list) and _holds(value, ids):
            found.append(name)
    names = [name for name, value in filled.request.query if value in ids]
    return found + [f"?{name}" for name in dict.fromkeys(names) if "ids" in name or name == "id"]


def _holds(values: list[Any], ids: set[str]) -> bool:
    return any(isinstance(value, str | int) and str(value) in ids for value in values)


def beside(own: Filled, others: Filled) -> Filled:
    """Return a request with the ids of another one's lists behind its own."""
    body = own.request.json_body
    query = own.request.query
    theirs = others.request.json_body
    for name in _lists(others):
        if name.startswith("?"):
            query += tuple(pair for pair in others.request.query if pair[0] == name[1:])
        elif name == "" and isinstance(body, list):
            body = [*body, *theirs]
        elif isinstance(body, dict) and isinstance(body.get(name), list):
            body = {**body, name: [*body[name], *theirs[name]]}
    return replace(own, request=replace(own.request, json_body=body, query=query))


def bears_secret(operation: Operation, filled: Filled) -> bool:
    """Tell whether a request to a public route names a secret, by which it is let in."""
    if operation.is_secured:
        return False
    values = dict(filled.request.query)
    parts = zip(operation.path.split("/"), filled.request.path.split("/"), strict=False)
    values |= {named.strip("{}"): value for named, value in parts if named.startswith("{")}
    return any(
        len(value) >= _LEAST_LETTERS and any(word in name.lower() for word in _SECRETS)
        for name, value in values.items()
    )


def without_secrets(operation: Operation, filled: Filled) -> Filled:
    """Return a request without the slots that hold secrets: who has one may use it.

    A link with a random token is for whoever it was given to, and the intruder has it from nobody.
    """
    kept = tuple(
        slot
        for slot in filled.slots
        if not (
            isinstance(slot.value, str)
            and len(slot.value) >= _LEAST_LETTERS
            and (not operation.is_secured or any(word in slot.name.lower() for word in _SECRETS))
            and any(word in f"{operation.path} {slot.name}".lower() for word in _SECRETS)
        )
    )
    return replace(filled, slots=kept)
