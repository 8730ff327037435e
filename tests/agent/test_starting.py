"""The program's entry: what is started ahead is what the command then uses."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from agent.starting import is_booting
from tests.agent.command_line import PROGRAM

BACKENDS = Path(__file__).parents[2] / "fixtures" / "backends"

AHEAD = """
import json
from agent import starting
from validators.runtime.template import Template, shared_template

starting.warm_up()
ahead = shared_template()
late = Template.start(ahead.python)
print(json.dumps([ahead.process.args[:-1], late.process.args[:-1]]))
late.close()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="nothing is started ahead elsewhere")
@pytest.mark.parametrize("more", [[], ["--format", "json"], ["--app", "main:app"]])
def test_a_check_that_boots_starts_its_template_ahead(more: list[str]) -> None:
    assert is_booting(["check", "backend", *more])


@pytest.mark.parametrize(
    "arguments",
    [
        ["check", "--static", "backend"],
        ["check", "backend", "--python", "/usr/bin/python3"],
        ["check", "backend", "--python=/usr/bin/python3"],
        ["check", "--help"],
        ["check", "-h"],
        ["explain", "BP301"],
        [],
    ],
)
def test_nothing_else_does(arguments: list[str]) -> None:
    assert not is_booting(arguments)


@pytest.mark.skipif(sys.platform != "linux", reason="nothing is started ahead elsewhere")
def test_what_is_started_ahead_is_the_template_that_a_check_starts() -> None:
    done = subprocess.run([sys.executable, "-c", AHEAD], check=True, capture_output=True, text=True)
    ahead, late = json.loads(done.stdout)
    assert ahead == late


@pytest.mark.parametrize(("arguments", "code"), [(["explain", "BP301"], 0), (["check"], 2)])
def test_the_program_ends_with_the_code_of_its_command(arguments: list[str], code: int) -> None:
    program = "from agent.starting import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments], check=False, capture_output=True, text=True
    )
    assert done.returncode == code
    assert done.stdout if code == 0 else done.stderr


def test_nobody_who_reads_on_is_no_error_of_ours() -> None:
    script = "\"$0\" -c 'from agent.starting import main; main()' explain BP301 | true"
    done = subprocess.run(
        ["/bin/sh", "-c", script, sys.executable], check=True, capture_output=True, text=True
    )
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize(("backend", "status"), [("sound", 0), ("leaky-list-unfiltered", 1)])
def test_a_caller_may_have_closed_the_streams(closed: str, backend: str, status: int) -> None:
    command = f'exec "{PROGRAM}" check --static "{BACKENDS / backend}" {closed}'
    done = subprocess.run(
        ["/bin/sh", "-c", command], check=False, capture_output=True, encoding="utf-8"
    )
    assert done.returncode == status
    assert "Traceback" not in done.stderr
