"""Backends that are booted and probed for a test."""

from pathlib import Path

from tests.validators.runtime.backends import booted
from tests.validators.trees import Files
from validators import probes
from validators.report import Finding
from validators.runtime import Limits

_SOUND_FOLDER = Path(__file__).parents[3] / "fixtures" / "backends" / "sound"

SOUND: Files = {
    path.relative_to(_SOUND_FOLDER).as_posix(): path.read_text(encoding="utf-8")
    for path in sorted(_SOUND_FOLDER.rglob("*.py"))
}


def probe(folder: Path, files: Files, limits: Limits | None = None) -> probes.ProbeRun:
    """Boot a backend of these files and return what its probes show."""
    with booted(folder, files, limits or Limits()) as (app, findings):
        assert app is not None, findings
        return probes.run(app)


def errors_without_failure(run: probes.ProbeRun) -> list[Finding]:
    """Return the errors at a route of which no probe has failed: "0 failed" beside an error."""
    failed = {each.route for each in run.probes if each.outcome == "failed"}
    return [
        finding
        for finding in run.findings
        if finding.severity == "error" and finding.route is not None and finding.route not in failed
    ]
