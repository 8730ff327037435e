"""CORS that opens the API to every website, and exceptions that vanish."""

import ast

from validators.conventions.schema import Schema
from validators.report import Finding
from validators.rules.conventions import OPEN_CORS, SWALLOWED_EXCEPTION
from validators.source import Assignment, Module, targets_of

_BROAD = frozenset({"Exception", "BaseException"})
_ANY_ORIGIN = frozenset({"*", ".*", "^.*$", ".+", "https?://.*"})


def check(module: Module, schema: Schema) -> list[Finding]:
    """Return a finding for each open CORS configuration and each swallowed exception."""
    del schema
    return [
        *(_cors(module, call) for call in module.index.of(ast.Call) if _is_open(module, call)),
        *(
            _swallowed(module, handler)
            for handler in module.index.of(ast.ExceptHandler)
            if _is_broad(handler.type) and _does_nothing(handler)
        ),
    ]


def _cors(module: Module, call: ast.Call) -> Finding:
    return OPEN_CORS.finding(
        "Every origin may send credentials.",
        path=module.path,
        line=call.lineno,
        column=call.col_offset + 1,
    )


def _is_open(module: Module, call: ast.Call) -> bool:
    named = (call.func, *call.args[:1])
    if not any(module.qualified(node).endswith("CORSMiddleware") for node in named):
        return False
    options = {keyword.arg: keyword.value for keyword in call.keywords}
    allows = options.get("allow_credentials")
    if not (isinstance(allows, ast.Constant) and allows.value is True):
        return False
    return any(
        _names_any_origin(module, options[name])
        for name in ("allow_origins", "allow_origin_regex")
        if name in options
    )


def _names_any_origin(module: Module, value: ast.expr) -> bool:
    sources = [value]
    if isinstance(value, ast.Name):
        sources = [
            node.value
            for node in module.index.assignments
            if node.value is not None and _assigns(node, value.id)
        ]
    return any(
        isinstance(node, ast.Constant)
        and node.value in _ANY_ORIGIN
        and not isinstance(module.index.parent(node), ast.Compare)
        for source in sources
        for node in ast.walk(source)
    )


def _assigns(node: Assignment, name: str) -> bool:
    targets = targets_of(node)
    return any(isinstance(target, ast.Name) and target.id == name for target in targets)


def _swallowed(module: Module, handler: ast.ExceptHandler) -> Finding:
    what = "Every exception" if handler.type is None else f"`{ast.unparse(handler.type)}`"
    return SWALLOWED_EXCEPTION.finding(
        f"{what} is caught here and forgotten.",
        path=module.path,
        line=handler.lineno,
        column=handler.col_offset + 1,
    )


def _is_broad(caught: ast.expr | None) -> bool:
    return caught is None or (isinstance(caught, ast.Name) and caught.id in _BROAD)


def _does_nothing(handler: ast.ExceptHandler) -> bool:
    return all(
        isinstance(node, ast.Pass | ast.Continue)
        or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
        for node in handler.body
    )
