"""Small backends in one file: guards, post-checks, statements, owners on their way."""

import re
from pathlib import Path

import pytest

from tests.validators.ownership.backends import described, prove_folder, verdicts

HEAD = """
import os
from typing import Annotated

import jwt
from fastapi import APIRouter, Depends, FastAPI, Header, HTTPException, Request
from fastapi.encoders import jsonable_encoder
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from sqlalchemy import delete, text, update
from sqlalchemy.orm import selectinload
from sqlmodel import Field, Relationship, Session, SQLModel, and_, create_engine, func, or_, select

engine = create_engine(os.environ["DATABASE_URL"])
app = FastAPI()
SECRET = os.environ["SECRET"]


class User(SQLModel, table=True):
    id: str = Field(primary_key=True)
    email: str


class Task(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    user_id: str = Field(foreign_key="user.id")
    title: str
    completed: bool = False


class Conversation(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    user_id: str


class Message(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    conversation_id: int = Field(foreign_key="conversation.id")
    text: str


def get_db():
    with Session(engine) as session:
        yield session


def get_me(creds: HTTPAuthorizationCredentials = Depends(HTTPBearer())) -> str:
    try:
        claims = jwt.decode(creds.credentials, SECRET, algorithms=["HS256"])
    except jwt.PyJWTError:
        raise HTTPException(401)
    if claims.get("sub") is None:
        raise HTTPException(401)
    return claims["sub"]


Me = Annotated[str, Depends(get_me)]
Db = Annotated[Session, Depends(get_db)]
"""

LINKS = """
class Label(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    user_id: str = Field(foreign_key="user.id")
class Album(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    user_id: str = Field(foreign_key="user.id")
    labels: list["Label"] = Relationship(link_model=AlbumLabel)
class AlbumLabel(SQLModel, table=True):
    album_id: int = Field(foreign_key="album.id", primary_key=True)
    label_id: int = Field(foreign_key="label.id", primary_key=True)
@app.post("/albums/{{album_id}}/labels/{{label_id}}")
def link(album_id: int, label_id: int, db: Db, me: Me):
    db.exec(select(Album).where(Album.id == album_id, Album.user_id == me)).one()  # isolated
    {check}
    db.add(AlbumLabel(album_id=album_id, label_id=label_id))
    db.commit()
@app.get("/albums")
def albums(db: Db, me: Me):
    query = select(Album).where(Album.user_id == me)  # isolated
    return db.exec(query.options(selectinload(Album.labels))).all()  # {verdict}
"""
SHAPES = {
    "a helper raises and its value is ignored": """
def check(wanted: str, me: str) -> None:
    if str(me).lower() != str(wanted).lower():
        raise HTTPException(403)

@app.get("/{user_id}/tasks")
def tasks(user_id: str, me: Me, db: Db):
    check(user_id, me)
    return db.exec(select(Task).where(Task.user_id == user_id)).all()  # isolated
""",
    "the user's id stands only in the prefix, and a router's dependency guards it": """
def guard(user_id: str, me: Me) -> str:
    if user_id != me:
        raise HTTPException(403)
    return user_id

router = APIRouter(dependencies=[Depends(guard)])

@router.get("/tasks")
def tasks(user_id: str, db: Db):
    return db.exec(select(Task).where(Task.user_id == user_id)).all()  # isolated

app.include_router(router, prefix="/api/{user_id}")
""",
    "a guard that passes": """
@app.get("/{user_id}/tasks")
def tasks(user_id: str, me: Me, db: Db):
    if user_id == me:
        pass
    return db.exec(select(Task).where(Task.user_id == user_id)).all()  # leak
""",
    "a guard whose exception is swallowed": """
@app.get("/{user_id}/tasks")
def tasks(user_id: str, me: Me, db: Db):
    try:
        if user_id != me:
            raise HTTPException(403)
    except Exception:
        pass
    return db.exec(select(Task).where(Task.user_id == user_id)).all()  # leak
""",
    "a method that is safe from one caller and open from another": """
class Tasks:
    def __init__(self, db: Session):
        self.db = db

    def one(self, key: int):
        return self.db.get(Task, key)  # leak

    def own(self, key: int, user_id: str):
        row = self.db.get(Task, key)  # isolated
        return row if row and row.user_id == user_id else None

@app.get("/own/{key}")
def own(key: int, me: Me, db: Db):
    return Tasks(db).own(key, me)

@app.get("/one/{key}")
def one(key: int, me: Me, db: Db):
    row = Tasks(db).one(key)
    if row is None or row.user_id != me:
        raise HTTPException(404)
    return row

@app.get("/any/{key}")
def anybodys(key: int, me: Me, db: Db):
    return Tasks(db).one(key)
""",
    "a check in a loop that goes on": """
@app.post("/some")
def some(keys: list[int], me: Me, db: Db):
    found = []
    for key in keys:
        row = db.get(Task, key)  # isolated
        if not row or row.user_id != me:
            continue
        found.append(row)
    return found

@app.post("/others")
def others(keys: list[int], me: Me, db: Db):
    found = []
    for key in keys:
        row = db.get(Task, key)  # leak
        if row.user_id != me:
            print("not yours")
        found.append(row)
    return found
""",
    "the row is used before it is checked": """
@app.delete("/{key}")
def remove(key: int, me: Me, db: Db):
    row = db.get(Task, key)  # leak
    db.delete(row)
    if row.user_id != me:
        raise HTTPException(404)
    db.commit()
""",
    "a check whose answer is ignored": """
def is_mine(row: Task, me: str) -> bool:
    return row.user_id == me

@app.get("/asked/{key}")
def asked(key: int, me: Me, db: Db):
    row = db.get(Task, key)  # isolated
    if row is None or not is_mine(row, me):
        raise HTTPException(404)
    return row

@app.get("/ignored/{key}")
def ignored(key: int, me: Me, db: Db):
    row = db.get(Task, key)  # leak
    if row is None:
        raise HTTPException(404)
    is_mine(row, me)
    return row
""",
    "filters in a list, and one that is only sometimes there": """
@app.get("/listed")
def listed(me: Me, db: Db):
    filters = [Task.user_id == me]
    filters.append(Task.completed == True)
    return db.exec(select(func.count(Task.id)).where(*filters)).one()  # isolated

@app.get("/sometimes")
def sometimes(me: Me, db: Db, mine: bool = True):
    statement = select(Task)  # leak
    if mine:
        statement = statement.where(Task.user_id == me)
    return db.exec(statement).all()
""",
    "a conversation that is found or begun": """
@app.post("/chat")
def chat(me: Me, db: Db, conversation_id: int | None = None):
    if conversation_id:
        conversation = db.get(Conversation, conversation_id)  # isolated
        if conversation is None or conversation.user_id != me:
            raise HTTPException(404)
    else:
        conversation = Conversation(user_id=me)
        db.add(conversation)
        db.commit()
    db.add(Message(conversation_id=conversation.id, text="hello"))
    db.commit()
    key = conversation.id
    return db.exec(select(Message).where(Message.conversation_id == key)).all()  # isolated
""",
    "tools chosen by a model, the owner set by the app": """
import json

def add(user_id: str, title: str) -> None:
    with Session(engine) as db:
        db.add(Task(user_id=user_id, title=title))
        db.commit()

def finish(user_id: str, key: int) -> None:
    with Session(engine) as db:
        row = db.get(Task, key)  # isolated
        if row and row.user_id == user_id:
            db.delete(row)

TOOLS = {"add": add, "finish": finish}

@app.post("/agent")
def agent(body: dict, me: Me):
    for call in body["calls"]:
        arguments = json.loads(call["arguments"])
        arguments["user_id"] = me
        TOOLS[call["name"]](**arguments)
""",
    "a constant user where the token is missing": """
def somebody(request: Request) -> str:
    header = request.headers.get("authorization")
    if not header:
        return "demo"
    return jwt.decode(header[7:], SECRET, algorithms=["HS256"])["sub"]

@app.get("/tasks")
def tasks(db: Db, me: str = Depends(somebody)):
    return db.exec(select(Task).where(Task.user_id == me)).all()  # leak
""",
    "a stand-in user for development is a finding of its own": """
def somebody(me: Me) -> str:
    if os.getenv("APP_ENV") == "development":
        return "developer"
    return me

@app.get("/tasks")
def tasks(db: Db, me: str = Depends(somebody)):
    return db.exec(select(Task).where(Task.user_id == me)).all()  # isolated
""",
    "the owner is set on a parsed body, which a generic base class unpacks": """
class NewTask(SQLModel):
    title: str
    user_id: str | None = None
class Base:
    def __init__(self, model):
        self.model = model
    def create(self, db, *, given):
        row = self.model(**jsonable_encoder(given))
        db.add(row)
        db.commit()
@app.post("/tasks")
def add(given: NewTask, db: Db, me: Me):
    given.user_id = me
    Base(Task).create(db, given=given)
""",
    "a loop over the row's columns writes only keys that are in the data": """
class Change(SQLModel):
    title: str | None = None
class Base:
    def __init__(self, model):
        self.model = model
    def update(self, db, row, given):
        data = given if isinstance(given, dict) else given.model_dump(exclude_unset=True)
        for column in jsonable_encoder(row):
            if column in data:
                setattr(row, column, data[column])
        db.commit()
@app.patch("/tasks/{task_id}")
def change(task_id: int, given: Change, db: Db, me: Me):
    row = db.exec(select(Task).where(Task.id == task_id, Task.user_id == me)).one()  # isolated
    Base(Task).update(db, row, given)
@app.post("/tasks/{task_id}/done")
def done(task_id: int, db: Db, me: Me):
    row = db.exec(select(Task).where(Task.id == task_id, Task.user_id == me)).one()  # isolated
    Base(Task).update(db, row, {"completed": True})
""",
    "a session of Better Auth is looked up with SQL, and its user found or created": """
def current(db: Db, creds: HTTPAuthorizationCredentials = Depends(HTTPBearer())) -> User:
    token = creds.credentials
    query = text('SELECT u.id, u.email FROM "user" u JOIN "session" s ON s."userId" = u.id '
                 'WHERE s.token = :token AND s."expiresAt" > NOW()')
    row = db.exec(query.bindparams(token=token.split(".")[0] if "." in token else token)).first()
    if not row:
        raise HTTPException(401)
    key, email = row
    user = db.exec(select(User).where(User.email == email)).first()
    if not user:
        user = User(id=key, email=email)
        db.add(user)
        db.commit()
    return user
@app.get("/tasks")
def every(db: Db, user: User = Depends(current)):
    return db.exec(select(Task).where(Task.user_id == user.id)).all()  # isolated
@app.get("/tasks/{task_id}")
def one(task_id: int, db: Db, user: User = Depends(current)):
    task = db.get(Task, task_id)  # isolated
    if task is None or task.user_id != user.id:
        raise HTTPException(404)
    return task
""",
    "a user is looked up with SQL by an e-mail address from the request": """
def current(db: Db, x_email: str = Header()) -> str:
    row = db.execute(text('SELECT u.id FROM "user" u WHERE u.email = :e'), {"e": x_email}).first()
    if not row:
        raise HTTPException(401)
    return row.id
@app.get("/tasks")
def every(db: Db, me: str = Depends(current)):
    return db.exec(select(Task).where(Task.user_id == me)).all()  # leak
""",
    "a key from the body is stored twice unchecked, unless a new row replaces it": """
class Ask(SQLModel):
    conversation_id: int | None = None
@app.post("/chat")
def chat(given: Ask, db: Db, me: Me):
    conversation_id = given.conversation_id
    if not conversation_id:
        conversation = Conversation(user_id=me)
        db.add(conversation)
        db.commit()
        conversation_id = conversation.id
    first = Message(conversation_id=conversation_id, text="question")  # leak
    db.add(first)
    second = Message(conversation_id=conversation_id, text="answer")  # leak
    db.add(second)
    db.commit()
""",
    "rows are loaded with their parent": """
class Album(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    user_id: str = Field(foreign_key="user.id")
    photos: list["Photo"] = Relationship(back_populates="album")
class Photo(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    album_id: int = Field(foreign_key="album.id")
    album: Album = Relationship(back_populates="photos")
@app.get("/albums")
def mine(db: Db, me: Me):
    return db.exec(
        select(Album)  # isolated
        .where(Album.user_id == me)
        .options(selectinload(Album.photos))  # isolated
    ).all()
@app.get("/albums/{album_id}")
def anybodys(album_id: int, db: Db, me: Me):
    return db.exec(
        select(Album)  # leak
        .where(Album.id == album_id)
        .options(selectinload(Album.photos))  # leak
    ).first()
""",
    "sessions that somebody else writes say who is signed in": """
def current(db: Db, creds: HTTPAuthorizationCredentials = Depends(HTTPBearer())) -> str:
    query = text('SELECT "userId" FROM "session" WHERE token = :token')
    row = db.execute(query, {"token": creds.credentials}).first()
    if not row:
        raise HTTPException(401)
    return row[0]
@app.get("/tasks")
def every(db: Db, me: str = Depends(current)):
    return db.exec(select(Task).where(Task.user_id == me)).all()  # isolated
""",
    "a session that anybody can write for anybody says nothing": """
class NewSession(SQLModel):
    user_id: str
    token: str
@app.post("/sessions")
def register(given: NewSession, db: Db):
    query = text('INSERT INTO "session" ("userId", token) VALUES (:user, :token)')
    db.execute(query, {"user": given.user_id, "token": given.token})
    db.commit()
def current(db: Db, creds: HTTPAuthorizationCredentials = Depends(HTTPBearer())) -> str:
    query = text('SELECT "userId" FROM "session" WHERE token = :token')
    row = db.execute(query, {"token": creds.credentials}).first()
    if not row:
        raise HTTPException(401)
    return row[0]
@app.get("/tasks")
def every(db: Db, me: str = Depends(current)):
    return db.exec(select(Task).where(Task.user_id == me)).all()  # leak
""",
    "a dependency guards the path that it reads itself": """
def guarded(request: Request, me: Me) -> str:
    wanted = request.path_params.get("user_id")
    if wanted and wanted != me:
        raise HTTPException(403)
    return me
@app.get("/users/{user_id}/tasks")
def every(user_id: str, db: Db, me: str = Depends(guarded)):
    return db.exec(select(Task).where(Task.user_id == user_id)).all()  # isolated
@app.get("/people/{other_id}/tasks")
def others(other_id: str, db: Db, me: str = Depends(guarded)):
    return db.exec(select(Task).where(Task.user_id == other_id)).all()  # leak
""",
    "tools are registered when the app starts": """
class Registry:
    def __init__(self):
        self.tools = {}
    def register(self, name, function):
        self.tools[name] = function
registry = Registry()
def mine(user_id: str, db: Db):
    return db.exec(select(Task).where(Task.user_id == user_id)).all()  # isolated
def anybodys(user_id: str, db: Db):
    return db.exec(select(Task).where(Task.title == user_id)).all()  # leak
@app.on_event("startup")
def start():
    registry.register("mine", mine)
    registry.register("anybodys", anybodys)
@app.post("/tools/{name}")
def run(name: str, db: Db, me: Me):
    return registry.tools[name](me, db)
""",
    "a child names its parent by a column without a declared key": """
class Photo(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    task_id: int
@app.get("/tasks/{task_id}/photos")
def photos(task_id: int, db: Db, me: Me):
    task = db.get(Task, task_id)  # isolated
    if task is None or task.user_id != me:
        raise HTTPException(404)
    return db.exec(select(Photo).where(Photo.task_id == task.id)).all()  # isolated
@app.get("/photos/{photo_id}")
def photo(photo_id: int, db: Db, me: Me):
    return db.get(Photo, photo_id)  # leak
""",
    "rows are linked, and every link is checked": LINKS.format(
        check="db.exec(select(Label).where(Label.id == label_id, Label.user_id == me)).one()",
        verdict="isolated",
    ),
    "rows are linked, and a link is not checked": LINKS.format(check="pass", verdict="leak"),
    "functions that no route reaches": """
def bound(db: Session, user_id: str):
    return db.exec(select(Task).where(Task.user_id == user_id)).all()  # isolated

def remind(db: Session):
    return db.exec(select(Task).where(Task.completed == False)).all()  # unproven
""",
}


@pytest.mark.parametrize("code", SHAPES.values(), ids=SHAPES)
def test_a_shape_has_the_verdicts_that_stand_beside_it(code: str, tmp_path: Path) -> None:
    text = HEAD + code
    (tmp_path / "main.py").write_text(text, encoding="utf-8")
    expected = {
        ("main.py", number): match[1]
        for number, line in enumerate(text.splitlines(), start=1)
        if (match := re.search(r"# (isolated|leak|unproven)$", line))
    }
    proof = prove_folder(tmp_path)
    found = verdicts(proof)
    assert {place: found.get(place) for place in expected} == expected, described(proof.queries)
    if set(expected.values()) == {"isolated"}:
        writes = {"owner-from-request", "unchecked-parent", "owner-changed"}
        assert [finding for finding in proof.findings if finding.name in writes] == []
