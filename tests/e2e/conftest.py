"""One embedded PostgreSQL for each worker, and databases in it."""

from collections.abc import Iterator

import pytest

from validators.runtime.cluster import Cluster, Database


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    started = Cluster.start()
    yield started
    started.close()


@pytest.fixture(scope="module")
def database(cluster: Cluster) -> Iterator[Database]:
    """A database without any table."""
    with cluster.database(None) as empty:
        yield empty
