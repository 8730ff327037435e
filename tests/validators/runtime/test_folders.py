"""Temporary folders: whatever is in them, whoever dies, none stays."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from validators.runtime import folders

HOLDING = """
import sys
from pathlib import Path

from validators.runtime import folders

print(folders.make("test", Path(sys.argv[1])), flush=True)
sys.stdin.read()
"""


def nest(folder: Path, depth: int) -> None:
    """Make folders within folders, deeper than any path may be long."""
    start = os.getcwd()  # noqa: PTH109 - the path at the end is too long for a path
    os.chdir(folder)
    for _ in range(depth):
        os.mkdir("d" * 100)  # noqa: PTH102
        os.chdir("d" * 100)
    os.chdir(start)


def start_holding(base: Path) -> tuple[subprocess.Popen[str], Path]:
    """Start a process that makes a folder and waits; return it and the folder."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDING, str(base)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    return process, Path(process.stdout.readline().strip())


def test_a_folder_is_removed_however_deep_it_is(tmp_path: Path) -> None:
    folder = folders.make("test", tmp_path)
    nest(folder, 1200)
    folders.remove(folder)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_is_removed_that_forbids_it(tmp_path: Path) -> None:
    folder = folders.make("test", tmp_path)
    inner = folder / "inner" / "innermost"
    inner.mkdir(parents=True)
    (inner / "file").touch()
    (folder / "inner").chmod(0)
    folders.remove(folder)
    assert list(tmp_path.iterdir()) == []


def test_what_a_link_points_to_stays(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "file").touch()
    folder = folders.make("test", tmp_path)
    (folder / "link").symlink_to(outside)
    (folder / "inner").mkdir()
    (folder / "inner" / "link").symlink_to(outside)
    folders.remove(folder)
    assert list(tmp_path.iterdir()) == [outside]
    assert (outside / "file").exists()


def test_the_folder_of_a_killed_run_is_removed_by_the_next(tmp_path: Path) -> None:
    process, left = start_holding(tmp_path)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert left.exists()
    folder = folders.make("test", tmp_path)
    assert not left.exists()
    folders.remove(folder)


def test_the_folder_of_a_run_that_goes_on_stays(tmp_path: Path) -> None:
    process, held = start_holding(tmp_path)
    folders.remove(folders.make("test", tmp_path))
    assert held.exists()
    process.communicate()
    assert not held.exists()


def test_a_folder_stays_while_anybody_holds_its_lock(tmp_path: Path) -> None:
    folder = folders.make("test", tmp_path)
    guards = os.dup(folders.lock_of(folder))
    folders.leave(folder)
    folders.remove(folders.make("test", tmp_path))
    assert folder.exists()
    os.close(guards)
    folders.remove(folders.make("test", tmp_path))
    assert not folder.exists()
