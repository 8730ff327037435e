"""What tokens that are refused show, and where they show nothing."""

from pathlib import Path

import pytest

from tests.validators.probes.probing import SOUND, probe

VERIFY = 'options={"require": ["exp"]},'
# Looks at the signature only of tokens that it has seen before.
TRUSTING = 'options={"require": ["exp"], "verify_signature": has_come_before(token)},'
SEEN = """

seen: set[str] = set()


def has_come_before(token: str) -> bool:
    is_known = token in seen
    seen.add(token)
    return is_known
"""


def test_a_token_that_is_accepted_once_is_accepted(tmp_path: Path) -> None:
    jwt = SOUND["utils/jwt.py"].replace(VERIFY, TRUSTING)
    run = probe(tmp_path, {**SOUND, "utils/jwt.py": jwt + SEEN})
    found = {finding.route for finding in run.findings if finding.code == "BP601"}
    assert found == {route for route in run.routes if route != "GET /health"}


PUBLIC = """
@app.get("/")
def welcome() -> dict[str, str]:
    return {"message": "Hello"}


@app.get("/version")
def version() -> dict[str, str]:
    return {"version": "1.0"}


"""


def test_a_public_route_may_answer_whatever_comes(tmp_path: Path) -> None:
    main = SOUND["main.py"].replace("app.add_middleware(", PUBLIC + "app.add_middleware(")
    run = probe(tmp_path, {**SOUND, "main.py": main})
    assert run.findings == ()
    confused = {each.route for each in run.probes if each.name == "token confusion"}
    assert confused == {"GET /api/tasks", "GET /api/tasks/{task_id}"}


@pytest.mark.parametrize(("conversion", "option"), [("UUID", "uuid"), ("int", "int")])
def test_who_takes_the_users_id_for_no_text_learns_of_the_option(
    conversion: str, option: str, tmp_path: Path
) -> None:
    converted = f"""from uuid import UUID


def convert(subject: str) -> str:
    try:
        return str({conversion}(subject))
    except ValueError as error:
        raise InvalidTokenError from error


class InvalidTokenError"""
    jwt = SOUND["utils/jwt.py"].replace(
        "return find_subject(claims)", "return convert(find_subject(claims))"
    )
    jwt = jwt.replace("class InvalidTokenError", converted, 1)
    run = probe(tmp_path, {**SOUND, "utils/jwt.py": jwt})
    (finding,) = run.findings
    assert finding.code == "BP602"
    assert finding.fix is not None
    assert f"`--user-id {option}`" in finding.fix
