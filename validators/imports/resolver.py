"""What an import statement of the backend names: its own module, a library's, or nothing."""

import ast
from functools import cached_property
from pathlib import PurePosixPath

from validators.frozen import frozen
from validators.imports.library import Answer, Library
from validators.names import Names, collect, is_type_checking
from validators.source import Module, Project

_CATCHES_IMPORT_ERROR = frozenset(
    {"ImportError", "ModuleNotFoundError", "Exception", "BaseException"}
)


@frozen
class Statement:
    """One imported name, with where and under which condition it is imported.

    Attributes:
        importer: The module that holds the statement.
        node: The statement.
        alias: The part of the statement that names it.
        level: Number of leading dots.
        module: Dotted name after `import` or `from`; may be empty after dots.
        name: The name after `import` in a `from` statement, `*` included, or None.
        fallback_of: The `try` of which this is a handler's import, if any.
        guard: The `try` that catches the import's failure, if any.
        is_typing_only: Whether only type checkers run it.
    """

    importer: Module
    node: ast.Import | ast.ImportFrom
    alias: ast.alias
    level: int
    module: str
    name: str | None
    guard: ast.Try | None = None
    fallback_of: ast.Try | None = None
    is_typing_only: bool = False


@frozen
class Local:
    """A module of the backend, or a folder without `__init__.py` where `module` is None."""

    folder: PurePosixPath
    module: Module | None


@frozen
class Installed:
    """A module of the standard library or of an installed package."""

    dotted: str


@frozen
class Missing:
    """No module: `parent` is the part of the name that exists, `is_local` tells whose it is."""

    parent: str
    part: str
    is_local: bool


Target = Local | Installed | Missing


class Resolver:
    """Finds what imports name, with one memory for the whole check."""

    def __init__(self, project: Project, library: Library) -> None:
        self.project = project
        self.library = library
        self._names: dict[str, Names] = {}
        self._targets: dict[tuple[str, int, str], Target] = {}

    @cached_property
    def statements(self) -> dict[str, list[Statement]]:
        """Every import of every module, by the module's path."""
        return {path: read_statements(module) for path, module in self.project.modules.items()}

    def names_of(self, module: Module) -> Names:
        """Return the names that a module of the backend binds."""
        if module.path not in self._names:
            tree = module.tree or ast.Module(body=[], type_ignores=[])
            self._names[module.path] = collect(tree, module.text)
        return self._names[module.path]

    def target(self, importer: Module, level: int, dotted: str) -> Target:
        """Return what a dotted name means in a module of the backend."""
        place = str(importer.folder) if level else ""
        key = (place, level, dotted)
        if key not in self._targets:
            self._targets[key] = self._find(importer, level, dotted)
        return self._targets[key]

    def has(self, target: Target, name: str) -> Answer:
        """Tell whether `from target import name` finds the name."""
        match target:
            case Installed(dotted=dotted):
                return self.library.has(dotted, name)
            case Local(module=Module() as module):
                return self._has_local(module, name, frozenset())
            case Local():
                return Answer.YES if self.submodule(target, name) else Answer.NO
            case Missing():
                return Answer.NO

    def is_found(self, statement: Statement) -> bool:
        """Tell whether an import certainly does not fail for want of a module or name."""
        target = self.target(statement.importer, statement.level, statement.module)
        if isinstance(target, Missing) or self.leaves_package(statement):
            return False
        if statement.name in (None, "*"):
            return True
        return self.has(target, statement.name or "") is not Answer.NO

    def leaves_package(self, statement: Statement) -> bool:
        """Tell whether a relative import has more dots than there are packages around it."""
        folder, root = statement.importer.folder, self.project.import_root
        if not statement.level or not folder.is_relative_to(root):
            return False
        return statement.level > len(folder.relative_to(root).parts)

    def module_named(self, importer: Module, name: str) -> Local | Installed | None:
        """Return the module that an imported name stands for, or None where it is no module."""
        imported = importer.imported.get(name)
        if imported is None:
            return None
        target = self.target(importer, imported.level, imported.module)
        match target:
            case Missing():
                return None
            case Local() | Installed() if imported.name is None:
                return target
            case Local(module=module):
                if module is not None and imported.name in self.names_of(module).bound:
                    return None
                return self.submodule(target, imported.name or "")
            case Installed(dotted=dotted):
                inner = f"{dotted}.{imported.name}"
                is_module = self.library.binds_only_submodule(dotted, imported.name or "")
                return Installed(inner) if is_module else None

    def is_beside(self, statement: Statement) -> bool:
        """Tell whether the backend has the module, in a folder around the importer."""
        first = statement.module.partition(".")[0]
        folders = (statement.importer.folder, *statement.importer.folder.parents)
        return any(
            self._local_at(folder, first) is not None
            for folder in folders
            if folder not in self.project.roots
        )

    def known_names(self, target: Target) -> set[str]:
        """Return the names of a module that can be read, for suggestions."""
        match target:
            case Installed(dotted=dotted):
                return self.library.names(dotted)
            case Local(folder=folder, module=module):
                names = set(self.names_of(module).bound) if module else set()
                is_package = module is None or module.is_package
                return names | (self._modules_in(folder) if is_package else set())
            case Missing():
                return set()

    def siblings(self, target: Missing) -> set[str]:
        """Return the modules beside a missing module of the backend, for suggestions."""
        folders = [root.joinpath(*target.parent.split(".")) for root in self.project.roots]
        return {name for folder in folders for name in self._modules_in(folder)}

    def top_level(self) -> set[str]:
        """Return the modules of the backend that a plain import finds, for suggestions."""
        return {name for root in self.project.roots for name in self._modules_in(root)}

    @cached_property
    def _children(self) -> dict[PurePosixPath, set[str]]:
        found: dict[PurePosixPath, set[str]] = {}
        for path in (*self.project.modules, *self.project.folders):
            pure = PurePosixPath(path)
            found.setdefault(pure.parent, set()).add(pure.stem)
        return found

    def _modules_in(self, folder: PurePosixPath) -> set[str]:
        return self._children.get(folder, set()) - {"__init__"}

    def submodule(self, package: Local, name: str) -> Local | None:
        """Return a package's module or folder of this name, or None."""
        if package.module is not None and not package.module.is_package:
            return None
        return self._local_at(package.folder, name)

    def _find(self, importer: Module, level: int, dotted: str) -> Target:
        parts = dotted.split(".") if dotted else []
        if level:
            bases = self.project.bases(importer, level)
            if not bases:
                return Missing("." * level, dotted, is_local=True)
            return self._descend(Local(bases[0], self.project.module_at(bases[0], "")), parts, "")
        first = self._first(parts[0])
        if isinstance(first, Local):
            return self._descend(first, parts[1:], parts[0])
        return self._find_installed(dotted)

    def _first(self, name: str) -> Local | None:
        if name in self.library.interpreter.builtins:
            return None
        candidates = [self._local_at(root, name) for root in self.project.roots]
        regular = next((found for found in candidates if found and found.module), None)
        if regular is not None:
            return regular
        # A folder without __init__.py gives way to any real module further down the path.
        return None if self.library.find(name) else next((c for c in candidates if c), None)

    def _find_installed(self, dotted: str) -> Target:
        parts = dotted.split(".")
        for end in range(1, len(parts) + 1):
            if self.library.find(".".join(parts[:end])) is None:
                return Missing(".".join(parts[: end - 1]), parts[end - 1], is_local=False)
        return Installed(dotted)

    def _descend(self, start: Local, parts: list[str], above: str) -> Target:
        here = start
        for part in parts:
            inner = self.submodule(here, part)
            if inner is None:
                return Missing(above, part, is_local=True)
            here, above = inner, f"{above}.{part}".lstrip(".")
        return here

    def _local_at(self, folder: PurePosixPath, name: str) -> Local | None:
        inside = folder / name
        package = self.project.modules.get(str(inside / "__init__.py"))
        if package is not None:
            return Local(inside, package)
        module = self.project.modules.get(f"{inside}.py")
        if module is not None:
            return Local(folder, module)
        return Local(inside, None) if str(inside) in self.project.folders else None

    def _has_local(self, module: Module, name: str, seen: frozenset[str]) -> Answer:
        if module.tree is None:
            return Answer.YES  # its own finding says enough
        names = self.names_of(module)
        package = Local(module.folder, module)
        if name in names.bound or name.startswith("__") or self.submodule(package, name):
            return Answer.YES
        answer = Answer.UNKNOWN if names.is_open else Answer.NO
        for level, dotted in names.stars:
            found = self._has_star(module, level, dotted, name, seen | {module.path})
            if found is Answer.YES:
                return found
            if found is Answer.UNKNOWN:
                answer = found
        return answer

    def _has_star(
        self, module: Module, level: int, dotted: str, name: str, seen: frozenset[str]
    ) -> Answer:
        target = self.target(module, level, dotted)
        if isinstance(target, Local) and target.module is not None:
            if target.module.path in seen:
                return Answer.NO
            public = self.names_of(target.module).public
            if name.startswith("_") if public is None else name not in public:
                return Answer.NO
            return self._has_local(target.module, name, seen)
        return self.has(target, name)


def read_statements(module: Module) -> list[Statement]:
    """Return every import of a module, one entry for each imported name."""
    found: list[Statement] = []
    for node in module.index.of(ast.Import):
        found += [_statement(module, node, alias) for alias in node.names]
    for source in module.index.of(ast.ImportFrom):
        found += [_statement(module, source, alias) for alias in source.names]
    return found


def _statement(module: Module, node: ast.Import | ast.ImportFrom, alias: ast.alias) -> Statement:
    guard: ast.Try | None = None
    fallback_of: ast.Try | None = None
    is_typing_only = False
    inner: ast.AST = node
    for around in module.index.ancestors(node):
        match around:
            case ast.Try(body=body) if inner in body and catches_import_error(around):
                guard = guard or around
            case ast.Try(handlers=handlers) if inner in handlers:
                fallback_of = fallback_of or around
            case ast.If(test=test, body=body) if inner in body and is_type_checking(test):
                is_typing_only = True
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                break
            case _:
                pass
        inner = around
    level, dotted, name = 0, alias.name, None
    if isinstance(node, ast.ImportFrom):
        level, dotted, name = node.level, node.module or "", alias.name
    return Statement(module, node, alias, level, dotted, name, guard, fallback_of, is_typing_only)


def catches_import_error(node: ast.Try) -> bool:
    """Tell whether a `try` goes on after an import in it has failed."""
    return any(_catches(handler.type) for handler in node.handlers)


def _catches(caught: ast.expr | None) -> bool:
    match caught:
        case None:
            return True
        case ast.Tuple(elts=kinds):
            return any(_catches(kind) for kind in kinds)
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name in _CATCHES_IMPORT_ERROR
        case _:
            return False
