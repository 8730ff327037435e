"""Where one boot happens: a folder with a copy of the backend, and a child that waits in it."""

import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from validators.runtime import folders
from validators.runtime.copying import copy_backend
from validators.runtime.limits import Limits
from validators.runtime.process import BackendProcess
from validators.runtime.template import Template


@dataclass(frozen=True, slots=True)
class Sandbox:
    """A guarded child that has not been told yet what to boot, and its folder.

    Attributes:
        folder: The folder; the backend sees two folders of it.
        process: The child.
        made_at: When it was made, on the monotonic clock.
    """

    folder: Path
    process: BackendProcess
    made_at: float

    @classmethod
    def lay_out(cls, backend: Path, template: Template, limits: Limits) -> "Sandbox":
        """Copy a backend, and fork a child for it.

        Raises:
            CheckUnavailableError: The interpreter did not start, or has ended.
        """
        with ExitStack() as closing:
            folder = folders.make("sandbox")
            closing.callback(folders.remove, folder)
            copy_backend(backend, folder / "backend")
            (folder / "home").mkdir()
            process = BackendProcess.start(template, folder, limits)
            closing.pop_all()
        return cls(folder, process, time.monotonic())

    @property
    def copy(self) -> Path:
        """The copy of the backend."""
        return self.folder / "backend"

    @property
    def home(self) -> Path:
        """The home folder of the child."""
        return self.folder / "home"

    def let_go(self) -> None:
        """End the child without waiting; whoever waits for its answer learns of it."""
        self.process.guarded.let_go()

    def leave(self) -> None:
        """Leave the child and the folder to the guard, which ends the one and removes the other."""
        self.process.leave()
        folders.leave(self.folder)
