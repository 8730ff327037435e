"""The parent's handle on a command that runs under `guard.py`."""

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from validators.runtime.limits import MEGABYTE

_GUARD = Path(__file__).with_name("guard.py")
_SECONDS_TO_END = 5.0
_UNLIMITED = 2**62


@dataclass(frozen=True, slots=True)
class Order:
    """What to run, and what it may use.

    Attributes:
        command: The program's absolute path and its arguments.
        env: Its whole environment.
        cwd: Where it starts.
        folder: Removed when the command has ended; None keeps everything.
        network: Whether it keeps the machine's network.
        seconds: Wall-clock time after which it is killed.
        memory_mb: Resident memory of all its processes together.
        processes: Number of processes at one time.
        descriptors: File descriptors that it inherits.
        user: User to become where the guard runs as root and has no namespaces.
    """

    command: Sequence[str]
    env: Mapping[str, str]
    cwd: Path
    folder: Path | None = None
    network: bool = False
    seconds: float = 86400.0
    memory_mb: int | None = None
    processes: int = 4096
    descriptors: tuple[int, ...] = ()
    user: int | None = None


@dataclass
class Guarded:
    """A running command. Closing it, or the end of this process, ends the command's whole tree.

    Attributes:
        process: The guard.
        status: Read end of the guard's status pipe.
        layers: Sandbox layers that the kernel granted, once the guard has said so.
        end: How the command ended: `{"exit": code}`, `{"signal": number}` or
            `{"stopped": "time" | "memory" | "processes"}`; None while it runs.
    """

    process: subprocess.Popen[bytes]
    status: int
    layers: list[str] = field(default_factory=list)
    end: dict[str, int | str] | None = None
    _pending: bytes = b""

    @classmethod
    def start(cls, order: Order, output: int) -> Self:
        """Start a command; what it prints goes to the descriptor `output`."""
        status_read, status_write = os.pipe()
        config = {
            "command": list(order.command),
            "env": dict(order.env),
            "cwd": str(order.cwd),
            "folder": str(order.folder) if order.folder else "",
            "network": order.network,
            "seconds": order.seconds,
            "memory": order.memory_mb * MEGABYTE if order.memory_mb else _UNLIMITED,
            "processes": order.processes,
            "status_fd": status_write,
            **({} if order.user is None else {"user": order.user}),
        }
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", str(_GUARD), json.dumps(config)],
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=output,
            pass_fds=(status_write, *order.descriptors),
            start_new_session=True,
            env={},
        )
        os.close(status_write)
        os.set_blocking(status_read, False)
        return cls(process, status_read)

    def read_status(self) -> None:
        """Take in what the guard has said so far; never blocks."""
        with contextlib.suppress(BlockingIOError):
            while part := os.read(self.status, 4096):
                self._pending += part
        *lines, self._pending = self._pending.split(b"\n")
        for line in lines:
            message = json.loads(line)
            self.layers = message.pop("layers", self.layers)
            if message:
                self.end = message

    def close(self) -> None:
        """End the command and everything that it started, and remove its folder."""
        if self.process.stdin is not None:
            self.process.stdin.close()
        try:
            self.process.wait(_SECONDS_TO_END)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        if self.status >= 0:
            self.read_status()
            os.close(self.status)
            self.status = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
