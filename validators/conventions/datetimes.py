"""Naive datetimes: times without a time zone, which SQLModel refuses to store."""

import ast
from collections.abc import Iterator

from validators.conventions.schema import Class, Schema, is_guarded
from validators.report import Finding, Severity
from validators.rules.conventions import NAIVE_DATETIME
from validators.source import Module

_ALWAYS_NAIVE = frozenset(
    {
        "datetime.datetime.utcnow",
        "datetime.datetime.utcfromtimestamp",
        "datetime.datetime.today",
    }
)
_NAIVE_WITHOUT_ZONE = {"datetime.datetime.now": 1, "datetime.datetime.fromtimestamp": 2}
# What makes a naive time aware at once, or takes something of it that has no time zone.
_MAKES_AWARE = frozenset({"astimezone", "replace"})
_TAKES_PART = frozenset(
    {
        "date", "time", "timestamp", "isoformat", "strftime", "weekday", "isoweekday",
        "year", "month", "day", "hour", "minute", "second", "timetuple", "ctime",
    }
)  # fmt: skip


def check(module: Module, schema: Schema) -> list[Finding]:
    """Return a finding for each place that makes a naive datetime."""
    if not any(name.dotted.startswith("datetime") for name in module.imported.values()):
        return []
    return [*_calls(module, schema), *_references(module, schema)]


def _calls(module: Module, schema: Schema) -> Iterator[Finding]:
    for call in module.index.of(ast.Call):
        name = module.qualified(call.func)
        if name in _ALWAYS_NAIVE or _lacks_zone(call, name):
            around = module.index.parent(call)
            attribute = around.attr if isinstance(around, ast.Attribute) else ""
            if attribute in _MAKES_AWARE and not _removes_zone(module, around):
                continue
            severity = _severity(module, schema, call, attribute)
            yield _finding(module, call, f"`{ast.unparse(call.func)}()` has no time zone", severity)
        elif _removes_zone(module, call.func):
            severity = _severity(module, schema, call, "")
            yield _finding(
                module, call, "`replace(tzinfo=None)` takes the time zone away", severity
            )


def _lacks_zone(call: ast.Call, name: str) -> bool:
    wanted = _NAIVE_WITHOUT_ZONE.get(name)
    if wanted is None or any(keyword.arg in ("tz", None) for keyword in call.keywords):
        return False
    zone = call.args[wanted - 1 : wanted]
    return not zone or (isinstance(zone[0], ast.Constant) and zone[0].value is None)


def _removes_zone(module: Module, node: ast.AST | None) -> bool:
    if not (isinstance(node, ast.Attribute) and node.attr == "replace"):
        return False
    call = module.index.parent(node)
    return isinstance(call, ast.Call) and any(
        keyword.arg == "tzinfo"
        and isinstance(keyword.value, ast.Constant)
        and keyword.value.value is None
        for keyword in call.keywords
    )


def _references(module: Module, schema: Schema) -> Iterator[Finding]:
    """Yield a finding for each function that is handed on uncalled, as in `default_factory=`."""
    for node in module.index.of(ast.Attribute):
        around = module.index.parent(node)
        if isinstance(around, ast.Attribute):
            continue
        if isinstance(around, ast.Call) and around.func is node:
            continue
        name = module.qualified(node)
        if name in _ALWAYS_NAIVE or name == "datetime.datetime.now":
            severity = _severity(module, schema, node, "")
            yield _finding(module, node, f"`{ast.unparse(node)}` has no time zone", severity)


def _finding(module: Module, node: ast.expr, what: str, severity: Severity) -> Finding:
    stored = ": SQLModel refuses to store it." if severity == "error" else "."
    return NAIVE_DATETIME.finding(
        what + stored,
        path=module.path,
        line=node.lineno,
        column=node.col_offset + 1,
        severity=severity,
    )


def _severity(module: Module, schema: Schema, node: ast.expr, attribute: str) -> Severity:
    """Return `error` where the time may end up in a column that SQLModel guards."""
    columns = schema.guarded_columns
    if attribute in _TAKES_PART or not columns:
        return "warning"
    for around in module.index.ancestors(node):
        match around:
            case ast.Dict() | ast.Compare():
                return "warning"
            case ast.Assign(targets=[ast.Attribute(attr=name), *_]):
                return "error" if name in columns else "warning"
            case ast.ClassDef():
                return _severity_in_class(module, schema, around, node)
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                return "error"
            case _:
                continue
    return "error"


def _severity_in_class(
    module: Module, schema: Schema, cls: ast.ClassDef, node: ast.expr
) -> Severity:
    owner = Class(module, cls)
    for field in owner.fields.values():
        if field.value is not None and node in ast.walk(field.value):
            refuses = schema.is_pydantic(owner) and is_guarded(module, field)
            return "error" if refuses else "warning"
    return "error"
