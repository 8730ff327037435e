"""The loop: ask, parse, check, repair."""

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from agent.build import Builder
from agent.errors import ModelError, NoRepairError
from agent.events import Asked, Checked, Event, FileArrived, Noted, Replied, SentBack
from agent.models.base import Chunk, Finished, Note
from agent.outcome import Outcome
from agent.settings import Settings
from agent.workspace import Workspace
from tests.agent.scripted import ScriptedModel, Turn, reply, says, sound_files
from validators.report import Finding, Query, QueryVerdict, Report

ROUTES = "backend/routes/tasks.py"
BROKEN = "def get_task(:\n"
NO_ANSWER = (NoRepairError("The script has ended."),)


def build(
    into: Path, turns: Sequence[Turn], rounds: int = 3
) -> tuple[Outcome, ScriptedModel, Workspace, list[Event]]:
    model, workspace = ScriptedModel(turns), Workspace.open(into)
    events: list[Event] = []
    builder = Builder(workspace, model, Settings(rounds=rounds), events.append)
    return builder.build("add CRUD for tasks"), model, workspace, events


def broken() -> str:
    """Return the sound backend's reply with a file that does not parse."""
    return reply(sound_files() | {ROUTES: BROKEN})


def codes(outcome: Outcome) -> list[str]:
    return [finding.code for finding in outcome.errors]


def test_a_sound_reply_is_accepted_at_once_and_stays_staged(tmp_path: Path) -> None:
    # Text around the files is worth a warning, which blocks nothing.
    text = f"Here it is.\n\n{reply(sound_files())}"
    outcome, model, workspace, _ = build(tmp_path, [says(text)])
    assert (outcome.reason, outcome.errors) == ("", ())
    assert [finding.code for finding in outcome.format_findings] == ["BP101"]
    assert outcome.report.verdict == "pass"
    assert {file.path: file.code for file in workspace.staged} == sound_files()
    assert len(model.prompts) == 1
    assert list(tmp_path.iterdir()) == []


def test_findings_go_back_and_only_changed_files_come_back(tmp_path: Path) -> None:
    mended = reply({ROUTES: sound_files()[ROUTES]})
    outcome, model, workspace, events = build(tmp_path, [says(broken()), says(mended)])
    assert outcome.reason == ""
    assert {file.path: file.code for file in workspace.staged} == sound_files()
    _, answered, complained = model.prompts[1].messages
    assert answered.content == broken()
    assert "backend/routes/tasks.py, line 1: BP201 syntax-error" in complained.content
    assert "| def get_task(:" in complained.content
    assert "Nothing was found in backend/database.py" in complained.content
    assert [event.turn for event in events if isinstance(event, SentBack)] == [1]


def test_what_is_told_to_the_model_holds_no_temporary_path(tmp_path: Path) -> None:
    files = sound_files()
    failing = files | {"backend/main.py": files["backend/main.py"] + "raise OSError(__file__)\n"}
    _, model, _, _ = build(tmp_path, [says(reply(failing)), NO_ANSWER])
    told = model.prompts[1].messages[-1].content
    assert "OSError" in told
    assert tempfile.gettempdir() not in told


def test_when_the_rounds_are_used_up_the_last_findings_are_quoted(tmp_path: Path) -> None:
    outcome, model, _, _ = build(tmp_path, [says(broken())] * 3, rounds=2)
    assert outcome.reason == "The findings are still there after 2 rounds of repair."
    assert codes(outcome) == ["BP201"]
    assert len(model.prompts) == 3
    assert list(tmp_path.iterdir()) == []


def test_without_rounds_nothing_is_sent_back(tmp_path: Path) -> None:
    outcome, model, _, _ = build(tmp_path, [says(broken())], rounds=0)
    assert codes(outcome) == ["BP201"]
    assert len(model.prompts) == 1


def test_a_model_that_cannot_repair_gives_up_with_the_findings(tmp_path: Path) -> None:
    outcome, _, _, _ = build(tmp_path, [says(broken()), NO_ANSWER])
    assert outcome.reason == "The script has ended."
    assert codes(outcome) == ["BP201"]


def test_a_model_that_has_no_answer_at_all_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(NoRepairError):
        build(tmp_path, [NO_ANSWER])


def test_a_reply_that_was_cut_off_is_not_judged_and_the_rest_is_asked_for(tmp_path: Path) -> None:
    files = sound_files()
    first = dict(list(files.items())[:4])
    rest = dict(list(files.items())[4:])
    cut_off = says(reply(first), Finished(output_tokens=1000, stop="length"))
    outcome, model, _, events = build(tmp_path, [cut_off, says(reply(rest))])
    assert outcome.reason == ""
    told = model.prompts[1].messages[-1].content
    assert "BP104 file-cut-off\n   The reply was cut off after 1,000 tokens." in told
    assert told.count(" BP") == 1
    assert all(path in told for path in first)
    checked = [event.report.timings for event in events if isinstance(event, Checked)]
    assert checked[0] == {}


def test_a_reply_that_is_cut_off_every_time_is_out_of_budget(tmp_path: Path) -> None:
    cut_off = says("backend/main.py\n```python\nimport", Finished(output_tokens=9, stop="length"))
    with pytest.raises(ModelError, match="cut off after 9 tokens") as raised:
        build(tmp_path, [cut_off, cut_off], rounds=1)
    assert "max_output_tokens" in raised.value.hint


def test_a_refusal_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="scripted refused"):
        build(tmp_path, [says("I will not.", Finished(stop="refusal"))])


@pytest.mark.parametrize("text", ["", "Shall I?\n"])
def test_a_reply_without_a_file_is_sent_back(tmp_path: Path, text: str) -> None:
    outcome, model, _, _ = build(tmp_path, [says(text), NO_ANSWER])
    assert "BP107" in codes(outcome)
    assert "BP107 no-files" in model.prompts[1].messages[-1].content


def test_a_path_that_leads_outside_is_sent_back(tmp_path: Path) -> None:
    text = reply({ROUTES: BROKEN}) + "\nbackend/../evil.py\n```python\nx = 1\n```\n"
    outcome, _, workspace, _ = build(tmp_path, [says(text), NO_ANSWER])
    assert "BP102" in codes(outcome)
    assert all("evil" not in file.path for file in workspace.staged)


def test_a_link_in_the_backend_that_leads_outside_is_sent_back(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    backend = tmp_path / "project" / "backend"
    backend.mkdir(parents=True)
    (backend / "routes").symlink_to(outside)
    text = reply({ROUTES: "x = 1\n", "backend/broken.py": BROKEN})
    outcome, _, _, _ = build(backend.parent, [says(text), NO_ANSWER])
    assert "BP102" in codes(outcome)
    assert list(outside.iterdir()) == []


def test_what_was_wrong_before_the_build_blocks_too_and_is_marked(tmp_path: Path) -> None:
    backend = tmp_path / "backend"
    backend.mkdir()
    (backend / "old.py").write_text(BROKEN)
    text = reply({"backend/new.py": "def also(:\n"})
    outcome, model, _, _ = build(tmp_path, [says(text), NO_ANSWER])
    broken_paths = {finding.path for finding in outcome.errors if finding.code == "BP201"}
    assert broken_paths == {"old.py", "new.py"}
    known = {finding.path for finding in outcome.known if finding.code == "BP201"}
    assert known == {"old.py"}
    assert "had this before the request" in model.prompts[1].messages[-1].content


def query(verdict: QueryVerdict) -> Query:
    return Query(
        path="routes/tasks.py",
        line=7,
        function="get_task",
        kind="get",
        table_models=("Task",),
        verdict=verdict,
        proof="",
        routes=(),
    )


def test_only_a_backend_that_was_checked_to_the_last_stage_is_proven() -> None:
    static = Report(timings={"syntax": 0.1, "isolation": 0.1})
    assert static.verdict == "pass"
    assert not Outcome(static).is_proven
    assert not Outcome(Report()).is_proven
    assert Outcome(Report(timings={"probes": 0.1})).is_proven


@pytest.mark.parametrize(
    ("verdict", "is_proven"),
    [("isolated", True), ("public", True), ("leak", False), ("unproven", False)],
)
def test_every_query_must_be_proven(verdict: QueryVerdict, *, is_proven: bool) -> None:
    report = Report(timings={"probes": 0.1}, queries=(query(verdict),))
    assert Outcome(report).is_proven == is_proven


def test_a_warning_about_a_query_that_is_not_proven_goes_back_to_the_model() -> None:
    warning = Finding(
        code="BP399",
        name="not-proven",
        severity="warning",
        path="routes/tasks.py",
        line=7,
        column=None,
        message="Not proven.",
        fix="",
    )
    elsewhere = replace(warning, line=8)
    report = Report(
        timings={"probes": 0.1}, queries=(query("unproven"),), findings=(warning, elsewhere)
    )
    assert Outcome(report).errors == (warning,)


def test_what_goes_back_is_told_before_the_model_is_asked_again(tmp_path: Path) -> None:
    _, _, _, events = build(tmp_path, [says(broken()), says(broken())], rounds=1)
    kinds = [type(event) for event in events if isinstance(event, Asked | SentBack | Checked)]
    assert kinds == [Asked, Checked, SentBack, Asked, Checked]


def test_events_tell_the_whole_story_in_order(tmp_path: Path) -> None:
    turn = (Note("Tasks have a title."), Chunk(reply({ROUTES: BROKEN})), Finished(5, 7, 3))
    _, _, _, events = build(tmp_path, [turn, NO_ANSWER])
    kinds = [type(event) for event in events if not type(event).__name__.startswith("Stage")]
    assert kinds == [Asked, Noted, FileArrived, Replied, Checked]
    replied = next(event for event in events if isinstance(event, Replied))
    assert replied == Replied(1, reply({ROUTES: BROKEN}), Finished(5, 7, 3))


def test_what_a_model_said_before_it_failed_is_not_lost(tmp_path: Path) -> None:
    model = ScriptedModel([(Chunk("backend/ma"), ModelError("The connection broke."))])
    events: list[Event] = []
    builder = Builder(Workspace.open(tmp_path), model, Settings(), events.append)
    with pytest.raises(ModelError, match="broke"):
        builder.build("add CRUD for tasks")
    assert events[-1] == Replied(1, "backend/ma", None)


def test_nobody_needs_to_listen(tmp_path: Path) -> None:
    model = ScriptedModel([says(broken()), NO_ANSWER])
    outcome = Builder(Workspace.open(tmp_path), model, Settings()).build("add CRUD for tasks")
    assert codes(outcome) == ["BP201"]
