"""Rules BP2xx, syntax and imports."""

from validators.rules.base import Example, Rule

_ROUTER = """from fastapi import APIRouter

router = APIRouter(prefix="/api/tasks", tags=["tasks"])
"""

SYNTAX_ERROR = Rule(
    code="BP201",
    name="syntax-error",
    severity="error",
    why=(
        "Python refuses to import a file that it cannot compile, and with it the whole app. "
        "The grammar is that of Python 3.11, the oldest version that a backend must run on."
    ),
    instruction="Write complete files that compile on Python 3.11.",
    fix="Correct the line, or rewrite the file completely.",
    bad=Example(
        _ROUTER
        + """

@router.get("")
def list_tasks() -> list[str]:
    return await load_titles()  # BP201


async def load_titles() -> list[str]:
    return ["Water the plants"]
"""
    ),
    good=Example(
        _ROUTER
        + """

@router.get("")
async def list_tasks() -> list[str]:
    return await load_titles()


async def load_titles() -> list[str]:
    return ["Water the plants"]
"""
    ),
)

UNREADABLE_FILE = Rule(
    code="BP202",
    name="unreadable-file",
    severity="error",
    why=(
        "What could not be read was not checked, and nothing unchecked may pass: a file that is "
        "not UTF-8 text, may not be read, is no regular file, or is nested too deeply."
    ),
    instruction="",
    fix="Save the file as UTF-8 text that this account may read, or take it out of the backend.",
    bad=Example("DEPTH = " + "-" * 250 + "1\n", path="utils/depth.py"),
    good=Example("DEPTH = -1\n", path="utils/depth.py"),
)

UNRESOLVED_MODULE = Rule(
    code="BP203",
    name="unresolved-module",
    severity="error",
    why=(
        "An import of a module that is neither in the backend nor installed stops the app at "
        "its start, or the request that reaches it."
    ),
    instruction=(
        "Import only modules of this backend by their path from the folder of main.py, the "
        "standard library, and packages that are installed: fastapi, starlette, sqlmodel, "
        "sqlalchemy, pydantic, jwt (PyJWT), argon2 (argon2-cffi), dotenv, httpx, psycopg. There is "
        "no jose."
    ),
    fix="Correct the module's name, write the module, or install the package.",
    bad=Example("from jose import jwt  # BP203\n\n" + _ROUTER),
    good=Example("import jwt\n\n" + _ROUTER),
)

UNRESOLVED_NAME = Rule(
    code="BP204",
    name="unresolved-name",
    severity="error",
    why="Importing a name that its module does not have stops the app at its start.",
    instruction=(
        "Import a name only from a module that defines it in the version that is installed; "
        "when you rename something, change every file that imports it."
    ),
    fix="Correct the name, or define it in that module.",
    bad=Example(
        "from fastapi import APIRouter\n\nfrom models import Taks  # BP204\n\n"
        "router = APIRouter()\n"
    ),
    good=Example(
        "from fastapi import APIRouter\n\nfrom models import Task\n\n"
        "router = APIRouter(tags=[Task.__name__])\n"
    ),
)

CIRCULAR_IMPORT = Rule(
    code="BP205",
    name="circular-import",
    severity="error",
    why=(
        "Two modules that import each other start only where neither needs a name of the other "
        "before that name is bound. Otherwise the app stops with an ImportError."
    ),
    instruction=(
        "Let imports run one way: main imports routes, routes import dependencies and schemas, "
        "those import models, database and utils. Nothing imports main or routes."
    ),
    fix="Move what both modules need into a third one that imports neither.",
    bad=Example(
        "from fastapi import APIRouter\n\nfrom main import app  # BP205\n\n"
        "router = APIRouter(tags=[app.title])\n"
    ),
    good=Example(
        "from fastapi import APIRouter, Request\n\nrouter = APIRouter()\n\n\n"
        '@router.get("/api/title")\ndef get_title(request: Request) -> str:\n'
        "    title: str = request.app.title\n    return title\n"
    ),
)

RELATIVE_IMPORT = Rule(
    code="BP206",
    name="relative-import-outside-package",
    severity="error",
    why=(
        "A leading dot means the package around the module. A module that is started from its "
        "own folder has none, and Python refuses the import."
    ),
    instruction="Import modules of the backend absolutely, as in `from models import Task`.",
    fix="Write the import without the leading dot, from the folder that holds the app.",
    bad=Example("from .models import Task  # BP206\n\nNAMES = [Task.__name__]\n", path="seeds.py"),
    good=Example("from models import Task\n\nNAMES = [Task.__name__]\n", path="seeds.py"),
)

SHADOWED_LIBRARY = Rule(
    code="BP207",
    name="shadowed-library",
    severity="error",
    why=(
        "The backend's folder comes first on Python's path: a module there hides the installed "
        "package of the same name from everybody, the frameworks included."
    ),
    instruction=(
        "Never name a module next to main.py like a package that is used: no jwt.py, no "
        "fastapi.py, no typing.py. utils/jwt.py is fine."
    ),
    fix="Rename the module, or move it into a package such as utils/.",
    bad=Example("SETTINGS = {}  # BP207\n", path="sqlalchemy.py"),
    good=Example("SETTINGS: dict[str, str] = {}\n", path="utils/sqlalchemy.py"),
)

SHADOWED_MODULE = Rule(
    code="BP208",
    name="shadowed-module",
    severity="warning",
    why=(
        "Where a package and a module have the same name, Python imports the package; the "
        "module's code never runs, whatever it says."
    ),
    instruction="Never write both name.py and name/__init__.py.",
    fix="Delete the module, or move its code into the package.",
    bad=Example("ROUTES: list[str] = []  # BP208\n", path="routes.py"),
    good=Example("ROUTES: list[str] = []\n", path="utils/routes.py"),
)

RULES: tuple[Rule, ...] = (
    SYNTAX_ERROR,
    UNREADABLE_FILE,
    UNRESOLVED_MODULE,
    UNRESOLVED_NAME,
    CIRCULAR_IMPORT,
    RELATIVE_IMPORT,
    SHADOWED_LIBRARY,
    SHADOWED_MODULE,
)
