"""A booted backend: requests to it, and the parent's own view of its database."""

import ast
import base64
import json
from collections.abc import Callable, Mapping
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


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request, with a JSON body, a form or neither.

    Attributes:
        path: The path, not yet percent-encoded.
        query: Pairs of parameter and value.
        json_body: The body, unless it is None.
        form: Pairs of field and value.
        token: Bearer token; None sends no `Authorization` header.
        client: The address that the request seems to come from.
    """

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    json_body: Any = None
    form: tuple[tuple[str, str], ...] = ()
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
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    faults: tuple[Fault, ...]
    handler: Frame | None = None
    is_late: bool = False

    @property
    def is_success(self) -> bool:
        """Whether the status is 2xx."""
        return 200 <= self.status < 300  # noqa: PLR2004

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
            to verify tokens.
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
        headers = [["host", "testserver"], ["accept", "application/json"]]
        body = b""
        if request.json_body is not None:
            body = json.dumps(request.json_body).encode()
            headers.append(["content-type", "application/json"])
        elif request.form:
            body = urlencode(request.form).encode()
            headers.append(["content-type", "application/x-www-form-urlencoded"])
        if body:
            headers.append(["content-length", str(len(body))])
        if request.token is not None:
            headers.append(["authorization", f"Bearer {request.token}"])
        answer = self.process.request(
            {
                "method": request.method,
                "path": request.path,
                "raw_path": quote(request.path),
                "query": urlencode(request.query),
                "headers": headers,
                "body": encode_body(body),
                "client": request.client,
            }
        )
        return self._read(answer)

    def _definition(self, data: Any) -> Frame | None:  # noqa: ANN401 - from untrusted code
        """Return where a handler is defined: Python counts its decorators' lines as its own."""
        frame = next(iter(read_frames([data], self.origin)), None)
        module = self.project.modules.get(frame.path) if frame else None
        if frame is None or module is None or module.tree is None:
            return frame
        for node in ast.walk(module.tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                first = min((each.lineno for each in node.decorator_list), default=node.lineno)
                if first == frame.line:
                    return Frame(frame.path, node.lineno, node.name)
        return frame

    def _read(self, answer: Mapping[str, Any]) -> Response:
        status = answer.get("status")
        faults = answer.get("faults")
        headers = answer.get("headers")
        try:
            body = base64.b64decode(str(answer.get("body", "")))
            pairs = {str(name): str(value) for name, value in headers or ()}
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
        )
