"""What of a request outlives it in module variables and classes: code, and no data of anybody."""

from dataclasses import replace

from validators.ownership.containers import merged
from validators.ownership.state import one_of
from validators.ownership.values import (
    NONE,
    Choice,
    ClassValue,
    Const,
    Function,
    Given,
    Instance,
    Items,
    Library,
    Made,
    Mapping,
    ModuleValue,
    Value,
    members,
)
from validators.ownership.walk import origins


def shared(known: Value, changed: Value, name: str) -> Value:
    """Return what a module's variable holds once requests have changed it."""
    given = Given("shared", name)
    if isinstance(known, Instance) and isinstance(changed, Instance):
        for field, value in changed.fields:
            if known.get(field) != value:
                known = known.set(field, shared(known.get(field) or NONE, value, f"{name}.{field}"))
        return known
    kept = lasting(changed, name)
    if isinstance(changed, Mapping) and (not isinstance(kept, Mapping) or _is_of_request(kept)):
        return Mapping((), given)
    if isinstance(changed, Items):
        return Items(None, given)
    if isinstance(known, Mapping) and isinstance(kept, Mapping):
        return merged(known, kept)
    return one_of([*members(known), *members(kept)])


def lasting(value: Value, name: str) -> Value:
    """Return what of a value outlives the request that stores it: code, and no data of anybody."""
    match value:
        case Const() | ClassValue() | ModuleValue() | Library():
            return value
        case Made() if not origins(value):
            return value
        case Function(closure=held, receiver=receiver):
            # What a function has captured belongs to whoever made it.
            kept = tuple((k, lasting(v, f"{name}.{k}")) for k, v in held)
            bound = lasting(receiver, name) if receiver is not None else None
            return replace(value, closure=kept, receiver=bound)
        case Instance(cls, fields, None):
            return Instance(cls, tuple((k, lasting(v, f"{name}.{k}")) for k, v in fields))
        case Mapping(known, rest, keys):
            items = tuple((k, lasting(v, name)) for k, v in known)
            return Mapping(items, lasting(rest, name) if rest is not None else None, keys)
        case Choice():
            return one_of(lasting(member, name) for member in members(value))
        case _:
            return Given("shared", name)


def _is_of_request(value: Mapping) -> bool:
    held = [item for _, item in value.known] + ([value.rest] if value.rest is not None else [])
    return any(isinstance(one, Given) for item in held for one in members(item))
