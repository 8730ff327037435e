"""Runs `backendpro` as a person does: a child process with an environment of its own."""

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import platformdirs

PROGRAM = Path(sys.executable).with_name("backendpro")


@dataclass(frozen=True)
class CommandLine:
    """A person's shell: a home folder, a current folder and an environment.

    Attributes:
        home: Holds everything that is kept for this person.
        here: The current folder.
    """

    home: Path
    here: Path

    @property
    def environment(self) -> dict[str, str]:
        """Return the environment, in which no key of the developer's is set."""
        ours = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
        return ours | {
            "HOME": str(self.home),
            "LANG": "C.UTF-8",
            # Holds a template of the database, which takes a while to make.
            "XDG_CACHE_HOME": str(platformdirs.user_cache_path()),
        }

    def run(
        self, *arguments: str | Path, environment: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a command to its end, with both outputs piped."""
        return subprocess.run(
            [PROGRAM, *arguments],
            cwd=self.here,
            env=self.environment | dict(environment or {}),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            timeout=120,
            check=False,
        )

    def start(
        self, *arguments: str | Path, environment: Mapping[str, str] | None = None
    ) -> subprocess.Popen[str]:
        """Start a command, with both outputs piped."""
        return subprocess.Popen(
            [PROGRAM, *arguments],
            cwd=self.here,
            env=self.environment | dict(environment or {}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        )
