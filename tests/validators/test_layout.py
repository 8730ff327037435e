"""Layout: without an app nothing passes, and a file in another place is only remarked on."""

from pathlib import Path

from tests.validators.trees import lay_out, places, project_of
from validators import CheckOptions, check, layout
from validators.location import find_app
from validators.report import Finding

APP = "from fastapi import FastAPI\n\napp = FastAPI()\n"
WHOLE = {
    "main.py": APP,
    "models.py": "",
    "database.py": "",
    "dependencies.py": "",
    "routes/__init__.py": "",
    "schemas/__init__.py": "",
    "utils/__init__.py": "",
}


def findings_of(folder: Path, files: dict[str, str], app: str | None = None) -> list[Finding]:
    """Return the layout's findings for files below a folder."""
    project = project_of(folder, files)
    return layout.check(project, find_app(project, app), app)


def test_a_whole_backend_has_no_finding(tmp_path: Path) -> None:
    assert findings_of(tmp_path, WHOLE) == []


def test_packages_may_stand_for_modules(tmp_path: Path) -> None:
    files = {path: text for path, text in WHOLE.items() if path != "models.py"}
    assert findings_of(tmp_path, files | {"models/task.py": ""}) == []


def test_each_missing_file_is_a_warning_with_its_purpose(tmp_path: Path) -> None:
    findings = findings_of(tmp_path, {"main.py": APP, "models.py": "", "routes/tasks.py": ""})
    assert [finding.path for finding in findings] == [
        "database.py",
        "dependencies.py",
        "schemas",
        "utils",
    ]
    assert {finding.severity for finding in findings} == {"warning"}


def test_files_are_expected_beside_the_app(tmp_path: Path) -> None:
    files = {f"app/{path}": text for path, text in WHOLE.items()}
    assert findings_of(tmp_path, files) == []


def test_no_app_is_an_error(tmp_path: Path) -> None:
    (finding,) = findings_of(tmp_path, {"main.py": "print('hello')\n"})
    assert (finding.code, finding.severity) == ("BP401", "error")


def test_a_wrong_app_option_is_an_error_that_names_the_right_one(tmp_path: Path) -> None:
    (finding,) = findings_of(tmp_path, WHOLE, "main:api")
    assert finding.code == "BP401"
    assert "`api`" in finding.message
    assert finding.fix == "Write --app main:app."


def test_an_empty_folder_never_passes(tmp_path: Path) -> None:
    report = check(tmp_path, CheckOptions(is_static=True))
    assert report.verdict == "fail"
    assert places(list(report.findings)) == [("BP401", "", None)]


def test_a_backend_of_authentication_alone_passes(tmp_path: Path) -> None:
    route = "from fastapi import APIRouter\n\nrouter = APIRouter()\n"
    lay_out(tmp_path, WHOLE | {"routes/users.py": route})
    assert check(tmp_path, CheckOptions(is_static=True)).findings == ()
