"""A local server that speaks Anthropic's Messages API with streaming, as scripted."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any


@dataclass(frozen=True)
class Stream:
    """A streamed reply.

    Attributes:
        texts: The text deltas.
        calls: Inputs of calls of `dispute_finding` behind the text.
        texts_behind: The text deltas behind the calls.
        stop_reason: As the API names it.
        usage: Added to the usage of `message_start`.
        breaks_after: Number of events after which the connection is cut; None for none.
        error: An error event's body sent after the texts, in place of the end.
        junk: Bytes sent after the texts, in place of the end.
    """

    texts: Sequence[str] = ("Hello",)
    calls: Sequence[object] = ()
    texts_behind: Sequence[str] = ()
    stop_reason: str = "end_turn"
    usage: dict[str, int] = field(default_factory=dict)
    breaks_after: int | None = None
    error: dict[str, Any] | None = None
    junk: bytes | None = None


@dataclass(frozen=True)
class Failure:
    """An answer with an error status, as JSON."""

    status: int
    kind: str = "api_error"
    message: str = "Something went wrong"
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Silence:
    """No answer at all, until the server stops."""


Answer = Stream | Failure | Silence


class MessagesServer(ThreadingHTTPServer):
    """The running server.

    Attributes:
        requests: The parsed bodies of the requests so far.
        headers: Their headers, with names in lower case.
    """

    def __init__(self, script: Sequence[Answer]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.script = script
        self.stopping = Event()
        self.requests: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []

    @property
    def url(self) -> str:
        """The address, for ANTHROPIC_BASE_URL."""
        return f"http://127.0.0.1:{self.server_port}"


@contextmanager
def serve(*script: Answer) -> Iterator[MessagesServer]:
    """Serve the answers in order; the last one answers every further request."""
    with MessagesServer(script) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.stopping.set()
            server.shutdown()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: MessagesServer

    def do_POST(self) -> None:
        assert self.path == "/v1/messages"
        body = self.rfile.read(int(self.headers["content-length"]))
        script, number = self.server.script, len(self.server.requests)
        self.server.requests.append(json.loads(body))
        self.server.headers.append({name.lower(): text for name, text in self.headers.items()})
        self.close_connection = True
        match script[min(number, len(script) - 1)]:
            case Stream() as stream:
                self._stream(stream)
            case Failure() as failure:
                self._fail(failure)
            case Silence():
                self.server.stopping.wait()

    def _stream(self, stream: Stream) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        model = self.server.requests[-1]["model"]
        for number, event in enumerate(_events(stream, model)):
            if number == stream.breaks_after:
                return  # without the last chunk: the client sees a broken connection
            self._chunk(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode())
        if stream.junk is not None:
            self._chunk(stream.junk)
        self._chunk(b"")

    def _chunk(self, data: bytes) -> None:
        self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")

    def _fail(self, failure: Failure) -> None:
        error = {"type": failure.kind, "message": failure.message}
        body = json.dumps({"type": "error", "error": error}).encode()
        self.send_response(failure.status)
        for name, text in failure.headers.items():
            self.send_header(name, text)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # its name there
        del format, args


def _events(stream: Stream, model: str) -> Iterator[dict[str, Any]]:
    usage = {"input_tokens": 10, "output_tokens": 1, **stream.usage}
    yield {
        "type": "message_start",
        "message": {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "model": model,
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": usage,
        },
    }
    block = {"type": "text", "text": ""}
    yield {"type": "content_block_start", "index": 0, "content_block": block}
    yield {"type": "ping"}
    for text in stream.texts:
        delta = {"type": "text_delta", "text": text}
        yield {"type": "content_block_delta", "index": 0, "delta": delta}
    if stream.error is not None:
        yield {"type": "error", "error": stream.error}
        return
    if stream.junk is not None:
        return
    yield {"type": "content_block_stop", "index": 0}
    for index, given in enumerate(stream.calls, 1):
        yield from _call(index, given)
    if stream.texts_behind:
        yield from _text_behind(len(stream.calls) + 1, stream.texts_behind)
    yield {
        "type": "message_delta",
        "delta": {"stop_reason": stream.stop_reason, "stop_sequence": None},
        "usage": {"output_tokens": 42},
    }
    yield {"type": "message_stop"}


Serve = Callable[..., MessagesServer]


def _call(index: int, given: object) -> Iterator[dict[str, Any]]:
    block = {"type": "tool_use", "id": f"call_{index}", "name": "dispute_finding", "input": {}}
    yield {"type": "content_block_start", "index": index, "content_block": block}
    delta = {"type": "input_json_delta", "partial_json": json.dumps(given)}
    yield {"type": "content_block_delta", "index": index, "delta": delta}
    yield {"type": "content_block_stop", "index": index}


def _text_behind(index: int, texts: Sequence[str]) -> Iterator[dict[str, Any]]:
    block = {"type": "text", "text": ""}
    yield {"type": "content_block_start", "index": index, "content_block": block}
    for text in texts:
        delta = {"type": "text_delta", "text": text}
        yield {"type": "content_block_delta", "index": index, "delta": delta}
    yield {"type": "content_block_stop", "index": index}
