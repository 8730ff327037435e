"""Which model answers."""

from pathlib import Path

import pytest

from agent.errors import InputError
from agent.models import choose, default_name
from agent.models.claude import ALIASES, ClaudeModel
from agent.models.offline.model import OfflineModel
from agent.models.recorded import RecordedModel
from agent.settings import Settings


@pytest.fixture(autouse=True)
def _no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)


def test_without_a_key_the_offline_model_answers() -> None:
    assert default_name() == "offline"
    assert isinstance(choose(Settings()), OfflineModel)


def test_with_a_key_claude_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "test-key")
    assert choose(Settings()).name == ALIASES["sonnet"]
    assert isinstance(choose(Settings(model="offline")), OfflineModel)


def test_an_empty_key_is_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "")
    assert default_name() == "offline"


@pytest.mark.parametrize("alias", ALIASES)
def test_an_alias_stands_for_its_id(alias: str) -> None:
    assert choose(Settings(model=alias)).name == ALIASES[alias]


@pytest.mark.parametrize("name", ["claude-opus-4-8", "claude-haiku-9", "my-gateway/model"])
def test_any_other_id_is_passed_on(name: str) -> None:
    model = choose(Settings(model=name, max_output_tokens=5000))
    assert isinstance(model, ClaudeModel)
    assert (model.name, model.max_output_tokens) == (name, 5000)


@pytest.mark.parametrize(
    ("name", "meant"), [("ofline", "offline"), ("sonet", "sonnet"), ("Opus", "opus")]
)
def test_a_misspelt_name_is_not_sent_to_anybody(name: str, meant: str) -> None:
    with pytest.raises(InputError) as raised:
        choose(Settings(model=name))
    assert raised.value.hint == f"Did you mean `{meant}`?"


def test_a_recording_is_chosen_by_its_files(tmp_path: Path) -> None:
    file = tmp_path / "reply.md"
    file.write_text("")
    assert isinstance(choose(Settings(model=f"recorded:{file}")), RecordedModel)


def test_the_offline_model_learns_the_type_of_the_users_id() -> None:
    model = choose(Settings(model="offline", user_id="uuid"))
    assert isinstance(model, OfflineModel)
    assert model.user_id == "uuid"
