"""Child processes of the tests: started with a log, waited for, and ended by their id."""

import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

SECONDS_TO_START = 60.0
SECONDS_TO_END = 10.0

Process = subprocess.Popen[bytes]


def free_port() -> int:
    """Return a port of the loopback address on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def running(
    command: Sequence[str],
    log: Path,
    *,
    cwd: Path,
    environment: Mapping[str, str],
    user: int | None = None,
) -> Iterator[Process]:
    """Run a program until the end of the block.

    Args:
        command: The program and its arguments.
        log: File that gets what it writes.
        cwd: Where it starts.
        environment: Its whole environment.
        user: Id of the user to run it as; our own where None.
    """
    with log.open("ab") as output:
        process = subprocess.Popen(
            command,
            cwd=cwd,
            env=dict(environment),
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=output,
            user=user,
        )
    try:
        yield process
    finally:
        end(process)


def end(process: Process) -> None:
    """End a process, with force where it does not end by itself."""
    if process.stdin is not None:
        process.stdin.close()
    process.terminate()
    try:
        process.wait(SECONDS_TO_END)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def wait_until(is_ready: Callable[[], bool], process: Process, log: Path) -> None:
    """Wait for a process to be ready; fail with what it wrote where it ends or takes too long."""
    deadline = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < deadline and process.poll() is None:
        if is_ready():
            return
        time.sleep(0.02)
    message = f"{process.args!r} is not ready:\n{log.read_text(errors='replace')}"
    raise AssertionError(message)


def eventually(is_so: Callable[[], bool], seconds: float = 15.0) -> bool:
    """Tell whether something becomes so within some time."""
    deadline = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True
