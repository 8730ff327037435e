"""The sandbox, the embedded PostgreSQL, and the child process that boots the app."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from validators.location import AppLocation
from validators.report import Finding
from validators.source import Project


@dataclass(frozen=True, slots=True)
class RunningApp:
    """An app that answers requests, with the database behind it."""


@dataclass(frozen=True, slots=True)
class Sandbox:
    """Everything that a boot needs, prepared."""

    project: Project
    location: AppLocation
    python: Path | None

    def start(self) -> tuple[RunningApp | None, tuple[Finding, ...]]:
        """Boot the app; return it, or None and what kept it from starting."""
        return None, ()


@contextmanager
def prepare(project: Project, location: AppLocation, python: Path | None) -> Iterator[Sandbox]:
    """Prepare the boot of a backend, and remove every trace of it at the end."""
    yield Sandbox(project, location, python)
