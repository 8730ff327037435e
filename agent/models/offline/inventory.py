"""What a backend already has, as far as a request can speak of it."""

import ast
import re
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeGuard

from agent.models.offline.nouns import plural_name
from agent.reply import SourceFile

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")

Classes = Mapping[str, ast.ClassDef]


@dataclass(frozen=True)
class Kept:
    """A table model of the backend, other than the user's.

    Attributes:
        singular: Its class name in snake case.
        plural: Many of them, in snake case.
        table: The name of its table.
        columns: The names of its columns.
    """

    singular: str
    plural: str
    table: str
    columns: frozenset[str]

    @property
    def has_owner(self) -> bool:
        """Whether its rows belong to a user."""
        return "user_id" in self.columns


@dataclass(frozen=True)
class Inventory:
    """What was found in the source files of a backend.

    Attributes:
        resources: Its table models by their singular name.
        has_auth: Whether it has the dependency `get_current_user`.
        has_me: Whether it has the endpoint `/api/me`.
        agents: The last parts of the paths below `/api/agents`.
    """

    resources: Mapping[str, Kept] = field(default_factory=dict)
    has_auth: bool = False
    has_me: bool = False
    agents: frozenset[str] = frozenset()


def take_inventory(files: tuple[SourceFile, ...]) -> Inventory:
    """Read what a backend has. Files that cannot be parsed are passed over.

    Args:
        files: Its source files, paths as in a reply; none for a new backend.
    """
    trees = [tree for file in files if (tree := _parse(file.code)) is not None]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    classes = {node.name: node for node in nodes if isinstance(node, ast.ClassDef)}
    tables = [_kept(node, classes) for node in classes.values() if _is_table(node)]
    paths = [path.rstrip("/") for tree in trees for path in _routes(tree)]
    functions = {
        node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    return Inventory(
        resources={table.singular: table for table in tables if table.table not in _USER_TABLES},
        has_auth="get_current_user" in functions,
        has_me=any(path.endswith("/me") for path in paths),
        agents=frozenset(path.rpartition("/agents/")[2] for path in paths if "/agents/" in path),
    )


_USER_TABLES = frozenset({"app_user", "user", "users"})


def _parse(code: str) -> ast.Module | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _is_table(node: ast.ClassDef) -> bool:
    return any(
        keyword.arg == "table"
        and isinstance(keyword.value, ast.Constant)
        and keyword.value.value is True
        for keyword in node.keywords
    )


def _kept(node: ast.ClassDef, classes: Classes) -> Kept:
    singular = _CAMEL.sub("_", node.name).lower()
    return Kept(
        singular=singular,
        plural=plural_name(tuple(singular.split("_"))),
        table=_table_name(node),
        columns=frozenset(_columns(node, classes, set())),
    )


def _assigned(statement: ast.stmt) -> str:
    """Return the name that a statement of a class body sets, or an empty text."""
    target: ast.expr | None = None
    if isinstance(statement, ast.Assign):
        target = statement.targets[0]
    elif isinstance(statement, ast.AnnAssign):
        target = statement.target
    return target.id if isinstance(target, ast.Name) else ""


def _table_name(node: ast.ClassDef) -> str:
    for statement in node.body:
        if _assigned(statement) == "__tablename__":
            value = getattr(statement, "value", None)
            if isinstance(value, ast.Constant) and isinstance(value.value, str):
                return value.value
    return node.name.lower()


def _columns(node: ast.ClassDef, classes: Classes, seen: set[str]) -> Iterator[str]:
    """Yield the columns of a class, those of its bases included."""
    seen.add(node.name)
    for base in node.bases:
        if isinstance(base, ast.Name) and base.id in classes and base.id not in seen:
            yield from _columns(classes[base.id], classes, seen)
    for statement in node.body:
        if isinstance(statement, ast.AnnAssign) and not _is_relationship(statement.value):
            yield _assigned(statement)


def _is_relationship(value: ast.expr | None) -> bool:
    called = value.func if isinstance(value, ast.Call) else None
    return isinstance(called, ast.Name) and called.id == "Relationship"


def _routes(tree: ast.Module) -> Iterator[str]:
    """Yield the paths of a module's routes, behind its router's prefix."""
    nodes = list(ast.walk(tree))
    prefixes = [
        keyword.value.value
        for node in nodes
        if isinstance(node, ast.Call)
        for keyword in node.keywords
        if keyword.arg == "prefix" and isinstance(keyword.value, ast.Constant)
    ]
    prefix = str(prefixes[0]) if prefixes else ""
    for node in nodes:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            for decorator in node.decorator_list:
                first = decorator.args[0] if _has_arguments(decorator) else None
                if isinstance(first, ast.Constant) and isinstance(first.value, str):
                    yield prefix + first.value


def _has_arguments(decorator: ast.expr) -> TypeGuard[ast.Call]:
    return isinstance(decorator, ast.Call) and bool(decorator.args)
