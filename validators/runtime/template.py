"""The process that has the backends' libraries imported, one for each interpreter."""

import atexit
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from validators.errors import CheckUnavailableError
from validators.runtime.child import channel

_CHILD = Path(__file__).parent / "child" / "__main__.py"
_SECONDS_TO_START = 60.0
_STATIC = "Check without booting: `backendpro check --static`."


@dataclass
class Template:
    """A process that forks children, each of which boots one backend.

    Attributes:
        python: Its interpreter.
        process: The process.
    """

    python: Path
    process: subprocess.Popen[bytes]
    _control: socket.socket
    _log: IO[bytes]
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _is_ready: bool = False

    @classmethod
    def start(cls, python: Path) -> "Template":
        """Start an interpreter; it imports in the background what backends import."""
        ours, theirs = socket.socketpair()
        log = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the process
        try:
            process = subprocess.Popen(
                [str(python), "-I", str(_CHILD), str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=(theirs.fileno(),),
                start_new_session=True,
                cwd="/",
                env={"PATH": os.defpath, "LANG": "C.UTF-8", "TZ": "UTC"},
            )
        except OSError as error:
            ours.close()
            log.close()
            message = f"The interpreter {python} cannot be run: {error.strerror}."
            raise CheckUnavailableError(message, _STATIC) from error
        finally:
            theirs.close()
        ours.settimeout(_SECONDS_TO_START)
        return cls(python, process, ours, log)

    @property
    def is_alive(self) -> bool:
        """Whether the process can still fork."""
        return self.process.poll() is None

    def fork(self, config: dict[str, Any], descriptors: list[int]) -> None:
        """Fork a guarded child.

        Args:
            config: As the child's guard reads it.
            descriptors: The lifeline, the output, the guard's status and the child's socket.

        Raises:
            CheckUnavailableError: The interpreter did not start, or has ended.
        """
        body = json.dumps(config).encode()
        with self._lock:
            try:
                self._await_ready()
                header = channel.HEADER.pack(len(body))
                socket.send_fds(self._control, [header], descriptors)
                self._control.sendall(body)
                answer = channel.receive(self._control)
            except (OSError, ValueError):
                answer = None
            if answer is None:
                raise self._broken()

    def close(self) -> None:
        """End the process."""
        self._control.close()
        if self.is_alive:
            self.process.kill()
        self.process.wait()
        self._log.close()

    def leave(self) -> None:
        """End the process without waiting until it is gone."""
        self._control.close()
        self.process.kill()
        self.process.returncode = -signal.SIGKILL  # nobody waits for it
        self._log.close()

    def _await_ready(self) -> None:
        if not self._is_ready:
            self._is_ready = channel.receive(self._control) is not None
        if not self._is_ready:
            raise ConnectionError

    def _broken(self) -> CheckUnavailableError:
        self._log.seek(0)
        lines = self._log.read().decode(errors="replace").strip().splitlines()
        said = lines[-1] if lines else "it ended without a word"
        return CheckUnavailableError(
            f"The interpreter {self.python} cannot boot backends: {said}", _STATIC
        )


_templates: dict[Path, Template] = {}
_templates_lock = threading.Lock()


def adopt(process: subprocess.Popen[bytes], control: socket.socket, log: IO[bytes]) -> None:
    """Take over a template of our own interpreter that was started before this was loaded.

    Args:
        process: The interpreter, running the child's `__main__.py`.
        control: The socket whose other end it has.
        log: What it prints, to read.
    """
    control.settimeout(_SECONDS_TO_START)
    with _templates_lock:
        _templates[Path(sys.executable)] = Template(Path(sys.executable), process, control, log)


def shared_template(python: Path | None = None) -> Template:
    """Return the template of an interpreter, started where there is none yet.

    Args:
        python: The interpreter; our own where None.

    Raises:
        CheckUnavailableError: It cannot be run.
    """
    path = Path(sys.executable) if python is None else python
    with _templates_lock:
        known = _templates.get(path)
        if known is not None and not known.is_alive:
            known.close()
            known = None
        if known is None:
            known = _templates[path] = Template.start(path)
        return known


def close_all() -> None:
    """End every template of this process."""
    with _templates_lock:
        while _templates:
            _templates.popitem()[1].close()


@atexit.register
def _leave_all() -> None:
    for template in _templates.values():
        template.leave()
