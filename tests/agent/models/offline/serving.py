"""Serves generated backends with uvicorn on embedded PostgreSQL, and speaks to them."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import jwt
import psycopg

from agent.models.offline.blueprint import UserIdType
from agent.reply import SourceFile

SECRET = "a secret of more than thirty-two characters"
FOREVER = 4_000_000_000  # seconds since 1970
START_SECONDS = 60

USER_IDS: dict[UserIdType, tuple[str, str]] = {
    "text": ("Yq3vWc8LkZ1TnB5x", "H6tKe0VwXs2MzC9b"),
    "int": ("1", "2"),
    "uuid": ("5c3f1a9e-0000-4000-8000-000000000001", "5c3f1a9e-0000-4000-8000-000000000002"),
}
_COLUMN_TYPES: dict[UserIdType, str] = {"text": "text", "int": "integer", "uuid": "uuid"}


@dataclass(frozen=True)
class Postgres:
    """A running PostgreSQL."""

    url: str

    def create_database(self, user_id: UserIdType = "text") -> str:
        """Create a database with a user table and two users, and return its URL."""
        name = f"backend_{uuid4().hex}"
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(f"create database {name}".encode())
        url = self.url.replace("/postgres?", f"/{name}?")
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(
                f'create table "user" (id {_COLUMN_TYPES[user_id]} primary key, '
                "name text not null, email text not null unique, "
                '"emailVerified" boolean not null, image text, '
                '"createdAt" timestamptz not null default now(), '
                '"updatedAt" timestamptz not null default now())'.encode()
            )
            for number, key in enumerate(USER_IDS[user_id]):
                connection.execute(
                    'insert into "user" (id, name, email, "emailVerified") '
                    "values (%s, %s, %s, true)",
                    (key, f"User {number}", f"user{number}@example.com"),
                )
        return url


def sign(subject: str | None, *, secret: str = SECRET, **claims: object) -> str:
    """Return an HS256 token, valid unless the claims say otherwise."""
    given = {"sub": subject, "exp": FOREVER, **claims}
    return jwt.encode({k: v for k, v in given.items() if v is not None}, secret, "HS256")


@dataclass
class Served:
    """A backend that is being served.

    Attributes:
        url: Its base URL.
        database: URL of its database.
        log: What it has written so far.
        user_ids: The owner's and the intruder's.
    """

    url: str
    database: str
    log: Path
    user_ids: tuple[str, str]
    clients: list[httpx.Client] = field(default_factory=list)

    def client(self, token: str | None) -> httpx.Client:
        """Return a client that sends a token."""
        headers = {"Authorization": f"Bearer {token}"} if token is not None else {}
        client = httpx.Client(base_url=self.url, headers=headers, timeout=30)
        self.clients.append(client)
        return client

    @property
    def owner(self) -> httpx.Client:
        """A client of the first user."""
        return self.client(sign(self.user_ids[0]))

    @property
    def intruder(self) -> httpx.Client:
        """A client of the second user."""
        return self.client(sign(self.user_ids[1]))

    def query(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """Run a statement in the backend's database."""
        with psycopg.connect(self.database, autocommit=True) as connection:
            cursor = connection.execute(statement.encode(), values)
            return cursor.fetchall() if cursor.description else []


def write_files(folder: Path, files: Iterable[SourceFile]) -> Path:
    """Write a backend's files and return its folder."""
    for file in files:
        path = folder / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(file.code, encoding="utf-8")
    return folder / "backend"


@contextmanager
def serve(
    backend: Path,
    postgres: Postgres,
    user_id: UserIdType = "text",
    environment: Mapping[str, str] | None = None,
) -> Iterator[Served]:
    """Serve a backend until the end of the block; its tokens are signed with `SECRET`."""
    database = postgres.create_database(user_id)
    port = _free_port()
    log = backend.parent / "server.log"
    settings = {"BETTER_AUTH_SECRET": SECRET, "DATABASE_URL": database, **(environment or {})}
    command = [sys.executable, "-m", "uvicorn", "main:app", "--port", str(port)]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=backend, env=_environment(settings), stdout=output, stderr=output
        )
    served = Served(f"http://127.0.0.1:{port}", database, log, USER_IDS[user_id])
    try:
        _wait_until_ready(process, served)
        yield served
    finally:
        for client in served.clients:
            client.close()
        process.terminate()
        process.wait()


def run_once(
    backend: Path, settings: Mapping[str, str], code: str = "import main"
) -> tuple[int, str]:
    """Run code in a backend's folder, and return the exit code and what was written."""
    process = subprocess.run(
        [sys.executable, "-c", code],
        cwd=backend,
        env=_environment(settings),
        capture_output=True,
        text=True,
        check=False,
    )
    return process.returncode, process.stdout + process.stderr


def _environment(settings: Mapping[str, str]) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1", **settings}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_until_ready(process: "subprocess.Popen[bytes]", served: Served) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        try:
            httpx.get(f"{served.url}/openapi.json")
        except httpx.TransportError:
            time.sleep(0.05)
        else:
            return
    message = f"the backend did not start:\n{served.log.read_text()}"
    raise AssertionError(message)
