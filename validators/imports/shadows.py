"""Modules of the backend that hide a library or are hidden themselves."""

from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath

from validators.imports.library import Library
from validators.imports.resolver import Resolver
from validators.report import Finding
from validators.rules.sources import SHADOWED_LIBRARY, SHADOWED_MODULE
from validators.source import Module, Project

# What FastAPI, SQLModel and uvicorn import themselves at start.
FRAMEWORK = frozenset(
    {
        "annotated_types",
        "anyio",
        "click",
        "fastapi",
        "greenlet",
        "h11",
        "idna",
        "psycopg",
        "psycopg2",
        "pydantic",
        "pydantic_core",
        "sqlalchemy",
        "sqlmodel",
        "starlette",
        "typing_extensions",
        "typing_inspection",
        "uvicorn",
    }
)
# Already imported by the interpreter before the backend's folder counts, or used by nobody.
_HARMLESS = frozenset({"__main__", "antigravity", "idlelib", "lib2to3", "site", "test", "this"})


def check_shadows(resolver: Resolver, paths: Iterable[str]) -> list[Finding]:
    """Return a finding for each module that hides a library, or that a package hides."""
    project = resolver.project
    modules = [project.modules[path] for path in paths]
    return [
        *_hidden_modules(project, modules),
        *_hidden_libraries(resolver.project, resolver.library, modules),
    ]


def _hidden_modules(project: Project, modules: list[Module]) -> Iterator[Finding]:
    for module in modules:
        package = f"{PurePosixPath(module.path).with_suffix('')}/__init__.py"
        if package in project.modules:
            yield SHADOWED_MODULE.finding(
                f"`{package}` hides this module: Python imports the package.",
                path=module.path,
                line=1,
                column=1,
            )


def _hidden_libraries(
    project: Project, library: Library, modules: list[Module]
) -> Iterator[Finding]:
    standard = library.interpreter.standard - library.interpreter.builtins - _HARMLESS
    for module in modules:
        name = _name_at_root(module, project.import_root)
        if name in FRAMEWORK:
            yield SHADOWED_LIBRARY.finding(
                f"This module hides the package `{name}`, which the app's frameworks import.",
                path=module.path,
                line=1,
                column=1,
            )
        elif name in standard:
            yield SHADOWED_LIBRARY.finding(
                f"This module hides the standard library's `{name}` from everything that imports "
                "it, installed packages included.",
                path=module.path,
                line=1,
                column=1,
                severity="warning",
            )


def _name_at_root(module: Module, root: PurePosixPath) -> str | None:
    path = PurePosixPath(module.path)
    if module.is_package:
        return path.parent.name if path.parent.parent == root and path.parent != root else None
    return path.stem if path.parent == root else None
