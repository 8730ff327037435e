"""The parent's handle on what runs under a guard: PostgreSQL, or a child with a backend."""

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from validators.errors import CheckUnavailableError
from validators.runtime import folders
from validators.runtime.limits import MEGABYTE
from validators.runtime.template import Template

_GUARD = Path(__file__).parent / "child" / "guard.py"
_SECONDS_TO_END = 5.0
_UNLIMITED = 2**62


@dataclass(frozen=True, slots=True)
class Order:
    """How something is run, and what it may use.

    Attributes:
        env: Its whole environment.
        cwd: Where it starts.
        folder: Made by `folders.make`, and removed once this process lets go of the run; None
            keeps everything.
        network: Whether it keeps the machine's network.
        seconds: Wall-clock time after which it is killed.
        memory_mb: Resident memory of all its processes together.
        processes: Number of processes at one time.
        disk_mb: What it may write below `folder`, and to files without a name.
        user: User to become where the guard runs as root and has no namespaces.
    """

    env: Mapping[str, str]
    cwd: Path
    folder: Path | None = None
    network: bool = False
    seconds: float = 86400.0
    memory_mb: int | None = None
    processes: int = 4096
    disk_mb: int | None = None
    user: int | None = None

    def config(self) -> dict[str, Any]:
        """Return the order as the guard reads it."""
        return {
            "env": dict(self.env),
            "cwd": str(self.cwd),
            "folder": str(self.folder) if self.folder else "",
            "network": self.network,
            "seconds": self.seconds,
            "memory": self.memory_mb * MEGABYTE if self.memory_mb else _UNLIMITED,
            "processes": self.processes,
            "disk": self.disk_mb * MEGABYTE if self.disk_mb else _UNLIMITED,
            "user": self.user,
        }


@dataclass
class Guarded:
    """A guarded run. Closing it, or the end of this process, ends all its processes.

    Attributes:
        layers: Sandbox layers that the kernel granted, once the guard has said so.
        end: How the run ended: `{"exit": code}`, `{"signal": number}` or
            `{"stopped": "time" | "memory" | "processes" | "disk"}`; None while it goes on.
        pid: The guard's process, once it has said so.
    """

    _lifeline: int
    _status: int
    _process: subprocess.Popen[bytes] | None = None
    layers: list[str] = field(default_factory=list)
    end: dict[str, int | str] | None = None
    pid: int | None = None
    _pending: bytes = b""
    _has_layers: bool = False

    @classmethod
    def start(cls, command: Sequence[str], order: Order, output: int) -> Self:
        """Start a command; what it prints goes to the descriptor `output`."""
        lifeline_read, lifeline_write = os.pipe()
        status_read, status_write = os.pipe()
        lock = -1 if order.folder is None else folders.lock_of(order.folder)
        fds = {"status_fd": status_write, "lock_fd": lock}
        config = {**order.config(), **fds, "command": list(command)}
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", str(_GUARD), json.dumps(config)],
            stdin=lifeline_read,
            stdout=output,
            stderr=output,
            pass_fds=[each for each in fds.values() if each >= 0],
            start_new_session=True,
            env={},
        )
        os.close(lifeline_read)
        os.close(status_write)
        os.set_blocking(status_read, False)
        return cls(lifeline_write, status_read, process)

    @classmethod
    def fork(
        cls, template: Template, order: Order, folder: Path, output: int, channel: int
    ) -> Self:
        """Fork a child that is told over the descriptor `channel` what to boot."""
        lifeline_read, lifeline_write = os.pipe()
        status_read, status_write = os.pipe()
        try:
            lock = folders.lock_of(folder)
            template.fork(order.config(), [lifeline_read, output, status_write, lock, channel])
        except CheckUnavailableError:
            os.close(lifeline_write)
            os.close(status_read)
            raise
        finally:
            os.close(lifeline_read)
            os.close(status_write)
        os.set_blocking(status_read, False)
        return cls(lifeline_write, status_read)

    @property
    def is_over(self) -> bool:
        """Whether the guard has ended."""
        return self._status < 0 or not self._read_status()

    def refresh(self) -> None:
        """Take in what the guard has said so far; never waits."""
        self._read_status()

    def await_layers(self) -> list[str]:
        """Wait until the guard has said which layers there are, and return them."""
        deadline = time.monotonic() + _SECONDS_TO_END
        while self._read_status() and not self._has_layers and time.monotonic() < deadline:
            select.select([self._status], [], [], _SECONDS_TO_END)
        return self.layers

    def wait(self, seconds: float) -> bool:
        """Wait until the guard has ended, so long at most; tell whether it has."""
        deadline = time.monotonic() + seconds
        while self._status >= 0 and self._read_status():
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            select.select([self._status], [], [], left)
        return True

    def close(self) -> None:
        """End the run and everything that it started, and remove its folder."""
        self.let_go()
        if not self.wait(_SECONDS_TO_END) and self.pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
            self.wait(_SECONDS_TO_END)
        self._stop_listening()
        if self._process is not None:
            self._process.wait()

    def leave(self) -> None:
        """End the run without waiting until everything that it started is gone."""
        self.let_go()
        self._stop_listening()
        if self._process is not None and self._process.returncode is None:
            self._process.returncode = 0  # nobody waits for it

    def let_go(self) -> None:
        """End the run; whoever waits for it learns of its end."""
        lifeline, self._lifeline = self._lifeline, -1
        if lifeline >= 0:
            os.close(lifeline)

    def _stop_listening(self) -> None:
        if self._status >= 0:
            os.close(self._status)
            self._status = -1

    def _read_status(self) -> bool:
        """Take in what the guard has said; False where it has ended."""
        has_ended = True
        try:
            while part := os.read(self._status, 4096):
                self._pending += part
        except BlockingIOError:
            has_ended = False
        self._take_lines()
        return not has_ended

    def _take_lines(self) -> None:
        *lines, self._pending = self._pending.split(b"\n")
        for line in lines:
            message = json.loads(line)
            self.pid = message.pop("pid", self.pid)
            self._has_layers |= "layers" in message
            self.layers = message.pop("layers", self.layers)
            if message:
                self.end = message

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
