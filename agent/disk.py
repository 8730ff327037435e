"""Reads and replaces files below one folder, durably and without following symbolic links.

Every folder on the way is opened relative to its parent and without following links, so that a
folder that is swapped for a link between a check and a write cannot lead the write elsewhere.
"""

import hashlib
import os
import shutil
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# Without O_NONBLOCK, opening a named pipe would wait for its writer.
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_CACHE = "__pycache__"


@dataclass(frozen=True, slots=True)
class Content:
    """A file's bytes, with its mode, owner and time."""

    raw: bytes
    stat: os.stat_result

    @property
    def digest(self) -> str:
        """The SHA-256 of the bytes, in hexadecimal."""
        return digest(self.raw)


def digest(raw: bytes) -> str:
    """Return the SHA-256 of the bytes, in hexadecimal."""
    return hashlib.sha256(raw).hexdigest()


def reason(error: OSError) -> str:
    """Say what went wrong, such as "no space left on device"."""
    text = error.strerror or type(error).__name__
    return text[:1].lower() + text[1:]


@contextmanager
def opened_folder(root: Path, parts: Sequence[str]) -> Iterator[int]:
    """Open a folder below the root.

    Args:
        root: A folder; links on the way to it are followed.
        parts: Names from the root down, none of which may be a link.

    Yields:
        The folder's descriptor.

    Raises:
        OSError: A part is missing, a link or not a folder.
    """
    descriptor = os.open(root, _FOLDER & ~os.O_NOFOLLOW)
    try:
        for part in parts:
            inner = os.open(part, _FOLDER, dir_fd=descriptor)
            os.close(descriptor)
            descriptor = inner
        yield descriptor
    finally:
        os.close(descriptor)


def names_in(folder: int | Path) -> list[str]:
    """Return the names in a folder, sorted."""
    with os.scandir(folder) as entries:
        return sorted(entry.name for entry in entries)


def read(root: Path, parts: Sequence[str]) -> Content | None:
    """Read a regular file below the root, or return None where there is none.

    Raises:
        OSError: The file is a link or not a regular file, or cannot be read.
    """
    try:
        with opened_folder(root, parts[:-1]) as folder:
            descriptor = os.open(parts[-1], _FILE, dir_fd=folder)
    except FileNotFoundError:
        return None
    with os.fdopen(descriptor, "rb") as file:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise IsADirectoryError(0, "It is not a regular file", "/".join(parts))
        return Content(file.read(), found)


def make_folders(root: Path, parts: Sequence[str]) -> None:
    """Create the folders below the root that are missing."""
    for depth, name in enumerate(parts):
        with opened_folder(root, parts[:depth]) as parent, suppress(FileExistsError):
            os.mkdir(name, dir_fd=parent)
            os.fsync(parent)
    with opened_folder(root, parts):
        return


def move_into(source: Path, root: Path, parts: Sequence[str]) -> None:
    """Move a file over the one below the root, in one step and durably."""
    make_folders(root, parts[:-1])
    with opened_folder(root, parts[:-1]) as folder:
        os.replace(source, parts[-1], dst_dir_fd=folder)
        os.fsync(folder)


def remove(root: Path, parts: Sequence[str]) -> None:
    """Remove a file below the root, durably."""
    with opened_folder(root, parts[:-1]) as folder:
        os.unlink(parts[-1], dir_fd=folder)
        os.fsync(folder)


def remove_folder(root: Path, parts: Sequence[str]) -> None:
    """Remove a folder below the root unless it holds more than Python's caches."""
    try:
        with opened_folder(root, parts) as folder:
            if names_in(folder) == [_CACHE]:
                shutil.rmtree(_CACHE, dir_fd=folder)
        with opened_folder(root, parts[:-1]) as parent:
            os.rmdir(parts[-1], dir_fd=parent)
            os.fsync(parent)
    except OSError:
        return  # gone already, or in use


def write_new(path: Path, raw: bytes, like: os.stat_result | None = None) -> None:
    """Write a new file durably, with the mode and owner of another one where given.

    Raises:
        OSError: The file exists or cannot be written.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    with os.fdopen(os.open(path, flags, 0o666), "wb") as file:
        file.write(raw)
        if like is not None:
            with suppress(PermissionError):
                os.fchown(file.fileno(), like.st_uid, like.st_gid)
            os.fchmod(file.fileno(), stat.S_IMODE(like.st_mode))
        file.flush()
        os.fsync(file.fileno())


def sync_folder(path: Path) -> None:
    """Make changes of a folder's entries durable."""
    with opened_folder(path, ()) as folder:
        os.fsync(folder)
