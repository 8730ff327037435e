"""Imports the backend as a server would, without our own packages in its way."""

import importlib
import importlib.abc
import importlib.machinery
import os
import sys
from collections.abc import Sequence
from types import ModuleType
from typing import Any

# What the interpreter itself cannot do without, once it has started.
_NEVER_FORGOTTEN = frozenset(
    {"__main__", "sys", "builtins", "os", "site", "importlib", "encodings"}
)


class _OwnNamesHidden(importlib.abc.MetaPathFinder):
    """Finds some top-level names in the backend only, wherever else they are installed."""

    def __init__(self, names: Sequence[str], folder: str) -> None:
        self._names = frozenset(names)
        self._folder = folder

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        del path
        if fullname not in self._names:
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, [self._folder], target)
        if spec is None:
            raise ModuleNotFoundError(f"No module named {fullname!r}", name=fullname)
        return spec


def prepare_imports(folder: str, hidden_folder: str, hidden_names: Sequence[str]) -> None:
    """Put the backend first on Python's path, and our own packages nowhere.

    Args:
        folder: The backend's import root.
        hidden_folder: Folder that holds our packages.
        hidden_names: The names of our packages.
    """
    os.chdir(folder)
    forget_shadowed(folder)
    sys.path[:] = [folder, *(entry for entry in sys.path if not _is(entry, hidden_folder))]
    sys.meta_path.insert(0, _OwnNamesHidden(hidden_names, folder))
    sys.argv = ["uvicorn"]


def forget_shadowed(folder: str) -> None:
    """Forget imported modules of whose names the backend has its own.

    A backend's own `jwt.py` comes before the library of that name, which was imported already.
    """
    own = {name.removesuffix(".py") for name in os.listdir(folder)}  # noqa: PTH208
    for name in list(sys.modules):
        top = name.partition(".")[0]
        if top in own and top not in _NEVER_FORGOTTEN:
            del sys.modules[name]


def load_app(module: str, attribute: str, is_factory: bool) -> Any:  # noqa: ANN401, FBT001
    """Import the module and return its app; errors of the backend pass through."""
    found: Any = importlib.import_module(module)
    for part in attribute.split("."):
        found = getattr(found, part)
    return found() if is_factory else found


def _is(entry: str, folder: str) -> bool:
    # A folder of site-packages also holds the backend's libraries: the finder hides our names.
    return os.path.realpath(entry) == folder and not entry.endswith(
        ("site-packages", "dist-packages")
    )
