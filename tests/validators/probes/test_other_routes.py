"""Routes that take files, hold WebSockets, or answer with a stream."""

from pathlib import Path

import pytest

from tests.validators.probes.probing import SOUND, probe
from tests.validators.trees import Files
from validators.probes import ProbeRun

MODELS = (
    SOUND["models.py"]
    + """

class Upload(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    user_id: str = Field(foreign_key="user.id")
    name: str
    content: bytes
"""
)
IMPORTS = """
import asyncio
from typing import Annotated

from dependencies import CurrentUser, DatabaseSession
from fastapi import Form, HTTPException, Response, UploadFile, WebSocket, WebSocketException
from fastapi.responses import StreamingResponse
from models import Task, Upload
from schemas.common import RowId
from sqlmodel import Session, select
from utils.jwt import InvalidTokenError, verify_token
"""
UPLOADS = """

@app.post("/api/uploads", status_code=201)
def upload(
    file: UploadFile,
    name: Annotated[str, Form(pattern="^[^\\x00]*$")],
    session: DatabaseSession,
    current_user: CurrentUser,
) -> dict[str, int]:
    if file.content_type != "KIND":
        raise HTTPException(415, "Not this kind of file")
    row = Upload(user_id=current_user.id, name=name, content=file.file.read())
    session.add(row)
    session.commit()
    return {"id": row.id}


@app.get("/api/uploads/{upload_id}")
def download(upload_id: RowId, session: DatabaseSession, current_user: CurrentUser) -> Response:
    row = session.get(Upload, upload_id)
    if row is None CHECK:
        raise HTTPException(404)
    return StreamingResponse(iter([row.content]), media_type="KIND")
"""
CHECK = "or row.user_id != current_user.id"


def backend(code: str) -> Files:
    return {**SOUND, "models.py": MODELS, "main.py": f"{SOUND['main.py']}{IMPORTS}{code}"}


def codes_by_route(run: ProbeRun) -> set[tuple[str, str | None]]:
    return {(finding.code, finding.route) for finding in run.findings}


def missed(run: ProbeRun) -> dict[str, str]:
    return {each.route: each.reason for each in run.coverage.missed}


@pytest.mark.parametrize("kind", ["text/plain", "image/png", "application/pdf"])
def test_files_of_the_kind_that_a_route_accepts_are_uploaded(kind: str, tmp_path: Path) -> None:
    run = probe(tmp_path, backend(UPLOADS.replace("KIND", kind).replace("CHECK", CHECK)))
    assert run.findings == ()
    assert missed(run) == {}


def test_a_file_that_the_intruder_gets_is_known_again(tmp_path: Path) -> None:
    run = probe(tmp_path, backend(UPLOADS.replace("KIND", "image/png").replace("CHECK", "")))
    assert codes_by_route(run) == {("BP603", "GET /api/uploads/{upload_id}")}
    assert any("reads the owner's data" in finding.message for finding in run.findings)


def test_a_body_that_nobody_can_make_is_a_route_that_is_missed(tmp_path: Path) -> None:
    route = """

@app.post(
    "/api/images",
    openapi_extra={"requestBody": {"content": {"image/webp": {"schema": {"type": "string"}}}}},
)
def add_image(current_user: CurrentUser) -> None: ...
"""
    run = probe(tmp_path, backend(route))
    assert missed(run) == {"POST /api/images": "no probe makes a body of the type image/webp"}


STREAM = """

@app.get("/api/events")
async def events(session: DatabaseSession, current_user: CurrentUser) -> StreamingResponse:
    async def follow():
        while True:
            tasks = session.exec(select(Task)FILTER).all()
            yield f"data: {[task.title for task in tasks]}\\n\\n"
            PAUSE
    return StreamingResponse(follow(), media_type="text/event-stream")
"""
OWN = ".where(Task.user_id == current_user.id)"


@pytest.mark.parametrize("pause", ["await asyncio.sleep(0.2)", "await asyncio.sleep(0)", ""])
def test_a_stream_without_end_is_read_for_a_while(pause: str, tmp_path: Path) -> None:
    run = probe(tmp_path, backend(STREAM.replace("FILTER", OWN).replace("PAUSE", pause)))
    assert run.findings == ()
    assert missed(run) == {}


def test_a_stream_that_shows_the_owners_rows_is_found(tmp_path: Path) -> None:
    leaky = STREAM.replace("FILTER", "").replace("PAUSE", "await asyncio.sleep(0.2)")
    assert ("BP603", "GET /api/events") in codes_by_route(probe(tmp_path, backend(leaky)))


SOCKET = """

@app.websocket("/ws/tasks/{task_id}")
async def follow(websocket: WebSocket, task_id: RowId, token: str = "") -> None:
    try:
        me = verify_token(token)
    except InvalidTokenError:
        me = None
    if AUTHENTICATED:
        raise WebSocketException(1008, "Sign in first")
    with Session(engine) as session:
        task = session.get(Task, task_id)
        if OWNED:
            raise WebSocketException(1008, "No such task")
        await websocket.accept()
        await websocket.send_json({"title": task.title})
        text = await websocket.receive_json()
        task.description = text["message"]
        session.commit()
        await websocket.close()
"""
AUTHENTICATED = "me is None"
OWNED = "task is None or task.user_id != me"
ROUTE = "WEBSOCKET /ws/tasks/{task_id}"


def sockets(authenticated: str = AUTHENTICATED, owned: str = OWNED) -> Files:
    return backend(SOCKET.replace("AUTHENTICATED", authenticated).replace("OWNED", owned))


def test_a_sound_websocket_is_exercised_and_refuses_everybody_else(tmp_path: Path) -> None:
    run = probe(tmp_path, sockets())
    assert run.findings == ()
    assert missed(run) == {}
    outcomes = {p.name: p.outcome for p in run.probes if p.route == ROUTE}
    assert outcomes == {"life": "passed", "authentication": "passed", "isolation": "passed"}


def test_a_websocket_that_asks_for_no_token_is_found(tmp_path: Path) -> None:
    run = probe(tmp_path, sockets("False", "task is None"))
    assert {("BP601", ROUTE), ("BP603", ROUTE), ("BP604", ROUTE)} <= codes_by_route(run)


def test_a_websocket_to_the_owners_row_is_found(tmp_path: Path) -> None:
    run = probe(tmp_path, sockets(owned="task is None"))
    assert codes_by_route(run) == {("BP603", ROUTE), ("BP604", ROUTE)}


def test_a_websocket_that_refuses_the_owner_is_missed(tmp_path: Path) -> None:
    run = probe(tmp_path, sockets(owned="True"))
    assert missed(run) == {ROUTE: "the owner's connection is refused (401)"}


@pytest.mark.parametrize("spelling", ["gzip", "escapes", "header"])
def test_a_leak_is_found_however_it_is_spelled(spelling: str, tmp_path: Path) -> None:
    spelled = {
        "gzip": "Response(gzip.compress(text.encode()), headers={'content-encoding': 'gzip'})",
        "escapes": """Response('"' + "".join(f"\\\\u{ord(x):04x}" for x in text) + '"')""",
        "header": "Response(headers={'x-titles': text})",
    }
    route = f"""

@app.get("/api/titles")
def titles(session: DatabaseSession, current_user: CurrentUser) -> Response:
    import gzip

    text = " ".join(task.title for task in session.exec(select(Task)))
    return {spelled[spelling]}
"""
    assert ("BP603", "GET /api/titles") in codes_by_route(probe(tmp_path, backend(route)))
