"""A process that has imported what backends import, and forks one child for each backend.

It runs no code of a backend. What it has imported, each fork has at once.
"""

import contextlib
import functools
import gc
import importlib
import json
import os
import signal
import socket
import sys
from typing import Any, NoReturn

from . import channel, guard, life

# What the backends in view import, and what FastAPI itself imports with its first route or
# request; one that is missing is left out.
_PRELOADED = (
    "asyncio",
    "fastapi",
    "fastapi.middleware.cors",
    "fastapi.security",
    "fastapi.telemetry._runtime",
    "pydantic.v1.main",
    "pydantic._internal._dataclasses",
    "encodings.idna",
    "anyio._backends._asyncio",
    "sqlmodel",
    "sqlalchemy.dialects.postgresql",
    "psycopg",
    "sqlalchemy.dialects.postgresql.psycopg",
    "jwt",
    "dotenv",
    "cryptography.hazmat.primitives.asymmetric.ed25519",
)
_DESCRIPTORS = 5


def serve(descriptor: int) -> None:
    """Fork a child for each order that comes over the socket, until the socket closes.

    With an order come five descriptors: the lifeline, the output, the guard's status, the lock
    of the run's folder and the child's own socket.
    """
    # Nothing is thrown away yet, and what is kept is kept for good.
    gc.disable()
    for name in _PRELOADED:
        with contextlib.suppress(Exception):
            importlib.import_module(name)
    gc.freeze()
    gc.enable()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    control = socket.socket(fileno=descriptor)
    channel.send(control, {"kind": "ready", "version": list(sys.version_info[:3])})
    while True:
        order, descriptors = _receive(control)
        if order is None:
            return
        if os.fork() == 0:
            control.close()
            _become_guard(order, descriptors)
        for each in descriptors:
            os.close(each)
        channel.send(control, {"kind": "forked"})


def _receive(control: socket.socket) -> tuple[dict[str, Any] | None, list[int]]:
    data, descriptors, _, _ = socket.recv_fds(control, channel.HEADER.size, _DESCRIPTORS)
    if len(data) < channel.HEADER.size:
        return None, descriptors
    body = channel.exactly(control, channel.HEADER.unpack(data)[0])
    return (None if body is None else json.loads(body)), descriptors


def _become_guard(order: dict[str, Any], descriptors: list[int]) -> NoReturn:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.setsid()
    lifeline, output, status, lock, own = descriptors
    os.dup2(lifeline, 0)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.close(lifeline)
    os.close(output)
    config = {**order, "status_fd": status, "lock_fd": lock}
    guard.guard(config, functools.partial(_live, own))
    os._exit(0)


def _live(descriptor: int) -> None:
    # Nothing of the guard's is left open: it could be used to forge the guard's reports.
    os.closerange(3, descriptor)
    os.closerange(descriptor + 1, 1024)
    life.live(descriptor)
    sys.stdout.flush()
    sys.stderr.flush()
