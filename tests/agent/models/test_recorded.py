"""A recording, which plays reply files in order."""

from pathlib import Path

import pytest

from agent.errors import InputError, NoRepairError
from agent.models.base import Chunk, Finished, Message, Prompt
from agent.models.recorded import RecordedModel

ASKED = Message("user", "add CRUD for tasks")
ANSWERED = Message("assistant", "backend/main.py")
COMPLAINED = Message("user", "The check refused your answer.")


def prompt(*messages: Message) -> Prompt:
    return Prompt("add CRUD for tasks", (), "", messages)


def text(model: RecordedModel, *messages: Message) -> str:
    *chunks, finished = model.answer(prompt(*messages))
    assert finished == Finished()
    return "".join(chunk.text for chunk in chunks if isinstance(chunk, Chunk))


@pytest.fixture
def replies(tmp_path: Path) -> tuple[Path, Path]:
    first, second = tmp_path / "first.md", tmp_path / "second.md"
    first.write_bytes(b"one\r\ntwo\n\nthree")
    second.write_bytes("ünï".encode())
    return first, second


def test_each_turn_plays_the_next_file_unchanged(replies: tuple[Path, Path]) -> None:
    model = RecordedModel(replies)
    assert text(model, ASKED) == "one\r\ntwo\n\nthree"
    assert text(model, ASKED, ANSWERED, COMPLAINED) == "ünï"


def test_a_reply_comes_in_several_chunks(replies: tuple[Path, Path]) -> None:
    pieces = list(RecordedModel(replies).answer(prompt(ASKED)))
    assert len(pieces) == 5


def test_a_recording_that_has_ended_names_the_turn_and_the_file(
    replies: tuple[Path, Path],
) -> None:
    model = RecordedModel(replies[:1])
    with pytest.raises(NoRepairError, match=r"turn 2: .*first\.md was its last, for turn 1"):
        list(model.answer(prompt(ASKED, ANSWERED, COMPLAINED)))


def test_a_name_lists_files(replies: tuple[Path, Path]) -> None:
    model = RecordedModel.from_name(f"recorded:{replies[0]}, {replies[1]}")
    assert model.files == replies
    assert model.name == f"recorded:{replies[0]},{replies[1]}"


def test_a_file_may_have_a_comma_in_its_name(tmp_path: Path) -> None:
    file = tmp_path / "tasks, with comments.md"
    file.write_text("one")
    assert RecordedModel.from_name(f"recorded:{file}").files == (file,)


@pytest.mark.parametrize("name", ["recorded:", "recorded: , "])
def test_a_name_without_a_file_is_wrong_usage(name: str) -> None:
    with pytest.raises(InputError, match="names no reply file"):
        RecordedModel.from_name(name)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nowhere\.md is not a file"):
        RecordedModel.from_name(f"recorded:{tmp_path / 'nowhere.md'}")


def test_a_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    file = tmp_path / "reply.md"
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match=r"reply\.md is not UTF-8 text"):
        list(RecordedModel((file,)).answer(prompt(ASKED)))
