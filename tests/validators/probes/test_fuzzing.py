"""Random requests: what they find that the probes' own do not, and what they leave alone."""

from pathlib import Path

import pytest

from tests.validators.probes.probing import SOUND
from tests.validators.runtime.backends import booted
from validators import probes
from validators.probes import ProbeRun
from validators.runtime import Limits

# The first round is finished, however short the time is.
SECONDS = 0.1

ROUTE = """
from typing import Annotated

from dependencies import CurrentUser, DatabaseSession
from fastapi import Query
from models import Task
from pydantic import BaseModel, Field
from sqlmodel import select


class Word(BaseModel):
    word: Annotated[str, Field(max_length=3, pattern="^[^\\x00]*$")]


@app.post("/api/capitals")
def capital(data: Word, session: DatabaseSession, current_user: CurrentUser) -> dict[str, str]:
    BODY
"""


def fuzzed(folder: Path, body: str) -> ProbeRun:
    route = ROUTE.replace("BODY", body)
    files = {**SOUND, "main.py": f"{SOUND['main.py']}{route}"}
    with booted(folder, files, Limits()) as (app, findings):
        assert app is not None, findings
        return probes.run(app, SECONDS)


def test_a_server_error_that_only_chance_finds_is_reported_with_a_command(tmp_path: Path) -> None:
    run = fuzzed(tmp_path, 'return {"capital": data.word[0].upper()}')
    (finding,) = run.findings
    assert (finding.code, finding.route) == ("BP605", "POST /api/capitals")
    assert "IndexError" in finding.message
    assert finding.trace[0].startswith('curl -X POST "$URL"/api/capitals -H "Authorization: Bearer')
    assert '{"word": ""}' in finding.trace[0]
    assert {(p.name, p.outcome) for p in run.probes if p.route == finding.route} >= {
        ("life", "passed"),
        ("fuzz", "failed"),
    }


def test_a_leak_behind_a_value_that_only_chance_finds_is_reported(tmp_path: Path) -> None:
    body = """if not data.word:
        return {"capital": " ".join(task.title for task in session.exec(select(Task)))}
    return {"capital": data.word.upper()}"""
    run = fuzzed(tmp_path, body)
    assert [(f.code, f.route) for f in run.findings] == [("BP603", "POST /api/capitals")]
    assert "a random request" in run.findings[0].message


def test_a_sound_backend_has_nothing_to_find_and_nothing_is_left_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    run = fuzzed(tmp_path, 'return {"capital": data.word.upper()}')
    assert run.findings == ()
    assert {p.outcome for p in run.probes if p.name == "fuzz"} == {"passed"}
    assert list(here.iterdir()) == []
