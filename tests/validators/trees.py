"""Small trees of files for the static checks."""

from pathlib import Path

from validators.location import find_app
from validators.report import Finding
from validators.source import Project, load_project

Files = dict[str, str]


def lay_out(folder: Path, files: Files) -> Path:
    """Write files below a folder and return the folder."""
    for path, text in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    return folder


def project_of(folder: Path, files: Files) -> Project:
    """Return the project of files that are written below a folder."""
    return load_project(lay_out(folder, files))


def located(project: Project) -> Project:
    """Return the project with the import root of the app that is found in it."""
    location = find_app(project)
    assert location is not None
    return Project(project.root, project.modules, location.import_root, project.problems)


def places(findings: list[Finding]) -> list[tuple[str, str, int | None]]:
    """Return code, path and line of each finding, sorted."""
    return sorted((finding.code, finding.path, finding.line) for finding in findings)
