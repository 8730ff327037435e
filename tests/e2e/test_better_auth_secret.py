"""Tokens that a real Better Auth server signs with its secret: session cookie, and own signer."""

import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.e2e import life
from tests.e2e.backends import SECRET, Served, build, served
from tests.e2e.better_auth import Listener, Person, better_auth, sign_up
from tests.e2e.forged import read_part, signed_by, tampered
from tests.e2e.processes import eventually, free_port
from validators.runtime.cluster import Cluster


@dataclass(frozen=True)
class Place:
    """What the tests of this module share.

    Attributes:
        served: The backend.
        main: The server.
        brief: The same server, whose session cookies are good for two seconds.
        olivia: A user.
        ivan: Another one.
    """

    served: Served
    main: Listener
    brief: Listener
    olivia: Person
    ivan: Person


@pytest.fixture(
    scope="module", params=[("better-auth-secret", "text"), ("better-auth", "uuid")], ids="-".join
)
def place(
    request: pytest.FixtureRequest, cluster: Cluster, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("secret")
    auth, user_id = request.param
    backend = build(folder, auth, user_id)
    main = Listener(free_port())
    brief = Listener(free_port(), main.url, cookie_seconds=2)
    with (
        cluster.database(None) as database,
        better_auth(database, folder / "node.log", main, brief, user_id=user_id),
    ):
        people = [sign_up(main, f"{name}-{main.port}") for name in ("Olivia", "Ivan")]
        with served(backend, database.url, {"BETTER_AUTH_SECRET": SECRET}) as answering:
            yield Place(answering, main, brief, *people)


def test_the_session_cookie_is_what_better_auth_makes_of_it(place: Place) -> None:
    header, payload, _ = place.olivia.session_cookie(place.main).split(".")
    claims = read_part(payload)
    assert read_part(header) == {"alg": "HS256"}
    assert claims["session"]["userId"] == claims["user"]["id"] == place.olivia.id
    assert "sub" not in claims


def test_a_task_lives_its_whole_life_by_session_cookies(place: Place) -> None:
    owner = place.served.client(place.olivia.session_cookie(place.main))
    intruder = place.served.client(place.ivan.session_cookie(place.main))
    with owner, intruder:
        life.live(owner, intruder)


def test_a_task_lives_its_whole_life_by_tokens_of_the_frontend(place: Place) -> None:
    owner = place.served.client(place.olivia.signed_token(place.main))
    intruder = place.served.client(place.ivan.signed_token(place.main))
    with owner, intruder:
        life.live(owner, intruder)


def test_a_session_cookie_is_accepted_until_it_expires(place: Place) -> None:
    token = place.olivia.session_cookie(place.brief)
    expires = read_part(token.split(".")[1])["exp"]
    first = place.served.status(token)
    assert first == 200 or time.time() >= expires
    assert eventually(lambda: place.served.status(token) == 401)
    assert time.time() >= expires


def test_an_expired_token_of_the_frontend_is_refused(place: Place) -> None:
    assert place.served.status(place.olivia.signed_token(place.main, expires="-1s")) == 401


def test_a_token_for_another_audience_is_refused(place: Place) -> None:
    token = place.olivia.signed_token(place.main, aud="https://elsewhere.example")
    assert place.served.status(token) == 401


def test_what_the_secret_signs_besides_signs_nobody_in(place: Place) -> None:
    token = place.ivan.confirmation_token(place.main)
    header, payload, _ = token.split(".")
    assert read_part(header)["alg"] == "HS256"
    assert read_part(payload)["email"] == place.ivan.email
    assert place.served.status(token) == 401


def test_requests_without_a_token_of_the_secret_are_refused(place: Place) -> None:
    tokens = [
        None,
        "x",
        place.olivia.token(place.main),
        place.olivia.cookies["better-auth.session_token"],
    ]
    assert [place.served.status(token) for token in tokens] == [401] * len(tokens)


def test_the_cookie_itself_is_no_token(place: Place) -> None:
    with place.served.client(None) as client:
        client.cookies.update(dict(place.olivia.cookies))
        assert client.get("/api/tasks").status_code == 401


@pytest.mark.parametrize("kind", ["session cookie", "token of the frontend"])
def test_a_tampered_token_is_refused(place: Place, kind: str) -> None:
    make = Person.session_cookie if kind == "session cookie" else Person.signed_token
    token = make(place.ivan, place.main)
    assert place.served.status(token) == 200
    statuses = [place.served.status(bad) for bad in tampered(token, place.olivia.id)]
    assert statuses == [401] * 4
    for secret in (b"", b"another secret of more than thirty-two characters", token.encode()):
        assert place.served.status(signed_by(secret, token)) == 401


def test_a_deleted_user_is_signed_out_and_leaves_nothing(place: Place) -> None:
    leaver = sign_up(place.main, f"Lee-{place.main.port}")
    tokens = leaver.session_cookie(place.main), leaver.signed_token(place.main)
    with place.served.client(tokens[0]) as client:
        assert client.post("/api/tasks", json={"title": "the last"}).status_code == 201
    leaver.leave(place.main)
    assert [place.served.status(token) for token in tokens] == [401, 401]
    rows = place.served.execute("select id from task where user_id = %s", leaver.id)
    assert rows == []
