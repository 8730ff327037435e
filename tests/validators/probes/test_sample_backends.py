"""The sound and leaky sample backends, each booted and probed."""

import json
from pathlib import Path

import pytest

from tests.validators.probes.probing import probe
from validators.probes import ProbeRun

BACKENDS = Path(__file__).parents[3] / "fixtures" / "backends"
SOUND = sorted(path for path in BACKENDS.iterdir() if path.name.startswith("sound"))
LEAKY = sorted(path for path in BACKENDS.iterdir() if path.name.startswith("leaky"))


def probed(backend: Path, folder: Path) -> ProbeRun:
    files = {
        path.relative_to(backend).as_posix(): path.read_text(encoding="utf-8")
        for path in sorted(backend.rglob("*.py"))
    }
    return probe(folder, files)


def expectation(backend: Path) -> str:
    said: str = json.loads((backend / "fixture.json").read_text(encoding="utf-8"))[
        "expected_probes"
    ]
    return said


@pytest.mark.parametrize("backend", SOUND, ids=lambda path: path.name)
def test_a_sound_backend_passes_and_every_route_is_exercised(backend: Path, tmp_path: Path) -> None:
    run = probed(backend, tmp_path)
    assert run.findings == ()
    assert {p.route for p in run.probes if p.name == "life"} == set(run.routes)
    assert all(p.outcome == "passed" for p in run.probes)


@pytest.mark.parametrize("backend", LEAKY, ids=lambda path: path.name)
def test_a_leak_is_found_where_it_shows_from_outside(backend: Path, tmp_path: Path) -> None:
    findings = probed(backend, tmp_path).findings
    assert bool(findings) == (expectation(backend) == "found")
    assert all(finding.code.startswith("BP6") for finding in findings)
