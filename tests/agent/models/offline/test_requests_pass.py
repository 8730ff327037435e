"""Every accepted request becomes a backend that passes its own check, booted and probed."""

import json
from pathlib import Path
from typing import Any

import pytest

import validators
from agent.models.base import Chunk, Message, Prompt
from agent.models.offline.model import OfflineModel
from agent.reply import SourceFile, parse
from tests.agent.models.offline.serving import write_files

FIXTURES = Path(__file__).parents[4] / "fixtures"
ACCEPTED: list[dict[str, Any]] = json.loads((FIXTURES / "requests" / "accepted.json").read_text())


def existing_backend() -> tuple[SourceFile, ...]:
    """Return the sound tasks backend as a model gets it."""
    folder = FIXTURES / "backends" / "sound"
    return tuple(
        SourceFile(f"backend/{path.relative_to(folder).as_posix()}", path.read_text())
        for path in sorted(folder.rglob("*.py"))
    )


def answer(request: str, existing: tuple[SourceFile, ...]) -> str:
    """Return the offline model's reply."""
    prompt = Prompt(request, existing, system="", messages=(Message("user", request),))
    pieces = OfflineModel().answer(prompt)
    return "".join(piece.text for piece in pieces if isinstance(piece, Chunk))


@pytest.mark.parametrize("case", ACCEPTED, ids=lambda case: case["request"][:60])
def test_the_backend_passes_with_no_finding(case: dict[str, Any], tmp_path: Path) -> None:
    existing = existing_backend() if case["existing"] else ()
    reply = parse(answer(case["request"], existing))
    assert reply.findings == ()
    staged = {file.path: file for file in (*existing, *reply.files)}
    report = validators.check(write_files(tmp_path, staged.values()))
    assert report.findings == ()
    assert report.verdict == "pass"
    assert "probes" in report.timings
    assert {query.verdict for query in report.queries} <= {"isolated"}
    assert report.probes
    assert {probe.outcome for probe in report.probes} == {"passed"}
