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
import subprocess
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
_CLOSED = "local all postgres,+observer password\nlocal sameuser all trust\n"

Connection = psycopg.Connection[tuple[Any, ...]]


@dataclass
class Cluster:
    """A running PostgreSQL; it listens on one Unix socket and nowhere else.

    Attributes:
        folder: Folder of its socket.
        password: Of the role `postgres` and of the observers, which no backend may use.
        ahead: How many databases to have ready for the next check while one goes on.
    """

    folder: Path
    password: str
    _guarded: Guarded
    _admin: Connection
    ahead: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    _ready: list["Database"] = field(default_factory=list)
    _used_up: list["Database"] = field(default_factory=list)
    _is_closed: bool = False

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
            _copy(template / "data", data)
            (data / "pg_hba.conf").write_text(_OPEN)
            guarded = _serve(data, folder)
            try:
                return cls(folder, *_lock_out(data, folder, guarded))
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
        with self._lock:
            self._is_closed = True
            self._guarded.close()
            self._admin.close()
            for database in (*self._ready, *self._used_up):
                database.connection.close()
            folders.remove(self.folder)

    def leave(self) -> None:
        """End it without waiting: its guard stops it and removes its files."""
        folders.leave(self.folder)
        self._guarded.leave()

    @contextmanager
    def database(self, user_id: better_auth.UserId | None = "text") -> Iterator["Database"]:
        """Provide a database that holds Better Auth's tables and the users of the probes.

        It is dropped when another one is made, or with the cluster.

        Args:
            user_id: Type of the users' ids; None for a database without any table.
        """
        with self._lock:
            # Text is what nearly everybody has, and lies ready.
            if user_id == "text" and self._ready:
                database = self._ready.pop(0)
            else:
                self._drop_used_up()
                database = self._create(user_id)
        try:
            yield database
        finally:
            with self._lock:
                self._used_up.append(database)

    def make_ready(self, count: int) -> None:
        """Have so many databases before they are asked for: a check need not wait for them."""
        while len(self._ready) < count:
            with self._lock:
                if self._is_closed:
                    return
                self._drop_used_up()
                self._ready.append(self._create("text"))

    def refill(self) -> None:
        """Make ready, beside what is done now, what the next check asks for."""
        if self.ahead:
            threading.Thread(target=self._refill, daemon=True).start()

    def _refill(self) -> None:
        # Where the cluster itself is gone, whoever needs it next says so.
        with contextlib.suppress(psycopg.Error):
            self.make_ready(self.ahead)

    def _create(self, user_id: better_auth.UserId | None) -> "Database":
        name = f"backend{next(self._numbers)}"
        self._execute("create role {} login connection limit 30 in role backend", name)
        # A checkpoint and a copy of the files are quicker than a log of all that is in them.
        create = "create database {0} template better_auth owner {0} strategy file_copy"
        self._execute(create, name)
        if user_id != "text":
            with self.connect("postgres", name) as connection:
                become = sql.SQL("set session authorization {}")
                connection.execute(become.format(sql.Identifier(name)))
                connection.execute(better_auth.drop_script().encode())
                if user_id is not None:
                    connection.execute(better_auth.script(user_id).encode())
        # Connected before a backend can set what applies to connections.
        return Database(self, name, self.connect(self._make_observer(name), name))

    def _make_observer(self, name: str) -> str:
        """Make the role by which the parent looks at one database, and return its name.

        What a backend has planted in its database may run with this role's rights, so that it can
        connect to no other.
        """
        observer = f"{name}_observer"
        role, database = sql.Identifier(observer), sql.Identifier(name)
        self._admin.execute(
            sql.SQL(
                "create role {0} login password {1} in role observer; "
                "revoke connect on database {2} from public; "
                "grant connect on database {2} to {0}"
            ).format(role, sql.Literal(self.password), database)
        )
        return observer

    def _drop_used_up(self) -> None:
        while self._used_up:
            database = self._used_up.pop()
            # Where the cluster itself is gone, so is the database.
            with contextlib.suppress(psycopg.OperationalError):
                database.connection.close()
                self._execute("drop database if exists {} with (force)", database.name)
                self._execute("drop role if exists {}", database.name)
                self._execute("drop role if exists {}", f"{database.name}_observer")

    def connect(self, role: str, database: str) -> Connection:
        """Connect as one of the parent's roles."""
        return psycopg.connect(
            host=str(self.folder),
            user=role,
            dbname=database,
            password=self.password,
            autocommit=True,
        )

    def _execute(self, statement: str, name: str) -> None:
        self._admin.execute(sql.SQL(statement).format(sql.Identifier(name)))


@dataclass(frozen=True, slots=True)
class Database:
    """One database of a cluster.

    Attributes:
        cluster: The cluster.
        name: Its name, and that of the role that owns it.
        connection: The parent's own, as a role that sees and mends all rows. It is no
            superuser: what the backend may have planted in the database runs with the rights
            of who reads it.
    """

    cluster: Cluster
    name: str
    connection: Connection

    @property
    def url(self) -> str:
        """The URL by which the backend reaches it, over the Unix socket."""
        return f"postgresql://{self.name}@/{self.name}?host={self.cluster.folder}"

    def describe_auth_tables(self) -> list[tuple[Any, ...]]:
        """Return the columns of Better Auth's tables, to see whether somebody changed them."""
        query = (
            "select c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, "
            "d.adbin::text, a.attidentity "
            "from pg_class c join pg_attribute a on a.attrelid = c.oid "
            "left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum "
            "where c.relname = any(%s) and c.relnamespace = 'public'::regnamespace "
            "and c.relkind = 'r' and a.attnum > 0 and not a.attisdropped "
            "order by c.relname, a.attnum"
        )
        return self.connection.execute(query, (list(better_auth.TABLES),)).fetchall()

    @contextmanager
    def observe(self) -> Iterator[Connection]:
        """Provide the parent's own connection."""
        yield self.connection


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


def close_all() -> None:
    """End every cluster of this process, and remove its files."""
    with _shared_lock:
        while _shared:
            _shared.popitem()[1].close()


@atexit.register
def _leave_all() -> None:
    for cluster in _shared.values():
        cluster.leave()


def _copy(template: Path, data: Path) -> None:
    try:
        # By a program of its own: this process has other things to do meanwhile.
        subprocess.run(["/bin/cp", "-R", template, data], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        shutil.copytree(template, data, copy_function=shutil.copyfile, dirs_exist_ok=True)
    data.chmod(0o700)


def _serve(data: Path, folder: Path) -> Guarded:
    command = [str(find_binaries() / "postgres"), "-D", str(data), "-k", str(folder)]
    order = Order(server_environment(), folder, folder=folder, user=_NOBODY)
    with (folder / "log").open("ab") as log:
        return Guarded.start(command, order, log.fileno())


def _lock_out(data: Path, folder: Path, guarded: Guarded) -> tuple[str, Guarded, Connection]:
    """Give the parent's roles a password, and refuse them without it.

    Returns:
        The password, and the connection that set it.
    """
    password = secrets.token_hex(16)
    connection = _first_connection(folder, guarded)
    connection.execute(sql.SQL("alter role postgres password {}").format(sql.Literal(password)))
    (data / "pg_hba.conf").write_text(_CLOSED)
    connection.execute("select pg_reload_conf()")
    _wait_until(lambda: _is_refused(folder), guarded, folder)
    return password, guarded, connection


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
