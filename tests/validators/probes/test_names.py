"""Names stand for what a backend makes up, and are filled with the values of another world."""

import pytest

from validators.probes.worlds.names import Names, UnknownNameError, is_made_up, names_in
from validators.runtime import Request

KEY = "0c2d8f7e-9a51-4c0e-8a7e-2f1b6d3c4e5f"


def names() -> Names:
    made = Names()
    made.bind("task 1 of the owner", 100_000)
    made.bind("note 1 of the owner", KEY)
    made.bind("token of link 1 of the owner", "q8Zt3-xY_w1")
    return made


def elsewhere() -> Names:
    made = Names()
    made.bind("task 1 of the owner", 100_007)
    made.bind("note 1 of the owner", "7d1f0f4e-0000-4c0e-8a7e-2f1b6d3c4e5f")
    made.bind("token of link 1 of the owner", "AAAA-bbbb_9")
    return made


def test_a_request_says_the_same_in_another_world() -> None:
    request = Request(
        "PUT",
        f"/tasks/100000/notes/{KEY}",
        query=(("ids", f"100000,{KEY}"),),
        json_body={"task_id": 100_000, "note_ids": [KEY], "text": "no 100000 at all", "n": 3},
        headers=(("x-link", "q8Zt3-xY_w1"),),
    )
    template = names().template(request)
    assert names_in(template) == {
        "task 1 of the owner",
        "note 1 of the owner",
        "token of link 1 of the owner",
    }
    there = elsewhere().fill(template)
    assert there.path == "/tasks/100007/notes/7d1f0f4e-0000-4c0e-8a7e-2f1b6d3c4e5f"
    assert there.json_body["task_id"] == 100_007
    assert there.json_body["n"] == 3
    assert there.json_body["text"] == "no 100007 at all"
    assert there.headers == (("x-link", "AAAA-bbbb_9"),)
    assert names().fill(template) == request


def test_a_name_that_stands_for_nothing_is_told() -> None:
    template = names().template(Request("GET", "/tasks/100000"))
    with pytest.raises(UnknownNameError):
        Names().fill(template)


@pytest.mark.parametrize(
    ("value", "sent", "expected"),
    [
        (100_000, "", True),
        (7, "", False),
        (100_000, '{"id": 100000}', False),
        (True, "", False),
        (KEY, "", True),
        ("q8Zt3-xY_w1", "", True),
        ("in_progress", "", False),
        ("CANCELLED", "", False),
        ("2026-11-30T10:00:00+00:00", "", False),
        ("water-the-plants-2", '{"title": "Water the plants"}', False),
        ("Water the plants", "", False),
        (None, "", False),
    ],
)
def test_what_a_backend_may_have_made_up(value: object, sent: str, *, expected: bool) -> None:
    assert is_made_up(value, sent) is expected
