"""One conversation over a WebSocket: connect, say a few things, listen for a moment, leave.

Source: the ASGI specification 3.0, WebSocket protocol.
"""

import asyncio
import base64
import contextlib
from typing import Any

from . import faults, serving

Event = dict[str, Any]

_MOST_MESSAGES = 200
_MOST_BYTES = 1024 * 1024
# So long nothing must come before it is the client's turn.
_SILENCE_SECONDS = 0.15
_REFUSED, _OPENED, _FAILED = 401, 101, 500
_NORMAL_CLOSURES = (1000, 1001, 1005, 1006)


async def answer(app: serving.App, state: Event, request: Event, seconds: float) -> Event:
    """Hold one conversation and return it as data, in the form of a response.

    Args:
        app: The app.
        state: What the lifespan shares with the requests.
        request: As for `serving.answer`, with the `messages` to send, as texts.
        seconds: How long it may take.

    Returns:
        As `serving.answer`: `status` is 101 where the connection was accepted and not closed with
        a code that refuses, otherwise that of the refusal; `body` holds what the app sent.
    """
    talk = _Conversation(request["messages"])
    scope = serving.scope_of(request, state)
    scope |= {"type": "websocket", "scheme": "ws", "subprotocols": []}
    del scope["method"]
    task = asyncio.create_task(serving.call(app, scope, talk.receive, talk.send))
    done, _ = await asyncio.wait({task}, timeout=seconds)
    errors = []
    if not done:
        task.cancel()
    elif task.exception() is not None:
        errors.append(faults.describe(task.exception() or Exception()))
    return {
        "id": request["id"],
        "status": talk.status(has_failed=bool(errors)),
        "headers": [],
        "body": base64.b64encode("\n".join(talk.messages).encode()).decode(),
        "timed_out": not done and not talk.is_open,
        "seconds": 0.0,
        "handler": serving.handler_of(scope),
        "faults": [] if talk.is_open else errors,
    }


class _Conversation:
    """What the client says, and what it hears."""

    def __init__(self, messages: list[str]) -> None:
        self._to_say = list(messages)
        self._is_connected = False
        self._room = _MOST_BYTES
        self._activity = asyncio.Event()
        self.is_open = False
        self.messages: list[str] = []
        self._denial: int | None = None
        self._closure: int | None = None

    def status(self, *, has_failed: bool) -> int | None:
        if self.is_open and self._closure in (None, *_NORMAL_CLOSURES):
            return _OPENED
        if self._denial is not None:
            return self._denial
        if self._closure is None and has_failed:
            return _FAILED
        return None if self._closure is None else _REFUSED

    async def receive(self) -> Event:
        if not self._is_connected:
            self._is_connected = True
            return {"type": "websocket.connect"}
        await self._wait_for_silence()
        if self._to_say and self._closure is None:
            text = self._to_say.pop(0)
            return {"type": "websocket.receive", "text": text}
        return {"type": "websocket.disconnect", "code": 1000}

    async def _wait_for_silence(self) -> None:
        with contextlib.suppress(TimeoutError):
            for _ in range(_MOST_MESSAGES):
                self._activity.clear()
                await asyncio.wait_for(self._activity.wait(), _SILENCE_SECONDS)

    async def send(self, event: Event) -> None:
        self._activity.set()
        match event["type"]:
            case "websocket.accept":
                self.is_open = True
            case "websocket.close":
                self._closure = int(event.get("code") or 1000)
            case "websocket.send":
                self._hear(event)
            case "websocket.http.response.start":
                self._denial = int(event["status"])
        await asyncio.sleep(0)

    def _hear(self, event: Event) -> None:
        data = event.get("bytes")
        text = bytes(data).decode(errors="replace") if data else str(event.get("text") or "")
        if len(self.messages) < _MOST_MESSAGES:
            self.messages.append(text[: self._room])
            self._room -= len(self.messages[-1])
