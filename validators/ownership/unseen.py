"""Queries on owned models that the interpreter never came to: unproven, never silent."""

import ast
from collections.abc import Iterator

from validators.ownership.interpreter import Interpreter
from validators.ownership.program import dotted_name
from validators.ownership.recorder import Entry, Event, Frame, Place
from validators.ownership.schema import TableModel
from validators.ownership.values import ModuleValue, Value
from validators.source import Function, Module

_QUERIES = frozenset({"select", "update", "delete", "query", "get", "get_one"})
_REASON = "no route reaches it, as far as the analysis can tell"


def note_unseen(interpreter: Interpreter) -> list[Entry]:
    """Return an entry for each function with queries that were never interpreted."""
    entries: list[Entry] = []
    for path, module in interpreter.program.modules.items():
        for call in module.index.of(ast.Call):
            if call.args and _called(call) in _QUERIES:
                entries += _noted(interpreter, path, _function_around(module, call), call)
    return entries


def _function_around(module: Module, call: ast.Call) -> str:
    around = module.index.ancestors(call)
    names = (node.name for node in around if isinstance(node, Function))
    return next(names, "the module's top level")


def _called(call: ast.Call) -> str:
    if isinstance(call.func, ast.Attribute):
        return call.func.attr
    return call.func.id if isinstance(call.func, ast.Name) else ""


def _noted(interpreter: Interpreter, path: str, function: str, call: ast.Call) -> list[Entry]:
    if call in interpreter.sites:
        return []
    models = [model for node in _named(call) if (model := _owned(interpreter, path, node))]
    if not models:
        return []
    entry = Entry(len(interpreter.entries), function, Place.of(path, call))
    interpreter.entries.append(entry)
    site = interpreter.site(call, Frame(entry, path), _called(call))
    site.models |= dict.fromkeys(model.name for model in models)
    entry.events[Event("unproven", 0, site.index, _REASON)] = None
    return [entry]


def _named(call: ast.Call) -> Iterator[ast.expr]:
    """Yield what a call names that may be a table model."""
    if _called(call) in ("select", "query"):
        yield from (node for argument in call.args for node in ast.walk(argument)
                    if isinstance(node, ast.Name | ast.Attribute))  # fmt: skip
    else:
        yield call.args[0]


def _owned(interpreter: Interpreter, path: str, node: ast.expr) -> TableModel | None:
    dotted = dotted_name(node)
    if dotted is None:
        return None
    head, *rest = dotted.split(".")
    value: Value | None = interpreter.module_name(path, head)
    for part in rest:
        if not isinstance(value, ModuleValue):
            break
        value = interpreter.module_name(value.path, part)
    model = interpreter.model_of(value) if value is not None else None
    return model if model is not None and model.is_owned else None
