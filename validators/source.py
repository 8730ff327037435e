"""The backend's source, parsed once: modules and imports as all static checks see them."""

import ast
import os
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path, PurePosixPath

# The oldest Python that a backend must run on, and so the grammar it may use.
GRAMMAR = (3, 11)

_SKIPPED_FOLDERS = frozenset(
    {"__pycache__", "build", "dist", "env", "node_modules", "site-packages", "venv"}
)


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a file could not be parsed; line and column from 1, where known."""

    message: str
    line: int | None = None
    column: int | None = None


@dataclass(frozen=True)
class Module:
    """One Python file.

    Attributes:
        path: POSIX path relative to the checked folder.
        text: The file's text; empty where it could not be read.
        tree: The syntax tree, or None where the file could not be read or parsed.
        problem: Why there is no tree.
    """

    path: str
    text: str
    tree: ast.Module | None
    problem: Problem | None = None

    @cached_property
    def lines(self) -> list[str]:
        """The text's lines, without their ends."""
        return self.text.splitlines()

    @property
    def folder(self) -> PurePosixPath:
        """The folder that holds the file."""
        return PurePosixPath(self.path).parent

    @property
    def is_package(self) -> bool:
        """Whether the file is a package's `__init__.py`."""
        return self.path.endswith("__init__.py")


@dataclass(frozen=True)
class Project:
    """A folder of Python files, each parsed once.

    Attributes:
        root: The checked folder.
        modules: Every Python file by its path, sorted.
        import_root: The folder on Python's path when the app runs, relative to `root`.
    """

    root: Path
    modules: Mapping[str, Module]
    import_root: PurePosixPath = field(default=PurePosixPath())

    @cached_property
    def folders(self) -> frozenset[str]:
        """Every folder that holds a module, at any depth, relative to the root."""
        return frozenset(
            str(parent) for path in self.modules for parent in PurePosixPath(path).parents
        )

    def resolve(self, dotted: str, importer: Module, level: int = 0) -> Module | None:
        """Return the module that an import statement names, or None.

        Args:
            dotted: The dotted name, such as `routes.tasks`; may be empty for `from . import x`.
            importer: The module that holds the statement.
            level: Number of leading dots.

        Returns:
            The module, where it is a file of the project. An absolute name is looked up from
            the import root first, then from the importer's folder outwards, which is how the
            same tree is found when it is run from another folder.
        """
        for base in self._bases(importer, level):
            found = self._at(base, dotted)
            if found is not None:
                return found
        return None

    def is_namespace(self, dotted: str, importer: Module, level: int = 0) -> bool:
        """Tell whether an import names a folder of the project without `__init__.py`."""
        parts = dotted.split(".") if dotted else []
        return any(
            str(base.joinpath(*parts)) in self.folders for base in self._bases(importer, level)
        )

    def _bases(self, importer: Module, level: int) -> Iterator[PurePosixPath]:
        if level:
            base = importer.folder
            for _ in range(level - 1):
                base = base.parent
            yield base
            return
        yield self.import_root
        for parent in (importer.folder, *importer.folder.parents):
            if parent != self.import_root:
                yield parent

    def _at(self, base: PurePosixPath, dotted: str) -> Module | None:
        stem = base.joinpath(*dotted.split(".")) if dotted else base
        package = self.modules.get(str(stem / "__init__.py"))
        # A package wins over a module of the same name, as in Python.
        return package or (self.modules.get(f"{stem}.py") if dotted else None)


def load_project(root: Path) -> Project:
    """Read and parse every Python file below a folder.

    Virtual environments, dot-folders, caches and build output are left out, and symbolic links
    are not followed. A file that cannot be read or parsed is kept, with its problem.
    """
    modules = {module.path: module for module in (_read(root, path) for path in _files(root))}
    return Project(root=root, modules=modules)


def parse_module(path: str, text: str) -> Module:
    """Parse one file's text with the grammar of the oldest supported Python."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text, filename=path, feature_version=GRAMMAR)
    except SyntaxError as error:
        return Module(path, text, None, Problem(error.msg, error.lineno, error.offset))
    except ValueError as error:  # a NUL byte
        return Module(path, text, None, Problem(str(error)))
    except (RecursionError, MemoryError):
        return Module(path, text, None, Problem("the code is nested too deeply to be parsed"))
    return Module(path, text, tree)


def _read(root: Path, path: Path) -> Module:
    relative = path.relative_to(root).as_posix()
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        return Module(relative, "", None, Problem("the file is not UTF-8 text", line, 1))
    except OSError as error:
        reason = error.strerror or "unknown error"
        return Module(relative, "", None, Problem(f"the file cannot be read: {reason}"))
    return parse_module(relative, text)


def _files(root: Path) -> list[Path]:
    found: list[Path] = []
    for folder, names, files in os.walk(root):
        names[:] = [
            name
            for name in names
            if not (name.startswith(".") or name in _SKIPPED_FOLDERS)
            and not Path(folder, name, "pyvenv.cfg").exists()
        ]
        found += [Path(folder, name) for name in files if name.endswith(".py")]
    return sorted(found)
