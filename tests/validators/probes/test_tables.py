"""The parent's own view of a database, on a real PostgreSQL."""

from collections.abc import Iterator

import pytest

from validators.probes.worlds.tables import Connection, Tables, compare
from validators.runtime import better_auth
from validators.runtime.cluster import shared_cluster

USERS = better_auth.users("text")
OWNER, INTRUDER, BYSTANDER = (user.id for user in USERS)
SCHEMA = """
create table project (id int generated always as identity primary key,
    user_id text references "user" (id), name text, upper text generated always as (upper(name)));
create table task (id int primary key, project_id int references project (id), due timestamptz);
create table share (task_id int references task (id), owner_id text, shared_with_id text
    references "user" (id), primary key (task_id, shared_with_id));
create table note (text text);
"""


@pytest.fixture
def connection() -> Iterator[Connection]:
    with shared_cluster().database() as database:
        with database.cluster.connect("postgres", database.name) as made:
            made.execute(SCHEMA)
        with database.observe() as observing:
            yield observing


def fill(connection: Connection) -> None:
    connection.execute(
        "insert into project (user_id, name) values (%s, 'a'), (%s, 'b')", (OWNER, INTRUDER)
    )
    connection.execute("insert into task values (1, 1, now()), (2, 2, now())")
    connection.execute("insert into share values (1, %s, %s)", (OWNER, BYSTANDER))


def test_keys_and_foreign_keys_are_read(connection: Connection) -> None:
    tables = Tables(connection).by_name
    assert tables["share"].key == ("task_id", "shared_with_id")
    assert tables["task"].references == {"project_id": "project"}
    assert tables["project"].columns["upper"].is_generated
    assert tables["session"].references == {"userId": "user"}


def test_a_row_belongs_to_whom_it_names_or_to_whom_its_parent_belongs(
    connection: Connection,
) -> None:
    fill(connection)
    tables = Tables(connection)
    owners = tables.owners(tables.snapshot(), USERS)
    assert owners["project", ("1",)] == {"owner"}
    assert owners["task", ("1",)] == {"owner"}
    assert owners["task", ("2",)] == {"intruder"}
    assert owners["share", ("1", BYSTANDER)] == {"owner", "bystander"}
    assert owners["user", (INTRUDER,)] == {"intruder"}


def test_what_changed_is_told_and_can_be_taken_back(connection: Connection) -> None:
    fill(connection)
    tables = Tables(connection)
    before = tables.snapshot()
    connection.execute("delete from share")
    connection.execute("update project set name = 'changed' where id = 1")
    connection.execute("insert into note values ('new'), ('new')")
    after = tables.snapshot()
    change = compare(before, after)
    assert [row.table for row in change.gone] == ["share"]
    assert [(was.data["name"], now.data["name"]) for was, now in change.changed] == [
        ("a", "changed")
    ]
    assert {row.table for row in change.added} == {"note"}
    tables.restore(before, change)
    assert tables.snapshot() == before


def test_nothing_changed_is_false(connection: Connection) -> None:
    tables = Tables(connection)
    assert not compare(tables.snapshot(), tables.snapshot())
