"""Backends that the real command line builds, served by uvicorn."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import psycopg

from tests.e2e.processes import Process, free_port, running, wait_until

REQUEST = (
    "add CRUD for tasks with a title, a completed flag and a priority (low, medium or high); "
    "filter by completed and priority"
)
SECRET = "a secret of more than thirty-two characters"
_PROGRAMS = Path(sys.executable).parent


def build(folder: Path, auth: str, user_id: str = "text") -> Path:
    """Build a tasks backend with the offline model through the command line; return its folder."""
    command = [
        str(_PROGRAMS / "backendpro"), "build", REQUEST,
        "--into", str(folder), "--model", "offline", "--auth", auth, "--user-id", user_id,
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder / "backend"


@dataclass
class Served:
    """A backend that is being served.

    Attributes:
        url: Its base URL.
        database: URL of its database.
        process: Its process.
        log: What it has written.
    """

    url: str
    database: str
    process: Process
    log: Path

    def client(self, token: str | None) -> httpx.Client:
        """Return a client that sends a token."""
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        # uvicorn closes an idle connection after five seconds; this lets the client be first.
        limits = httpx.Limits(keepalive_expiry=2)
        return httpx.Client(base_url=self.url, headers=headers, timeout=60, limits=limits)

    def status(self, token: str | None) -> int:
        """Return how the list of tasks answers to a token."""
        with self.client(token) as client:
            answer = client.get("/api/tasks")
        if answer.status_code == 401:
            assert answer.headers["www-authenticate"] == "Bearer"
        return answer.status_code

    def execute(self, statement: str, *values: object) -> list[tuple[object, ...]]:
        """Run a statement in the backend's database and return its rows."""
        with psycopg.connect(self.database, autocommit=True) as connection:
            cursor = connection.execute(statement.encode(), values)
            return cursor.fetchall() if cursor.description else []


@contextmanager
def served(
    backend: Path, database: str, settings: Mapping[str, str], database_url: str | None = None
) -> Iterator[Served]:
    """Serve a backend until the end of the block.

    Args:
        backend: Its folder.
        database: URL of its database, for the test.
        settings: Its environment variables, those of the database apart.
        database_url: URL by which the backend reaches the database, where it differs.
    """
    port = free_port()
    log = backend.parent / f"uvicorn-{port}.log"
    environment = {
        "PATH": os.defpath,
        "PYTHONDONTWRITEBYTECODE": "1",
        "DATABASE_URL": database_url or database,
        **settings,
    }
    command = [str(_PROGRAMS / "uvicorn"), "main:app", "--port", str(port)]
    with running(command, log, cwd=backend, environment=environment) as process:
        answering = Served(f"http://127.0.0.1:{port}", database, process, log)
        wait_until(lambda: _answers(answering.url), process, log)
        yield answering


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/openapi.json").is_success
    except httpx.TransportError:
        return False
