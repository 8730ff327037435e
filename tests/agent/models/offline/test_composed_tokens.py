"""Which tokens a composed backend accepts, and what stops its start."""

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from jwt.algorithms import OKPAlgorithm

from agent.models.offline.blueprint import UserIdType
from agent.models.offline.compose import compose
from tests.agent.models.offline import blueprints
from tests.agent.models.offline.serving import (
    FOREVER,
    SECRET,
    Postgres,
    Served,
    run_once,
    serve,
    sign,
    write_files,
)

UNSIGNED = base64.urlsafe_b64encode(b'{"alg":"none"}').rstrip(b"=").decode()


def status_of(served: Served, token: str | None, path: str = "/api/tasks") -> int:
    answer = served.client(token).get(path)
    if answer.status_code == 401:
        assert answer.headers["www-authenticate"] == "Bearer"
    return answer.status_code


class JwksServer:
    """Publishes keys as Better Auth does, and signs tokens with them."""

    def __init__(self, server: ThreadingHTTPServer) -> None:
        self.url = f"http://127.0.0.1:{server.server_port}"
        self.keys: dict[str, Ed25519PrivateKey] = {}
        self.answer: bytes | None = None

    def add_key(self, kid: str) -> Ed25519PrivateKey:
        self.keys[kid] = Ed25519PrivateKey.generate()
        return self.keys[kid]

    def body(self) -> bytes:
        if self.answer is not None:
            return self.answer
        keys = [
            {**OKPAlgorithm.to_jwk(key.public_key(), as_dict=True), "kid": kid, "alg": "EdDSA"}
            for kid, key in self.keys.items()
        ]
        return json.dumps({"keys": keys}).encode()

    def sign(self, kid: str, subject: str, **changes: object) -> str:
        claims = {"sub": subject, "exp": FOREVER, "iss": self.url, "aud": self.url, **changes}
        kept = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode(kept, self.keys[kid], "EdDSA", headers={"kid": kid})


@contextmanager
def published_keys() -> Iterator[JwksServer]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            is_known = self.path == "/api/auth/jwks"
            body = jwks.body() if is_known else b"{}"
            self.send_response(200 if is_known else 404)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name there
            del format, args

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        jwks = JwksServer(server)
        jwks.add_key("first")
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield jwks
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture(scope="module")
def backend(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_files(tmp_path_factory.mktemp("tasks"), compose(blueprints.TASKS))


@pytest.fixture(scope="module")
def with_keys(backend: Path, postgres: Postgres) -> Iterator[tuple[Served, JwksServer]]:
    with (
        published_keys() as jwks,
        serve(
            backend,
            postgres,
            environment={
                "BETTER_AUTH_URL": f"{jwks.url}/",
                "CORS_ORIGINS": "https://app.example, https://admin.example",
            },
        ) as served,
    ):
        yield served, jwks


def test_a_token_signed_with_the_secret_is_accepted(everything: Served) -> None:
    user_id = everything.user_ids[0]
    assert status_of(everything, sign(user_id)) == 200
    session = {"userId": user_id, "token": "x"}
    assert status_of(everything, sign(None, session=session)) == 200


@pytest.mark.parametrize(
    "token",
    [
        None,
        "x",
        "a.b.c",
        f"{UNSIGNED}.{sign('Yq3vWc8LkZ1TnB5x').split('.')[1]}.",
        sign("Yq3vWc8LkZ1TnB5x", secret="another secret of more than thirty-two characters"),
        sign("Yq3vWc8LkZ1TnB5x", exp=1),
        sign("Yq3vWc8LkZ1TnB5x", exp=None),
        sign("Yq3vWc8LkZ1TnB5x", nbf=FOREVER - 1),
        sign(None),
        sign(None, email="user0@example.com"),
        sign(None, session={}),
        sign(None, session={"userId": 5}),
        sign(None, session="Yq3vWc8LkZ1TnB5x"),
        sign("Yq3vWc8LkZ1TnB5x", aud="http://localhost:3000"),
        sign(""),
        sign("nobody"),
        jwt.encode({"sub": "Yq3vWc8LkZ1TnB5x", "exp": FOREVER}, SECRET * 2, "HS512"),
        jwt.encode({"sub": 5, "exp": FOREVER}, SECRET, "HS256"),
        f"{'W' * 60000}.e30.AA",
    ],
)
def test_any_other_token_is_refused(everything: Served, token: str | None) -> None:
    assert status_of(everything, token) == 401


def test_a_deleted_user_is_signed_out(everything: Served) -> None:
    everything.query(
        'insert into "user" (id, name, email, "emailVerified") values (%s, %s, %s, true)',
        "leaver",
        "Lee",
        "lee@example.com",
    )
    client = everything.client(sign("leaver"))
    row = client.post("/api/projects", json={"name": "x"}).json()
    everything.query('delete from "user" where id = %s', "leaver")
    assert client.get("/api/tasks").status_code == 401
    assert everything.query("select id from project where id = %s", row["id"]) == []


def test_a_token_signed_with_a_published_key_is_accepted(
    with_keys: tuple[Served, JwksServer],
) -> None:
    served, jwks = with_keys
    assert status_of(served, jwks.sign("first", served.user_ids[0])) == 200


def test_what_a_published_key_signed_must_be_meant_for_us(
    with_keys: tuple[Served, JwksServer],
) -> None:
    served, jwks = with_keys
    user_id = served.user_ids[0]
    for changes in (
        {"aud": "https://elsewhere.example"},
        {"aud": None},
        {"iss": "https://elsewhere.example"},
        {"iss": None},
        {"exp": 1},
        {"exp": None},
        {"sub": None},
        {"sub": "nobody"},
    ):
        token = jwks.sign("first", user_id, **changes)
        assert status_of(served, token) == 401, changes


def test_no_token_chooses_its_own_algorithm(with_keys: tuple[Served, JwksServer]) -> None:
    served, jwks = with_keys
    user_id = served.user_ids[0]
    public = jwks.keys["first"].public_key()
    claims = {"sub": user_id, "exp": FOREVER, "iss": jwks.url, "aud": jwks.url}
    header = base64.urlsafe_b64encode(b'{"alg":"HS256","kid":"first"}').rstrip(b"=")
    payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=")
    algorithm = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256)
    raw = public.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    pem = public.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    for key in (raw, pem, SECRET.encode()):
        signature = algorithm.sign(header + b"." + payload, key)
        encoded = base64.urlsafe_b64encode(signature).rstrip(b"=")
        token = b".".join((header, payload, encoded)).decode()
        assert status_of(served, token) == 401
    assert status_of(served, sign(user_id, iss=jwks.url, aud=jwks.url)) == 401
    assert status_of(served, f"{UNSIGNED}.{payload.decode()}.") == 401


def test_keys_are_fetched_again_when_they_are_rotated_or_could_not_be_had(
    backend: Path, postgres: Postgres
) -> None:
    with (
        published_keys() as jwks,
        serve(backend, postgres, environment={"BETTER_AUTH_URL": jwks.url}) as served,
    ):
        user_id = served.user_ids[0]
        token = jwks.sign("first", user_id)
        for jwks.answer in (b"<html>", b'{"keys": []}', b"\xff"):
            assert status_of(served, token) == 503
        jwks.answer = None
        assert status_of(served, token) == 200
        jwks.add_key("second")
        rotated = jwks.sign("second", user_id)
        # A new key is looked for once a second at most, so a few requests may be too early.
        assert any(status_of(served, rotated) == 200 for _ in range(2000))
        unknown = jwt.encode({"sub": user_id}, jwks.keys["first"], "EdDSA", headers={"kid": "?"})
        assert status_of(served, unknown) == 401


def test_a_server_that_does_not_answer_is_told_from_a_bad_token(backend: Path) -> None:
    with published_keys() as jwks:
        token = jwks.sign("first", "Yq3vWc8LkZ1TnB5x")
    settings = {"DATABASE_URL": "postgresql://x", "BETTER_AUTH_URL": jwks.url}
    code, output = run_once(
        backend, settings, f"from utils.jwt import verify_token; verify_token('{token}')"
    )
    assert code != 0
    assert "utils.jwt.KeysUnavailableError" in output


@pytest.mark.parametrize(
    ("user_id", "subject"),
    [
        *(("int", text) for text in ("one", "-1", "0", "2147483648", "9" * 5000, "1.0")),
        *(("uuid", text) for text in ("one", "5c3f1a9e")),
    ],
)
def test_a_subject_that_is_no_user_id_is_refused(
    tmp_path: Path, user_id: UserIdType, subject: str
) -> None:
    blueprint = blueprints.AUTH_ALONE.model_copy(update={"user_id": user_id})
    backend = write_files(tmp_path, compose(blueprint))
    settings = {"DATABASE_URL": "postgresql://x", "BETTER_AUTH_SECRET": SECRET}
    check = f"from utils.jwt import verify_token; verify_token('{sign(subject)}')"
    code, output = run_once(backend, settings, check)
    assert code != 0
    assert "utils.jwt.InvalidTokenError" in output


def test_user_ids_may_be_uuids(postgres: Postgres, tmp_path: Path) -> None:
    blueprint = blueprints.TASKS.model_copy(update={"user_id": "uuid", "has_me": True})
    with serve(write_files(tmp_path, compose(blueprint)), postgres, "uuid") as served:
        me = served.owner.get("/api/me").json()
        assert me == {"id": served.user_ids[0], "name": "User 0", "email": "user0@example.com"}
        task = served.owner.post("/api/tasks", json={"title": "x"}).json()
        assert served.intruder.get(f"/api/tasks/{task['id']}").status_code == 404
        assert status_of(served, sign("no uuid")) == 401


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        ({}, "DATABASE_URL"),
        ({"DATABASE_URL": " "}, "DATABASE_URL"),
        ({"DATABASE_URL": "sqlite://"}, "DATABASE_URL"),
        ({"DATABASE_URL": "postgresql://x"}, "BETTER_AUTH_SECRET"),
        ({"DATABASE_URL": "postgresql://x", "BETTER_AUTH_SECRET": "short"}, "BETTER_AUTH_SECRET"),
        ({"DATABASE_URL": "postgresql://x", "BETTER_AUTH_URL": "localhost"}, "BETTER_AUTH_URL"),
        (
            {
                "DATABASE_URL": "postgresql://x",
                "BETTER_AUTH_SECRET": SECRET,
                "CORS_ORIGINS": "https://a.example, *",
            },
            "CORS_ORIGINS",
        ),
    ],
)
def test_bad_configuration_stops_the_start_with_one_sentence(
    backend: Path, settings: dict[str, str], name: str
) -> None:
    code, output = run_once(backend, settings)
    assert code != 0
    assert name in output
    assert len(output.strip().splitlines()) == 1


def test_only_named_origins_may_call_from_a_browser(
    with_keys: tuple[Served, JwksServer],
) -> None:
    served, _ = with_keys
    answers = {
        origin: httpx.options(
            f"{served.url}/api/tasks/1",
            headers={"Origin": origin, "Access-Control-Request-Method": "PATCH"},
        ).headers.get("access-control-allow-origin")
        for origin in ("https://admin.example", "https://evil.example")
    }
    assert answers == {
        "https://admin.example": "https://admin.example",
        "https://evil.example": None,
    }


def test_a_missing_user_table_is_named(backend: Path, postgres: Postgres) -> None:
    settings = {"DATABASE_URL": postgres.url, "BETTER_AUTH_SECRET": SECRET}
    code, output = run_once(backend, settings, "import database; database.create_tables()")
    assert code != 0
    assert 'The table "user" is missing' in output
