"""What is composed from a blueprint, read as text."""

from decimal import Decimal
from pathlib import Path

import pytest

from agent.errors import RequestNotUnderstoodError
from agent.models.offline.blueprint import AgentEndpoint, Blueprint, FieldKind, Parent
from agent.models.offline.compose import compose
from tests.agent.models.offline import blueprints
from tests.agent.models.offline.blueprints import NEW_BACKENDS, named, spec

REFERENCE = Path(__file__).parents[4] / "fixtures" / "backends" / "sound"


def code_of(blueprint: Blueprint, path: str) -> str:
    return {file.path: file.code for file in compose(blueprint)}[f"backend/{path}"]


def test_tasks_are_composed_as_the_reference_backend_byte_for_byte() -> None:
    composed = {file.path.removeprefix("backend/"): file.code for file in compose(blueprints.TASKS)}
    reference = {
        path.relative_to(REFERENCE).as_posix(): path.read_text(encoding="utf-8")
        for path in REFERENCE.rglob("*.py")
    }
    assert composed == reference


@pytest.mark.parametrize("name", NEW_BACKENDS)
def test_a_new_backend_has_every_file_of_the_layout(name: str) -> None:
    paths = {file.path for file in compose(NEW_BACKENDS[name])}
    required = {"main.py", "models.py", "database.py", "dependencies.py", "utils/jwt.py"}
    packages = {"routes/__init__.py", "schemas/__init__.py", "utils/__init__.py"}
    assert paths >= {f"backend/{path}" for path in required | packages}


@pytest.mark.parametrize("name", NEW_BACKENDS)
def test_the_same_blueprint_gives_the_same_bytes(name: str) -> None:
    copy = Blueprint.model_validate_json(NEW_BACKENDS[name].model_dump_json())
    assert compose(copy) == compose(NEW_BACKENDS[name])


@pytest.mark.parametrize("name", NEW_BACKENDS)
def test_code_has_no_traces_of_templates(name: str) -> None:
    for file in compose(NEW_BACKENDS[name]):
        assert not {"{{", "}}", "{%", "%}"} & set(file.code.split()), file.path
        assert "\n\n\n\n" not in file.code
        assert file.code.endswith("\n")
        assert not file.code.endswith("\n\n")


def test_files_come_before_those_that_import_them() -> None:
    paths = [file.path.removeprefix("backend/") for file in compose(blueprints.NESTED)]
    first = [path.partition("/")[0] for path in paths]
    order = ["utils", "models.py", "database.py", "schemas", "dependencies.py", "routes", "main.py"]
    assert list(dict.fromkeys(first)) == order


def test_articles_follow_the_sound_of_the_word() -> None:
    blueprint = Blueprint(
        resources=tuple(
            named(word, f"{word}s") for word in ("expense", "user_group", "hour", "task", "url")
        )
    )
    articles = {
        word: code_of(blueprint, f"routes/{word}s.py").split('"""Create ')[1].split(".")[0]
        for word in ("expense", "user_group", "hour", "task", "url")
    }
    assert articles == {
        "expense": "an expense",
        "user_group": "a user group",
        "hour": "an hour",
        "task": "a task",
        "url": "a url",
    }


def test_tables_keep_clear_of_those_that_better_auth_owns() -> None:
    models = code_of(blueprints.NAMES, "models.py")
    assert '__tablename__ = "sessions"' in models
    assert '__tablename__ = "accounts"' in models


def test_the_user_id_type_reaches_models_and_tokens() -> None:
    blueprint = blueprints.TASKS.model_copy(update={"user_id": "uuid"})
    assert "    user_id: UUID = Field(" in code_of(blueprint, "models.py")
    assert "def verify_token(token: str) -> UUID:" in code_of(blueprint, "utils/jwt.py")


@pytest.mark.parametrize(
    ("blueprint", "words"),
    [
        (Blueprint(resources=(named("task", "tasks", filter_by=("colour",)),)), "colour"),
        (Blueprint(resources=(named("task", "tasks", search_in=("colour",)),)), "colour"),
        (Blueprint(resources=(named("task", "tasks", sort_by=("colour",)),)), "colour"),
        (
            Blueprint(
                resources=(named("task", "tasks", parents=(Parent(name="boat", resource="boat"),)),)
            ),
            "boat",
        ),
        (
            Blueprint(
                resources=(named("task", "tasks"),),
                agents=(AgentEndpoint(name="suggest-due-date", resource="task"),),
            ),
            "date",
        ),
        (
            Blueprint(
                resources=(named("task", "tasks"),),
                agents=(AgentEndpoint(name="rank", resource="task", ability="suggest-priority"),),
            ),
            "priority",
        ),
        (
            Blueprint(
                resources=(
                    named(
                        "task",
                        "tasks",
                        fields=(spec("starts_at", FieldKind.DATETIME, default="now"),),
                    ),
                )
            ),
            "starts_at",
        ),
        (Blueprint(resources=(named("t" * 41, "t" * 42),)), "41"),
        (
            Blueprint(
                resources=(
                    named(
                        "task",
                        "tasks",
                        fields=(spec("n", FieldKind.INTEGER, maximum=Decimal(10**20)),),
                    ),
                )
            ),
            "n",
        ),
    ],
)
def test_what_cannot_be_written_is_refused_by_name(blueprint: Blueprint, words: str) -> None:
    with pytest.raises(RequestNotUnderstoodError) as refusal:
        compose(blueprint)
    assert words in refusal.value.message
