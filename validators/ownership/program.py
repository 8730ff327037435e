"""The project as a program: modules, and what their top-level names stand for."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import PurePosixPath

from validators.frozen import frozen
from validators.source import Module, Project

Definition = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
Binding = Definition | ast.Import | ast.ImportFrom | ast.Assign | ast.AnnAssign

_TEST_FOLDERS = frozenset({"tests", "test", "alembic", "migrations"})


@frozen
class Scope:
    """Where a definition stands: its module and the classes around it."""

    path: str
    owner: ast.ClassDef | None = None


@frozen
class Resolved:
    """What a name was found to be: a definition of the project, a module, or a library's name."""

    scope: Scope | None = None
    node: ast.AST | None = None
    module: str | None = None
    library: str | None = None


@dataclass
class Program:
    """The modules of a project, and their names."""

    project: Project
    _names: dict[str, dict[str, list[Binding]]] = field(default_factory=dict)

    @cached_property
    def modules(self) -> dict[str, Module]:
        """Every parsed module that can be part of the app, by path; tests are not."""
        return {
            path: module
            for path, module in self.project.modules.items()
            if module.tree is not None and not is_test(path)
        }

    def names(self, path: str) -> dict[str, list[Binding]]:
        """Return a module's top-level names with every statement that binds them."""
        if path not in self._names:
            found: dict[str, list[Binding]] = {}
            tree = self.project.modules[path].tree
            for node in top_level(tree.body if tree else []):
                for name in bound_names(node):
                    found.setdefault(name, []).append(node)
            self._names[path] = found
        return self._names[path]

    def find(
        self, path: str, name: str, seen: frozenset[tuple[str, str]] = frozenset()
    ) -> Resolved:
        """Follow a dotted name of a module, through imports, to what it stands for."""
        head, _, rest = name.partition(".")
        if (path, name) in seen:
            return Resolved()
        seen |= {(path, name)}
        for node in reversed(self.names(path).get(head, [])):
            found = self._follow(path, head, node, seen)
            if rest and found.module is not None:
                found = self.find(found.module, rest, seen)
            elif rest and found.library is not None:
                found = Resolved(library=f"{found.library}.{rest}")
            if found != Resolved():
                return found
        for node in self.names(path).get("*", []):
            if isinstance(node, ast.ImportFrom):
                target = self.imported(path, node.module or "", node.level)
                if target is not None:
                    found = self.find(target, name, seen)
                    if found != Resolved():
                        return found
        return Resolved()

    @cached_property
    def held_names(self) -> frozenset[str]:
        """Every name that is used as a value, and not only called."""
        found: set[str] = set()
        for module in self.project.modules.values():
            called = {call.func for call in module.index.of(ast.Call)}
            found |= {n.id for n in module.index.of(ast.Name) if n not in called}
            found |= {n.attr for n in module.index.of(ast.Attribute) if n not in called}
        return frozenset(found)

    @cached_property
    def number_names(self) -> frozenset[str]:
        """Every name of a parameter that is declared as a number somewhere."""
        return frozenset(
            node.arg
            for module in self.project.modules.values()
            for node in module.index.of(ast.arg)
            if node.annotation is not None
            and any(
                isinstance(part, ast.Name) and part.id in _NUMBERS
                for part in ast.walk(node.annotation)
            )
        )

    def imported(self, path: str, dotted: str, level: int) -> str | None:
        """Return the path of the project's module that an import names, or None."""
        module = self.project.resolve(dotted, self.project.modules[path], level)
        return module.path if module is not None else None

    def import_from(
        self, path: str, node: ast.ImportFrom, name: str, seen: frozenset[tuple[str, str]]
    ) -> Resolved:
        """Return what `from … import name` brings."""
        base = node.module or ""
        dotted = f"{base}.{name}" if base else name
        target = self.imported(path, base, node.level) if base or node.level else None
        if target is not None and target != path:
            found = self.find(target, name, seen)
            if found != Resolved():
                return found
        submodule = self.imported(path, dotted, node.level)
        if submodule is not None:
            return Resolved(module=submodule)
        if target is not None or node.level:
            return Resolved()
        return Resolved(library=dotted)

    def _follow(
        self, path: str, name: str, node: Binding, seen: frozenset[tuple[str, str]]
    ) -> Resolved:
        if isinstance(node, Definition):
            return Resolved(Scope(path), node)
        if isinstance(node, ast.ImportFrom):
            alias = next(a for a in node.names if (a.asname or a.name) == name)
            return self.import_from(path, node, alias.name, seen)
        if isinstance(node, ast.Import):
            return self._import(path, node, name)
        value = node.value
        if isinstance(value, ast.Name | ast.Attribute):
            dotted = dotted_name(value)
            if dotted:
                return self.find(path, dotted, seen)
        return Resolved(Scope(path), node)

    def _import(self, path: str, node: ast.Import, name: str) -> Resolved:
        for alias in node.names:
            if alias.asname == name:
                target = self.imported(path, alias.name, 0)
                return Resolved(module=target) if target else Resolved(library=alias.name)
            if alias.asname is None and alias.name.partition(".")[0] == name:
                target = self.imported(path, name, 0)
                return Resolved(module=target) if target else Resolved(library=name)
        return Resolved()


def is_test(path: str) -> bool:
    """Tell whether a file is a test or a migration, which no request runs."""
    pure = PurePosixPath(path)
    in_folder = not _TEST_FOLDERS.isdisjoint(pure.parts[:-1])
    return in_folder or pure.name.startswith("test_") or pure.name == "conftest.py"


def top_level(body: list[ast.stmt]) -> Iterator[Binding]:
    """Yield the binding statements of a module, those inside `if`, `try` and `with` too."""
    for node in body:
        if isinstance(node, Binding):
            yield node
        elif isinstance(node, ast.If):
            yield from top_level(node.body)
            yield from top_level(node.orelse)
        elif isinstance(node, ast.Try):
            # The handlers first: a name that the body binds counts more.
            for handler in node.handlers:
                yield from top_level(handler.body)
            yield from top_level(node.body)
            yield from top_level(node.orelse + node.finalbody)
        elif isinstance(node, ast.With):
            yield from top_level(node.body)


def bound_names(node: Binding) -> list[str]:
    """Return the names that a statement binds."""
    match node:
        case ast.ClassDef() | ast.FunctionDef() | ast.AsyncFunctionDef():
            return [node.name]
        case ast.Import():
            return [alias.asname or alias.name.partition(".")[0] for alias in node.names]
        case ast.ImportFrom():
            return [alias.asname or alias.name for alias in node.names]
        case ast.Assign():
            return [target.id for target in node.targets if isinstance(target, ast.Name)]
        case _:
            return [node.target.id] if isinstance(node.target, ast.Name) else []


_NUMBERS = frozenset({"int", "float", "Decimal", "bool", "PositiveInt", "NonNegativeInt"})
_TOOLS = frozenset({"tool", "function_tool", "resource", "beta_tool", "tool_plain"})


def is_tool_decorator(node: ast.expr) -> bool:
    """Tell whether a decorator offers its function to a language model or to clients."""
    name = dotted_name(node.func if isinstance(node, ast.Call) else node)
    return (name or "").rpartition(".")[2] in _TOOLS


def is_tool(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> bool:
    """Tell whether a function is offered to a language model or to clients as a tool."""
    return not isinstance(node, ast.Lambda) and any(map(is_tool_decorator, node.decorator_list))


def dotted_name(node: ast.expr) -> str | None:
    """Return `a.b.c` for such an expression, or None for any other."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return None
    return ".".join([node.id, *reversed(parts)])
