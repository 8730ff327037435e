"""The booted backend as the parent sees it: one process, one socket, everything bounded."""

import base64
import json
import os
import selectors
import socket
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Self

from validators.errors import CheckUnavailableError
from validators.runtime.child import channel
from validators.runtime.guarded import Guarded, Order
from validators.runtime.limits import MEGABYTE, Limits
from validators.runtime.template import Template

Message = dict[str, Any]
Cause = Literal["time", "memory", "processes", "disk", "output", "protocol", "exit", "signal"]

_MOST_FRAME = 16 * MEGABYTE
_KEPT_OUTPUT = 16 * 1024
_PATIENCE = 0.5


@dataclass(frozen=True, slots=True)
class Ended:
    """The backend's process is over, or has to be.

    Attributes:
        cause: What ended it.
        code: Exit code or signal number, where there is one.
    """

    cause: Cause
    code: int = 0


class BackendEndedError(Exception):
    """The process ended while an answer was awaited."""

    def __init__(self, ended: Ended) -> None:
        super().__init__(ended.cause)
        self.ended = ended


@dataclass
class BackendProcess:
    """A process that boots one backend and serves its requests.

    Attributes:
        guarded: The child under its guard.
        limits: What it may use.
        last_words: What the child said before it ended itself, with the frames that did so.
        listener: A socket that the child made in its own network before it loaded the backend.
    """

    guarded: Guarded
    limits: Limits
    _socket: socket.socket
    _output: int
    _buffer: bytearray = field(default_factory=bytearray)
    _messages: deque[Message] = field(default_factory=deque)
    _printed: int = 0
    _head: bytearray = field(default_factory=bytearray)
    _tail: bytearray = field(default_factory=bytearray)
    _requests: int = 0
    last_words: Message = field(default_factory=dict)
    listener: socket.socket | None = None
    _has_said: bool = False

    @classmethod
    def start(cls, template: Template, folder: Path, limits: Limits) -> Self:
        """Fork a child in a folder; nothing of the backend is loaded before `order` is sent."""
        ours, theirs = socket.socketpair()
        output_read, output_write = os.pipe()
        order = Order(
            {},
            folder,
            folder=folder,
            seconds=limits.total_seconds,
            memory_mb=limits.memory_mb,
            processes=limits.processes,
            disk_mb=limits.disk_mb,
        )
        try:
            guarded = Guarded.fork(template, order, folder, output_write, theirs.fileno())
        except CheckUnavailableError:
            ours.close()
            os.close(output_read)
            raise
        finally:
            theirs.close()
            os.close(output_write)
        ours.setblocking(False)  # noqa: FBT003
        os.set_blocking(output_read, False)
        return cls(guarded, limits, ours, output_read)

    @property
    def output(self) -> str:
        """What the backend printed: the start, and the end where there was much."""
        hidden = self._printed - len(self._head) - len(self._tail)
        middle = f"\n… {hidden} bytes left out …\n".encode() if hidden > 0 else b""
        return bytes(self._head + middle + self._tail).decode(errors="replace")

    def order(self, message: Message) -> None:
        """Tell the child what to boot."""
        self._write(channel.encode(message))

    def request(self, messages: Sequence[Message]) -> list[Message]:
        """Send requests, one behind the other, and wait for their responses.

        Args:
            messages: The requests; together no more than a socket holds before somebody reads.

        Raises:
            BackendEndedError: The process ended, hung or broke the protocol; it is closed then.
        """
        numbers = range(self._requests + 1, self._requests + len(messages) + 1)
        self._requests += len(messages)
        numbered = (
            {**message, "id": number} for number, message in zip(numbers, messages, strict=True)
        )
        self._write(b"".join(map(channel.encode, numbered)))
        return [self._await_response(number) for number in numbers]

    def begin(self, message: Message) -> int:
        """Send a request beside others that are not answered yet; return its number."""
        self._requests += 1
        self._write(channel.encode({**message, "id": self._requests, "beside": True}))
        return self._requests

    def has_answered(self) -> bool:
        """Tell whether a message has come in, without waiting for one."""
        if not self._messages:
            self._take_frames()
        return bool(self._messages)

    def finish(self, numbers: Sequence[int]) -> list[Message]:
        """Wait for the responses to requests that were begun, whichever comes first.

        Raises:
            BackendEndedError: As for `request`.
        """
        found: dict[int, Message] = {}
        while len(found) < len(numbers):
            answer = self.receive(self.limits.request_seconds + _PATIENCE)
            if answer.get("kind") == "exit":
                self.last_words = answer
                continue
            number = answer.get("id")
            is_wanted = answer.get("kind") == "response" and number in numbers
            if not is_wanted or number in found:
                raise self._ended(Ended("protocol"))
            found[int(str(number))] = answer
        return [found[number] for number in numbers]

    def _await_response(self, number: int) -> Message:
        # The child itself gives a request up after `request_seconds`.
        answer = self.receive(self.limits.request_seconds + _PATIENCE)
        while answer.get("kind") == "exit":
            self.last_words = answer
            answer = self.receive(_PATIENCE)
        if answer.get("kind") != "response" or answer.get("id") != number:
            raise self._ended(Ended("protocol"))
        return answer

    def receive(self, seconds: float) -> Message:
        """Wait for the child's next message.

        Raises:
            BackendEndedError: The process ended, or said nothing for so long.
        """
        deadline = time.monotonic() + seconds
        with selectors.DefaultSelector() as selector:
            for descriptor in (self._socket.fileno(), self._output):
                selector.register(descriptor, selectors.EVENT_READ)
            while not self._messages:
                left = deadline - time.monotonic()
                if left <= 0:
                    raise self._ended(Ended("time"))
                for key, _ in selector.select(left):
                    if key.fd == self._output:
                        self._take_output(selector)
                    elif not self._take_frames():
                        raise self._ended(None)
        return self._messages.popleft()

    def close(self) -> None:
        """End the process and everything that it started."""
        self.guarded.close()
        self._drain()
        self._hang_up()

    def leave(self) -> None:
        """End the process without waiting until everything that it started is gone."""
        self.guarded.leave()
        self._hang_up()

    def _hang_up(self) -> None:
        self._socket.close()
        if self._output >= 0:
            os.close(self._output)
            self._output = -1

    def _ended(self, ended: Ended | None) -> BackendEndedError:
        """Close the process and return why it ended, as its guard saw it where `ended` is None."""
        if ended is None:
            self._wait_for_guard()
        self.close()
        return BackendEndedError(ended or self._reason())

    def _wait_for_guard(self) -> None:
        # The socket closes with the process; the guard notices a moment later.
        deadline = time.monotonic() + 4 * _PATIENCE
        while self.guarded.end is None and time.monotonic() < deadline:
            self._drain()
            self.guarded.refresh()
            time.sleep(0.005)

    def _reason(self) -> Ended:
        match self.guarded.end:
            case {"stopped": "time" | "memory" | "processes" | "disk" as cause}:
                return Ended(cause)
            case {"signal": int(number)}:
                return Ended("signal", number)
            case {"exit": int(code)}:
                return Ended("exit", code)
        return Ended("protocol")

    def _take_frames(self) -> bool:
        """Read what the child sent; False where it has closed the socket."""
        try:
            part = self._socket.recv(1 << 18) if self._has_said else self._first_part()
        except BlockingIOError:
            return True
        except ConnectionError:
            return False
        self._buffer += part
        while len(self._buffer) >= channel.HEADER.size:
            size = channel.HEADER.unpack_from(self._buffer)[0]
            if size > _MOST_FRAME:
                raise self._ended(Ended("protocol"))
            end = channel.HEADER.size + size
            if len(self._buffer) < end:
                break
            self._messages.append(self._parse(bytes(self._buffer[channel.HEADER.size : end])))
            del self._buffer[:end]
        return bool(part) or bool(self._messages)

    def _first_part(self) -> bytes:
        """Read what the child says before the backend is loaded; a descriptor may come with it."""
        part, descriptors, _, _ = socket.recv_fds(self._socket, 1 << 18, 1)
        self._has_said = True
        for descriptor in descriptors:
            self.listener = socket.socket(fileno=descriptor)
        return part

    def _parse(self, body: bytes) -> Message:
        try:
            message = json.loads(body)
        except (ValueError, RecursionError):
            message = None
        if not isinstance(message, dict):
            raise self._ended(Ended("protocol"))
        return message

    def _take_output(self, selector: selectors.BaseSelector) -> None:
        if not self._drain():
            selector.unregister(self._output)
        if self._printed > self.limits.output_mb * MEGABYTE:
            raise self._ended(Ended("output"))

    def _drain(self) -> bool:
        """Take in what was printed, a megabyte at most; False at its end."""
        for _ in range(16):
            try:
                part = os.read(self._output, 65536) if self._output >= 0 else b""
            except BlockingIOError:
                return True
            if not part:
                return False
            self._printed += len(part)
            room = _KEPT_OUTPUT - len(self._head)
            self._head += part[:room]
            self._tail = (self._tail + part[room:])[-_KEPT_OUTPUT:]
        return True

    def _write(self, data: bytes) -> None:
        deadline = time.monotonic() + self.limits.request_seconds
        view = memoryview(data)
        while view:
            try:
                view = view[self._socket.send(view) :]
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise self._ended(Ended("time")) from None
                self._drain()
                time.sleep(0.005)
            except OSError:
                raise self._ended(None) from None


def encode_body(body: bytes) -> str:
    """Return a body as the child's protocol carries it."""
    return base64.b64encode(body).decode()
