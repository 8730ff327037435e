"""Each way to know the users: only what it needs is written, and the check finds nothing."""

from pathlib import Path

import pytest

import validators
from agent.models.offline.blueprint import Blueprint
from agent.models.offline.compose import compose
from tests.agent.models.offline import blueprints
from tests.agent.models.offline.serving import SECRET, run_once, write_files

TASKS = blueprints.TASKS
VARIABLES = ("BETTER_AUTH_URL", "BETTER_AUTH_SECRET", "AUTH_SECRET", "TOKEN_SECONDS")
SIGN_IN_FILES = {"routes/auth.py", "schemas/auth.py", "utils/passwords.py", "utils/rate_limit.py"}


@pytest.mark.parametrize("name", blueprints.OTHER_AUTH)
def test_the_check_finds_nothing(name: str, tmp_path: Path) -> None:
    blueprint = blueprints.OTHER_AUTH[name]
    backend = write_files(tmp_path, compose(blueprint))
    report = validators.check(backend, validators.CheckOptions(user_id=blueprint.user_id))
    assert report.findings == ()
    assert {query.verdict for query in report.queries} <= {"isolated"}
    assert {probe.outcome for probe in report.probes} == {"passed"}


@pytest.mark.parametrize(
    ("auth", "read"),
    [
        ("better-auth", {"BETTER_AUTH_URL", "BETTER_AUTH_SECRET"}),
        ("better-auth-jwks", {"BETTER_AUTH_URL"}),
        ("better-auth-secret", {"BETTER_AUTH_SECRET"}),
        ("own", {"AUTH_SECRET", "TOKEN_SECONDS"}),
    ],
)
def test_only_what_the_choice_needs_is_written(auth: str, read: set[str]) -> None:
    files = compose(TASKS.model_copy(update={"auth": auth}))
    code = "".join(file.code for file in files)
    assert {name for name in VARIABLES if f'getenv("{name}"' in code} == read
    assert ("PyJWKClient" in code) == ("BETTER_AUTH_URL" in read)
    assert ("HS256" in code) == (auth != "better-auth-jwks")
    paths = {file.path.removeprefix("backend/") for file in files}
    assert paths & SIGN_IN_FILES == (SIGN_IN_FILES if auth == "own" else set())


def test_agents_that_are_added_share_the_limit_of_sign_ins() -> None:
    existing = compose(blueprints.AGENTS.model_copy(update={"auth": "own", "agents": ()}))
    added = compose(Blueprint(agents=blueprints.AGENTS.agents, auth="own"), existing)
    paths = {file.path for file in added}
    assert "backend/routes/agents.py" in paths
    assert "backend/utils/rate_limit.py" not in paths


def test_a_resource_that_is_added_belongs_to_the_own_users() -> None:
    existing = compose(TASKS.model_copy(update={"auth": "own"}))
    added = {file.path: file.code for file in compose(blueprints.AGENTS, existing)}
    assert added["backend/models.py"].count('foreign_key="app_user.id"') == 3


@pytest.mark.parametrize(
    ("auth", "settings", "name"),
    [
        ("better-auth-jwks", {}, "BETTER_AUTH_URL"),
        ("better-auth-jwks", {"BETTER_AUTH_SECRET": SECRET}, "BETTER_AUTH_URL"),
        ("better-auth-jwks", {"BETTER_AUTH_URL": "file:///keys"}, "BETTER_AUTH_URL"),
        ("better-auth-secret", {"BETTER_AUTH_URL": "http://localhost:3000"}, "BETTER_AUTH_SECRET"),
        ("better-auth-secret", {"BETTER_AUTH_SECRET": "short"}, "BETTER_AUTH_SECRET"),
        ("own", {"BETTER_AUTH_SECRET": SECRET}, "AUTH_SECRET"),
        ("own", {"AUTH_SECRET": SECRET, "TOKEN_SECONDS": "0"}, "TOKEN_SECONDS"),
        ("own", {"AUTH_SECRET": SECRET, "TOKEN_SECONDS": "an hour"}, "TOKEN_SECONDS"),
    ],
)
def test_bad_configuration_stops_the_start_with_one_sentence(
    tmp_path: Path, auth: str, settings: dict[str, str], name: str
) -> None:
    backend = write_files(tmp_path, compose(TASKS.model_copy(update={"auth": auth})))
    code, output = run_once(backend, {"DATABASE_URL": "postgresql://x", **settings})
    assert code != 0
    assert name in output
    assert len(output.strip().splitlines()) == 1
