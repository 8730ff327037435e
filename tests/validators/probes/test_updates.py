"""Updates: what is sent differs from what is stored, wherever another value is valid."""

from pathlib import Path

import pytest

from tests.validators.probes.probing import SOUND, errors_without_failure, probe
from validators.probes import ProbeRun

ROUTER = """import datetime as dt
from typing import Annotated, Literal

from fastapi import APIRouter, HTTPException
from pydantic import Field as Limit
from sqlmodel import Field, SQLModel, select

from dependencies import CurrentUser, DatabaseSession
from schemas.common import RequestBody, RowId

router = APIRouter(prefix="/api/moods", tags=["moods"])


class Place(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    user_id: str = Field(foreign_key="user.id")


class Mood(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    user_id: str = Field(foreign_key="user.id")
    {column}


class MoodBody(RequestBody):
    {field}


def find_own(kind, row_id, session, current_user):
    row = session.exec(
        select(kind).where(kind.id == row_id, kind.user_id == current_user.id)
    ).first()
    if row is None:
        raise HTTPException(404, "Not found")
    return row


@router.post("/places", status_code=201)
def create_place(session: DatabaseSession, current_user: CurrentUser) -> Place:
    place = Place(user_id=current_user.id)
    session.add(place)
    session.commit()
    session.refresh(place)
    return place


@router.post("", status_code=201)
def create_mood(data: MoodBody, session: DatabaseSession, current_user: CurrentUser) -> Mood:
    if getattr(data, "place_id", None) is not None:
        find_own(Place, data.place_id, session, current_user)
    mood = Mood(**data.model_dump(), user_id=current_user.id)
    session.add(mood)
    session.commit()
    session.refresh(mood)
    return mood


@router.{method}("/{{mood_id}}{action}")
def change_mood(
    mood_id: RowId, {data}session: DatabaseSession, current_user: CurrentUser
) -> Mood:
    mood = {find}
    {change}
    {finish}
    return mood
"""
REPLACE = """if getattr(data, "place_id", None) is not None:
        find_own(Place, data.place_id, session, current_user)
    mood.sqlmodel_update(data.model_dump())"""
COMMIT = "session.commit()\n    session.refresh(mood)"
FORGET = "session.expunge(mood)"
FIELDS = {
    "two choices": ("level: str", 'level: Literal["low", "high"]'),
    "one choice or none": ("level: str | None", 'level: Literal["low"] | None'),
    "yes or no": ("is_good: bool", "is_good: bool"),
    "a narrow number": ("rating: int", "rating: Annotated[int, Limit(ge=1, le=3)]"),
    "a hinted number": ("year: int", "year: Annotated[int, Limit(ge=1900, le=2100)]"),
    "a time of day": ("starts: dt.time", "starts: dt.time"),
    "a patterned text": ("color: str", 'color: Annotated[str, Limit(pattern="^#[0-9a-f]{6}$")]'),
    "another row": (
        'place_id: int = Field(foreign_key="place.id")',
        "place_id: Annotated[int, Limit(ge=1, le=2**31 - 1)]",
    ),
}
ONE_CHOICE = ("level: str", 'level: Literal["low"]')


def probed(folder: Path, parts: tuple[str, str], **changes: str) -> ProbeRun:
    column, field = parts
    text = ROUTER.format(
        **{
            "column": column,
            "field": field,
            "method": "put",
            "action": "",
            "data": "data: MoodBody, ",
            "find": "find_own(Mood, mood_id, session, current_user)",
            "change": REPLACE,
            "finish": COMMIT,
            **changes,
        }
    )
    return probe(folder, {**SOUND, "routes/tasks.py": text})


def life_of(run: ProbeRun, method: str) -> list[tuple[str, str]]:
    return [
        (probe.outcome, probe.detail)
        for probe in run.probes
        if probe.name == "life" and probe.route.startswith(method)
    ]


@pytest.mark.parametrize(
    ("name", "method"), [*((name, "put") for name in FIELDS), ("yes or no", "patch")]
)
def test_an_update_that_stores_passes_whatever_is_stored_already(
    name: str, method: str, tmp_path: Path
) -> None:
    run = probed(tmp_path, FIELDS[name], method=method)
    assert run.findings == ()
    assert life_of(run, method.upper()) == [("passed", "The owner is answered 200.")]


@pytest.mark.parametrize("name", ["two choices", "another row"])
def test_an_update_that_stores_nothing_is_found(name: str, tmp_path: Path) -> None:
    run = probed(tmp_path, FIELDS[name], finish=FORGET)
    assert [finding.code for finding in run.findings] == ["BP609"]
    assert [outcome for outcome, _ in life_of(run, "PUT")] == ["failed"]
    assert not errors_without_failure(run)


@pytest.mark.parametrize("finish", [COMMIT, FORGET], ids=["stores", "forgets"])
def test_an_update_without_another_valid_value_is_inconclusive(finish: str, tmp_path: Path) -> None:
    run = probed(tmp_path, ONE_CHOICE, finish=finish)
    assert run.findings == ()
    ((outcome, detail),) = life_of(run, "PUT")
    assert outcome == "inconclusive"
    assert "no other value" in detail


def test_an_intruder_who_changes_a_choice_is_found_to_change_it(tmp_path: Path) -> None:
    by_key = "session.get(Mood, mood_id) or find_own(Mood, 0, session, current_user)"
    run = probed(tmp_path, FIELDS["two choices"], find=by_key)
    assert "BP604" in {finding.code for finding in run.findings}
    assert not errors_without_failure(run)


ACTION = {"data": "", "action": "/good", "method": "patch", "change": "mood.is_good = {}"}


def test_an_action_is_tried_on_a_fresh_row(tmp_path: Path) -> None:
    # A fresh row's `is_good` is True; a row made alike has False.
    for value in ("True", "False"):
        change = ACTION["change"].format(value)
        run = probed(tmp_path / value, FIELDS["yes or no"], **{**ACTION, "change": change})
        assert run.findings == ()
        assert life_of(run, "PATCH") == [("passed", "The owner is answered 200.")]


def test_an_action_that_answers_what_it_does_not_store_is_found(tmp_path: Path) -> None:
    change = ACTION["change"].format("not mood.is_good")
    run = probed(tmp_path, FIELDS["yes or no"], **{**ACTION, "change": change, "finish": FORGET})
    assert [finding.code for finding in run.findings] == ["BP609"]


def test_an_action_that_may_have_nothing_to_do_is_inconclusive(tmp_path: Path) -> None:
    run = probed(tmp_path, FIELDS["yes or no"], **{**ACTION, "change": "pass"})
    assert run.findings == ()
    assert [outcome for outcome, _ in life_of(run, "PATCH")] == ["inconclusive"]
