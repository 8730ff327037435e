"""An embedded PostgreSQL of this process: a copy of a kept template, gone when the process ends.

Every process has a cluster of its own in a temporary folder, so that runs cannot disturb each
other, and a killed run leaves nothing that the next one uses. Every backend has a database and a
role of its own, and can connect to nothing else.
"""

import atexit
import contextlib
import itertools
import secrets
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import platformdirs
import psycopg
from psycopg import sql

from validators.runtime import better_auth, folders
from validators.runtime.cluster_template import (
    broken,
    find_binaries,
    find_template,
    server_environment,
)
from validators.runtime.guarded import Guarded, Order

_SECONDS_TO_START = 30.0
_NOBODY = 65534
_MEGABYTES = 512  # that a cluster may need

# The first is in force until the parent's roles have a password, and before any backend runs.
# A backend's role has the name of its database.
_OPEN = "local all all trust\n"
_CLOSED = "local all postgres,observer password\nlocal sameuser all trust\n"

Connection = psycopg.Connection[tuple[Any, ...]]


@dataclass
class Cluster:
    """A running PostgreSQL; it listens on one Unix socket and nowhere else.

    Attributes:
        folder: Folder of its socket.
        password: Of the roles `postgres` and `observer`, which no backend may use.
    """

    folder: Path
    password: str
    _guarded: Guarded
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    @classmethod
    def start(cls, cache: Path | None = None) -> "Cluster":
        """Start a PostgreSQL.

        Args:
            cache: Folder that keeps the template; the user's cache folder where None.

        Raises:
            CheckUnavailableError: PostgreSQL cannot be started here.
        """
        template = find_template(cache or platformdirs.user_cache_path("backendpro"))
        folder = folders.make("postgres", folders.find_fast_base(_MEGABYTES))
        data = folder / "data"
        try:
            shutil.copytree(template / "data", data, copy_function=shutil.copyfile)
            data.chmod(0o700)
            (data / "pg_hba.conf").write_text(_OPEN)
            guarded = _serve(data, folder)
            try:
                return cls(folder, _lock(data, folder, guarded), guarded)
            except BaseException:
                guarded.close()
                raise
        except BaseException:
            folders.remove(folder)
            raise

    @property
    def is_alive(self) -> bool:
        """Whether it still runs."""
        return not self._guarded.is_over

    def close(self) -> None:
        """End it and remove its files."""
        self._guarded.close()
        folders.remove(self.folder)

    @contextmanager
    def database(self, user_id: better_auth.UserId | None = "text") -> Iterator["Database"]:
        """Provide a database that holds Better Auth's tables and the users of the probes.

        Args:
            user_id: Type of the users' ids; None for a database without any table.
        """
        # Text is what nearly everybody has, and lies ready.
        content = "better_auth" if user_id == "text" else "template1"
        name = f"backend{next(self._numbers)}"
        create = (
            "create role {} login in role backend",
            f"create database {{0}} template {content} owner {{0}}",
        )
        drop = ("drop database if exists {} with (force)", "drop role if exists {}")
        self._execute(create, name)
        try:
            if user_id in ("int", "uuid"):
                self._make_auth_tables(name, user_id)
            yield Database(self, name)
        finally:
            # Where the cluster itself is gone, so is the database.
            with contextlib.suppress(psycopg.OperationalError):
                self._execute(drop, name)

    def _make_auth_tables(self, name: str, user_id: better_auth.UserId) -> None:
        with self.connect("postgres", name) as connection:
            become = sql.SQL("set session authorization {}")
            connection.execute(become.format(sql.Identifier(name)))
            connection.execute(better_auth.script(user_id).encode())

    def connect(self, role: str, database: str) -> Connection:
        """Connect as one of the parent's roles."""
        return psycopg.connect(
            host=str(self.folder),
            user=role,
            dbname=database,
            password=self.password,
            autocommit=True,
        )

    def _execute(self, statements: tuple[str, ...], name: str) -> None:
        with self.connect("postgres", "template1") as connection:
            for statement in statements:
                connection.execute(sql.SQL(statement).format(sql.Identifier(name)))


@dataclass(frozen=True, slots=True)
class Database:
    """One database of a cluster."""

    cluster: Cluster
    name: str

    @property
    def url(self) -> str:
        """The URL by which the backend reaches it, over the Unix socket."""
        return f"postgresql://{self.name}@/{self.name}?host={self.cluster.folder}"

    def describe_auth_tables(self) -> list[tuple[Any, ...]]:
        """Return the columns of Better Auth's tables, to see whether somebody changed them."""
        query = (
            "select table_name, column_name, data_type, is_nullable, column_default "
            "from information_schema.columns "
            "where table_name = any(%s) and table_schema = 'public' "
            "order by table_name, ordinal_position"
        )
        with self.observe() as connection:
            return connection.execute(query, (list(better_auth.TABLES),)).fetchall()

    def observe(self) -> Connection:
        """Return a connection of the parent's own, as a role that sees and mends all rows.

        It is no superuser: what the backend may have planted in the database runs with the
        rights of who reads it.
        """
        return self.cluster.connect("observer", self.name)


_shared: dict[Path | None, Cluster] = {}
_shared_lock = threading.Lock()


def shared_cluster(cache: Path | None = None) -> Cluster:
    """Return this process's cluster, started where there is none yet.

    Args:
        cache: Folder that keeps the template; the user's cache folder where None.

    Raises:
        CheckUnavailableError: PostgreSQL cannot be started here.
    """
    with _shared_lock:
        known = _shared.get(cache)
        if known is None or not known.is_alive:
            known = _shared[cache] = Cluster.start(cache)
        return known


@atexit.register
def _close_all() -> None:
    for cluster in _shared.values():
        cluster.close()


def _serve(data: Path, folder: Path) -> Guarded:
    command = [str(find_binaries() / "postgres"), "-D", str(data), "-k", str(folder)]
    order = Order(server_environment(), folder, folder=folder, user=_NOBODY)
    with (folder / "log").open("ab") as log:
        return Guarded.start(command, order, log.fileno())


def _lock(data: Path, folder: Path, guarded: Guarded) -> str:
    """Give the parent's roles a password, refuse them without it, and return it."""
    password = secrets.token_hex(16)
    with _first_connection(folder, guarded) as connection:
        for role in ("postgres", "observer"):
            change = sql.SQL("alter role {} password {}")
            connection.execute(change.format(sql.Identifier(role), sql.Literal(password)))
        (data / "pg_hba.conf").write_text(_CLOSED)
        connection.execute("select pg_reload_conf()")
    _wait_until(lambda: _is_refused(folder), guarded, folder)
    return password


def _is_refused(folder: Path) -> bool:
    try:
        psycopg.connect(host=str(folder), user="postgres", dbname="template1").close()
    except psycopg.OperationalError:
        return True
    return False


def _first_connection(folder: Path, guarded: Guarded) -> Connection:
    connections: list[Connection] = []

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
        if time.monotonic() > deadline or guarded.is_over:
            raise broken(folder)
        time.sleep(0.005)
