"""The child's life: harden, import the backend, start it, answer requests until the end."""

import asyncio
import contextlib
import faulthandler
import json
import os
import socket
import sys
import time
import traceback
from typing import Any, NoReturn

from . import channel, faults, hardening, loading, routes, serving, sockets

Message = dict[str, Any]


def live(descriptor: int) -> None:
    """Boot what the parent names over the socket, and serve it until the socket closes."""
    sock = socket.socket(fileno=descriptor)
    order = channel.receive(sock)
    if order is None:
        return
    os.environ.clear()
    os.environ.update(order["environment"])
    time.tzset()
    layers = _harden(order)
    _say_hardened(sock, order, layers)
    if not layers >= set(order["required_layers"]):
        sock.sendall(channel.encode({"kind": "refused"}))
        return
    parent = _Parent(sock, order)
    # A process that the backend forks must not speak for it.
    os.register_at_fork(after_in_child=sock.close)
    loading.prepare_imports(order["import_root"], order["hidden_folder"], order["hidden_names"])
    faulthandler.dump_traceback_later(order["trace_after"])
    app = parent.attempt("import", lambda: _load(order))
    if app is None:
        return
    serving.note_hidden_errors(app)
    try:
        asyncio.run(_serve(parent, app, order))
    except BaseException as error:  # noqa: BLE001 - a task of the app raised SystemExit
        parent.fail("start-up", error)


def _say_hardened(sock: socket.socket, order: Message, layers: set[str]) -> None:
    """Report the layers, with a listener in this network if the parent wants to serve there."""
    hardened = channel.encode({"kind": "hardened", "layers": sorted(layers)})
    if order["listener_port"]:
        with socket.create_server(("127.0.0.1", order["listener_port"])) as listener:
            socket.send_fds(sock, [hardened], [listener.fileno()])
    else:
        sock.sendall(hardened)


def _harden(order: Message) -> set[str]:
    hardening.limit_resources(order["limits"])
    layers = {
        "no new privileges": hardening.forbid_new_privileges(),
        "no capabilities": hardening.drop_capabilities(),
        "file view": hardening.restrict_files(
            order["writable"], [*_python_folders(), *order["readable"]], order["owns_proc"]
        ),
    }
    if not order["owns_network"]:
        layers["TCP restrictions"] = hardening.restrict_tcp(order["keys_port"])
    return {name for name, is_there in layers.items() if is_there}


def _python_folders() -> list[str]:
    return [os.path.realpath(path) for path in (*sys.path, sys.prefix, sys.base_prefix) if path]


def _load(order: Message) -> Any:  # noqa: ANN401
    app = loading.load_app(order["module"], order["attribute"], order["is_factory"])
    if not callable(app):
        raise TypeError(f"{order['attribute']!r} is {type(app).__name__}, not an ASGI app")
    return app


class _Parent:
    """The way back to the parent, while the backend is being booted."""

    def __init__(self, sock: socket.socket, order: Message) -> None:
        self.sock = sock
        self._folder = order["import_root"]
        os._exit = self._exit_at_once  # to say who called it

    def say(self, message: Message) -> None:
        channel.send(self.sock, message)

    def attempt(self, stage: str, action: Any) -> Any:  # noqa: ANN401
        """Run one stage of the boot; send what it raises and return None."""
        self.say({"kind": "stage", "stage": stage})
        try:
            return action()
        except BaseException as error:  # noqa: BLE001 - SystemExit included
            self.fail(stage, error)
            return None

    def fail(self, stage: str, error: BaseException) -> None:
        """Tell the parent that a stage of the boot failed."""
        self.say({"kind": "failed", "stage": stage, "fault": faults.describe(error)})

    def _exit_at_once(self, status: int) -> NoReturn:
        frames = [
            {"path": os.path.abspath(frame.filename), "line": frame.lineno, "function": frame.name}  # noqa: PTH100
            for frame in traceback.extract_stack()[:-1]
        ]
        # A process that the backend has forked has no way to the parent.
        with contextlib.suppress(OSError):
            self.say({"kind": "exit", "status": int(status), "frames": frames})
        _exit(status)


_exit = os._exit


async def _serve(parent: _Parent, app: Any, order: Message) -> None:  # noqa: ANN401
    lifespan = serving.Lifespan(app)
    parent.say({"kind": "stage", "stage": "start-up"})
    try:
        await lifespan.start(order["trace_after"], parent.say)
    except BaseException as error:  # noqa: BLE001 - SystemExit included
        parent.fail("start-up", error)
        return
    described: Message | None = {}
    if order["is_described"]:
        described = parent.attempt("openapi", lambda: _describe(app))
    if described is None:
        return
    faulthandler.cancel_dump_traceback_later()
    parent.say({"kind": "booted", **described})
    parent.sock.setblocking(False)  # noqa: FBT003
    reader, writer = await asyncio.open_connection(sock=parent.sock)
    tasks: set[asyncio.Task[None]] = set()
    while True:
        try:
            size = channel.HEADER.unpack(await reader.readexactly(channel.HEADER.size))[0]
            request: Message = json.loads(await reader.readexactly(size))
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        answering = _answer(app, lifespan.state, request, order["request_seconds"], writer)
        if not request.get("beside"):
            await answering
            continue
        # The next one is not to wait for it.
        task = asyncio.create_task(answering)
        tasks.add(task)
        task.add_done_callback(tasks.discard)


async def _answer(
    app: Any,  # noqa: ANN401
    state: Message,
    request: Message,
    seconds: float,
    writer: asyncio.StreamWriter,
) -> None:
    answer = sockets.answer if request.get("messages") is not None else serving.answer
    response = await answer(app, state, request, seconds)
    writer.write(channel.encode({"kind": "response", **response}))
    await writer.drain()


def _describe(app: Any) -> Message:  # noqa: ANN401
    """Return the app's OpenAPI document, and the routes that are not in it."""
    document = app.openapi() if callable(getattr(app, "openapi", None)) else {}
    return {"openapi": document, **routes.describe(app, document)}
