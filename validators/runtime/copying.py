"""Copies a backend for the sandbox: its code and data, none of its secrets."""

import os
import shutil
from pathlib import Path

_SKIPPED_FOLDERS = frozenset(
    {"__pycache__", "node_modules", "venv", "env", "site-packages", "build", "dist"}
)
_MOST_BYTES_OF_A_FILE = 16 * 1024 * 1024
_EXAMPLES = (".example", ".sample", ".template", ".dist")


def copy_backend(source: Path, target: Path) -> None:
    """Copy a backend's files.

    Left out: `.env` files, dot-folders such as `.git`, virtual environments, caches, symbolic
    links (they may lead outside) and files above 16 MB.
    """
    for folder, names, files in os.walk(source):
        here = Path(folder)
        names[:] = [name for name in names if not _is_skipped(here / name)]
        copied = target / here.relative_to(source)
        copied.mkdir(parents=True, exist_ok=True)
        for name in files:
            path = here / name
            if _is_secret(name) or path.is_symlink() or not path.is_file():
                continue
            if path.stat().st_size <= _MOST_BYTES_OF_A_FILE:
                shutil.copyfile(path, copied / name)


def _is_skipped(folder: Path) -> bool:
    name = folder.name
    is_environment = (folder / "pyvenv.cfg").exists()
    return name.startswith(".") or name in _SKIPPED_FOLDERS or is_environment or folder.is_symlink()


def _is_secret(name: str) -> bool:
    if name.endswith(_EXAMPLES):
        return False
    return name == ".env" or name.startswith(".env.") or name.endswith((".env", ".pem", ".key"))
