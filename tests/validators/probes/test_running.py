"""Both worlds end together."""

from pathlib import Path
from typing import NoReturn

import pytest

from tests.validators.probes.probing import SOUND, probe
from validators.probes.lives.script import Script
from validators.probes.others.interference import Everybody


def test_whoever_interrupts_the_probes_does_not_wait_for_the_other_world(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scripts: list[Script] = []
    make = Script.__init__

    def remember(self: Script, *arguments: object, **named: object) -> None:
        make(self, *arguments, **named)  # type: ignore[arg-type]  # hands on what it is given
        scripts.append(self)

    def interrupt(*_: object) -> NoReturn:
        raise KeyboardInterrupt

    monkeypatch.setattr(Script, "__init__", remember)
    monkeypatch.setattr(Everybody, "attempt", interrupt)
    slow = SOUND["database.py"].replace(
        "    session = Session(", "    time.sleep(1)\n    session = Session("
    )
    assert slow != SOUND["database.py"]
    with pytest.raises(KeyboardInterrupt):
        probe(tmp_path, {**SOUND, "database.py": slow})
    (script,) = scripts
    assert 0 < len(script.acts) < 6
