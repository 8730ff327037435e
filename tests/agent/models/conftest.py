"""A local server that speaks the Messages API, and nothing of the developer's beside it."""

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.agent.models.messages_server import Answer, MessagesServer, Serve, serve


@pytest.fixture
def no_key_of_the_developer(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Take the developer's key and credentials out of reach."""
    for name in os.environ:
        if name.startswith("ANTHROPIC_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))  # may hold credentials of the developer
    monkeypatch.setenv("ANTHROPIC_API_KEY", "test-key")
    # Nothing but the local server may ever be reached.
    monkeypatch.setenv("ANTHROPIC_BASE_URL", "http://127.0.0.1:9")


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Iterator[Serve]:
    """Start a server with a script; Claude is asked there."""
    with ExitStack() as stack:

        def start(*script: Answer) -> MessagesServer:
            server = stack.enter_context(serve(*script))
            monkeypatch.setenv("ANTHROPIC_BASE_URL", server.url)
            return server

        yield start
