"""Backends that meddle with their database: the parent's own view of it must not be deceived."""

from pathlib import Path

import pytest

from tests.validators.probes.probing import SOUND, probe
from tests.validators.trees import Files
from validators.probes import ProbeRun

DELETE = "    task = get_own_task(task_id, session, current_user)\n    session.delete(task)"
LEAKY_DELETE = """    task = session.get(Task, task_id)
    if task is None:
        raise HTTPException(404)
    session.delete(task)"""


def meddling(*statements: str, code: str = "") -> Files:
    """Return a backend whose delete is leaky, and which runs statements at its start."""
    routes = SOUND["routes/tasks.py"].replace(DELETE, LEAKY_DELETE)
    assert routes != SOUND["routes/tasks.py"]
    meddle = f"""

import psycopg

link = psycopg.connect(DATABASE_URL, autocommit=True)


def meddle() -> None:
    global held
    for statement in {statements!r}:
        link.execute(statement)
{code or "    held = None"}
"""
    main = SOUND["main.py"].replace("create_tables, engine", "create_tables, engine, meddle")
    main = main.replace("    create_tables()\n", "    create_tables()\n    meddle()\n")
    database = SOUND["database.py"] + meddle
    return {**SOUND, "routes/tasks.py": routes, "main.py": main, "database.py": database}


def errors(run: ProbeRun) -> set[tuple[str, str | None]]:
    return {(f.code, f.route) for f in run.findings if f.severity == "error"}


IN_DATABASE = "do $$ begin execute format('{}', current_database()); end $$"
IN_TRIGGER = """create function own() returns trigger language plpgsql as $$ begin
    return null; end $$"""
AS_OBSERVER = """create function planted() returns boolean language plpgsql as $$ begin
    if current_user ~ 'observer' then
        execute format('alter role %I password ''guessed''', current_user);
    end if;
    return true; end $$"""

DECEPTIONS = {
    "nothing": (),
    "functions before the database's own": (
        "create function public.to_jsonb(anyelement) returns jsonb language sql "
        "as $$ select '{\"id\": 1}'::jsonb $$",
        IN_DATABASE.format("alter database %I set search_path = public, pg_catalog"),
    ),
    "a database that cannot be written": (
        IN_DATABASE.format("alter database %I set default_transaction_read_only = on"),
    ),
    "a trigger against the parent": (
        IN_TRIGGER,
        "create trigger own before insert or delete on task for each row "
        "when (current_user ~ 'observer') execute function own()",
        "alter table task enable always trigger own",
    ),
    "a table in another schema": (
        "create schema elsewhere",
        "alter table task set schema elsewhere",
        "create view task as select * from elsewhere.task",
    ),
    "the password of the parent's role": (
        AS_OBSERVER,
        "alter table task add constraint planted check (planted())",
    ),
    "a type that runs code when it is shown": (
        "create type odd as (number int)",
        "create function shown(odd) returns json language sql as $$ select '{}'::json $$",
        "create cast (odd as json) with function shown(odd)",
        "alter table task add column odd odd default row(1)",
    ),
    "the parent's connection": (
        "do $$ begin perform pg_terminate_backend(pid) from pg_stat_activity "
        "where pid <> pg_backend_pid(); exception when others then null; end $$",
    ),
}


@pytest.mark.parametrize("name", DECEPTIONS)
def test_a_leak_is_not_hidden_by(name: str, tmp_path: Path) -> None:
    run = probe(tmp_path, meddling(*DECEPTIONS[name]))
    assert errors(run) == {("BP604", "DELETE /api/tasks/{task_id}")}


def test_rows_that_a_policy_hides_do_not_pass(tmp_path: Path) -> None:
    policy = "create policy own on task to current_user using (true)"
    run = probe(tmp_path, meddling("alter table task enable row level security", policy))
    assert errors(run)


CONNECTIONS = """    held = []
    try:
        while True:
            held.append(psycopg.connect(DATABASE_URL))
    except psycopg.OperationalError:
        held = held[:-16]
"""
LOCK = """    held = psycopg.connect(DATABASE_URL)
    held.execute("lock table task in access exclusive mode")
"""


def test_a_backend_cannot_take_all_connections(tmp_path: Path) -> None:
    run = probe(tmp_path, meddling(code=CONNECTIONS))
    assert errors(run) == {("BP604", "DELETE /api/tasks/{task_id}")}


def test_a_table_that_is_locked_from_the_start_is_reported(tmp_path: Path) -> None:
    run = probe(tmp_path, meddling(code=LOCK))
    assert errors(run) == {("BP615", None)}


def test_what_one_backend_does_to_the_parents_role_harms_no_other(tmp_path: Path) -> None:
    probe(tmp_path / "one", meddling(*DECEPTIONS["the password of the parent's role"]))
    assert probe(tmp_path / "other", SOUND).findings == ()


REFUSED = {
    "programs": "copy (select 1) to program 'touch here'",
    "files": "select pg_read_file('/etc/passwd')",
    "more rights": "alter role current_user superuser",
    "another role": "set role observer",
}


@pytest.mark.parametrize("name", REFUSED)
def test_the_database_refuses(name: str, tmp_path: Path) -> None:
    code = f"""    try:
        link.execute({REFUSED[name]!r})
    except psycopg.errors.InsufficientPrivilege:
        pass
    else:
        raise SystemExit("not refused")
"""
    assert errors(probe(tmp_path, meddling(code=code))) == {
        ("BP604", "DELETE /api/tasks/{task_id}")
    }
