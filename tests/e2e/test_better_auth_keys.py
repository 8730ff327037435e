"""Tokens of a real Better Auth server with the jwt plugin: EdDSA, keys at its JWKS endpoint."""

import base64
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import psycopg
import pytest

from tests.e2e import life
from tests.e2e.backends import SECRET, Served, build, served
from tests.e2e.better_auth import Listener, Person, better_auth, sign_up
from tests.e2e.forged import read_part, signed_by, tampered
from tests.e2e.processes import eventually, free_port
from validators.runtime.cluster import Cluster, Database


@dataclass(frozen=True)
class Place:
    """What the tests of this module share.

    Attributes:
        database: The database of the server and the backend.
        backend: The backend's folder.
        served: The backend.
        main: The server whose tokens the backend accepts.
        brief: The same server, with tokens of two seconds.
        foreign: The same server, with tokens for another audience.
        olivia: A user.
        ivan: Another one.
        user_id: Type of their ids.
    """

    database: Database
    backend: Path
    served: Served
    main: Listener
    brief: Listener
    foreign: Listener
    olivia: Person
    ivan: Person
    user_id: str


@pytest.fixture(
    scope="module", params=[("better-auth-jwks", "text"), ("better-auth", "int")], ids="-".join
)
def place(
    request: pytest.FixtureRequest, cluster: Cluster, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("keys")
    auth, user_id = request.param
    backend = build(folder, auth, user_id)
    main = Listener(free_port())
    brief = Listener(free_port(), main.url, {"expirationTime": "2s"})
    foreign = Listener(free_port(), main.url, {"audience": "https://elsewhere.example"})
    with (
        cluster.database(None) as database,
        better_auth(database, folder / "node.log", main, brief, foreign, user_id=user_id),
    ):
        olivia, ivan = (sign_up(main, f"{name}-{main.port}") for name in ("Olivia", "Ivan"))
        # Where the code knows both ways, the address of the server decides.
        settings = {"BETTER_AUTH_URL": main.url, "BETTER_AUTH_SECRET": SECRET}
        with served(backend, database.url, settings) as answering:
            yield Place(database, backend, answering, main, brief, foreign, olivia, ivan, user_id)


def test_the_token_is_what_better_auth_says_it_is(place: Place) -> None:
    header, payload, _ = place.olivia.token(place.main).split(".")
    claims = read_part(payload)
    assert read_part(header)["alg"] == "EdDSA"
    assert claims["sub"] == place.olivia.id
    assert claims["iss"] == claims["aud"] == place.main.url


def test_a_task_lives_its_whole_life(place: Place) -> None:
    owner = place.served.client(place.olivia.token(place.main))
    intruder = place.served.client(place.ivan.token(place.main))
    with owner, intruder:
        life.live(owner, intruder)


def test_a_token_is_accepted_until_it_expires(place: Place) -> None:
    token = place.olivia.token(place.brief)
    expires = read_part(token.split(".")[1])["exp"]
    first = place.served.status(token)
    assert first == 200 or time.time() >= expires
    assert eventually(lambda: place.served.status(token) == 401)
    assert time.time() >= expires


def test_a_token_for_another_audience_is_refused(place: Place) -> None:
    token = place.olivia.token(place.foreign)
    assert read_part(token.split(".")[1])["aud"] == "https://elsewhere.example"
    assert place.served.status(token) == 401


def test_requests_without_a_token_of_the_plugin_are_refused(place: Place) -> None:
    tokens = [
        None,
        "x",
        place.olivia.session_cookie(place.main),
        place.olivia.signed_token(place.main),
        place.olivia.signed_token(place.main, iss=place.main.url, aud=place.main.url),
        place.olivia.cookies["better-auth.session_token"],
    ]
    assert [place.served.status(token) for token in tokens] == [401] * len(tokens)


def test_a_tampered_token_is_refused(place: Place) -> None:
    token = place.ivan.token(place.main)
    statuses = [place.served.status(bad) for bad in tampered(token, place.olivia.id)]
    assert statuses == [401] * 4


def test_no_key_that_anybody_can_know_signs_a_token(place: Place) -> None:
    token = place.olivia.token(place.main)
    jwks = httpx.get(f"{place.main.url}/api/auth/jwks")
    key_id = read_part(token.split(".")[0])["kid"]
    key = next(key for key in jwks.json()["keys"] if key["kid"] == key_id)
    public = base64.urlsafe_b64decode(key["x"] + "=")
    for secret in (SECRET.encode(), public, key["x"].encode(), jwks.content, b""):
        assert place.served.status(signed_by(secret, token)) == 401


def test_keys_rotate_while_the_backend_runs(place: Place) -> None:
    def rotate() -> str:
        # Better Auth makes a new key when the latest one has expired.
        place.served.execute("update jwks set \"expiresAt\" = now() - interval '1 second'")
        return place.olivia.token(place.main)

    old = place.olivia.token(place.main)
    assert place.served.status(old) == 200
    new = rotate()
    keys = [read_part(token.split(".")[0])["kid"] for token in (old, new)]
    assert keys[0] != keys[1]
    # New keys are asked for once a second at most.
    assert eventually(lambda: place.served.status(new) == 200)
    assert place.served.status(old) == 200

    place.served.execute("delete from jwks where id = %s", keys[0])
    newest = rotate()
    assert eventually(lambda: place.served.status(newest) == 200)
    assert place.served.status(new) == 200
    assert place.served.status(old) == 401


def test_a_deleted_user_is_signed_out_and_leaves_nothing(place: Place) -> None:
    leaver = sign_up(place.main, f"Lee-{place.main.port}")
    token = leaver.token(place.main)
    with place.served.client(token) as client:
        assert client.post("/api/tasks", json={"title": "the last"}).status_code == 201
        leaver.leave(place.main)
        assert client.get("/api/tasks").status_code == 401
        assert client.post("/api/tasks", json={"title": "no more"}).status_code == 401
    rows = place.served.execute("select id from task where user_id = %s", leaver.id)
    assert rows == []


def test_a_better_auth_that_is_down_is_told_from_a_bad_token(place: Place, tmp_path: Path) -> None:
    late = Listener(free_port())
    with better_auth(place.database, tmp_path / "node.log", late, user_id=place.user_id):
        token = sign_up(late, f"Early-{late.port}").token(late)
    settings = {"BETTER_AUTH_URL": late.url}
    with served(place.backend, place.database.url, settings) as answering:
        with answering.client(token) as client:
            answer = client.get("/api/tasks")
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
        assert answering.status(None) == 401
        with better_auth(place.database, tmp_path / "node.log", late, user_id=place.user_id):
            assert answering.status(token) == 200
            bad = tampered(token, place.olivia.id)
            assert [answering.status(each) for each in bad] == [401] * 4
        # The keys are known by now.
        assert answering.status(token) == 200


def test_nothing_is_written_to_the_tables_of_better_auth(place: Place) -> None:
    with psycopg.connect(place.served.database) as connection:
        columns = connection.execute(
            "select column_name from information_schema.columns where table_name = 'user'"
        ).fetchall()
    names = {name for (name,) in columns}
    assert names == {"id", "name", "email", "emailVerified", "image", "createdAt", "updatedAt"}
