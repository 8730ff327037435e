"""Each test has a temporary folder of its own, to see that nothing is left in it."""

import shutil
import tempfile
from collections.abc import Iterator

import pytest

from tests.validators.runtime.backends import leftovers


@pytest.fixture(autouse=True)
def own_temporary_folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    # Short, because the path of a Unix socket may have 107 bytes only.
    folder = tempfile.mkdtemp(prefix="bp-", dir="/tmp")
    monkeypatch.setattr(tempfile, "tempdir", folder)
    yield folder
    left = leftovers()
    shutil.rmtree(folder)
    assert left == []
