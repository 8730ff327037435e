"""Runs of the check as processes: killed, and several at once."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil
import pytest

from tests.validators.runtime.backends import leftovers, plain, processes_with
from tests.validators.trees import lay_out
from validators.location import find_app
from validators.runtime import folders, prepare
from validators.runtime.limits import Limits
from validators.runtime.sandbox import Sandbox
from validators.runtime.template import shared_template
from validators.source import load_project

WAITING = """
import sys
from pathlib import Path

from validators.location import find_app
from validators.runtime import prepare
from validators.source import load_project

project = load_project(Path(sys.argv[1]))
location = find_app(project)
assert location is not None
with prepare(project, location) as booting:
    app, findings = booting.start()
    print(app.database.url.partition("host=")[2], app.origin.copy, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def backend(tmp_path: Path) -> Path:
    return lay_out(tmp_path / "backend", plain())


def start(backend: Path) -> tuple[subprocess.Popen[str], list[Path]]:
    """Start a run that waits once its backend has booted; return it and its folders."""
    process = subprocess.Popen(
        [sys.executable, "-c", WAITING, str(backend)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    return process, [Path(part) for part in process.stdout.readline().split()]


def finish(process: subprocess.Popen[str]) -> int:
    process.communicate()
    return process.returncode


def wait_until_gone(folders: list[Path], processes: list[psutil.Process]) -> None:
    for _ in range(500):
        if not any(folder.exists() for folder in folders) and not any(map(is_alive, processes)):
            return
        time.sleep(0.02)
    pytest.fail(f"left: {[f for f in folders if f.exists()]} {[*filter(is_alive, processes)]}")


def wait_until_cleared(base: Path, run: int) -> None:
    for _ in range(500):
        folders.remove(folders.make("test", base))
        left = list(base.glob(f"backendpro-*-{run}-*"))
        if not left:
            return
        time.sleep(0.02)
    pytest.fail(f"left: {left}")


def is_alive(process: psutil.Process) -> bool:
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE


def test_a_run_that_is_killed_leaves_no_process_and_no_folder(backend: Path) -> None:
    process, folders = start(backend)
    started = psutil.Process(process.pid).children(recursive=True)
    assert len(folders) == 2
    assert processes_with(str(folders[0]))
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    wait_until_gone(folders, started)


def test_a_run_that_ends_leaves_no_process_and_no_folder(backend: Path) -> None:
    process, folders = start(backend)
    started = psutil.Process(process.pid).children(recursive=True)
    assert finish(process) == 0
    wait_until_gone(folders, started)


def test_several_runs_at_once_do_not_disturb_each_other(backend: Path) -> None:
    runs = [start(backend) for _ in range(3)]
    assert len({folder for _, folders in runs for folder in folders}) == 6
    assert [finish(process) for process, _ in runs] == [0, 0, 0]


def test_a_child_that_has_ended_leaves_no_folder(backend: Path) -> None:
    sandbox = Sandbox.lay_out(backend, shared_template(), Limits())
    assert list(sandbox.copy.iterdir())
    sandbox.process.order({"no": "order"})
    while not sandbox.process.guarded.is_over:
        time.sleep(0.02)
    sandbox.leave()
    assert leftovers() == []


def interrupt_while_it_starts(backend: Path) -> None:
    project = load_project(backend)
    location = find_app(project)
    assert location is not None
    limits = Limits(boot_seconds=3600, total_seconds=3600)
    with prepare(project, location, limits=limits) as booting:
        booting.start_ahead()
        started = f"backendpro-sandbox-{os.getpid()}-*/home/started"
        while len(list(Path(tempfile.gettempdir()).glob(started))) < 2:
            time.sleep(0.02)
        raise KeyboardInterrupt


def test_whoever_interrupts_a_check_does_not_wait_for_an_app_that_hangs(backend: Path) -> None:
    main = backend / "main.py"
    main.write_text(
        "import pathlib, time\n"
        "(pathlib.Path.home() / 'started').touch()\n"
        "time.sleep(3600)\n" + main.read_text()
    )
    with pytest.raises(KeyboardInterrupt):
        interrupt_while_it_starts(backend)


@pytest.mark.parametrize("stage", ["syntax", "isolation", "boot"])
def test_a_command_that_is_killed_leaves_nothing_that_the_next_does_not_remove(
    backend: Path, stage: str
) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", "from agent.starting import main; main()", "check", str(backend)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    assert any(stage in line for line in process.stderr)
    started = psutil.Process(process.pid).children(recursive=True)
    assert started
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    process.stderr.close()
    wait_until_gone([], started)
    # What the killed run was about to start ends by itself, and the next run clears up.
    for base in (Path(tempfile.gettempdir()), folders.find_fast_base(1)):
        wait_until_cleared(base, process.pid)


def test_a_killed_run_is_no_obstacle_to_the_next(backend: Path) -> None:
    killed, _ = start(backend)
    os.kill(killed.pid, signal.SIGKILL)
    killed.communicate()
    assert finish(start(backend)[0]) == 0
