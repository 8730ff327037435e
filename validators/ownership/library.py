"""Functions of libraries: what is known of the standard library, SQLAlchemy, FastAPI and JWT."""

import ast
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from validators.ownership import loading, orm
from validators.ownership.containers import mapping_of
from validators.ownership.facts import NO_FACTS, Verified
from validators.ownership.formulas import as_formula, comparison, is_sql
from validators.ownership.machine import Call, UnreachableError
from validators.ownership.objects import setting
from validators.ownership.state import ABSENT, choice, one_of
from validators.ownership.values import (
    ANY_COLUMN,
    FALSE,
    NONE,
    TRUE,
    Attr,
    Both,
    Choice,
    Claims,
    Condition,
    Const,
    Either,
    Given,
    Identity,
    Instance,
    Items,
    Library,
    Made,
    Mapping,
    ModuleValue,
    Opaque,
    Partial,
    Result,
    Row,
    Unknown,
    Value,
)
from validators.ownership.walk import origins

if TYPE_CHECKING:
    from validators.ownership.interpreter import Interpreter

Model = Callable[["Interpreter", str, Call], Value]

# What a digest made with a secret of the server is made from.
DIGEST = Opaque("an HMAC digest")

# Functions whose result stands for their first argument.
TRANSPARENT = frozenset(
    {
        "builtins.str", "builtins.int", "uuid.UUID", "builtins.float", "builtins.repr",
        "typing.cast", "copy.copy", "copy.deepcopy", "html.escape", "builtins.memoryview",
        "bson.ObjectId", "pydantic.UUID4", "sqlalchemy.literal", "sqlmodel.col",
    }
)  # fmt: skip
# Libraries that only reshape what they are given.
_PURE = frozenset(
    {"builtins", "re", "json", "base64", "hashlib", "uuid", "datetime", "urllib", "math", "string",
     "itertools", "functools", "operator", "copy", "binascii", "textwrap", "html", "random", "time",
     "dateutil", "decimal", "struct", "codecs"}
)  # fmt: skip
_COLLECTIONS = frozenset(
    {"builtins.list", "builtins.tuple", "builtins.set", "builtins.frozenset", "builtins.sorted",
     "builtins.reversed", "builtins.iter"}
)  # fmt: skip
_AWAITERS = frozenset({"asyncio.run", "asyncio.create_task", "asyncio.ensure_future",
                       "asyncio.shield", "asyncio.wait_for", "anyio.run"})  # fmt: skip
_THREADS = frozenset(
    {"asyncio.to_thread", "fastapi.concurrency.run_in_threadpool", "anyio.to_thread.run_sync",
     "starlette.concurrency.run_in_threadpool"}
)  # fmt: skip


def library_call(machine: "Interpreter", name: str, call: Call) -> Value:
    """Return what a library's function gives."""
    root = name.partition(".")[0]
    last = name.rpartition(".")[2]
    if root in orm.ROOTS:
        found = orm.call_result(machine, name, last, call)
        if found is not None:
            return found
    model = _MODELS.get(name)
    if model is not None:
        return model(machine, name, call)
    if name in TRANSPARENT and not call.args and call.keywords:
        # `UUID(int=1)` is as constant as what it is made from.
        return next(iter(call.keywords.values()))
    if name in TRANSPARENT and call.args:
        # `typing.cast(type, value)` names the type first.
        return call.args[1] if name == "typing.cast" and len(call.args) > 1 else call.args[0]
    if name in _COLLECTIONS:
        return _collection(call)
    if name in _AWAITERS and call.args:
        return call.args[0]
    if name in _THREADS and call.args:
        inner = Call(call.node, call.state, call.frame, call.args[1:], call.keywords)
        return machine.call(call.args[0], inner)
    found = machine.web_call(name, last, call)
    if found is not None:
        return found
    return foreign_call(machine, name, call)


def foreign_call(machine: "Interpreter", name: str, call: Call) -> Value:
    """Return what a function gives of which nothing is known."""
    machine.hand_over(f"{name} is not part of the backend", call)
    machine.note_asking(call)
    made = machine.derived(f"the result of {name}", call.values(), call.state)
    if name.partition(".")[0] in _PURE:
        return made
    return Unknown(made.reason, made.origins | {Opaque(made.reason)})


# The standard library.


def _collection(call: Call) -> Value:
    if not call.args:
        return Items(())
    value = call.args[0]
    if isinstance(value, Result):
        return Items(None, value.each)
    if isinstance(value, Mapping):
        if value.keys is not None:
            return Items(None, value.keys)
        return Items(tuple(Const(key) for key, _ in value.known)) if value.rest is None else Items()
    return value


def _dict(machine: "Interpreter", name: str, call: Call) -> Value:
    del name
    result = Mapping()
    if call.args:
        first = call.args[0]
        if isinstance(first, Row):
            dumped = machine.row_method(first, "dict", call)
            result = dumped if isinstance(dumped, Mapping) else result
        elif isinstance(first, Mapping):
            result = first
        elif isinstance(first, Instance):
            result = Mapping(tuple(first.fields), first.rest)
        elif isinstance(first, Claims | Given | Identity):
            return first
        elif isinstance(first, Items | Result):
            result = mapping_of(first)
        else:
            result = Mapping((), first)
    for key, value in call.keywords.items():
        result = result.set(key, machine.attach(value, call.state))
    return result


def _encoded(machine: "Interpreter", name: str, call: Call) -> Value:
    """`jsonable_encoder` makes dictionaries of objects and leaves everything else as it is."""
    del name
    value = call.argument(0, "obj") or NONE
    if isinstance(value, Row | Instance) or (isinstance(value, Given) and value.shape is not None):
        return machine.call_method(value, "model_dump", replace(call, args=[]))
    return value


def _getattr(machine: "Interpreter", name: str, call: Call) -> Value:
    del name
    if len(call.args) < 2 or not isinstance(call.args[1], Const):  # noqa: PLR2004
        element = machine.as_element(call.args[0]) if call.args else None
        if element is not None:
            return Attr(element, ANY_COLUMN)
        if call.args and isinstance(call.args[0], Instance):
            return _any_method(machine, call.args[0], call)
        return machine.derived("an attribute whose name is not constant", call.args, call.state)
    default = call.args[2] if len(call.args) > 2 else None  # noqa: PLR2004
    try:
        found = machine.attribute(
            call.args[0], str(call.args[1].value), call.node, call.state, call.frame
        )
    except UnreachableError:
        if default is None:
            raise
        return default
    if default is None:
        return found
    if isinstance(found, Choice):
        return choice(
            (default if member == ABSENT else member, facts) for member, facts in found.members
        )
    return default if found == ABSENT else found


def _any_method(machine: "Interpreter", receiver: Instance, call: Call) -> Value:
    """Return any of an object's methods: which one is decided when the app runs."""
    names = {
        node.name: None
        for cls in machine.lineage(receiver.cls).classes
        for node in cls.node.body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name[:1] != "_"
    }
    if not names:
        return machine.derived("an attribute whose name is not constant", call.args, call.state)
    return one_of(
        machine.attribute(receiver, name, call.node, call.state, call.frame) for name in names
    )


def _setattr(machine: "Interpreter", name: str, call: Call) -> Value:
    del name
    if len(call.args) != 3:  # noqa: PLR2004
        return NONE
    target, key, value = call.args
    if isinstance(target, ModuleValue):
        machine.patch(target.path, key, value)
        return NONE
    base = call.node.args[0] if hasattr(call.node, "args") else call.node
    keys = [member for member, _ in key.members] if isinstance(key, Choice) else [key]
    for one in keys:
        if isinstance(one, Const):
            machine.set_attribute(
                target, base, str(one.value), value, call.node, call.state, call.frame
            )
        else:
            machine.set_any_attribute(target, one, value, call)
    return NONE


def _getenv(machine: "Interpreter", name: str, call: Call) -> Value:
    del machine, name
    key = call.argument(0, "key")
    default = call.argument(1, "default") or NONE
    return setting(str(key.value) if isinstance(key, Const) else "?", default)


def _operator(machine: "Interpreter", name: str, call: Call) -> Value:
    if len(call.args) != 2 or not any(is_sql(value) for value in call.args):  # noqa: PLR2004
        return machine.derived(f"the result of {name}", call.values(), call.state)
    left, right = call.args
    if name in ("operator.eq", "operator.ne"):
        operator = ast.Eq() if name == "operator.eq" else ast.NotEq()
        return Condition(comparison(machine, operator, left, right, call.state))
    parts = (as_formula(machine, left, call.state), as_formula(machine, right, call.state))
    return Condition(Both(parts) if name == "operator.and_" else Either(parts))


def _thread(machine: "Interpreter", name: str, call: Call) -> Value:
    """`Thread(target=f, args=(a, b), kwargs={…})` calls `f(a, b, …)` beside the caller."""
    target = call.argument(1, "target", "function")
    if target is None:
        return foreign_call(machine, name, call)
    args, keywords = call.argument(3, "args"), call.argument(4, "kwargs")
    inner = Call(call.node, call.state.copy(), call.frame)
    if isinstance(args, Items) and args.items is not None:
        inner.args = list(args.items)
    else:
        inner.rest = args
    if isinstance(keywords, Mapping) and keywords.rest is None:
        inner.keywords = {str(key): value for key, value in keywords.known}
    else:
        inner.more = keywords
    with suppress(UnreachableError):
        machine.call(target, inner)
    return Unknown("a thread")


def _replace(machine: "Interpreter", name: str, call: Call) -> Value:
    del name
    changed = call.args[0] if call.args else NONE
    if not isinstance(changed, Instance):
        return machine.derived("a changed copy", call.values(), call.state)
    for key, value in call.keywords.items():
        changed = changed.set(key, machine.attach(value, call.state))
    return changed


def _partial(machine: "Interpreter", name: str, call: Call) -> Value:
    del machine, name
    if not call.args:
        return Unknown("a partial without a function")
    return Partial(call.args[0], tuple(call.args[1:]), tuple(call.keywords.items()))


def _wraps(machine: "Interpreter", name: str, call: Call) -> Value:
    del machine, name
    return Made("functools.wraps", (("wrapped", call.args[0]),) if call.args else ())


def _gather(machine: "Interpreter", name: str, call: Call) -> Value:
    del machine, name
    if call.rest is not None:
        return call.rest
    return Items(tuple(call.args))


def _next(machine: "Interpreter", name: str, call: Call) -> Value:
    del name
    if not call.args:
        return Unknown("nothing is iterated")
    each = machine.element(call.args[0], call.node, call.state, call.frame)
    return one_of([each, call.args[1]]) if len(call.args) > 1 else each


def _zip(machine: "Interpreter", name: str, call: Call) -> Value:
    each = [machine.element(value, call.node, call.state, call.frame) for value in call.args]
    if name == "builtins.enumerate":
        each = [Unknown("a number"), *each[:1]]
    return Items(None, Items(tuple(each), None, is_tuple=True))


def _map(machine: "Interpreter", name: str, call: Call) -> Value:
    del name
    if len(call.args) < 2:  # noqa: PLR2004
        return Unknown("nothing is mapped")
    each = [machine.element(value, call.node, call.state, call.frame) for value in call.args[1:]]
    inner = Call(call.node, call.state, call.frame, each)
    return Items(None, machine.attach(machine.call(call.args[0], inner), call.state))


def _filter(machine: "Interpreter", name: str, call: Call) -> Value:
    del name
    if len(call.args) < 2:  # noqa: PLR2004
        return Unknown("nothing is filtered")
    each = machine.element(call.args[1], call.node, call.state, call.frame)
    if call.args[0] == NONE:
        return Items(None, each)
    inner = Call(call.node, call.state.copy(), call.frame, [each])
    answer = machine.call(call.args[0], inner)
    on_true, _ = machine.branch_value(call.node, answer, inner.state)
    if on_true is None:
        return Items(())
    return Items(None, machine.attach(each, on_true))


def _any_all(machine: "Interpreter", name: str, call: Call) -> Value:
    value = call.args[0] if call.args else NONE
    if isinstance(value, Items):
        held = [*(value.items or ()), *([value.each] if value.each is not None else [])]
        # What holds for all items holds for each; what holds for any, for none in particular.
        if len(held) == 1 and name == "builtins.all" and isinstance(held[0], Choice):
            return held[0]
    return machine.derived(f"the result of {name}", call.values(), call.state)


def _max(machine: "Interpreter", name: str, call: Call) -> Value:
    del name
    if len(call.args) == 1:
        return machine.element(call.args[0], call.node, call.state, call.frame)
    return one_of(call.args) if call.args else Unknown("nothing is compared")


def _super(machine: "Interpreter", name: str, call: Call) -> Value:
    del name
    receiver = call.state.env.get("self") or call.frame.receiver or NONE
    del machine
    return Made("super", (("receiver", receiver),))


def _type(machine: "Interpreter", name: str, call: Call) -> Value:
    del machine, name
    if call.args and isinstance(call.args[0], Instance):
        return call.args[0].cls
    return Unknown("a type")


def _exit(machine: "Interpreter", name: str, call: Call) -> Value:
    del machine, name, call
    raise UnreachableError


def _compare_digest(machine: "Interpreter", name: str, call: Call) -> Value:
    """A constant-time comparison: where it holds, the request's part was signed by the server."""
    del name
    given = {
        origin for value in call.args for origin in origins(value) if isinstance(origin, Given)
    }
    facts = frozenset(Verified(term) for term in given) if _is_keyed(call) else NO_FACTS
    if facts:
        call.frame.entry.is_verifying = True
    del machine
    return choice(((TRUE, facts), (FALSE, NO_FACTS)))


def _is_keyed(call: Call) -> bool:
    """Tell whether one side of a comparison was made with a secret of the server."""
    return any(DIGEST in origins(value) for value in call.args)


def _loads(machine: "Interpreter", name: str, call: Call) -> Value:
    value = call.args[0] if call.args else NONE
    given = [origin for origin in origins(value) if isinstance(origin, Given)]
    facts = call.state.facts
    if given and all(Verified(term) in facts for term in given):
        return Claims(f"a signature checked in {machine.place_text(call)}")
    if given:
        first = min(given, key=str)
        return Given(first.source, f"{first.name}.loads()")
    return machine.derived(f"the result of {name}", call.values(), call.state)


def _hmac(machine: "Interpreter", name: str, call: Call) -> Value:
    del name
    made = machine.derived("an HMAC digest", call.values(), call.state)
    return Unknown(made.reason, made.origins | {DIGEST})


def _context_var(machine: "Interpreter", name: str, call: Call) -> Value:
    del name
    default = call.keywords.get("default")
    fields: tuple[tuple[str, Value], ...] = (("default", default),) if default is not None else ()
    return Made("contextvar", fields, machine.number(call.node))


def _namespace(machine: "Interpreter", name: str, call: Call) -> Value:
    del name
    return Mapping(
        tuple((key, machine.attach(value, call.state)) for key, value in call.keywords.items()),
        call.more,
    )


def _field(machine: "Interpreter", name: str, call: Call) -> Value:
    del machine, name
    default = call.argument(0, "default")
    factory = call.keywords.get("default_factory")
    if isinstance(factory, Library) and factory.last in ("list", "dict", "set"):
        default = Mapping() if factory.last == "dict" else Items(())
    return Made("field", (("default", default),) if default is not None else ())


_MODELS: dict[str, Model] = {
    "builtins.dict": _dict,
    "builtins.eval": loading.run_text,
    "builtins.exec": loading.run_text,
    "builtins.__import__": loading.import_module,
    "importlib.import_module": loading.import_module,
    "importlib.util.spec_from_file_location": loading.spec,
    "importlib.util.module_from_spec": loading.module_of_spec,
    "os.path.join": loading.join,
    "threading.Thread": _thread,
    "threading.Timer": _thread,
    "multiprocessing.Process": _thread,
    "builtins.getattr": _getattr,
    "builtins.setattr": _setattr,
    "builtins.next": _next,
    "builtins.anext": _next,
    "builtins.enumerate": _zip,
    "builtins.zip": _zip,
    "builtins.map": _map,
    "builtins.filter": _filter,
    "builtins.any": _any_all,
    "builtins.all": _any_all,
    "builtins.max": _max,
    "builtins.min": _max,
    "builtins.super": _super,
    "builtins.type": _type,
    "builtins.vars": _dict,
    "dataclasses.asdict": _dict,
    "fastapi.encoders.jsonable_encoder": _encoded,
    "sys.exit": _exit,
    "builtins.exit": _exit,
    "os.getenv": _getenv,
    "os.environ.get": _getenv,
    "decouple.config": _getenv,
    "functools.partial": _partial,
    "functools.wraps": _wraps,
    "operator.and_": _operator,
    "operator.or_": _operator,
    "operator.eq": _operator,
    "operator.ne": _operator,
    "dataclasses.replace": _replace,
    "asyncio.gather": _gather,
    "hmac.compare_digest": _compare_digest,
    "secrets.compare_digest": _compare_digest,
    "json.loads": _loads,
    "orjson.loads": _loads,
    "hmac.new": _hmac,
    "hmac.digest": _hmac,
    "contextvars.ContextVar": _context_var,
    "types.SimpleNamespace": _namespace,
    "dataclasses.field": _field,
    "pydantic.Field": _field,
}
