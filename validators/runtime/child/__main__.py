"""The script that the parent starts: loads this folder as a private package and runs it.

The folder is loaded under a name that no backend has, so that a backend's own `agent`,
`validators` or `child` package is what the backend imports.
"""

import importlib
import importlib.util
import sys
from pathlib import Path

_PRIVATE_NAME = "_backendpro_child"
_OLDEST = (3, 11)


def _load() -> None:
    folder = Path(__file__).parent
    spec = importlib.util.spec_from_file_location(
        _PRIVATE_NAME, folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    if spec is None or spec.loader is None:
        sys.exit("the child's own files are missing")
    package = importlib.util.module_from_spec(spec)
    sys.modules[_PRIVATE_NAME] = package
    spec.loader.exec_module(package)


if __name__ == "__main__":
    if sys.version_info < _OLDEST:
        sys.exit(f"Python {sys.version.split()[0]} is too old: backends need 3.11 or later")
    _load()
    importlib.import_module(f"{_PRIVATE_NAME}.template").serve(int(sys.argv[1]))
