"""Layout: the app is found, and the files that a backend needs are where they belong."""

from pathlib import PurePosixPath

from validators.location import AppLocation, explain_missing
from validators.report import Finding
from validators.rules.conventions import APP_NOT_FOUND, MISSING_FILE
from validators.source import Project

_REQUIRED = (
    ("main.py", "the FastAPI app, CORS and the routers"),
    ("models.py", "the SQLModel tables"),
    ("database.py", "the engine and get_db()"),
    ("dependencies.py", "get_current_user()"),
    ("routes", "the routers"),
    ("schemas", "the request and response bodies"),
    ("utils", "token verification and other helpers"),
)


def check(project: Project, location: AppLocation | None, app: str | None = None) -> list[Finding]:
    """Return a finding where the app is not found, and one for each file that is not there.

    Args:
        project: The parsed backend.
        location: Where the app is, or None where it was not found.
        app: `module:attribute` as a person gave it, if one did.
    """
    if location is None:
        message, fix = explain_missing(project, app)
        return [APP_NOT_FOUND.finding(message, fix=fix)]
    folder = PurePosixPath(location.path).parent
    return [
        MISSING_FILE.finding(
            f"There is no `{folder / name}`, where one expects {purpose}.", path=str(folder / name)
        )
        for name, purpose in _REQUIRED
        if not _exists(project, folder / name)
    ]


def _exists(project: Project, path: PurePosixPath) -> bool:
    # models.py may as well be a package models/.
    stem = str(path.with_suffix(""))
    return str(path) in project.modules or stem in project.folders
