"""From a request, a workspace and findings to the messages that a model gets."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from agent.auth import DEFAULT, Auth
from agent.errors import InputError
from agent.models.base import Message, Prompt
from agent.paths import ROOT
from agent.reply import SourceFile, render
from validators.report import Finding
from validators.rules import all_rules
from validators.rules import reply as reply_rules
from validators.text import counted

_PROBES = "BP6"
_FOLDER = Path(__file__).parent.parent / "prompts"

# About a third of a million tokens; beyond it no model of today answers well.
MAX_EXISTING_CHARACTERS = 1_000_000
MAX_FINDINGS = 30
MAX_FINDINGS_OF_A_RULE = 6
MAX_SENTENCE = 600
MAX_EXCERPT = 200
MAX_EVIDENCE = 12
MAX_EVIDENCE_IN_ALL = 30_000
_NO_EVIDENCE: Mapping[str, object] = {"before": [], "evidence": []}

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
class Again:
    """A finding came back, by the same rule, on the same route, with the same message.

    Attributes:
        before: The finding as it was sent before.
        is_changed: Whether the code that it blames has changed since.
    """

    before: Finding
    is_changed: bool


@dataclass(frozen=True, slots=True)
class Complaint:
    """Why a reply is refused.

    Attributes:
        findings: What must be mended; paths as in a report, relative to the backend.
        sources: The code of the backend's files by their paths as in a reply.
        accepted: Paths as in a reply of files without a finding.
        known: Findings that the backend had before the build.
        again: Findings that were sent before and came back unchanged.
    """

    findings: tuple[Finding, ...]
    sources: Mapping[str, str]
    accepted: tuple[str, ...] = ()
    known: frozenset[Finding] = frozenset()
    again: Mapping[Finding, Again] = field(default_factory=dict)


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
    return replace(
        prompt,
        messages=(*prompt.messages, answered, complained),
        findings=tuple(_most_telling(complaint.findings)),
    )


def repair_message(complaint: Complaint) -> str:
    """Return what the model is told about a refused reply, bounded in size."""
    shown = _most_telling(complaint.findings)
    return _render(
        "repair.md.jinja",
        findings=list(_items(shown, complaint)),
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


def _items(findings: Iterable[Finding], complaint: Complaint) -> Iterator[dict[str, object]]:
    left = MAX_EVIDENCE_IN_ALL
    for finding in findings:
        again = complaint.again.get(finding)
        before = _evidence(again.before) if again is not None and again.is_changed else []
        seen = _evidence(finding)
        left -= sum(map(len, (*before, *seen)))
        evidence = {"before": before, "evidence": seen} if left >= 0 else _NO_EVIDENCE
        yield {**_item(finding, complaint), **evidence}


def _item(finding: Finding, complaint: Complaint) -> dict[str, object]:
    is_probed = finding.code.startswith(_PROBES)
    # The trace of an experiment is what was sent and answered, that of a proof is a way.
    way = (finding.route if is_probed else " → ".join(finding.trace) or finding.route) or ""
    again = complaint.again.get(finding)
    return {
        "place": _place(finding),
        "code": finding.code,
        "name": finding.name,
        "message": _bounded(finding.message, MAX_SENTENCE),
        "way": _bounded(way, MAX_SENTENCE),
        "excerpt": _excerpt(finding, complaint.sources),
        "fix": _bounded(_fix(finding), MAX_SENTENCE),
        "was_known": finding in complaint.known,
        "again": "" if again is None else _again(finding, again),
    }


def _evidence(finding: Finding) -> list[str]:
    """Return what an experiment saw, line by line: request, answer and rows."""
    if not finding.code.startswith(_PROBES):
        return []
    lines = [line for step in finding.trace for line in step.splitlines() if line.strip()]
    shown = [_bounded(line, MAX_SENTENCE) for line in lines[:MAX_EVIDENCE]]
    left = len(lines) - len(shown)
    return [*shown, f"(and {counted(left, 'more line')})"] if left else shown


def _again(finding: Finding, again: Again) -> str:
    what = f"{ROOT}/{finding.path}" if finding.path else "the backend"
    if again.is_changed:
        return f"{what} was changed after this was sent; it was tried again, and still shows."
    return f"This was sent before, and {what} has not changed since."


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
