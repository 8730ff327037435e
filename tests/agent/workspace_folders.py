"""Folders and children for the specifications of the workspace."""

import subprocess
import sys
from pathlib import Path

from agent.reply import SourceFile, parse
from agent.workspace import Applied, Workspace

REPLIES = Path(__file__).parents[2] / "fixtures" / "replies"
CHILD = Path(__file__).parent / "workspace_child.py"

Snapshot = dict[str, tuple[int, bytes | str]]


def reply_files(name: str) -> tuple[SourceFile, ...]:
    """Return the files of a recorded reply."""
    return parse((REPLIES / f"{name}.md").read_text()).files


def write(root: Path, **texts: str) -> None:
    """Write text files; `routes__tasks` stands for `routes/tasks.py`."""
    for name, text in texts.items():
        path = root / f"{name.replace('__', '/')}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def snapshot(root: Path) -> Snapshot:
    """Return every entry below a folder, with mode and content, but for the journal."""
    found: Snapshot = {}
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root).as_posix()
        if name.split("/")[0] == ".backendpro":
            continue
        if path.is_symlink():
            found[name] = (0, str(path.readlink()))
        else:
            found[name] = (path.stat().st_mode, path.read_bytes() if path.is_file() else "")
    return found


def build(into: Path, *files: SourceFile) -> Applied:
    """Open, stage and apply."""
    workspace = Workspace.open(into)
    assert workspace.stage(files) == ()
    return workspace.apply()


def child(command: str, *paths: Path) -> str:
    """Run a command of `workspace_child.py` to its end and return its output."""
    done = subprocess.run(
        [sys.executable, str(CHILD), command, *map(str, paths)],
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
