"""A build or undo that is killed, at any change to the file system, loses nothing."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from agent.workspace import Workspace, undo
from tests.agent.workspace_child import apply_reply
from tests.agent.workspace_folders import Snapshot, build, child, reply_files, snapshot

# Ten files: five replace files of d01 and five are new, in two new folders.
FILES = {
    "backend/models.py",
    "backend/main.py",
    "backend/database.py",
    "backend/routes/tasks.py",
    "backend/schemas/task.py",
    "backend/agents/__init__.py",
    "backend/agents/due_date.py",
    "backend/agents/limits/__init__.py",
    "backend/agents/limits/window.py",
    "backend/routes/agents.py",
}


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Path]:
    """A folder in memory where there is one: forcing thousands of files to a disk is slow.

    A killed process loses nothing that the system has taken, so the kind of disk says nothing.
    """
    memory = Path("/dev/shm")  # noqa: S108  # a folder of its own is made in it
    if not os.access(memory, os.W_OK):
        yield tmp_path
        return
    with TemporaryDirectory(dir=memory, prefix="backendpro-test-") as folder:
        yield Path(folder)


@pytest.fixture
def template(place: Path) -> Path:
    """A folder with a backend (`app`) and the reply of a ten-file change to it."""
    folder = place / "template"
    folder.mkdir()
    build(folder / "app", *reply_files("d01-task-crud"))
    # History that is not the killed build's own.
    shutil.rmtree(folder / "app" / ".backendpro")
    blocks = [f"{path}\n```python\n# new {path}\n```\n" for path in sorted(FILES)]
    (folder / "reply.md").write_text("\n".join(blocks))
    return folder


@pytest.fixture
def cases(place: Path) -> Path:
    folder = place / "cases"
    folder.mkdir()
    return folder


def states(template: Path) -> tuple[Snapshot, Snapshot]:
    """Return the backend before and after the change."""
    app = template.parent / "reference" / "app"
    shutil.copytree(template, app.parent)
    before = snapshot(app)
    apply_reply(app)
    after = snapshot(app)
    changed = {name for name in after if before.get(name) != after[name] and after[name][1]}
    assert {f"backend/{name.removeprefix('backend/')}" for name in changed} == FILES
    shutil.rmtree(app.parent)
    return before, after


def reopened(app: Path) -> Snapshot:
    """Start anew and return what is there then."""
    Workspace.open(app)
    builds = app / ".backendpro" / "builds"
    assert [path.name for path in builds.glob("*") if path.suffix != ".applied"] == []
    return snapshot(app)


def test_a_killed_build_leaves_the_old_state_or_is_finished(template: Path, cases: Path) -> None:
    before, after = states(template)
    child("kill:apply:1", template, cases)
    seen = []
    for case in sorted(cases.iterdir()):
        app = case / "app"
        seen.append(reopened(app))
        assert seen[-1] in (before, after)
        if seen[-1] == before:
            apply_reply(app)
        assert snapshot(app) == after
        undo(app)
        assert snapshot(app) == before
    assert len(seen) > 40
    assert seen[0] == before
    # It is finished from one moment on, not now and then.
    assert seen == sorted(seen, key=lambda state: state == after)


def test_a_killed_undo_leaves_the_new_state_or_is_finished(template: Path, cases: Path) -> None:
    before, after = states(template)
    apply_reply(template / "app")
    child("kill:undo:1", template, cases)
    seen = []
    for case in sorted(cases.iterdir()):
        app = case / "app"
        seen.append(reopened(app))
        assert seen[-1] in (before, after)
        if seen[-1] == after:
            undo(app)
        assert snapshot(app) == before
    assert len(seen) > 20
    assert seen == sorted(seen, key=lambda state: state == before)


@pytest.mark.parametrize("action", ["apply", "undo"])
def test_a_killed_recovery_is_recovered_from(template: Path, cases: Path, action: str) -> None:
    before, after = states(template)
    if action == "undo":
        apply_reply(template / "app")
    child(f"kill:{action}:17", template, cases)
    for case in sorted(cases.iterdir()):
        again = cases / f"{case.name}-again"
        again.mkdir()
        child("kill:open:4", case, again)
        for second in sorted(again.iterdir()):
            assert reopened(second / "app") in (before, after)


def test_what_was_edited_after_the_kill_is_left_and_named(template: Path, cases: Path) -> None:
    child("kill:apply:4", template, cases)
    _, after = states(template)
    edited = 0
    for case in sorted(cases.iterdir()):
        main = case / "app" / "backend" / "main.py"
        builds = case / "app" / ".backendpro" / "builds"
        is_begun = any(path.name.endswith("applying") for path in builds.glob("*"))
        if not is_begun or main.read_text().startswith("# new"):
            continue
        edited += 1
        main.write_text("EDITED = 1\n")
        notes = Workspace.open(case / "app").notes
        assert any("backend/main.py" in note for note in notes)
        assert main.read_text() == "EDITED = 1\n"
        finished = snapshot(case / "app")
        assert {name for name in after if finished[name] != after[name]} == {"backend/main.py"}
    assert edited > 2
