"""Tokens: which calls verify a signature, and which only read what is written there."""

import ast

from validators.ownership.machine import Call, Machine
from validators.ownership.program import Resolved
from validators.ownership.recorder import Place, Problem
from validators.ownership.values import (
    TRUE,
    Choice,
    Claims,
    Const,
    Given,
    Items,
    Made,
    Mapping,
    Value,
)
from validators.ownership.walk import origins

_DECODERS = frozenset(
    {
        "jwt.decode", "jose.jwt.decode", "authlib.jose.jwt.decode", "joserfc.jwt.decode",
        "jwt.api_jwt.decode", "jwt.decode_complete", "python_jwt.verify_jwt", "jose.jws.verify",
        "authlib.jose.JsonWebToken.decode", "jwt.PyJWT.decode",
    }
)  # fmt: skip
# Paths at which an authentication server says whose token it was sent.
_USER_PATHS = ("get-session", "/userinfo", "/api/auth/", "introspect", "/auth/v1/user", "/session")


def is_decoder(name: str) -> bool:
    """Tell whether a library's function decodes tokens."""
    return name in _DECODERS


def decode(machine: Machine, name: str, call: Call) -> Value:
    """Return the claims of a token; what the request says where nothing was verified."""
    line = getattr(call.node, "lineno", 0)
    place = f"{name.removeprefix('authlib.')} in {call.frame.path}, line {line}"
    reason = _unverified_reason(call)
    if reason is not None:
        return unverified(machine, call, reason)
    call.frame.entry.is_verifying = True
    _check_secret(machine, call)
    if name == "jose.jws.verify":
        return Claims(place)
    return Claims(place)


def unverified(machine: Machine, call: Call, reason: str) -> Value:
    """Return what an unverified token says, and report it."""
    given = Given("header", f"the unverified token (line {getattr(call.node, 'lineno', 0)})")
    if "header" not in reason:
        machine.note_given(given, call.frame, call.node)
    return given


def _unverified_reason(call: Call) -> str | None:
    options = call.argument(3, "options")
    if isinstance(options, Mapping) and not _is_on(options.get("verify_signature")):
        return "verify_signature is not always on"
    if not _is_on(call.keywords.get("verify")):
        return "verify is not always on"
    algorithms = call.argument(2, "algorithms", "algorithm")
    if isinstance(algorithms, Items) and algorithms.items is not None:
        names = [str(a.value).lower() for a in algorithms.items if isinstance(a, Const)]
        if "none" in names:
            return "the algorithm none is accepted"
    if algorithms is not None and any(isinstance(o, Given) for o in origins(algorithms)):
        return "the token itself chooses the algorithm"
    key = call.argument(1, "key", "secret")
    if isinstance(key, Given):
        return "the key comes from the request"
    return None


def _is_on(option: Value | None) -> bool:
    """Tell whether a decoder verifies: nobody switches it off, or lets it depend on something."""
    return option in (None, TRUE)


def _check_secret(machine: Machine, call: Call) -> None:
    key = call.argument(1, "key", "secret")
    if key is None:
        return
    weak = weak_secret(key)
    if weak is None:
        return
    place = _secret_place(machine, call)
    if "empty" in weak and _is_refused(machine, call, place):
        return
    problem = Problem("BP308", place, f"Tokens are verified with {weak}.")
    call.frame.entry.problems[problem] = None


def weak_secret(key: Value) -> str | None:
    """Say what is wrong with a signing secret, or return None."""
    if isinstance(key, Choice):
        found = [weak_secret(member) for member, _ in key.members]
        return next((text for text in found if text), None)
    if isinstance(key, Const) and isinstance(key.value, str | bytes):
        return "an empty secret" if not key.value else "a secret that is written in the source"
    if isinstance(key, Made) and key.kind == "setting":
        default = key.get("default")
        name = key.get("name")
        shown = name.value if isinstance(name, Const) else "?"
        if isinstance(default, Choice):
            return weak_secret(default)
        if isinstance(default, Made):
            return weak_secret(default)
        if isinstance(default, Const) and isinstance(default.value, str):
            kind = "an empty" if not default.value else "a constant"
            return f"{kind} secret where {shown} is not set"
    return None


def _secret_place(machine: Machine, call: Call) -> Place:
    """Return where the secret is written, as far as names lead there."""
    node = _key_node(call)
    if isinstance(node, ast.Name):
        found = machine.program.find(call.frame.path, node.id)
        if _is_assignment(found) and found.scope is not None and found.node is not None:
            return Place.of(found.scope.path, found.node)
    if isinstance(node, ast.Attribute):
        for path in machine.program.modules:
            for bindings in machine.program.names(path).values():
                for binding in bindings:
                    if isinstance(binding, ast.ClassDef):
                        for statement in binding.body:
                            if _binds(statement, node.attr):
                                return Place.of(path, statement)
    return Place.of(call.frame.path, call.node)


def _is_refused(machine: Machine, call: Call, place: Place) -> bool:
    """Tell whether the module that reads a secret stops where the secret is missing."""
    node = _key_node(call)
    name = node.id if isinstance(node, ast.Name) else getattr(node, "attr", None)
    tree = machine.program.project.modules[place.path].tree
    for test in ast.walk(tree) if tree is not None else ():
        if not isinstance(test, ast.If):
            continue
        names = {getattr(n, "id", getattr(n, "attr", None)) for n in ast.walk(test.test)}
        if name in names and any(isinstance(end, ast.Raise) for end in ast.walk(test)):
            return True
    return False


def _key_node(call: Call) -> ast.expr | None:
    if not isinstance(call.node, ast.Call):
        return None
    if len(call.node.args) > 1:
        return call.node.args[1]
    return next((k.value for k in call.node.keywords if k.arg in ("key", "secret")), None)


def _is_assignment(found: Resolved) -> bool:
    return isinstance(found.node, ast.Assign | ast.AnnAssign)


def _binds(node: ast.stmt, name: str) -> bool:
    match node:
        case ast.AnnAssign(target=ast.Name(id=bound)):
            return bound == name
        case ast.Assign(targets=[ast.Name(id=bound)]):
            return bound == name
        case _:
            return False


def remote_user(machine: Machine, last: str, call: Call) -> Value:  # noqa: ARG001  # as its siblings
    """Return what a request to another server gives: claims, where it is the login server's."""
    if last not in ("get", "post", "request"):
        return Made("remote")
    url = next((value for value in call.args if _mentions_user_path(value)), None)
    sends = any(isinstance(o, Given) for value in call.values() for o in origins(value))
    if url is not None and sends:
        call.frame.entry.is_verifying = True
        line = getattr(call.node, "lineno", 0)
        return Made(
            "answer",
            (("claims", Claims(f"the login server asked in {call.frame.path}, line {line}")),),
        )
    return Given("answer", "what another server answers")


def _mentions_user_path(value: Value) -> bool:
    text = ""
    if isinstance(value, Const):
        text = str(value.value)
    elif isinstance(value, Made) and value.kind == "text":
        text = "".join(str(part.value) for _, part in value.fields if isinstance(part, Const))
    return any(path in text for path in _USER_PATHS)
