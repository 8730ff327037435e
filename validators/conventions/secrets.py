"""Secrets that stand in the source, and secrets that fall back to a known value."""

import ast
import re
from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import urlsplit

from validators.conventions.schema import Class, Schema
from validators.report import Finding
from validators.rules.conventions import SECRET_FALLBACK, SECRET_IN_SOURCE
from validators.source import Module, targets_of

# Names that hold a signing secret, and names that hold any other secret.
_SIGNING = re.compile(r"SECRET|JWT_?KEY|SIGNING_?KEY|AUTH_?KEY|PRIVATE_?KEY", re.IGNORECASE)
_SECRET = re.compile(
    _SIGNING.pattern + r"|PASSWORD|PASSWD|API_?KEY|ACCESS_?KEY|ACCESS_?TOKEN|AUTH_?TOKEN",
    re.IGNORECASE,
)
# Names about a secret rather than of one.
_ABOUT = re.compile(
    r"(NAME|FIELD|HEADER|URL|URI|TYPE|EXPIRE\w*|MINUTES|SECONDS|DAYS|ALGORITHM|LENGTH|MIN|MAX"
    r"|PATH|FILE|PREFIX|SCHEME|REGEX|PATTERN|HASH|HINT|ERROR|MESSAGE|COOKIE|PARAM|ENV|VAR)S?$",
    re.IGNORECASE,
)
_WELL_KNOWN = re.compile(
    r"^(sk-[A-Za-z0-9_-]{16,}|sk_live_\w{16,}|gh[pousr]_\w{20,}|github_pat_\w{20,}|AKIA[0-9A-Z]{16}"
    r"|AIza[\w-]{30,}|xox[abpr]-[\w-]{10,}|-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*)$"
)
_DATABASE_URL = re.compile(r"^[a-z][a-z0-9+]*://[^\s:/@{}]+:[^\s/@{}]+@[^\s{}]+$", re.IGNORECASE)
_SAMPLE_HOSTS = re.compile(r"^(localhost|127\.0\.0\.1|::1|db|postgres|postgresql|host|hostname)$")
_ENVIRONMENT_CALLS = frozenset(
    {"os.getenv", "os.environ.get", "os.environ.setdefault", "decouple.config"}
)
_JWT_CALLS = re.compile(r"(^|\.)jwt\.(encode|decode)$")
_MINIMUM = 4


def check(module: Module, schema: Schema) -> list[Finding]:
    """Return a finding for each secret in the source, and each known fallback of a secret."""
    found = [
        *_fallbacks(module),
        *_settings(module, schema),
        *_assigned(module, schema),
        *_well_known(module),
        *_jwt_keys(module),
    ]
    # One finding for each line: a URL with a password may be a fallback as well.
    return list({finding.line: finding for finding in reversed(found)}.values())


def _is_secret_name(name: str) -> bool:
    return bool(_SECRET.search(name)) and not _ABOUT.search(name)


def _is_signing_name(name: str) -> bool:
    return bool(_SIGNING.search(name)) and not _ABOUT.search(name)


def _in_source(module: Module, node: ast.expr, message: str) -> Finding:
    return SECRET_IN_SOURCE.finding(
        message, path=module.path, line=node.lineno, column=node.col_offset + 1
    )


def _fallback(module: Module, node: ast.expr, name: str, value: str) -> Finding:
    what = "an empty text" if not value else "a value that everybody can read here"
    return SECRET_FALLBACK.finding(
        f"Where `{name}` is not set, {what} takes its place.",
        path=module.path,
        line=node.lineno,
        column=node.col_offset + 1,
    )


def _fallbacks(module: Module) -> Iterator[Finding]:
    for call in module.index.of(ast.Call):
        name, default = _environment_call(module, call)
        if name is None or not _is_secret_name(name) or default is None:
            continue
        if default.strip() or (_is_signing_name(name) and not _is_checked(module, call)):
            yield _fallback(module, call, name, default)
    for operation in module.index.of(ast.BoolOp):
        match operation:
            case ast.BoolOp(
                op=ast.Or(), values=[ast.Call() as call, ast.Constant(value=str(default))]
            ):
                name, _ = _environment_call(module, call)
                if name is not None and _is_secret_name(name) and default.strip():
                    yield _fallback(module, call, name, default)
            case _:
                continue


def _environment_call(module: Module, call: ast.Call) -> tuple[str | None, str | None]:
    """Return the variable that a call reads and its text default, each None where not given."""
    if module.qualified(call.func) not in _ENVIRONMENT_CALLS or not call.args:
        return None, None
    first = call.args[0]
    if not (isinstance(first, ast.Constant) and isinstance(first.value, str)):
        return None, None
    defaults = [*call.args[1:2], *(k.value for k in call.keywords if k.arg == "default")]
    match defaults:
        case [ast.Constant(value=str(default))]:
            return first.value, default
        case _:
            return first.value, None


def _is_checked(module: Module, call: ast.Call) -> bool:
    """Tell whether the module tests the variable that holds a call's result."""
    statement = module.index.parent(call)
    while isinstance(statement, ast.expr):
        statement = module.index.parent(statement)
    targets: list[ast.expr] = []
    if isinstance(statement, ast.Assign):
        targets = statement.targets
    elif isinstance(statement, ast.AnnAssign):
        targets = [statement.target]
    names = {
        node.id for target in targets for node in ast.walk(target) if isinstance(node, ast.Name)
    }
    return any(_stops_without(node, names) for node in module.index.of(ast.If))


def _stops_without(node: ast.If, names: set[str]) -> bool:
    tested = {name.id for name in ast.walk(node.test) if isinstance(name, ast.Name)}
    return bool(tested & names) and any(
        isinstance(inner, ast.Raise) or _is_exit(inner)
        for statement in (*node.body, *node.orelse)
        for inner in ast.walk(statement)
    )


def _is_exit(node: ast.AST) -> bool:
    match node:
        case ast.Call(func=ast.Attribute(attr="exit") | ast.Name(id="exit" | "quit")):
            return True
        case _:
            return False


def _settings(module: Module, schema: Schema) -> Iterator[Finding]:
    for node in module.index.of(ast.ClassDef):
        cls = Class(module, node)
        if not any(
            isinstance(base, str) and base.endswith("BaseSettings") for base in schema.bases(cls)
        ):
            continue
        for name, field in cls.fields.items():
            default = _default_of(field.value)
            if default is None or field.value is None or not _is_secret_name(name):
                continue
            if default.strip() or _is_signing_name(name):
                yield _fallback(module, field.value, name, default)


def _default_of(value: ast.expr | None) -> str | None:
    match value:
        case ast.Constant(value=str(text)):
            return text
        case ast.Call(args=[ast.Constant(value=str(text)), *_]):
            return text
        case ast.Call(keywords=keywords):
            defaults = [k.value for k in keywords if k.arg == "default"]
            return _default_of(defaults[0]) if defaults else None
        case _:
            return None


def _assigned(module: Module, schema: Schema) -> Iterator[Finding]:
    for node in module.index.assignments:
        targets = targets_of(node)
        match node.value:
            case ast.Constant(value=str(text)) if len(text.strip()) >= _MINIMUM:
                names = [name for target in targets if (name := _last_name(target))]
                secret = next((name for name in names if _is_secret_name(name)), None)
                if secret and not _is_model_field(module, schema, node) and _is_value(text):
                    yield _in_source(module, node.value, f"The value of `{secret}` stands here.")
            case _:
                continue


def _last_name(target: ast.expr) -> str:
    match target:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case ast.Subscript(slice=ast.Constant(value=str(name))):
            return name
        case _:
            return ""


def _is_value(text: str) -> bool:
    # A sentence, a path or a template is about the secret.
    return not re.search(r"\s|^/|^https?://|[{}<>]", text)


def _is_model_field(module: Module, schema: Schema, node: ast.stmt) -> bool:
    # An enumeration's member or a settings default; the latter has its own rule.
    around = module.index.parent(node)
    if not isinstance(around, ast.ClassDef):
        return False
    bases = list(schema.bases(Class(module, around)))
    return any(
        isinstance(base, str) and base.endswith(("Enum", "BaseSettings", "BaseModel"))
        for base in bases
    )


def _well_known(module: Module) -> Iterator[Finding]:
    for node in module.index.of(ast.Constant):
        if not isinstance(node.value, str) or not _WELL_KNOWN_START.match(node.value):
            continue
        if _WELL_KNOWN.match(node.value):
            yield _in_source(module, node, "A secret key stands here.")
        elif _DATABASE_URL.match(node.value) and not _is_docstring(module, node):
            finding = _in_source(module, node, "A URL with its password stands here.")
            if _SAMPLE_HOSTS.match(_host(node.value)):
                finding = replace(finding, severity="warning")
            yield finding


_WELL_KNOWN_START = re.compile(
    r"sk[-_]|gh[pousr]_|github_pat_|AKIA|AIza|xox|-----BEGIN|\w[\w+]*://"
)


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _is_docstring(module: Module, node: ast.Constant) -> bool:
    return isinstance(module.index.parent(node), ast.Expr)


def _jwt_keys(module: Module) -> Iterator[Finding]:
    for call in module.index.of(ast.Call):
        if not _JWT_CALLS.search(module.qualified(call.func)):
            continue
        keys = [*call.args[1:2], *(k.value for k in call.keywords if k.arg == "key")]
        for key in keys:
            if isinstance(key, ast.Constant) and isinstance(key.value, str) and key.value:
                yield _in_source(module, key, "The secret that tokens are signed with stands here.")
