"""A backend that signs its users up and in itself, without Better Auth."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import jwt
import pytest

from tests.e2e import life
from tests.e2e.backends import SECRET, Served, build, served
from tests.e2e.forged import read_part, signed_by, tampered
from tests.e2e.processes import eventually
from validators.runtime.cluster import Database

PASSWORD = "correct horse battery staple"


@dataclass(frozen=True)
class Place:
    """What the tests of this module share: the backend's folder, the backend, two tokens."""

    backend: Path
    served: Served
    olivia: str
    ivan: str


def send(backend: Served, path: str, **body: str) -> httpx.Response:
    return httpx.post(f"{backend.url}/api/auth/{path}", json=body, timeout=60)


def sign_up(backend: Served, name: str, password: str = PASSWORD) -> str:
    answer = send(
        backend, "sign-up", name=name, email=f"{name.lower()}@example.com", password=password
    )
    assert answer.status_code == 201, answer.text
    return str(answer.json()["access_token"])


def sign_in(backend: Served, email: str, password: str = PASSWORD) -> httpx.Response:
    return send(backend, "sign-in", email=email, password=password)


@pytest.fixture(scope="module")
def place(database: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    backend = build(tmp_path_factory.mktemp("own"), "own")
    with served(backend, database.url, {"AUTH_SECRET": SECRET}) as answering:
        tokens = [sign_up(answering, name) for name in ("Olivia", "Ivan")]
        yield Place(backend, answering, *tokens)


def test_a_task_lives_its_whole_life(place: Place) -> None:
    owner = place.served.client(place.olivia)
    intruder = place.served.client(place.ivan)
    with owner, intruder:
        life.live(owner, intruder)


def test_who_has_signed_up_can_sign_in_with_the_same_rows(place: Place) -> None:
    first = sign_up(place.served, "Sara")
    with place.served.client(first) as client:
        made = client.post("/api/tasks", json={"title": "kept"}).json()
    answer = sign_in(place.served, "SARA@Example.com")
    assert answer.status_code == 200
    with place.served.client(answer.json()["access_token"]) as client:
        assert [row["id"] for row in client.get("/api/tasks").json()] == [made["id"]]


def test_an_address_signs_up_once_however_it_is_written(place: Place) -> None:
    body = {"name": "Olivia", "email": "Olivia@EXAMPLE.com", "password": PASSWORD}
    assert send(place.served, "sign-up", **body).status_code == 409


def test_a_wrong_password_and_an_unknown_address_are_not_told_apart(place: Place) -> None:
    answers = [
        sign_in(place.served, "ivan@example.com", "wrong horse battery staple"),
        sign_in(place.served, "nobody@example.com"),
    ]
    assert [answer.status_code for answer in answers] == [401, 401]
    assert answers[0].content == answers[1].content


@pytest.mark.parametrize(
    "changes",
    [
        {"password": "too short"},
        {"password": "x" * 129},
        {"email": "no address"},
        {"name": " "},
        {"name": "N\0"},
        {"user_id": "1"},
    ],
)
def test_a_sign_up_that_is_not_valid_is_refused(place: Place, changes: dict[str, str]) -> None:
    body = {"name": "Vera", "email": "vera@example.com", "password": PASSWORD, **changes}
    answer = send(place.served, "sign-up", **body)
    assert answer.status_code == 422
    assert all(value not in answer.text for value in (PASSWORD, "too short"))


def test_passwords_are_stored_as_argon2_hashes_alone(place: Place) -> None:
    rows = place.served.execute("select * from app_user")
    hashes = place.served.execute("select password_hash from app_user")
    assert PASSWORD not in str(rows)
    assert all(str(stored).startswith("$argon2id$") for (stored,) in hashes)
    assert len(set(hashes)) == len(hashes) > 1


def test_nobody_guesses_passwords_quickly(place: Place) -> None:
    sign_up(place.served, "Gina")
    statuses = [sign_in(place.served, "gina@example.com", "a guess").status_code for _ in range(10)]
    assert statuses == [401] * 10
    refused = sign_in(place.served, "gina@example.com")
    assert refused.status_code == 429
    assert 1 <= int(refused.headers["retry-after"]) <= 60


def test_a_token_is_accepted_until_it_expires(place: Place, database: Database) -> None:
    settings = {"AUTH_SECRET": SECRET, "TOKEN_SECONDS": "2"}
    with served(place.backend, database.url, settings) as brief:
        token = sign_up(brief, "Bea")
        expires = read_part(token.split(".")[1])["exp"]
        first = brief.status(token)
        assert first == 200 or time.time() >= expires
        assert eventually(lambda: brief.status(token) == 401)
        assert time.time() >= expires


def test_requests_without_a_good_token_are_refused(place: Place) -> None:
    claims = jwt.decode(place.olivia, options={"verify_signature": False})
    tokens = [
        None,
        "x",
        signed_by(b"another secret of more than thirty-two characters", place.olivia),
        signed_by(b"", place.olivia),
        jwt.encode({"sub": claims["sub"]}, SECRET, "HS256"),
        jwt.encode({"exp": claims["exp"]}, SECRET, "HS256"),
        jwt.encode({**claims, "aud": "https://elsewhere.example"}, SECRET, "HS256"),
        *tampered(place.ivan, claims["sub"]),
    ]
    assert [place.served.status(token) for token in tokens] == [401] * len(tokens)


def test_a_deleted_user_is_signed_out_and_leaves_nothing(place: Place) -> None:
    token = sign_up(place.served, "Lee")
    user_id = read_part(token.split(".")[1])["sub"]
    with place.served.client(token) as client:
        assert client.post("/api/tasks", json={"title": "the last"}).status_code == 201
        place.served.execute("delete from app_user where id = %s", user_id)
        assert client.get("/api/tasks").status_code == 401
    assert place.served.execute("select id from task where user_id = %s", user_id) == []
    assert sign_in(place.served, "lee@example.com").status_code == 401
