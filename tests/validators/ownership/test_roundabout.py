"""Leaks in roundabout ways: unusual calls, statements and guards, none of which may pass."""

from pathlib import Path

import pytest

from tests.validators.ownership.backends import described, prove_folder, written
from validators.ownership import Proof

SNIPPETS = Path(__file__).parents[3] / "fixtures" / "roundabout"
HEAD = (SNIPPETS / "head.py").read_text(encoding="utf-8")


def snippets(kind: str) -> list[Path]:
    return sorted((SNIPPETS / kind).glob("*.py"))


def proof_of_snippet(snippet: Path, folder: Path) -> Proof:
    return prove_folder(written(folder, main=HEAD + snippet.read_text(encoding="utf-8")))


@pytest.mark.parametrize("snippet", snippets("leaky"), ids=lambda path: path.stem)
def test_a_leak_does_not_pass(snippet: Path, tmp_path: Path) -> None:
    proof = proof_of_snippet(snippet, tmp_path)
    doubts = [query for query in proof.queries if query.verdict in ("leak", "unproven")]
    assert doubts or any(finding.severity == "error" for finding in proof.findings), described(
        proof.queries
    )


@pytest.mark.parametrize("snippet", snippets("sound"), ids=lambda path: path.stem)
def test_a_sound_twin_passes(snippet: Path, tmp_path: Path) -> None:
    proof = proof_of_snippet(snippet, tmp_path)
    assert {query.verdict for query in proof.queries} == {"isolated"}, described(proof.queries)
    assert [finding for finding in proof.findings if finding.severity == "error"] == []
