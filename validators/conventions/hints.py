"""Type hints: every parameter and every return value has one."""

import ast
from collections.abc import Iterator

from validators.conventions.schema import Schema
from validators.report import Finding
from validators.rules.conventions import MISSING_TYPE_HINT
from validators.source import Function, Module


def check(module: Module, schema: Schema) -> list[Finding]:
    """Return a finding for each function that lacks a type hint."""
    del schema
    findings: list[Finding] = []
    for function in module.index.functions:
        missing = [f"`{name}`" for name in _bare_parameters(module, function)]
        if function.returns is None and function.name != "__init__":
            missing.append("the return value")
        if missing:
            findings.append(_finding(module, function, missing))
    return findings


def _finding(module: Module, function: Function, missing: list[str]) -> Finding:
    what = missing[0] if len(missing) == 1 else f"{', '.join(missing[:-1])} and {missing[-1]}"
    return MISSING_TYPE_HINT.finding(
        f"`{function.name}` has no type hint for {what}.",
        path=module.path,
        line=function.lineno,
        column=function.col_offset + 1,
    )


def _bare_parameters(module: Module, function: Function) -> Iterator[str]:
    spec = function.args
    positional = [*spec.posonlyargs, *spec.args]
    if isinstance(module.index.parent(function), ast.ClassDef) and not _is_static(function):
        positional = positional[1:]
    rest = [argument for argument in (spec.vararg, spec.kwarg) if argument is not None]
    for argument in (*positional, *spec.kwonlyargs, *rest):
        if argument.annotation is None:
            yield argument.arg


def _is_static(function: Function) -> bool:
    return any(
        isinstance(node, ast.Name) and node.id == "staticmethod" for node in function.decorator_list
    )
