"""Claude disputes findings, against a local server that speaks the Messages API."""

from typing import Any

import pytest

from agent.errors import ModelError
from agent.models.base import Chunk, Disputed, Finished, Message, Piece, Prompt
from agent.models.claude import ClaudeModel
from agent.models.disputing import MAX_REASON, MOST_TURNS
from tests.agent.models.messages_server import MessagesServer, Serve, Stream
from tests.agent.models.test_claude import PROMPT
from validators.report import Finding

ROUTE = "GET /api/tasks/{task_id}"
LEAK = Finding(
    code="BP603",
    name="intruder-reads",
    severity="error",
    path="routes/tasks.py",
    line=9,
    column=None,
    message="The intruder reads a task.",
    fix="",
    route=ROUTE,
)
BOOT = Finding(
    code="BP501",
    name="start-fails",
    severity="error",
    path="main.py",
    line=1,
    column=None,
    message="The app does not start.",
    fix="",
)
REPAIR = Prompt(
    request="add CRUD for tasks",
    existing=(),
    system="You write backends.",
    messages=(
        Message("user", "add CRUD for tasks"),
        Message("assistant", "backend/main.py"),
        Message("user", "The check has 2 findings."),
    ),
    findings=(LEAK, BOOT),
)
REASON = "The tasks of a team are shared."


@pytest.fixture(autouse=True)
def _alone(no_key_of_the_developer: None) -> None:
    """Reach nothing but the local server."""


def call(**changes: object) -> dict[str, object]:
    """Return the input of a call that disputes the leak."""
    return {"code": "BP603", "place": "backend/routes/tasks.py", "reason": REASON} | changes


def calls(*inputs: object, texts: tuple[str, ...] = ()) -> Stream:
    """Return an answer that calls the tool."""
    return Stream(texts=texts, calls=inputs, stop_reason="tool_use")


def answer(prompt: Prompt = REPAIR) -> list[Piece]:
    return list(ClaudeModel("claude-test").answer(prompt))


def text(pieces: list[Piece]) -> str:
    return "".join(piece.text for piece in pieces if isinstance(piece, Chunk))


def disputes(pieces: list[Piece]) -> list[Disputed]:
    return [piece for piece in pieces if isinstance(piece, Disputed)]


def results(server: MessagesServer, request: int) -> list[dict[str, Any]]:
    """Return the results of calls that a request ends with."""
    content: list[dict[str, Any]] = server.requests[request]["messages"][-1]["content"]
    return content


def test_the_tool_is_offered_where_findings_were_sent(served: Serve) -> None:
    server = served(Stream())
    answer()
    [tool] = server.requests[0]["tools"]
    assert tool["name"] == "dispute_finding"
    assert tool["input_schema"]["required"] == ["code", "place", "reason"]
    assert "tool_choice" not in server.requests[0]


def test_the_tool_is_not_offered_on_the_first_turn(served: Serve) -> None:
    server = served(Stream())
    answer(PROMPT)
    assert "tools" not in server.requests[0]


def test_a_call_without_an_offer_is_an_error(served: Serve) -> None:
    served(calls(call()))
    with pytest.raises(ModelError, match="tool_use"):
        answer(PROMPT)


@pytest.mark.parametrize(
    "place",
    ["backend/routes/tasks.py", "routes/tasks.py", "backend/routes/tasks.py, line 9:", ROUTE],
)
def test_a_finding_is_named_by_its_path_or_its_route(served: Serve, place: str) -> None:
    served(calls(call(place=place)), Stream())
    assert disputes(answer()) == [Disputed(LEAK, REASON)]


def test_the_reply_goes_on_in_the_same_turn(served: Serve) -> None:
    server = served(calls(call(), texts=("backend/a.py\n", "```")), Stream(texts=("backend/b.py",)))
    pieces = answer()
    assert text(pieces) == "backend/a.py\n```\nbackend/b.py"
    assert pieces[-1] == Finished(input_tokens=20, output_tokens=84)
    *_, said, told = server.requests[1]["messages"]
    assert [block["type"] for block in said["content"]] == ["text", "tool_use"]
    assert said["content"][1]["input"] == call()
    assert told["content"] == [
        {
            "type": "tool_result",
            "tool_use_id": "call_1",
            "content": (
                "The dispute of BP603 is noted for a person. Now answer in the usual format."
            ),
        }
    ]


def test_an_answer_may_hold_text_behind_a_call(served: Serve) -> None:
    behind = Stream(("a",), calls=[call()], texts_behind=("b\n",), stop_reason="tool_use")
    served(behind, Stream(texts=("c",)))
    assert text(answer()) == "a\nb\nc"


def test_several_disputes_are_answered_one_by_one(served: Serve) -> None:
    boot = call(code="BP501", place="main.py", reason="It starts.")
    server = served(calls(call(), boot), Stream())
    assert disputes(answer()) == [Disputed(LEAK, REASON), Disputed(BOOT, "It starts.")]
    assert [result["tool_use_id"] for result in results(server, 1)] == ["call_1", "call_2"]


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (call(code="BP301"), "There is no finding BP301 at backend/routes/tasks.py."),
        (call(place="models.py"), "There is no finding BP603 at models.py."),
        (call(reason=" "), "A dispute needs `code`, `place` and `reason`, each a text."),
        (call(reason=7), "A dispute needs `code`, `place` and `reason`, each a text."),
        ({}, "A dispute needs `code`, `place` and `reason`, each a text."),
        ([], "A dispute needs `code`, `place` and `reason`, each a text."),
    ],
)
def test_what_is_no_dispute_of_a_finding_is_refused(
    served: Serve,
    given: object,
    sentence: str,
) -> None:
    server = served(calls(given), Stream())
    pieces = answer()
    assert disputes(pieces) == []
    assert text(pieces) == "Hello"
    [result] = results(server, 1)
    assert result["is_error"] is True
    assert result["content"].startswith(sentence)


def test_a_finding_is_disputed_once(served: Serve) -> None:
    server = served(calls(call()), calls(call(reason="Really.")), Stream())
    assert disputes(answer()) == [Disputed(LEAK, REASON)]
    assert "noted already" in results(server, 2)[0]["content"]


def test_a_dispute_without_a_reply_is_an_empty_reply(served: Serve) -> None:
    served(calls(call()), Stream(texts=()))
    pieces = answer()
    assert disputes(pieces) == [Disputed(LEAK, REASON)]
    assert text(pieces) == ""
    assert isinstance(pieces[-1], Finished)


def test_a_model_that_disputes_for_ever_is_asked_for_its_reply(served: Serve) -> None:
    server = served(calls(call()))
    pieces = answer()
    assert len(server.requests) == MOST_TURNS + 1
    assert [request.get("tool_choice") for request in server.requests] == [
        *[None] * MOST_TURNS,
        {"type": "none"},
    ]
    assert disputes(pieces) == [Disputed(LEAK, REASON)]
    assert isinstance(pieces[-1], Finished)
    assert pieces[-1].stop == "end"


def test_a_reason_has_a_limit(served: Serve) -> None:
    served(calls(call(reason="r" * 5_000)), Stream())
    [disputed] = disputes(answer())
    assert len(disputed.reason) == MAX_REASON


def test_a_reply_that_is_cut_off_after_a_dispute_is_told(served: Serve) -> None:
    served(calls(call()), Stream(stop_reason="max_tokens"))
    finished = answer()[-1]
    assert isinstance(finished, Finished)
    assert finished.stop == "length"
