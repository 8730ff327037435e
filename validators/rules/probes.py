"""Rules BP6xx, what the experiments on the booted app showed."""

from validators.report import Severity
from validators.rules.base import Example, Rule

_ROUTER = """from typing import Annotated

from fastapi import APIRouter, Depends, Header, HTTPException
from sqlmodel import Field, SQLModel, select, update

from dependencies import CurrentUser, DatabaseSession
from models import Task
from schemas.common import RequestBody, RowId, Text
from schemas.task import TaskCreate, TaskResponse

router = APIRouter(prefix="/api/tasks", tags=["tasks"])
"""

_CREATE = """

@router.post("", status_code=201, response_model=TaskResponse)
def create_task(data: TaskCreate, session: DatabaseSession, current_user: CurrentUser) -> Task:
    task = Task(**data.model_dump(), user_id=current_user.id)
    session.add(task)
    session.commit()
    return task
"""

_LIST = """

@router.get("", response_model=list[TaskResponse])
def list_tasks(session: DatabaseSession, current_user: CurrentUser) -> list[Task]:
    statement = select(Task).where(Task.user_id == current_user.id)
    return list(session.exec(statement).all())
"""

_GET = """

@router.get("/{task_id}", response_model=TaskResponse)
def get_task(task_id: RowId, session: DatabaseSession, current_user: CurrentUser) -> Task:
    statement = select(Task).where(Task.id == task_id, Task.user_id == current_user.id)
    task = session.exec(statement).first()
    if task is None:
        raise HTTPException(404, "Task not found")
    return task
"""

_DELETE = """

@router.delete("/{task_id}", status_code=204)
def delete_task(task_id: RowId, session: DatabaseSession, current_user: CurrentUser) -> None:
    statement = select(Task).where(Task.id == task_id, Task.user_id == current_user.id)
    task = session.exec(statement).first()
    if task is None:
        raise HTTPException(404, "Task not found")
    session.delete(task)
    session.commit()
"""

_COMMENTS = """

class Comment(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    user_id: str = Field(foreign_key="user.id")
    task_id: int = Field(foreign_key="task.id", ondelete="CASCADE")
    text: str


class CommentCreate(RequestBody):
    task_id: Annotated[int, Field(ge=1, le=2**31 - 1)]
    text: Text
"""


def _rule(
    code: str,
    name: str,
    why: str,
    fix: str,
    *,
    bad: str,
    good: str,
    instruction: str = "",
    severity: Severity = "error",
) -> Rule:
    return Rule(
        code=code,
        name=name,
        severity=severity,
        why=why,
        instruction=instruction,
        fix=fix,
        bad=Example(_ROUTER + bad),
        good=Example(_ROUTER + good),
    )


UNAUTHENTICATED = _rule(
    "BP601",
    "probe-unauthenticated",
    "A route that serves a user's rows must know who asks: without a token, or with one that is "
    "broken, expired, forged or unsigned, it must answer 401.",
    "Let the route depend on the signed-in user, and verify signature and expiry of the token "
    "with a fixed list of algorithms.",
    instruction="Answer 401 to every request whose token is missing, broken, expired, forged or "
    "unsigned.",
    bad=_CREATE
    + """

@router.get("", response_model=list[TaskResponse])
def list_tasks(session: DatabaseSession) -> list[Task]:  # BP601
    return list(session.exec(select(Task)).all())
""",
    good=_CREATE + _LIST,
)
TOKEN_REFUSED = _rule(
    "BP602",
    "probe-token-refused",
    "A token as Better Auth issues it for an existing user is refused, so that nobody can use the "
    "backend and nothing can be shown about it.",
    "Accept HS256 with BETTER_AUTH_SECRET, take the user's id from `sub` as text, and look it up "
    "in Better Auth's user table.",
    instruction="Take the user's id from the claim `sub`, as text: it is no number.",
    bad="""

@router.get("/mine")
def list_tasks(session: DatabaseSession, current_user: CurrentUser) -> list[Task]:
    if not current_user.id.isdigit():
        raise HTTPException(401, "The user's id is no number")  # BP602
    return list(session.exec(select(Task).where(Task.user_id == current_user.id)).all())
""",
    good=_CREATE + _LIST,
)
READ = _rule(
    "BP603",
    "probe-intruder-reads",
    "Another signed-in user got what belongs to the owner.",
    "Bind the query to the signed-in user, and answer 404 where it finds nothing.",
    instruction="Answer another user's ids exactly as ids that do not exist: 404.",
    bad=_CREATE
    + """

@router.get("/{task_id}", response_model=TaskResponse)
def get_task(task_id: RowId, session: DatabaseSession, current_user: CurrentUser) -> Task:  # BP603
    task = session.get(Task, task_id)
    if task is None:
        raise HTTPException(404, "Task not found")
    return task
""",
    good=_CREATE + _GET,
)
CHANGED = _rule(
    "BP604",
    "probe-intruder-changes",
    "Another signed-in user changed or deleted what belongs to the owner.",
    "Bind the query that finds the row to the signed-in user before it is changed or deleted.",
    bad=_CREATE
    + _GET
    + """

@router.delete("/{task_id}", status_code=204)
def delete_task(  # BP604
    task_id: RowId, session: DatabaseSession, current_user: CurrentUser
) -> None:
    task = session.get(Task, task_id)
    if task is None:
        raise HTTPException(404, "Task not found")
    session.delete(task)
    session.commit()
""",
    good=_CREATE + _GET + _DELETE,
)
SERVER_ERROR = _rule(
    "BP605",
    "probe-server-error",
    "A request that any client can send ends in an unhandled exception.",
    "Correct the line, or refuse the value with 422 before it gets there.",
    instruction="Refuse values that the database cannot take with 422, in paths, queries and "
    "bodies: numbers out of range, negative limits, explicit nulls for required columns, NUL "
    "characters in text.",
    bad=_CREATE
    + """

@router.get("/{task_id}", response_model=TaskResponse)
def get_task(task_id: int, session: DatabaseSession, current_user: CurrentUser) -> Task:
    statement = select(Task).where(Task.id == task_id, Task.user_id == current_user.id)
    task = session.exec(statement).first()  # BP605
    if task is None:
        raise HTTPException(404, "Task not found")
    return task
""",
    good=_CREATE + _GET,
)
PLANTED = _rule(
    "BP606",
    "probe-intruder-plants",
    "Another signed-in user stored a row that points to a row of the owner, and so appears in the "
    "owner's data or learns of it.",
    "Before storing a foreign key from a request, find its target with a query that is bound to "
    "the signed-in user.",
    instruction="Before storing a foreign key from a request, check that the row it points to is "
    "the signed-in user's own.",
    bad=_COMMENTS
    + _CREATE
    + """

@router.post("/comments", status_code=201)
def add_comment(  # BP606
    data: CommentCreate, session: DatabaseSession, current_user: CurrentUser
) -> Comment:
    if session.get(Task, data.task_id) is None:
        raise HTTPException(404, "Task not found")
    comment = Comment(**data.model_dump(), user_id=current_user.id)
    session.add(comment)
    session.commit()
    return comment
""",
    good=_COMMENTS
    + _CREATE
    + """

@router.post("/comments", status_code=201)
def add_comment(
    data: CommentCreate, session: DatabaseSession, current_user: CurrentUser
) -> Comment:
    own = select(Task).where(Task.id == data.task_id, Task.user_id == current_user.id)
    if session.exec(own).first() is None:
        raise HTTPException(404, "Task not found")
    comment = Comment(**data.model_dump(), user_id=current_user.id)
    session.add(comment)
    session.commit()
    return comment
""",
)
FORGED = _rule(
    "BP607",
    "probe-intruder-forges",
    "A user id that was sent in the request decided whose row it became.",
    "Take the owner from the verified token, and leave owner fields out of request bodies.",
    instruction="Take the owner of a row from the verified token, never from the request.",
    bad="""

class OwnedTaskCreate(TaskCreate):
    user_id: Text


@router.post("", status_code=201, response_model=TaskResponse)
def create_task(  # BP607
    data: OwnedTaskCreate, session: DatabaseSession, current_user: CurrentUser
) -> Task:
    task = Task(**data.model_dump())
    session.add(task)
    session.commit()
    return task
""",
    good=_CREATE,
)
DISCLOSED = _rule(
    "BP608",
    "probe-existence-disclosed",
    "Another user can tell ids that exist from ids that do not.",
    "Answer 404 for a row of somebody else, as for a row that does not exist.",
    severity="warning",
    bad=_CREATE
    + """

@router.get("/{task_id}", response_model=TaskResponse)
def get_task(task_id: RowId, session: DatabaseSession, current_user: CurrentUser) -> Task:  # BP608
    task = session.get(Task, task_id)
    if task is None:
        raise HTTPException(404, "Task not found")
    if task.user_id != current_user.id:
        raise HTTPException(403, "Not your task")
    return task
""",
    good=_CREATE + _GET,
)
NOT_STORED = _rule(
    "BP609",
    "probe-nothing-stored",
    "The route reports success, but the database is the same as before: the data is elsewhere, in "
    "memory or in another database, or nowhere.",
    "Store the data in the database that DATABASE_URL names, and commit.",
    instruction="Keep all data in the database that DATABASE_URL names, and commit every change.",
    bad=_CREATE
    + _GET
    + """

@router.delete("/{task_id}", status_code=204)
def delete_task(  # BP609
    task_id: RowId, session: DatabaseSession, current_user: CurrentUser
) -> None:
    statement = select(Task).where(Task.id == task_id, Task.user_id == current_user.id)
    task = session.exec(statement).first()
    if task is None:
        raise HTTPException(404, "Task not found")
    session.delete(task)
""",
    good=_CREATE + _GET + _DELETE,
)
NOT_SHOWN = _rule(
    "BP610",
    "probe-own-rows-missing",
    "The owner does not get back what the owner stored, so that empty answers to others show "
    "nothing.",
    "Return the signed-in user's rows.",
    bad=_CREATE
    + """

@router.get("", response_model=list[TaskResponse])
def list_tasks(session: DatabaseSession, current_user: CurrentUser) -> list[Task]:  # BP610
    return list(session.exec(select(Task).where(Task.user_id == "me")).all())
""",
    good=_CREATE + _LIST,
)
NOT_EXERCISED = _rule(
    "BP611",
    "probe-not-exercised",
    "The owner never succeeded on this route, so that a refusal to others shows nothing about it.",
    "Look at the reason; where the route is right, its body or parameters may need narrower types.",
    severity="warning",
    bad=_CREATE
    + """

@router.get("/{task_id}", response_model=TaskResponse)
def get_task(task_id: RowId, session: DatabaseSession, current_user: CurrentUser) -> Task:  # BP611
    raise HTTPException(404, "Task not found")
""",
    good=_CREATE + _GET,
)
NOTHING_EXERCISED = _rule(
    "BP612",
    "probe-nothing-exercised",
    "Nothing was shown, and nothing shown is no pass.",
    "Look at the other findings first.",
    bad="""

@router.get("", response_model=list[TaskResponse])
def list_tasks(session: DatabaseSession, current_user: CurrentUser) -> list[Task]:
    raise HTTPException(404, "Nothing here")
""",
    good=_CREATE + _LIST,
)
WRONG_REFUSAL = _rule(
    "BP613",
    "probe-wrong-refusal",
    "A missing or invalid token is answered with 403, which tells a client that signing in again "
    "would not help.",
    "Answer 401 with the header `WWW-Authenticate: Bearer`.",
    severity="warning",
    bad="""

def require_header(authorization: Annotated[str | None, Header()] = None) -> None:
    if authorization is None:
        raise HTTPException(403, "Not signed in")


@router.get("", response_model=list[TaskResponse], dependencies=[Depends(require_header)])
def list_tasks(session: DatabaseSession, current_user: CurrentUser) -> list[Task]:  # BP613
    statement = select(Task).where(Task.user_id == current_user.id)
    return list(session.exec(statement).all())
""",
    good=_CREATE + _LIST,
)
PUBLIC = _rule(
    "BP614",
    "probe-public-route",
    "A route below /api answers without a token. That is right for public data only.",
    "Let the route depend on the signed-in user, or move it out of /api where it is public.",
    severity="warning",
    bad=_CREATE
    + _LIST
    + """

@router.get("/priorities")
def list_priorities() -> list[str]:  # BP614
    return ["low", "high"]
""",
    good=_CREATE
    + _LIST
    + """

@router.get("/priorities")
def list_priorities(current_user: CurrentUser) -> list[str]:
    return ["low", "high"]
""",
)
PROCESS_ENDED = _rule(
    "BP615",
    "probe-process-ended",
    "The app ended, hung, used too much or locked its tables while it was probed.",
    "Take out what ends or blocks the process, or changes tables while requests are answered.",
    bad=_CREATE
    + """

@router.get("", response_model=list[TaskResponse])
def list_tasks(session: DatabaseSession, current_user: CurrentUser) -> list[Task]:
    import os

    os._exit(1)  # BP615
""",
    good=_CREATE + _LIST,
)

DEPENDS_ON_OTHERS = _rule(
    "BP616",
    "probe-depends-on-others",
    "What a user is answered must not depend on whether another user exists: counts, sums, "
    "uniqueness and limits over everybody's rows tell one user about another.",
    "Bind the query behind it to the signed-in user, aggregates and uniqueness included.",
    instruction="Bind aggregates, totals, uniqueness and rate limits to the signed-in user, too.",
    bad=_CREATE
    + """

@router.get("/count")
def count_tasks(session: DatabaseSession, current_user: CurrentUser) -> int:  # BP616
    return len(session.exec(select(Task)).all())
""",
    good=_CREATE
    + """

@router.get("/count")
def count_tasks(session: DatabaseSession, current_user: CurrentUser) -> int:
    return len(session.exec(select(Task).where(Task.user_id == current_user.id)).all())
""",
)

CONTRADICTION = _rule(
    "BP617",
    "probe-contradicts-proof",
    "The isolation proof and the probes check each other, and here they contradict each other: "
    "rows reached a user whose they are not, on a route whose queries are all proven isolated. "
    "Either the rows take a way that the proof does not see, such as an answer that is kept, a "
    "library that is patched or a trigger in the database, or the proof is wrong.",
    "Correct what the probes found on this route. Where nothing of that kind is in the code, this "
    "is a fault of BackendPro: please report it, with the code of the route.",
    bad=_CREATE
    + """
kept: dict[str, list[TaskResponse]] = {}


@router.get("", response_model=list[TaskResponse])
def list_tasks(session: DatabaseSession, current_user: CurrentUser) -> list[TaskResponse]:
    if not kept.get("tasks"):
        own = select(Task).where(Task.user_id == current_user.id)  # BP617
        kept["tasks"] = list(session.exec(own).all())
    return kept["tasks"]
""",
    good=_CREATE + _LIST,
)

TOO_LITTLE = _rule(
    "BP618",
    "probe-too-little-exercised",
    "What was not exercised is not passed. Where more routes were not than the setting `coverage` "
    "allows (a tenth, unless it is set), the backend as a whole is not shown to be right.",
    "Look at the reason of each route; where routes need what no probe can have, such as a service "
    "of somebody else's, set `coverage` in `[tool.backendpro]` lower.",
    bad="""

@router.get("", response_model=list[TaskResponse])
def list_tasks(session: DatabaseSession, current_user: CurrentUser) -> list[Task]:
    raise HTTPException(404, "Nothing here")


@router.get("/hello")
def hello(current_user: CurrentUser) -> str:
    return "Hello"
""",
    good=_CREATE + _LIST,
)

_COUNTED = """

class Count(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    user_id: str = Field(foreign_key="user.id")
    label: str = Field(max_length=40)


class CountCreate(RequestBody):
    label: Text
"""
RACE = _rule(
    "BP619",
    "probe-race",
    "What one request at a time keeps (a uniqueness, a limit, a count) is broken where two come at "
    "once: both read before either writes.",
    "Let the database keep it: a unique constraint, `SELECT ... FOR UPDATE` on the row that the "
    "limit belongs to, or an update that counts in the statement itself.",
    severity="warning",
    bad=_COUNTED
    + """

@router.post("", status_code=201)
def create_count(  # BP619
    data: CountCreate, session: DatabaseSession, current_user: CurrentUser
) -> Count:
    own = select(Count).where(Count.user_id == current_user.id, Count.label == data.label)
    if session.exec(own).first() is not None:
        raise HTTPException(409, "There is one of this label")
    count = Count(label=data.label, user_id=current_user.id)
    session.add(count)
    session.commit()
    session.refresh(count)
    return count
""",
    good=_CREATE + _LIST,
)
RACE_ERROR = _rule(
    "BP620",
    "probe-race-server-error",
    "Two requests at once, such as one that changes a row and one that deletes it, end in an "
    "unhandled exception.",
    "Catch what the database says of it (IntegrityError, StaleDataError), roll back, and answer "
    "404 or 409; or lock the row with `SELECT ... FOR UPDATE` before it is changed.",
    severity="warning",
    bad=_CREATE
    + _DELETE
    + """

@router.patch("/{task_id}", response_model=TaskResponse)
def rename_task(
    task_id: RowId, data: TaskCreate, session: DatabaseSession, current_user: CurrentUser
) -> Task:
    own = select(Task).where(Task.id == task_id, Task.user_id == current_user.id)
    if session.exec(own).first() is None:
        raise HTTPException(404, "Task not found")
    session.exec(update(Task).where(Task.user_id == current_user.id).values(title=data.title))
    session.commit()
    return session.exec(own).one()  # BP620
""",
    good=_CREATE + _DELETE,
)

RULES: tuple[Rule, ...] = (
    UNAUTHENTICATED, TOKEN_REFUSED, READ, CHANGED, SERVER_ERROR, PLANTED, FORGED, DISCLOSED,
    NOT_STORED, NOT_SHOWN, NOT_EXERCISED, NOTHING_EXERCISED, WRONG_REFUSAL, PUBLIC, PROCESS_ENDED,
    DEPENDS_ON_OTHERS, CONTRADICTION, TOO_LITTLE, RACE, RACE_ERROR,
)  # fmt: skip
