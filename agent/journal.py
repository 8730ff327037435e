"""The builds applied to a backend: each is written as a whole, finished after a kill, undoable.

A build is a folder in `.backendpro/builds` that holds its record, the files as they were and
the files as they shall be. The folder's name tells how far the build has come, and renaming it
is the one step that commits: before it nothing has been touched, after it the next start
finishes what was begun. Nothing in a record is trusted: paths and contents are checked again.
"""

import errno
import os
import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, get_args

from filelock import FileLock, Timeout
from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError

from agent import disk
from agent.errors import InputError
from agent.paths import ROOT, path_problem

STATE_FOLDER = ".backendpro"
KEPT_BUILDS = 20
_ATTEMPTS = 5

Root = Literal["backend", "."]
_State = Literal["preparing", "applying", "applied", "undoing", "discarded"]
_STATES: dict[str, _State] = {state: state for state in get_args(_State)}
_BUILD = re.compile(rf"(\d{{6}})\.({'|'.join(_STATES)})")


def _usable_path(path: str) -> str:
    problem = path_problem(path)
    if problem:
        raise ValueError(f"the path {problem}")
    return path


def _usable_folder(path: str) -> str:
    _usable_path(f"{path}/__init__.py")
    return path


_Part = ConfigDict(frozen=True, extra="forbid")


class Entry(BaseModel):
    """One file of a build, with the SHA-256 of what was there (None: nothing) and what comes."""

    model_config = _Part

    path: Annotated[str, AfterValidator(_usable_path)]
    before: str | None
    after: str


class Record(BaseModel):
    """What a build changes; `journal.json` in the build's folder.

    Attributes:
        version: Version of this schema.
        root: Where the backend lies as seen from the folder that holds `.backendpro`.
        entries: The files, in the order in which they are written.
        folders: The folders that the build creates, outermost first.
    """

    model_config = _Part

    version: Literal[1] = 1
    root: Root
    entries: tuple[Entry, ...]
    folders: tuple[Annotated[str, AfterValidator(_usable_folder)], ...]


@dataclass(frozen=True, slots=True)
class Change:
    """A file to write: its path as in a reply, what is there now, and what shall be."""

    path: str
    before: disk.Content | None
    after: bytes


@dataclass(frozen=True, slots=True)
class Undone:
    """What taking a build back has done, as paths like those of a reply."""

    restored: tuple[str, ...]
    removed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Build:
    number: int
    state: _State
    builds: Path

    @property
    def folder(self) -> Path:
        return self.builds / f"{self.number:06d}.{self.state}"

    def before(self, index: int) -> Path:
        return self.folder / "before" / str(index)

    def after(self, index: int) -> Path:
        return self.folder / "after" / str(index)

    def moved(self, state: _State) -> "_Build":
        build = _Build(self.number, state, self.builds)
        self.folder.rename(build.folder)
        disk.sync_folder(self.builds)
        return build

    def record(self) -> Record:
        path = self.folder / "journal.json"
        content = disk.read(self.folder, ("journal.json",))
        try:
            return Record.model_validate_json(content.raw if content else b"")
        except ValidationError as error:
            raise InputError(
                f"The record of an earlier build cannot be read: {path}",
                f"Another version may have written it. Move {self.folder} away to go on.",
            ) from error


class Journal:
    """The history of builds in one folder.

    Args:
        home: The folder that holds, or will hold, `.backendpro`.
    """

    def __init__(self, home: Path) -> None:
        self._home = home
        self._builds = home / STATE_FOLDER / "builds"
        self._lock = FileLock(
            home / STATE_FOLDER / "lock",
            blocking=False,
            thread_local=False,
            fallback_to_soft=False,
        )

    @contextmanager
    def reserved(self) -> Iterator[None]:
        """Hold the folder for one build at a time; the system frees it when a process dies.

        Raises:
            InputError: Another build holds it, or the folder cannot be written.
        """
        if self._lock.is_locked:
            yield
            return
        missing = [path for path in (self._home, *self._home.parents) if not path.exists()]
        try:
            self._acquire()
        except Timeout as error:
            raise InputError(
                f"Another build is at work in {self._home}.", "Wait until it has finished."
            ) from error
        except OSError as error:
            raise InputError(f"{self._home} cannot be written: {disk.reason(error)}.") from error
        try:
            yield
        finally:
            self._leave_no_empty_folders(missing)
            self._lock.release()

    def recover(self) -> tuple[str, ...]:
        """Finish or take back what a killed process left behind.

        Returns:
            What was done, in sentences; empty where nothing was left.

        Raises:
            InputError: A build is at work, or the remains cannot be used.
        """
        if not any(build.state != "applied" for build in self._list()):
            return ()
        notes: list[str] = []
        with self.reserved(), self._told("An interrupted build could not be finished"):
            for build in self._list():
                notes += self._recover(build)
        return tuple(notes)

    def apply(self, root: Root, changes: Sequence[Change]) -> None:
        """Write files so that either all of them are there or none.

        Args:
            root: Where the backend lies as seen from the home folder.
            changes: The files; what is there now must still be there when they are written.

        Raises:
            InputError: The files cannot be written, or changed meanwhile; all is as it was.
        """
        with self.reserved():
            try:
                build = self._prepare(root, changes)
            except OSError as error:
                self._drop_unfinished()
                raise InputError(f"Nothing was written: {disk.reason(error)}.") from error
            try:
                edited = self._forward(build, build.record())
                if edited:
                    self._take_back(build)
                    raise changed_meanwhile(edited)
                build.moved("applied")
            except OSError as error:
                self._take_back(build)
                raise InputError(
                    f"Nothing was written: {_place(error)}{disk.reason(error)}."
                ) from error
            self._forget_old()

    def undo(self) -> Undone:
        """Take the last build back.

        Raises:
            InputError: There is no build, or a file of it has been edited since.
        """
        with self.reserved(), self._told("The build could not be taken back"):
            build = max(self._list(), key=lambda build: build.number, default=None)
            if build is None:
                raise InputError(f"There is no build to take back in {self._home}.")
            record = build.record()
            self._check_undo(build, record)
            undone = Undone(
                restored=tuple(entry.path for entry in record.entries if entry.before),
                removed=tuple(entry.path for entry in record.entries if not entry.before),
            )
            build = build.moved("undoing")
            self._revert(build, record)
            _discard(build)
            return undone

    # Steps

    def _prepare(self, root: Root, changes: Sequence[Change]) -> _Build:
        """Write the build's folder, and commit it."""
        number = max((build.number for build in self._list()), default=0) + 1
        build = _Build(number, "preparing", self._builds)
        for folder in (build.folder, build.folder / "before", build.folder / "after"):
            folder.mkdir()
        for index, change in enumerate(changes):
            before = change.before
            disk.write_new(build.after(index), change.after, before.stat if before else None)
            if before is not None:
                disk.write_new(build.before(index), before.raw, before.stat)
                times = (before.stat.st_atime_ns, before.stat.st_mtime_ns)
                os.utime(build.before(index), ns=times)
        record = Record(
            root=root,
            entries=tuple(
                Entry(
                    path=change.path,
                    before=change.before.digest if change.before else None,
                    after=disk.digest(change.after),
                )
                for change in changes
            ),
            folders=self._missing_folders(root, changes),
        )
        raw = record.model_dump_json(indent=1).encode()
        disk.write_new(build.folder / "journal.json", raw)
        for folder in (build.folder / "before", build.folder / "after", build.folder):
            disk.sync_folder(folder)
        return build.moved("applying")

    def _forward(self, build: _Build, record: Record) -> list[str]:
        """Write the files that are not written yet; return those that hold an edit."""
        edited = []
        for index, entry in enumerate(record.entries):
            source, parts = build.after(index), _parts(record.root, entry.path)
            if not os.path.lexists(source):
                continue  # written already
            if self._digest(parts) not in (entry.before, entry.after):
                edited.append(entry.path)
                continue
            _check_content(source, entry.after)
            disk.move_into(source, self._home, parts)
        return edited

    def _revert(self, build: _Build, record: Record) -> list[str]:
        """Bring back what was there; return the files that hold an edit and were left."""
        edited = []
        for index, entry in enumerate(record.entries):
            parts = _parts(record.root, entry.path)
            found = self._digest(parts)
            if found == entry.before:
                continue
            if found not in (None, entry.after):
                edited.append(entry.path)
            elif entry.before is None:
                disk.remove(self._home, parts)
            else:
                _check_content(build.before(index), entry.before)
                disk.move_into(build.before(index), self._home, parts)
        for folder in reversed(record.folders):
            disk.remove_folder(self._home, _parts(record.root, folder))
        return edited

    def _digest(self, parts: Sequence[str]) -> str | None:
        """Return the digest of a file, None where there is none, or what matches nothing."""
        try:
            content = disk.read(self._home, parts)
        except (NotADirectoryError, IsADirectoryError):
            return "a link or a folder"
        except OSError as error:
            if error.errno == errno.ELOOP:
                return "a link or a folder"
            raise
        return content.digest if content else None

    def _check_undo(self, build: _Build, record: Record) -> None:
        edited = []
        for index, entry in enumerate(record.entries):
            found = self._digest(_parts(record.root, entry.path))
            if found == entry.before:
                continue
            if found not in (None, entry.after):
                edited.append(entry.path)
            elif entry.before is not None:
                _check_content(build.before(index), entry.before)
        if edited:
            raise InputError(
                f"Nothing was taken back, because edits would be lost: {', '.join(edited)}.",
                "Save your edits elsewhere, or commit them, and bring the files back first.",
            )

    def _recover(self, build: _Build) -> list[str]:
        match build.state:
            case "preparing" | "discarded":
                _discard(build)
                return []
            case "applying":
                edited = self._forward(build, build.record())
                build.moved("applied")
                note = "An interrupted build has been finished."
            case "undoing":
                edited = self._revert(build, build.record())
                _discard(build)
                note = "An interrupted undo has been finished."
            case _:
                return []
        left = f"These files had been edited meanwhile and were left: {', '.join(edited)}."
        return [note, left] if edited else [note]

    def _take_back(self, build: _Build) -> None:
        """Undo a build that could not be applied to its end."""
        try:
            build = build.moved("undoing")
            self._revert(build, build.record())
            _discard(build)
        except OSError as error:
            raise InputError(
                f"The build could neither be finished nor taken back: {disk.reason(error)}.",
                "Mend that; the next start of any command in this folder then finishes it.",
            ) from error

    # Housekeeping

    def _acquire(self) -> None:
        for attempt in reversed(range(_ATTEMPTS)):
            try:
                self._home.mkdir(parents=True, exist_ok=True)
                disk.make_folders(self._home, (STATE_FOLDER,))
                self._lock.acquire()
                self._furnish()
            except (FileNotFoundError, FileExistsError):
                # A build that wrote nothing may be tidying up just now.
                self._lock.release()
                if not attempt:
                    raise
            else:
                return

    def _furnish(self) -> None:
        disk.make_folders(self._home, (STATE_FOLDER, "builds"))
        ignore = self._home / STATE_FOLDER / ".gitignore"
        if not ignore.exists() or not ignore.stat().st_size:
            ignore.unlink(missing_ok=True)
            disk.write_new(ignore, b"*\n")

    def _leave_no_empty_folders(self, missing: Sequence[Path]) -> None:
        """Remove what holding the lock has created, where there is no build to remember."""
        state = self._home / STATE_FOLDER
        with suppress(OSError):
            if disk.names_in(state) != [".gitignore", "builds", "lock"]:
                return
            self._builds.rmdir()
            (state / ".gitignore").unlink()
            # Last of the files, so that whoever then gets a new lock finds nothing half gone.
            (state / "lock").unlink()
            state.rmdir()
            for folder in missing:
                folder.rmdir()

    def _list(self) -> list[_Build]:
        try:
            with disk.opened_folder(self._home, (STATE_FOLDER, "builds")) as folder:
                names = disk.names_in(folder)
        except (FileNotFoundError, NotADirectoryError):
            return []
        matches = filter(None, map(_BUILD.fullmatch, names))
        return [_build(match, self._builds) for match in matches]

    def _missing_folders(self, root: Root, changes: Sequence[Change]) -> tuple[str, ...]:
        missing = set()
        for change in changes:
            names = change.path.split("/")[:-1]
            for depth in range(1, len(names) + 1):
                folder = "/".join(names[:depth])
                if not os.path.lexists(self._home.joinpath(*_parts(root, folder))):
                    missing.add(folder)
        return tuple(sorted(missing))

    def _drop_unfinished(self) -> None:
        for build in self._list():
            if build.state == "preparing":
                shutil.rmtree(build.folder, ignore_errors=True)

    def _forget_old(self) -> None:
        with suppress(OSError):
            for build in self._list()[:-KEPT_BUILDS]:
                _discard(build)

    @contextmanager
    def _told(self, failure: str) -> Iterator[None]:
        """Turn a system's error into a sentence."""
        try:
            yield
        except OSError as error:
            raise InputError(f"{failure}: {_place(error)}{disk.reason(error)}.") from error


def changed_meanwhile(paths: Sequence[str]) -> InputError:
    """Return the error for files that were edited after they had been read."""
    return InputError(
        f"Nothing was written, because files have changed since they were read: "
        f"{', '.join(paths)}.",
        "Build again; the new build starts from the files as they are now.",
    )


def _build(match: re.Match[str], builds: Path) -> _Build:
    return _Build(int(match[1]), _STATES[match[2]], builds)


def _parts(root: Root, path: str) -> tuple[str, ...]:
    """Return the names from the home folder to a path like that of a reply."""
    names = path.split("/")
    return tuple(names if root == ROOT else names[1:])


def _check_content(path: Path, expected: str) -> None:
    content = disk.read(path.parent, (path.name,))
    if content is None or content.digest != expected:
        raise InputError(f"The journal is damaged: {path} does not hold what was saved there.")


def _discard(build: _Build) -> None:
    if build.state != "discarded":
        build = build.moved("discarded")
    shutil.rmtree(build.folder, ignore_errors=True)


def _place(error: OSError) -> str:
    return f"{error.filename}: " if isinstance(error.filename, str) else ""
