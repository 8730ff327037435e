"""The users of the probes: nobody can know beforehand who the intruder is."""

from pathlib import Path

import pytest

from tests.validators.runtime.backends import plain
from tests.validators.trees import lay_out
from validators.location import find_app
from validators.runtime import better_auth, prepare
from validators.source import load_project


@pytest.mark.parametrize("user_id", better_auth.USER_IDS)
def test_owner_and_intruder_are_drawn_anew_and_look_alike(user_id: better_auth.UserId) -> None:
    named = better_auth.users(user_id)
    one, other = (better_auth.disguise(named, user_id) for _ in range(2))
    for role in (0, 1):
        assert one[role].id != other[role].id
        assert one[role].role == named[role].role
        assert named[role].role not in f"{one[role].name} {one[role].email}".lower()
        assert len(one[role].id) == len(named[role].id)
    assert len({user.address for user in one}) == 3


def test_the_bystander_keeps_the_address_that_requests_name() -> None:
    named = better_auth.users("text")
    assert better_auth.disguise(named, "text")[2].email == named[2].email


@pytest.mark.parametrize("user_id", better_auth.USER_IDS)
def test_the_database_holds_the_users_as_they_were_drawn(
    user_id: better_auth.UserId, tmp_path: Path
) -> None:
    project = load_project(lay_out(tmp_path / "backend", plain()))
    location = find_app(project)
    assert location is not None
    with prepare(project, location, user_id=user_id) as booting:
        app, findings = booting.start()
        assert app is not None, findings
        with app.database.observe() as connection:
            rows = connection.execute('select id::text, name, email from public."user"').fetchall()
    assert sorted(rows) == sorted((user.id, user.name, user.email) for user in app.users)
