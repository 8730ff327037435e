"""A real Better Auth server on Node, and users who have signed up there."""

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.e2e.backends import SECRET
from tests.e2e.processes import running, wait_until
from validators.runtime.cluster import Database

_HERE = Path(__file__).parent
PASSWORD = "correct horse battery staple"
SESSION_COOKIE = "better-auth.session_data"


@dataclass(frozen=True)
class Listener:
    """One configuration of the server.

    Attributes:
        port: Where it listens on the loopback address.
        base_url: What the server calls itself; its address where empty.
        jwt: Options of the jwt plugin's tokens.
        cookie_seconds: How long the session cookie's token is valid.
    """

    port: int
    base_url: str = ""
    jwt: Mapping[str, str] | None = None
    cookie_seconds: int = 300

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    def configuration(self) -> dict[str, Any]:
        """Return what the server reads."""
        return {
            "port": self.port,
            "baseURL": self.base_url or self.url,
            "jwt": self.jwt,
            "cookieMaxAge": self.cookie_seconds,
        }


@contextmanager
def better_auth(
    database: Database, log: Path, *listeners: Listener, user_id: str = "text"
) -> Iterator[None]:
    """Run a Better Auth server until the end of the block; it makes its tables where they lack.

    Args:
        database: Where it keeps its users.
        log: File that gets what it writes.
        listeners: Its configurations.
        user_id: Type of its ids: text, int or uuid.
    """
    node = shutil.which("node")
    assert node is not None, "Node 20 or later is needed: install it, then run `make e2e`"
    configuration = {
        "secret": SECRET,
        "generateId": {"int": "serial", "uuid": "uuid"}.get(user_id),
        "database": {
            "host": str(database.cluster.folder),
            "user": database.name,
            "database": database.name,
        },
        "listeners": [listener.configuration() for listener in listeners],
    }
    environment = {
        "PATH": os.defpath,
        "CONFIGURATION": json.dumps(configuration),
        "BETTER_AUTH_TELEMETRY": "0",
    }
    log.write_bytes(b"")
    with running([node, "server.mjs"], log, cwd=_HERE, environment=environment) as process:
        wait_until(lambda: "ready" in log.read_text(), process, log)
        yield


@dataclass(frozen=True)
class Person:
    """Somebody who has signed up at Better Auth.

    Attributes:
        id: Their id.
        email: Their address.
        cookies: The cookies of their browser.
    """

    id: str
    email: str
    cookies: Mapping[str, str]

    def token(self, listener: Listener) -> str:
        """Return a token of the jwt plugin."""
        return str(self._get(f"{listener.url}/api/auth/token")["token"])

    def signed_token(self, listener: Listener, expires: str = "15m", **claims: object) -> str:
        """Return a token that the frontend's own signer makes with the secret."""
        query = {"expires": expires, "claims": json.dumps(claims)}
        return str(self._get(f"{listener.url}/signed-token", query)["token"])

    def session_cookie(self, listener: Listener) -> str:
        """Return the value of a fresh session cookie."""
        url = f"{listener.url}/api/auth/get-session?disableCookieCache=true"
        return _read(httpx.get(url, cookies=dict(self.cookies))).cookies[SESSION_COOKIE]

    def confirmation_token(self, listener: Listener) -> str:
        """Return the token of a link that confirms an address."""
        url = f"{listener.url}/api/auth/send-verification-email"
        self._post(listener, url, {"email": self.email})
        return str(self._get(f"{listener.url}/confirmation", {"email": self.email})["token"])

    def leave(self, listener: Listener) -> None:
        """Have Better Auth delete the user."""
        url = f"{listener.url}/api/auth/delete-user"
        self._post(listener, url, {"password": PASSWORD})

    def _post(self, listener: Listener, url: str, body: Mapping[str, str]) -> None:
        headers = {"Origin": listener.url}
        _read(httpx.post(url, json=body, headers=headers, cookies=dict(self.cookies)))

    def _get(self, url: str, query: Mapping[str, str] | None = None) -> dict[str, Any]:
        answer = _read(httpx.get(url, params=query, cookies=dict(self.cookies)))
        body: dict[str, Any] = answer.json()
        return body


def sign_up(listener: Listener, name: str) -> Person:
    """Sign somebody up."""
    email = f"{name.lower()}@example.com"
    body = {"name": name, "email": email, "password": PASSWORD}
    answer = _read(httpx.post(f"{listener.url}/api/auth/sign-up/email", json=body))
    return Person(answer.json()["user"]["id"], email, dict(answer.cookies))


def _read(answer: httpx.Response) -> httpx.Response:
    assert answer.is_success, f"{answer.request.url}: {answer.status_code} {answer.text}"
    return answer
