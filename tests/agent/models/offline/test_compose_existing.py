"""What is added to an existing backend, composed before or written by others."""

import ast
import difflib
from collections.abc import Iterator

import pytest

from agent.errors import InputError, RequestNotUnderstoodError
from agent.models.offline.blueprint import AgentEndpoint, Blueprint, FieldKind, Parent
from agent.models.offline.compose import compose
from agent.reply import SourceFile
from tests.agent.models.offline import blueprints
from tests.agent.models.offline.blueprints import named, spec
from tests.agent.models.offline.serving import Postgres, Served, serve, write_files

TASKS = compose(blueprints.TASKS)
CHORES = compose(blueprints.AGENTS)
NOTES = Blueprint(resources=(named("note", "notes"),))

# A backend as others write it: own names, integer user ids, no aliases, no shared schemas.
OTHERS = (
    SourceFile(
        "backend/database.py",
        """import os
from collections.abc import Generator

from sqlmodel import Session, SQLModel, create_engine

engine = create_engine(os.environ["DATABASE_URL"])


def init_db() -> None:
    SQLModel.metadata.create_all(engine)


def get_session() -> Generator[Session, None, None]:
    with Session(engine) as session:
        yield session
""",
    ),
    SourceFile(
        "backend/models.py",
        """from datetime import datetime, timezone
from typing import Optional

from sqlmodel import Field, SQLModel


class Account(SQLModel, table=True):
    __tablename__ = "user"

    id: Optional[int] = Field(default=None, primary_key=True)
    email: str


class TodoBase(SQLModel):
    title: str
    done: bool = False


class Todo(TodoBase, table=True):
    id: Optional[int] = Field(default=None, primary_key=True)
    owner_id: int = Field(foreign_key="user.id", index=True)
    created_at: datetime = Field(default_factory=lambda: datetime.now(timezone.utc))
""",
    ),
    SourceFile(
        "backend/dependencies.py",
        """import os

import jwt
from fastapi import Depends, HTTPException
from fastapi.security import HTTPBearer
from sqlmodel import Session

from database import get_session
from models import Account


def get_current_user(
    credentials=Depends(HTTPBearer()), session: Session = Depends(get_session)
) -> Account:
    secret = os.environ["BETTER_AUTH_SECRET"]
    try:
        claims = jwt.decode(credentials.credentials, secret, algorithms=["HS256"])
    except jwt.PyJWTError:
        raise HTTPException(status_code=401)
    user = session.get(Account, int(claims["sub"]))
    if user is None:
        raise HTTPException(status_code=401)
    return user
""",
    ),
    SourceFile("backend/routes/__init__.py", ""),
    SourceFile(
        "backend/routes/todos.py",
        """from fastapi import APIRouter, Depends
from sqlmodel import Session

from database import get_session
from dependencies import get_current_user
from models import Account, Todo

router = APIRouter(prefix="/api/todos")


@router.post("", status_code=201)
def create_todo(
    title: str,
    session: Session = Depends(get_session),
    user: Account = Depends(get_current_user),
) -> Todo:
    todo = Todo(title=title, owner_id=user.id)
    session.add(todo)
    session.commit()
    session.refresh(todo)
    return todo
""",
    ),
    SourceFile(
        "backend/main.py",
        """from contextlib import asynccontextmanager

from fastapi import FastAPI

from database import init_db
from routes import todos


@asynccontextmanager
async def lifespan(app: FastAPI):
    init_db()
    yield


def create_app() -> FastAPI:
    app = FastAPI(lifespan=lifespan)
    app.include_router(todos.router)
    return app


app = create_app()
""",
    ),
)

STEPS = Blueprint(
    resources=(
        named(
            "step",
            "steps",
            fields=(
                spec("name", FieldKind.TEXT, is_required=True),
                spec("cost", FieldKind.MONEY),
                spec("state", FieldKind.CHOICE, choices=("open", "closed"), default="open"),
            ),
            parents=(Parent(name="todo", resource="todo"),),
        ),
    ),
    has_me=True,
)


def changed(new: tuple[SourceFile, ...], old: tuple[SourceFile, ...]) -> dict[str, str]:
    before = {file.path: file.code for file in old}
    return {file.path: file.code for file in new if file.path in before}


def without(path: str) -> tuple[SourceFile, ...]:
    return tuple(file for file in OTHERS if file.path != f"backend/{path}")


def replaced(path: str, before: str, after: str) -> tuple[SourceFile, ...]:
    return tuple(
        SourceFile(file.path, file.code.replace(before, after))
        if file.path == f"backend/{path}"
        else file
        for file in OTHERS
    )


@pytest.mark.parametrize(
    ("blueprint", "existing"),
    [(blueprints.COMMENTS, CHORES), (NOTES, TASKS), (STEPS, OTHERS), (NOTES, OTHERS)],
)
def test_existing_lines_all_stay_and_in_their_order(
    blueprint: Blueprint, existing: tuple[SourceFile, ...]
) -> None:
    before = {file.path: file.code for file in existing}
    after = changed(compose(blueprint, existing), existing)
    assert set(after) == {"backend/main.py", "backend/models.py"}
    for path, code in after.items():
        ast.parse(code)
        old, new = before[path].splitlines(), code.splitlines()
        differences = difflib.ndiff(old, new)
        removed = [line[2:] for line in differences if line.startswith("- ")]
        # Only an import of one line may have become longer.
        assert [line for line in removed if not line.startswith("from typing import")] == []


def test_a_folder_becomes_a_package_only_where_something_is_put_in_it() -> None:
    paths = {file.path for file in compose(STEPS, OTHERS)}
    assert "backend/schemas/__init__.py" in paths
    assert "backend/utils/__init__.py" not in paths


def test_names_of_the_existing_backend_are_reused() -> None:
    routes = {file.path: file.code for file in compose(NOTES, TASKS)}["backend/routes/notes.py"]
    assert "from dependencies import CurrentUser, DatabaseSession" in routes
    assert "from schemas.error import NOT_FOUND, READ_ERRORS, WRITE_ERRORS" in routes
    others = {file.path: file.code for file in compose(STEPS, OTHERS)}["backend/routes/steps.py"]
    assert "CurrentUser = Annotated[Account, Depends(get_current_user)]" in others
    assert "DatabaseSession = Annotated[Session, Depends(get_session)]" in others
    assert "Todo.owner_id == current_user.id" in others


def test_parents_that_we_composed_are_checked_by_their_own_function() -> None:
    code = {file.path: file.code for file in compose(blueprints.COMMENTS, CHORES)}
    assert "from routes.chores import get_own_chore" in code["backend/routes/comments.py"]


@pytest.fixture(scope="module")
def extended(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("others")
    write_files(folder, OTHERS)
    backend = write_files(folder, compose(STEPS, OTHERS))
    with serve(backend, postgres, "int") as served:
        yield served


def test_what_was_added_to_a_foreign_backend_works(extended: Served) -> None:
    owner, intruder = extended.owner, extended.intruder
    todo = owner.post("/api/todos", params={"title": "x"}).json()
    step = owner.post("/api/steps", json={"todo_id": todo["id"], "name": "s", "cost": 1.5})
    assert step.status_code == 201, step.text
    path = f"/api/steps/{step.json()['id']}"
    assert owner.patch(path, json={"state": "closed"}).json()["state"] == "closed"
    assert owner.get("/api/me").json() == {"id": 1, "email": "user0@example.com"}
    assert intruder.get(path).status_code == 404
    planted = intruder.post("/api/steps", json={"todo_id": todo["id"], "name": "s"})
    assert planted.status_code == 404


@pytest.mark.parametrize(
    ("existing", "words"),
    [
        (without("main.py"), "main.py"),
        (without("models.py"), "models.py"),
        (without("database.py"), "database.py"),
        (without("dependencies.py"), "dependencies.py"),
        (replaced("models.py", "table=True", "table=True:"), "models.py"),
        (replaced("database.py", "def get_session", "async def get_session"), "asynchronous"),
        (replaced("database.py", "yield", "return"), "session"),
        (replaced("dependencies.py", "-> Account", "-> dict"), "dict"),
        (replaced("dependencies.py", "-> Account", ""), "get_current_user"),
        (replaced("dependencies.py", "get_current_user", "whoever"), "get_current_user"),
        (replaced("dependencies.py", "from models", "from .models"), "dependencies.py"),
        (replaced("models.py", "Optional[int]", "Optional[float]"), "float"),
        (replaced("main.py", "FastAPI(", "Starlette("), "main.py"),
        (replaced("models.py", "import Optional", "import Optional as sa"), "sa"),
    ],
)
def test_an_unknown_layout_is_refused_with_a_sentence(
    existing: tuple[SourceFile, ...], words: str
) -> None:
    with pytest.raises(InputError) as refusal:
        compose(STEPS, existing)
    assert words in refusal.value.message
    assert refusal.value.message.endswith(".")


@pytest.mark.parametrize(
    ("blueprint", "existing", "words"),
    [
        (blueprints.TASKS, TASKS, "tasks"),
        (Blueprint(resources=(named("todo", "todos"),)), OTHERS, "todos"),
        (blueprints.COMMENTS, OTHERS, "chore"),
        (
            Blueprint(agents=(AgentEndpoint(name="summarize", resource="boat"),)),
            TASKS,
            "boat",
        ),
    ],
)
def test_what_is_there_already_or_missing_is_named(
    blueprint: Blueprint, existing: tuple[SourceFile, ...], words: str
) -> None:
    with pytest.raises(RequestNotUnderstoodError) as refusal:
        compose(blueprint, existing)
    assert words in refusal.value.message
