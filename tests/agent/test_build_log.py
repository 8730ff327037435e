"""The log of a build."""

import json
import stat
from dataclasses import asdict
from pathlib import Path

import pytest

from agent import build_log
from agent.build_log import BuildLog
from agent.events import Asked, Checked, FileArrived, Noted, Replied, SentBack
from agent.models.base import Finished
from agent.reply import SourceFile
from agent.settings import Settings
from validators import StageStarted
from validators.report import Finding, Report

FINDING = Finding(
    code="BP107",
    name="no-files",
    severity="error",
    path="",
    line=None,
    column=None,
    message="The reply holds no file.",
    fix="Answer with at least one file.",
)


def entries(log: BuildLog) -> list[dict[str, object]]:
    return [json.loads(line) for line in log.path.read_text().splitlines()]


@pytest.fixture
def log(tmp_path: Path) -> BuildLog:
    return BuildLog("add CRUD for täsks", Path("backend"), Settings(rounds=2), tmp_path / "logs")


def test_a_log_starts_with_what_was_asked_and_of_whom(log: BuildLog) -> None:
    (first,) = entries(log)
    assert first["event"] == "started"
    assert first["schema"] == build_log.SCHEMA_VERSION
    assert first["request"] == "add CRUD for täsks"
    assert first["into"] == str(Path("backend").absolute())
    assert first["settings"] == Settings(rounds=2).model_dump(mode="json")


def test_every_event_is_in_the_file_at_once(log: BuildLog) -> None:
    log(Asked(1, "offline"))
    assert entries(log)[-1]["model"] == "offline"
    log(Noted("A task has a title."))
    assert entries(log)[-1]["text"] == "A task has a title."
    log(Replied(1, "raw\ud800\n", Finished(5, 7, 3, "length")))
    replied = entries(log)[-1]
    assert replied["text"] == "raw\ud800\n"
    assert replied["usage"] == {
        "input_tokens": 5,
        "output_tokens": 7,
        "cached_tokens": 3,
        "stop": "length",
    }
    log(Checked(1, (FINDING,), Report(timings={"syntax": 0.1})))
    checked = entries(log)[-1]
    assert checked["format_findings"] == json.loads(json.dumps([asdict(FINDING)]))
    assert checked["report"] == json.loads(json.dumps(Report(timings={"syntax": 0.1}).document()))
    log(SentBack(1, (FINDING,)))
    assert entries(log)[-1]["findings"] == 1
    log.finish("gave up", "No more rounds.")
    assert entries(log)[-1]["ending"] == "gave up"


def test_a_failed_model_leaves_a_reply_without_usage(log: BuildLog) -> None:
    log(Replied(1, "half", None))
    assert entries(log)[-1]["usage"] is None


def test_progress_is_not_kept(log: BuildLog) -> None:
    log(FileArrived(SourceFile("backend/main.py", "")))
    log(StageStarted("syntax"))
    assert len(entries(log)) == 1


def test_only_the_developer_may_read_logs(log: BuildLog) -> None:
    assert stat.S_IMODE(log.path.stat().st_mode) == 0o600


def test_old_logs_are_dropped(tmp_path: Path) -> None:
    for number in range(build_log.KEPT_LOGS + 5):
        (tmp_path / f"20200101T000000Z-{number:08x}.jsonl").write_text("{}\n")
    log = BuildLog("x", tmp_path, Settings(), tmp_path)
    kept = sorted(tmp_path.glob("*.jsonl"))
    assert len(kept) == build_log.KEPT_LOGS
    assert kept[-1] == log.path
    assert not (tmp_path / "20200101T000000Z-00000000.jsonl").exists()


def test_a_log_that_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "logs").write_text("a file")
    log = BuildLog("x", tmp_path, Settings(), tmp_path / "logs")
    log(Asked(1, "offline"))
    log.finish("applied")
    assert str(tmp_path / "logs") in log.problem
