"""The standard library and the installed packages of an interpreter, read without importing."""

import ast
import os
import re
import sys
import warnings
from collections.abc import Iterator
from enum import Enum
from functools import cache, cached_property, lru_cache
from pathlib import Path

from validators.frozen import frozen
from validators.imports.interpreter import Interpreter, is_own_room
from validators.names import Names, collect

_EXTENSIONS = (".so", ".pyd")
# Every module has these.
_MODULE_ATTRIBUTES = frozenset(
    {"__dict__", "__doc__", "__file__", "__loader__", "__name__", "__package__", "__spec__"}
)
_PACKAGE_ATTRIBUTES = frozenset({"__path__"})
# In a docstring it would define a name too many, which only keeps a finding back.
_DEFINITION = re.compile(r"^(?:async def|class|def) +(\w+)", re.MULTILINE)


class Answer(Enum):
    """Whether a name exists."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


@frozen
class Located:
    """Where a module of the library is.

    Attributes:
        dotted: Its name.
        source: Its Python file; None for a compiled module or a folder without `__init__.py`.
        folders: Where its submodules are; empty for a module that is no package.
        is_compiled: Whether only the interpreter can tell what is in it.
    """

    dotted: str
    source: Path | None = None
    folders: tuple[Path, ...] = ()
    is_compiled: bool = False


class Library:
    """All modules that a backend can import besides its own."""

    def __init__(self, interpreter: Interpreter) -> None:
        self.interpreter = interpreter
        self._found: dict[str, Located | None] = {}

    def find(self, dotted: str) -> Located | None:
        """Return where a module is, or None where there is none of this name."""
        if dotted not in self._found:
            self._found[dotted] = self._find(dotted)
        return self._found[dotted]

    def top_level(self) -> set[str]:
        """Return the names of all top-level modules, for suggestions."""
        names = {name for folder in self.interpreter.paths for name in _modules_in(folder)}
        return {name for name in names | self.interpreter.standard if name.isidentifier()}

    @cached_property
    def has_hooks(self) -> bool:
        """Whether installed packages extend the import system, so that more can exist."""
        return any(
            entry.startswith("__editable__") and entry.endswith((".pth", "_finder.py"))
            for folder in self.interpreter.paths
            for entry in _entries(folder)
        )

    def may_have_module(self, parent: str) -> bool:
        """Tell whether a package may make modules that are no files in its folder."""
        located = self.find(parent)
        if located is None or located.is_compiled:
            return located is not None
        return located.source is not None and _read_names(located.source).is_open

    def has(self, dotted: str, name: str) -> Answer:
        """Tell whether `from dotted import name` works, for a module that was found."""
        return self._has(dotted, name, frozenset())

    def binds_only_submodule(self, dotted: str, name: str) -> bool:
        """Tell whether `from dotted import name` can give nothing but a submodule."""
        located = self.find(dotted)
        if located is None or self.find(f"{dotted}.{name}") is None:
            return False
        return located.source is None or name not in _read_names(located.source).bound

    def names(self, dotted: str) -> set[str]:
        """Return the names of a module that can be read, for suggestions."""
        located = self.find(dotted)
        if located is None or located.source is None:
            return self.submodules(dotted)
        names = _read_names(located.source)
        return names.bound | (names.public or set()) | self.submodules(dotted)

    def submodules(self, dotted: str) -> set[str]:
        """Return the names of a package's modules, for suggestions."""
        located = self.find(dotted)
        folders = located.folders if located else ()
        return {name for folder in folders for name in _modules_in(folder)} - {"__init__"}

    def _find(self, dotted: str) -> Located | None:
        parent, _, name = dotted.rpartition(".")
        if not parent:
            if name in self.interpreter.builtins:
                return Located(name, is_compiled=True)
            return _search(dotted, name, self.interpreter.paths)
        package = self.find(parent)
        if package is None or not package.folders:
            return self._find_attribute(dotted)
        return _search(dotted, name, package.folders) or self._find_attribute(dotted)

    def _find_attribute(self, dotted: str) -> Located | None:
        # `os.path` is a module that os puts into sys.modules itself.
        if self._is_loaded(dotted) or dotted == "os.path":
            return Located(dotted, is_compiled=True)
        return None

    def _is_loaded(self, dotted: str) -> bool:
        is_standard = dotted.partition(".")[0] in self.interpreter.standard
        return self.interpreter.is_ours and is_standard and dotted in sys.modules

    def _has(self, dotted: str, name: str, seen: frozenset[str]) -> Answer:
        located = self.find(dotted)
        if located is None or dotted in seen:
            return Answer.NO
        if self.find(f"{dotted}.{name}") is not None or name in _MODULE_ATTRIBUTES:
            return Answer.YES
        if self._is_loaded(dotted):
            return Answer.YES if hasattr(sys.modules[dotted], name) else Answer.NO
        if located.is_compiled:
            return Answer.UNKNOWN
        if located.source is None:
            return Answer.NO
        if located.folders and name in _PACKAGE_ATTRIBUTES:
            return Answer.YES
        return self._has_in_source(located, name, seen | {dotted})

    def _has_in_source(self, located: Located, name: str, seen: frozenset[str]) -> Answer:
        assert located.source is not None  # noqa: S101  # checked by the only caller
        if name in _defined_names(located.source):
            return Answer.YES
        names = _read_names(located.source)
        if name in names.bound or name in names.lazy or name in (names.public or ()):
            return Answer.YES
        answer = Answer.UNKNOWN if names.is_open else Answer.NO
        for level, target in names.stars:
            module = _absolute(located, level, target)
            found = self._has_in_star(module, name, seen)
            if found is Answer.YES:
                return found
            if found is Answer.UNKNOWN:
                answer = found
        return answer

    def _has_in_star(self, module: str, name: str, seen: frozenset[str]) -> Answer:
        located = self.find(module)
        if located is None:
            # Another platform's module behind a condition, such as `from nt import *`.
            return Answer.NO
        if located.source is not None and not self._is_loaded(module):
            public = _read_names(located.source).public
            if public is None and name.startswith("_"):
                return Answer.NO
        return self._has(module, name, seen)


@cache
def library_of(interpreter: Interpreter) -> Library:
    """Return the library of an interpreter; the same one each time, as it remembers files."""
    return Library(interpreter)


def _absolute(located: Located, level: int, target: str) -> str:
    if not level:
        return target
    parts = located.dotted.split(".")
    # Of a package's __init__ one dot is the package itself.
    kept = parts[: len(parts) - level + bool(located.folders)]
    return ".".join([*kept, target] if target else kept)


def _search(dotted: str, name: str, folders: tuple[Path, ...]) -> Located | None:
    namespaces: list[Path] = []
    for folder in folders:
        if is_own_room(folder, name):
            continue
        found = _in_folder(dotted, name, folder)
        if found is not None:
            return found
        if name in _entries(folder) and (folder / name).is_dir():
            namespaces.append(folder / name)
    return Located(dotted, folders=tuple(namespaces)) if namespaces else None


def _in_folder(dotted: str, name: str, folder: Path) -> Located | None:
    entries = _entries(folder)
    inside = _entries(folder / name) if name in entries else frozenset[str]()
    if "__init__.py" in inside:
        return Located(dotted, folder / name / "__init__.py", (folder / name,))
    if any(_is_extension(entry, "__init__") for entry in inside):
        return Located(dotted, folders=(folder / name,), is_compiled=True)
    if any(_is_extension(entry, name) for entry in entries):
        return Located(dotted, is_compiled=True)
    if f"{name}.py" in entries:
        return Located(dotted, folder / f"{name}.py")
    return None


def _is_extension(entry: str, name: str) -> bool:
    return entry.startswith(f"{name}.") and entry.endswith(_EXTENSIONS)


def _modules_in(folder: Path) -> Iterator[str]:
    for entry in _entries(folder):
        yield entry.partition(".")[0]


@lru_cache(maxsize=4096)
def _entries(folder: Path) -> frozenset[str]:
    try:
        return frozenset(os.listdir(folder))  # noqa: PTH208  # names only, in bulk
    except OSError:
        return frozenset()


@lru_cache(maxsize=1024)
def _defined_names(source: Path) -> frozenset[str]:
    """Return the functions and classes of a file, without the time that parsing it takes."""
    try:
        return frozenset(_DEFINITION.findall(source.read_text("utf-8", "replace")))
    except OSError:
        return frozenset()


@lru_cache(maxsize=1024)
def _read_names(source: Path) -> Names:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            text = source.read_bytes()
            tree = ast.parse(text)
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return Names(is_open=True)
    return collect(tree, text.decode("utf-8", "replace"))
