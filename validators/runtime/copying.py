"""Copies a backend for the sandbox: its code and data, none of its secrets."""

import os
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
    target.mkdir()
    try:
        entries = list(os.scandir(source))
    except OSError:
        return
    for entry in entries:
        if entry.is_dir(follow_symlinks=False) and not _is_skipped(entry):
            copy_backend(Path(entry.path), target / entry.name)
        elif entry.is_file(follow_symlinks=False) and not _is_left_out(entry):
            (target / entry.name).write_bytes(Path(entry.path).read_bytes())


def _is_skipped(folder: os.DirEntry[str]) -> bool:
    name = folder.name
    if name.startswith(".") or name in _SKIPPED_FOLDERS:
        return True
    return os.path.exists(f"{folder.path}/pyvenv.cfg")  # noqa: PTH110 - as `scandir` has it


def _is_left_out(file: os.DirEntry[str]) -> bool:
    return _is_secret(file.name) or file.stat().st_size > _MOST_BYTES_OF_A_FILE


def _is_secret(name: str) -> bool:
    if name.endswith(_EXAMPLES):
        return False
    return name == ".env" or name.startswith(".env.") or name.endswith((".env", ".pem", ".key"))
