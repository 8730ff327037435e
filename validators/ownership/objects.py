"""Classes, objects and attributes: what a dot and a constructor give."""

import ast

from validators.frozen import frozen
from validators.ownership.calls import Calls
from validators.ownership.containers import claim
from validators.ownership.machine import Call, UnreachableError, row_of
from validators.ownership.program import Scope, dotted_name
from validators.ownership.recorder import Frame
from validators.ownership.schema import TableModel
from validators.ownership.state import State, choice, one_of
from validators.ownership.values import (
    NONE,
    Attr,
    Choice,
    Claims,
    ClassValue,
    Const,
    Derived,
    Element,
    ElementValue,
    Function,
    Given,
    Identity,
    Instance,
    Items,
    Library,
    Made,
    Mapping,
    Method,
    ModuleValue,
    Opaque,
    Related,
    Row,
    Statement,
    Unknown,
    Value,
)

_ENUMS = frozenset({"Enum", "StrEnum", "IntEnum", "Flag"})
_SETTINGS = frozenset({"BaseSettings"})
_PLAIN = (ast.FunctionDef, ast.AsyncFunctionDef)


@frozen
class Lineage:
    """A class's own and inherited classes in the project, and the library classes among them."""

    classes: tuple[ClassValue, ...]
    libraries: tuple[str, ...]


class Objects(Calls):
    """Gives attributes of values, and makes objects."""

    def prepare(self) -> None:
        """Set up what objects need."""
        super().prepare()
        self._lineages: dict[ast.ClassDef, Lineage] = {}

    # Classes.

    def lineage(self, cls: ClassValue) -> Lineage:
        """Return a class with everything that it inherits from, nearest first."""
        known = self._lineages.get(cls.node)
        if known is None:
            self._lineages[cls.node] = Lineage((cls,), ())
            classes: dict[ClassValue, None] = {cls: None}
            libraries: dict[str, None] = {}
            for base in cls.node.bases:
                value = self._base(base, cls)
                if isinstance(value, ClassValue):
                    above = self.lineage(value)
                    classes |= dict.fromkeys(above.classes)
                    libraries |= dict.fromkeys(above.libraries)
                elif isinstance(value, Library):
                    libraries[value.name] = None
            known = self._lineages[cls.node] = Lineage(tuple(classes), tuple(libraries))
        return known

    def _base(self, node: ast.expr, cls: ClassValue) -> Value | None:
        dotted = dotted_name(node.value if isinstance(node, ast.Subscript) else node)
        if dotted is None:
            return None
        head, *rest = dotted.split(".")
        value = self.module_name(cls.scope.path, head)
        for part in rest:
            if isinstance(value, ModuleValue):
                value = self.module_name(value.path, part)
            elif isinstance(value, Library):
                value = Library(f"{value.name}.{part}")
        if value is None:
            return Library(f"builtins.{dotted}")
        return value

    def member(
        self, cls: ClassValue, name: str, after: ast.ClassDef | None = None
    ) -> tuple[ast.stmt, ClassValue] | None:
        """Return the statement that defines a member of a class, and the class it stands in."""
        classes = self.lineage(cls).classes
        if after is not None:
            nodes = [one.node for one in classes]
            classes = classes[nodes.index(after) + 1 :] if after in nodes else ()
        for one in classes:
            for node in reversed(one.node.body):
                if name in _defined(node):
                    return node, one
        return None

    def has_base(self, cls: ClassValue, *names: str) -> bool:
        """Tell whether a class inherits from one of these library classes, by last name."""
        return any(one.rpartition(".")[2] in names for one in self.lineage(cls).libraries)

    def scope_in(self, owner: ClassValue) -> Scope:
        """Return the scope of a class's body."""
        return scope_in(owner)

    def model_of(self, value: Value) -> TableModel | None:
        """Return the table model that a class is, or None."""
        return self.schema.by_node.get(value.node) if isinstance(value, ClassValue) else None

    # Attributes.

    def attribute(  # noqa: C901, PLR0912  # one branch for each kind
        self, value: Value, name: str, node: ast.AST, state: State, frame: Frame
    ) -> Value:
        """Return an attribute of a value."""
        match value:
            case Choice():
                return self._attribute_of_choice(value, name, node, state, frame)
            case Row():
                return self._row_attribute(value, name, node, state, frame)
            case Instance():
                return self._instance_attribute(value, name, node, state, frame)
            case Given():
                return self._given_attribute(value, name, node, state, frame)
            case ClassValue() if name == "query" and self.model_of(value) is not None:
                return self.query_of(value, node, state, frame)
            case ClassValue():
                return self._class_attribute(value, name, state, frame)
            case ModuleValue(path):
                found = self.module_name(path, name)
                return found if found is not None else self._submodule(path, name)
            case Library(dotted):
                return self.library_attribute(f"{dotted}.{name}")
            case Made():
                return self.made_attribute(value, name, node, state, frame)
            case Claims(origin):
                return value if name in ("claims", "payload") else claim(origin, Const(name))
            case Identity(held, origin):
                return claim(origin, Const(name), f"{held}.")
            case Opaque(label):
                return Opaque(f"{label}.{name}")
            case Const(None):
                raise UnreachableError
            case _:
                return self._other_attribute(value, name, state)

    def query_of(self, cls: ClassValue, node: ast.AST, state: State, frame: Frame) -> Value:
        """Return the query on a table model that its `query` attribute begins."""
        raise NotImplementedError

    def _other_attribute(self, value: Value, name: str, state: State) -> Value:
        match value:
            case ElementValue(element):
                return self.element_attribute(element, name)
            case Derived():
                return self.derived_attribute(value, name)
            case Attr(int(), column) if column == name:
                return value  # the only column of a result row, by its name
            case Mapping() if value.get(name) is not None:
                return value.get(name) or NONE
            case Items(items) if items is not None:
                found = self._named_item(items, name)
                return found or self.derived(f"the attribute {name}", [value], state)
            case Statement(kind="select") if name in ("c", "columns", "selected_columns"):
                return Derived(value)
            case Unknown():
                return Unknown(value.reason, value.origins)
            case _:
                return self.derived(f"the attribute {name}", [value], state)

    def _named_item(self, items: tuple[Value, ...], name: str) -> Value | None:
        """Return the column or model of a result row that a name means."""
        for item in items:
            if isinstance(item, Attr) and item.column == name:
                return item
            if isinstance(item, Row) and self.prover.rows[item.symbol].name == name:
                return item
        return None

    def _attribute_of_choice(
        self, value: Choice, name: str, node: ast.AST, state: State, frame: Frame
    ) -> Value:
        found = []
        for member, facts in value.members:
            inner = State(state.env, state.facts | facts, state.store)
            try:
                held = self.attribute(member, name, node, inner, frame)
                found.append((self._named_user(held, inner), facts))
            except UnreachableError:
                continue
        if not found:
            raise UnreachableError
        return choice(found)

    def _named_user(self, value: Value, state: State) -> Value:
        """Return the identity where a column of a user's row names the signed-in user.

        Whichever of several rows it is, found or created: it is the same user.
        """
        row = row_of(value)
        is_person = row is not None and self.prover.rows[row].is_user
        return self.resolved(value, state) if is_person else value

    def _submodule(self, path: str, name: str) -> Value:
        module = self.program.project.modules[path]
        if module.is_package:
            found = self.program.imported(path, name, 1)
            if found is not None:
                return ModuleValue(found)
        return Unknown(f"{name} is not defined in {path}")

    def library_attribute(self, dotted: str) -> Value:
        """Return a name of a library."""
        return Library(dotted)

    def _row_attribute(
        self, row: Row, name: str, node: ast.AST, state: State, frame: Frame
    ) -> Value:
        model = self.prover.rows[row.symbol]
        if name in model.relations:
            return self.related_rows(row, model.relations[name], node, state, frame)
        if name in model.columns:
            return Attr(row.symbol, name)
        cls = self.class_of(model)
        found = self.member(cls, name) if cls else None
        if cls and found:
            return self._bound(found, name, row, cls, state, frame)
        return self.derived(f"the attribute {name} of a {model.name}", [row], state)

    def class_of(self, model: TableModel) -> ClassValue | None:
        """Return the class of a table model."""
        for node, one in self.schema.by_node.items():
            if one is model:
                found = self.module_name(model.path, model.name)
                if isinstance(found, ClassValue) and found.node is node:
                    return found
        return None

    def _instance_attribute(
        self, value: Instance, name: str, node: ast.AST, state: State, frame: Frame
    ) -> Value:
        held = value.get(name)
        if held is not None:
            return held
        found = self.member(value.cls, name)
        if found is not None and not (
            value.rest is not None and isinstance(found[0], ast.AnnAssign)
        ):
            return self._bound(found, name, value, value.cls, state, frame)
        if name == "__class__":
            return value.cls
        if value.rest is not None:
            return self.attribute(value.rest, name, node, state, frame)
        return self.derived(f"the attribute {name} of a {value.cls.name}", [value], state)

    def _given_attribute(
        self, value: Given, name: str, node: ast.AST, state: State, frame: Frame
    ) -> Value:
        del node
        if value.source == "caller" and name in self.options.owner_columns:
            return Identity(name, f"{value.name}.{name}, which the caller answers for")
        if value.shape is None:
            return Given(value.source, f"{value.name}.{name}")
        found = self.member(value.shape, name)
        if found is not None and isinstance(found[0], _PLAIN):
            return self._bound(found, name, value, value.shape, state, frame)
        return self.given_field(value, name)

    def given_field(self, value: Given, name: str) -> Given:
        """Return a field of a parsed part of the request."""
        found = self.member(value.shape, name) if value.shape else None
        shape = None
        if found is not None and isinstance(found[0], ast.AnnAssign):
            shape = self._annotated_class(found[0].annotation, found[1])
        return Given(value.source, f"{value.name}.{name}", shape)

    def instance_of(self, value: Given, shape: ClassValue) -> Instance:
        """Return a parsed part of the request as an object, field by field."""
        names = self.field_names(shape)
        fields = tuple((name, self.given_field(value, name)) for name in names)
        return Instance(shape, fields, None if names else value)

    def _annotated_class(self, node: ast.expr, cls: ClassValue) -> ClassValue | None:
        for inner in ast.walk(node):
            if isinstance(inner, ast.Name):
                value = self.module_name(cls.scope.path, inner.id)
                if isinstance(value, ClassValue):
                    return value
        return None

    def _class_attribute(self, cls: ClassValue, name: str, state: State, frame: Frame) -> Value:
        model = self.model_of(cls)
        if model is not None and (name in model.columns or name in model.relations):
            return self.element_attribute(Element(model.key), name)
        if name in ("__name__", "__tablename__"):
            return Const(model.table if model and name == "__tablename__" else cls.name)
        if name == "__table__" and model is not None:
            return ElementValue(Element(model.key))
        for one in self.lineage(cls).classes:
            held = self.class_fields.get((one.node, name))
            if held is not None:
                return one_of([held, self._declared_attribute(cls, name, state, frame)])
        return self._declared_attribute(cls, name, state, frame)

    def _declared_attribute(self, cls: ClassValue, name: str, state: State, frame: Frame) -> Value:
        found = self.member(cls, name)
        if found is None:
            return Method(cls, name)
        if self.has_base(cls, *_ENUMS) and isinstance(found[0], ast.Assign):
            return Opaque(f"{cls.name}.{name}")
        return self._bound(found, name, cls, cls, state, frame)

    def element_attribute(self, element: Element, name: str) -> Value:
        """Return a column or relationship of an element of a statement."""
        model = self.schema.models[element.model]
        if name in model.relations:
            return Related(element, name)
        if name in ("c", "columns"):
            return ElementValue(element)
        return Attr(element, name)

    def _bound(
        self,
        found: tuple[ast.stmt, ClassValue],
        name: str,
        holder: Value,
        cls: ClassValue,
        state: State,
        frame: Frame,
    ) -> Value:
        """Return a class member as it is seen from an object or a class."""
        node, owner = found
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            function = Function(node, scope_in(owner))
            marks = {(dotted_name(d) or "").rpartition(".")[2] for d in node.decorator_list}
            if "staticmethod" in marks:
                return function
            if "classmethod" in marks:
                return Function(node, function.scope, (), cls)
            if isinstance(holder, ClassValue):
                return function
            bound = Function(node, function.scope, (), holder)
            if marks & {"property", "cached_property", "computed_field", "hybrid_property"}:
                call = Call(ast.Name("property", ast.Load()), state, frame)
                return self.call_function(bound, call)
            return bound
        return self._class_value(node, name, owner, frame)

    def _class_value(self, node: ast.stmt, name: str, owner: ClassValue, frame: Frame) -> Value:
        if isinstance(node, ast.ClassDef):
            return ClassValue(node, scope_in(owner))
        value = node.value if isinstance(node, ast.Assign | ast.AnnAssign) else None
        if value is None:
            return Unknown(f"{owner.name}.{name} has no value")
        if self.has_base(owner, *_SETTINGS):
            return setting(name, self._evaluated(value, owner, frame))
        return self._evaluated(value, owner, frame)

    def _evaluated(self, node: ast.expr, owner: ClassValue, frame: Frame) -> Value:
        inner = Frame(frame.entry, owner.scope.path, owner.node)
        env: dict[str, Value] = {}
        names = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
        for statement in owner.node.body:
            if not names.isdisjoint(_defined(statement)) and isinstance(statement, ast.Assign):
                env |= {
                    one: self.evaluate(statement.value, State(env), inner)
                    for one in _defined(statement)
                    if statement.value is not node
                }
        try:
            return self.evaluate(node, State(env), inner)
        except UnreachableError:
            return Unknown("a class attribute that cannot be evaluated")

    # Making objects.

    def instantiate(self, cls: ClassValue, call: Call) -> Value:
        """Return a new object of a class."""
        model = self.model_of(cls)
        if model is not None:
            return self.new_object(model, call)
        if self.has_base(cls, "TypedDict"):
            return Mapping(tuple(call.keywords.items()), call.more)
        if self.has_base(cls, *_ENUMS):
            return call.args[0] if call.args else Opaque(cls.name)
        found = self.member(cls, "__init__")
        if found is not None:
            return self._initialised(cls, found, call)
        return self._filled(cls, call)

    def _initialised(
        self, cls: ClassValue, found: tuple[ast.stmt, ClassValue], call: Call
    ) -> Value:
        node, owner = found
        if not isinstance(node, ast.FunctionDef):
            return Instance(cls)
        function = Function(node, scope_in(owner), (), Instance(cls))
        env = self.bound_arguments(function, call)
        outcome = self.outcome(function, env, call.state, call.frame)
        if outcome.value is None:
            raise UnreachableError
        own = function.node.args.args[0].arg if function.node.args.args else "self"
        return outcome.parameters.get(own, Instance(cls))

    def _filled(self, cls: ClassValue, call: Call) -> Value:
        """Return an object whose class takes its annotated fields as arguments."""
        fields: dict[str, Value] = {}
        names = self.field_names(cls)
        for name, value in zip(names, call.args, strict=False):
            fields[name] = self.attach(value, call.state)
        for name, value in call.keywords.items():
            fields[name] = self.attach(value, call.state)
        for name in names:
            if name not in fields and call.more is None:
                fields[name] = self._field_default(cls, name, call.frame)
        rest = call.more
        if self.has_base(cls, *_SETTINGS):
            fields = {}
        return Instance(cls, tuple(fields.items()), rest)

    def field_names(self, cls: ClassValue) -> list[str]:
        """Return the annotated fields of a class, inherited ones first."""
        names: dict[str, None] = {}
        for one in reversed(self.lineage(cls).classes):
            for node in one.node.body:
                if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                    names[node.target.id] = None
        return list(names)

    def _field_default(self, cls: ClassValue, name: str, frame: Frame) -> Value:
        found = self.member(cls, name)
        node = found[0] if found else None
        if found is None or not isinstance(node, ast.AnnAssign) or node.value is None:
            return Unknown(f"{cls.name}.{name} is not set")
        value = self._evaluated(node.value, found[1], frame)
        if isinstance(value, Made) and value.kind == "field":
            return value.get("default") or Unknown(f"{cls.name}.{name} has a default factory")
        return value

    def related_rows(
        self, row: Row, relation: object, node: ast.AST, state: State, frame: Frame
    ) -> Value:
        """Return what a relationship attribute loads."""
        raise NotImplementedError

    def new_object(self, model: TableModel, call: Call) -> Value:
        """Return a new object of a table model."""
        raise NotImplementedError

    def made_attribute(
        self, value: Made, name: str, node: ast.AST, state: State, frame: Frame
    ) -> Value:
        """Return an attribute of a library's object."""
        raise NotImplementedError

    def derived_attribute(self, value: Derived, name: str) -> Value:
        """Return a column of a statement used as a table."""
        raise NotImplementedError


def setting(name: str, default: Value) -> Made:
    """Return a value that comes from the environment."""
    return Made("setting", (("name", Const(name)), ("default", default)))


def _defined(node: ast.stmt) -> list[str]:
    match node:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            return [name]
        case ast.Assign(targets=targets):
            return [target.id for target in targets if isinstance(target, ast.Name)]
        case ast.AnnAssign(target=ast.Name(id=name)):
            return [name]
        case _:
            return []


def scope_in(owner: ClassValue) -> Scope:
    """Return the scope of a class's body."""
    return Scope(owner.scope.path, owner.node)
