"""Errors by who must act."""

import pickle

import pytest

from agent.errors import (
    BackendProError,
    InputError,
    ModelError,
    NoRepairError,
    RequestNotUnderstoodError,
)


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (InputError, 2),
        (RequestNotUnderstoodError, 2),
        (ModelError, 3),
        (NoRepairError, 3),
        (BackendProError, 4),
    ],
)
def test_each_error_has_its_exit_code_and_survives_another_process(
    kind: type[BackendProError], code: int
) -> None:
    error = pickle.loads(pickle.dumps(kind("What is wrong.", "What to do.")))  # noqa: S301  # ours
    assert type(error) is kind
    assert (error.exit_code, error.message, error.hint) == (code, "What is wrong.", "What to do.")
    assert str(error) == "What is wrong."
