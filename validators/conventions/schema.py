"""The classes of a backend: Pydantic models, table models and their fields."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from validators.frozen import frozen
from validators.source import Module, Project

_MAX_HOPS = 8
_PYDANTIC_BASES = frozenset(
    {
        "pydantic.BaseModel",
        "pydantic.main.BaseModel",
        "pydantic_settings.BaseSettings",
        "pydantic.RootModel",
        "sqlmodel.SQLModel",
        "sqlmodel.main.SQLModel",
    }
)
_SQLMODEL = frozenset({"sqlmodel.SQLModel", "sqlmodel.main.SQLModel"})


@frozen
class Field:
    """One annotated or assigned name of a class.

    Attributes:
        name: The name.
        annotation: Its type hint, if any.
        value: What it is set to, if anything.
        node: The statement.
    """

    name: str
    annotation: ast.expr | None
    value: ast.expr | None
    node: ast.stmt


@dataclass(frozen=True)
class Class:
    """A class of the backend, where it is defined."""

    module: Module
    node: ast.ClassDef

    @property
    def name(self) -> str:
        """The class's name."""
        return self.node.name

    @cached_property
    def fields(self) -> dict[str, Field]:
        """The class's own fields, without inherited ones."""
        found: dict[str, Field] = {}
        for statement in self.node.body:
            match statement:
                case ast.AnnAssign(target=ast.Name(id=name), annotation=hint, value=value):
                    found[name] = Field(name, hint, value, statement)
                case ast.Assign(targets=[ast.Name(id=name)], value=value):
                    found[name] = Field(name, None, value, statement)
                case _:
                    continue
        return found


class Schema:
    """Every class of a backend, and what it inherits."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self._bases: dict[int, list[Class | str]] = {}

    @cached_property
    def classes(self) -> list[Class]:
        """Every class, in the order of files and lines."""
        return [
            Class(module, node)
            for module in self.project.modules.values()
            for node in module.index.of(ast.ClassDef)
        ]

    @cached_property
    def _by_place(self) -> dict[tuple[str, str], Class]:
        return {(cls.module.path, cls.name): cls for cls in self.classes}

    @cached_property
    def _by_name(self) -> dict[str, list[Class]]:
        found: dict[str, list[Class]] = {}
        for cls in self.classes:
            found.setdefault(cls.name, []).append(cls)
        return found

    def find(self, module: Module, node: ast.expr | None) -> Class | None:
        """Return the backend's class that an expression in a module names, or None."""
        match node:
            case ast.Name(id=name):
                return self._find_name(module, name)
            case ast.Attribute(attr=name):
                named = self._by_name.get(name, [])
                return named[0] if len(named) == 1 else None
            case ast.Constant(value=str(name)):
                return self._find_name(module, name.strip())
            case _:
                return None

    def bases(self, cls: Class) -> list[Class | str]:
        """Return everything that a class inherits from: own classes, and others by full name."""
        known = self._bases.get(id(cls.node))
        if known is None:
            known = self._bases[id(cls.node)] = list(self._read_bases(cls))
        return known

    def _read_bases(self, cls: Class) -> Iterator[Class | str]:
        waiting, seen = [cls], {id(cls.node)}
        while waiting:
            current = waiting.pop()
            for base in current.node.bases:
                plain = base.value if isinstance(base, ast.Subscript) else base
                found = self.find(current.module, plain)
                if found is None:
                    yield current.module.qualified(plain)
                elif id(found.node) not in seen:
                    seen.add(id(found.node))
                    waiting.append(found)
                    yield found

    def is_pydantic(self, cls: Class) -> bool:
        """Tell whether a class is a Pydantic model, table models of SQLModel included."""
        return not _PYDANTIC_BASES.isdisjoint(self._outer_bases(cls))

    def is_sqlmodel(self, cls: Class) -> bool:
        """Tell whether a class inherits from SQLModel."""
        return not _SQLMODEL.isdisjoint(self._outer_bases(cls))

    def is_table(self, cls: Class) -> bool:
        """Tell whether rows of a class are stored: `table=True`, or a `__tablename__`."""
        return self.is_sqlmodel_table(cls) or "__tablename__" in cls.fields

    def is_sqlmodel_table(self, cls: Class) -> bool:
        """Tell whether a class is a table model of SQLModel."""
        return any(
            keyword.arg == "table"
            and isinstance(keyword.value, ast.Constant)
            and keyword.value.value is True
            for keyword in cls.node.keywords
        )

    def table_name(self, cls: Class) -> str:
        """Return the name of a table model's table; empty where it is computed."""
        field = cls.fields.get("__tablename__")
        if field is None:
            return cls.name.lower()
        match field.value:
            case ast.Constant(value=str(name)):
                return name
            case _:
                return ""

    def all_fields(self, cls: Class) -> list[tuple[Class, Field]]:
        """Return a class's fields with the classes that define them, inherited ones included."""
        found: dict[str, tuple[Class, Field]] = {}
        for owner in (cls, *(base for base in self.bases(cls) if isinstance(base, Class))):
            for name, field in owner.fields.items():
                found.setdefault(name, (owner, field))
        return list(found.values())

    @cached_property
    def guarded_columns(self) -> set[str]:
        """Names of the columns in which SQLModel refuses datetimes without a time zone."""
        return {
            field.name
            for cls in self.classes
            if self.is_sqlmodel_table(cls)
            for owner, field in self.all_fields(cls)
            if is_guarded(owner.module, field)
        }

    def subclasses(self, node: ast.ClassDef) -> list[Class]:
        """Return the classes that inherit from a class."""
        return self._subclasses.get(id(node), [])

    @cached_property
    def _subclasses(self) -> dict[int, list[Class]]:
        found: dict[int, list[Class]] = {}
        for cls in self.classes:
            for base in self.bases(cls):
                if isinstance(base, Class):
                    found.setdefault(id(base.node), []).append(cls)
        return found

    def _outer_bases(self, cls: Class) -> set[str]:
        return {base for base in self.bases(cls) if isinstance(base, str)}

    def _find_name(self, module: Module, name: str) -> Class | None:
        for _ in range(_MAX_HOPS):
            own = self._by_place.get((module.path, name))
            if own is not None:
                return own
            imported = module.imported.get(name)
            if imported is None or imported.name is None:
                break
            target = self.project.resolve(imported.module, module, imported.level)
            if target is None or target is module:
                break
            module, name = target, imported.name
        return None


def is_guarded(module: Module, field: Field) -> bool:
    """Tell whether SQLModel chooses a field's column type, and with it refuses naive datetimes."""
    hints = [module.qualified(hint) for hint in unwrap_hint(field.annotation)]
    if not any(hint in ("datetime.datetime", "pydantic.AwareDatetime") for hint in hints):
        return False
    match field.value:
        case ast.Call(keywords=keywords):
            return not any(keyword.arg in ("sa_column", "sa_type") for keyword in keywords)
        case _:
            return True


def unwrap_hint(hint: ast.expr | None) -> list[ast.expr]:
    """Return the types that a hint allows, without None: `int | None` gives `int`."""
    match hint:
        case None | ast.Constant(value=None):
            return []
        case ast.Constant(value=str(text)):
            return _parse_hint(text)
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            return [*unwrap_hint(left), *unwrap_hint(right)]
        case ast.Subscript(value=ast.Name(id=name) | ast.Attribute(attr=name), slice=inner):
            return _unwrap_generic(hint, name, inner)
        case _:
            return [hint]


def _unwrap_generic(hint: ast.expr, name: str, inner: ast.expr) -> list[ast.expr]:
    if name in ("Optional", "Mapped"):
        return unwrap_hint(inner)
    if name == "Union" and isinstance(inner, ast.Tuple):
        return [part for item in inner.elts for part in unwrap_hint(item)]
    if name == "Annotated" and isinstance(inner, ast.Tuple) and inner.elts:
        return unwrap_hint(inner.elts[0])
    return [hint]


def _parse_hint(text: str) -> list[ast.expr]:
    try:
        parsed = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    return [] if isinstance(parsed, ast.Constant) else unwrap_hint(parsed)
