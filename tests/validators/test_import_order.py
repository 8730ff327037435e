"""Circular imports: those that break at the start are reported, with the circle, and no others."""

from pathlib import Path

import pytest

from tests.validators.trees import Files, located, project_of
from validators import imports
from validators.location import find_app

APP = "from fastapi import FastAPI\n\napp = FastAPI()\n"


def circles_of(folder: Path, files: Files) -> list[tuple[str, int | None, str]]:
    """Return path, line and circle of each circular import."""
    project = project_of(folder, files)
    findings = imports.check(located(project), find_app(project))
    assert {finding.code for finding in findings} <= {"BP205"}
    return [
        (finding.path, finding.line, finding.message.rpartition(": ")[2]) for finding in findings
    ]


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (
            {
                "main.py": "from routes import tasks\n" + APP,
                "routes/tasks.py": "from main import app",
            },
            ("routes/tasks.py", 1, "main.py → routes/tasks.py → main.py."),
        ),
        (
            {
                "main.py": "import a\n" + APP,
                "a.py": "from b import y\nx = 1",
                "b.py": "from c import z\ny = 1",
                "c.py": "from a import (\n    x,\n)\nz = 1",
            },
            ("c.py", 2, "a.py → b.py → c.py → a.py."),
        ),
        # A whole module is imported, but one of its names is used while it starts.
        (
            {
                "main.py": "import a\n" + APP,
                "a.py": "import b\n\n\nclass Base:\n    pass",
                "b.py": "import a\n\n\nclass Task(a.Base):\n    pass",
            },
            ("b.py", 4, "a.py → b.py → a.py."),
        ),
        (
            {
                "main.py": "import a\n" + APP,
                "a.py": "import b\nlimit = 1",
                "b.py": "import a\ndef f(n: int = a.limit) -> int:\n    return n",
            },
            ("b.py", 2, "a.py → b.py → a.py."),
        ),
        (
            {
                "main.py": "from models.user import User\n" + APP,
                "models/__init__.py": "",
                "models/user.py": "from models.task import Task\n\n\nclass User:\n    pass",
                "models/task.py": "from .user import User\n\n\nclass Task:\n    pass",
            },
            ("models/task.py", 1, "models/user.py → models/task.py → models/user.py."),
        ),
    ],
)
def test_a_name_that_is_asked_for_too_early_is_reported_with_the_circle(
    files: Files, expected: tuple[str, int, str], tmp_path: Path
) -> None:
    assert circles_of(tmp_path, files) == [expected]


@pytest.mark.parametrize(
    "files",
    [
        # Bound before the other module starts.
        {"main.py": APP + "from routes import tasks\n", "routes/tasks.py": "from main import app"},
        # Needed only when the functions run.
        {
            "main.py": "import a\n" + APP,
            "a.py": "import b\ndef f() -> int:\n    return b.x\ny = 1",
            "b.py": "import a\ndef g() -> int:\n    return a.y\nx = 1",
        },
        {
            "main.py": "import a\n" + APP,
            "a.py": "import b\ny = 1",
            "b.py": "def g() -> int:\n    from a import y\n    return y",
        },
        # For type checkers only.
        {
            "main.py": "import a\n" + APP,
            "a.py": "from b import x\ny = 1",
            "b.py": "import typing\nif typing.TYPE_CHECKING:\n    from a import y\nx = 1",
        },
        # A failure that is caught.
        {
            "main.py": "import a\n" + APP,
            "a.py": "from b import x\ny = 1",
            "b.py": "try:\n    from a import y\nexcept ImportError:\n    y = None\nx = 1",
        },
        # Packages and their own modules.
        {
            "main.py": "from models import Task\n" + APP,
            "models/__init__.py": "from models.task import Task\nfrom models.user import User",
            "models/task.py": "from models import user\n\n\nclass Task:\n    pass",
            "models/user.py": "class User:\n    pass",
        },
        {
            "main.py": "import routes.tasks\n" + APP,
            "routes/__init__.py": "from . import tasks, tags",
            "routes/tasks.py": "from . import tags",
            "routes/tags.py": "import routes.tasks",
        },
        # Nobody starts it.
        {"main.py": APP, "a.py": "from b import x\ny = 1", "b.py": "from a import y\nx = 1"},
    ],
)
def test_a_circle_that_python_can_start_is_fine(files: Files, tmp_path: Path) -> None:
    assert circles_of(tmp_path, files) == []


def test_a_chain_longer_than_pythons_stack_ends_with_a_report(tmp_path: Path) -> None:
    files = {f"m{n}.py": f"import m{n + 1}\nx = 1" for n in range(500)} | {"m500.py": ""}
    assert circles_of(tmp_path, {"main.py": "import m0\n" + APP} | files) == []
