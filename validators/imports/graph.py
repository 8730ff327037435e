"""Which modules the app reaches, and in which order Python starts them."""

import ast
from collections.abc import Iterator

from validators.imports.resolver import Local, Resolver, Statement
from validators.location import AppLocation
from validators.source import Module

_DYNAMIC_IMPORTS = frozenset({"import_module", "__import__", "iter_modules", "walk_packages"})


def reached_from(location: AppLocation, resolver: Resolver) -> set[str]:
    """Return the paths of the modules that the app imports, directly or through others.

    Where a reached module imports by a computed name, every module counts as reached.
    """
    start = resolver.project.modules[location.path]
    reached: set[str] = set()
    waiting = [start, *_packages_around(start, resolver)]
    while waiting:
        module = waiting.pop()
        if module.path in reached:
            continue
        reached.add(module.path)
        for statement in resolver.statements[module.path]:
            if not statement.is_typing_only:
                waiting += imported_modules(statement, resolver)
        for dotted in _dynamic_imports(module):
            if dotted is None:
                return set(resolver.project.modules)
            waiting += _chain(module, 0, dotted, resolver)
    return reached


def imported_modules(statement: Statement, resolver: Resolver) -> list[Module]:
    """Return the backend's modules that an import starts, outermost package first."""
    found = _chain(statement.importer, statement.level, statement.module, resolver)
    if statement.name is not None:
        target = resolver.target(statement.importer, statement.level, statement.module)
        if isinstance(target, Local):
            inner = resolver.submodule(target, statement.name)
            is_name = target.module and statement.name in resolver.names_of(target.module).bound
            if inner is not None and inner.module is not None and not is_name:
                found.append(inner.module)
    return found


def _chain(importer: Module, level: int, dotted: str, resolver: Resolver) -> list[Module]:
    parts = dotted.split(".") if dotted else []
    starts = range(0 if level else 1, len(parts) + 1)
    found: list[Module] = []
    for end in starts:
        target = resolver.target(importer, level, ".".join(parts[:end]))
        if isinstance(target, Local) and target.module is not None:
            found.append(target.module)
    return found


def _packages_around(module: Module, resolver: Resolver) -> Iterator[Module]:
    for folder in (module.folder, *module.folder.parents):
        if folder == resolver.project.import_root:
            return
        package = resolver.project.modules.get(str(folder / "__init__.py"))
        if package is not None:
            yield package


def _dynamic_imports(module: Module) -> Iterator[str | None]:
    for call in module.index.of(ast.Call):
        match call.func:
            case ast.Name(id=name) | ast.Attribute(attr=name) if name in _DYNAMIC_IMPORTS:
                match call.args:
                    case [ast.Constant(value=str(dotted)), *_] if not dotted.startswith("."):
                        yield dotted
                    case _:
                        yield None
            case _:
                continue
