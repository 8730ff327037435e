"""After each test, nothing of a check may be left."""

from collections.abc import Iterator

import pytest

from tests.validators.runtime.backends import leftovers, running_children


@pytest.fixture(autouse=True)
def nothing_is_left() -> Iterator[None]:
    yield
    assert leftovers() == []
    assert running_children() == []
