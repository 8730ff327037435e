"""The backend's source, parsed once: modules, nodes and imports as all static checks see them."""

import ast
import os
import stat
import warnings
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import TypeVar

from validators.encoding import foreign_encoding
from validators.frozen import frozen

# The oldest Python that a backend must run on, and so the grammar it may use.
GRAMMAR = (3, 11)
# Deeper trees exhaust the stack of whoever walks them recursively, Python itself included.
MAX_DEPTH = 200
# Far above any file that a person or a model writes; larger ones are data.
MAX_BYTES = 1_000_000

_SKIPPED_FOLDERS = frozenset(
    {"__pycache__", "build", "dist", "env", "node_modules", "site-packages", "venv"}
)
_AUXILIARY_FOLDERS = frozenset({"alembic", "migrations", "scripts", "test", "tests"})
_TOO_DEEP = "the code is nested too deeply to be checked"
# Fields that hold text, numbers, or operators and contexts, which trees share.
_PLAIN_FIELDS = frozenset(
    {
        "arg", "asname", "attr", "conversion", "ctx", "id", "is_async", "kind", "kwd_attrs",
        "level", "module", "name", "op", "ops", "rest", "simple", "type_comment", "type_ignores",
    }
)  # fmt: skip

_LEAVES = frozenset({ast.Constant, ast.Global, ast.MatchSingleton, ast.Nonlocal})

_Node = TypeVar("_Node", bound=ast.AST)

Function = ast.FunctionDef | ast.AsyncFunctionDef
Assignment = ast.Assign | ast.AnnAssign


@frozen
class Problem:
    """Why a file or folder could not be checked; line and column from 1, where known.

    Attributes:
        message: What is wrong, without a full stop.
        line: Line from 1.
        column: Column from 1.
        is_syntax: Whether the text is not Python, as opposed to not readable.
    """

    message: str
    line: int | None = None
    column: int | None = None
    is_syntax: bool = False


class Index:
    """Every node of a syntax tree by its type, and each node's parent; made in one walk.

    Attributes:
        depth: Number of nodes on the longest way from the root to a leaf.
    """

    def __init__(self, tree: ast.Module) -> None:
        self._by_type: dict[type[ast.AST], list[ast.AST]] = defaultdict(list)
        self._parents: dict[ast.AST, ast.AST] = {}
        self.depth = 0
        self._walk(tree)

    def of(self, kind: type[_Node]) -> list[_Node]:
        """Return every node of exactly this type, in the order of the source."""
        return self._by_type.get(kind, [])  # type: ignore[return-value]  # keyed by the type

    @cached_property
    def functions(self) -> list[Function]:
        """Every `def` and `async def`, in the order of the source."""
        found: list[Function] = [*self.of(ast.FunctionDef), *self.of(ast.AsyncFunctionDef)]
        return sorted(found, key=lambda node: (node.lineno, node.col_offset))

    def function_named(self, name: str) -> Function | None:
        """Return the first function of this name, wherever it is defined."""
        return self._functions_by_name.get(name)

    @cached_property
    def _functions_by_name(self) -> dict[str, Function]:
        return {node.name: node for node in reversed(self.functions)}

    @cached_property
    def assignments(self) -> list[Assignment]:
        """Every plain and every annotated assignment, in the order of the source."""
        found: list[Assignment] = [*self.of(ast.Assign), *self.of(ast.AnnAssign)]
        return sorted(found, key=lambda node: (node.lineno, node.col_offset))

    def parent(self, node: ast.AST) -> ast.AST | None:
        """Return the node that holds another, or None for the root."""
        return self._parents.get(node)

    def ancestors(self, node: ast.AST) -> Iterator[ast.AST]:
        """Yield the nodes around a node, innermost first."""
        around = self._parents.get(node)
        while around is not None:
            yield around
            around = self._parents.get(around)

    def _walk(self, tree: ast.Module) -> None:
        by_type, parents = self._by_type, self._parents
        stack: list[tuple[ast.AST, int]] = [(tree, 1)]
        deepest = 0
        while stack:
            node, depth = stack.pop()
            by_type[node.__class__].append(node)
            if depth > deepest:  # noqa: PLR1730  # max() costs a tenth of the walk
                deepest = depth
            depth += 1
            for child in children_of(node):
                parents[child] = node
                stack.append((child, depth))
        self.depth = deepest


class _FieldsWithNodes(dict[type[ast.AST], tuple[str, ...]]):
    """The fields of each node type that may hold further nodes, last first."""

    def __missing__(self, kind: type[ast.AST]) -> tuple[str, ...]:
        fields = tuple(name for name in reversed(kind._fields) if name not in _PLAIN_FIELDS)
        self[kind] = () if kind in _LEAVES else fields
        return self[kind]


_FIELDS_WITH_NODES = _FieldsWithNodes()


def children_of(node: ast.AST) -> list[ast.AST]:
    """Return the nodes directly inside another, last first, as a stack takes them.

    Several times quicker than `ast.iter_child_nodes`; operators and contexts are left out.
    """
    found: list[ast.AST] = []
    for name in _FIELDS_WITH_NODES[node.__class__]:
        value = getattr(node, name)
        if value.__class__ is list:
            found += [item for item in reversed(value) if item is not None]
        elif value is not None:
            found.append(value)
    return found


def targets_of(node: Assignment) -> list[ast.expr]:
    """Return what an assignment assigns to."""
    return node.targets if isinstance(node, ast.Assign) else [node.target]


@frozen
class Imported:
    """What a name that a module imports stands for.

    Attributes:
        level: Number of leading dots.
        module: Dotted name of the module; may be empty after dots.
        name: The name in that module, or None where the module itself is meant.
    """

    level: int
    module: str
    name: str | None = None

    @property
    def dotted(self) -> str:
        """The full dotted name, such as `datetime.datetime`; dots in front where relative."""
        path = "." * self.level + self.module
        if self.name is None:
            return path
        return f"{path}.{self.name}" if self.module else path + self.name


@dataclass(frozen=True)
class Module:
    """One Python file.

    Attributes:
        path: POSIX path relative to the checked folder.
        text: The file's text; empty where it could not be read.
        tree: The syntax tree, or None where the file could not be read or parsed. It is never
            deeper than `MAX_DEPTH`.
        problem: Why there is no tree.
    """

    path: str
    text: str
    tree: ast.Module | None
    problem: Problem | None = None

    @cached_property
    def lines(self) -> list[str]:
        """The text's lines as Python counts them, without their ends."""
        return self.text.replace("\r\n", "\n").replace("\r", "\n").split("\n")

    @cached_property
    def index(self) -> Index:
        """The tree's nodes by type; empty where there is no tree."""
        return Index(self.tree or ast.Module(body=[], type_ignores=[]))

    @cached_property
    def imported(self) -> dict[str, Imported]:
        """What each imported name stands for, wherever in the file it is imported."""
        found: dict[str, Imported] = {}
        for node in self.index.of(ast.Import):
            for alias in node.names:
                dotted = alias.name if alias.asname else alias.name.partition(".")[0]
                found[alias.asname or dotted] = Imported(0, dotted)
        for source in self.index.of(ast.ImportFrom):
            for alias in source.names:
                target = Imported(source.level, source.module or "", alias.name)
                found[alias.asname or alias.name] = target
        return found

    def qualified(self, node: ast.AST | None) -> str:
        """Return the full dotted name that a name or attribute stands for.

        `dt.now` is `datetime.datetime.now` after `from datetime import datetime as dt`. What is
        not imported keeps its own name; anything but a dotted name gives an empty text.
        """
        attributes: list[str] = []
        while isinstance(node, ast.Attribute):
            attributes.append(node.attr)
            node = node.value
        if not isinstance(node, ast.Name):
            return ""
        imported = self.imported.get(node.id)
        first = imported.dotted if imported else node.id
        return ".".join([first, *reversed(attributes)])

    @cached_property
    def folder(self) -> PurePosixPath:
        """The folder that holds the file."""
        return PurePosixPath(self.path).parent

    @property
    def is_package(self) -> bool:
        """Whether the file is a package's `__init__.py`."""
        return PurePosixPath(self.path).name == "__init__.py"


@dataclass(frozen=True)
class Project:
    """A folder of Python files, each parsed once.

    Attributes:
        root: The checked folder.
        modules: Every Python file by its path, sorted.
        import_root: The folder on Python's path when the app runs, relative to `root`.
        problems: Folders that could not be read, by their path.
    """

    root: Path
    modules: Mapping[str, Module]
    import_root: PurePosixPath = field(default=PurePosixPath())
    problems: Mapping[str, Problem] = field(default_factory=dict)
    _resolved: dict[tuple[str, PurePosixPath | None, int], Module | None] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    @cached_property
    def folders(self) -> frozenset[str]:
        """Every folder that holds a module, at any depth, relative to the root."""
        return frozenset(
            str(parent) for path in self.modules for parent in PurePosixPath(path).parents
        )

    @cached_property
    def roots(self) -> tuple[PurePosixPath, ...]:
        """The folders on Python's path when the app runs: the import root first.

        A module that changes `sys.path` adds its folder and those above it, because where
        exactly it points is known only at run time.
        """
        added = [
            folder
            for module in self.modules.values()
            if "sys.path" in module.text
            for folder in (module.folder, *module.folder.parents)
        ]
        return tuple(dict.fromkeys((self.import_root, *added)))

    def resolve(self, dotted: str, importer: Module, level: int = 0) -> Module | None:
        """Return the module that an import statement names, or None.

        Args:
            dotted: The dotted name, such as `routes.tasks`; may be empty for `from . import x`.
            importer: The module that holds the statement.
            level: Number of leading dots.

        Returns:
            The module, where it is a file of the project that Python finds in the same way:
            from `roots` for an absolute name, from the importer's package for a relative one.
        """
        place = (dotted, importer.folder if level else None, level)
        if place not in self._resolved:
            found = (self.module_at(base, dotted) for base in self.bases(importer, level))
            self._resolved[place] = next(filter(None, found), None)
        return self._resolved[place]

    def is_namespace(self, dotted: str, importer: Module, level: int = 0) -> bool:
        """Tell whether an import names a folder of the project without `__init__.py`."""
        parts = dotted.split(".") if dotted else []
        return any(
            str(base.joinpath(*parts)) in self.folders for base in self.bases(importer, level)
        )

    def bases(self, importer: Module, level: int) -> tuple[PurePosixPath, ...]:
        """Return the folders in which an import's first name is looked up, first to last."""
        if not level:
            return self.roots
        above = (importer.folder, *importer.folder.parents)
        return above[level - 1 : level]

    def module_at(self, base: PurePosixPath, dotted: str) -> Module | None:
        """Return the module of this dotted name below a folder, or None."""
        stem = base.joinpath(*dotted.split(".")) if dotted else base
        package = self.modules.get(str(stem / "__init__.py"))
        # A package wins over a module of the same name, as in Python.
        return package or (self.modules.get(f"{stem}.py") if dotted else None)


def is_auxiliary(path: str) -> bool:
    """Tell whether a file serves development: a test, a migration or a script."""
    pure = PurePosixPath(path)
    return (
        not _AUXILIARY_FOLDERS.isdisjoint(pure.parts[:-1])
        or pure.name == "conftest.py"
        or pure.stem.startswith("test_")
        or pure.stem.endswith("_test")
    )


def load_project(root: Path) -> Project:
    """Read and parse every Python file below a folder.

    Virtual environments, dot-folders, caches and build output are left out, and symbolic links
    to folders are not followed. A file that cannot be read or parsed is kept, with its problem.
    """
    paths, problems = _files(root)
    modules = {module.path: module for module in (_read(root, path) for path in paths)}
    return Project(root=root, modules=modules, problems=problems)


def parse_module(path: str, text: str) -> Module:
    """Parse one file's text with the grammar of the oldest supported Python."""
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        problem = Problem("the text holds a null character", line, 1, is_syntax=True)
        return Module(path, text, None, problem)
    try:
        tree = _parse(path, text)
    except SyntaxError as error:
        problem = Problem(error.msg, error.lineno or 1, max(error.offset or 1, 1), is_syntax=True)
        return Module(path, text, None, problem)
    except ValueError as error:  # half a character, which only text from memory can hold
        return Module(path, text, None, Problem(str(error), 1, 1, is_syntax=True))
    except (RecursionError, MemoryError):
        return Module(path, text, None, Problem(_TOO_DEEP))
    module = Module(path, text, tree)
    if module.index.depth > MAX_DEPTH:
        return Module(path, text, None, Problem(_TOO_DEEP))
    return module


def _parse(path: str, text: str) -> ast.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(text, filename=path, feature_version=GRAMMAR)


def _read(root: Path, path: Path) -> Module:
    relative = _printable(path.relative_to(root))
    try:
        status = path.stat()
        if path.is_symlink() and not path.resolve().is_relative_to(root.resolve()):
            return _unread(relative, "the file is a symbolic link that leads out of the backend")
        if not stat.S_ISREG(status.st_mode):
            return _unread(relative, "this is not a regular file")
        if status.st_size > MAX_BYTES:
            return _unread(relative, f"the file is larger than {MAX_BYTES:,} bytes")
        raw = path.read_bytes()
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        return Module(relative, "", None, Problem("the file is not UTF-8 text", line, 1))
    except (OSError, RuntimeError) as error:  # RuntimeError: a symbolic link to itself
        reason = getattr(error, "strerror", None) or "unknown error"
        return _unread(relative, f"the file cannot be read: {reason}")
    foreign = foreign_encoding(raw)
    if foreign is not None:
        message = f"the file declares {foreign[0]}, so Python runs other code than stands here"
        return Module(relative, "", None, Problem(message, foreign[1], 1))
    return parse_module(relative, text)


def _unread(path: str, reason: str) -> Module:
    return Module(path, "", None, Problem(reason))


def _printable(path: Path) -> str:
    # A file name is bytes; what is not text must not break a report.
    return path.as_posix().encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _files(root: Path) -> tuple[list[Path], dict[str, Problem]]:
    found: list[Path] = []
    problems: dict[str, Problem] = {}

    def note(error: OSError) -> None:
        folder = Path(error.filename)
        where = _printable(folder.relative_to(root)) if folder.is_relative_to(root) else ""
        reason = error.strerror or "unknown error"
        problems[where] = Problem(f"the folder cannot be read: {reason}")

    for folder, names, files in os.walk(root, onerror=note):
        names[:] = sorted(
            name
            for name in names
            if not (name.startswith(".") or name in _SKIPPED_FOLDERS)
            and not Path(folder, name, "pyvenv.cfg").exists()
        )
        found += [Path(folder, name) for name in files if name.endswith(".py")]
    return sorted(found), problems
