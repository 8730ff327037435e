"""Copies a backend for a check, without secrets, environments, caches and links that lead out."""

import os
import shutil
import stat
from pathlib import Path

# A front end built into these may be served by the app, so they are copied although no check
# reads them.
_SERVED = frozenset({"build", "dist"})
_NEVER = frozenset({"__pycache__", "env", "node_modules", "site-packages", "venv"})


def copy_backend(source: Path, target: Path) -> None:
    """Copy a backend's files and folders into an existing, empty folder.

    Hidden entries (`.env`, `.git`, …), virtual environments and caches are left out, and so
    are links that lead out of the source or to something left out, special files, and files
    other than Python's that may not be read.

    Raises:
        OSError: Something cannot be read or written.
    """
    root = source.resolve()
    for folder, names, files in os.walk(root):
        here = target / Path(folder).relative_to(root)
        here.mkdir(exist_ok=True)
        for name in (*names, *files):
            path = Path(folder, name)
            if path.is_symlink() and not _is_left_out(path):
                _copy_link(path, here / name, root)
        names[:] = [
            name
            for name in names
            if not (path := Path(folder, name)).is_symlink() and not _is_left_out(path)
        ]
        for name in files:
            _copy_file(Path(folder, name), here / name)


def _is_left_out(path: Path) -> bool:
    if path.name.startswith(".") or path.name in _NEVER:
        return True
    return (path / "pyvenv.cfg").exists()


def _copy_link(link: Path, copy: Path, root: Path) -> None:
    try:
        goal = link.resolve(strict=True).relative_to(root)
    except (OSError, RuntimeError, ValueError):
        return  # broken, circular, or it leads out
    steps = [root.joinpath(*goal.parts[: depth + 1]) for depth in range(len(goal.parts))]
    if not any(map(_is_left_out, steps)):
        copy.symlink_to(os.path.relpath(root / goal, link.parent))


def _copy_file(path: Path, copy: Path) -> None:
    if path.name.startswith(".") or not stat.S_ISREG(path.lstat().st_mode):
        return
    try:
        shutil.copyfile(path, copy, follow_symlinks=False)
    except PermissionError:
        if path.suffix == ".py":
            raise
