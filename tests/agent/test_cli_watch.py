"""`check --watch`, `--certificate` and `--require-sandbox`, as a person runs them."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import psutil
import pytest

import validators
from agent.commands import watch
from tests.agent.command_line import PROGRAM, CommandLine

BACKENDS = Path(__file__).parents[2] / "fixtures" / "backends"
# Longer than any machine takes; no assertion depends on it.
PATIENCE = 120
MOST_LOOKS = 50


@pytest.fixture
def shell(tmp_path: Path) -> CommandLine:
    for name in ("home", "here"):
        (tmp_path / name).mkdir()
    shutil.copytree(BACKENDS / "sound", tmp_path / "here" / "backend")
    return CommandLine(tmp_path / "home", tmp_path / "here")


class Watched:
    """A running `check --watch`, and what it has printed so far."""

    def __init__(self, shell: CommandLine, *options: str) -> None:
        self.output = shell.here / "output.txt"
        with self.output.open("w") as stream:
            self.process = subprocess.Popen(
                [PROGRAM, "check", "backend", "--watch", *options],
                cwd=shell.here,
                env=shell.environment,
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def wait_for(self, text: str, times: int = 1) -> str:
        """Wait until a text was printed so often."""
        deadline = time.monotonic() + PATIENCE
        while self.output.read_text().count(text) < times:
            assert self.process.poll() is None, self.output.read_text()
            assert time.monotonic() < deadline, self.output.read_text()
            time.sleep(0.05)
        return self.output.read_text()

    def children(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)

    def stop(self) -> int:
        """Press Ctrl-C."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        return self.process.wait(PATIENCE)


@pytest.fixture
def watched(shell: CommandLine) -> Iterator[Watched]:
    running = Watched(shell, "--static")
    yield running
    running.stop()


def leak(shell: CommandLine) -> None:
    routes = shell.here / "backend" / "routes" / "tasks.py"
    source = BACKENDS / "leaky-get-by-key" / "routes" / "tasks.py"
    routes.write_text(source.read_text())


def test_a_changed_file_is_checked_again(shell: CommandLine, watched: Watched) -> None:
    watched.wait_for("Waiting for changes")
    leak(shell)
    text = watched.wait_for("Waiting for changes", 2)
    first, second = text.split("Changed: ")
    assert "Passed." in first
    assert "routes/tasks.py" in second.splitlines()[0]
    assert "Failed with 1 error." in second


def test_ctrl_c_ends_it(watched: Watched) -> None:
    watched.wait_for("Waiting for changes")
    assert watched.stop() == 130
    assert "Traceback" not in watched.output.read_text()


def test_the_app_is_started_after_the_static_verdicts(shell: CommandLine) -> None:
    running = Watched(shell)
    try:
        text = running.wait_for("Waiting for changes")
        before, after = text.split("Starting the app")
        assert "the app was not started" in before
        assert "probes: " in after
    finally:
        running.stop()


def test_another_change_cancels_the_running_app(shell: CommandLine) -> None:
    running = Watched(shell)
    try:
        running.wait_for("Starting the app")
        leak(shell)
        text = running.wait_for("Waiting for changes")
        assert text.count("Starting the app") == 2
        assert "Failed" in text.rpartition("Starting the app")[2]
    finally:
        running.stop()


def test_nothing_is_left_behind(shell: CommandLine) -> None:
    running = Watched(shell)
    running.wait_for("Starting the app")
    others = running.children()
    assert running.stop() == 130
    # The database of the user's cache serves other runs and ends by itself.
    ours = [p for p in others if p.is_running() and "agent.cli" in " ".join(command_of(p))]
    assert ours == []


@pytest.mark.parametrize("name", [signal.SIGINT, signal.SIGTERM])
def test_a_check_is_ended_that_was_just_being_started(
    name: signal.Signals, shell: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[subprocess.Popen[bytes]] = []

    class Interrupted(subprocess.Popen[bytes]):
        def __init__(self, command: list[str], **options: Any) -> None:
            super().__init__(command, **options)
            if not started:
                started.append(self)
                signal.raise_signal(name)

    def terminate(*_: object) -> NoReturn:
        raise SystemExit

    monkeypatch.setattr(subprocess, "Popen", Interrupted)
    before = signal.signal(signal.SIGTERM, terminate)
    try:
        with pytest.raises((KeyboardInterrupt, SystemExit)):
            watch.watch(shell.here / "backend", validators.CheckOptions(), [])
    finally:
        signal.signal(signal.SIGTERM, before)
    try:
        assert started[0].returncode is not None
    finally:
        started[0].kill()
        started[0].wait()


def command_of(process: psutil.Process) -> list[str]:
    try:
        return list(process.cmdline())
    except psutil.NoSuchProcess:
        return []


# The certificate.


def test_a_certificate_is_the_same_each_time_and_where_lines_move(shell: CommandLine) -> None:
    for name in ("one.md", "two.md"):
        done = shell.run("check", "backend", "--static", "--certificate", name)
        assert done.returncode == 0, done.stderr
    routes = shell.here / "backend" / "routes" / "tasks.py"
    routes.write_text(f"# A comment.\n\n{routes.read_text()}")
    shell.run("check", "backend", "--static", "--certificate", "three.md")
    first, *others = ((shell.here / f"{n}.md").read_bytes() for n in ("one", "two", "three"))
    assert others == [first, first]
    text = first.decode()
    assert "**Isolated.**" in text
    assert "| routes/tasks.py | list_tasks | select Task | isolated | Task.user_id is" in text
    assert str(shell.here) not in text


def test_the_certificate_of_a_leak_says_what_is_open(shell: CommandLine) -> None:
    leak(shell)
    done = shell.run("check", "backend", "--static", "--certificate", "c.md")
    assert done.returncode == 1
    text = (shell.here / "c.md").read_text()
    assert "**Not isolated.**" in text
    assert "| get Task | **leak** |" in text
    assert "- BP301 routes/tasks.py:53: Task.user_id is not compared" in text


def test_nothing_checked_is_nothing_certified(shell: CommandLine) -> None:
    (shell.here / "backend" / "models.py").write_text("class Task(:\n")
    done = shell.run("check", "backend", "--static", "--certificate", "c.md")
    assert done.returncode == 1
    assert "models.py could not be read, so there is nothing to certify." in done.stderr
    assert not (shell.here / "c.md").exists()


def test_a_certificate_that_cannot_be_written_is_an_error(shell: CommandLine) -> None:
    done = shell.run("check", "backend", "--static", "--certificate", "missing/c.md")
    assert done.returncode == 2
    assert "missing/c.md cannot be written" in done.stderr


# The sandbox.

# Runs a command in which the kernel refuses new namespaces: seccomp(2), filter by the number of
# unshare(2). The filter is inherited by every process that the command starts.
REFUSING = """
import ctypes, os, platform, struct, sys
number = {"x86_64": 272, "aarch64": 97}[platform.machine()]
steps = [(0x20, 0, 0, 0), (0x15, 0, 1, number), (0x06, 0, 0, 0x00050001), (0x06, 0, 0, 0x7FFF0000)]
code = b"".join(struct.pack("HBBI", *step) for step in steps)
buffer = ctypes.create_string_buffer(code)
program = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(steps), ctypes.addressof(buffer)))
libc = ctypes.CDLL(None, use_errno=True)
assert libc.prctl(38, 1, 0, 0, 0) == 0
assert libc.prctl(22, 2, ctypes.byref(program), 0, 0) == 0
os.execv(sys.argv[1], sys.argv[1:])
"""


def confined(shell: CommandLine, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", REFUSING, PROGRAM, "check", "backend", *options],
        cwd=shell.here,
        # A template that runs already was started without the filter.
        env=shell.environment | {"XDG_RUNTIME_DIR": str(shell.home)},
        capture_output=True,
        encoding="utf-8",
        timeout=PATIENCE,
        check=False,
    )


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has seccomp")
@pytest.mark.skipif(os.uname().machine not in ("x86_64", "aarch64"), reason="numbers of syscalls")
@pytest.mark.parametrize(("option", "code"), [((), 0), (("--require-sandbox",), 1)])
def test_layers_that_the_kernel_refuses_are_named(
    shell: CommandLine, option: tuple[str, ...], code: int
) -> None:
    done = confined(shell, *option)
    severity = "error" if option else "warning"
    assert f"{severity} BP513 boot-sandbox-incomplete" in done.stdout, done.stdout + done.stderr
    assert "The system refuses layers of the sandbox: " in done.stdout
    assert "user namespace" in done.stdout
    assert "network namespace" in done.stdout
    assert ("The app was not started." in done.stdout) == bool(option)
    assert done.returncode == code


def test_a_sandbox_can_only_be_required_where_something_runs(shell: CommandLine) -> None:
    done = shell.run("check", "backend", "--static", "--require-sandbox")
    assert done.returncode == 2
    assert "--static and --require-sandbox exclude each other." in done.stderr


class _NoticedError(Exception):
    """A second round was begun."""


def test_a_change_during_the_first_round_is_not_lost(
    shell: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = 0

    def begin_round(*_: object) -> None:
        if looks < 0:
            raise _NoticedError
        leak(shell)
        count_down()

    def count_down(*_: object) -> None:
        nonlocal looks
        looks -= 1
        assert looks > -MOST_LOOKS

    monkeypatch.setattr(watch, "_round", begin_round)
    monkeypatch.setattr(watch, "_show_worlds", count_down)
    with pytest.raises(_NoticedError):
        watch.watch(shell.here / "backend", validators.CheckOptions(is_static=True), [])
