"""How a backend knows its users is chosen for a new one, and kept in an existing one."""

from typing import get_args

import pytest

from agent.auth import DEFAULT, MEANINGS, Auth, settle
from agent.errors import InputError
from agent.models.offline.compose import compose
from agent.prompting import system_prompt
from agent.reply import SourceFile
from tests.agent.models.offline import blueprints

CHOICES: tuple[Auth, ...] = get_args(Auth)

HEALTH = SourceFile(
    "backend/main.py",
    "from fastapi import FastAPI\napp = FastAPI()\n@app.get('/health')\ndef health(): ...\n",
)
OWN_LOGIN = SourceFile(
    "backend/app/auth.py",
    "import os\n"
    'SECRET = os.environ["BETTER_AUTH_SECRET"]\n'
    '@router.post("/login")\n'
    "def login(): ...\n",
)
SOMEHOW = SourceFile("backend/dependencies.py", "def get_current_user(): ...\n")


def tasks(auth: Auth) -> tuple[SourceFile, ...]:
    return compose(blueprints.TASKS.model_copy(update={"auth": auth}))


def test_every_choice_has_a_meaning() -> None:
    assert set(MEANINGS) == set(CHOICES)


@pytest.mark.parametrize("auth", CHOICES)
def test_a_new_backend_does_as_it_is_told(auth: Auth) -> None:
    assert settle(auth, ()) == auth


def test_a_new_backend_takes_both_kinds_of_tokens_where_nothing_is_said() -> None:
    assert settle(None, ()) == DEFAULT == "better-auth"


@pytest.mark.parametrize("auth", CHOICES)
def test_what_is_added_keeps_the_way_of_the_backend(auth: Auth) -> None:
    assert settle(None, tasks(auth)) == auth
    assert settle(auth, tasks(auth)) == auth


@pytest.mark.parametrize("auth", CHOICES)
@pytest.mark.parametrize("chosen", CHOICES)
def test_a_choice_that_contradicts_the_backend_is_refused(auth: Auth, chosen: Auth) -> None:
    if auth == chosen:
        return
    with pytest.raises(InputError, match=f"`{chosen}` contradicts") as caught:
        settle(chosen, tasks(auth))
    assert f"`{auth}`" in caught.value.message
    assert caught.value.exit_code == 2


def test_a_login_route_tells_more_than_the_name_of_the_secret() -> None:
    assert settle(None, (OWN_LOGIN,)) == "own"


def test_a_backend_without_users_may_get_any_kind() -> None:
    assert settle("own", (HEALTH,)) == "own"


def test_no_choice_fits_a_backend_whose_way_cannot_be_told() -> None:
    assert settle(None, (SOMEHOW,)) == DEFAULT
    with pytest.raises(InputError, match="cannot be told"):
        settle("own", (SOMEHOW,))


def test_code_that_cannot_be_parsed_tells_nothing() -> None:
    assert settle("own", (SourceFile("backend/main.py", "def ("),)) == "own"


@pytest.mark.parametrize(
    ("auth", "said", "unsaid"),
    [
        ("better-auth", ("BETTER_AUTH_URL", "BETTER_AUTH_SECRET", "jwks"), ("AUTH_SECRET`:",)),
        ("better-auth-jwks", ("BETTER_AUTH_URL", "EdDSA"), ("_SECRET", "HS256")),
        ("better-auth-secret", ("BETTER_AUTH_SECRET", "HS256"), ("BETTER_AUTH_URL", "EdDSA")),
        ("own", ("`AUTH_SECRET`", "sign-up", "Argon2id"), ("BETTER_AUTH", "EdDSA")),
    ],
)
def test_the_system_prompt_asks_for_the_choice_alone(
    auth: Auth, said: tuple[str, ...], unsaid: tuple[str, ...]
) -> None:
    prompt = system_prompt("text", auth)
    section = prompt.split("# Settings")[1].split("# Isolation")[0]
    assert [text for text in said if text not in section] == []
    assert [text for text in unsaid if text in section] == []
