"""Claude, against a local server that speaks the Messages API."""

import re
import socket
import typing
from pathlib import Path

import pytest
from anthropic.types import Model as KnownModel

from agent.errors import ModelError
from agent.models.base import Chunk, Finished, Message, Prompt
from agent.models.claude import ALIASES, ClaudeModel
from tests.agent.models.messages_server import (
    Failure,
    Serve,
    Silence,
    Stream,
)

PROMPT = Prompt(
    request="add CRUD for tasks",
    existing=(),
    system="You write backends.",
    messages=(Message("user", "add CRUD for tasks"),),
)
# The SDK waits between its attempts as long as the server asks for.
AT_ONCE = {"retry-after-ms": "1"}


@pytest.fixture(autouse=True)
def _alone(no_key_of_the_developer: None) -> None:
    """Reach nothing but the local server."""


def ask(model: ClaudeModel | None = None, prompt: Prompt = PROMPT) -> tuple[str, Finished]:
    """Return the whole text of an answer, and how it ended."""
    *pieces, finished = (model or ClaudeModel("claude-test")).answer(prompt)
    assert isinstance(finished, Finished)
    return "".join(piece.text for piece in pieces if isinstance(piece, Chunk)), finished


def test_a_reply_arrives_in_the_chunks_in_which_claude_writes_it(served: Serve) -> None:
    served(Stream(texts=("backend/", "main.py\n", "``", "`python\n")))
    pieces = list(ClaudeModel("claude-test").answer(PROMPT))
    assert pieces[:-1] == [Chunk("backend/"), Chunk("main.py\n"), Chunk("``"), Chunk("`python\n")]


def test_the_usage_counts_cached_tokens_as_input(served: Serve) -> None:
    usage = {"cache_creation_input_tokens": 300, "cache_read_input_tokens": 2000}
    served(Stream(usage=usage))
    assert ask()[1] == Finished(input_tokens=2310, output_tokens=42, cached_tokens=2000)


def test_the_request_holds_the_conversation_and_caches_its_start(served: Serve) -> None:
    server = served(Stream())
    messages = (
        Message("user", "add CRUD for tasks"),
        Message("assistant", "backend/main.py"),
        Message("user", "The check refused your answer."),
    )
    ask(ClaudeModel("claude-test", max_output_tokens=5000), Prompt("", (), "System.", messages))
    body = server.requests[0]
    cached = {"cache_control": {"type": "ephemeral"}}
    assert body["model"] == "claude-test"
    assert body["max_tokens"] == 5000
    assert body["stream"] is True
    assert body["system"] == [{"type": "text", "text": "System.", **cached}]
    assert [turn["role"] for turn in body["messages"]] == ["user", "assistant", "user"]
    assert body["messages"][0]["content"] == [{"type": "text", "text": "add CRUD for tasks"}]
    assert body["messages"][2]["content"] == [
        {"type": "text", "text": "The check refused your answer.", **cached}
    ]


def test_the_key_comes_from_the_environment(served: Serve) -> None:
    server = served(Stream())
    ask()
    sent = server.headers[0]
    assert "test-key" in (sent.get("x-api-key", ""), sent.get("authorization", "")[7:])


@pytest.mark.parametrize(
    ("stop_reason", "stop"),
    [
        ("end_turn", "end"),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"),
        ("refusal", "refusal"),
    ],
)
def test_why_a_reply_ended_is_told(served: Serve, stop_reason: str, stop: str) -> None:
    served(Stream(stop_reason=stop_reason))
    assert ask()[1].stop == stop


def test_a_stop_reason_that_nobody_expects_is_an_error(served: Serve) -> None:
    served(Stream(stop_reason="tool_use"))
    with pytest.raises(ModelError, match="tool_use"):
        ask()


@pytest.mark.parametrize(
    ("failure", "sentence"),
    [
        (Failure(400, message="Bad."), "Claude refused the request with status 400: Bad."),
        (Failure(401), "Claude does not accept the API key."),
        (Failure(402, message="Pay."), "The account has no credit left: Pay."),
        (Failure(403, message="No."), "The API key may not use claude-test: No."),
        (Failure(404), "Claude knows no model `claude-test`."),
        (Failure(413), "The request is too large for Claude."),
        (
            Failure(429, message="Slow down.", headers=AT_ONCE),
            "Claude refuses more requests for now: Slow down.",
        ),
        (
            Failure(500, message="Oops.", headers=AT_ONCE),
            "Claude failed with status 500: Oops.",
        ),
        (
            Failure(529, "overloaded_error", headers=AT_ONCE),
            "Claude is overloaded.",
        ),
    ],
    ids=lambda value: str(value.status) if isinstance(value, Failure) else "",
)
def test_each_error_status_has_its_sentence(served: Serve, failure: Failure, sentence: str) -> None:
    served(failure)
    with pytest.raises(ModelError, match=f"^{re.escape(sentence)}$") as raised:
        ask()
    assert raised.value.exit_code == 3


def test_a_passing_failure_is_tried_again(served: Serve) -> None:
    server = served(Failure(529, headers=AT_ONCE), Failure(500, headers=AT_ONCE), Stream())
    assert ask()[0] == "Hello"
    assert len(server.requests) == 3


def test_a_wrong_key_is_not_tried_again(served: Serve) -> None:
    server = served(Failure(401), Stream())
    with pytest.raises(ModelError, match="API key"):
        ask()
    assert len(server.requests) == 1


def test_an_unknown_model_names_the_nearest_one(served: Serve) -> None:
    served(Failure(404))
    with pytest.raises(ModelError) as raised:
        ask(ClaudeModel("claude-sonet-5-5"))
    assert raised.value.hint == "Try `--model claude-sonnet-5-5`."


def test_a_rate_limit_tells_how_long_to_wait(served: Serve) -> None:
    served(Failure(429, headers={"retry-after-ms": "1", "retry-after": "30"}))
    with pytest.raises(ModelError) as raised:
        ask()
    assert raised.value.hint == "Run the command again in 30 seconds."


def test_without_a_key_the_offline_model_is_offered(
    served: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = served(Stream())
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    with pytest.raises(ModelError, match="no API key") as raised:
        ask()
    assert "--model offline" in raised.value.hint
    assert server.requests == []


def test_credentials_that_cannot_be_used_are_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    monkeypatch.setenv("ANTHROPIC_CONFIG_DIR", str(tmp_path / "missing"))
    with pytest.raises(ModelError, match=r"^The credentials for Claude cannot be used: "):
        ask()


@pytest.mark.parametrize("events", range(1, 8))
def test_a_connection_that_breaks_in_the_middle_is_an_error(served: Serve, events: int) -> None:
    # The stream has seven events; the last says that the message is complete.
    served(Stream(texts=("a", "b"), breaks_after=events))
    with pytest.raises(ModelError, match=r"broke in the middle|ended before"):
        ask()


def test_an_error_in_the_middle_of_the_stream_is_told(served: Serve) -> None:
    served(Stream(error={"type": "overloaded_error", "message": "Overloaded"}))
    with pytest.raises(ModelError, match=r"overloaded|Overloaded"):
        ask()


@pytest.mark.parametrize(
    "junk",
    [b"event: message_delta\ndata: {not json\n\n", b"<html>Gateway</html>", b"\xff\xfe\n\n"],
)
def test_a_stream_that_cannot_be_read_is_an_error(served: Serve, junk: bytes) -> None:
    served(Stream(junk=junk))
    with pytest.raises(ModelError):
        ask()


def test_a_refused_connection_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        monkeypatch.setenv("ANTHROPIC_BASE_URL", f"http://127.0.0.1:{unused.getsockname()[1]}")
        with pytest.raises(ModelError, match="could not be reached") as raised:
            ask(ClaudeModel("claude-test", retries=0))
    assert "ANTHROPIC_BASE_URL" in raised.value.hint


def test_silence_ends_at_the_time_limit(served: Serve) -> None:
    served(Silence())
    with pytest.raises(ModelError, match="did not answer within"):
        ask(ClaudeModel("claude-test", timeout=0.2, retries=0))


def listed_by_the_sdk() -> list[str]:
    """Return the model ids that the installed SDK knows."""
    literal, _ = typing.get_args(KnownModel)
    return list(typing.get_args(literal))


def version(model_id: str) -> tuple[int, ...]:
    """Return a model id's version, without the date of a snapshot."""
    return tuple(int(part) for part in re.findall(r"-(\d{1,2})(?=-|$)", model_id))


@pytest.mark.parametrize("alias", ALIASES)
def test_an_alias_is_the_newest_of_its_family_that_the_sdk_lists(alias: str) -> None:
    family = [name for name in listed_by_the_sdk() if f"-{alias}-" in name]
    newest = max(family, key=lambda name: (version(name), -len(name)))
    assert ALIASES[alias] == newest
