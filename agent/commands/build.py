"""`backendpro build`: from a request to a verified backend on disk."""

import contextlib
import shlex
import signal
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

from agent import models
from agent.auth import settle
from agent.build import Builder
from agent.build_log import BuildLog
from agent.build_terminal import BuildTerminal
from agent.commands.check import FOUND_ERRORS, PASSED
from agent.errors import InputError, ModelError
from agent.events import Checked, Event
from agent.given import Values
from agent.outcome import Outcome
from agent.paths import ROOT
from agent.reply import render
from agent.running import how_to_run, program
from agent.settings import load_settings
from agent.terminal import Terminal, near
from agent.workspace import Applied, Workspace
from validators.report import Finding
from validators.text import Line, counted, finding_lines, printable, text_lines

Delivery = Literal["apply", "diff", "print"]


def build(request: str, into: Path, options: Values, delivery: Delivery) -> int:
    """Build a request and deliver it; return the exit code.

    Args:
        request: What the developer asks for.
        into: The project's folder, or the backend.
        options: Settings from the command line.
        delivery: `apply` writes the files, `diff` and `print` only show them.

    Raises:
        agent.errors.BackendProError: The build could not be done; nothing is written.
    """
    if not request.strip():
        raise InputError("The request is empty.", 'Say what to build: "add CRUD for tasks".')
    workspace = Workspace.open(into)
    settings = load_settings(workspace.backend, options)
    auth = settle(settings.auth, workspace.files)
    settings = settings.model_copy(update={"auth": auth})
    model = models.choose(settings)
    terminal = BuildTerminal({file.path for file in workspace.files})
    log = BuildLog(request, workspace.backend, settings)

    checked: list[Checked] = []

    def listen(event: Event) -> None:
        log(event)
        terminal(event)
        if isinstance(event, Checked):
            checked.append(event)

    reserved = workspace.reserved() if delivery == "apply" else contextlib.nullcontext()
    with reserved, contextlib.closing(terminal), _logged(log):
        terminal.say(f"Building into {near(workspace.backend)} with {model.name}", "place")
        for note in workspace.notes:
            terminal.say(note, "warning")
        if log.problem:
            terminal.say(f"This build is not logged: {log.problem}", "warning")
        with _told_when_it_ends_early(terminal, checked):
            outcome = Builder(workspace, model, settings, listen).build(request)
        _show_report(terminal, workspace, outcome, delivery)
        if outcome.reason:
            terminal.say(f"Gave up. {outcome.reason} Nothing was written.", "error")
            log.finish("gave up", outcome.reason)
            return FOUND_ERRORS
        _deliver(terminal, log, workspace, settings.app, delivery)
    return PASSED


def _show_report(
    terminal: Terminal, workspace: Workspace, outcome: Outcome, delivery: Delivery
) -> None:
    texts = {file.path: file.code for file in (*workspace.files, *workspace.staged)}

    def read(path: str) -> str:
        return texts.get(f"{ROOT}/{path}", "")

    # Where standard output is for the diff or the files, the report goes beside it.
    show = terminal.show if delivery == "apply" else terminal.show_aside
    show(finding_lines(map(_of_reply, outcome.format_findings), read, terminal.width))
    show(text_lines(outcome.report, read, terminal.width))
    if outcome.known:
        was = "was" if len(outcome.known) == 1 else "were"
        terminal.say(f"{len(outcome.known)} of these {was} there before the build.", "warning")

    _tell_what_is_not_the_models(terminal, outcome)


def _tell_what_is_not_the_models(terminal: Terminal, outcome: Outcome) -> None:
    """Say what was not sent to the model, and what the model holds to be wrong."""
    number = len(outcome.contradicted)
    if number:
        are = "contradicts" if number == 1 else "contradict"
        terminal.say(
            f"{number} of these {are} the isolation proof: one of the two is wrong, and the model "
            "was not told of it.",
            "warning",
        )
    if outcome.disputes:
        disputed = counted(len(outcome.disputes), "finding")
        terminal.say(f"The model disputes {disputed}; that changes no verdict:", "warning")
    for dispute in outcome.disputes:
        terminal.say(f"    {printable(str(dispute))}", "warning")


def _of_reply(finding: Finding) -> Finding:
    # Its line is one of the reply, not of the file that the reply names there.
    return replace(finding, path="reply")


def _deliver(
    terminal: Terminal, log: BuildLog, workspace: Workspace, app: str | None, delivery: Delivery
) -> None:
    match delivery:
        case "print":
            terminal.write(render(workspace.staged))
            log.finish("shown")
        case "diff":
            terminal.write(workspace.diff())
            terminal.say("Nothing was written (dry run).")
            log.finish("shown")
        case "apply":
            with _undisturbed():
                applied = workspace.apply()
            written = (*applied.created, *applied.changed)
            log.finish("applied" if written else "unchanged", written)
            terminal.show(_what_was_written(applied))
            if written:
                terminal.show(_how_to_run(applied.backend, app))


def _what_was_written(applied: Applied) -> Iterator[Line]:
    yield ()
    if not applied.created and not applied.changed:
        yield ((f"{near(applied.backend)} has it all already; nothing was written.", "plain"),)
        return
    parts = [
        f"{counted(len(paths), 'file')} {what}"
        for paths, what in ((applied.created, "created"), (applied.changed, "changed"))
        if paths
    ]
    yield (f"{' and '.join(parts)}", "good"), (f" in {near(applied.backend)}", "plain")


def _how_to_run(backend: Path, app: str | None) -> Iterator[Line]:
    running = how_to_run(backend, app)
    if running is None:
        return
    yield ()
    if running.variables:
        yield ((f"Set, in the environment or in {near(running.folder) / '.env'}:", "plain"),)
        yield from (((f"    {line}", "place"),) for line in running.environment())
    yield (("Run it:", "plain"),)
    yield ((f"    {running.command(near(running.folder))}", "place"),)
    yield (("Take it back:", "plain"),)
    undo = f"{program('backendpro')} undo --into {shlex.quote(str(near(backend)))}"
    yield ((f"    {undo}", "place"),)


@contextlib.contextmanager
def _logged(log: BuildLog) -> Iterator[None]:
    """Write into the log how a build ends that does not end well."""
    try:
        yield
    except (KeyboardInterrupt, SystemExit):
        log.finish("interrupted")
        raise
    except Exception as error:
        log.finish("failed", str(error))
        raise


@contextlib.contextmanager
def _told_when_it_ends_early(terminal: Terminal, checked: Sequence[Checked]) -> Iterator[None]:
    """Tell that nothing was written, and quote the last findings where a repair failed."""
    try:
        yield
    except ModelError:
        if checked:
            last = checked[-1]
            found = (*map(_of_reply, last.format_findings), *last.report.findings)
            errors = [finding for finding in found if finding.severity == "error"]
            terminal.show_aside(finding_lines(errors, lambda _: ""))
        raise
    except (KeyboardInterrupt, SystemExit):
        terminal.say("Interrupted. Nothing was written.", "warning")
        raise


@contextlib.contextmanager
def _undisturbed() -> Iterator[None]:
    """Hold Ctrl-C off for the moment in which files are written."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
