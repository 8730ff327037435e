"""Generated backends on a database like Neon's: behind TLS and a pooler, asleep, cut off."""

import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import httpx
import jwt
import psycopg
import pytest

from tests.e2e import life
from tests.e2e.backends import SECRET, Served, build, served
from tests.e2e.endpoint import Certificate, Endpoint, endpoint
from tests.e2e.pgbouncer import pgbouncer
from tests.e2e.processes import eventually
from validators.runtime.better_auth import INTRUDER, OWNER, User
from validators.runtime.cluster import Cluster, Database

REQUESTS = 50
AT_ONCE = 8
SETTINGS = {"BETTER_AUTH_SECRET": SECRET}


@dataclass(frozen=True)
class Place:
    """What the tests of this module share.

    Attributes:
        backend: The backend's folder.
        served: The backend, on the endpoint.
        endpoint: What the backend takes for its database.
        database: What lies behind the endpoint and a pooler.
        pooler: Port of that pooler.
    """

    backend: Path
    served: Served
    endpoint: Endpoint
    database: Database
    pooler: int

    def client(self, user: User = OWNER) -> httpx.Client:
        return self.served.client(sign(user))

    def use(self, task: str) -> list[int]:
        """Create, change and list by many requests, some at once; return their statuses."""
        with self.client() as client, ThreadPoolExecutor(AT_ONCE) as threads:

            def send(number: int) -> int:
                if number % 3 == 0:
                    return client.post("/api/tasks", json={"title": str(number)}).status_code
                if number % 3 == 1:
                    return client.patch(task, json={"completed": True}).status_code
                return client.get("/api/tasks", params={"completed": "true"}).status_code

            return list(threads.map(send, range(REQUESTS)))


def sign(user: User) -> str:
    return jwt.encode({"sub": user.id, "exp": time.time() + 3600}, SECRET, "HS256")


@pytest.fixture(scope="module")
def place(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("neon")
    backend = build(folder, "better-auth-secret")
    certificate = Certificate.make(folder)
    with (
        cluster.database("text") as database,
        pgbouncer(database) as pooler,
        endpoint(certificate, pooler) as front,
        served(backend, database.url, SETTINGS, front.url(database.name)) as answering,
    ):
        yield Place(backend, answering, front, database, pooler)


@pytest.fixture
def task(place: Place) -> str:
    """The path of a task."""
    with place.client() as client:
        made = client.post("/api/tasks", json={"title": "shared"})
    assert made.status_code == 201
    return f"/api/tasks/{made.json()['id']}"


def all_good(statuses: list[int]) -> bool:
    return len(statuses) == REQUESTS and all(200 <= status < 300 for status in statuses)


def test_the_endpoint_lets_nobody_in_without_tls_and_the_password(place: Place) -> None:
    url = place.endpoint.url(place.database.name)
    for wrong in (
        url.replace("sslmode=require&channel_binding=require", "sslmode=disable"),
        url.replace("channel_binding=require", "channel_binding=disable"),
        url.replace("a%20password", "no%20password"),
    ):
        before = place.endpoint.entered
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(wrong).close()
        assert place.endpoint.entered == before
    psycopg.connect(url).close()


def test_a_task_lives_its_whole_life_behind_neons_url(place: Place) -> None:
    place.served.execute("delete from task")
    with place.client(OWNER) as owner, place.client(INTRUDER) as intruder:
        life.live(owner, intruder)


def test_the_pooler_breaks_prepared_statements(place: Place) -> None:
    """What the backend must not do, as a control: the pooler gives each transaction another."""
    with _pooled(place) as one, _pooled(place) as another:
        # Two transactions at once: the pooler has two connections from here on, taken in turns.
        one.execute("select 1")
        another.execute("select 1")
    with (
        _pooled(place) as connection,
        pytest.raises(psycopg.Error, match="prepared statement"),
    ):
        _count_in_many_transactions(connection)


def test_many_requests_at_once_pass_a_pooler_in_transaction_mode(place: Place, task: str) -> None:
    assert all_good(place.use(task))
    assert all_good(place.use(task))


def test_connections_that_were_cut_while_idle_are_not_noticed(place: Place, task: str) -> None:
    assert all_good(place.use(task))
    entered = place.endpoint.entered
    place.endpoint.cut()
    assert all_good(place.use(task))
    assert place.endpoint.entered > entered


def test_a_database_that_goes_to_sleep_between_requests_is_waited_for(place: Place) -> None:
    for _ in range(3):
        place.endpoint.sleep(1)
        with place.client() as client:
            assert client.get("/api/tasks").status_code == 200


def test_many_requests_at_once_wait_for_a_cold_start(place: Place, task: str) -> None:
    assert all_good(place.use(task))
    started = time.monotonic()
    place.endpoint.sleep(4)
    assert all_good(place.use(task))
    assert time.monotonic() - started >= 4


def test_a_database_that_refuses_for_a_while_is_tried_again(place: Place, task: str) -> None:
    assert all_good(place.use(task))
    place.endpoint.shut()
    timer = place.endpoint.open_after(2.5)
    assert all_good(place.use(task))
    timer.join()


def test_a_backend_starts_while_its_database_wakes_up(place: Place) -> None:
    place.endpoint.shut()
    place.endpoint.sleep(3)
    timer = place.endpoint.open_after(1.5)
    url = place.endpoint.url(place.database.name)
    with served(place.backend, place.database.url, SETTINGS, url) as starting:
        assert starting.status(sign(OWNER)) == 200
    timer.join()


def test_a_request_that_is_cut_off_says_so_and_changes_nothing(place: Place) -> None:
    with place.client() as client, ThreadPoolExecutor(1) as thread:
        task_id = client.post("/api/tasks", json={"title": "before"}).json()["id"]
        path = f"/api/tasks/{task_id}"
        with psycopg.connect(place.database.url) as blocker:
            blocker.execute("select 1 from task where id = %s for update", [task_id])
            request: Future[httpx.Response] = thread.submit(
                client.patch, path, json={"title": "after"}
            )
            assert eventually(lambda: _is_waiting(place.served))
            place.endpoint.cut()
            answer = request.result()
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
            assert answer.json() == {"detail": "The database does not answer; try again later."}
        # The pooler has given the lock back when it has noticed.
        assert client.get(path).json()["title"] == "before"
        assert client.patch(path, json={"title": "after"}).status_code == 200


def test_a_database_that_stays_away_is_told_and_comes_back(place: Place) -> None:
    place.endpoint.shut()
    with place.client() as client:
        answer = client.get("/api/tasks")
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
        place.endpoint.open()
        assert client.get("/api/tasks").status_code == 200


def test_a_line_that_is_cut_at_any_moment_costs_a_503_at_most(place: Place, task: str) -> None:
    def cut_often() -> None:
        for _ in range(12):
            time.sleep(0.25)
            place.endpoint.cut()

    statuses: list[int] = []
    with ThreadPoolExecutor(1) as thread:
        cutting = thread.submit(cut_often)
        while not cutting.done():
            statuses += place.use(task)
        cutting.result()
    assert set(statuses) <= {200, 201, 503}
    assert "Traceback" not in place.served.log.read_text()
    assert all_good(place.use(task))


def _pooled(place: Place) -> psycopg.Connection[tuple[object, ...]]:
    """Connect to the pooler as somebody who prepares every statement."""
    name = place.database.name
    return psycopg.connect(
        host="127.0.0.1", port=place.pooler, user=name, dbname=name, prepare_threshold=0
    )


def _count_in_many_transactions(connection: psycopg.Connection[tuple[object, ...]]) -> None:
    for _ in range(10):
        connection.execute("select count(*) from task where title = %s", ["x"])
        connection.commit()


def _is_waiting(backend: Served) -> bool:
    waiting = "select 1 from pg_stat_activity where wait_event_type = 'Lock'"
    return backend.execute(waiting) != []
