"""Routes: where requests enter, and what runs before and inside their handlers."""

import ast
import contextlib
from collections.abc import Iterator

from validators.frozen import frozen
from validators.ownership.definitions import default_nodes
from validators.ownership.interpreter import Interpreter
from validators.ownership.machine import Call, UnreachableError
from validators.ownership.recorder import Entry, Frame, Place, Problem
from validators.ownership.schema import TableModel
from validators.ownership.state import State, join, one_of
from validators.ownership.values import (
    NONE,
    Choice,
    Claims,
    ClassValue,
    Const,
    Function,
    Given,
    Instance,
    Items,
    Library,
    Made,
    Opaque,
    Partial,
    Row,
    Unknown,
    Value,
)
from validators.ownership.web import SCHEMES, RouteInfo, RouterInfo, text_of
from validators.ownership.writes import Origin

# Packages whose classes, as parameters, are plain values or known otherwise.
_KNOWN_ROOTS = frozenset(
    {"annotated_types", "builtins", "collections", "datetime", "decimal", "enum", "fastapi",
     "ipaddress", "numbers", "pathlib", "pydantic", "pydantic_core", "pydantic_extra_types",
     "sqlalchemy", "sqlmodel", "starlette", "types", "typing", "typing_extensions", "uuid"}
)  # fmt: skip
_REQUESTS = frozenset({"Request", "HTTPConnection"})
_MADE = {
    "Request": "request", "HTTPConnection": "request", "WebSocket": "websocket",
    "BackgroundTasks": "background", "Response": "anything",
}  # fmt: skip


@frozen
class Route:
    """One route of the app, with everything that runs before its handler."""

    method: str
    path: str
    info: RouteInfo
    dependencies: tuple[Value, ...]
    middlewares: tuple[Value, ...]
    is_mounted: bool

    @property
    def name(self) -> str:
        """The route as people write it."""
        return f"{self.method} {self.path}"


def find_routes(interpreter: Interpreter) -> list[Route]:
    """Return every route, those of routers that no app includes last."""
    found: dict[tuple[str, str, int], Route] = {}
    used: set[int] = set()
    apps = [number for number, info in interpreter.routers.items() if info.is_app]
    for number in apps:
        info = interpreter.routers[number]
        _collect(interpreter, number, "", (), tuple(info.middlewares), found, used, frozenset())
    for number in interpreter.routers:
        if number not in used:
            _collect(interpreter, number, "", (), (), found, used, frozenset(), is_mounted=False)
    return list(found.values())


def _collect(  # noqa: PLR0913  # a walk carries what it gathered on the way
    interpreter: Interpreter,
    number: int,
    prefix: str,
    dependencies: tuple[Value, ...],
    middlewares: tuple[Value, ...],
    found: dict[tuple[str, str, int], Route],
    used: set[int],
    above: frozenset[int],
    *,
    is_mounted: bool = True,
) -> None:
    if number in above:
        return
    used.add(number)
    info: RouterInfo = interpreter.routers[number]
    prefix += info.prefix
    dependencies += info.dependencies
    for route in info.routes:
        path = (prefix + route.path) or "/"
        for method in route.methods:
            key = (method, path, id(route.node))
            every = (*dependencies, *route.dependencies)
            found.setdefault(key, Route(method, path, route, every, middlewares, is_mounted))
    for child, added, more in info.includes:
        if child in interpreter.routers:
            below = interpreter.routers[child]
            inner = tuple(below.middlewares) if below.is_app else ()
            _collect(
                interpreter, child, prefix + added, (*dependencies, *more),
                (*middlewares, *inner), found, used, above | {number}, is_mounted=is_mounted,
            )  # fmt: skip


class Runner:
    """Runs routes, one after the other."""

    def __init__(self, interpreter: Interpreter) -> None:
        self.interpreter = interpreter
        self.replaced: set[Value] = set()
        self._module = ""
        self._scopes: Value = Items(())
        self._place: Place | None = None
        self._name = ""
        self._foreign_names: set[str] = set()
        self._node: ast.AST = interpreter.dummy()

    def run(self, route: Route) -> Entry:
        """Interpret a route: middlewares, dependencies, handler; return what was seen."""
        machine = self.interpreter
        place = Place.of(route.info.module, route.info.node)
        entry = Entry(len(machine.entries), route.name, place)
        machine.entries.append(entry)
        frame = Frame(entry, route.info.module)
        state = State({})
        machine.running = frame
        with contextlib.suppress(UnreachableError):
            self._run(route, state, frame)
        return entry

    def _run(self, route: Route, state: State, frame: Frame) -> None:
        machine = self.interpreter
        for middleware in reversed(route.middlewares):
            state = self._pass_through(middleware, route, state, frame)
        for dependency in route.dependencies:
            self._resolve(dependency, route, state, frame)
        handler = route.info.handler
        call = Call(machine.dummy(), state, frame)
        if isinstance(handler, ClassValue):
            return
        value = self._call_with_parameters(handler, route, call)
        machine.use(value, state, frame, "is returned by the route")

    # Middlewares.

    def _pass_through(self, middleware: Value, route: Route, state: State, frame: Frame) -> State:
        """Run a middleware up to where it hands the request on; return the state there."""
        machine = self.interpreter
        function = middleware
        if isinstance(middleware, ClassValue):
            if machine.member(middleware, "dispatch") is None:
                return state
            made = Instance(middleware)
            function = machine.attribute(made, "dispatch", machine.dummy(), state, frame)
        if not isinstance(function, Function):
            return state
        machine.continued = []
        path, method = Const(route.path), Const(route.method)
        request = Made("request", (("path", path), ("method", method)))
        call = Call(machine.dummy(), state.copy(), frame, [request, Made("next")])
        env = machine.bound_arguments(function, call)
        entry = Entry(
            len(machine.entries), function.name, Place.of(function.scope.path, function.node)
        )
        machine.entries.append(entry)
        frame.entry.callees[entry.index] = entry
        machine._interpret(function, env, state.facts, state, entry)  # noqa: SLF001
        ends = [State(dict(state.env), s.facts, s.store) for s in machine.continued]
        after = join(ends)
        if after is None:
            raise UnreachableError
        return after

    # Dependencies and parameters.

    def _resolve(self, dependency: Value, route: Route, state: State, frame: Frame) -> Value:
        """Return what a dependency gives the handler."""
        machine = self.interpreter
        if isinstance(dependency, Made) and dependency.kind == "depends":
            function = dependency.get("function")
            self._scopes = dependency.get("scopes") or Items(())
            self._place = machine.depends_at.get(dependency.where)
            self._name = text_of(dependency.get("name"))
            return self._provide(function, route, state, frame) if function else NONE
        del machine
        return Unknown("a dependency that cannot be followed")

    def _provide(self, function: Value, route: Route, state: State, frame: Frame) -> Value:  # noqa: C901  # one branch for each kind
        machine = self.interpreter
        call = Call(machine.dummy(), state, frame)
        replacement = machine.overrides.get(function)
        if replacement is not None and function not in self.replaced:
            self.replaced.add(function)
            found = self._provide(one_of([function, replacement]), route, state, frame)
            self.replaced.discard(function)
            return found
        match function:
            case Partial(inner, args, keywords):
                call.args = list(args)
                return self._call_with_parameters(inner, route, call, dict(keywords))
            case Function():
                return self._call_with_parameters(function, route, call)
            case ClassValue():
                return self._construct(function, route, call)
            case Instance():
                return self._provide_instance(function, route, call)
            case Made(kind="scheme"):
                return machine.credentials(function)
            case Library(name):
                return self._foreign(name, call)
            case Choice():
                return one_of(
                    self._provide(member, route, state, frame) for member, _ in function.members
                )
            case Made():
                return machine.made_call(function, call)
            case Unknown(reason):
                return self._foreign(reason, call)
            case _:
                return Unknown("a dependency that cannot be followed")

    def _foreign(self, name: str, call: Call) -> Value:
        machine = self.interpreter
        if {name, self._name} & machine.options.identity_dependencies:
            call.frame.entry.is_verifying = True
            return Claims(f"the declared dependency {name}")
        call.frame.entry.is_asking = True
        if self._place is not None and name not in self._foreign_names:
            self._foreign_names.add(name)
            text = f"What the dependency {name} returns cannot be followed."
            call.frame.entry.problems[Problem("BP311", self._place, text)] = None
        return Unknown(f"the dependency {name} is not part of the backend")

    def _provide_instance(self, value: Instance, route: Route, call: Call) -> Value:
        machine = self.interpreter
        if machine.member(value.cls, "__call__") is not None:
            bound = machine.attribute(value, "__call__", call.node, call.state, call.frame)
            return self._call_with_parameters(bound, route, call)
        if machine.has_base(value.cls, *SCHEMES):
            return machine.credentials_of(value)
        return Unknown(f"a {value.cls.name} cannot be called")

    def _construct(self, cls: ClassValue, route: Route, call: Call) -> Value:
        machine = self.interpreter
        found = machine.member(cls, "__init__")
        if found is not None and isinstance(found[0], ast.FunctionDef):
            function = Function(found[0], machine.scope_in(found[1]))
            own = found[0].args.args[:1]
            call.keywords = self._parameters(function, route, call, {p.arg for p in own})
        else:
            call.keywords = {name: Given("query", name, None) for name in machine.field_names(cls)}
        return machine.instantiate(cls, call)

    def _call_with_parameters(
        self,
        handler: Value,
        route: Route,
        call: Call,
        fixed: dict[str, Value] | None = None,
    ) -> Value:
        machine = self.interpreter
        if not isinstance(handler, Function):
            return machine.call(handler, call)
        shown = handler.wraps or handler
        while shown.wraps is not None:
            shown = shown.wraps
        skip = {shown.node.args.args[0].arg} if shown.receiver and shown.node.args.args else set()
        taken = [p.arg for p in shown.node.args.args[: len(call.args)]]
        skip |= {*taken, *(fixed or {})}
        call.keywords = self._parameters(shown, route, call, skip) | (fixed or {})
        env = machine.bound_arguments(handler, call)
        is_handler = handler == route.info.handler
        outcome = machine.outcome(
            handler, env, call.state, call.frame, role="handler" if is_handler else "dependency"
        )
        if outcome.value is None:
            raise UnreachableError
        return outcome.value if outcome.yielded is None else outcome.yielded

    def _parameters(
        self, function: Function, route: Route, call: Call, skip: set[str]
    ) -> dict[str, Value]:
        """Return the value of each parameter as FastAPI provides it."""
        args = function.node.args
        defaults = _defaults(function.node)
        found: dict[str, Value] = {}
        for parameter in (*args.posonlyargs, *args.args, *args.kwonlyargs):
            if parameter.arg not in skip:
                default = defaults.get(parameter.arg)
                found[parameter.arg] = self._parameter(function, parameter, default, route, call)
        return found

    def _parameter(
        self,
        function: Function,
        parameter: ast.arg,
        default: ast.expr | None,
        route: Route,
        call: Call,
    ) -> Value:
        machine = self.interpreter
        frame = Frame(call.frame.entry, function.scope.path, function.scope.owner)
        inner = State(dict(function.closure))
        hints = list(self._hints(parameter.annotation, inner, frame))
        if default is not None:
            hints.append(machine.evaluate(default, inner, frame))
        for hint in hints:
            if isinstance(hint, Made) and hint.kind == "depends":
                target = hint.get("function") or next(
                    (h for h in hints if isinstance(h, ClassValue)), NONE
                )
                self._module, self._node = function.scope.path, default or parameter
                self._scopes = hint.get("scopes") or Items(())
                self._place = machine.depends_at.get(hint.where)
                self._name = text_of(hint.get("name"))
                return self._provide(target, route, call.state, call.frame)
        self._module, self._node = function.scope.path, parameter
        return self._from_request(parameter.arg, hints, route, call)

    def _from_request(self, name: str, hints: list[Value], route: Route, call: Call) -> Value:
        machine = self.interpreter
        for hint in hints:
            if isinstance(hint, Library) and hint.last == "SecurityScopes":
                return Made("security scopes", (("scopes", self._scopes),))
            if isinstance(hint, Library) and hint.last in _MADE:
                return Made(_MADE[hint.last], _request_fields(hint.last, route))
        marked = next((h for h in hints if isinstance(h, Made) and h.kind == "parameter"), None)
        shape = next((h for h in hints if isinstance(h, ClassValue)), None)
        if name in _path_names(route.path):
            return Given("path", name)
        if marked is not None:
            source = text_of(marked.get("source"))
            shown = text_of(marked.get("alias")) or name
            if source == "header":
                shown = shown.lower().replace("_", "-")
            given = Given(source, shown, shape)  # type: ignore[arg-type]  # one of the sources
            machine.note_given(given, Frame(call.frame.entry, self._module), self._node)
            return given
        lost = next((h for h in hints if is_lost(h)), None)
        if shape is None and lost is not None:
            reason = f"the class of the parameter {name} is not found"
            return Unknown(reason, frozenset({Given("body", name), Opaque(reason)}))
        if shape is None:
            return Given("query", name)
        if self.interpreter.has_base(shape, "Enum", "StrEnum", "IntEnum"):
            return Given("query", name)
        model = self.interpreter.model_of(shape)
        body = Given("body", name, shape)
        return self._row_from_body(model, body, call) if model is not None else body

    def _row_from_body(self, model: TableModel, body: Given, call: Call) -> Value:
        """Return the new row that a table model as a request body makes."""
        machine = self.interpreter
        symbol = machine.fresh_row(("body", body.name, model.key), model, call)
        machine.made_at[symbol] = Origin(self._node, self._module, route_label(self._node))
        row = Row(symbol, model.key)
        machine.fill(row, body, call.state)
        return row

    def _hints(self, annotation: ast.expr | None, state: State, frame: Frame) -> Iterator[Value]:
        """Yield the classes and markers that an annotation names."""
        if annotation is None:
            return
        if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
            try:
                annotation = ast.parse(annotation.value, mode="eval").body
            except SyntaxError:
                return
        match annotation:
            case ast.Subscript(value=base, slice=inner):
                yield from self._hints(base, state, frame)
                parts = inner.elts if isinstance(inner, ast.Tuple) else [inner]
                for part in parts:
                    yield from self._hints(part, state, frame)
            case ast.BinOp(left=left, right=right):
                yield from self._hints(left, state, frame)
                yield from self._hints(right, state, frame)
            case ast.Name() | ast.Attribute() | ast.Call():
                value = self.interpreter.evaluate(annotation, state, frame)
                if isinstance(value, Made) and value.kind == "annotated":
                    yield from (held for _, held in value.fields)
                else:
                    yield value
            case _:
                return


def is_lost(hint: Value) -> bool:
    """Tell whether an annotation names a class of which nothing is known."""
    if isinstance(hint, Library):
        return hint.name.partition(".")[0] not in _KNOWN_ROOTS
    return isinstance(hint, Unknown)


def route_label(node: ast.AST) -> str:
    """Return a name for the parameter in which a row arrives."""
    return f"the parameter {node.arg}" if isinstance(node, ast.arg) else "a parameter"


def _request_fields(kind: str, route: Route) -> tuple[tuple[str, Value], ...]:
    if kind not in _REQUESTS:
        return ()
    return (("path", Const(route.path)), ("method", Const(route.method)))


def _path_names(path: str) -> set[str]:
    return {part.partition("}")[0].partition(":")[0] for part in path.split("{")[1:] if "}" in part}


def _defaults(node: ast.AST) -> dict[str, ast.expr]:
    return default_nodes(node)
