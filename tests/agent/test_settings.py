"""Settings from options, the environment and pyproject.toml, in that order."""

from pathlib import Path

import pytest

from agent.errors import InputError
from agent.settings import Settings, load_settings
from validators import CheckOptions
from validators.ownership import ProofOptions


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    backend = tmp_path / "backend"
    backend.mkdir()
    return backend


def configure(folder: Path, table: str) -> None:
    (folder / "pyproject.toml").write_text(f"[tool.backendpro]\n{table}\n")


def test_nothing_need_be_set(folder: Path) -> None:
    settings = load_settings(folder)
    assert settings == Settings()
    assert settings.rounds == 3
    assert settings.model is None


def test_an_option_wins_over_the_environment_which_wins_over_pyproject(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(folder, 'rounds = 1\nmodel = "haiku"\nuser_id = "int"')
    monkeypatch.setenv("BACKENDPRO_ROUNDS", "2")
    monkeypatch.setenv("BACKENDPRO_MODEL", "sonnet")
    settings = load_settings(folder, {"rounds": 5, "model": None})
    assert (settings.rounds, settings.model, settings.user_id) == (5, "sonnet", "int")


def test_the_current_folders_table_is_read_where_the_backend_has_none(folder: Path) -> None:
    configure(Path(), "rounds = 7")
    (folder / "pyproject.toml").write_text("[project]\nname = 'x'\n")
    assert load_settings(folder).rounds == 7
    configure(folder, "rounds = 8")
    assert load_settings(folder).rounds == 8


def test_a_folder_that_does_not_exist_has_no_settings(folder: Path) -> None:
    assert load_settings(folder / "new") == Settings()


def test_a_list_is_written_with_commas_in_the_environment(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(folder, 'public_models = ["Country", "Currency"]')
    monkeypatch.setenv("BACKENDPRO_OWNER_COLUMNS", "tenant_id, holder")
    settings = load_settings(folder)
    assert settings.owner_columns == ("tenant_id", "holder")
    assert settings.public_models == ("Country", "Currency")


def test_declared_columns_come_on_top_of_the_usual_ones() -> None:
    settings = Settings(app="main:app", user_id="uuid", owner_columns=("tenant_id",))
    options = settings.check_options()
    assert (options.app, options.user_id) == ("main:app", "uuid")
    assert options.declared is not None
    assert {"tenant_id", "user_id"} <= options.declared.owner_columns
    assert options.declared.public_models == frozenset()


def test_an_unknown_setting_names_the_nearest_one(folder: Path) -> None:
    configure(folder, "ronuds = 1")
    with pytest.raises(InputError, match=r"`ronuds` in \[tool\.backendpro\]") as raised:
        load_settings(folder)
    assert raised.value.hint == "Did you mean `rounds`?"


def test_an_unknown_variable_names_the_nearest_one(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BACKENDPRO_MODLE", "haiku")
    with pytest.raises(InputError, match="`BACKENDPRO_MODLE` in the environment") as raised:
        load_settings(folder)
    assert raised.value.hint == "Did you mean `BACKENDPRO_MODEL`?"


def test_an_unknown_setting_like_no_other_lists_all(folder: Path) -> None:
    configure(folder, "zzz = 1")
    with pytest.raises(InputError) as raised:
        load_settings(folder)
    assert all(f"`{name}`" in raised.value.hint for name in Settings.model_fields)


def test_the_switch_for_tracebacks_is_no_unknown_setting(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BACKENDPRO_DEBUG", "1")
    assert load_settings(folder) == Settings()


def test_a_wrong_option_is_named_as_it_was_typed(folder: Path) -> None:
    with pytest.raises(InputError, match=r"^--rounds: .*greater than or equal to 0, not -1\.$"):
        load_settings(folder, {"rounds": -1})


def test_a_wrong_variable_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BACKENDPRO_ROUNDS", "many")
    with pytest.raises(InputError, match=r"^BACKENDPRO_ROUNDS: .*integer.*, not 'many'\.$"):
        load_settings(folder)


def test_a_wrong_value_in_pyproject_is_named_with_its_file(folder: Path) -> None:
    configure(folder, 'user_id = "number"')
    with pytest.raises(
        InputError, match=r"^`user_id` in \[tool\.backendpro\] of .*pyproject\.toml"
    ):
        load_settings(folder)


@pytest.mark.parametrize(
    "content", [b"[tool.backendpro\n", b"\xff\xfe", b"[tool]\nbackendpro = 1\n"]
)
def test_a_pyproject_that_cannot_be_used_is_told(folder: Path, content: bytes) -> None:
    (folder / "pyproject.toml").write_bytes(content)
    with pytest.raises(InputError, match=r"pyproject\.toml"):
        load_settings(folder)


def test_a_check_without_settings_is_that_of_the_default_settings() -> None:
    assert Settings().check_options() == CheckOptions(declared=ProofOptions())
