"""FastAPI's objects: routers, requests, parameters, security schemes, and what they carry."""

import ast
from dataclasses import dataclass, field
from typing import cast

from validators.frozen import frozen
from validators.ownership.machine import Call, UnreachableError
from validators.ownership.program import dotted_name
from validators.ownership.recorder import Frame, Place
from validators.ownership.sessions import Sessions
from validators.ownership.state import ABSENT, State, choice, one_of
from validators.ownership.tokens import decode, is_decoder, remote_user, unverified
from validators.ownership.values import (
    NONE,
    Choice,
    Claims,
    Const,
    Function,
    Given,
    Instance,
    Items,
    Made,
    Mapping,
    Method,
    Opaque,
    Source,
    Unknown,
    Value,
)
from validators.ownership.walk import origins

VERBS = ("get", "post", "put", "patch", "delete", "head", "options", "trace")
PARAMETERS: dict[str, Source] = {
    "Query": "query", "Path": "path", "Header": "header", "Cookie": "cookie", "Body": "body",
    "Form": "form", "File": "form",
}  # fmt: skip
SCHEMES = frozenset(
    {
        "HTTPBearer", "HTTPBasic", "HTTPDigest", "OAuth2PasswordBearer", "APIKeyHeader",
        "APIKeyCookie", "APIKeyQuery", "OAuth2AuthorizationCodeBearer", "OAuth2", "OpenIdConnect",
    }
)  # fmt: skip


@frozen
class RouteInfo:
    """A route as it was registered on a router."""

    methods: tuple[str, ...]
    path: str
    handler: Value
    dependencies: tuple[Value, ...]
    node: ast.AST
    module: str


@dataclass(slots=True)
class RouterInfo:
    """A router or app: its prefix, what it includes, and what runs before its handlers."""

    prefix: str
    dependencies: tuple[Value, ...]
    is_app: bool
    routes: dict[RouteInfo, None] = field(default_factory=dict)
    includes: list[tuple[int, str, tuple[Value, ...]]] = field(default_factory=list)
    middlewares: list[Value] = field(default_factory=list)


class Web(Sessions):
    """Knows FastAPI."""

    def prepare(self) -> None:
        """Set up what routers need."""
        super().prepare()
        self.routers: dict[int, RouterInfo] = {}
        self.continued: list[State] = []
        self.overrides: dict[Value, Value] = {}
        # What runs when the app starts.
        self.startups: dict[Value, None] = {}
        self.depends_at: dict[int, Place] = {}

    def _dotted(self, call: Call) -> str:
        """Return the name under which a person can declare a dependency, or an empty text."""
        node = call.node.args[0] if isinstance(call.node, ast.Call) and call.node.args else None
        name = dotted_name(node) if node is not None else None
        found = self.program.find(call.frame.path, name) if name else None
        if found is None or found.scope is None or name is None:
            return ""
        module = found.scope.path.removesuffix(".py").removesuffix("/__init__")
        return f"{module.replace('/', '.')}.{name.rpartition('.')[2]}"

    # Calls.

    def web_call(self, name: str, last: str, call: Call) -> Value | None:  # noqa: C901, PLR0912  # one branch for each kind
        """Return what a function of a web or token library gives; None where it is unknown."""
        root = name.partition(".")[0]
        if last in ("Depends", "Security") and root == "fastapi":
            function = call.argument(0, "dependency")
            scopes = call.keywords.get("scopes") or Items(())
            held: list[tuple[str, Value]] = [("scopes", scopes)]
            if function is not None:
                held.append(("function", function))
                held.append(("name", Const(self._dotted(call))))
            number = self.number(("depends", call.node))
            self.depends_at.setdefault(number, Place.of(call.frame.path, call.node))
            return Made("depends", tuple(held), number)
        if last in PARAMETERS and root == "fastapi":
            return self._parameter(last, call)
        if last in ("FastAPI", "APIRouter") and root == "fastapi":
            return self._router(last, call)
        if last in SCHEMES:
            return self._scheme(last, call)
        if is_decoder(name):
            return decode(self, name, call)
        if last in ("get_unverified_claims", "get_unverified_header", "extract_compact"):
            return unverified(self, call, f"{last} verifies nothing")
        if root in ("httpx", "requests", "aiohttp", "urllib3"):
            return remote_user(self, last, call)
        if last in ("BackgroundTasks",):
            return Made("background")
        if last in ("CryptContext", "PasswordHasher", "PasswordHash", "BcryptContext"):
            return Made("hasher")
        if last in ("checkpw", "verify_password", "check_password_hash"):
            return self.password_check(call)
        if last == "PyJWKClient":
            return Made("key server", (("url", call.argument(0, "uri") or NONE),))
        if last in ("JsonWebToken", "PyJWT", "JWT"):
            return Made("decoder", (("algorithms", call.argument(0, "algorithms") or NONE),))
        if last in ("verify_id_token", "verify_oauth2_token", "verify_session_cookie"):
            call.frame.entry.is_verifying = True
            return Claims(f"{last} in {self.place_text(call)}")
        return None

    def password_check(self, call: Call) -> Value:
        """A password was compared with a stored hash: where it fits, the user is who they say."""
        from validators.ownership.facts import NO_FACTS, same  # noqa: PLC0415
        from validators.ownership.machine import row_of  # noqa: PLC0415
        from validators.ownership.values import FALSE, TRUE, Attr, Identity  # noqa: PLC0415

        facts = NO_FACTS
        for value in call.values():
            for origin, _ in self.loose(value, call.state.facts):
                row = row_of(origin)
                model = self.prover.rows[row] if row is not None else None
                if row is None or model is None or not isinstance(origin, Attr):
                    continue
                place = self.place_text(call)
                named = model.primary if model.is_user else model.owners
                for column in named:
                    identity = Identity(column, f"the password checked in {place}")
                    facts |= same(Attr(row, column), identity)
        if facts:
            call.frame.entry.is_verifying = True
        return choice(((TRUE, facts), (FALSE, NO_FACTS)))

    def _parameter(self, last: str, call: Call) -> Value:
        fields: list[tuple[str, Value]] = [("source", Const(PARAMETERS[last]))]
        default = call.argument(0, "default")
        if default is not None:
            fields.append(("default", default))
        alias = call.keywords.get("alias")
        if alias is not None:
            fields.append(("alias", alias))
        return Made("parameter", tuple(fields))

    def _router(self, last: str, call: Call) -> Value:
        number = self.number(("router", call.node))
        if number not in self.routers:
            self.routers[number] = RouterInfo(
                text_of(call.keywords.get("prefix")),
                self.dependency_list(call.keywords.get("dependencies")),
                last == "FastAPI",
            )
            lifespan = call.keywords.get("lifespan")
            if lifespan is not None:
                self.startups[lifespan] = None
            middlewares = call.keywords.get("middleware")
            if isinstance(middlewares, Items):
                self.routers[number].middlewares += list(middlewares.items or ())
        return Made("router", (), number)

    def _scheme(self, last: str, call: Call) -> Value:
        name = call.keywords.get("name") or Const("authorization")
        is_key = last.startswith("APIKey")
        source = last.removeprefix("APIKey").lower() if is_key else "header"
        return Made(
            "scheme",
            (
                ("class", Const(last)),
                ("name", name),
                ("source", Const(source)),
                ("auto_error", call.keywords.get("auto_error") or Const(True)),  # noqa: FBT003
            ),
        )

    def dependency_list(self, value: Value | None) -> tuple[Value, ...]:
        """Return the dependencies that a `dependencies=[…]` argument lists."""
        if isinstance(value, Items):
            held = [*(value.items or ()), *([value.each] if value.each is not None else [])]
            return tuple(held)
        return ()

    def made_call(self, made: Made, call: Call) -> Value:
        """Return what calling a library's object gives."""
        match made.kind:
            case "route":
                return self._register(made, call)
            case "middleware":
                number = cast("Const", made.get("router")).value
                assert isinstance(number, int)  # noqa: S101  # set by `middleware`
                if call.args and call.args[0] not in self.routers[number].middlewares:
                    self.routers[number].middlewares.append(call.args[0])
                return call.args[0] if call.args else NONE
            case "next":
                self.continued.append(call.state.copy())
                return Made("response")
            case "session":
                return made
            case "functools.wraps":
                return self._wrapped(made, call)
            case "scheme":
                return self.credentials(made)
            case "startup":
                self.startups.update(dict.fromkeys(call.args))
                return call.args[0] if call.args else made
            case "identity":
                return call.args[0] if call.args else made
            case _:
                return self.derived(f"the result of a {made.kind}", call.values(), call.state)

    def _wrapped(self, made: Made, call: Call) -> Value:
        wrapped, wrapper = made.get("wrapped"), call.args[0] if call.args else NONE
        if isinstance(wrapper, Function) and isinstance(wrapped, Function):
            return Function(wrapper.node, wrapper.scope, wrapper.closure, wrapper.receiver, wrapped)
        return wrapper

    def _register(self, made: Made, call: Call) -> Value:
        handler = call.args[0] if call.args else NONE
        number = cast("Const", made.get("router")).value
        assert isinstance(number, int)  # noqa: S101  # set by the decorator
        methods = cast("Items", made.get("methods"))
        path = text_of(made.get("path"))
        names = tuple(text_of(method).upper() for method in methods.items or ())
        dependencies = self.dependency_list(made.get("dependencies"))
        route = RouteInfo(names, path, handler, dependencies, call.node, call.frame.path)
        self.routers[number].routes[route] = None
        return handler

    # Methods.

    def router_method(self, made: Made, name: str, call: Call) -> Value:
        """Return what a router's method gives."""
        info = self.routers[made.where]
        if name in (*VERBS, "api_route", "route", "websocket", "websocket_route"):
            return self._route_decorator(made, name, call)
        if name in ("add_api_route", "add_route", "add_api_websocket_route"):
            decorator = self._route_decorator(made, "api_route", call)
            handler = call.argument(1, "endpoint") or NONE
            inner = Call(call.node, call.state, call.frame, [handler])
            return self.made_call(cast("Made", decorator), inner)
        if name in ("include_router", "mount"):
            self._include(info, name, call)
        elif name == "middleware":
            return Made("middleware", (("router", Const(made.where)),))
        elif name == "add_middleware" and call.args and call.args[0] not in info.middlewares:
            info.middlewares.append(call.args[0])
        elif name == "on_event":
            return Made("startup")
        elif name == "exception_handler":
            return Made("identity")
        return NONE

    def _route_decorator(self, made: Made, name: str, call: Call) -> Value:
        path = call.argument(0, "path") or Const("")
        methods = call.keywords.get("methods")
        if name in VERBS:
            methods = Items((Const(name),))
        elif name.startswith("websocket"):
            methods = Items((Const("websocket"),))
        elif not isinstance(methods, Items) or methods.items is None:
            methods = Items((Const("get"),))
        dependencies = call.keywords.get("dependencies") or Items(())
        fields = (
            ("router", Const(made.where)),
            ("path", path),
            ("methods", methods),
            ("dependencies", dependencies),
        )
        return Made("route", fields)

    def _include(self, info: RouterInfo, name: str, call: Call) -> None:
        target = call.argument(0 if name == "include_router" else 1, "router", "app")
        prefix = text_of(call.keywords.get("prefix"))
        if name == "mount":
            prefix = text_of(call.argument(0, "path"))
        dependencies = self.dependency_list(call.keywords.get("dependencies"))
        targets = [m for m, _ in target.members] if isinstance(target, Choice) else [target]
        for one in targets:
            if isinstance(one, Made) and one.kind == "router":
                entry = (one.where, prefix, dependencies)
                if entry not in info.includes:
                    info.includes.append(entry)

    def credentials(self, scheme: Made) -> Value:
        """Return what a security scheme reads from the request."""
        source = text_of(scheme.get("source"))
        name = text_of(scheme.get("name")).lower()
        given = Given(cast("Source", source), name)
        if scheme.get("auto_error") == Const(False):  # noqa: FBT003  # the constant itself
            return one_of([given, NONE])
        return given

    # Attributes, items and methods of the request and its parts.

    def made_attribute(  # noqa: C901  # one branch for each kind
        self, value: Made, name: str, node: ast.AST, state: State, frame: Frame
    ) -> Value:
        """Return an attribute of a library's object."""
        del node, frame
        if value.kind == "request":
            return self._request_attribute(value, name, state)
        if value.kind == "state":
            found = state.store.get(f"state.{name}")
            if found is None or found == ABSENT:
                if found is None:
                    return ABSENT
                raise UnreachableError
            return found
        if value.kind == "url":
            return value.get("path") or Unknown("the request's path")
        if value.kind in ("headers", "query", "path", "cookies"):
            return Method(value, name)
        if value.kind == "router" and name == "dependency_overrides":
            return Made("overrides")
        if value.kind in ("response", "session"):
            return Made("anything")
        if value.kind == "key":
            return value
        if value.kind == "setting":
            return Unknown("a setting")
        held = value.get(name)
        return held if held is not None else Unknown(f"the attribute {name} of a {value.kind}")

    def _request_attribute(self, value: Made, name: str, state: State) -> Value:
        parts = {"headers": "headers", "cookies": "cookies", "query_params": "query",
                 "state": "state", "app": "anything"}  # fmt: skip
        if name == "path_params":
            path = value.get("path")
            return Made("path", (("of", path),) if path is not None else ())
        if name in parts:
            return Made(parts[name])
        if name == "url":
            path = value.get("path")
            return Made("url", (("path", path),) if path is not None else ())
        if name == "method":
            return value.get("method") or Opaque("the request's method")
        if name == "session":
            return Claims("the signed session cookie")
        if name in ("user", "auth"):
            return state.store.get(f"state.{name}", Unknown(f"request.{name}"))
        if name in ("scope", "client", "receive"):
            return Made("anything")
        return Given("body", name)

    def made_item(self, value: Made, key: Value, state: State) -> Value:
        """Return an item of a library's object."""
        if value.kind in ("headers", "cookies", "query", "path") and isinstance(key, Const):
            return part_of_request(value.kind, str(key.value))
        if value.kind == "anything" and isinstance(key, Const):
            return value
        return self.derived(f"an item of a {value.kind}", [value, key], state)

    def made_method(self, value: Made, name: str, call: Call) -> Value | None:
        """Return what a method of a library's object gives; None where it is unknown."""
        if value.kind == "setting" and name in ("lower", "upper", "strip", "get_secret_value"):
            return value
        match value.kind:
            case "router":
                return self.router_method(value, name, call)
            case "headers" | "cookies" | "query" | "path":
                return self._part_method(value, name, call)
            case "request" | "websocket":
                return self._request_method(value, name, call)
            case "contextvar":
                return self._variable_method(value, name, call)
            case "background" if name == "add_task" and call.args:
                inner = Call(call.node, call.state, call.frame, call.args[1:], call.keywords)
                return self.call(call.args[0], inner)
            case "hasher" if name.startswith("verify"):
                return self.password_check(call)
            case "decoder" | "key server":
                return self._token_method(value, name, call)
            case "super":
                return self.super_method(value, name, call)
            case _:
                return None

    def _token_method(self, value: Made, name: str, call: Call) -> Value | None:
        """Return what a method of a decoder or of a client for keys gives."""
        if value.kind == "key server":
            chosen = any(isinstance(o, Given) for o in origins(value.get("url") or NONE))
            return Given("header", "a key that the token names") if chosen else Made("key")
        if name != "decode":
            return None
        named = {"algorithms": value.get("algorithms") or NONE, **call.keywords}
        inner = Call(call.node, call.state, call.frame, list(call.args), named)
        return decode(self, "jwt.decode", inner)

    def super_method(self, value: Made, name: str, call: Call) -> Value:
        """Return what a method of the class above gives."""
        receiver = value.get("receiver") or NONE
        if not isinstance(receiver, Instance):
            return NONE
        found = self.member(receiver.cls, name, call.frame.owner)
        if found is not None and isinstance(found[0], ast.FunctionDef | ast.AsyncFunctionDef):
            from validators.ownership.program import Scope  # noqa: PLC0415

            scope = Scope(found[1].scope.path, found[1].node)
            return self.call_function(Function(found[0], scope, (), receiver), call)
        if name == "__call__" and self.has_base(receiver.cls, *SCHEMES):
            return self.credentials_of(receiver)
        return NONE

    def credentials_of(self, value: Instance) -> Value:
        """Return what an object of a security scheme's subclass reads from the request."""
        is_key = self.has_base(value.cls, "APIKeyCookie")
        given = Given("cookie" if is_key else "header", "authorization")
        return one_of([given, NONE]) if value.get("auto_error") == Const(False) else given  # noqa: FBT003

    def _part_method(self, value: Made, name: str, call: Call) -> Value | None:
        key = call.argument(0, "key", "name")
        if name in ("get", "getlist") and isinstance(key, Const):
            default = call.argument(1, "default") or NONE
            part = part_of_request(value.kind, str(key.value))
            self.note_given(part, call.frame, call.node)
            if value.kind == "path" and f"{{{key.value}}}" in text_of(value.get("of")):
                return part
            return one_of([part, default])
        source = part_of_request(value.kind, "[]")
        return Mapping((), source) if name in ("items", "values", "copy") else source

    def _request_method(self, value: Made, name: str, call: Call) -> Value | None:
        if name in ("json", "form", "body", "stream", "receive_json", "receive_text",
                    "receive_bytes", "receive", "iter_text", "iter_json"):  # fmt: skip
            given = Given("websocket" if value.kind == "websocket" else "body", name)
            call.state.renew(given, Given(given.source, f"{name}'"))
            return Items(None, given) if name.startswith("iter") else given
        if name.startswith("send") and value.kind == "websocket":
            for sent in call.values():
                self.use(sent, call.state, call.frame, "is sent to the client")
            return NONE
        return None

    def _variable_method(self, value: Made, name: str, call: Call) -> Value:
        key = f"var.{value.where}"
        if name == "set":
            call.state.store[key] = self.attach(call.args[0], call.state) if call.args else NONE
            return Unknown("a context variable's token")
        if name != "get":
            return NONE
        held = call.state.store.get(key)
        default = call.argument(0, "default") or value.get("default")
        if held is None or held == ABSENT:
            if default is None:
                raise UnreachableError
            return default
        if isinstance(held, Choice):
            kept = [
                (default if member == ABSENT else member, facts)
                for member, facts in held.members
                if not (member == ABSENT and default is None)
            ]
            return choice((member, facts) for member, facts in kept if member is not None)
        return held

    def set_made_attribute(self, holder: Made, name: str, value: Value, state: State) -> None:
        """Assign an attribute of a library's object."""
        if holder.kind in {"state", "request"}:
            state.store[f"state.{name}"] = self.attach(value, state)

    def set_made_item(self, holder: Made, key: Value, value: Value, state: State) -> None:
        """Assign an item of a library's object."""
        if holder.kind == "overrides":
            self.override(key, value)
        elif holder.kind == "session cookie":
            state.store["session cookie"] = NONE

    def override(self, original: Value, replacement: Value) -> None:
        """Note that an app puts another dependency in a dependency's place."""
        known = self.overrides.get(original)
        self.overrides[original] = replacement if known is None else one_of([known, replacement])


def part_of_request(kind: str, name: str) -> Given:
    """Return a part of the request by its kind and name."""
    sources: dict[str, Source] = {
        "headers": "header", "cookies": "cookie", "query": "query", "path": "path",
    }  # fmt: skip
    lowered = name.lower() if kind == "headers" else name
    return Given(sources[kind], lowered)


def text_of(value: Value | None) -> str:
    """Return a constant text; empty where it is not constant."""
    return value.value if isinstance(value, Const) and isinstance(value.value, str) else ""
