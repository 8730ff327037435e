"""What happens during a build, as typed events; the terminal and the build log only listen."""

from collections.abc import Callable
from dataclasses import dataclass

from agent.disputes import Dispute
from agent.models.base import Finished
from agent.reply import SourceFile
from validators import StageFinished, StageStarted
from validators.report import Finding, Report


@dataclass(frozen=True, slots=True)
class Asked:
    """The model is asked; turns count from 1."""

    turn: int
    model: str


@dataclass(frozen=True, slots=True)
class Noted:
    """The model says something to people, such as what it assumed."""

    text: str


@dataclass(frozen=True, slots=True)
class DisputeArrived:
    """The model holds a finding to be wrong."""

    dispute: Dispute


@dataclass(frozen=True, slots=True)
class FileArrived:
    """A source file of the reply is complete."""

    file: SourceFile


@dataclass(frozen=True, slots=True)
class Replied:
    """The reply ended: its raw text, and its usage, which is None where the model failed."""

    turn: int
    text: str
    finished: Finished | None


@dataclass(frozen=True, slots=True)
class Checked:
    """The reply was judged: its format, and the backend with it staged.

    `known` holds the findings of the report that the backend had before the build.
    """

    turn: int
    format_findings: tuple[Finding, ...]
    report: Report
    known: frozenset[Finding] = frozenset()


@dataclass(frozen=True, slots=True)
class SentBack:
    """These findings go back to the model."""

    turn: int
    findings: tuple[Finding, ...]


Event = (
    Asked
    | Noted
    | DisputeArrived
    | FileArrived
    | Replied
    | StageStarted
    | StageFinished
    | Checked
    | SentBack
)
Listener = Callable[[Event], None]


def ignore(event: Event) -> None:
    """Listen to nothing."""
    del event
