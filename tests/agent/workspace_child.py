"""A process that builds and comes to harm: killed, tricked or cut short at a chosen moment.

Run by the specifications of the workspace, because what must be survived here (SIGKILL, a
limit of the system, a folder swapped in mid-build) cannot be done to the test's own process.
"""

import os
import resource
import shutil
import signal
import sys
from collections.abc import Callable
from itertools import count
from pathlib import Path

from agent.errors import InputError
from agent.reply import SourceFile, parse
from agent.workspace import Workspace, undo

_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT
_CHANGES = ("os.rename", "os.mkdir", "os.remove", "os.rmdir", "os.utime", "os.chmod", "os.link")

Action = Callable[[Path], None]


def apply_reply(into: Path) -> None:
    """Build what the reply beside the folder says."""
    workspace = Workspace.open(into)
    workspace.stage(parse((into.parent / "reply.md").read_text()).files)
    workspace.apply()


def take_back(into: Path) -> None:
    """Undo the last build."""
    undo(into)


def open_again(into: Path) -> None:
    """Start anew, which mends what was interrupted."""
    Workspace.open(into)


ACTIONS: dict[str, Action] = {"apply": apply_reply, "undo": take_back, "open": open_again}


def on_change(number: int, react: Callable[[], None]) -> None:
    """React right before the n-th change to the file system."""
    changes = count(1)

    def watch(event: str, args: tuple[object, ...]) -> None:
        opens = event == "open" and isinstance(args[2], int) and bool(args[2] & _WRITES)
        if (opens or event in _CHANGES) and next(changes) == number:
            react()

    sys.addaudithook(watch)


def kill_at_changes(action: Action, step: int, template: Path, cases: Path) -> None:
    """Copy the template for each n, and die there before the n-th change, until none is left.

    With a step of 1 that is every change, with a step of 5 every fifth.
    """
    for number in count(1, step):
        case = cases / f"{number:03d}"
        shutil.copytree(template, case)
        process = os.fork()
        if not process:
            on_change(number, lambda: os.kill(os.getpid(), signal.SIGKILL))
            action(case / "app")
            os._exit(0)
        _, status = os.waitpid(process, 0)
        if not os.WIFSIGNALED(status):
            sys.exit(os.waitstatus_to_exitcode(status))


def swap_at_every_change(template: Path, cases: Path) -> None:
    """Like that, but swap the folder `routes` for a link to `outside` in place of dying."""
    for number in count(1):
        case = cases / f"{number:03d}"
        shutil.copytree(template, case)
        process = os.fork()
        if not process:
            swapped: list[Path] = []
            on_change(number, lambda: swapped.append(_swap(case)))  # noqa: B023  # forked
            try:
                apply_reply(case / "app")
            except InputError as error:
                print(error.message)  # noqa: T201
            os._exit(0 if swapped else 3)
        _, status = os.waitpid(process, 0)
        if os.waitstatus_to_exitcode(status):
            return


def _swap(case: Path) -> Path:
    routes = case / "app" / "backend" / "routes"
    (case / "outside").mkdir(exist_ok=True)
    if routes.exists():
        routes.rename(case / "moved")
    routes.symlink_to(case / "outside")
    return routes


def apply_with_small_files(into: Path) -> None:
    """Build where no file may grow beyond 2000 bytes, much as on a full disk."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))
    try:
        apply_reply(into)
    except InputError as error:
        print(error.message)  # noqa: T201


def hold(into: Path) -> None:
    """Keep the folder reserved until the input ends."""
    workspace = Workspace.open(into)
    workspace.stage([SourceFile("backend/main.py", "A = 1\n")])
    with workspace.reserved():
        print("held", flush=True)  # noqa: T201
        sys.stdin.read()


def main(command: str, *names: str) -> None:
    """Run one command."""
    paths = [Path(name) for name in names]
    match command.split(":"):
        case ["kill", action, step]:
            kill_at_changes(ACTIONS[action], int(step), *paths)
        case ["swap"]:
            swap_at_every_change(*paths)
        case ["limit"]:
            apply_with_small_files(*paths)
        case ["hold"]:
            hold(*paths)
        case _:
            sys.exit(f"unknown command {command}")


if __name__ == "__main__":
    main(*sys.argv[1:])
