"""`backendpro check --fuzz`, as far as the command line goes."""

from pathlib import Path

import pytest

from agent.cli import run

SOUND = Path(__file__).parents[2] / "fixtures" / "backends" / "sound"


@pytest.mark.parametrize("arguments", [["--static", "--fuzz", "3"], ["--fuzz", "-1"]])
def test_wrong_use_of_fuzz_is_told(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["check", str(SOUND), *arguments]) == 2
    assert "--fuzz" in capsys.readouterr().err
