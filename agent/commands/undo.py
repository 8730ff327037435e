"""`backendpro undo`: takes the last build back."""

from pathlib import Path

from agent import workspace
from agent.terminal import Terminal


def undo(into: Path) -> int:
    """Take the last build of a folder back, and tell what that has done.

    Raises:
        agent.errors.InputError: There is no build, or a file of it has been edited since.
    """
    undone = workspace.undo(into)
    terminal = Terminal()
    terminal.show([((f"restored {path}", "plain"),) for path in undone.restored])
    terminal.show([((f"removed {path}", "plain"),) for path in undone.removed])
    return 0
