"""The command line as people and scripts meet it, in a child process."""

import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from agent import cli
from tests.agent.command_line import PROGRAM, CommandLine
from tests.agent.models.messages_server import Silence, serve
from tests.agent.scripted import SOUND
from validators.rules import all_rules

BROKEN = "def get_task(:\n"


@pytest.fixture
def shell(tmp_path: Path) -> CommandLine:
    for name in ("home", "here"):
        (tmp_path / name).mkdir()
    return CommandLine(tmp_path / "home", tmp_path / "here")


@dataclass(frozen=True)
class Done:
    """What a command inside this process returned and printed."""

    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Inside:
    """Runs commands inside this process, for what needs no process of its own."""

    captured: pytest.CaptureFixture[str]

    def run(self, *arguments: str | Path) -> Done:
        code = cli.run([str(argument) for argument in arguments])
        out, err = self.captured.readouterr()
        return Done(code, out, err)


@pytest.fixture
def here(
    shell: CommandLine, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Inside:
    monkeypatch.chdir(shell.here)
    monkeypatch.setenv("HOME", str(shell.home))
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)
    return Inside(capsys)


@pytest.fixture
def broken(shell: CommandLine) -> Path:
    """A backend with a file that does not parse."""
    backend = shell.here / "backend"
    backend.mkdir()
    (backend / "main.py").write_text(BROKEN)
    return backend


# Usage


def test_the_version_is_told(shell: CommandLine) -> None:
    done = shell.run("--version")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("backendpro 0.")


def test_the_help_names_every_command(shell: CommandLine) -> None:
    done = shell.run("--help")
    assert done.returncode == 0
    for command in ("build", "check", "explain", "undo"):
        assert f"\n  {command} " in done.stdout


def test_no_command_is_wrong_usage_and_shows_the_help(shell: CommandLine) -> None:
    done = shell.run()
    assert (done.returncode, done.stdout) == (2, "")
    assert "Usage: backendpro" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["chek"], "Did you mean 'check'?"),
        (["check"], "Missing argument 'DIR'."),
        (["check", ".", "--statik"], "--static"),
        (["check", ".", "--format", "xml"], "'xml' is not one of"),
        (["build", "x", "--user-id", "number"], "'number' is not one of"),
        (["build", "x", "--rounds", "-1"], "--rounds: input should be greater than or equal to 0"),
        (["build", "x", "--rounds", "two"], "Invalid value for '--rounds'"),
        (["build", "x", "--dry-run", "--stdout"], "exclude each other"),
        (["build", "x", "--model", "ofline"], "There is no model `ofline`."),
        (["build", "x", "--model", "recorded:none.md"], "none.md is not a file"),
        (["build", "  "], "The request is empty."),
        (["undo"], "There is no build to take back"),
        (["undo", "--into", "nowhere"], "nowhere does not exist."),
    ],
    ids=" ".join,
)
def test_wrong_usage_gets_one_sentence(here: Inside, arguments: list[str], sentence: str) -> None:
    done = here.run(*arguments)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("error: ")
    assert sentence in done.err
    assert list(Path().iterdir()) == []


# explain


@pytest.mark.parametrize("spelling", ["BP201", "bp201", "syntax-error", " Syntax-Error "])
def test_a_rule_is_explained_by_code_or_name(here: Inside, spelling: str) -> None:
    rule = all_rules()["BP201"]
    done = here.run("explain", spelling)
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("BP201 syntax-error (error)\n")
    for part in (rule.why, rule.fix, *rule.bad.code.splitlines(), *rule.good.code.splitlines()):
        assert part.rstrip() in done.out


@pytest.mark.parametrize(("typed", "meant"), [("sintax-eror", "syntax-error"), ("bp2001", "BP201")])
def test_an_unknown_rule_names_the_nearest_one(here: Inside, typed: str, meant: str) -> None:
    done = here.run("explain", typed)
    assert (done.code, done.out) == (2, "")
    assert f"Did you mean {meant}?" in done.err


def test_without_a_rule_all_are_listed(here: Inside) -> None:
    lines = here.run("explain").out.splitlines()
    assert [line.split()[0] for line in lines] == list(all_rules())


# check


@pytest.mark.parametrize(
    ("folder", "sentence"),
    [
        ("missing", "missing does not exist."),
        ("file", "file is a file; a backend is a folder."),
        ("empty", "empty holds no Python file, so there is nothing to check."),
    ],
)
def test_a_folder_that_cannot_be_checked_is_told(here: Inside, folder: str, sentence: str) -> None:
    Path("file").write_text("")
    Path("empty").mkdir()
    done = here.run("check", folder)
    assert (done.code, done.out, done.err) == (2, "", f"error: {sentence}\n")


def test_a_folder_without_an_app_does_not_pass(shell: CommandLine) -> None:
    (shell.here / "tool.py").write_text('"""A tool."""\n')
    done = shell.run("check", ".")
    assert done.returncode == 1
    assert "app-not-found" in done.stdout


def test_an_interpreter_that_cannot_be_run_is_told(here: Inside) -> None:
    done = here.run("check", SOUND, "--python", "nowhere/python")
    assert done.code == 2
    assert "nowhere/python is not an interpreter" in done.err


def test_a_sound_backend_passes(shell: CommandLine) -> None:
    done = shell.run("check", SOUND)
    assert done.returncode == 0
    assert done.stdout.startswith("Passed.\n")
    for stage in ("syntax", "imports", "layout", "conventions", "isolation", "boot", "probes"):
        assert f"✓ {stage} " in done.stderr


def test_errors_are_results_and_progress_is_not(shell: CommandLine, broken: Path) -> None:
    done = shell.run("check", broken)
    assert done.returncode == 1
    assert "main.py:1:" in done.stdout
    assert "error BP201 syntax-error" in done.stdout
    assert "def get_task(:" in done.stdout
    assert "Failed with" in done.stdout
    assert "✗ syntax" in done.stderr


@pytest.mark.parametrize("form", ["json", "sarif", "github"])
def test_other_formats_are_alone_on_standard_output(
    shell: CommandLine, broken: Path, form: str
) -> None:
    done = shell.run("check", broken, "--format", form)
    assert done.returncode == 1
    if form == "github":
        assert "::error title=BP201 syntax-error,file=backend/main.py,line=1," in done.stdout
    else:
        assert json.loads(done.stdout)
    assert "✗ syntax" in done.stderr


def test_settings_of_the_backend_are_read(shell: CommandLine, broken: Path) -> None:
    (broken / "pyproject.toml").write_text("[tool.backendpro]\nap = 'main:app'\n")
    done = shell.run("check", broken)
    assert done.returncode == 2
    assert "Did you mean `app`?" in done.stderr


# Start-up


def test_a_static_check_loads_no_framework_and_no_sdk(shell: CommandLine) -> None:
    heavy = {
        "anthropic", "fastapi", "httpx", "jinja2", "psycopg", "pydantic", "rich", "sqlalchemy",
        "sqlglot", "sqlmodel", "typer",
    }  # fmt: skip
    script = (
        "import sys; from agent import cli; code = cli.run(sys.argv[1:]); "
        "print(code, *sys.modules, file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, "check", SOUND, "--static"],
        env=shell.environment,
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    code, *loaded = done.stderr.splitlines()[-1].split()
    assert code == "0"
    assert "validators.ownership" in loaded
    assert not heavy & set(loaded)


# Terminals, pipes and signals


def in_terminal(shell: CommandLine, *arguments: str | Path, **environment: str) -> tuple[int, str]:
    """Run a command in a pseudo-terminal; return its exit code and all that it shows."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [PROGRAM, *arguments],
        cwd=shell.here,
        env=shell.environment | {"TERM": "xterm-256color", "COLUMNS": "60"} | environment,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    ) as process:
        os.close(theirs)
        shown = bytearray()
        try:
            while chunk := os.read(ours, 65536):
                shown += chunk
        except OSError:
            pass  # Linux says so when the last writer is gone
        os.close(ours)
    return process.returncode, shown.decode()


def test_a_terminal_gets_colours(shell: CommandLine, broken: Path) -> None:
    code, shown = in_terminal(shell, "check", broken)
    assert code == 1
    assert "\x1b[1;31merror\x1b[0m" in shown


def test_a_terminal_gets_the_same_blank_lines_as_a_pipe(shell: CommandLine, broken: Path) -> None:
    _, shown = in_terminal(shell, "check", broken, TERM="dumb")
    assert "\r\n\r\nFailed with " in shown
    assert "\n\nFailed with " in shell.run("check", broken).stdout


def test_no_color_is_honoured(shell: CommandLine, broken: Path) -> None:
    _, shown = in_terminal(shell, "check", broken, NO_COLOR="1")
    assert "BP201 syntax-error" in shown
    assert not re.search(r"\x1b\[[0-9;]*(3|4|9|10)[0-7]m", shown)


def test_a_dumb_terminal_gets_no_control_characters(shell: CommandLine, broken: Path) -> None:
    _, shown = in_terminal(shell, "check", broken, TERM="dumb")
    assert "\x1b" not in shown


def test_a_pipe_gets_neither_colours_nor_spinners(shell: CommandLine, broken: Path) -> None:
    done = shell.run("check", broken)
    assert "\x1b" not in done.stdout + done.stderr
    assert "\r" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    "locale",
    [
        {"LANG": "C", "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        {"PYTHONIOENCODING": "latin-1"},
        {"PYTHONIOENCODING": "ascii"},
    ],
    ids=["C", "latin-1", "ascii"],
)
def test_an_encoding_without_our_characters_gets_others(
    shell: CommandLine, broken: Path, locale: dict[str, str]
) -> None:
    done = shell.run("check", broken, environment=locale)
    assert done.returncode == 1
    assert "x syntax" in done.stderr
    assert "1 | def get_task(:" in done.stdout


def test_a_reader_that_goes_away_is_no_error(shell: CommandLine) -> None:
    process = shell.start("explain")
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    shown = process.stderr.read()
    process.stderr.close()
    assert (process.wait(timeout=60), shown) == (0, "")


@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGINT, cli.INTERRUPTED), (signal.SIGTERM, cli.TERMINATED)],
    ids=["Ctrl-C", "terminated"],
)
def test_an_interrupted_build_leaves_nothing(
    shell: CommandLine, number: signal.Signals, code: int
) -> None:
    with serve(Silence()) as server:
        process = shell.start(
            "build",
            "add CRUD for tasks",
            "--model",
            "haiku",
            environment={"ANTHROPIC_BASE_URL": server.url, "ANTHROPIC_API_KEY": "test-key"},
        )
        while not server.requests:
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (code, "")
    assert err.splitlines()[1:] == ["Interrupted. Nothing was written."]
    assert list(shell.here.iterdir()) == []


# Faults of ours

FAULTY = (
    "import sys; from agent import cli\n"
    "from agent.commands import explain\n"
    "def fail(): raise KeyError('x')\n"
    "explain.list_rules = fail\n"
    "sys.exit(cli.run(['explain']))"
)


def faulty(shell: CommandLine, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", FAULTY],
        env=shell.environment | environment,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


def test_a_fault_of_ours_asks_to_be_reported(shell: CommandLine) -> None:
    done = faulty(shell)
    assert (done.returncode, done.stdout) == (4, "")
    assert done.stderr.startswith("error: internal error: KeyError: 'x' (agent/cli.py, line ")
    assert "Please report it" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_fault_of_ours_shows_its_traceback_on_request(shell: CommandLine) -> None:
    assert "Traceback" in faulty(shell, BACKENDPRO_DEBUG="1").stderr
