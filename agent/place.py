"""Where a build lands: the folder that `backend/` of a reply stands for, and its journal's."""

import os
from dataclasses import dataclass
from pathlib import Path

from agent import disk
from agent.errors import InputError
from agent.journal import STATE_FOLDER, Root
from agent.paths import ROOT, shown


@dataclass(frozen=True, slots=True)
class Place:
    """Where a backend lies: at `root`, seen from the folder that holds the journal."""

    home: Path
    root: Root

    @property
    def backend(self) -> Path:
        """The folder that `backend/` of a reply stands for."""
        return self.home / self.root


def find_place(into: Path) -> Place:
    """Find the backend that a folder named by a person is or holds.

    Where the folder is a backend itself (its name is `backend`, or it holds `main.py` and no
    `backend/main.py`), `backend/x.py` of a reply lands at `x.py` in it, otherwise at
    `backend/x.py`.

    Raises:
        InputError: The folder cannot be used.
    """
    try:
        folder = into.resolve()
        _require_folder(folder, into)
        backend = folder / ROOT
        if backend.is_symlink() and folder not in backend.resolve().parents:
            raise InputError(
                f"{into / ROOT} is a link that leads out of {into}.",
                "Name the folder itself with --into.",
            )
        return _place_of(folder)
    except (OSError, RuntimeError, ValueError) as error:
        why = disk.reason(error) if isinstance(error, OSError) else str(error)
        raise InputError(f"The folder {shown(str(into))} cannot be used: {why}.") from error


def _place_of(folder: Path) -> Place:
    backend = folder / ROOT
    is_backend = folder.name == ROOT or (folder / "main.py").exists()
    if is_backend and not (backend / "main.py").exists():
        # The journal of a build that was told the project's folder lies one level higher.
        if folder.name == ROOT and _has_journal(folder.parent) and not _has_journal(folder):
            return Place(folder.parent, ROOT)
        return Place(folder, ".")
    if backend.is_symlink():
        return Place(backend.resolve(), ".")
    # A backend that is mounted, or was built from inside, keeps its journal itself.
    is_apart = backend.is_dir() and backend.stat().st_dev != folder.stat().st_dev
    if is_apart or (_has_journal(backend) and not _has_journal(folder)):
        return Place(backend, ".")
    return Place(folder, ROOT)


def _has_journal(folder: Path) -> bool:
    return (folder / STATE_FOLDER / "builds").is_dir()


def _require_folder(folder: Path, into: Path) -> None:
    for path in (folder, *folder.parents):
        if path.is_dir():
            return
        if os.path.lexists(path):
            raise InputError(f"{shown(str(into))} cannot be used: {path} is not a folder.")
