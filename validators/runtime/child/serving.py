"""Runs the app's lifespan and its requests on one event loop, as an ASGI server would.

Source: the ASGI specification 3.0, HTTP and lifespan protocols.
"""

import asyncio
import base64
import contextvars
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import Any

from . import faults

Event = dict[str, Any]
App = Callable[[Event, Callable[[], Awaitable[Event]], Callable[[Event], Awaitable[None]]], Any]

_MOST_BODY = 2 * 1024 * 1024
_MOST_HEADERS, _MOST_HEADER = 100, 8 * 1024
# A response that goes on and on is cut off.
_STREAM_SECONDS, _CUT_SECONDS = 1.0, 0.5
_SERVER_ERROR = 500
_REFUSED = (401, 403)
_FIRST = asyncio.FIRST_COMPLETED

# The errors behind a refusal or a 5xx that the app turned into a response by itself.
_hidden_errors: contextvars.ContextVar[list[Event]] = contextvars.ContextVar("hidden")


class StartUpFailedError(Exception):
    """The app's lifespan reported a failure instead of raising it."""


class Lifespan:
    """The app's start-up, and its shutdown at the end."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._to_app: asyncio.Queue[Event] = asyncio.Queue()
        self._from_app: asyncio.Queue[Event] = asyncio.Queue()
        self._state: dict[str, Any] = {}
        self._task: asyncio.Task[None] | None = None

    @property
    def state(self) -> dict[str, Any]:
        """What the lifespan shares with the requests."""
        return self._state

    async def start(self, seconds: float, say: Callable[[Event], None]) -> None:
        """Run the start-up; raises what the app raises, and `StartUpFailedError`.

        Args:
            seconds: How long the start-up may take before `say` is told where it waits.
            say: Tells the parent.
        """
        self._task = asyncio.create_task(self._run())
        await self._to_app.put({"type": "lifespan.startup"})
        answer = asyncio.create_task(self._from_app.get())
        waiting = {answer, self._task}
        done, _ = await asyncio.wait(waiting, timeout=seconds, return_when=_FIRST)
        if not done:
            say({"kind": "waiting", "frames": faults.waiting_frames(self._task)})
            await asyncio.wait(waiting, return_when=_FIRST)
        if answer.done():
            if answer.result()["type"] == "lifespan.startup.failed":
                await asyncio.wait({self._task}, timeout=1)
                self._raise_own_error()
                raise StartUpFailedError(str(answer.result().get("message", "")))
            return
        answer.cancel()
        self._raise_own_error()

    async def _run(self) -> None:
        scope = {"type": "lifespan", "asgi": {"version": "3.0"}, "state": self._state}
        await self._app(scope, self._to_app.get, self._from_app.put)

    def _raise_own_error(self) -> None:
        # An app that knows no lifespan raises or returns at once; servers go on without.
        if self._task is None or not self._task.done():
            return
        error = self._task.exception()
        if error is not None and not _is_lifespan_unknown(error):
            raise error


def _is_lifespan_unknown(error: BaseException) -> bool:
    return isinstance(error, AssertionError | NotImplementedError) and not str(error)


def note_hidden_errors(app: Any) -> None:  # noqa: ANN401
    """Remember the errors behind refusals and 5xx responses that the app's handlers make."""
    handlers = getattr(app, "exception_handlers", None)
    if not isinstance(handlers, dict):
        return
    for kind, handler in list(handlers.items()):
        handlers[kind] = _noting(handler)


def _noting(handler: Callable[..., Any]) -> Callable[..., Any]:
    def note(request: Any, error: BaseException) -> Any:  # noqa: ANN401
        status = getattr(error, "status_code", _SERVER_ERROR)
        if status in _REFUSED or status >= _SERVER_ERROR:
            errors = _hidden_errors.get(None)
            if errors is not None:
                # At once: the framework takes the traceback away from what it has handled.
                errors.append(faults.describe(error))
        return handler(request, error)

    if not asyncio.iscoroutinefunction(handler):
        return note

    async def note_async(request: Any, error: BaseException) -> Any:  # noqa: ANN401
        return await note(request, error)

    return note_async


async def answer(app: App, state: Event, request: Event, seconds: float) -> Event:
    """Send one request to the app and return its response as data.

    Args:
        app: The app.
        state: What the lifespan shares with the requests.
        request: `id`, `method`, `path`, `raw_path`, `query`, `headers` and `body` (base64).
        seconds: How long to wait; the request is left behind after that.

    Returns:
        `id`, `status` (None without a response), `headers`, `body` (base64), `faults`, and
        whether it was `timed_out` or, once begun, `cut` off.
    """
    exchange = _Exchange(request)
    errors: list[Event] = []
    _hidden_errors.set(errors)
    started = time.perf_counter()
    scope = scope_of(request, state)
    task = asyncio.create_task(call(app, scope, exchange.receive, exchange.send))
    await asyncio.wait({task, exchange.started}, timeout=seconds, return_when=_FIRST)
    if exchange.started.done():
        await _read_on(task, exchange, seconds)
    is_late = not (task.done() or exchange.is_whole or exchange.is_cut)
    if not task.done():
        exchange.closed.set()
        task.cancel()
    elif task.exception() is not None and not exchange.is_cut:
        errors.append(faults.describe(task.exception() or Exception()))
    return {
        "id": request["id"],
        "status": exchange.status,
        "headers": exchange.headers,
        "body": base64.b64encode(bytes(exchange.body)).decode(),
        "timed_out": is_late,
        "cut": exchange.is_cut,
        "seconds": time.perf_counter() - started,
        "handler": handler_of(scope),
        "faults": errors,
    }


async def _read_on(task: "asyncio.Task[None]", exchange: "_Exchange", seconds: float) -> None:
    """Read a response that has begun; one that does not end is cut off after a while."""
    patience = min(_STREAM_SECONDS, seconds)
    await asyncio.wait({task, exchange.full}, timeout=patience, return_when=_FIRST)
    if task.done():
        return
    if exchange.is_whole:
        # What runs in the background after the response has its time.
        await asyncio.wait({task}, timeout=seconds)
        return
    exchange.is_cut = True
    exchange.closed.set()
    await asyncio.wait({task}, timeout=_CUT_SECONDS)


def handler_of(scope: Event) -> Event | None:
    """Return where the function is that the app chose for a request."""
    endpoint = scope.get("endpoint")
    code = getattr(inspect.unwrap(endpoint), "__code__", None) if callable(endpoint) else None
    if code is None:
        return None
    return faults.frame(code.co_filename, code.co_firstlineno, code.co_name)


async def call(
    app: App,
    scope: Event,
    receive: Callable[[], Awaitable[Event]],
    send: Callable[[Event], Awaitable[None]],
) -> None:
    """Call the app; what it raises passes through."""
    await app(scope, receive, send)


class _Exchange:
    """One request's body on its way in, and the response on its way out."""

    def __init__(self, request: Event) -> None:
        self._request_body = base64.b64decode(request["body"])
        self._is_sent = False
        self.closed = asyncio.Event()
        self.started: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.full: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.is_whole = False
        self.is_cut = False
        self.status: int | None = None
        self.headers: list[list[str]] = []
        self.body = bytearray()

    async def receive(self) -> Event:
        if not self._is_sent:
            self._is_sent = True
            return {"type": "http.request", "body": self._request_body, "more_body": False}
        await self.closed.wait()
        return {"type": "http.disconnect"}

    async def send(self, event: Event) -> None:
        if event["type"] == "http.response.start":
            self.status = int(event["status"])
            pairs = list(event.get("headers", ()))[:_MOST_HEADERS]
            self.headers = [[_text(name).lower(), _text(value)] for name, value in pairs]
        elif event["type"] == "http.response.body":
            await self._take_body(event)

    async def _take_body(self, event: Event) -> None:
        room = _MOST_BODY - len(self.body)
        self.body += bytes(event.get("body", b""))[:room]
        if not event.get("more_body", False):
            self.is_whole = True
            self.closed.set()
            return
        _finish(self.started)
        if room <= 0:
            _finish(self.full)
        # An app that sends without end must not keep the loop for itself.
        await asyncio.sleep(0)


def _finish(future: "asyncio.Future[None]") -> None:
    if not future.done():
        future.set_result(None)


def scope_of(request: Event, state: Event) -> Event:
    """Return the ASGI scope of a request."""
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": request["method"],
        "scheme": "http",
        "path": request["path"],
        "raw_path": request["raw_path"].encode(),
        "root_path": "",
        "query_string": request["query"].encode(),
        "headers": [
            (name.encode("latin-1"), value.encode("latin-1")) for name, value in request["headers"]
        ],
        "client": (request["client"], 50000),
        "server": ("testserver", 80),
        "state": dict(state),
    }


def _text(value: bytes) -> str:
    return bytes(value[:_MOST_HEADER]).decode("latin-1")
