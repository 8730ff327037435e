"""Bodies that do what a backend's own refusal asks for."""

import time
from datetime import UTC, datetime
from itertools import islice
from typing import Any

import pytest

from validators.probes.operations import Document
from validators.probes.requests.values.messages import asked_for

DAY = {"type": "string", "format": "date"}
MOMENT = {"type": "string", "format": "date-time"}
TEXT, WHOLE, ANY = {"type": "string"}, {"type": "integer"}, {"type": "number"}
BODY = {
    "title": "Water the plants",
    "start_date": "2030-05-17",
    "end_date": "2030-05-17",
    "remindAt": "2001-01-01T10:30:00+00:00",
    "priority": 9,
    "amount": -4.5,
    "status": "Water",
    "password": "Str0ng-a!",
    "password_confirm": "Str0ng-b!",
    "tags": ["home"],
    "task_id": 7,
    "terms": False,
}
SCHEMA = {
    "type": "object",
    "properties": {
        "title": TEXT, "start_date": DAY, "end_date": DAY, "remindAt": MOMENT, "priority": WHOLE,
        "amount": ANY, "status": TEXT, "password": TEXT, "password_confirm": TEXT,
        "tags": {"type": "array", "items": TEXT}, "task_id": WHOLE, "terms": {"type": "boolean"},
        "note": TEXT,
    },
}  # fmt: skip


def bodies(message: str, body: Any = BODY) -> list[Any]:
    return [*asked_for(Document({}), message, SCHEMA, body)]


def lies_ahead(value: Any) -> bool:
    return isinstance(value, str) and value > datetime.now(UTC).isoformat()


MESSAGES: list[tuple[str, Any]] = [
    ("end_date must be after start_date", lambda b: b["end_date"] > b["start_date"]),
    ("End date cannot be before start date", lambda b: b["end_date"] > b["start_date"]),
    (
        "The start date has to be earlier than the end date",
        lambda b: b["start_date"] < b["end_date"],
    ),
    ("remindAt must be in the future", lambda b: lies_ahead(b["remindAt"])),
    ("Reminders cannot be set in the past", lambda b: lies_ahead(b["remindAt"])),
    ("start_date must be in the past", lambda b: not lies_ahead(b["start_date"])),
    ("Priority must be between 1 and 5", lambda b: 1 <= b["priority"] <= 5),
    ("priority must be less than 3", lambda b: b["priority"] < 3),
    ("priority cannot exceed 5", lambda b: b["priority"] <= 5),
    ("Amount must be positive", lambda b: b["amount"] > 0),
    ("amount must be at least 100", lambda b: b["amount"] >= 100),
    ("Invalid status. Must be one of: todo, doing, done", lambda b: b["status"] == "todo"),
    ("status must be one of ['open', 'closed']", lambda b: b["status"] == "open"),
    ("status must be either 'draft' or 'live'", lambda b: b["status"] == "draft"),
    ("Passwords do not match", lambda b: b["password"] == b["password_confirm"]),
    ("password must be at least 12 characters", lambda b: len(b["password"]) >= 12),
    ("title must be at most 5 characters long", lambda b: len(b["title"]) <= 5),
    ("tags must have at least 3 items", lambda b: len(b["tags"]) >= 3),
    ("A task with this title already exists", lambda b: b["title"] != BODY["title"]),
    ("note is required", lambda b: bool(b.get("note"))),
    ("You must accept the terms", lambda b: b["terms"] is True),
    ("status must be a hex color", lambda b: b["status"] == "#3366ff"),
]


@pytest.mark.parametrize(("message", "is_right"), MESSAGES, ids=[each[0] for each in MESSAGES])
def test_one_of_the_first_bodies_is_what_a_message_asks_for(message: str, is_right: Any) -> None:
    assert any(map(is_right, islice(bodies(message), 8)))


@pytest.mark.parametrize("message", [each[0] for each in MESSAGES])
def test_ids_stay_and_no_body_comes_twice(message: str) -> None:
    found = bodies(message)
    assert found
    assert BODY not in found
    assert {body["task_id"] for body in found} == {7}
    assert len(found) == len({str(body) for body in found}) <= 24


def test_what_is_nested_is_reached() -> None:
    outer = {"type": "object", "properties": {"items": {"type": "array", "items": SCHEMA}}}
    found = asked_for(Document({}), "priority must be less than 3", outer, {"items": [BODY]})
    assert next(found)["items"][0]["priority"] < 9


@pytest.mark.parametrize("body", [None, "text", 3, [], {}])
def test_a_body_without_properties_is_no_error(body: Any) -> None:
    assert isinstance(bodies("title must be unique", body), list)


@pytest.mark.parametrize(
    "message", ["(" * 10_000, "one of " * 5_000, "'" * 9_999, "1" * 9_999, "at least 999999999999"]
)
def test_a_hostile_message_takes_no_time(message: str) -> None:
    started = time.process_time()
    bodies(message)
    assert time.process_time() - started < 5
