"""Containers and claims: what dictionaries, pairs and texts become when they are put together."""

import ast

from validators.ownership.machine import UnreachableError
from validators.ownership.state import choice, one_of
from validators.ownership.values import (
    Choice,
    Claims,
    Const,
    Given,
    Identity,
    Items,
    Made,
    Mapping,
    Result,
    Unknown,
    Value,
)

# Claims of a verified token that say nothing about who is signed in.
_NOT_A_PERSON = frozenset(
    {
        "iss", "aud", "exp", "iat", "nbf", "jti", "azp", "typ", "type", "role", "roles", "scope",
        "scopes", "permissions", "name", "given_name", "family_name", "picture", "image", "plan",
        "email_verified", "emailVerified", "is_admin", "is_superuser", "org_id", "tenant_id",
    }
)  # fmt: skip


def is_text(value: Value) -> bool:
    """Tell whether a value is a text, or one with values written into it."""
    if isinstance(value, Const):
        return isinstance(value.value, str)
    return isinstance(value, Made) and value.kind == "text"


def constant_text(node: ast.JoinedStr, values: list[Value]) -> Value:
    """Return a text of which every value written into it is constant."""
    left = iter(values)
    text = ""
    for part in node.values:
        held = Const(part.value) if isinstance(part, ast.Constant) else next(left)
        text += str(held.value) if isinstance(held, Const) else ""
    return Const(text)


def template(parts: list[Value]) -> Made:
    """Return a text with values written into it."""
    flat: list[Value] = []
    for part in parts:
        if isinstance(part, Made) and part.kind == "text":
            flat += [held for _, held in part.fields]
        else:
            flat.append(part)
    return Made("text", tuple((str(index), part) for index, part in enumerate(flat)))


def claim(origin: str, key: Value, prefix: str = "") -> Value:
    """Return a claim of a verified token."""
    if isinstance(key, Choice):
        return one_of(claim(origin, member, prefix) for member, _ in key.members)
    if isinstance(key, Const) and isinstance(key.value, str):
        if key.value in _NOT_A_PERSON:
            return Unknown(f"the claim {key.value} does not name a person")
        return Identity(prefix + key.value, origin)
    return Unknown("a claim whose name is not constant")


def merged(left: Mapping, right: Value) -> Mapping:
    """Return a dictionary updated with another."""
    if isinstance(right, Made) and right.kind in ("query", "headers", "cookies", "path"):
        right = Given("query", "[]")
    if isinstance(right, Mapping):
        for key, value in right.known:
            left = left.set(key, value)
        rest = [value for value in (left.rest, right.rest) if value is not None]
        return Mapping(left.known, one_of(rest) if rest else None)
    held = [value for _, value in left.known]
    rest = [value for value in (left.rest, right) if value is not None]
    known = tuple((key, one_of([value, right])) for key, value in left.known)
    return Mapping(known, one_of(rest)) if held else Mapping((), one_of(rest))


def mapping_of(pairs: Value) -> Mapping:
    """Return the dictionary made from pairs."""
    result = Mapping()
    if isinstance(pairs, Result):
        pairs = Items(None, pairs.each)
    if not isinstance(pairs, Items):
        return Mapping((), pairs)
    for held in pairs.items or ([pairs.each] if pairs.each is not None else []):
        pair = spread_pair(held)
        if not (isinstance(pair, Items) and pair.items and len(pair.items) == 2):  # noqa: PLR2004
            result = Mapping(result.known, pair)
            continue
        key, value = pair.items
        if isinstance(key, Const) and pairs.items is not None:
            result = result.set(key.value, value)
        else:
            rest = value if result.rest is None else one_of([result.rest, value])
            keys = key if result.keys is None else one_of([result.keys, key])
            result = Mapping(result.known, rest, keys)
    return result


def spread_item(rest: Value, key: Value) -> Value:
    """Return an item of what was spread into a dictionary."""
    if isinstance(rest, Choice):
        return choice((spread_item(member, key), facts) for member, facts in rest.members)
    if isinstance(rest, Claims):
        return claim(rest.origin, key)
    return rest


def spread_pair(pair: Value) -> Value:
    """Return a pair that carries facts as a pair whose parts carry them."""
    if isinstance(pair, Choice) and len(pair.members) == 1:
        [(inner, facts)] = pair.members
        if isinstance(inner, Items) and inner.items is not None:
            return Items(
                tuple(choice([(item, facts)]) for item in inner.items), None, is_tuple=True
            )
    return pair


def position(items: tuple[Value, ...] | None, each: Value | None, key: Value) -> Value:
    """Return an item of a list by its position; one of all where that is not constant."""
    if items is not None and isinstance(key, Const) and isinstance(key.value, int):
        if -len(items) <= key.value < len(items):
            return items[key.value]
        raise UnreachableError
    held = list(items or ()) + ([each] if each is not None else [])
    if not held:
        return Unknown("an item of an empty list")
    return one_of(held)
