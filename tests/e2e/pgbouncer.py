"""A PgBouncer in transaction mode, as poolers of serverless databases are."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest

from tests.e2e.processes import free_port, running, wait_until
from validators.runtime import folders
from validators.runtime.cluster import Database

_NOBODY = 65534

_SETTINGS = """
[databases]
{name} = host={folder} dbname={name} user={name}

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = {connections}
min_pool_size = {connections}
server_round_robin = 1
"""


@contextmanager
def pgbouncer(database: Database, connections: int = 3) -> Iterator[int]:
    """Run a PgBouncer until the end of the block; yield its port on the loopback address.

    Args:
        database: Where its connections lead.
        connections: How many it opens to the database; transactions take them in turns.
    """
    program = shutil.which("pgbouncer", path=f"{os.defpath}:/usr/sbin:/opt/homebrew/bin")
    if program is None:
        pytest.skip("PgBouncer is not installed: run `make e2e`, or `apt-get install pgbouncer`.")
    port = free_port()
    # It refuses to run as root; this folder may be read by whom it runs as.
    user = _NOBODY if os.geteuid() == 0 else None
    folder = folders.make("pgbouncer")
    settings, log = folder / "pgbouncer.ini", folder / "log"
    settings.write_text(
        _SETTINGS.format(
            name=database.name,
            folder=database.cluster.folder,
            port=port,
            connections=connections,
        )
    )
    command = [program, str(settings)]
    environment = {"PATH": os.defpath}
    try:
        with running(command, log, cwd=folder, environment=environment, user=user) as process:
            wait_until(lambda: _answers(port, database.name), process, log)
            yield port
    finally:
        folders.remove(folder)


def _answers(port: int, name: str) -> bool:
    try:
        psycopg.connect(host="127.0.0.1", port=port, user=name, dbname=name).close()
    except psycopg.OperationalError:
        return False
    return True
