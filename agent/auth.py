"""How a backend learns who is signed in: the choices, and which one an existing backend made."""

import ast
import warnings
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Literal

from agent.errors import InputError

if TYPE_CHECKING:
    from agent.reply import SourceFile

Auth = Literal["better-auth", "better-auth-jwks", "better-auth-secret", "own"]

DEFAULT: Auth = "better-auth"
MEANINGS: dict[Auth, str] = {
    "better-auth": "takes Better Auth's tokens, by its published keys or by the shared secret",
    "better-auth-jwks": "takes the tokens of Better Auth's jwt plugin, by its published keys",
    "better-auth-secret": "takes tokens that are signed with Better Auth's secret",
    "own": "signs its users up and in itself",
}
_SIGN_IN_PATHS = frozenset(
    {"login", "log-in", "register", "sign-in", "sign-up", "signin", "signup", "token"}
)
_CURRENT_USER = frozenset({"current_user", "get_current_user", "get_current_user_id"})


def settle(chosen: Auth | None, existing: Iterable["SourceFile"]) -> Auth:
    """Return how users are known after a build: an existing backend keeps its way.

    Args:
        chosen: What the settings say; None where they say nothing.
        existing: The backend's source files; none for a new backend.

    Raises:
        InputError: The choice contradicts the backend.
    """
    nodes = [node for file in existing for node in _nodes(file.code)]
    found = _find(nodes)
    if found is None and chosen is not None and _knows_users(nodes):
        raise InputError(
            f"How the backend verifies its tokens cannot be told, so it may not be `{chosen}`.",
            "Leave `auth` out: what is added uses the backend's own get_current_user.",
        )
    if found is not None and chosen not in (None, found):
        raise InputError(
            f"The backend {MEANINGS[found]} (`{found}`); `{chosen}` contradicts that.",
            "Leave `auth` out: what is added keeps it. Or build into another folder.",
        )
    return found or chosen or DEFAULT


def _nodes(code: str) -> Iterator[ast.AST]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield from ast.walk(ast.parse(code))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return


def _find(nodes: Iterable[ast.AST]) -> Auth | None:
    names = {name for node in nodes for name in _names(node)}
    if any(_is_sign_in(node) for node in nodes):
        return "own"
    has_keys = "BETTER_AUTH_URL" in names and any("JWKS" in name for name in names)
    match has_keys, "BETTER_AUTH_SECRET" in names:
        case True, True:
            return "better-auth"
        case True, False:
            return "better-auth-jwks"
        case False, True:
            return "better-auth-secret"
    return None


def _names(node: ast.AST) -> Iterator[str]:
    """Yield the names and short texts that may stand for a variable, in upper case."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            yield name.upper()
        case ast.Constant(value=str(text)) if "\n" not in text and " " not in text:
            yield text.upper()
        case _:
            return


def _is_sign_in(node: ast.AST) -> bool:
    match node:
        case ast.Call(func=ast.Attribute(attr="post"), args=[ast.Constant(value=str(path)), *_]):
            return path.rstrip("/").rpartition("/")[2].replace("_", "-") in _SIGN_IN_PATHS
    return False


def _knows_users(nodes: Iterable[ast.AST]) -> bool:
    return any(
        isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name in _CURRENT_USER
        for node in nodes
    )
