"""Functions that no route reaches: judged by themselves, with parameters as they are named."""

import ast
from collections.abc import Iterator

from validators.ownership.facts import Owned
from validators.ownership.interpreter import Interpreter
from validators.ownership.machine import Call, UnreachableError
from validators.ownership.program import Scope, dotted_name, is_tool
from validators.ownership.recorder import Entry, Frame, Place
from validators.ownership.schema import OWNER_COLUMNS
from validators.ownership.sessions import SESSION_NAMES
from validators.ownership.state import State, one_of
from validators.ownership.values import (
    ClassValue,
    Function,
    Given,
    Identity,
    Made,
    Row,
    Value,
)

_PEOPLE = OWNER_COLUMNS | frozenset(
    {"user", "current_user", "me", "current_user_id", "identity", "owner", "account", "auth_user"}
)


def run_unreached(interpreter: Interpreter) -> list[Entry]:
    """Interpret every function that no route has reached; return what was seen."""
    entries = []
    for function, cls in _left(interpreter):
        entry = Entry(
            len(interpreter.entries), function.name, Place.of(function.scope.path, function.node)
        )
        interpreter.entries.append(entry)
        _run(interpreter, function, cls, entry)
        entries.append(entry)
    return entries


def _left(interpreter: Interpreter) -> Iterator[tuple[Function, ClassValue | None]]:
    """Yield what nobody has called so far: first functions of modules, then those inside them."""
    for function, cls in _functions(interpreter):
        if function.node not in interpreter.visited:
            yield function, cls
    done = interpreter.visited
    while waiting := [function for node, function in interpreter.inner.items() if node not in done]:
        for function in waiting:
            done.add(function.node)
            yield function, None


def _functions(interpreter: Interpreter) -> Iterator[tuple[Function, ClassValue | None]]:
    for path, module in interpreter.program.modules.items():
        for node in module.tree.body if module.tree else []:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield Function(node, Scope(path)), None
            elif isinstance(node, ast.ClassDef):
                cls = ClassValue(node, Scope(path))
                for inner in node.body:
                    if isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef):
                        yield Function(inner, Scope(path, node)), cls


def _run(
    interpreter: Interpreter, function: Function, cls: ClassValue | None, entry: Entry
) -> None:
    frame = Frame(entry, function.scope.path, function.scope.owner)
    state = State({})
    interpreter.running = frame
    call = Call(interpreter.dummy(), state, frame)
    try:
        env = _parameters(interpreter, function, cls, call)
        outcome = interpreter.outcome(function, env, state, frame)
    except UnreachableError:
        return
    if outcome.value is not None and is_tool(function.node):
        interpreter.use(outcome.value, state, frame, "is returned by the tool")


def _parameters(
    interpreter: Interpreter, function: Function, cls: ClassValue | None, call: Call
) -> dict[str, Value]:
    args = function.node.args
    names = [*args.posonlyargs, *args.args, *args.kwonlyargs]
    env: dict[str, Value] = {}
    if cls is not None and names and not _is_static(function):
        env[names[0].arg] = _receiver(interpreter, function, cls, call)
        names = names[1:]
    for parameter in names:
        env[parameter.arg] = parameter_value(interpreter, function, parameter, call)
    if args.vararg is not None:
        env[args.vararg.arg] = Given("caller", args.vararg.arg)
    if args.kwarg is not None:
        env[args.kwarg.arg] = Given("caller", args.kwarg.arg)
    return env


def _is_static(function: Function) -> bool:
    assert not isinstance(function.node, ast.Lambda)  # noqa: S101  # only definitions come here
    return any(dotted_name(d) == "staticmethod" for d in function.node.decorator_list)


def _receiver(interpreter: Interpreter, function: Function, cls: ClassValue, call: Call) -> Value:
    """Return an object on which a method can be called, or its class."""
    assert not isinstance(function.node, ast.Lambda)  # noqa: S101  # only definitions come here
    if any(dotted_name(d) == "classmethod" for d in function.node.decorator_list):
        return cls
    model = interpreter.model_of(cls)
    if model is not None:
        symbol = interpreter.symbol(("caller's", cls.node), model, None)
        call.state.learn(frozenset((Owned(symbol, "it is the caller's own"),)))
        return Row(symbol, model.key)
    found = interpreter.member(cls, "__init__")
    if found is None or not isinstance(found[0], ast.FunctionDef):
        return interpreter.instantiate(cls, call)
    inner = Function(found[0], interpreter.scope_in(found[1]))
    parameters = found[0].args.args[1:] + found[0].args.kwonlyargs
    keywords = {p.arg: parameter_value(interpreter, inner, p, call) for p in parameters}
    return interpreter.instantiate(cls, Call(call.node, call.state, call.frame, [], keywords))


def parameter_value(
    interpreter: Interpreter, function: Function, parameter: ast.arg, call: Call
) -> Value:
    """Return what a parameter stands for where nobody passes anything."""
    name = parameter.arg
    cls = _annotated(interpreter, function, parameter)
    model = interpreter.model_of(cls) if cls is not None else None
    if model is not None:
        symbol = interpreter.symbol(("caller's", function.node, name), model, None)
        call.state.learn(frozenset((Owned(symbol, f"the caller answers for {name}"),)))
        return Row(symbol, model.key)
    handed = interpreter.handed.get(cls.node) if cls is not None else None
    if handed:
        # A library calls this with what routes have handed to it.
        return one_of(handed)
    is_closed = not (is_tool(function.node) or _may_be_called(interpreter, function))
    if name in _PEOPLE and is_closed:
        return Identity(name, f"the parameter {name}, which no route fills")
    if name in SESSION_NAMES:
        return Made("session")
    return Given("caller", name, cls)


def _may_be_called(interpreter: Interpreter, function: Function) -> bool:
    """Tell whether a call that could not be followed may lead to a function after all."""
    if interpreter.is_loading_unknown or function.name in interpreter.unknown_methods:
        return True
    return interpreter.is_calling_unknown and function.name in interpreter.program.held_names


def _annotated(
    interpreter: Interpreter, function: Function, parameter: ast.arg
) -> ClassValue | None:
    if parameter.annotation is None:
        return None
    for node in ast.walk(parameter.annotation):
        if isinstance(node, ast.Name):
            value = interpreter.module_name(function.scope.path, node.id)
            if isinstance(value, ClassValue):
                return value
    return None
