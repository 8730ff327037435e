"""The offline model as a model: notes, a reply file by file, one answer to each request."""

import pytest

from agent.errors import NoRepairError, RequestNotUnderstoodError
from agent.models.base import Chunk, Finished, Message, Note, Prompt
from agent.models.offline.compose import compose
from agent.models.offline.model import OfflineModel
from agent.models.offline.understand import understand
from agent.reply import parse

REQUEST = "add CRUD for tasks"


def prompt(request: str, *messages: Message) -> Prompt:
    return Prompt(request, (), "", (Message("user", request), *messages))


def test_the_reply_holds_what_was_composed_and_nothing_else() -> None:
    chunks = [part for part in OfflineModel().answer(prompt(REQUEST)) if isinstance(part, Chunk)]
    reply = parse("".join(chunk.text for chunk in chunks))
    assert reply.files == compose(understand(REQUEST, ()))
    assert reply.findings == ()
    assert len(chunks) == len(reply.files)


def test_it_says_what_it_understood_beside_the_reply_and_ends_once() -> None:
    parts = list(OfflineModel().answer(prompt(REQUEST)))
    notes = [part.text for part in parts if isinstance(part, Note)]
    assert notes == list(understand(REQUEST, ()).understood)
    assert [part for part in parts if isinstance(part, Finished)] == [parts[-1]]


def test_the_user_id_type_is_passed_on() -> None:
    parts = OfflineModel(user_id="uuid").answer(prompt(REQUEST))
    text = "".join(part.text for part in parts if isinstance(part, Chunk))
    assert "user_id: UUID" in text


def test_what_it_does_not_understand_it_refuses_before_the_first_chunk() -> None:
    with pytest.raises(RequestNotUnderstoodError):
        next(iter(OfflineModel().answer(prompt("sing me a song"))))


def test_it_has_no_second_answer() -> None:
    findings = (Message("assistant", "..."), Message("user", "BP301"))
    with pytest.raises(NoRepairError):
        OfflineModel().answer(prompt(REQUEST, *findings))
