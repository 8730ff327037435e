"""Rules BP5xx, what keeps a backend from starting."""

from validators.rules.base import Example, Rule

_MAIN = """from fastapi import FastAPI

from database import create_tables
from routes import tasks
{imports}
{before}
app = FastAPI()
app.include_router(tasks.router)
create_tables()
{after}"""


def _main(*, imports: str = "", before: str = "", after: str = "") -> Example:
    return Example(_MAIN.format(imports=imports, before=before, after=after), path="main.py")


_PLAIN = _main()

IMPORT_FAILED = Rule(
    code="BP501",
    name="boot-import-failed",
    severity="error",
    why="The app cannot be imported, so that no server can start it.",
    instruction="Import only names that exist, from the standard library, the installed packages "
    "or the backend's own files, and keep imports free of cycles.",
    fix="Correct the import, or install the package that it needs.",
    bad=_main(imports="import importlib\n\nimportlib.import_module('routes.labels')  # BP501\n"),
    good=_PLAIN,
)

VARIABLE_MISSING = Rule(
    code="BP502",
    name="boot-variable-missing",
    severity="error",
    why="The app stops at its start because an environment variable is not set that the check, "
    "or a deployment, does not know of.",
    instruction="Read DATABASE_URL and BETTER_AUTH_SECRET from the environment; give every other "
    "setting a default.",
    fix='Give the setting a default, or read it as `os.environ["NAME"]` so that the check sees it.',
    bad=_main(
        imports="import os\n",
        before='\nfor name in ["REGION"]:\n    os.environ[name]  # BP502\n',
    ),
    good=_main(imports="import os\n", before='\nREGION = os.getenv("REGION", "eu")\n'),
)

EXCEPTION = Rule(
    code="BP503",
    name="boot-exception",
    severity="error",
    why="Code that runs at import raises an exception, so that no server can start the app.",
    instruction="Do nothing at import that can fail, configuration errors aside.",
    fix="Correct the line that raises, or move the work out of the import.",
    bad=_main(before='\nSTEPS = int("many")  # BP503\n'),
    good=_main(before='\nSTEPS = int("12")\n'),
)

EXIT = Rule(
    code="BP504",
    name="boot-exit",
    severity="error",
    why="The app ends its own process while it starts.",
    instruction="Never end the process from application code.",
    fix="Take the exit out, or raise an exception that says what is missing.",
    bad=_main(imports="import sys\n", before="\nsys.exit(3)  # BP504\n"),
    good=_PLAIN,
)

HANG = Rule(
    code="BP505",
    name="boot-hang",
    severity="error",
    why="The app does not finish starting: a server would never answer.",
    instruction="Do not wait, loop or sleep while the app is imported or started.",
    fix="Take the waiting out of the start-up, or do it in a background task.",
    bad=_main(imports="import time\n", before="\ntime.sleep(3600)  # BP505\n"),
    good=_PLAIN,
)

RESOURCES = Rule(
    code="BP506",
    name="boot-resources",
    severity="error",
    why="The app was stopped because it used more memory, processes, output or processor time "
    "than a backend needs to start.",
    instruction="Start no processes, print little and hold little in memory.",
    fix="Take out what uses so much.",
    bad=_main(imports="import os\n", before="\nwhile True:\n    os.write(1, b'.' * 65536)\n"),
    good=_PLAIN,
)

NO_APP = Rule(
    code="BP507",
    name="boot-no-app",
    severity="error",
    why="The name that a server looks for is missing, or is no ASGI app.",
    instruction="Define `app = FastAPI(...)` in main.py.",
    fix="Define `app = FastAPI(...)` there, or name the app: `backendpro check --app main:app`.",
    bad=Example("from fastapi import FastAPI\n\napp = FastAPI()\ndel app\n", path="main.py"),
    good=_PLAIN,
)

TABLES = Rule(
    code="BP508",
    name="boot-tables",
    severity="error",
    why="PostgreSQL refuses the tables as the models describe them.",
    instruction="Map Better Auth's user table with `id: str`, and give every foreign key the type "
    "of the column that it points to.",
    fix="Give the column the type that PostgreSQL asks for.",
    bad=Example(
        """from sqlmodel import Field, SQLModel


class User(SQLModel, table=True):
    __tablename__ = "user"

    id: int | None = Field(default=None, primary_key=True)
    name: str
    email: str


class Task(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    user_id: int = Field(foreign_key="user.id")  # BP508
    title: str
""",
        path="models.py",
    ),
    good=Example(
        """from sqlmodel import Field, SQLModel


class User(SQLModel, table=True):
    __tablename__ = "user"

    id: str = Field(primary_key=True)
    name: str
    email: str


class Task(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    user_id: str = Field(foreign_key="user.id")
    title: str
""",
        path="models.py",
    ),
)

START_UP = Rule(
    code="BP509",
    name="boot-start-up",
    severity="error",
    why="The app is imported, but its start-up code fails, and servers stop there.",
    instruction="Keep the lifespan function to what cannot fail: creating tables, opening pools.",
    fix="Correct the line that raises.",
    bad=Example(
        """from contextlib import asynccontextmanager

from fastapi import FastAPI


@asynccontextmanager
async def lifespan(app):
    {}["cache"].warm_up()  # BP509
    yield


app = FastAPI(lifespan=lifespan)
""",
        path="main.py",
    ),
    good=_PLAIN,
)

SERVICE = Rule(
    code="BP510",
    name="boot-service-missing",
    severity="error",
    why="The app talks to a service while it starts. The check has no network, only PostgreSQL, "
    "and in production the app would not start whenever that service is away.",
    instruction="Contact no service but the database while the app starts.",
    fix="Open the connection when it is first needed.",
    bad=_main(
        imports="import urllib.request\n",
        before='\nurllib.request.urlopen("http://localhost:6379")  # BP510\n',
    ),
    good=_PLAIN,
)

USER_TABLE = Rule(
    code="BP511",
    name="boot-user-table-changed",
    severity="error",
    why="Better Auth owns its tables; a backend that alters them breaks sign-in.",
    instruction="Never create or alter Better Auth's tables: user, session, account, verification "
    "and jwks.",
    fix="Map the columns that are needed, and leave the table as it is.",
    bad=_main(
        imports="from sqlalchemy import text\n\nfrom database import engine\n",
        after="with engine.begin() as link:\n"
        "    link.execute(text('ALTER TABLE \"user\" ADD age int'))\n",
    ),
    good=_PLAIN,
)

PROTOCOL = Rule(
    code="BP512",
    name="boot-interference",
    severity="error",
    why="The backend disturbs the process that checks it, so that nothing it says can be trusted.",
    instruction="",
    fix="Take out the code that writes to descriptors or replaces functions it does not own.",
    bad=_main(
        imports="import os\n",
        before="\nfor number in range(3, 64):\n    try:\n        os.write(number, b'forged')\n"
        "    except OSError:\n        pass\n",
    ),
    good=_PLAIN,
)

SANDBOX = Rule(
    code="BP513",
    name="boot-sandbox-incomplete",
    severity="warning",
    why="The system refuses a layer of the sandbox, so that hostile code could do more than it "
    "should. The check goes on with the layers that it has.",
    instruction="",
    fix="Check on a Linux kernel that allows user namespaces and Landlock.",
    bad=Example("# Any backend, where a container forbids user namespaces.\n", path="notes.py"),
    good=Example(
        "# Any backend, on a Linux kernel with user namespaces and Landlock.\n", path="notes.py"
    ),
)

RULES: tuple[Rule, ...] = (
    IMPORT_FAILED,
    VARIABLE_MISSING,
    EXCEPTION,
    EXIT,
    HANG,
    RESOURCES,
    NO_APP,
    TABLES,
    START_UP,
    SERVICE,
    USER_TABLE,
    PROTOCOL,
    SANDBOX,
)
