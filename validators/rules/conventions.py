"""Rules BP4xx, layout and conventions."""

from validators.rules.base import Example, Rule

_MAIN = "from fastapi import FastAPI\n\n{code}\n"

APP_NOT_FOUND = Rule(
    code="BP401",
    name="app-not-found",
    severity="error",
    why="Without an app there is nothing to boot and no route to check, so nothing was proven.",
    instruction="Define the app in main.py, as `app = FastAPI(...)`.",
    fix="Define `app = FastAPI()` in main.py, or name the app with --app module:attribute.",
    bad=Example('"""No app yet."""\n', path="main.py"),
    good=Example(_MAIN.format(code='app = FastAPI(title="Tasks API")'), path="main.py"),
)

MISSING_FILE = Rule(
    code="BP402",
    name="missing-file",
    severity="warning",
    why=(
        "Everybody who knows one of these backends finds their way in the next, because each "
        "thing has its place: tables in models.py, sessions in database.py, the signed-in user "
        "in dependencies.py, endpoints in routes/, bodies in schemas/, helpers in utils/."
    ),
    instruction=(
        "Keep to main.py, models.py, database.py, dependencies.py, routes/, schemas/ and utils/ "
        "in the backend's folder."
    ),
    fix="Put the code where the name says it belongs.",
    bad=Example(
        "from fastapi import FastAPI\n\napp = FastAPI()\n", path="main.py", removes=("schemas",)
    ),
    good=Example("from fastapi import FastAPI\n\napp = FastAPI()\n", path="main.py"),
)

UNFINISHED_CODE = Rule(
    code="BP403",
    name="unfinished-code",
    severity="error",
    why="A function without a body starts and imports well, and fails the first who calls it.",
    instruction="Write every function out; no `...`, no bare `pass`, no NotImplementedError.",
    fix="Write the function's body, or remove the function.",
    bad=Example(
        "from fastapi import APIRouter\n\nrouter = APIRouter()\n\n\n"
        '@router.get("/api/count")\ndef count_tasks() -> int:\n'
        '    """Return how many tasks there are."""\n    ...  # BP403\n'
    ),
    good=Example(
        "from fastapi import APIRouter\n\nrouter = APIRouter()\n\n\n"
        '@router.get("/api/limit")\ndef get_limit() -> int:\n'
        '    """Return how many tasks there may be."""\n    return 100\n'
    ),
)

TODO_COMMENT = Rule(
    code="BP404",
    name="todo-comment",
    severity="warning",
    why="A note to finish something later says that it is not finished now.",
    instruction="Leave nothing for later: no TODO, no FIXME, no `# ...` in place of code.",
    fix="Do what the comment says, then remove it.",
    bad=Example("from fastapi import APIRouter\n\nrouter = APIRouter()\n# TODO: limits  # BP404\n"),
    good=Example('from fastapi import APIRouter\n\nrouter = APIRouter(tags=["TODO"])\n'),
)

MISSING_TYPE_HINT = Rule(
    code="BP405",
    name="missing-type-hint",
    severity="warning",
    why=(
        "FastAPI reads requests by the hints, and every other reader and checker relies on them "
        "too; where one is missing, mistakes pass unseen."
    ),
    instruction="Give every parameter and every return value a type hint.",
    fix="Add the missing hints.",
    bad=Example("def shout(text):  # BP405\n    return text.upper()\n", path="utils/text.py"),
    good=Example("def shout(text: str) -> str:\n    return text.upper()\n", path="utils/text.py"),
)

PYDANTIC_V1 = Rule(
    code="BP406",
    name="pydantic-v1",
    severity="error",
    why=(
        "Pydantic 2 ignores or refuses what only Pydantic 1 knew: with `orm_mode`, a response "
        "made from a table row fails. What still works is deprecated and gives a warning only."
    ),
    instruction=(
        "Use Pydantic 2: model_config = ConfigDict(from_attributes=True), model_dump(), "
        "model_validate(), @field_validator; never class Config, orm_mode, .dict(), @validator."
    ),
    fix="Use the Pydantic 2 name.",
    bad=Example(
        "from pydantic import BaseModel\n\n\nclass TaskResponse(BaseModel):\n    id: int\n\n"
        "    class Config:  # BP406\n        orm_mode = True  # BP406\n",
        path="schemas/brief.py",
    ),
    good=Example(
        "from pydantic import BaseModel, ConfigDict\n\n\nclass TaskResponse(BaseModel):\n"
        "    model_config = ConfigDict(from_attributes=True)\n\n    id: int\n",
        path="schemas/brief.py",
    ),
)

SECRET_IN_SOURCE = Rule(
    code="BP407",
    name="secret-in-source",
    severity="error",
    why=(
        "Whoever reads the code, its history or a copy of it has the secret, and with a signing "
        "secret can be any user. A secret in source cannot be changed without a release."
    ),
    instruction="Read every secret and every database URL from environment variables.",
    fix="Read it from an environment variable, and change the secret: it is known now.",
    bad=Example('API_KEY = "9f2c41d8a07e4b6f"  # BP407\n', path="utils/keys.py"),
    good=Example('import os\n\nAPI_KEY = os.environ["API_KEY"]\n', path="utils/keys.py"),
)

SECRET_FALLBACK = Rule(
    code="BP408",
    name="secret-fallback",
    severity="error",
    why=(
        "Where the variable is missing, the app starts with a secret that everybody knows, and "
        "anybody can sign a token for any user. Nothing shows that this has happened."
    ),
    instruction=(
        "Give no secret a default, not even an empty one: stop the start with a sentence where "
        "the variable is missing."
    ),
    fix="Leave the default out, and raise at start where the variable is not set.",
    bad=Example(
        'import os\n\nJWT_SECRET = os.getenv("JWT_SECRET", "change-me")  # BP408\n',
        path="utils/keys.py",
    ),
    good=Example(
        'import os\n\nJWT_SECRET = os.getenv("JWT_SECRET", "")\nif not JWT_SECRET:\n'
        '    raise SystemExit("JWT_SECRET is not set.")\n',
        path="utils/keys.py",
    ),
)

NAIVE_DATETIME = Rule(
    code="BP409",
    name="naive-datetime",
    severity="error",
    why=(
        "SQLModel refuses a datetime without time zone when the row is written: the app starts, "
        "and every request that writes answers 500. Elsewhere a naive time is a warning: it "
        "means another moment on every machine."
    ),
    instruction=(
        "Write `datetime.now(timezone.utc)`, and `default_factory=lambda: "
        "datetime.now(timezone.utc)`; never datetime.utcnow or datetime.now()."
    ),
    fix="Write datetime.now(timezone.utc); as a default, lambda: datetime.now(timezone.utc).",
    bad=Example(
        "from datetime import datetime\n\nfrom sqlmodel import Field, SQLModel\n\n\n"
        "class Event(SQLModel, table=True):\n"
        "    id: int | None = Field(default=None, primary_key=True)\n"
        "    at: datetime = Field(default_factory=datetime.utcnow)  # BP409\n",
        path="events.py",
    ),
    good=Example(
        "from datetime import datetime, timezone\n\nfrom sqlmodel import Field, SQLModel\n\n\n"
        "class Event(SQLModel, table=True):\n"
        "    id: int | None = Field(default=None, primary_key=True)\n"
        "    at: datetime = Field(default_factory=lambda: datetime.now(timezone.utc))\n",
        path="events.py",
    ),
)

BLOCKING_SESSION = Rule(
    code="BP410",
    name="blocking-session",
    severity="warning",
    why=(
        "A query on a plain Session blocks the event loop: while it runs, an `async def` "
        "function keeps every other request of the process waiting."
    ),
    instruction=(
        "Write `def` for handlers and dependencies that use a Session; `async def` only with "
        "AsyncSession and await."
    ),
    fix="Write `def` in place of `async def`, or use AsyncSession and await its methods.",
    bad=Example(
        "from fastapi import APIRouter\nfrom sqlmodel import text\n\n"
        "from dependencies import DatabaseSession\n\nrouter = APIRouter()\n\n\n"
        '@router.get("/api/time")\n'
        "async def get_time(session: DatabaseSession) -> str:  # BP410\n"
        '    return str(session.execute(text("SELECT now()")).scalar())\n'
    ),
    good=Example(
        "from fastapi import APIRouter\nfrom sqlmodel import text\n\n"
        "from dependencies import DatabaseSession\n\nrouter = APIRouter()\n\n\n"
        '@router.get("/api/time")\n'
        "def get_time(session: DatabaseSession) -> str:\n"
        '    return str(session.execute(text("SELECT now()")).scalar())\n'
    ),
)

USER_ID_TYPE = Rule(
    code="BP411",
    name="user-id-type",
    severity="error",
    why=(
        "Better Auth's `user.id` is TEXT, such as `y7HAjgut…`. PostgreSQL refuses a foreign key "
        "of another type, and no token's subject can be turned into a number."
    ),
    instruction=(
        "Type User.id and every foreign key to it as str; never convert the token's subject "
        "with int()."
    ),
    fix="Write `str`, in the schemas and in the code that reads the token too.",
    bad=Example(
        "from sqlmodel import Field, SQLModel\n\n\nclass Event(SQLModel, table=True):\n"
        "    id: int | None = Field(default=None, primary_key=True)\n"
        '    user_id: int = Field(foreign_key="user.id", index=True)  # BP411\n',
        path="events.py",
    ),
    good=Example(
        "from sqlmodel import Field, SQLModel\n\n\nclass Event(SQLModel, table=True):\n"
        "    id: int | None = Field(default=None, primary_key=True)\n"
        '    user_id: str = Field(foreign_key="user.id", index=True)\n',
        path="events.py",
    ),
)

OPEN_CORS = Rule(
    code="BP412",
    name="open-cors",
    severity="error",
    why=(
        "With credentials allowed, Starlette answers a wildcard by naming whoever asks: every "
        "website may then call the API with its visitor's session and read the answers."
    ),
    instruction="Name the allowed origins one by one; no `*` together with allow_credentials.",
    fix="Read the allowed origins from an environment variable, or leave allow_credentials out.",
    bad=Example(
        "from fastapi import FastAPI\nfrom fastapi.middleware.cors import CORSMiddleware\n\n"
        "app = FastAPI()\napp.add_middleware(  # BP412\n    CORSMiddleware,\n"
        '    allow_origins=["*"],\n    allow_credentials=True,\n)\n',
        path="main.py",
    ),
    good=Example(
        "from fastapi import FastAPI\nfrom fastapi.middleware.cors import CORSMiddleware\n\n"
        "app = FastAPI()\napp.add_middleware(\n    CORSMiddleware,\n"
        '    allow_origins=["https://tasks.example.com"],\n    allow_credentials=True,\n)\n',
        path="main.py",
    ),
)

SWALLOWED_EXCEPTION = Rule(
    code="BP413",
    name="swallowed-exception",
    severity="warning",
    why="What goes wrong there leaves no trace, and the caller goes on as if nothing had.",
    instruction="Catch only the exceptions you expect, and answer or log them.",
    fix="Name the exception that is expected here, or log it.",
    bad=Example(
        "def to_number(text: str) -> int | None:\n    try:\n        return int(text)\n"
        "    except Exception:  # BP413\n        pass\n    return None\n",
        path="utils/numbers.py",
    ),
    good=Example(
        "def to_number(text: str) -> int | None:\n    try:\n        return int(text)\n"
        "    except ValueError:\n        return None\n",
        path="utils/numbers.py",
    ),
)

USER_TABLE_COLUMN = Rule(
    code="BP414",
    name="user-table-column",
    severity="error",
    why=(
        "Better Auth names its columns createdAt, updatedAt and emailVerified. A mapping with "
        "other names asks PostgreSQL for columns that do not exist, in every query for a user."
    ),
    instruction=(
        "Map only id, name and email of Better Auth's user table; where another column is "
        'needed, name it: `sa_column_kwargs={"name": "createdAt"}`.'
    ),
    fix="Leave the column out, or give the name that it has in the table.",
    bad=Example(
        "from datetime import datetime\n\nfrom sqlmodel import Field, SQLModel\n\n\n"
        "class User(SQLModel, table=True):\n    id: str = Field(primary_key=True)\n"
        "    created_at: datetime  # BP414\n",
        path="accounts.py",
    ),
    good=Example(
        "from datetime import datetime\n\nfrom sqlmodel import Field, SQLModel\n\n\n"
        "class User(SQLModel, table=True):\n    id: str = Field(primary_key=True)\n"
        '    created_at: datetime = Field(sa_column_kwargs={"name": "createdAt"})\n',
        path="accounts.py",
    ),
)

RULES: tuple[Rule, ...] = (
    APP_NOT_FOUND,
    MISSING_FILE,
    UNFINISHED_CODE,
    TODO_COMMENT,
    MISSING_TYPE_HINT,
    PYDANTIC_V1,
    SECRET_IN_SOURCE,
    SECRET_FALLBACK,
    NAIVE_DATETIME,
    BLOCKING_SESSION,
    USER_ID_TYPE,
    OPEN_CORS,
    SWALLOWED_EXCEPTION,
    USER_TABLE_COLUMN,
)
