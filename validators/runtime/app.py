"""A booted backend: requests to it, and the parent's own view of its database."""

import ast
import base64
import functools
import json
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from validators.runtime.better_auth import User
from validators.runtime.cluster import Database
from validators.runtime.environment import Verification
from validators.runtime.faults import Fault, Frame, Origin, read_fault, read_frames
from validators.runtime.keys import KeyServer
from validators.runtime.process import BackendProcess, encode_body
from validators.source import Project

if TYPE_CHECKING:
    from validators.report import Finding

WEBSOCKET = "WEBSOCKET"
_TOKEN_NAMES = ("token", "access_token")
_OPENED = 101
_MOST_BODY = 2 * 1024 * 1024
_MOST_AT_ONCE = 32 * 1024
_BOUNDARY = "backendpro-0f9c1e7a5d"


@dataclass(frozen=True, slots=True)
class File:
    """One file in a form.

    Attributes:
        field: The form's field.
        name: The file's name.
        kind: Its media type.
        content: What is in it.
    """

    field: str
    name: str
    kind: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request, with a JSON body, a form or neither.

    Attributes:
        path: The path, not yet percent-encoded.
        query: Pairs of parameter and value.
        json_body: The body, unless it is None.
        form: Pairs of field and value.
        files: Files of the form, which makes it `multipart/form-data`.
        messages: What to say over a WebSocket; `method` is `WEBSOCKET` then.
        headers: Pairs of header and value, cookies included.
        text: A body as it is, with its media type; None for none.
        token: Bearer token; None sends no `Authorization` header.
        client: The address that the request seems to come from.
    """

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    json_body: Any = None
    form: tuple[tuple[str, str], ...] = ()
    files: tuple[File, ...] = ()
    messages: tuple[str, ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    text: tuple[str, str] | None = None
    token: str | None = None
    client: str = "192.0.2.1"


@dataclass(frozen=True, slots=True)
class Response:
    """What the backend answered.

    Attributes:
        status: The status code; 0 where there was no response.
        headers: By lower-case name.
        body: The raw body, cut at two megabytes.
        faults: Exceptions behind a server error, or behind a 401 or 403.
        handler: Where the function is that the app chose for the request, where known.
        is_late: Whether the backend did not answer in time.
        is_cut: Whether the answer had no end, and what came until then is here.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    faults: tuple[Fault, ...]
    handler: Frame | None = None
    is_late: bool = False
    is_cut: bool = False

    @property
    def is_success(self) -> bool:
        """Whether the status is 2xx, or 101 for a WebSocket that was opened."""
        return 200 <= self.status < 300 or self.status == _OPENED  # noqa: PLR2004

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode(errors="replace")

    def json(self) -> Any:  # noqa: ANN401 - anything may come
        """Return the body as data, or None where it is no JSON."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None


@dataclass(frozen=True, slots=True)
class RunningApp:
    """A backend that has booted.

    Attributes:
        process: The process that serves it.
        database: The database that it uses.
        project: Its source.
        origin: Names its files.
        secret: What its tokens are signed with.
        users: The owner, the intruder and the bystander.
        openapi: Its OpenAPI document, with hidden routes and mounted apps.
        websockets: Its WebSocket routes, as the paths of a document.
        mounts: Paths below which something else answers, such as static files.
        boot_again: Boots the same backend once more, on another fresh database, set up for a way
            to verify tokens. That app's routes are not said again.
        verification: How it is set up to verify tokens.
        other_verifications: How else it can be set up.
        keys: What signs its tokens where it verifies them with published keys, and publishes them.
        missing_layers: Layers of the sandbox that the kernel refused.
    """

    process: BackendProcess
    database: Database
    project: Project
    origin: Origin
    secret: str
    users: tuple[User, ...]
    openapi: Mapping[str, Any]
    boot_again: "Callable[[Verification | None], tuple[RunningApp | None, list[Finding]]]"
    websockets: Mapping[str, Any] = field(default_factory=dict)
    mounts: tuple[str, ...] = ()
    verification: Verification = "secret"
    other_verifications: tuple[Verification, ...] = ()
    keys: KeyServer | None = None
    missing_layers: tuple[str, ...] = ()

    def send(self, request: Request) -> Response:
        """Send one request.

        Raises:
            BackendEndedError: The process ended or hung; nothing can be sent any more.
        """
        return self.send_all([request])[0]

    def send_all(self, requests: Sequence[Request]) -> list[Response]:
        """Send requests one behind the other: each is answered before the next one is looked at.

        Raises:
            BackendEndedError: The process ended or hung; nothing can be sent any more.
        """
        messages = list(map(_message, requests))
        if len(messages) > 1 and sum(len(m["body"]) for m in messages) > _MOST_AT_ONCE:
            return [self._read(self.process.request([message])[0]) for message in messages]
        return list(map(self._read, self.process.request(messages)))

    def begin(self, request: Request) -> int:
        """Send a request without waiting for its answer; return its number, for `finish`."""
        return self.process.begin(_message(request))

    def finish(self, numbers: Sequence[int]) -> list[Response]:
        """Wait for the answers to requests that were begun, in the order of the numbers.

        Raises:
            BackendEndedError: The process ended or hung; nothing can be sent any more.
        """
        return list(map(self._read, self.process.finish(numbers)))

    def _definition(self, data: Any) -> Frame | None:  # noqa: ANN401 - from untrusted code
        """Return where a handler is defined: Python counts its decorators' lines as its own."""
        frame = next(iter(read_frames([data], self.origin)), None)
        module = self.project.modules.get(frame.path) if frame else None
        if frame is None or module is None or module.tree is None:
            return frame
        defined = _definitions(module.tree).get(frame.line)
        return Frame(frame.path, defined.lineno, defined.name) if defined else frame

    def _read(self, answer: Mapping[str, Any]) -> Response:
        status = answer.get("status")
        faults = answer.get("faults")
        headers = answer.get("headers")
        try:
            pairs = {str(name): str(value) for name, value in headers or ()}
            raw = base64.b64decode(str(answer.get("body", "")))
            body = _decompress(raw, pairs.get("content-encoding", ""))
        except (ValueError, TypeError):
            body, pairs = b"", {}
        return Response(
            status=status if isinstance(status, int) else 0,
            headers=pairs,
            body=body,
            faults=tuple(
                read_fault(fault, self.origin)
                for fault in (faults if isinstance(faults, list) else ())
            ),
            handler=self._definition(answer.get("handler")),
            is_late=bool(answer.get("timed_out")),
            is_cut=bool(answer.get("cut")),
        )


def _message(request: Request) -> dict[str, Any]:
    """Return a request as the child reads it."""
    headers = [["host", "testserver"], ["accept", "application/json"]]
    kind, body = _encode(request)
    if kind:
        headers.append(["content-type", kind])
    if body:
        headers.append(["content-length", str(len(body))])
    if request.token is not None:
        headers.append(["authorization", f"Bearer {request.token}"])
    headers += [[name.lower(), value] for name, value in request.headers if _is_header(value)]
    message = {
        "method": request.method,
        "path": request.path,
        "raw_path": quote(request.path),
        "query": urlencode(request.query),
        "headers": headers,
        "body": encode_body(body),
        "client": request.client,
    }
    if request.method == WEBSOCKET:
        # Browsers can send no header, so that the token is often in the query.
        tokens = [(name, request.token) for name in _TOKEN_NAMES if request.token]
        others = [pair for pair in request.query if pair[0] not in _TOKEN_NAMES]
        message["query"] = urlencode([*others, *tokens])
        message["messages"] = list(request.messages)
    return message


def _is_header(value: str) -> bool:
    return value.isprintable() and value.isascii()


def _encode(request: Request) -> tuple[str, bytes]:
    """Return the media type and the bytes of a request's body."""
    if request.text is not None:
        return request.text[0], request.text[1].encode()
    if request.json_body is not None:
        return "application/json", json.dumps(request.json_body).encode()
    if request.files:
        parts = [_part(f'name="{name}"', "", value.encode()) for name, value in request.form]
        for file in request.files:
            place = f'name="{file.field}"; filename="{file.name}"'
            parts.append(_part(place, f"Content-Type: {file.kind}\r\n", file.content))
        body = b"".join([*parts, f"--{_BOUNDARY}--\r\n".encode()])
        return f"multipart/form-data; boundary={_BOUNDARY}", body
    if request.form:
        return "application/x-www-form-urlencoded", urlencode(request.form).encode()
    return "", b""


def _part(place: str, header: str, content: bytes) -> bytes:
    head = f"--{_BOUNDARY}\r\nContent-Disposition: form-data; {place}\r\n{header}\r\n"
    return head.encode() + content + b"\r\n"


def _decompress(body: bytes, encoding: str) -> bytes:
    """Return a body without its content encoding, as far as there is room for it."""
    if encoding.lower() not in ("gzip", "x-gzip", "deflate"):
        return body
    try:
        # 32 more than the largest window: either header is recognised.
        return zlib.decompressobj(zlib.MAX_WBITS | 32).decompress(body, _MOST_BODY)
    except zlib.error:
        return body


@functools.lru_cache(maxsize=16)
def _definitions(tree: ast.Module) -> dict[int, ast.FunctionDef | ast.AsyncFunctionDef]:
    """Return the functions of a module by the line on which each starts, decorators included."""
    functions = [
        node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    # Of two on one line, the outer one.
    return {
        min((each.lineno for each in node.decorator_list), default=node.lineno): node
        for node in reversed(functions)
    }
