"""From a request, a workspace and findings to the messages that a model gets."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from agent.auth import DEFAULT, Auth
from agent.errors import InputError
from agent.models.base import Message, Prompt
from agent.reply import SourceFile, render
from validators.report import Finding
from validators.rules import all_rules
from validators.rules import reply as reply_rules

_FOLDER = Path(__file__).parent.parent / "prompts"

# About a third of a million tokens; beyond it no model of today answers well.
MAX_EXISTING_CHARACTERS = 1_000_000
MAX_FINDINGS = 30
MAX_FINDINGS_OF_A_RULE = 6
MAX_SENTENCE = 600
MAX_EXCERPT = 200

_USER_ID_NOTES = {
    "text": "`id` is text, so `User.id` and every `user_id` are `str`.",
    "int": (
        "`id` is an integer in this set-up, so `User.id` and every `user_id` are `int`, whatever "
        "the rules below say about text; a subject that is no number is a 401."
    ),
    "uuid": (
        "`id` is a uuid in this set-up, so `User.id` and every `user_id` are `uuid.UUID`, whatever "
        "the rules below say about text; a subject that is no UUID is a 401."
    ),
}

_AUTH_VARIABLES: dict[Auth, str] = {
    "better-auth": "`BETTER_AUTH_URL` or `BETTER_AUTH_SECRET`",
    "better-auth-jwks": "`BETTER_AUTH_URL`",
    "better-auth-secret": "`BETTER_AUTH_SECRET`",
    "own": "`AUTH_SECRET`",
}


@dataclass(frozen=True, slots=True)
class Complaint:
    """Why a reply is refused.

    Attributes:
        findings: What must be mended; paths as in a report, relative to the backend.
        sources: The code of the backend's files by their paths as in a reply.
        accepted: Paths as in a reply of files without a finding.
        known: Findings that the backend had before the build.
    """

    findings: tuple[Finding, ...]
    sources: Mapping[str, str]
    accepted: tuple[str, ...] = ()
    known: frozenset[Finding] = frozenset()


def first_prompt(
    request: str, existing: Sequence[SourceFile], user_id: str, auth: Auth = DEFAULT
) -> Prompt:
    """Return the prompt that opens a build.

    Args:
        request: What the developer asked for.
        existing: The backend's source files, paths as in a reply; empty for a new backend.
        user_id: Type of `User.id`: text, int or uuid.
        auth: How the backend learns who is signed in.

    Raises:
        agent.errors.InputError: The backend is too large to be shown to a model.
    """
    size = sum(len(file.code) for file in existing)
    if size > MAX_EXISTING_CHARACTERS:
        raise InputError(
            f"The backend has {size:,} characters of Python; a model can be shown "
            f"{MAX_EXISTING_CHARACTERS:,}.",
            "Build into the folder of one service.",
        )
    shown = render(existing).strip() if existing else ""
    opening = _render("request.md.jinja", request=request.strip(), existing=shown)
    return Prompt(
        request=request,
        existing=tuple(existing),
        system=system_prompt(user_id, auth),
        messages=(Message("user", opening),),
    )


def system_prompt(user_id: str = "text", auth: Auth = DEFAULT) -> str:
    """Return the system prompt, with the instruction of every rule that a model can keep."""
    rules = [rule for rule in all_rules().values() if rule.instruction]
    return _render(
        "system.md.jinja",
        rules=rules,
        user_id_note=_USER_ID_NOTES[user_id],
        auth=auth,
        variables=_AUTH_VARIABLES[auth],
    )


def repair_prompt(prompt: Prompt, reply: str, complaint: Complaint) -> Prompt:
    """Return the prompt that follows a refused reply.

    Args:
        prompt: The prompt that the reply answered.
        reply: The reply's raw text.
        complaint: Why it is refused.
    """
    answered = Message("assistant", reply if reply.strip() else "(an empty answer)")
    complained = Message("user", repair_message(complaint))
    return replace(prompt, messages=(*prompt.messages, answered, complained))


def repair_message(complaint: Complaint) -> str:
    """Return what the model is told about a refused reply, bounded in size."""
    shown = _most_telling(complaint.findings)
    return _render(
        "repair.md.jinja",
        findings=[_item(finding, complaint) for finding in shown],
        total=len(complaint.findings),
        accepted=complaint.accepted,
    )


def _most_telling(findings: Iterable[Finding]) -> list[Finding]:
    """Return the first few findings of each rule, in their order."""
    shown: list[Finding] = []
    counts: dict[str, int] = {}
    for finding in findings:
        counts[finding.code] = counts.get(finding.code, 0) + 1
        if counts[finding.code] <= MAX_FINDINGS_OF_A_RULE:
            shown.append(finding)
    return shown[:MAX_FINDINGS]


def _item(finding: Finding, complaint: Complaint) -> dict[str, object]:
    way = " → ".join(finding.trace) or finding.route or ""
    return {
        "place": _place(finding),
        "code": finding.code,
        "name": finding.name,
        "message": _bounded(finding.message, MAX_SENTENCE),
        "way": _bounded(way, MAX_SENTENCE),
        "excerpt": _excerpt(finding, complaint.sources),
        "fix": _bounded(_fix(finding), MAX_SENTENCE),
        "was_known": finding in complaint.known,
    }


def _fix(finding: Finding) -> str:
    """Return what to do, with the proven lines where there are some, each as it is pasted."""
    return "\n".join([finding.fix, *(change.code for change in finding.correction)])


def _place(finding: Finding) -> str:
    line = f"line {finding.line}" if finding.line else ""
    if _is_about_format(finding):
        # Its line is one of the answer, not of a file.
        return f"Your answer, {line}:" if line else "Your answer:"
    if not finding.path:
        return "The backend:"
    return f"backend/{finding.path}, {line}:" if line else f"backend/{finding.path}:"


def _is_about_format(finding: Finding) -> bool:
    return finding.code in {rule.code for rule in reply_rules.RULES}


def _excerpt(finding: Finding, sources: Mapping[str, str]) -> str:
    if _is_about_format(finding) or not finding.line:
        return ""
    lines = sources.get(f"backend/{finding.path}", "").split("\n")
    return (
        _bounded(lines[finding.line - 1].strip(), MAX_EXCERPT) if finding.line <= len(lines) else ""
    )


def _bounded(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 1]}…"


def _render(template: str, **values: object) -> str:
    return _environment().get_template(template).render(**values).strip() + "\n"


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(_FOLDER, encoding="utf-8"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,  # noqa: S701  # the templates make plain text for a model, not HTML
    )
