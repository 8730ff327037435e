"""Temporary folders that a killed run cannot leave behind for long.

A folder's lock file is held by the process that made it. A folder whose lock is free belongs
to a run that was killed, and the next run removes it.
"""

import atexit
import contextlib
import fcntl
import os
import tempfile
from pathlib import Path

from validators.runtime.child.guard import remove_tree
from validators.runtime.limits import MEGABYTE

_IN_MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of one's own is made in it
_PREFIX = "backendpro-"
_LOCK = "lock"
# The path of a Unix socket may have 107 bytes, the folder's name and the socket's included.
_LONGEST_BASE = 50

_held: dict[Path, int] = {}


def make(purpose: str, base: Path | None = None) -> Path:
    """Make a temporary folder; whoever makes it removes it, or the next run does.

    Args:
        purpose: Named in the folder's name.
        base: Where to make it; where temporary files go, if None.
    """
    _sweep(base or _base())
    # Locked under a name that the sweep does not look at, and then renamed.
    unnamed = Path(tempfile.mkdtemp(prefix=f"new-{_PREFIX}", dir=base or _base()))
    descriptor = os.open(unnamed / _LOCK, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    folder = unnamed.with_name(
        f"{_PREFIX}{purpose}-{os.getpid()}-{unnamed.name.rpartition('-')[2]}"
    )
    unnamed.rename(folder)
    folder.chmod(0o755)
    _held[folder] = descriptor
    return folder


def remove(folder: Path) -> None:
    """Remove a folder that `make` made."""
    _remove_contents(folder)
    descriptor = _held.pop(folder, None)
    if descriptor is not None:
        os.close(descriptor)


def lock_of(folder: Path) -> int:
    """Return the descriptor that holds a folder's lock, for a guard to hold as well."""
    return _held[folder]


def leave(folder: Path) -> None:
    """Leave a folder to the guard that holds its lock as well, and removes it."""
    descriptor = _held.pop(folder, None)
    if descriptor is not None:
        os.close(descriptor)


def _base() -> Path:
    base = Path(tempfile.gettempdir())
    return base if len(os.fsencode(base)) <= _LONGEST_BASE else Path("/tmp")  # noqa: S108


def find_fast_base(megabytes: int) -> Path:
    """Return where small files are made fastest: in memory, where there is room for so much."""
    try:
        status = os.statvfs(_IN_MEMORY)
    except OSError:
        return _base()
    has_room = status.f_bavail * status.f_frsize >= megabytes * MEGABYTE
    return _IN_MEMORY if has_room and os.access(_IN_MEMORY, os.W_OK) else _base()


def _sweep(base: Path) -> None:
    for lock in base.glob(f"{_PREFIX}*/{_LOCK}"):
        with contextlib.suppress(OSError):
            descriptor = os.open(lock, os.O_RDWR | os.O_CLOEXEC)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                _remove_contents(lock.parent)
            finally:
                os.close(descriptor)


def _remove_contents(folder: Path) -> None:
    # The lock goes last, and stays where something else does: a removal that is cut short is
    # finished by the next run. Only who holds it removes, as two at once may both overlook a file.
    remove_tree(str(folder), _LOCK)


def _remove_all() -> None:
    for folder in list(_held):
        remove(folder)


atexit.register(_remove_all)
