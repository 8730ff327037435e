"""The sound and leaky sample backends, each booted and probed."""

import json
from pathlib import Path

import pytest

from tests.validators.probes.probing import SOUND as SOUND_FILES
from tests.validators.probes.probing import errors_without_failure, probe
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
    run = probed(backend, tmp_path)
    findings = run.findings
    assert not errors_without_failure(run)
    assert bool(findings) == (expectation(backend) == "found")
    assert all(finding.code.startswith("BP6") for finding in findings)


def test_a_probe_that_ends_in_a_server_error_has_failed(tmp_path: Path) -> None:
    models = SOUND_FILES["models.py"].replace("dt.datetime.now(dt.UTC)", "dt.datetime.utcnow()")
    run = probe(tmp_path, {**SOUND_FILES, "models.py": models})
    assert {f.code for f in run.findings if f.severity == "error"} == {"BP605"}
    assert not errors_without_failure(run)
    (failed,) = [p for p in run.probes if p.route == "POST /api/tasks" and p.name == "life"]
    assert failed.outcome == "failed"
