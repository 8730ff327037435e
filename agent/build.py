"""The loop: ask the model, parse its reply, check the backend, send findings back."""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

import validators
from agent.auth import DEFAULT
from agent.disputes import Dispute
from agent.errors import ModelError, NoRepairError
from agent.events import (
    Asked,
    Checked,
    DisputeArrived,
    FileArrived,
    Listener,
    Noted,
    Replied,
    SentBack,
    ignore,
)
from agent.models.base import Chunk, Disputed, Finished, Model, Note, Piece, Prompt
from agent.outcome import Outcome
from agent.paths import ROOT
from agent.prompting import Again, Complaint, first_prompt, repair_prompt
from agent.reply import ReplyParser, SourceFile
from agent.settings import Settings
from agent.workspace import Workspace
from validators.recurrence import recurring
from validators.report import Finding, Report
from validators.rules.reply import FILE_CUT_OFF
from validators.text import counted

# The stage in which the backend is checked as it was, to tell old findings from new ones.
BEFORE = "before the build"

CONTRADICTED = (
    "What is left contradicts the isolation proof. That is for BackendPro to explain and not for "
    "the model to mend, so it was not sent back; please report it."
)


@dataclass(frozen=True, slots=True)
class _Reply:
    files: tuple[SourceFile, ...]
    findings: tuple[Finding, ...]
    text: str
    finished: Finished
    disputed: frozenset[Finding] = frozenset()


@dataclass(frozen=True, slots=True)
class _Sent:
    """The report whose findings were sent back, and the code that it is about, by path."""

    report: Report = field(default_factory=Report)
    code: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Builder:
    """Builds one request into a workspace, staged and checked but not applied.

    Attributes:
        workspace: The backend; accepted files are left staged in it.
        model: Whoever answers.
        settings: `rounds` tells how often findings go back to the model.
        listen: Called with every event.
    """

    workspace: Workspace
    model: Model
    settings: Settings
    listen: Listener = ignore
    _baseline: Report | None = field(default=None, init=False)
    _sent: _Sent = field(default_factory=_Sent, init=False)
    _disputes: list[Dispute] = field(default_factory=list, init=False)

    def build(self, request: str) -> Outcome:
        """Have the model answer until the check passes or the rounds are used up.

        Returns:
            An outcome without a reason, or one that gave up; then nothing may be applied.

        Raises:
            agent.errors.ModelError: The model could not be reached, refused, or was cut off.
            agent.errors.InputError: The request or the backend cannot be used.
        """
        prompt = first_prompt(
            request,
            self.workspace.files,
            self.settings.user_id,
            self.settings.auth or DEFAULT,
        )
        outcome = self._rounds(prompt)
        return replace(outcome, disputes=tuple(self._disputes))

    def _rounds(self, prompt: Prompt) -> Outcome:
        """Ask, check and send back until nothing is left, or nothing that a model can mend."""
        turn, answer, outcome = 1, self.model.answer(prompt), Outcome(Report())
        while True:
            reply = self._ask(answer, turn)
            if _only_disputes(prompt, reply):
                return replace(outcome, reason="The model disputes the findings, and mends none.")
            outcome = self._judge(reply, turn)
            if outcome.is_proven:
                return outcome
            if turn > self.settings.rounds or not outcome.to_mend:
                return self._give_up(outcome, reply)
            prompt = repair_prompt(prompt, reply.text, self._complaint(outcome, reply))
            try:
                answer = self.model.answer(prompt)
            except NoRepairError as error:
                return replace(outcome, reason=error.message)
            self.listen(SentBack(turn, outcome.to_mend))
            turn += 1

    def _ask(self, answer: Iterable[Piece], turn: int) -> _Reply:
        """Have the model answer, and parse its reply while it arrives."""
        self.listen(Asked(turn, self.model.name))
        parser = ReplyParser()
        texts: list[str] = []
        files: list[SourceFile] = []
        disputed: set[Finding] = set()
        finished: Finished | None = None

        def keep(arrived: list[SourceFile]) -> None:
            for file in arrived:
                files.append(file)
                self.listen(FileArrived(file))

        try:
            for piece in answer:
                match piece:
                    case Chunk(text):
                        texts.append(text)
                        keep(parser.feed(text))
                    case Note(text):
                        self.listen(Noted(text))
                    case Disputed(finding, reason):
                        disputed.add(finding)
                        self._dispute(Dispute.of(finding, reason, turn))
                    case Finished():
                        finished = piece
        finally:
            # Whatever goes wrong, the raw reply is paid for and must be kept.
            self.listen(Replied(turn, "".join(texts), finished))
        if finished is None or finished.stop == "refusal":
            raise ModelError(f"{self.model.name} refused the request.", "Word it differently.")
        keep(parser.close())
        text = "".join(texts)
        return _Reply(tuple(files), parser.findings, text, finished, frozenset(disputed))

    def _dispute(self, dispute: Dispute) -> None:
        self._disputes.append(dispute)
        self.listen(DisputeArrived(dispute))

    def _judge(self, reply: _Reply, turn: int) -> Outcome:
        """Stage the reply's files and check the backend with them."""
        format_findings = reply.findings
        if reply.finished.stop == "length":
            format_findings = _with_cut_off(reply)
        format_findings += self.workspace.stage(reply.files)
        report = Report()
        # Half a reply, or none, would only be reported for what is not there yet.
        if reply.files and reply.finished.stop != "length":
            report = self._check()
        outcome = Outcome(report, format_findings, self._known(report))
        self.listen(Checked(turn, format_findings, report, outcome.known))
        return outcome

    def _check(self) -> Report:
        with self.workspace.materialized() as folder:
            return validators.check(folder, self.settings.check_options(), self.listen)

    def _known(self, report: Report) -> frozenset[Finding]:
        """Return the findings that the backend had before the build, lines aside."""
        if report.verdict == "pass" or not self.workspace.files:
            return frozenset()
        if self._baseline is None:
            self._baseline = self._check_before()
        before = {(known.code, known.path, known.message) for known in self._baseline.findings}
        return frozenset(
            finding
            for finding in report.findings
            if (finding.code, finding.path, finding.message) in before
        )

    def _check_before(self) -> Report:
        """Check the backend as it is on disk, as one stage."""
        self.listen(validators.StageStarted(BEFORE))
        started = time.perf_counter()
        report = validators.check(self.workspace.backend, self.settings.check_options())
        seconds = time.perf_counter() - started
        self.listen(validators.StageFinished(BEFORE, seconds, len(report.findings)))
        return report

    def _complaint(self, outcome: Outcome, reply: _Reply) -> Complaint:
        ours = frozenset(outcome.contradicted)
        blamed = {f"{ROOT}/{each.path}" for each in outcome.report.findings if each not in ours}
        files = (*self.workspace.files, *self.workspace.staged)
        code = {file.path: file.code for file in files}
        # What was staged before was checked again only where there is a report.
        judged = self.workspace.staged if outcome.report.timings else reply.files
        complaint = Complaint(
            findings=outcome.to_mend,
            sources=code,
            accepted=tuple(file.path for file in judged if file.path not in blamed),
            known=outcome.known,
            again=self._again(outcome.report, code),
        )
        if outcome.report.timings:
            self._sent = _Sent(outcome.report, code)
        return complaint

    def _again(self, report: Report, code: Mapping[str, str]) -> dict[Finding, Again]:
        """Return what came back although it was sent, and whether its code changed since."""
        return {
            finding: Again(before, _is_changed(finding, self._sent.code, code))
            for finding, before in recurring(self._sent.report, report).items()
        }

    def _give_up(self, outcome: Outcome, reply: _Reply) -> Outcome:
        if reply.finished.stop == "length":
            raise ModelError(
                f"The reply was cut off after {reply.finished.output_tokens:,} tokens.",
                "Ask for less at a time, or raise `max_output_tokens` in [tool.backendpro].",
            )
        if not outcome.errors:
            return replace(outcome, reason="The backend could not be proven safe.")
        if not outcome.to_mend:
            return replace(outcome, reason=CONTRADICTED)
        rounds = counted(self.settings.rounds, "round")
        return replace(outcome, reason=f"The findings are still there after {rounds} of repair.")


def _only_disputes(prompt: Prompt, reply: _Reply) -> bool:
    """Tell whether a reply disputes all that was sent, and holds nothing else."""
    is_empty = not reply.text.strip() and reply.finished.stop == "end"
    return is_empty and bool(prompt.findings) and reply.disputed >= set(prompt.findings)


def _is_changed(finding: Finding, before: Mapping[str, str], now: Mapping[str, str]) -> bool:
    """Tell whether the file that a finding blames has changed, or any where it blames none."""
    path = f"{ROOT}/{finding.path}"
    return before.get(path) != now.get(path) if finding.path else before != now


def _with_cut_off(reply: _Reply) -> tuple[Finding, ...]:
    """Return the reply's findings, one of which says that it is not complete."""
    if any(finding.code == FILE_CUT_OFF.code for finding in reply.findings):
        return reply.findings
    message = f"The reply was cut off after {reply.finished.output_tokens:,} tokens."
    return (*reply.findings, FILE_CUT_OFF.finding(message, fix="Send the files that are missing."))
