"""A backend on disk with changes staged on top: read, stage, diff, apply, undo."""

import difflib
import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from agent import disk
from agent.copying import copy_backend
from agent.errors import InputError
from agent.journal import Change, Journal, Undone, changed_meanwhile
from agent.paths import ROOT, Spellings, collision_key, is_hidden_or_unchecked, path_problem, shown
from agent.place import Place, find_place
from agent.reply import SourceFile, encoding_problem
from validators.report import Finding
from validators.rules import reply as rules


@dataclass(frozen=True, slots=True)
class Applied:
    """What was written, as paths like those of a reply.

    Attributes:
        backend: The folder that `backend/` stands for.
        created: Files that were not there before.
        changed: Files that were replaced.
    """

    backend: Path
    created: tuple[str, ...]
    changed: tuple[str, ...]


_NO_END = "\\ No newline at end of file"


class Workspace:
    """A backend on disk with changes staged on top; made by `Workspace.open`.

    Attributes:
        backend: The folder that `backend/` of a reply stands for; it may not exist yet.
        files: The backend's Python files, sorted by path, paths as in a reply.
        notes: What opening has mended, in sentences; usually empty.
    """

    def __init__(self, place: Place, notes: tuple[str, ...] = ()) -> None:
        self._place = place
        self._journal = Journal(place.home)
        self._read = _read_backend(place.backend)
        self._staged: dict[str, SourceFile] = {}
        self.backend = place.backend
        self.files = tuple(_source_files(self._read))
        self.notes = notes

    @classmethod
    def open(cls, into: Path) -> "Workspace":
        """Read a backend; writes nothing, except to finish a build that was interrupted.

        Args:
            into: The project's folder, which holds or will hold `backend/`, or the backend
                itself. It may not exist yet.

        Raises:
            InputError: The folder cannot be used.
        """
        place = find_place(into)
        notes = Journal(place.home).recover()
        return cls(place, notes)

    @property
    def staged(self) -> tuple[SourceFile, ...]:
        """The staged files, sorted by path."""
        return tuple(self._staged[path] for path in sorted(self._staged))

    def reserved(self) -> AbstractContextManager[None]:
        """Keep other builds out of the folder while this one is at work.

        Raises:
            InputError: Another build is at work, or the folder cannot be written.
        """
        return self._journal.reserved()

    def stage(self, files: Iterable[SourceFile]) -> tuple[Finding, ...]:
        """Put files on top of the backend; later ones replace earlier ones of the same path.

        Returns:
            A finding for each file that may not be written where it wants to; it is not staged.
        """
        findings = []
        for file in files:
            finding = self._obstacle(file)
            if finding is None:
                self._staged[file.path] = file
            else:
                findings.append(finding)
        return tuple(findings)

    def diff(self) -> str:
        """Return the staged changes as a unified diff, sorted by path."""
        return "".join(self._diff_file(file) for file in self.staged)

    @contextmanager
    def materialized(self) -> Iterator[Path]:
        """Make a temporary folder that is the backend with the staged files on top.

        It holds no hidden file (such as `.env`), no virtual environment, no cache and no link
        that leads out of the backend.

        Yields:
            The folder; it is named like the backend and alone in its parent.

        Raises:
            InputError: The backend cannot be copied.
        """
        # Imported here because it loads what only a check of the running app needs.
        from validators.runtime import folders  # noqa: PLC0415

        temporary = folders.make("workspace")
        try:
            parent = temporary.resolve() / "copy"
            parent.mkdir(mode=0o700)  # the user's code is nobody else's to read
            self.materialize(parent / self.backend.name)
            yield parent / self.backend.name
        finally:
            folders.remove(temporary)

    def materialize(self, target: Path) -> None:
        """Write the backend with the staged files on top to a new folder.

        Raises:
            InputError: The backend cannot be copied.
        """
        try:
            target.mkdir(parents=True)
            if self.backend.is_dir():
                copy_backend(self.backend, target)
            for file in self.staged:
                path = target.joinpath(*_names(file.path))
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(file.code.encode())
        except OSError as error:
            message = f"The backend cannot be copied for the check: {disk.reason(error)}."
            raise InputError(message) from error

    def apply(self) -> Applied:
        """Write the staged files: all of them, or none.

        Raises:
            InputError: A file has changed since it was read, or cannot be written; then
                nothing has been changed.
        """
        with self.reserved():
            changes = self._changes()
            if changes:
                self._journal.apply(self._place.root, changes)
        self._staged = {}
        self._read = _read_backend(self.backend)
        self.files = tuple(_source_files(self._read))
        return Applied(
            backend=self.backend,
            created=tuple(change.path for change in changes if change.before is None),
            changed=tuple(change.path for change in changes if change.before is not None),
        )

    def _changes(self) -> list[Change]:
        changes, edited = [], []
        for file in self.staged:
            now = self._on_disk(file.path)
            if (now.digest if now else None) != self._digest(file.path):
                edited.append(file.path)
            raw = file.code.encode()
            if now is None or now.raw != raw:
                changes.append(Change(file.path, now, raw))
        if edited:
            raise changed_meanwhile(edited)
        return changes

    def _on_disk(self, path: str) -> disk.Content | None:
        names = path.split("/") if self._place.root == ROOT else _names(path)
        try:
            return disk.read(self._place.home, names)
        except OSError as error:
            message = f"Nothing was written, because {path} cannot be read"
            raise InputError(f"{message}: {disk.reason(error)}.") from error

    def _digest(self, path: str) -> str | None:
        known = self._read.get(path)
        return None if known is None else disk.digest(known)

    def _diff_file(self, file: SourceFile) -> str:
        raw = self._read.get(file.path)
        old = "" if raw is None else raw.decode("utf-8", "replace")
        lines = difflib.unified_diff(
            _lines(old),
            _lines(file.code),
            "/dev/null" if raw is None else f"a/{file.path}",
            f"b/{file.path}",
        )
        ended = (line if line.endswith("\n") else f"{line}\n{_NO_END}\n" for line in lines)
        return "".join(ended)

    # What stands in a file's way

    def _obstacle(self, file: SourceFile) -> Finding | None:
        problem = path_problem(file.path)
        if problem:
            message = f"The path {shown(file.path)} {problem}."
            return rules.PATH_NOT_ALLOWED.finding(message)
        encoding = encoding_problem(file.code)
        if encoding:
            message = f"{file.path} cannot be stored as UTF-8: {encoding[1]}."
            return rules.NOT_UTF8.finding(message, path=file.path)
        return self._obstacle_on_disk(file.path) or self._obstacle_staged(file.path)

    def _obstacle_on_disk(self, path: str) -> Finding | None:
        names = _names(path)
        folder = self.backend
        for depth, name in enumerate(names):
            twin = _twin(name, _entries(folder))
            if twin:
                message = f"{path} and the existing {twin} are the same on many systems."
                return rules.DUPLICATE_FILE.finding(message, path=path)
            folder = folder / name
            problem = _entry_problem(folder, is_file=depth == len(names) - 1)
            if problem:
                message = f"{path} cannot be written: {'/'.join((ROOT, *names[: depth + 1]))}"
                return rules.PATH_NOT_ALLOWED.finding(f"{message} {problem}.", path=path)
        return None

    def _obstacle_staged(self, path: str) -> Finding | None:
        twins = Spellings(self._staged).twins(path)
        if twins is None:
            return None
        message = f"{twins[0]} and the staged {twins[1]} are the same on many systems."
        return rules.DUPLICATE_FILE.finding(message, path=path)


def undo(into: Path) -> Undone:
    """Take the last build back; again takes back the one before.

    Args:
        into: The same folder as for the build.

    Raises:
        InputError: There is no such folder, or no build in it, or a file of it has been edited
            since; then nothing has been changed.
    """
    place = find_place(into)
    if not place.home.exists():
        raise InputError(f"{into} does not exist.")
    journal = Journal(place.home)
    journal.recover()
    return journal.undo()


def _read_backend(backend: Path) -> dict[str, bytes]:
    """Return the Python files that a reply could name, by their path as in a reply."""
    found: dict[str, bytes] = {}
    try:
        if not _exists(backend):
            return found
        for folder, names, files in os.walk(backend, onerror=_raise):
            names[:] = sorted(name for name in names if not _is_left_out(Path(folder, name)))
            relative = Path(folder).relative_to(backend).parts
            for name in files:
                path = "/".join((ROOT, *relative, name))
                if not path_problem(path):
                    content = _read_regular(backend, (*relative, name))
                    if content is not None:
                        found[path] = content
    except OSError as error:
        where = error.filename if isinstance(error.filename, str) else str(backend)
        raise InputError(f"{where} cannot be read: {disk.reason(error)}.") from error
    return dict(sorted(found.items()))


def _exists(folder: Path) -> bool:
    try:
        mode = folder.stat().st_mode
    except FileNotFoundError:
        return False
    if not stat.S_ISDIR(mode):
        raise InputError(f"{folder} is not a folder.")
    return True


def _read_regular(backend: Path, names: tuple[str, ...]) -> bytes | None:
    if not stat.S_ISREG(backend.joinpath(*names).lstat().st_mode):
        return None
    content = disk.read(backend, names)
    return None if content is None else content.raw


def _is_left_out(folder: Path) -> bool:
    return is_hidden_or_unchecked(folder.name) or (folder / "pyvenv.cfg").exists()


def _raise(error: OSError) -> None:
    raise error


def _source_files(read: dict[str, bytes]) -> Iterator[SourceFile]:
    for path, raw in read.items():
        try:
            yield SourceFile(path, raw.decode())
        except UnicodeDecodeError:
            continue  # the check names it; a model cannot be shown it


def _names(path: str) -> list[str]:
    return path.split("/")[1:]


def _entries(folder: Path) -> list[str]:
    try:
        return disk.names_in(folder)
    except OSError:
        return []  # not there yet, or no folder: the entry itself then says so


def _twin(name: str, entries: list[str]) -> str:
    if name in entries:
        return ""
    key = collision_key(name)
    return next((entry for entry in entries if collision_key(entry) == key), "")


def _entry_problem(path: Path, *, is_file: bool) -> str:
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return ""
    except OSError as error:
        return f"cannot be reached ({disk.reason(error)})"
    if stat.S_ISLNK(mode):
        return "is a symbolic link"
    if is_file:
        return "" if stat.S_ISREG(mode) else "is not a regular file"
    if not stat.S_ISDIR(mode):
        return "is not a folder"
    return "is a virtual environment" if (path / "pyvenv.cfg").exists() else ""


def _lines(text: str) -> list[str]:
    """Split at line feeds only, unlike `str.splitlines`."""
    lines = [f"{line}\n" for line in text.split("\n")]
    last = lines.pop().removesuffix("\n")
    return [*lines, last] if last else lines
