"""What people see of a build: its events beside the results."""

from collections.abc import Collection

from agent.events import (
    Asked,
    Checked,
    DisputeArrived,
    Event,
    FileArrived,
    Noted,
    Replied,
    SentBack,
)
from agent.models.base import Finished
from agent.terminal import Terminal
from validators import StageFinished, StageStarted
from validators.text import Piece, counted, printable


class BuildTerminal(Terminal):
    """Shows the events of a build too.

    Args:
        existing: Paths, as in a reply, of the files that the backend has already.
    """

    def __init__(self, existing: Collection[str]) -> None:
        super().__init__()
        self._existing = existing

    def __call__(self, event: Event) -> None:
        """Show an event."""
        match event:
            case StageStarted() | StageFinished():
                super().__call__(event)
            case Asked(turn, model):
                again = "" if turn == 1 else f" again (turn {turn})"
                self.progress.wait(f"asking {model}{again}")
            case Noted(text):
                self.say(f"  {printable(text)}")
            case DisputeArrived(dispute):
                self.say(f"  disputes {printable(str(dispute))}", "warning")
            case FileArrived(file):
                sign: Piece = ("~", "warning") if file.path in self._existing else ("+", "good")
                lines = counted(len(file.code.splitlines()), "line")
                self.show_row(sign, file.path.partition("/")[2], lines)
            case SentBack(turn, findings):
                found = counted(len(findings), "finding")
                self.say(f"  {found} to send back (round {turn})", "warning")
            case Replied(_, _, finished):
                self._show_usage(finished)
            case Checked():
                self.progress.stop_waiting()

    def _show_usage(self, finished: Finished | None) -> None:
        self.progress.stop_waiting()
        # Only a model that charges for tokens counts them.
        if finished is not None and finished.output_tokens:
            cached = f", {finished.cached_tokens:,} cached" if finished.cached_tokens else ""
            usage = f"{finished.input_tokens:,} tokens in{cached}, {finished.output_tokens:,} out"
            self.say(f"  {usage}", "quiet")
