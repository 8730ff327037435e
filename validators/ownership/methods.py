"""Method calls: who answers `receiver.name(…)`, by the kind of the receiver."""

import ast
from contextlib import suppress
from dataclasses import replace

from validators.ownership.containers import claim, mapping_of, merged
from validators.ownership.formulas import is_sql
from validators.ownership.machine import Call, UnreachableError
from validators.ownership.recorder import Frame
from validators.ownership.sessions import reduced
from validators.ownership.state import State, choice, one_of
from validators.ownership.tokens import remote_user
from validators.ownership.values import (
    NONE,
    Attr,
    Choice,
    Claims,
    ClassValue,
    Condition,
    Const,
    Derived,
    ElementValue,
    Function,
    Given,
    Identity,
    Instance,
    Items,
    Library,
    Made,
    Mapping,
    ModuleValue,
    Opaque,
    Related,
    Result,
    Row,
    Statement,
    Unknown,
    Value,
)
from validators.ownership.walk import member_list, origins
from validators.ownership.web import Web

# Methods of texts and ids that change nothing about who is meant.
_SAME_PERSON = frozenset({"lower", "upper", "strip", "casefold", "lstrip", "rstrip", "__str__",
                          "get_secret_value"})  # fmt: skip
_MUTATIONS = frozenset({"append", "add", "extend", "insert", "update", "setdefault", "pop",
                        "remove", "discard", "clear", "popitem", "sort", "reverse"})  # fmt: skip
_WITHOUT_HYPHENS = [Const("-"), Const("")]
# Methods that call what they are given with the arguments behind it.
_SCHEDULERS = frozenset({"run_in_executor", "submit", "call_soon", "call_soon_threadsafe",
                         "apply_async", "apply"})  # fmt: skip
_DUMPS = frozenset({"model_dump", "dict", "model_dump_json", "json"})


class Methods(Web):
    """Answers method calls."""

    def call_method(self, receiver: Value, name: str, call: Call) -> Value:
        """Return the value of a method call."""
        match receiver:
            case Choice():
                return self._method_of_choice(receiver, name, call)
            case Const(None):
                raise UnreachableError
            case ModuleValue() | Library():
                return self._function_of(receiver, name, call)
            case Instance() | Row() | ClassValue():
                return self._object_method(receiver, name, call)
            case Given():
                return self._given_method(receiver, name, call)
            case Statement():
                return self._statement_call(receiver, name, call)
            case Result():
                return self.result_method(receiver, name, call)
            case Items() | Mapping() | Const():
                return self._container_method(receiver, name, call)
            case Claims() | Identity():
                return self._claims_method(receiver, name, call)
            case _:
                return self._other_method(receiver, name, call)

    def _method_of_choice(self, receiver: Choice, name: str, call: Call) -> Value:
        found = []
        ends: list[State] = []
        for member, facts in receiver.members:
            inner = Call(call.node, call.state.copy(), call.frame, call.args, call.keywords,
                         call.rest, call.more)  # fmt: skip
            inner.state.learn(facts)
            try:
                found.append((self.call_method(member, name, inner), facts))
            except UnreachableError:
                continue
            ends.append(inner.state)
        if not found:
            raise UnreachableError
        self._adopt(ends, call.state)
        return choice(found)

    def _adopt(self, ends: list[State], state: State) -> None:
        """Take over what holds on all of several paths."""
        from validators.ownership.state import join  # noqa: PLC0415

        after = join(ends)
        if after is not None:
            state.take(after)

    def _function_of(self, receiver: Value, name: str, call: Call) -> Value:
        if isinstance(receiver, Library) and self._is_session_like(receiver):
            found = self.session_method(name, call)
            if found is not None:
                return found
        function = self.attribute(receiver, name, call.node, call.state, call.frame)
        return self.call(function, call)

    def _is_session_like(self, receiver: Library) -> bool:
        return receiver.name.rpartition(".")[2] in ("session", "db") or ".db." in receiver.name

    def _object_method(self, receiver: Instance | Row | ClassValue, name: str, call: Call) -> Value:
        cls = receiver if isinstance(receiver, ClassValue) else None
        if isinstance(receiver, Instance):
            held = receiver.get(name)
            if held is not None:
                return self.call(held, call)
            cls = receiver.cls
        elif isinstance(receiver, Row):
            cls = self.class_of(self.prover.rows[receiver.symbol])
        if cls is not None and self.member(cls, name) is not None:
            function = self.attribute(receiver, name, call.node, call.state, call.frame)
            return self.call(function, call)
        if isinstance(receiver, Row):
            return self.row_method(receiver, name, call)
        if isinstance(receiver, ClassValue):
            return self.class_method(receiver, name, call)
        return self._library_method_of(receiver, name, call)

    def _library_method_of(self, receiver: Instance, name: str, call: Call) -> Value:
        found = self.instance_method(receiver, name, call) or self.session_method(name, call)
        if found is not None:
            return found
        reason = f"the method {name} of a {receiver.cls.name}"
        self.hand_over(reason, call)
        return self.derived(reason, [receiver, *call.values()], call.state)

    def _given_method(self, receiver: Given, name: str, call: Call) -> Value:
        shape = receiver.shape
        if shape is not None:
            found = self.member(shape, name)
            if found is not None and isinstance(found[0], ast.FunctionDef | ast.AsyncFunctionDef):
                function = self.attribute(receiver, name, call.node, call.state, call.frame)
                return self.call(function, call)
        if _keeps_person(name, call):
            return receiver
        if name in _DUMPS:
            return self._dumped(receiver, call)
        if name in ("model_copy", "copy"):
            return receiver
        if name == "get" and call.args and isinstance(call.args[0], Const):
            held = Given(receiver.source, f"{receiver.name}.{call.args[0].value}")
            default = call.argument(1, "default")
            return one_of([held, default]) if default is not None else held
        if name in ("items", "keys", "values"):
            part = Given(receiver.source, f"{receiver.name}[]")
            pair = Items((part, part), None, is_tuple=True)
            return Items(None, pair if name == "items" else part)
        found_session = self.session_method(name, call)
        if found_session is not None and name != "get":
            return found_session
        if receiver.source == "shared":
            return self._foreign_method(receiver, name, call)
        return self.derived(f"{receiver.name}.{name}()", [receiver, *call.values()], call.state)

    def _dumped(self, receiver: Given, call: Call) -> Value:
        if receiver.shape is None:
            return receiver
        names = self.field_names(receiver.shape)
        fields = tuple((name, self.given_field(receiver, name)) for name in names)
        return reduced(Mapping(tuple(fields)), call)

    def _statement_call(self, receiver: Statement, name: str, call: Call) -> Value:
        if receiver.kind != "exists" and name in ("scalar", "scalars", "first", "all", "one",
                                                  "one_or_none", "get", "count", "delete",
                                                  "update", "scalar_one_or_none"):  # fmt: skip
            found = self.query_method(receiver, name, call)
            if found is not None:
                return found
        built = self.statement_method(receiver, name, call)
        if built is not None:
            return self.noted(built, call) if isinstance(built, Statement) else built
        if is_sql(receiver) or name in ("in_", "is_", "__eq__"):
            return self.column_method(receiver, name, call)
        return receiver

    def _claims_method(self, receiver: Claims | Identity, name: str, call: Call) -> Value:
        if isinstance(receiver, Identity) and _keeps_person(name, call):
            return receiver
        if name in ("get", "pop") and call.args:
            origin = receiver.origin
            prefix = f"{receiver.claim}." if isinstance(receiver, Identity) else ""
            found = claim(origin, call.args[0], prefix)
            default = call.argument(1, "default")
            return found if default is None or default == NONE else one_of([found, default])
        if name in ("validate", "validate_exp"):
            return NONE
        if name in ("copy", "model_dump", "dict", "json"):
            return receiver
        return self.derived(f"the method {name} of an identity", [receiver], call.state)

    # Containers and texts.

    def _container_method(self, receiver: Value, name: str, call: Call) -> Value:
        if name in _MUTATIONS and not isinstance(receiver, Const):
            return self._mutated(receiver, name, call)
        if isinstance(receiver, Mapping):
            return self._mapping_method(receiver, name, call)
        if isinstance(receiver, Const) and isinstance(receiver.value, str):
            return self._text_method(receiver.value, name, call)
        if name in ("copy", "union", "__iter__"):
            return receiver
        return self.derived(f"the method {name} of a list", [receiver, *call.values()], call.state)

    def _mapping_method(self, receiver: Mapping, name: str, call: Call) -> Value:
        key = call.argument(0, "key")
        if name == "get" and key is not None:
            default = call.argument(1, "default") or NONE
            try:
                found = self.item(receiver, key, call.state)
            except UnreachableError:
                return default
            is_known = isinstance(key, Const) and receiver.get(key.value) is not None
            return found if is_known else one_of([found, default])
        if name in ("items", "keys", "values"):
            return self._mapping_view(receiver, name)
        if name in ("copy", "model_dump", "dict", "_asdict"):
            return receiver
        return self.derived(f"the method {name} of a dict", [receiver], call.state)

    def _mapping_view(self, receiver: Mapping, name: str) -> Items:
        held: list[Value] = []
        pairs: list[tuple[Value, Value]] = [(Const(k), v) for k, v in receiver.known]
        if receiver.rest is not None:
            made = receiver.rest if isinstance(receiver.rest, Given) else Unknown("a key")
            pairs.append((receiver.keys or made, receiver.rest))
        for key, value in pairs:
            pair = Items((key, value), None, is_tuple=True)
            held.append({"items": pair, "keys": key}.get(name, value))
        if receiver.rest is None:
            return Items(tuple(held))
        return Items(None, one_of(held))

    def _text_method(self, text: str, name: str, call: Call) -> Value:
        if name in ("lower", "upper", "strip", "rstrip", "lstrip"):
            return Const(getattr(text, name)())
        if name in ("startswith", "endswith") and call.args:
            prefix = call.args[0]
            if isinstance(prefix, Const) and isinstance(prefix.value, str):
                return Const(getattr(text, name)(prefix.value))
            if isinstance(prefix, Items) and prefix.items is not None:
                known = [p.value for p in prefix.items if isinstance(p, Const)]
                return Const(any(getattr(text, name)(str(p)) for p in known))
        return self.derived(f"the method {name} of a text", call.values(), call.state)

    def _mutated(self, receiver: Value, name: str, call: Call) -> Value:
        node = call.node.func if isinstance(call.node, ast.Call) else None
        base = node.value if isinstance(node, ast.Attribute) else None
        values = [self.attach(value, call.state) for value in call.args]
        result: Value = NONE
        changed: Value = receiver
        if isinstance(receiver, Items):
            changed, result = _changed_items(receiver, name, values)
        elif isinstance(receiver, Mapping):
            changed, result = self._changed_mapping(receiver, name, values, call)
        if base is not None:
            self.write_back(base, changed, call.state, call.frame)
        return result

    def _changed_mapping(
        self, receiver: Mapping, name: str, values: list[Value], call: Call
    ) -> tuple[Value, Value]:
        if name == "update":
            changed = receiver
            for value in values:
                changed = merged(changed, mapping_of(value) if isinstance(value, Items) else value)
            for key, value in call.keywords.items():
                changed = changed.set(key, self.attach(value, call.state))
            return changed, NONE
        if name in ("pop", "setdefault") and values and isinstance(values[0], Const):
            key = str(values[0].value)
            held = receiver.get(key)
            default = values[1] if len(values) > 1 else None
            if name == "setdefault":
                kept = held or default or NONE
                return receiver.set(key, kept), kept
            left = Mapping(tuple(p for p in receiver.known if p[0] != key), receiver.rest)
            found = held or receiver.rest or Unknown("a missing key")
            return left, found if default is None else one_of([found, default])
        if name == "clear":
            return Mapping(), NONE
        return receiver, self.derived("an item of a dict", [receiver], call.state)

    # Everything else: columns, sessions, library objects, unknown values.

    def _other_method(self, receiver: Value, name: str, call: Call) -> Value:
        found = self._made_result(receiver, name, call) if isinstance(receiver, Made) else None
        if found is not None:
            return found
        if isinstance(receiver, Derived):
            return receiver if name == "alias" else self.derived("a subquery", [], call.state)
        if is_sql(receiver) and isinstance(
            receiver, Attr | Related | ElementValue | Condition | Unknown
        ):
            return self._sql_method(receiver, name, call)
        if isinstance(receiver, Made) and receiver.kind == "session":
            self.note_lost(name, call)
        found = self.session_method(name, call)
        if found is not None:
            return found
        if isinstance(receiver, Attr | Opaque) and _keeps_person(name, call):
            return receiver
        if isinstance(receiver, Function) and name in ("delay", "apply_async", "send", "__call__"):
            return self.call(receiver, call)
        return self._foreign_method(receiver, name, call)

    def _made_result(self, receiver: Made, name: str, call: Call) -> Value | None:
        """Return what a method of a library's object gives; None where it is unknown."""
        if receiver.kind == "remote":
            return remote_user(self, name, call)
        if receiver.kind == "answer":
            return receiver.get("claims") or NONE if name == "json" else NONE
        return self.made_method(receiver, name, call)

    def _foreign_method(self, receiver: Value, name: str, call: Call) -> Value:
        """Return what a method gives of which nothing is known."""
        if name in _SCHEDULERS:
            self._schedule(call)
        if not _is_of_library(receiver):
            self.unknown_methods.add(name)
        reason = receiver.reason if isinstance(receiver, Unknown) else f"the method {name}"
        self.hand_over(reason, call)
        self.note_asking(call)
        return self.derived(reason, [receiver, *call.values()], call.state)

    def _schedule(self, call: Call) -> None:
        """Run a function that is handed over with its arguments: `pool.submit(f, a, b)`."""
        for index, value in enumerate(call.args):
            if isinstance(value, Function):
                inner = replace(call, args=call.args[index + 1 :], state=call.state.copy())
                with suppress(UnreachableError):
                    self.use(self.call(value, inner), inner.state, call.frame, "is handed on")
                return

    def _sql_method(self, receiver: Value, name: str, call: Call) -> Value:
        if isinstance(receiver, Condition | ElementValue):
            if name in ("select", "delete", "update", "insert") and isinstance(
                receiver, ElementValue
            ):
                inner = Call(call.node, call.state, call.frame, [receiver])
                return self.begin(name, inner)
            return receiver
        return self.column_method(receiver, name, call)

    # Iteration.

    def element(self, value: Value, node: ast.AST, state: State, frame: Frame) -> Value:
        """Return what each item of an iterable is."""
        match value:
            case Choice():
                return self._element_of_choice(value, node, state, frame)
            case Items(items, each):
                held = [*(items or ()), *([each] if each is not None else [])]
                if not held:
                    raise UnreachableError
                return one_of(held)
            case Result(each):
                return each
            case Statement(kind="query"):
                name = ast.Name("iterated", ast.Load())
                call = Call(node if isinstance(node, ast.expr) else name, state, frame)
                return self.execute(value, call)
            case Mapping(known, rest):
                keys: list[Value] = [Const(key) for key, _ in known]
                if rest is not None:
                    keys.append(value.keys or Unknown("a key"))
                return one_of(keys or [NONE])
            case Given(source, name):
                return Given(source, f"{name}[]")
            case Const(None):
                raise UnreachableError
            case _:
                return self.derived("an item of a value that cannot be followed", [value], state)

    def _element_of_choice(self, value: Choice, node: ast.AST, state: State, frame: Frame) -> Value:
        found = []
        for member, facts in member_list(value):
            try:
                found.append((self.element(member, node, state, frame), facts))
            except UnreachableError:
                continue
        if not found:
            raise UnreachableError
        return choice(found)

    def note_asking(self, call: Call) -> None:
        """Note that a header or cookie is handed to something that may verify it."""
        for value in call.values():
            for origin in origins(value):
                if isinstance(origin, Given) and origin.source in ("header", "cookie"):
                    call.frame.entry.is_asking = True

    def entered(self, value: Value, node: ast.expr, state: State, frame: Frame) -> Value:
        """Return what `with … as` binds."""
        if isinstance(value, Items) and value.each is not None:
            return value.each
        if isinstance(value, Instance):
            for name in ("__enter__", "__aenter__"):
                if self.member(value.cls, name) is not None:
                    return self.call_method(value, name, Call(node, state, frame))
        return value

    def set_any_attribute(self, target: Value, key: Value, value: Value, call: Call) -> None:
        """Assign an attribute whose name is not constant."""
        for member, _ in member_list(target):
            if isinstance(member, Instance) and isinstance(call.node, ast.Call):
                fields = tuple((name, one_of([held, value])) for name, held in member.fields)
                changed = Instance(member.cls, fields, member.rest)
                self.write_back(call.node.args[0], changed, call.state, call.frame)
            if not isinstance(member, Row):
                continue
            model = self.prover.rows[member.symbol]
            self.use_rows(member, call, "is changed")
            if any(isinstance(origin, Given) for origin in origins(key)) or isinstance(
                key, Unknown
            ):
                for name in model.owners:
                    self.change_row(member, name, value, call.node, call.state, call.frame)


def _is_of_library(value: Value) -> bool:
    """Tell whether a value of which nothing more is known was made by a library."""
    if isinstance(value, Made):
        return value.kind != "anything"
    return isinstance(value, Unknown) and any(isinstance(o, Opaque) for o in value.origins)


def _keeps_person(name: str, call: Call) -> bool:
    """Tell whether a method leaves who is meant: a UUID without hyphens names the same user."""
    return name in _SAME_PERSON or (name == "replace" and call.args == _WITHOUT_HYPHENS)


def _changed_items(receiver: Items, name: str, values: list[Value]) -> tuple[Items, Value]:
    """Return a list after a method changed it, and the method's result."""
    held = [*(receiver.items or ()), *([receiver.each] if receiver.each is not None else [])]
    if name in ("append", "add") and receiver.items is not None:
        return Items((*receiver.items, *values), None, receiver.is_tuple), NONE
    if name in ("append", "add", "insert"):
        return Items(None, one_of([*held, *values[-1:]])), NONE
    if name in ("extend", "update"):
        for value in values:
            if isinstance(value, Items):
                if value.items is not None and receiver.items is not None:
                    return Items((*receiver.items, *value.items)), NONE
                held += [*(value.items or ()), *([value.each] if value.each else [])]
            else:
                held.append(value)
        return Items(None, one_of(held) if held else None), NONE
    if name == "pop":
        return Items(None, one_of(held) if held else None), one_of(held) if held else NONE
    return Items(None, one_of(held) if held else None), NONE
