"""Findings of the probes, shown again on a server that is not ours."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.agent.models.offline.conftest import postgres
from tests.agent.models.offline.serving import Postgres, serve, sign
from validators import check
from validators.report import Finding
from validators.reproduction import reproduction

__all__ = ["postgres"]
BACKENDS = Path(__file__).parents[2] / "fixtures" / "backends"
LEAKS = {
    "leaky-get-by-key": "sound",
    "leaky-update-unchecked": "sound",
    "leaky-child-planted": "sound-projects",
    "leaky-total-over-everybody": "leaky-total-over-everybody",
}
# What is mended where no sound backend answers the same.
MENDED = {"select_from(Task)": "select_from(Task).where(Task.user_id == current_user.id)"}


def run(
    file: Path, backend: str, postgres: Postgres, folder: Path, mended: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a reproduction against a served backend."""
    shutil.copytree(BACKENDS / backend, folder / "backend")
    routes = folder / "backend" / "routes" / "tasks.py"
    for was, now in (mended or {}).items():
        routes.write_text(routes.read_text().replace(was, now))
    with serve(folder / "backend", postgres) as served:
        owner, intruder = (sign(key) for key in served.user_ids)
        return subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", file.name],
            cwd=file.parent,
            env={"BASE_URL": served.url, "OWNER_TOKEN": owner, "INTRUDER_TOKEN": intruder},
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.mark.parametrize("leaky", LEAKS)
def test_it_fails_on_the_leaky_server_and_passes_on_the_sound_one(
    leaky: str, postgres: Postgres, tmp_path: Path
) -> None:
    file = tmp_path / "test_leak.py"
    findings = [f for f in check(BACKENDS / leaky).findings if f.code.startswith("BP6")]
    text = reproduction(findings, file.name)
    assert text is not None
    file.write_text(text, encoding="utf-8")
    failing = run(file, leaky, postgres, tmp_path / "leaky")
    assert failing.returncode == 1, failing.stdout
    sound = LEAKS[leaky]
    passing = run(file, sound, postgres, tmp_path / "sound", MENDED if sound == leaky else {})
    assert passing.returncode == 0, passing.stdout


def test_without_an_experiment_there_is_nothing_to_show() -> None:
    finding = Finding(
        code="BP301", name="query-not-isolated", severity="error", path="", line=None, column=None,
        message="", fix="",
    )  # fmt: skip
    assert reproduction([finding], "test_leak.py") is None
