"""What a booted backend finds in its environment."""

from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.validators.runtime.backends import booted, plain
from tests.validators.trees import project_of
from validators.runtime import Request
from validators.runtime.environment import build_environment, read_variables
from validators.source import Project, parse_module

URL = "postgresql://backend1@/backend1?host=/somewhere"


def built(tmp_path: Path, code: str) -> dict[str, str]:
    project = project_of(tmp_path, {"settings.py": code})
    return build_environment(read_variables(project), URL, "s" * 64, tmp_path)


def test_every_signing_secret_that_the_code_reads_is_the_one_that_tokens_are_signed_with(
    tmp_path: Path,
) -> None:
    code = 'import os\nfrom os import environ, getenv\nA = os.environ["JWT_SECRET"]\n'
    code += 'B = getenv("SECRET_KEY")\nC = environ.get("AUTH_SECRET", "x")\n'
    found = built(tmp_path, code)
    assert {found[name] for name in ("JWT_SECRET", "SECRET_KEY", "AUTH_SECRET")} == {"s" * 64}
    assert found["BETTER_AUTH_SECRET"] == "s" * 64


def test_every_database_variable_names_the_database_of_the_check(tmp_path: Path) -> None:
    found = built(tmp_path, 'import os\nX = os.environ["POSTGRES_URL"]\n')
    assert found["POSTGRES_URL"] == found["DATABASE_URL"] == URL


def test_a_settings_class_gets_what_it_demands_by_type_and_name(tmp_path: Path) -> None:
    code = """from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="app_")
    minutes: int
    origins: list[str]
    debug: bool = False
    region: str = Field(default="eu")
    sender_email: str
    queue: str = Field(alias="QUEUE_NAME")
"""
    found = built(tmp_path, code)
    assert found["APP_MINUTES"] == "30"
    assert found["APP_ORIGINS"] == "[]"
    assert found["APP_SENDER_EMAIL"] == "nobody@example.com"
    assert found["QUEUE_NAME"] == "placeholder"
    assert not {"APP_DEBUG", "APP_REGION", "APP_QUEUE"} & found.keys()


def test_a_variable_that_the_code_can_do_without_is_not_set(tmp_path: Path) -> None:
    found = built(tmp_path, 'import os\nX = os.getenv("BETTER_AUTH_URL")\n')
    assert "BETTER_AUTH_URL" not in found


def test_a_backend_that_asks_for_a_variable_by_name_gets_a_harmless_value(tmp_path: Path) -> None:
    code = 'import os\nREGION = os.getenv("REGION")\nif not REGION:\n'
    code += '    raise RuntimeError("REGION is not set")\n'
    route = '\n\n@app.get("/region")\ndef region() -> str:\n    return REGION\n'
    with booted(tmp_path, plain(before=code, after=route)) as (app, findings):
        assert app is not None, findings
        assert app.send(Request("GET", "/region")).json() == "placeholder"


@settings(deadline=None)  # the machine may be busy
@given(st.text())
def test_any_code_gives_an_environment(code: str) -> None:
    module = parse_module("main.py", code)
    project = Project(Path(), {"main.py": module})
    assert build_environment(read_variables(project), URL, "s", Path())["DATABASE_URL"] == URL
