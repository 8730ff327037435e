"""The loop and what it stands behind: contradictions, disputes, findings that come back."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

import validators
from agent.build import CONTRADICTED, Builder
from agent.disputes import Dispute
from agent.errors import NoRepairError
from agent.events import DisputeArrived, Event
from agent.models.base import Disputed, Finished
from agent.outcome import Outcome
from agent.settings import Settings
from agent.workspace import Workspace
from tests.agent.scripted import ScriptedModel, Turn, reply, says
from validators.report import Finding, Report

Scripted = Callable[..., tuple[Outcome, ScriptedModel, list[Event]]]
ROUTE = "GET /api/tasks/{task_id}"
FILE = "backend/routes/tasks.py"
FIRST, SECOND = reply({FILE: "x = 1\n"}), reply({FILE: "x = 2\n"})
OTHER = reply({"backend/main.py": "x = 3\n"})
NO_ANSWER = (NoRepairError("The script has ended."),)

LEAK = Finding(
    code="BP603",
    name="intruder-reads",
    severity="error",
    path="routes/tasks.py",
    line=1,
    column=None,
    message="The intruder reads a task of the owner.",
    fix="Compare the owner.",
    route=ROUTE,
    trace=("GET /api/tasks/1 as the intruder", "200 {'id': 1, 'user_id': 'owner'}"),
)
CONTRADICTION = replace(
    LEAK,
    code="BP617",
    name="probe-contradicts-proof",
    message=f"The probes catch a leak on GET /api/tasks, {ROUTE}, although the query here was "
    "proven isolated.",
    route="GET /api/tasks",
)
HINT = replace(LEAK, code="BP201", name="syntax-error", message="It is broken.", route=None)


def report(*findings: Finding) -> Report:
    return Report(findings=findings, timings={"syntax": 0.1, "isolation": 0.1, "probes": 0.1})


@pytest.fixture
def build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scripted:
    """Build with a script of replies, each judged by the report beside it."""

    def run(
        turns: Sequence[Turn], reports: Sequence[Report], rounds: int = 3
    ) -> tuple[Outcome, ScriptedModel, list[Event]]:
        left, events = list(reports), list[Event]()
        monkeypatch.setattr(validators, "check", lambda *_: left.pop(0))
        model = ScriptedModel(turns)
        builder = Builder(Workspace.open(tmp_path), model, Settings(rounds=rounds), events.append)
        return builder.build("add CRUD for tasks"), model, events

    return run


def told(model: ScriptedModel, turn: int) -> str:
    """Return the message that opened a turn."""
    return model.prompts[turn - 1].messages[-1].content


# Contradictions.


def test_what_contradicts_the_proof_ends_the_build_and_is_not_sent(build: Scripted) -> None:
    outcome, model, _ = build([says(FIRST)], [report(LEAK, CONTRADICTION)])
    assert outcome.reason == CONTRADICTED
    assert outcome.contradicted == (LEAK, CONTRADICTION)
    assert not outcome.is_proven
    assert len(model.prompts) == 1


def test_what_else_is_wrong_is_sent_alone(build: Scripted) -> None:
    outcome, model, _ = build([says(FIRST), NO_ANSWER], [report(HINT, LEAK, CONTRADICTION)])
    assert outcome.to_mend == (HINT,)
    assert "BP201" in told(model, 2)
    assert "BP6" not in told(model, 2)
    assert model.prompts[1].findings == (HINT,)


@pytest.mark.parametrize("code", ["BP603", "BP604", "BP606", "BP607", "BP616"])
def test_every_leak_on_a_named_route_is_ours(code: str) -> None:
    leak = replace(LEAK, code=code)
    assert leak in Outcome(report(leak, CONTRADICTION)).contradicted


@pytest.mark.parametrize(
    "other",
    [replace(LEAK, route="GET /api/tasks/{task_id}/notes"), replace(LEAK, code="BP605")],
    ids=["on a route that is not named", "of another kind"],
)
def test_other_findings_stay_the_models(other: Finding) -> None:
    assert Outcome(report(other, CONTRADICTION)).to_mend == (other,)


def test_without_a_contradiction_a_leak_is_sent(build: Scripted) -> None:
    _, model, _ = build([says(FIRST), NO_ANSWER], [report(LEAK)])
    assert "BP603 intruder-reads" in told(model, 2)
    assert "     200 {'id': 1, 'user_id': 'owner'}" in told(model, 2)


# What comes back.


def test_a_finding_that_comes_back_after_a_change_says_so_with_both_answers(
    build: Scripted,
) -> None:
    again = replace(LEAK, line=7, trace=(LEAK.trace[0], "200 {'id': 1, 'user_id': 'other'}"))
    turns = [says(FIRST), says(SECOND), NO_ANSWER]
    _, model, _ = build(turns, [report(LEAK), report(again)])
    message = told(model, 3)
    assert f"{FILE} was changed after this was sent; it was tried again" in message
    before, _, after = message.partition("After it:")
    assert LEAK.trace[1] in before
    assert again.trace[1] in after


def test_a_finding_whose_file_did_not_change_says_that(build: Scripted) -> None:
    turns = [says(FIRST), says(OTHER), NO_ANSWER]
    _, model, _ = build(turns, [report(LEAK), report(LEAK)])
    assert f"This was sent before, and {FILE} has not changed since." in told(model, 3)


def test_answers_that_are_the_same_are_shown_once(build: Scripted) -> None:
    turns = [says(FIRST), says(SECOND), NO_ANSWER]
    _, model, _ = build(turns, [report(LEAK), report(LEAK)])
    assert "The answers are the same as before:" in told(model, 3)
    assert told(model, 3).count(LEAK.trace[1]) == 1


@pytest.mark.parametrize(
    "other",
    [replace(LEAK, message="Another."), replace(LEAK, route="GET /x"), replace(LEAK, code="BP605")],
    ids=["message", "route", "rule"],
)
def test_another_finding_did_not_come_back(build: Scripted, other: Finding) -> None:
    turns = [says(FIRST), says(SECOND), NO_ANSWER]
    _, model, _ = build(turns, [report(LEAK), report(other)])
    assert "was sent" not in told(model, 3)


def test_files_that_were_accepted_rounds_ago_are_not_asked_for(build: Scripted) -> None:
    turns = [says(FIRST + OTHER), says(SECOND), NO_ANSWER]
    _, model, _ = build(turns, [report(LEAK), report(LEAK)])
    assert "Nothing was found in backend/main.py." in told(model, 3)


# Disputes.


def test_a_dispute_is_kept_and_changes_no_verdict(build: Scripted) -> None:
    disputing = (Disputed(LEAK, "Tasks are shared."), *says(SECOND))
    outcome, _, events = build([says(FIRST), disputing], [report(LEAK)] * 2, rounds=1)
    dispute = Dispute("BP603", "routes/tasks.py:1", ROUTE, "Tasks are shared.", 1)
    assert outcome.disputes == (dispute,)
    assert DisputeArrived(dispute) in events
    assert outcome.errors == (LEAK,)
    assert outcome.reason == "The findings are still there after 1 round of repair."


def test_a_dispute_is_kept_where_the_build_succeeds(build: Scripted) -> None:
    disputing = (Disputed(LEAK, "Tasks are shared."), *says(SECOND))
    outcome, _, _ = build([says(FIRST), disputing], [report(LEAK), report()])
    assert outcome.reason == ""
    assert [dispute.reason for dispute in outcome.disputes] == ["Tasks are shared."]


def test_a_model_that_only_disputes_ends_the_build_with_what_was_found(build: Scripted) -> None:
    disputing = (Disputed(LEAK, "Tasks are shared."), Finished())
    outcome, model, _ = build([says(FIRST), disputing], [report(LEAK)])
    assert outcome.reason == "The model disputes the findings, and mends none."
    assert outcome.errors == (LEAK,)
    assert len(model.prompts) == 2


def test_a_model_that_disputes_one_of_two_findings_is_asked_for_the_other(
    build: Scripted,
) -> None:
    disputing = (Disputed(LEAK, "Tasks are shared."), Finished())
    _, model, _ = build([says(FIRST), disputing, NO_ANSWER], [report(LEAK, HINT)])
    assert "BP107 no-files" in told(model, 3)
