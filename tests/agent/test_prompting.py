"""The words sent to a model."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agent import prompting
from agent.errors import InputError
from agent.models.base import Message
from agent.prompting import (
    Again,
    Complaint,
    first_prompt,
    repair_message,
    repair_prompt,
    system_prompt,
)
from agent.reply import SourceFile, parse
from validators.report import Finding
from validators.rules import all_rules

GOLDEN = Path(__file__).parent / "golden"

ROUTES = '''"""Routes for tasks."""

from fastapi import APIRouter

router = APIRouter(prefix="/api/tasks")


@router.get("/{task_id}")
def get_task(task_id: int, session: Session = Depends(get_db)) -> Task:
    task = session.get(Task, task_id)
    return task
'''


def finding(**changes: Any) -> Finding:
    usual: dict[str, Any] = {
        "code": "BP301",
        "name": "query-leaks",
        "severity": "error",
        "path": "routes/tasks.py",
        "line": 10,
        "column": 12,
        "message": "`session.get(Task, task_id)` returns a row whoever asks.",
        "fix": "Select with `Task.user_id == current_user.id` as well.",
    }
    return Finding(**(usual | changes))


def complaint(*findings: Finding, **others: object) -> Complaint:
    usual: dict[str, object] = {"sources": {"backend/routes/tasks.py": ROUTES}}
    return Complaint(findings=findings, **(usual | others))  # type: ignore[arg-type]  # a test's shorthand


def test_the_system_prompt_tells_every_rule_that_a_model_can_keep() -> None:
    prompt = system_prompt()
    for rule in all_rules().values():
        assert (f"{rule.code} {rule.name}: {rule.instruction}" in prompt) == bool(rule.instruction)


@pytest.mark.parametrize(
    ("user_id", "annotation"), [("text", "`str`"), ("int", "`int`"), ("uuid", "`uuid.UUID`")]
)
def test_the_system_prompt_tells_the_type_of_the_users_id(user_id: str, annotation: str) -> None:
    assert f"`user_id` are {annotation}" in system_prompt(user_id)


def test_the_system_prompt_is_the_same_every_time() -> None:
    # The provider caches it by its exact text.
    assert system_prompt() == system_prompt()


def test_a_new_backend_is_asked_for_in_the_developers_words() -> None:
    prompt = first_prompt("add CRUD for tasks", (), "text")
    assert prompt.messages == (Message("user", "add CRUD for tasks\n"),)
    assert prompt.request == "add CRUD for tasks"


def test_an_existing_backend_is_shown_in_the_reply_format() -> None:
    files = (
        SourceFile("backend/main.py", "app = FastAPI()\n"),
        SourceFile("backend/routes/tasks.py", '"""\n```\n"""\n'),
    )
    content = first_prompt("add comments", files, "text").messages[0].content
    before, shown = content.split("The backend so far:\n\n")
    shown, after = shown.split("\n\nChange it as follows")
    assert before == ""
    assert parse(shown + "\n").files == files
    assert after.endswith("\nadd comments\n")


def test_template_marks_in_a_request_stay_as_they_are() -> None:
    request = "greet with {{ name }} and {% if x %}"
    assert first_prompt(request, (), "text").messages[0].content == f"{request}\n"


def test_a_backend_too_large_to_be_shown_is_refused() -> None:
    size = prompting.MAX_EXISTING_CHARACTERS
    file = SourceFile("backend/data.py", "#" * (size + 1))
    with pytest.raises(InputError, match=f"{size + 1:,} characters"):
        first_prompt("add comments", (file,), "text")


def test_a_repair_follows_the_refused_reply() -> None:
    opening = first_prompt("add CRUD for tasks", (), "text")
    repair = repair_prompt(opening, "backend/main.py\n", complaint(finding()))
    assert [message.role for message in repair.messages] == ["user", "assistant", "user"]
    assert repair.messages[0] == opening.messages[0]
    assert repair.messages[1].content == "backend/main.py\n"
    assert repair.system == opening.system


def test_an_empty_reply_still_makes_a_turn() -> None:
    # The Messages API refuses an empty message.
    repair = repair_prompt(first_prompt("x", (), "text"), " \n", complaint(finding()))
    assert repair.messages[1].content == "(an empty answer)"


def test_the_repair_message_reads_as_agreed() -> None:
    syntax = finding(
        code="BP201",
        name="syntax-error",
        path="schemas/task.py",
        line=3,
        message="'(' was never closed.",
        fix="Close it.",
        route=None,
    )
    leak = finding(route="GET /api/tasks/{task_id}", trace=("GET /api/tasks/{task_id}", "get_task"))
    boot = finding(
        code="BP501",
        name="start-fails",
        path="",
        line=None,
        column=None,
        message="The app does not start: DATABASE_URL is not set.",
        fix="",
    )
    read = finding(
        code="BP603",
        name="intruder-reads",
        line=10,
        message="The intruder reads a task of the owner.",
        fix="Compare the owner.",
        route="GET /api/tasks/{task_id}",
        trace=(
            "the intruder sends GET /api/tasks/1",
            "200 {'id': 1,\n 'title': 'mark'}",
        ),
    )
    broken_format = finding(
        code="BP103",
        name="code-without-path",
        path="",
        line=41,
        message="A block of code has no path in front of it.",
        fix="Write the file's path on the line before the fence.",
    )
    message = repair_message(
        complaint(
            broken_format,
            syntax,
            leak,
            boot,
            read,
            sources={
                "backend/routes/tasks.py": ROUTES,
                "backend/schemas/task.py": "from pydantic import BaseModel\n\nx = (\n",
            },
            accepted=("backend/main.py", "backend/models.py"),
            known=frozenset({syntax}),
            again={
                leak: Again(leak, is_changed=False),
                read: Again(replace(read, trace=("200 {'id': 1}",)), is_changed=True),
            },
        )
    )
    assert message == (GOLDEN / "repair.txt").read_text()


def test_the_repair_message_has_a_limit() -> None:
    many = [finding(line=number, message="m" * 5_000, fix="f" * 5_000) for number in range(1, 500)]
    other = finding(code="BP401", name="placeholder", message="A placeholder.")
    message = repair_message(complaint(*many, other))
    assert len(message) < 20_000
    assert "500 findings:" in message
    assert f"{500 - prompting.MAX_FINDINGS_OF_A_RULE - 1} more" in message
    assert "BP401 placeholder" in message


def test_what_experiments_saw_is_shown_as_far_as_there_is_room() -> None:
    # Lines of a trace and what all traces hold together are bounded.
    many = [
        finding(
            code=f"BP6{code:02}", line=number, trace=("t" * 5_000, *(f"row {n}" for n in range(99)))
        )
        for code in range(10)
        for number in range(1, 7)
    ]
    again = {each: Again(each, is_changed=True) for each in many}
    message = repair_message(complaint(*many, again=again))
    assert "     row 10\n     (and 88 more lines)" in message
    assert len(message) < 80_000
    assert repair_message(complaint(*many, again=again)) == message


def test_a_repair_names_the_findings_that_may_be_disputed() -> None:
    shown, more = finding(), finding(line=11)
    opening = first_prompt("add CRUD for tasks", (), "text")
    assert opening.findings == ()
    assert repair_prompt(opening, "", complaint(shown, more)).findings == (shown, more)


def test_a_line_that_is_not_there_has_no_excerpt() -> None:
    message = repair_message(complaint(finding(line=999)))
    assert "routes/tasks.py, line 999" in message
    assert "   | " not in message
