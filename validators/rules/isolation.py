"""Rules BP3xx, isolation: every query bound to the signed-in user."""

from validators.rules.base import Example, Rule

_HEAD = '''"""Endpoints for tasks."""

from fastapi import APIRouter, HTTPException
from sqlmodel import select

from dependencies import CurrentUser, DatabaseSession
from models import Task

router = APIRouter(prefix="/api/tasks", tags=["tasks"])


'''

_SAFE_LIST = Example(
    _HEAD.replace(", HTTPException", "")
    + '''@router.get("")
def list_tasks(session: DatabaseSession, current_user: CurrentUser) -> list[Task]:
    """List the user's tasks."""
    statement = select(Task).where(Task.user_id == current_user.id)
    return list(session.exec(statement).all())
'''
)

LEAK = Rule(
    code="BP301",
    name="query-not-isolated",
    severity="error",
    why=(
        "A query that is not bound to the signed-in user reads or changes everybody's rows. "
        "Whoever guesses an id, or just asks for the list, gets what belongs to others."
    ),
    instruction=(
        "Compare the owner column of every owned model with the id of the signed-in user, in the "
        "query itself: `select(Task).where(Task.id == task_id, Task.user_id == current_user.id)`."
    ),
    fix="Compare the owner column with the signed-in user's id in the query's predicate.",
    bad=Example(
        _HEAD
        + '''@router.get("/{task_id}")
def get_task(
    task_id: int, session: DatabaseSession, current_user: CurrentUser
) -> dict[str, str]:
    """Return a task."""
    task = session.get(Task, task_id)  # BP301
    if task is None:
        raise HTTPException(404, f"{current_user.name}, there is no such task")
    return {"title": task.title}
'''
    ),
    good=Example(
        _HEAD
        + '''@router.get("/{task_id}")
def get_task(
    task_id: int, session: DatabaseSession, current_user: CurrentUser
) -> dict[str, str]:
    """Return a task of the user."""
    statement = select(Task).where(Task.id == task_id, Task.user_id == current_user.id)
    task = session.exec(statement).first()
    if task is None:
        raise HTTPException(404, f"{current_user.name}, there is no such task")
    return {"title": task.title}
'''
    ),
)

UNPROVEN = Rule(
    code="BP302",
    name="query-unproven",
    severity="error",
    why=(
        "Where the analysis cannot follow a value, nobody can say whose rows the query reaches. "
        "What cannot be proven is not called safe."
    ),
    instruction=(
        "Write predicates on owner columns plainly, where the query stands: no column names from "
        "variables, no predicates from functions of other packages."
    ),
    fix="Write the comparison with the signed-in user's id where the query stands.",
    bad=Example(
        _HEAD.replace(", HTTPException", "").replace(
            "from models import Task",
            "from models import Task\nfrom utils.settings import BETTER_AUTH_SECRET",
        )
        + '''@router.get("")
def list_tasks(session: DatabaseSession, current_user: CurrentUser) -> list[Task]:
    """List tasks by a column whose name is not constant."""
    column = getattr(Task, str(BETTER_AUTH_SECRET)[:7])
    statement = select(Task).where(column == current_user.id)  # BP302
    return list(session.exec(statement).all())
'''
    ),
    good=_SAFE_LIST,
)

NO_AUTHENTICATION = Rule(
    code="BP303",
    name="no-authentication",
    severity="error",
    why="A route that reaches rows of users and never asks for a token serves them to anybody.",
    instruction=(
        "Give every route that touches owned data the dependency that returns the signed-in user."
    ),
    fix="Add the dependency that returns the signed-in user, and bind the query to it.",
    bad=Example(
        _HEAD.replace(", HTTPException", "").replace("CurrentUser, ", "")
        + '''@router.get("/latest")  # BP303
def latest_task(session: DatabaseSession) -> Task | None:
    """Return the newest task."""
    return session.exec(select(Task)).first()
'''
    ),
    good=_SAFE_LIST,
)

_AUTH_HEAD = '''"""Dependencies that the routes share."""

from typing import Annotated

import jwt
from fastapi import Depends, HTTPException
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from sqlmodel import Session

from database import get_db
from models import User
from utils.settings import BETTER_AUTH_SECRET

bearer = HTTPBearer(auto_error=False)
Credentials = Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)]
DatabaseSession = Annotated[Session, Depends(get_db)]


'''
_AUTH_TAIL = """

CurrentUser = Annotated[User, Depends(get_current_user)]
"""
_VERIFIED = Example(
    _AUTH_HEAD
    + '''def get_current_user(credentials: Credentials, session: DatabaseSession) -> User:
    """Return the user whom the token names."""
    if credentials is None:
        raise HTTPException(401, "Sign in first")
    try:
        token = credentials.credentials
        claims = jwt.decode(token, BETTER_AUTH_SECRET, algorithms=["HS256"])
    except jwt.InvalidTokenError as error:
        raise HTTPException(401, "The token is not valid") from error
    user = session.get(User, claims["sub"])
    if user is None:
        raise HTTPException(401, "There is no such user")
    return user
'''
    + _AUTH_TAIL,
    path="dependencies.py",
)

UNVERIFIED_IDENTITY = Rule(
    code="BP304",
    name="unverified-identity",
    severity="error",
    why=(
        "Who is signed in is known only from something that the sender cannot make up: a token "
        "whose signature was verified. A header, a cookie with a plain id, or a token that is "
        "only decoded says whatever its sender wants."
    ),
    instruction=(
        "Take the user's id from a token whose signature was verified, with a fixed list of "
        "algorithms; never from a header, the body, the path, or an unverified decode."
    ),
    fix="Verify the token's signature with a fixed list of algorithms, and use its subject.",
    bad=Example(
        _AUTH_HEAD.replace("from utils.settings import BETTER_AUTH_SECRET\n", "")
        + '''def get_current_user(credentials: Credentials, session: DatabaseSession) -> User:
    """Return the user whom the token claims to name."""
    if credentials is None:
        raise HTTPException(401, "Sign in first")
    token = credentials.credentials
    claims = jwt.decode(token, options={"verify_signature": False})  # BP304
    user = session.get(User, claims["sub"])
    if user is None:
        raise HTTPException(401, "There is no such user")
    return user
'''
        + _AUTH_TAIL,
        path="dependencies.py",
    ),
    good=_VERIFIED,
)

_CREATE_HEAD = '''"""Endpoints for tasks."""

from fastapi import APIRouter
from pydantic import BaseModel

from dependencies import CurrentUser, DatabaseSession
from models import Task

router = APIRouter(prefix="/api/tasks", tags=["tasks"])


'''
_SAFE_CREATE = Example(
    _CREATE_HEAD
    + '''class TaskIn(BaseModel):
    """A new task."""

    title: str


@router.post("", status_code=201)
def create_task(
    data: TaskIn, session: DatabaseSession, current_user: CurrentUser
) -> Task:
    """Create a task for the signed-in user."""
    task = Task(**data.model_dump(), user_id=current_user.id)
    session.add(task)
    session.commit()
    return task
'''
)

OWNER_FROM_REQUEST = Rule(
    code="BP305",
    name="owner-from-request",
    severity="error",
    why=(
        "An owner column that the request fills lets anybody write rows in somebody else's name: "
        "mass assignment, where the body has a field that the endpoint never meant to accept."
    ),
    instruction=(
        "Set the owner column of a new row from the signed-in user, and keep it out of request "
        "bodies; never use a table model as a request body."
    ),
    fix="Set the owner column from the signed-in user, and remove it from the request's body.",
    bad=Example(
        _CREATE_HEAD
        + '''class TaskIn(BaseModel):
    """A new task."""

    title: str
    user_id: str


@router.post("", status_code=201)
def create_task(
    data: TaskIn, session: DatabaseSession, current_user: CurrentUser
) -> dict[str, str]:
    """Create a task for whomever the body names."""
    task = Task(**data.model_dump())  # BP305
    session.add(task)
    session.commit()
    return {"title": task.title, "by": current_user.name}
'''
    ),
    good=_SAFE_CREATE,
)

_NOTES = '''"""Endpoints for notes on tasks."""

from fastapi import APIRouter, HTTPException
from sqlmodel import Field, SQLModel, select

from dependencies import CurrentUser, DatabaseSession
from models import Task

router = APIRouter(prefix="/api/tasks", tags=["notes"])


class Note(SQLModel, table=True):
    """A note on a task."""

    id: int | None = Field(default=None, primary_key=True)
    task_id: int = Field(foreign_key="task.id")
    text: str


@router.post("/{task_id}/notes", status_code=201)
def add_note(
    task_id: int, text: str, session: DatabaseSession, current_user: CurrentUser
) -> Note:
    """Add a note to a task."""
'''
_NOTES_TAIL = """    session.add(note)
    session.commit()
    return note
"""

UNCHECKED_PARENT = Rule(
    code="BP306",
    name="unchecked-parent",
    severity="error",
    why=(
        "A foreign key that is stored as the request gives it plants a row below somebody else's: "
        "it shows up in their lists, and opens what is reached through it."
    ),
    instruction=(
        "Before a foreign key to an owned model is stored, fetch that row with the signed-in "
        "user in the predicate and answer 404 where there is none."
    ),
    fix="Fetch the parent with the signed-in user in the predicate before its key is stored.",
    bad=Example(
        _NOTES.replace(", HTTPException", "")
        .replace(", select", "")
        .replace("from models import Task\n", "")
        + """    text = f"{current_user.name}: {text}"
    note = Note(task_id=task_id, text=text)  # BP306
"""
        + _NOTES_TAIL
    ),
    good=Example(
        _NOTES
        + """    statement = select(Task).where(Task.id == task_id, Task.user_id == current_user.id)
    if session.exec(statement).first() is None:
        raise HTTPException(404, "Task not found")
    note = Note(task_id=task_id, text=text)
"""
        + _NOTES_TAIL
    ),
)

_OWNER_CHANGE = (
    _HEAD
    + '''@router.patch("/{task_id}")
def update_task(
    task_id: int, value: str, session: DatabaseSession, current_user: CurrentUser
) -> Task:
    """Change a task of the user."""
    statement = select(Task).where(Task.id == task_id, Task.user_id == current_user.id)
    task = session.exec(statement).first()
    if task is None:
        raise HTTPException(404, "Task not found")
'''
)

OWNER_CHANGED = Rule(
    code="BP307",
    name="owner-changed",
    severity="error",
    why=(
        "An update that writes the owner column hands a row to somebody who never asked for it; "
        "one that takes a row by an old offer takes it from whoever owns it by now."
    ),
    instruction=(
        "Keep owner columns out of update bodies, `setattr` loops and `sqlmodel_update`. A row "
        "gets another owner only from a recipient who accepts an offer while the sender owns it."
    ),
    fix="Leave the owner column out of what an update writes.",
    bad=Example(
        _OWNER_CHANGE
        + """    task.user_id = value  # BP307
    session.commit()
    return task
"""
    ),
    good=Example(
        _OWNER_CHANGE
        + """    task.title = value
    session.commit()
    return task
"""
    ),
)

CONSTANT_SECRET = Rule(
    code="BP308",
    name="constant-secret",
    severity="error",
    why=(
        "Whoever knows the signing secret signs tokens for everybody. A constant in the source, "
        "or a fallback for a missing variable, is known to everybody who reads the source."
    ),
    instruction=(
        "Read signing secrets from the environment without a fallback, and stop the start-up "
        "with a sentence where one is missing."
    ),
    fix="Read the secret from the environment, without a default, and refuse to start without it.",
    bad=Example(
        _VERIFIED.code.replace(
            "from utils.settings import BETTER_AUTH_SECRET\n", '\nAPP_NAME = "tasks"  # BP308\n'
        ).replace("BETTER_AUTH_SECRET", "APP_NAME"),
        path="dependencies.py",
    ),
    good=_VERIFIED,
)

OPTIONAL_AUTHENTICATION = Rule(
    code="BP309",
    name="optional-authentication",
    severity="error",
    why=(
        "A dependency that goes on without a token, with nobody or with a stand-in user, is no "
        "lock: whoever sends no token gets that user's rows, or everybody's."
    ),
    instruction=(
        "Let the dependency that returns the signed-in user answer 401 where the token is missing "
        "or not valid; no default user, no None."
    ),
    fix="Raise a 401 here instead of returning a stand-in.",
    bad=Example(
        _VERIFIED.code.replace(
            '        raise HTTPException(401, "Sign in first")\n',
            '        return session.get(User, "demo")  # BP309\n',
        ).replace("-> User:", "-> User | None:"),
        path="dependencies.py",
    ),
    good=_VERIFIED,
)

UNREACHED = Rule(
    code="BP310",
    name="query-unreached",
    severity="warning",
    why=(
        "No route reaches this query and it is not bound to a user by itself, so its isolation "
        "depends on who will call it."
    ),
    instruction="",
    fix="Remove the function if nothing uses it, or pass it the signed-in user and compare.",
    bad=Example(
        _SAFE_LIST.code
        + '''

def newest_task(session: DatabaseSession) -> Task | None:
    """Return the newest task of all."""
    return session.exec(select(Task)).first()  # BP310
'''
    ),
    good=_SAFE_LIST,
)

UNKNOWN_DEPENDENCY = Rule(
    code="BP311",
    name="unknown-dependency",
    severity="error",
    why=(
        "A dependency of another package may verify the token or may not. Its code is not part "
        "of the backend, so nothing that rests on it is proven."
    ),
    instruction=(
        "Verify tokens in the backend's own code, with a JWT library, so that it can be followed."
    ),
    fix=(
        "Declare the dependency under `identity-dependencies` in the settings if it verifies the "
        "token, or verify the token in the backend."
    ),
    bad=Example(
        _AUTH_HEAD.split("from typing", maxsplit=1)[0]
        + """from typing import Annotated

from fastapi import Depends
from fastapi.openapi.utils import get_openapi
from sqlmodel import Session

from database import get_db
from models import User

DatabaseSession = Annotated[Session, Depends(get_db)]
CurrentUser = Annotated[User, Depends(get_openapi)]  # BP311
""",
        path="dependencies.py",
    ),
    good=_VERIFIED,
)

ENVIRONMENT_SHOWN = Rule(
    code="BP312",
    name="environment-shown",
    severity="error",
    why=(
        "A route that returns the environment, or a secret from it, gives away the signing secret "
        "and with it every account."
    ),
    instruction="Never return environment variables or settings from a route.",
    fix="Remove the route, or return only what is meant to be known.",
    bad=Example(
        '''"""Endpoints for operations."""

import os

from fastapi import APIRouter

router = APIRouter(prefix="/api/debug", tags=["debug"])


@router.get("/environment")
def environment() -> dict[str, str]:
    """Return the environment."""
    return dict(os.environ)  # BP312
'''
    ),
    good=_SAFE_LIST,
)

RULES: tuple[Rule, ...] = (
    LEAK,
    UNPROVEN,
    NO_AUTHENTICATION,
    UNVERIFIED_IDENTITY,
    OWNER_FROM_REQUEST,
    UNCHECKED_PARENT,
    OWNER_CHANGED,
    CONSTANT_SECRET,
    OPTIONAL_AUTHENTICATION,
    UNREACHED,
    UNKNOWN_DEPENDENCY,
    ENVIRONMENT_SHOWN,
)

_BY_CODE = {rule.code: rule for rule in RULES}


def rule(code: str) -> Rule:
    """Return the rule of this family with a code."""
    return _BY_CODE[code]
