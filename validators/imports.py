"""Imports: every module and name that is imported exists."""

from validators.report import Finding
from validators.source import Project


def check(project: Project) -> list[Finding]:
    """Return a finding for each place where the project breaks a rule of this kind."""
    del project
    return []
