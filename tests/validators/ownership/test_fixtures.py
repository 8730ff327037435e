"""The exam of `fixtures/isolation/`: no verdict may differ from what its line expects."""

from pathlib import Path

import pytest

from tests.fixtures.annotations import expectations, folders
from tests.validators.ownership.backends import described, proof_of, verdicts


def name(folder: Path) -> str:
    return folder.name


@pytest.mark.parametrize("folder", folders(), ids=name)
def test_every_query_has_the_expected_verdict(folder: Path) -> None:
    proof = proof_of(folder)
    found = verdicts(proof)
    expected = {(e.path, e.line): e.value for e in expectations(folder) if e.kind == "expect"}
    wrong = {
        place: (verdict, found.get(place))
        for place, verdict in expected.items()
        if found.get(place) != verdict
    }
    assert not wrong, described(proof.queries)


@pytest.mark.parametrize("folder", folders(), ids=name)
def test_every_expected_finding_is_reported_at_its_line(folder: Path) -> None:
    found = {(f.path, f.line, f.name) for f in proof_of(folder).findings}
    expected = {
        (e.path, e.line, e.value) for e in expectations(folder) if e.kind == "expect-finding"
    }
    assert expected <= found


@pytest.mark.parametrize("folder", [f for f in folders() if f.name.endswith("-sound")], ids=name)
def test_a_sound_backend_has_no_finding(folder: Path) -> None:
    assert [f for f in proof_of(folder).findings if f.severity == "error"] == []
