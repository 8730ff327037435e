"""Both worlds end together."""

from pathlib import Path
from typing import NoReturn

import pytest

from tests.validators.probes.probing import SOUND, probe
from validators.probes.interference import Everybody
from validators.probes.results import Results


def test_whoever_interrupts_the_probes_does_not_wait_for_the_other_world(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    transcripts: list[Results] = []
    make = Results.__init__

    def remember(self: Results, *arguments: object, **named: object) -> None:
        make(self, *arguments, **named)  # type: ignore[arg-type]  # hands on what it is given
        transcripts.append(self)

    def interrupt(*_: object) -> NoReturn:
        raise KeyboardInterrupt

    monkeypatch.setattr(Results, "__init__", remember)
    monkeypatch.setattr(Everybody, "attempt", interrupt)
    slow = SOUND["database.py"].replace(
        "    session = Session(", "    time.sleep(1)\n    session = Session("
    )
    assert slow != SOUND["database.py"]
    with pytest.raises(KeyboardInterrupt):
        probe(tmp_path, {**SOUND, "database.py": slow})
    _, alone, *_ = transcripts
    assert 0 < len(alone.transcript) < 5
