"""The environment of a booted backend, built from nothing: what its code asks for, harmless."""

import ast
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from validators.runtime.placeholders import harmless
from validators.source import Project

KEYS_PATH = "/api/auth/jwks"

_DATABASE_WORDS = ("DATABASE_URL", "DB_URL", "POSTGRES_URL", "DATABASE_URI", "NEON_URL", "DB_DSN")
_SECRET_WORDS = ("SECRET", "JWT_KEY", "SIGNING_KEY", "API_KEY", "PRIVATE_KEY", "TOKEN_KEY")
_AUTH_WORDS = ("AUTH_URL", "AUTH_BASE_URL", "AUTH_SERVER", "AUTH_HOST", "ISSUER", "AUDIENCE")
_SETTINGS_BASES = frozenset({"BaseSettings"})
_ENUMERATIONS = frozenset({"Enum", "StrEnum", "IntEnum"})
_PUBLISHED = re.compile(r"jwks|\bPyJWKClient\b|\bPyJWKSet\b", re.IGNORECASE)
_SECRET = re.compile(r"\bHS(256|384|512)\b")

# How a backend verifies tokens: with a secret that it shares with the server that issues them,
# or with the keys that this server publishes.
Verification = Literal["secret", "published keys"]


@dataclass(frozen=True, slots=True)
class Variable:
    """One environment variable that the code reads.

    Attributes:
        name: Its name, in upper case.
        is_required: Whether the code has no value of its own for it.
        kind: The annotation in a settings class, otherwise `str`.
        path: The file that reads it first.
        line: The line there, from 1.
    """

    name: str
    is_required: bool
    kind: str
    path: str
    line: int


def read_variables(project: Project) -> dict[str, Variable]:
    """Return the environment variables that the code reads, by name."""
    found: dict[str, Variable] = {}
    choices = _read_choices(project)
    for path, module in project.modules.items():
        if module.tree is None:
            continue
        for found_first in _variables(path, module.tree):
            variable = replace(found_first, kind=_spell_out(found_first.kind, choices))
            known = found.get(variable.name)
            if known is None or (variable.is_required and not known.is_required):
                found[variable.name] = variable
    return found


def read_verifications(project: Project) -> tuple[Verification, ...]:
    """Return how the code can verify tokens, as far as its words tell."""
    texts = [module.text for module in project.modules.values()]
    found: list[Verification] = []
    if any(_PUBLISHED.search(text) for text in texts):
        found.append("published keys")
    if not found or any(_SECRET.search(text) for text in texts):
        found.insert(0, "secret")
    return tuple(found)


def build_environment(
    variables: Mapping[str, Variable],
    database_url: str,
    secret: str,
    home: Path,
    filled: Collection[str] = (),
    auth_url: str | None = None,
) -> dict[str, str]:
    """Return the whole environment of a backend's process.

    Args:
        variables: What the code reads.
        database_url: Given to every variable that names a database.
        secret: Given to every variable that names a signing secret.
        home: The only folder that it may write to.
        filled: Variables to fill, whether or not they are required.
        auth_url: Given to every variable that names the server that issues tokens; None where
            tokens are verified with the secret.
    """
    environment = {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "HOME": str(home),
        "TMPDIR": str(home),
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUNBUFFERED": "1",
        "DATABASE_URL": database_url,
        "BETTER_AUTH_SECRET": secret,
    }
    for name, variable in variables.items():
        if name in environment and not _is_checked_url(variable):
            continue
        value = _value(variable, database_url, secret)
        if auth_url is not None:
            value = _auth_value(name, auth_url) or value
        if value is None and name in filled:
            value = harmless(name, variable.kind)
        if value is not None:
            environment[name] = value
    return environment


def _value(variable: Variable, database_url: str, secret: str) -> str | None:
    if _is_checked_url(variable):
        # Pydantic asks for a host; the one in the query, a folder, is what drivers take.
        return database_url.replace("@/", "@localhost/")
    if any(word in variable.name for word in _DATABASE_WORDS):
        return database_url
    if any(word in variable.name for word in _SECRET_WORDS):
        return secret
    return harmless(variable.name, variable.kind) if variable.is_required else None


def _is_checked_url(variable: Variable) -> bool:
    return "PostgresDsn" in variable.kind or "MultiHostUrl" in variable.kind


def _auth_value(name: str, auth_url: str) -> str | None:
    if "JWKS" in name and ("UR" in name or "ENDPOINT" in name):
        return auth_url + KEYS_PATH
    return auth_url if any(word in name for word in _AUTH_WORDS) else None


def _variables(path: str, tree: ast.Module) -> Iterator[Variable]:
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=func, args=[ast.Constant(value=str(name)), *_]) if _reads(func):
                # Without a value it answers None, which is for the code to deal with.
                yield _variable(path, node, name, is_required=False)
            case ast.Subscript(
                value=ast.Attribute(attr="environ"), slice=ast.Constant(value=str(name))
            ):
                yield _variable(path, node, name, is_required=True)
            case ast.ClassDef(bases=bases) if any(_last(base) in _SETTINGS_BASES for base in bases):
                yield from _settings(path, node)


def _variable(path: str, node: ast.expr, name: str, *, is_required: bool) -> Variable:
    return Variable(name.upper(), is_required, "str", path, node.lineno)


def _reads(func: ast.expr) -> bool:
    match func:
        case ast.Attribute(attr="getenv") | ast.Name(id="getenv"):
            return True
        case ast.Attribute(
            attr="get", value=ast.Attribute(attr="environ") | ast.Name(id="environ")
        ):
            return True
    return False


def _settings(path: str, node: ast.ClassDef) -> Iterator[Variable]:
    prefix = _prefix(node)
    for item in node.body:
        match item:
            case ast.AnnAssign(target=ast.Name(id=name), annotation=annotation, value=value):
                if name.startswith("_") or name == "model_config":
                    continue
                names = _aliases(value) or [prefix + name]
                for each in names:
                    kind = ast.unparse(annotation)
                    if isinstance(value, ast.Call):
                        kind = f"Annotated[{kind}, {ast.unparse(value)}]"
                    yield Variable(each.upper(), _is_empty(value), kind, path, item.lineno)


def _prefix(node: ast.ClassDef) -> str:
    for found in ast.walk(node):
        match found:
            case ast.keyword(arg="env_prefix", value=ast.Constant(value=str(prefix))):
                return prefix
            case ast.Assign(
                targets=[ast.Name(id="env_prefix")], value=ast.Constant(value=str(prefix))
            ):
                return prefix
    return ""


def _read_choices(project: Project) -> dict[str, ast.expr]:
    """Return the first value of each enumeration, by the name of its class."""
    found: dict[str, ast.expr] = {}
    for module in project.modules.values():
        for node in module.tree.body if module.tree is not None else ():
            if isinstance(node, ast.ClassDef) and any(
                _last(base) in _ENUMERATIONS for base in node.bases
            ):
                values = [item.value for item in node.body if isinstance(item, ast.Assign)]
                if values and isinstance(values[0], ast.Constant):
                    found[node.name] = values[0]
    return found


def _spell_out(kind: str, choices: Mapping[str, ast.expr]) -> str:
    """Return a type with each enumeration as a `Literal` of its first value."""
    for name, value in choices.items():
        kind = re.sub(rf"\b{name}\b", lambda _, v=value: f"Literal[{ast.unparse(v)}]", kind)  # type: ignore[misc]
    return kind


def _aliases(value: ast.expr | None) -> list[str]:
    if not isinstance(value, ast.Call):
        return []
    return [
        keyword.value.value
        for keyword in value.keywords
        if keyword.arg in ("alias", "validation_alias", "env")
        and isinstance(keyword.value, ast.Constant)
        and isinstance(keyword.value.value, str)
    ]


def _is_empty(value: ast.expr | None) -> bool:
    match value:
        case None:
            return True
        case ast.Constant(value=constant):
            return constant is ...
        case ast.Call(args=args, keywords=keywords):
            has_default = any(keyword.arg in ("default", "default_factory") for keyword in keywords)
            return not has_default and (not args or _is_empty(args[0]))
    return False


def _last(node: ast.expr) -> str:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""
