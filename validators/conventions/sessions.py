"""Async functions that hold the event loop with a plain session."""

import ast
from collections.abc import Iterator

from validators.conventions.schema import Schema, unwrap_hint
from validators.report import Finding
from validators.rules.conventions import BLOCKING_SESSION
from validators.source import Function, Module

_PLAIN = frozenset(
    {
        "sqlalchemy.orm.Session",
        "sqlalchemy.orm.session.Session",
        "sqlalchemy.orm.scoped_session",
        "sqlmodel.Session",
        "sqlmodel.orm.session.Session",
    }
)
_DEPENDS = frozenset({"fastapi.Depends", "fastapi.Security", "fastapi.params.Depends"})
# Calls that run what they are given in a thread of its own.
_OFFLOADS = frozenset({"run_in_threadpool", "to_thread", "run_sync", "run_in_executor"})
_MAX_HOPS = 8


def check(module: Module, schema: Schema) -> list[Finding]:
    """Return a finding for each async function that works on a plain session itself."""
    findings: list[Finding] = []
    opened = _opened_sessions(module)
    for function in module.index.of(ast.AsyncFunctionDef):
        name = _received_session(module, schema, function) or opened.get(function)
        if name is not None:
            findings.append(
                BLOCKING_SESSION.finding(
                    f"`{function.name}` is `async`, but `{name}` is a plain Session: each query "
                    "stops the event loop.",
                    path=module.path,
                    line=function.lineno,
                    column=function.col_offset + 1,
                )
            )
    return findings


def _received_session(module: Module, schema: Schema, function: ast.AsyncFunctionDef) -> str | None:
    for name, hint, default in _parameters(function):
        if _is_plain(module, schema, hint, default) and _is_used(module, function, name):
            return name
    return None


def _opened_sessions(module: Module) -> dict[ast.AST | None, str]:
    """Return the functions that open a plain session themselves, with its name."""
    found: dict[ast.AST | None, str] = {}
    for node in module.index.of(ast.With):
        for item in node.items:
            opened = item.context_expr
            if isinstance(opened, ast.Call) and module.qualified(opened.func) in _PLAIN:
                name = ast.unparse(item.optional_vars) if item.optional_vars else "Session()"
                found[_function_around(module, node)] = name
    return found


def _parameters(
    function: Function,
) -> Iterator[tuple[str, ast.expr | None, ast.expr | None]]:
    """Yield each parameter's name, type hint and default."""
    spec = function.args
    positional = [*spec.posonlyargs, *spec.args]
    defaults = [None] * (len(positional) - len(spec.defaults)) + list(spec.defaults)
    for argument, default in zip(positional, defaults, strict=True):
        yield argument.arg, argument.annotation, default
    for argument, default in zip(spec.kwonlyargs, spec.kw_defaults, strict=True):
        yield argument.arg, argument.annotation, default


def _is_plain(
    module: Module, schema: Schema, hint: ast.expr | None, default: ast.expr | None
) -> bool:
    """Tell whether FastAPI passes a plain session for a parameter."""
    hint_module, hint = _follow_alias(module, schema, hint)
    depends = _dependency(module, default)
    if depends is None and isinstance(hint, ast.Subscript) and isinstance(hint.slice, ast.Tuple):
        found = [_dependency(hint_module, part) for part in hint.slice.elts[1:]]
        depends = next((node for node in found if node is not None), None)
        module = hint_module
    if depends is None:
        return False
    provided = _provided_type(module, schema, depends)
    if provided is not None:
        return provided in _PLAIN
    return any(hint_module.qualified(kind) in _PLAIN for kind in unwrap_hint(hint))


def _follow_alias(
    module: Module, schema: Schema, hint: ast.expr | None
) -> tuple[Module, ast.expr | None]:
    """Return what `DatabaseSession = Annotated[…]` stands for, and where that is written."""
    for _ in range(_MAX_HOPS):
        if not isinstance(hint, ast.Name):
            break
        value = _assigned_value(module, hint.id)
        if value is not None:
            hint = value
            continue
        imported = module.imported.get(hint.id)
        if imported is None or imported.name is None:
            break
        target = schema.project.resolve(imported.module, module, imported.level)
        if target is None:
            break
        module, hint = target, ast.Name(imported.name, ast.Load())
    return module, hint


def _assigned_value(module: Module, name: str) -> ast.expr | None:
    for node in module.index.of(ast.Assign):
        match node.targets:
            case [ast.Name(id=target)] if target == name:
                return node.value
            case _:
                continue
    return None


def _dependency(module: Module, node: ast.expr | None) -> ast.expr | None:
    match node:
        case ast.Call(func=func, args=[first, *_]) if module.qualified(func) in _DEPENDS:
            return first
        case _:
            return None


def _provided_type(module: Module, schema: Schema, depends: ast.expr) -> str | None:
    """Return the full name of the type that a dependency yields, where it can be read."""
    found = _find_function(module, schema, depends)
    if found is None:
        return None
    module, function = found
    for node in ast.walk(function):
        if isinstance(node, ast.With | ast.AsyncWith):
            for item in node.items:
                opened = item.context_expr
                name = module.qualified(opened.func) if isinstance(opened, ast.Call) else ""
                if name.rpartition(".")[2] in ("Session", "AsyncSession"):
                    return name
    hint = function.returns
    if isinstance(hint, ast.Subscript):
        inner = hint.slice.elts[0] if isinstance(hint.slice, ast.Tuple) else hint.slice
        return module.qualified(inner) or None
    return module.qualified(hint) or None


def _find_function(
    module: Module, schema: Schema, node: ast.expr
) -> tuple[Module, Function] | None:
    if not isinstance(node, ast.Name):
        return None
    name = node.id
    for _ in range(_MAX_HOPS):
        function = module.index.function_named(name)
        if function is not None:
            return module, function
        imported = module.imported.get(name)
        if imported is None or imported.name is None:
            return None
        target = schema.project.resolve(imported.module, module, imported.level)
        if target is None:
            return None
        module, name = target, imported.name
    return None


def _is_used(module: Module, function: ast.AsyncFunctionDef, name: str) -> bool:
    """Tell whether a function works with its session itself, and not in another thread."""
    for node in ast.walk(function):
        if not (isinstance(node, ast.Name) and node.id == name):
            continue
        if _function_around(module, node) is not function:
            continue
        if not any(
            isinstance(around, ast.Call)
            and module.qualified(around.func).rpartition(".")[2] in _OFFLOADS
            for around in module.index.ancestors(node)
        ):
            return True
    return False


def _function_around(module: Module, node: ast.AST) -> ast.AST | None:
    for around in module.index.ancestors(node):
        if isinstance(around, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            return around
    return None
