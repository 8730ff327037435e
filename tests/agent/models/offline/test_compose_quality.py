"""Generated code passes the tools that a strict team runs over its own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from agent.models.offline.blueprint import Blueprint
from agent.models.offline.compose import compose
from tests.agent.models.offline.blueprints import AGENTS, COMMENTS, NEW_BACKENDS
from tests.agent.models.offline.serving import write_files
from tests.agent.models.offline.test_compose_existing import OTHERS, STEPS

RULES = (
    "A,ANN,ARG,ASYNC,B,BLE,C4,D,DTZ,E,ERA,F,FAST,FBT,I,N,PERF,PGH,PIE,PL,PTH,RET,RSE,RUF,S,SIM,"
    "SLF,T20,TC,TID,UP,W"
)
# A list with many filters has a branch for each.
IGNORED = "D107,PLR0912,PLR0915"
# Backends have modules of the same names, which two runs at once would confuse in one cache.
WORKER = os.environ.get("PYTEST_XDIST_WORKER", "alone")
CACHE = Path(__file__).parents[4] / ".mypy_cache" / f"generated-{WORKER}"


def run(folder: Path, *command: str) -> str:
    """Run a tool in a backend's folder and return what it says where it fails."""
    process = subprocess.run(
        [sys.executable, "-m", *command], cwd=folder, capture_output=True, text=True, check=False
    )
    return process.stdout + process.stderr if process.returncode else ""


def complaints(backend: Path) -> list[str]:
    lint = ("--isolated", "--select", RULES, "--ignore", IGNORED, "--target-version", "py311")
    style = ("--config", 'lint.pydocstyle.convention = "google"')
    return [
        run(backend, "ruff", "format", "--isolated", "--diff", "."),
        run(backend, "ruff", "check", "--no-cache", *lint, *style, "."),
        run(backend, "mypy", "--strict", "--config-file=", f"--cache-dir={CACHE}", "."),
    ]


@pytest.mark.parametrize("name", NEW_BACKENDS)
def test_a_new_backend_passes_ruff_and_mypy_strict(name: str, tmp_path: Path) -> None:
    backend = write_files(tmp_path, compose(NEW_BACKENDS[name]))
    assert complaints(backend) == ["", "", ""]


def test_what_is_added_to_a_foreign_module_stands_in_its_place(tmp_path: Path) -> None:
    write_files(tmp_path, OTHERS)
    backend = write_files(tmp_path, compose(STEPS, OTHERS))
    lint = ("ruff", "check", "--isolated", "--no-cache", "--select", "E,F,I")
    assert run(backend, *lint, "main.py", "models.py", "routes/steps.py") == ""


def test_extended_backends_pass_ruff_and_mypy_strict(tmp_path: Path) -> None:
    existing = compose(AGENTS.model_copy(update={"agents": (), "has_me": False}))
    with_agents = existing + compose(Blueprint(agents=AGENTS.agents, has_me=True), existing)
    latest = tuple({file.path: file for file in with_agents}.values())
    backend = write_files(tmp_path, latest)
    write_files(tmp_path, compose(COMMENTS, latest))
    assert complaints(backend) == ["", "", ""]
