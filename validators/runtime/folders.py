"""Temporary folders that a killed run cannot leave behind for long.

A folder's lock file is held by the process that made it. A folder whose lock is free belongs
to a run that was killed, and the next run removes it.
"""

import atexit
import contextlib
import fcntl
import os
import shutil
import tempfile
from pathlib import Path

_PREFIX = "backendpro-"
_LOCK = "lock"
# The path of a Unix socket may have 107 bytes, the folder's name and the socket's included.
_LONGEST_BASE = 50

_held: dict[Path, int] = {}


def make(purpose: str) -> Path:
    """Make a temporary folder; whoever makes it removes it, or the next run does."""
    _sweep()
    # Locked under a name that the sweep does not look at, and then renamed.
    unnamed = Path(tempfile.mkdtemp(prefix=f"new-{_PREFIX}", dir=_base()))
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
    shutil.rmtree(folder, ignore_errors=True)
    descriptor = _held.pop(folder, None)
    if descriptor is not None:
        os.close(descriptor)


def _base() -> Path:
    base = Path(tempfile.gettempdir())
    return base if len(os.fsencode(base)) <= _LONGEST_BASE else Path("/tmp")  # noqa: S108


def _sweep() -> None:
    for lock in _base().glob(f"{_PREFIX}*/{_LOCK}"):
        with contextlib.suppress(OSError):
            descriptor = os.open(lock, os.O_RDWR | os.O_CLOEXEC)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(lock.parent, ignore_errors=True)
            finally:
                os.close(descriptor)


def _remove_all() -> None:
    for folder in list(_held):
        remove(folder)


atexit.register(_remove_all)
