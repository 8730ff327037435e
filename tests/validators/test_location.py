"""The app is found wherever real backends keep it, with the folder that Python imports from."""

from pathlib import Path, PurePosixPath

import pytest

from tests.validators.trees import Files, project_of
from validators.location import AppLocation, explain_missing, find_app

APP = "from fastapi import FastAPI\n\napp = FastAPI()\n"
FACTORY = (
    "from fastapi import FastAPI\n\n\ndef create_app() -> FastAPI:\n    app = FastAPI()\n"
    "    return app\n"
)


def found(folder: Path, files: Files, spec: str | None = None) -> tuple[str, str] | None:
    """Return `module:attribute` and the import root of the app, or None."""
    location = find_app(project_of(folder, files), spec)
    if location is None:
        return None
    return f"{location.module}:{location.attribute}", str(location.import_root)


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"main.py": APP}, ("main:app", ".")),
        ({"main.py": "import models\n" + APP, "models.py": ""}, ("main:app", ".")),
        (
            {"app/__init__.py": "", "app/main.py": "from app.db import x\n" + APP, "app/db.py": ""},
            ("app.main:app", "."),
        ),
        ({"app/main.py": "from db import x\n" + APP, "app/db.py": ""}, ("main:app", "app")),
        (
            {"src/main.py": "from src.db import x\n" + APP, "src/db.py": ""},
            ("src.main:app", "."),
        ),
        ({"src/main.py": "from .db import x\n" + APP, "src/db.py": ""}, ("src.main:app", ".")),
        (
            {
                "backend/main.py": "from backend.routes import tasks\n" + APP,
                "backend/routes/tasks.py": "",
            },
            ("backend.main:app", "."),
        ),
        (
            {"backend/main.py": "from routes import tasks\n" + APP, "backend/routes/tasks.py": ""},
            ("main:app", "backend"),
        ),
        (
            {
                "backend/app/main.py": "from app.db import x\n" + APP,
                "backend/app/db.py": "",
            },
            ("app.main:app", "backend"),
        ),
        ({"services/todo/web.py": APP}, ("web:app", "services/todo")),
    ],
)
def test_every_usual_layout_is_found(
    files: Files, expected: tuple[str, str], tmp_path: Path
) -> None:
    assert found(tmp_path, files) == expected


@pytest.mark.parametrize(
    "text",
    [
        "import fastapi\napp = fastapi.FastAPI()\n",
        "from fastapi import FastAPI as Api\napp: Api = Api(title='x')\n",
        "from fastapi import FastAPI\nclass MyApp(FastAPI):\n    pass\napp = MyApp()\n",
        "from fastapi import FastAPI\ntry:\n    app = FastAPI()\nexcept ValueError:\n    raise\n",
        "from fastapi import FastAPI\nif True:\n    app = FastAPI()\n",
        FACTORY + "\n\napp = create_app()\n",
    ],
)
def test_every_way_to_make_an_app_is_understood(text: str, tmp_path: Path) -> None:
    location = find_app(project_of(tmp_path, {"main.py": text}))
    assert location == AppLocation("main", "app", False, PurePosixPath(), "main.py")  # noqa: FBT003


def test_an_app_that_another_modules_factory_makes_is_found_where_it_is_made(
    tmp_path: Path,
) -> None:
    files = {
        "run.py": "from app import create_app\n\napplication = create_app()\n",
        "app/__init__.py": FACTORY,
    }
    assert found(tmp_path, files) == ("run:application", ".")


def test_a_factory_is_taken_where_nobody_calls_it(tmp_path: Path) -> None:
    location = find_app(project_of(tmp_path, {"main.py": FACTORY}))
    assert location == AppLocation("main", "create_app", True, PurePosixPath(), "main.py")  # noqa: FBT003


def test_a_factory_in_a_package_is_named_by_the_package(tmp_path: Path) -> None:
    assert found(tmp_path, {"app/__init__.py": FACTORY}) == ("app:create_app", ".")


def test_a_function_of_that_name_that_returns_no_app_is_no_factory(tmp_path: Path) -> None:
    assert found(tmp_path, {"main.py": "def create_app() -> int:\n    return 1\n"}) is None


def test_a_factory_that_needs_arguments_cannot_be_called(tmp_path: Path) -> None:
    text = FACTORY.replace("create_app()", "create_app(settings: dict[str, str])")
    assert found(tmp_path, {"main.py": text}) is None


def test_the_one_that_is_named_app_counts_before_others(tmp_path: Path) -> None:
    text = "from fastapi import FastAPI\nadmin = FastAPI()\napp = FastAPI()\n"
    assert found(tmp_path, {"main.py": text}) == ("main:app", ".")


def test_a_mounted_app_is_not_the_app(tmp_path: Path) -> None:
    text = (
        "from fastapi import FastAPI\ninner = FastAPI()\nouter = FastAPI()\n"
        "outer.mount('/inner', inner)\n"
    )
    assert found(tmp_path, {"main.py": text}) == ("main:outer", ".")


def test_of_two_apps_in_one_tree_the_nearest_usual_place_is_taken(tmp_path: Path) -> None:
    files = {"main.py": APP, "app/main.py": APP, "tests/test_api.py": APP}
    assert found(tmp_path, files) == ("main:app", ".")


def test_a_main_that_only_hands_the_app_on_leaves_it_to_the_module_that_makes_it(
    tmp_path: Path,
) -> None:
    files = {"main.py": "from app.main import app\n", "app/main.py": "from app import db\n" + APP}
    assert found(tmp_path, files | {"app/db.py": ""}) == ("app.main:app", ".")


def test_a_test_is_taken_only_where_nothing_else_has_an_app(tmp_path: Path) -> None:
    assert found(tmp_path, {"tests/test_api.py": APP, "z/web.py": APP}) == ("web:app", "z")


def test_a_file_that_does_not_parse_still_shows_where_the_app_is(tmp_path: Path) -> None:
    assert found(tmp_path, {"main.py": APP + "def f(:\n"}) == ("main:app", ".")


def test_no_app_anywhere(tmp_path: Path) -> None:
    assert found(tmp_path, {"main.py": "print('hello')\n"}) is None


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("main:app", ("main:app", ".")),
        ("main", ("main:app", ".")),
        ("app.main:app", ("app.main:app", ".")),
        ("admin:panel", ("admin:panel", "tools")),
        ("tools.admin:panel", ("tools.admin:panel", ".")),
        ("app:create_app", ("app:create_app", ".")),
        ("app:create_app()", ("app:create_app", ".")),
    ],
)
def test_a_given_app_is_found(spec: str, expected: tuple[str, str], tmp_path: Path) -> None:
    files = {
        "main.py": APP,
        "app/__init__.py": FACTORY,
        "app/main.py": APP,
        "tools/admin.py": APP.replace("app =", "panel ="),
    }
    assert found(tmp_path, files, spec) == expected


def test_a_given_factory_is_known_as_one(tmp_path: Path) -> None:
    location = find_app(project_of(tmp_path, {"main.py": FACTORY}), "main:create_app")
    assert location is not None
    assert location.is_factory


@pytest.mark.parametrize(
    ("spec", "sentence"),
    [
        ("mian:app", "--app names the module `mian`, which does not exist. Did you mean `main`?"),
        ("nothing.here:app", "--app names the module `nothing.here`, which does not exist."),
        ("", "--app names the module ``, which does not exist."),
        (":app", "--app names the module ``, which does not exist."),
        ("main:application", "--app names `application`, which `main.py` does not define."),
    ],
)
def test_a_wrong_app_is_answered_with_what_is_wrong_and_what_is_there(
    spec: str, sentence: str, tmp_path: Path
) -> None:
    project = project_of(tmp_path, {"main.py": APP})
    assert find_app(project, spec) is None
    assert explain_missing(project, spec) == (sentence, "Write --app main:app.")


def test_an_empty_folder_was_not_checked(tmp_path: Path) -> None:
    message, _ = explain_missing(project_of(tmp_path, {}), None)
    assert "nothing was checked" in message
