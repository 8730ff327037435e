"""The loop: ask the model, parse its reply, check the backend, send findings back."""

import time
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import validators
from agent.auth import DEFAULT
from agent.errors import ModelError, NoRepairError
from agent.events import Asked, Checked, FileArrived, Listener, Noted, Replied, SentBack, ignore
from agent.models.base import Chunk, Finished, Model, Note
from agent.paths import ROOT
from agent.prompting import Complaint, first_prompt, repair_prompt
from agent.reply import ReplyParser, SourceFile
from agent.settings import Settings
from agent.workspace import Workspace
from validators.report import Finding, Query, Report
from validators.rules.reply import FILE_CUT_OFF
from validators.text import counted

# The stage in which the backend is checked as it was, to tell old findings from new ones.
BEFORE = "before the build"

_UNPROVEN = ("leak", "unproven")


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a build ended.

    Attributes:
        report: Of the last check; empty where the last reply could not be checked.
        format_findings: What is wrong with the format of the last reply.
        known: Findings of the report that the backend had before the build.
        reason: Why the build gave up; empty where the staged files may be applied.
    """

    report: Report
    format_findings: tuple[Finding, ...] = ()
    known: frozenset[Finding] = frozenset()
    reason: str = ""

    @property
    def errors(self) -> tuple[Finding, ...]:
        """The findings that keep the staged files from being applied.

        To write a query that is not proven would be to guess, whatever its finding is called.
        """
        unproven = {(query.path, query.line) for query in self.unproven}
        found = (*self.format_findings, *self.report.findings)
        return tuple(
            finding
            for finding in found
            if finding.severity == "error" or (finding.path, finding.line) in unproven
        )

    @property
    def unproven(self) -> tuple[Query, ...]:
        """The queries that are not proven to be bound to the signed-in user."""
        return tuple(query for query in self.report.queries if query.verdict in _UNPROVEN)

    @property
    def is_proven(self) -> bool:
        """Whether the backend was checked to the last stage, and nothing is left open."""
        is_complete = "probes" in self.report.timings and self.report.verdict == "pass"
        return is_complete and not self.errors and not self.unproven


@dataclass(frozen=True, slots=True)
class _Reply:
    files: tuple[SourceFile, ...]
    findings: tuple[Finding, ...]
    text: str
    finished: Finished


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
        turn, answer = 1, self.model.answer(prompt)
        while True:
            reply = self._ask(answer, turn)
            outcome = self._judge(reply, turn)
            if outcome.is_proven:
                return outcome
            if turn > self.settings.rounds or not outcome.errors:
                return self._give_up(outcome, reply)
            prompt = repair_prompt(prompt, reply.text, self._complaint(outcome, reply))
            try:
                answer = self.model.answer(prompt)
            except NoRepairError as error:
                return replace(outcome, reason=error.message)
            self.listen(SentBack(turn, outcome.errors))
            turn += 1

    def _ask(self, answer: Iterable[Chunk | Note | Finished], turn: int) -> _Reply:
        """Have the model answer, and parse its reply while it arrives."""
        self.listen(Asked(turn, self.model.name))
        parser = ReplyParser()
        texts: list[str] = []
        files: list[SourceFile] = []
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
                    case Finished():
                        finished = piece
        finally:
            # Whatever goes wrong, the raw reply is paid for and must be kept.
            self.listen(Replied(turn, "".join(texts), finished))
        if finished is None or finished.stop == "refusal":
            raise ModelError(f"{self.model.name} refused the request.", "Word it differently.")
        keep(parser.close())
        return _Reply(tuple(files), parser.findings, "".join(texts), finished)

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
        blamed = {f"{ROOT}/{finding.path}" for finding in outcome.report.findings}
        files = (*self.workspace.files, *self.workspace.staged)
        return Complaint(
            findings=outcome.errors,
            sources={file.path: file.code for file in files},
            accepted=tuple(file.path for file in reply.files if file.path not in blamed),
            known=outcome.known,
        )

    def _give_up(self, outcome: Outcome, reply: _Reply) -> Outcome:
        if reply.finished.stop == "length":
            raise ModelError(
                f"The reply was cut off after {reply.finished.output_tokens:,} tokens.",
                "Ask for less at a time, or raise `max_output_tokens` in [tool.backendpro].",
            )
        if not outcome.errors:
            return replace(outcome, reason="The backend could not be proven safe.")
        rounds = counted(self.settings.rounds, "round")
        return replace(outcome, reason=f"The findings are still there after {rounds} of repair.")


def _with_cut_off(reply: _Reply) -> tuple[Finding, ...]:
    """Return the reply's findings, one of which says that it is not complete."""
    if any(finding.code == FILE_CUT_OFF.code for finding in reply.findings):
        return reply.findings
    message = f"The reply was cut off after {reply.finished.output_tokens:,} tokens."
    return (*reply.findings, FILE_CUT_OFF.finding(message, fix="Send the files that are missing."))
