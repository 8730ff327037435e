"""Schemathesis with its default checks finds nothing in a rich backend."""

import subprocess
import sys
from pathlib import Path

from agent.models.offline.compose import compose
from tests.agent.models.offline import blueprints
from tests.agent.models.offline.serving import Postgres, serve, sign, write_files

OPTIONS = ("--max-examples", "3", "--seed", "1", "--phases", "coverage,fuzzing,stateful")


def test_schemathesis_finds_nothing(postgres: Postgres, tmp_path: Path) -> None:
    backend = write_files(tmp_path, compose(blueprints.FUZZED))
    with serve(backend, postgres) as served:
        token = sign(served.user_ids[0])
        command = [
            *(sys.executable, "-m", "schemathesis.cli", "run", f"{served.url}/openapi.json"),
            *("--header", f"Authorization: Bearer {token}", *OPTIONS),
        ]
        process = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert process.returncode == 0, process.stdout[-5000:]
    assert "Traceback" not in served.log.read_text()
