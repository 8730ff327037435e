"""Conventions: each snippet carries its expected findings as comments, `# BPnnn [warning]`."""

import re
from pathlib import Path

import pytest

from tests.validators.trees import Files, project_of
from validators import conventions
from validators.conventions import UserId
from validators.rules import all_rules

MARK = re.compile(r"# (BP\d{3})( warning| error)?$")

Place = tuple[str, int, str, str]


def expected(files: Files) -> list[Place]:
    """Return path, line, code and severity of each mark in the files."""
    found: list[Place] = []
    for path, text in files.items():
        for number, line in enumerate(text.splitlines(), start=1):
            mark = MARK.search(line)
            if mark:
                severity = (mark.group(2) or all_rules()[mark.group(1)].severity).strip()
                found.append((path, number, mark.group(1), severity))
    return sorted(found)


def found_in(folder: Path, files: Files, user_id: UserId = "text") -> list[Place]:
    """Return path, line, code and severity of each finding."""
    findings = conventions.check(project_of(folder, files), user_id)
    return sorted((f.path, f.line or 0, f.code, f.severity) for f in findings)


def assert_marks(folder: Path, text: str, files: Files | None = None) -> None:
    """Check that a snippet has exactly the findings that it is marked with."""
    everything = {"snippet.py": text} | (files or {})
    assert found_in(folder, everything) == expected(everything)


UNFINISHED = [
    "def f() -> int:\n    ...  # BP403\n",
    'def f() -> int:\n    """Say more."""\n    ...  # BP403\n',
    "def f() -> None:\n    pass  # BP403\n",
    "async def f() -> int:\n    raise NotImplementedError  # BP403\n",
    "def f() -> int:\n    raise NotImplementedError('later')  # BP403\n",
    "class A:\n    def f(self) -> None:\n        pass  # BP403\n",
    # A class without own names, a handler, a loop: nothing is missing.
    "class MissingError(Exception):\n    pass\n",
    "class MissingError(Exception): ...\n",
    "def f() -> None:\n    for _ in g():\n        pass\n    h()\n",
    "def f() -> int:\n    return ...\n",
    "from typing import Protocol\nclass P(Protocol):\n    def f(self) -> int: ...\n",
    "import typing as t\nclass P(t.Protocol[int]):\n    def f(self) -> int: ...\n",
    "from abc import ABC, abstractmethod\nclass A(ABC):\n    @abstractmethod\n"
    "    def f(self) -> int: ...\n",
    "from typing import overload\n@overload\ndef f(x: int) -> int: ...\n"
    "@overload\ndef f(x: str) -> str: ...\ndef f(x: int | str) -> int | str:\n    return x\n",
    "class A:\n    def f(self) -> int:\n        raise NotImplementedError\n"
    "class B(A):\n    def f(self) -> int:\n        return 1\n",
    "class Quiet(Handler):\n    def emit(self) -> None:\n        pass\n",
    "class A:\n    def __init__(self) -> None:\n        pass\n",
]

NOTES = [
    "x = 1  # TODO: more\n# BP404\n".replace("\n# BP404", "  # BP404"),
    "# FIXME later  # BP404\n",
    "# XXX  # BP404\n",
    "# ... rest of the code  # BP404\n",
    "# your code here  # BP404\n",
    'x = "# TODO: nothing"\n',
    '"""\n# TODO in a text\n"""\n',
    "# A todo list is a list of tasks.\n",
    "TODO = 1\n",
]

HINTS = [
    "def f(a, b: int):  # BP405\n    return a\n",
    "def f(a: int):  # BP405\n    return a\n",
    "def f(*args, **kwargs) -> None:  # BP405\n    g(args)\n",
    "def f(*, a=1) -> int:  # BP405\n    return a\n",
    "async def f(a) -> int:  # BP405\n    return 1\n",
    "class A:\n    @staticmethod\n    def f(a) -> int:  # BP405\n        return 1\n",
    "class A:\n    def __init__(self, a: int):\n        self.a = a\n",
    "class A:\n    @classmethod\n    def f(cls) -> int:\n        return 1\n",
    "def f(a: int, *args: int, b: int = 1, **kwargs: int) -> int:\n    return a\n",
    "f = lambda x: x\n",
]

PYDANTIC = [
    "from pydantic import BaseModel\nclass A(BaseModel):\n"
    "    class Config:  # BP406 warning\n        orm_mode = True  # BP406\n",
    "from pydantic import BaseModel\nclass A(BaseModel):\n"
    "    class Config:  # BP406 warning\n        from_attributes = True\n",
    "from pydantic import BaseModel\nclass A(BaseModel):\n"
    "    model_config = {'orm_mode': True}  # BP406\n",
    "from pydantic import BaseModel, ConfigDict\nclass A(BaseModel):\n"
    "    model_config = ConfigDict(from_attributes=True)\n",
    "from pydantic import BaseModel, validator\nclass A(BaseModel):\n    x: int\n"
    "    @validator('x')  # BP406 warning\n"
    "    def check(cls, value: int) -> int:\n        return value\n",
    "from pydantic import BaseModel, field_validator\nclass A(BaseModel):\n    x: int\n"
    "    @field_validator('x')\n    def check(cls, value: int) -> int:\n        return value\n",
    "from sqlmodel import SQLModel\nclass A(SQLModel):\n    x: int\n"
    "def f(data: A) -> dict[str, int]:\n    return data.dict()  # BP406 warning\n",
    "from sqlmodel import SQLModel\nclass A(SQLModel):\n    x: int\n"
    "def f() -> dict[str, int]:\n    a = A(x=1)\n    return a.dict()  # BP406 warning\n",
    "from pydantic import BaseModel\nclass A(BaseModel):\n    x: int\n"
    "def f(row: int) -> A:\n    return A.from_orm(row)  # BP406 warning\n",
    "from pydantic import BaseModel\nclass A(BaseModel):\n    x: int\n"
    "    def f(self) -> str:\n        return self.json()  # BP406 warning\n",
    "from pydantic import BaseModel\nclass A(BaseModel):\n    x: int\n"
    "def f(a: 'A | None') -> str:\n    return a.json()  # BP406 warning\n",
    # Others have methods of these names as well.
    "import httpx\ndef f(response: httpx.Response) -> int:\n    return response.json()\n",
    "from fastapi import Request\nasync def f(request: Request) -> int:\n"
    "    return await request.json()\n",
    "def f() -> dict[str, int]:\n    response = get()\n    return response.json()\n",
    "class A:\n    class Config:\n        orm_mode = True\n",
    "def f(items: list[int]) -> list[int]:\n    return items.copy()\n",
]

SECRETS = [
    "SECRET_KEY = 'mysecretkey123'  # BP407\n",
    "JWT_SECRET: str = 'abcdefgh'  # BP407\n",
    "class Box:\n    api_key = 'abcd1234'  # BP407\n",
    "settings.jwt_secret = 'abcd1234'  # BP407\n",
    "CONFIG = {}\nCONFIG['SECRET_KEY'] = 'abcd1234'  # BP407\n",
    "client = Client('sk-abcdefghijklmnopqrst')  # BP407\n",
    "KEY = 'AKIAABCDEFGHIJKLMNOP'  # BP407\n",
    "engine = create_engine('postgresql://tasks:pa55word@db.example.com/tasks')  # BP407\n",
    "URL = 'postgresql://postgres:postgres@localhost:5432/tasks'  # BP407 warning\n",
    "import jwt\ntoken = jwt.encode({}, 'abcd', algorithm='HS256')  # BP407\n",
    "import jwt\nclaims = jwt.decode(token, key='abcd', algorithms=['HS256'])  # BP407\n",
    "import os\nSECRET = os.getenv('BETTER_AUTH_SECRET', 'change-me')  # BP408\n",
    "import os\nSECRET = os.getenv('BETTER_AUTH_SECRET', '')  # BP408\n",
    "import os\nSECRET = os.environ.get('JWT_SECRET') or 'change-me'  # BP408\n",
    "from os import getenv\nSECRET = getenv('SECRET_KEY', default='abc')  # BP408\n",
    "from decouple import config\nSECRET = config('SECRET_KEY', default='abc')  # BP408\n",
    "from pydantic_settings import BaseSettings\nclass S(BaseSettings):\n"
    "    jwt_secret: str = 'change-me'  # BP408\n    jwt_algorithm: str = 'HS256'\n",
    "from pydantic import Field\nfrom pydantic_settings import BaseSettings\n"
    "class S(BaseSettings):\n    secret_key: str = Field(default='abcdef')  # BP408\n",
    # What is read, checked, or only about a secret.
    "import os\nSECRET = os.environ['BETTER_AUTH_SECRET']\n",
    "import os\nSECRET = os.getenv('BETTER_AUTH_SECRET')\n",
    "import os\nSECRET = os.getenv('BETTER_AUTH_SECRET', '')\nif not SECRET:\n"
    "    raise RuntimeError('BETTER_AUTH_SECRET is not set')\n",
    "import os\nSECRET: str = os.getenv('JWT_SECRET', '').strip()\ndef f() -> None:\n"
    "    if not SECRET:\n        raise RuntimeError('no secret')\n",
    "import os, sys\nSECRET = os.getenv('JWT_SECRET', '')\nif len(SECRET) < 32:\n"
    "    sys.exit('JWT_SECRET is too short')\n",
    "import os\nKEY = os.getenv('OPENAI_API_KEY', '')\n",
    "import os\nURL = os.getenv('DATABASE_URL', 'sqlite:///./tasks.db')\n",
    "import os\nPORT = os.getenv('PORT', '8000')\n",
    "from pydantic_settings import BaseSettings\nclass S(BaseSettings):\n    jwt_secret: str\n",
    "TOKEN_URL = '/api/auth/token'\n",
    "SECRET_NAME = 'BETTER_AUTH_SECRET'\n",
    "API_KEY_HEADER = 'X-Api-Key'\n",
    "ACCESS_TOKEN_EXPIRE_MINUTES = '30'\n",
    "PASSWORD_HINT = 'at-least-eight'\n",
    "raise_ = ValueError('Set DATABASE_URL=postgresql://user:password@host/db')\n",
    '"""postgresql://user:password@host.example.com/db"""\n',
    "message = 'Incorrect password'\n",
    "password_error = 'Incorrect'\n",
    "SECRET = ''\n",
    "import jwt\ntoken = jwt.encode({}, SECRET, algorithm='HS256')\n",
]

TABLE = (
    "from datetime import datetime, timezone\nimport datetime as dt\n"
    "from sqlmodel import Column, DateTime, Field, SQLModel\n"
    "class Task(SQLModel, table=True):\n"
    "    id: int | None = Field(default=None, primary_key=True)\n"
    "    at: datetime | None = None\n"
)
DATETIMES = [
    TABLE + "    b: datetime = Field(default_factory=datetime.utcnow)  # BP409\n",
    TABLE + "    b: dt.datetime = Field(default_factory=dt.datetime.utcnow)  # BP409\n",
    TABLE + "    b: datetime = Field(default_factory=lambda: datetime.utcnow())  # BP409\n",
    TABLE + "    b: datetime = Field(default_factory=datetime.now)  # BP409\n",
    TABLE + "def f(task: Task) -> None:\n    task.at = datetime.utcnow()  # BP409\n",
    TABLE + "def f(task: Task) -> None:\n    task.at = datetime.now()  # BP409\n",
    TABLE + "def f() -> Task:\n    return Task(at=datetime.now())  # BP409\n",
    TABLE + "def f(t: Task) -> None:\n    now = datetime.utcnow()  # BP409\n    t.at = now\n",
    TABLE + "def f(t: Task) -> None:\n"
    "    t.at = datetime.now(timezone.utc).replace(tzinfo=None)  # BP409\n",
    # It never gets into a guarded column.
    TABLE + "def f() -> str:\n    return datetime.utcnow().isoformat()  # BP409 warning\n",
    TABLE + "today = datetime.utcnow().date()  # BP409 warning\n",
    TABLE + "claims = {'exp': datetime.utcnow()}  # BP409 warning\n",
    TABLE + "def f(x: Box) -> None:\n    x.other = datetime.utcnow()  # BP409 warning\n",
    TABLE + "    b: datetime = Field(default_factory=datetime.utcnow, "
    "sa_column=Column(DateTime))  # BP409 warning\n",
    "from datetime import datetime\nnow = datetime.utcnow()  # BP409 warning\n",
    "from datetime import datetime\nfrom sqlalchemy import Column, DateTime\n"
    "class Task(Base):\n    at = Column(DateTime, default=datetime.utcnow)  # BP409 warning\n",
    # Aware ones.
    TABLE + "    b: datetime = Field(default_factory=lambda: datetime.now(timezone.utc))\n",
    TABLE + "now = datetime.now(tz=timezone.utc)\nlater = dt.datetime.now(dt.UTC)\n",
    TABLE + "now = datetime.utcnow().replace(tzinfo=timezone.utc)\n",
    TABLE + "now = datetime.now().astimezone()\n",
    TABLE + "then = datetime.fromtimestamp(0, timezone.utc)\n",
    TABLE + "day = dt.date.today()\n",
    "class datetime:\n    @staticmethod\n    def utcnow() -> int:\n        return 1\n"
    "now = datetime.utcnow()\n",
]

DATABASE = (
    "from collections.abc import AsyncIterator, Iterator\n"
    "from sqlmodel import Session\nfrom sqlmodel.ext.asyncio.session import AsyncSession\n"
    "def get_db() -> Iterator[Session]:\n    with Session(engine) as session:\n"
    "        yield session\n"
    "async def get_async_db() -> AsyncIterator[AsyncSession]:\n"
    "    async with AsyncSession(engine) as session:\n        yield session\n"
)
HANDLER = (
    "from typing import Annotated\nfrom fastapi import APIRouter, Depends\n"
    "from fastapi.concurrency import run_in_threadpool\nfrom sqlmodel import Session\n"
    "from sqlmodel.ext.asyncio.session import AsyncSession\n"
    "from database import get_async_db, get_db\nrouter = APIRouter()\n"
    "Db = Annotated[Session, Depends(get_db)]\n"
)
SESSIONS = [
    HANDLER + "@router.get('/')\n"
    "async def f(s: Session = Depends(get_db)) -> int:  # BP410\n    return s.exec(q).one()\n",
    HANDLER + "async def f(s: Annotated[Session, Depends(get_db)]) -> int:  # BP410\n"
    "    return s.exec(q).one()\n",
    HANDLER + "async def f(s: Db) -> int:  # BP410\n    return load(s)\n",
    HANDLER + "async def f(*, s: Db) -> int:  # BP410\n    return load(s)\n",
    HANDLER + "async def f() -> int:  # BP410\n    with Session(engine) as s:\n"
    "        return s.exec(q).one()\n",
    # Its annotation says one thing, its dependency another.
    HANDLER + "async def f(s: Session = Depends(get_async_db)) -> int:\n    return await g(s)\n",
    HANDLER + "def f(s: Db) -> int:\n    return load(s)\n",
    HANDLER + "async def f(s: AsyncSession = Depends(get_async_db)) -> int:\n"
    "    return await s.exec(q)\n",
    HANDLER + "async def f(s: Db) -> int:\n    return await run_in_threadpool(load, s)\n",
    HANDLER + "async def f(s: Db) -> int:\n    return 1\n",
    HANDLER + "async def f(s: Session) -> int:\n    return load(s)\n",
]

CORS = "from fastapi import FastAPI\nfrom fastapi.middleware.cors import CORSMiddleware\n"
ROBUSTNESS = [
    CORS + "app = FastAPI()\napp.add_middleware(CORSMiddleware, allow_origins=['*'], "
    "allow_credentials=True)  # BP412\n",
    CORS + "ORIGINS = ['*']\napp = FastAPI()\napp.add_middleware(CORSMiddleware, "
    "allow_origins=ORIGINS, allow_credentials=True)  # BP412\n",
    CORS + "import os\nORIGINS = os.getenv('ORIGINS', '*').split(',')\napp = FastAPI()\n"
    "app.add_middleware(CORSMiddleware, allow_origins=ORIGINS, allow_credentials=True)  # BP412\n",
    CORS + "app = FastAPI()\napp.add_middleware(CORSMiddleware, allow_origin_regex='.*', "
    "allow_credentials=True)  # BP412\n",
    CORS + "app = FastAPI()\napp.add_middleware(CORSMiddleware, allow_origins=['*'])\n",
    CORS + "app = FastAPI()\napp.add_middleware(CORSMiddleware, allow_methods=['*'], "
    "allow_origins=['https://a.example.com'], allow_credentials=True)\n",
    CORS + "app = FastAPI()\napp.add_middleware(CORSMiddleware, allow_origins=['*'], "
    "allow_credentials=False)\n",
    "try:\n    f()\nexcept Exception:  # BP413\n    pass\n",
    "try:\n    f()\nexcept:  # BP413\n    ...\n",
    "for x in y:\n    try:\n        f()\n    except BaseException:  # BP413\n        continue\n",
    "try:\n    f()\nexcept ValueError:\n    pass\n",
    "try:\n    f()\nexcept Exception:\n    log()\n",
    "try:\n    f()\nexcept Exception as error:\n    raise Problem from error\n",
]


@pytest.mark.parametrize(
    "text", UNFINISHED + NOTES + HINTS + PYDANTIC + SECRETS + DATETIMES + ROBUSTNESS
)
def test_a_snippet_has_exactly_its_marked_findings(text: str, tmp_path: Path) -> None:
    assert_marks(tmp_path, text)


@pytest.mark.parametrize("text", SESSIONS)
def test_a_plain_session_in_an_async_function_is_reported_once(text: str, tmp_path: Path) -> None:
    assert_marks(tmp_path, text, {"database.py": DATABASE})


def test_an_alias_of_a_session_dependency_is_followed_into_its_module(tmp_path: Path) -> None:
    text = "from handlers import Db\nasync def f(s: Db) -> int:  # BP410\n    return load(s)\n"
    assert_marks(tmp_path, text, {"database.py": DATABASE, "handlers.py": HANDLER})


USER = "# Better Auth\nfrom uuid import UUID\nfrom sqlmodel import Field, SQLModel\n"
USER_IDS = [
    USER + "class User(SQLModel, table=True):\n"
    "    id: int | None = Field(default=None, primary_key=True)  # BP411\n"
    "    email: str\n"
    "class Task(SQLModel, table=True):\n"
    "    id: int | None = Field(default=None, primary_key=True)\n"
    "    user_id: int = Field(foreign_key='user.id')  # BP411\n",
    USER + "class Person(SQLModel, table=True):\n    __tablename__ = 'user'\n"
    "    id: UUID = Field(primary_key=True)  # BP411\n",
    USER + "class User(SQLModel, table=True):\n    id: str = Field(primary_key=True)\n"
    "class Owned(SQLModel):\n    owner_id: int | None = Field(foreign_key='user.id')  # BP411\n"
    "class Task(Owned, table=True):\n    id: int = Field(primary_key=True)\n",
    "# BETTER_AUTH_SECRET\nfrom sqlalchemy import Column, ForeignKey, Integer, String\n"
    "class User(Base):\n    __tablename__ = 'user'\n    id = Column(String, primary_key=True)\n"
    "class Task(Base):\n    __tablename__ = 'tasks'\n    id = Column(Integer, primary_key=True)\n"
    "    user_id = Column(Integer, ForeignKey('user.id'))  # BP411\n",
    "from sqlalchemy import ForeignKey\nfrom sqlalchemy.orm import Mapped, mapped_column\n"
    "from better_auth import x\n"
    "class User(Base):\n    __tablename__ = 'user'\n"
    "    id: Mapped[str] = mapped_column(primary_key=True)\n"
    "class Task(Base):\n    __tablename__ = 'tasks'\n"
    "    user_id: Mapped[int] = mapped_column(ForeignKey('user.id'))  # BP411\n",
    # As it should be.
    USER + "class User(SQLModel, table=True):\n    id: str = Field(primary_key=True)\n"
    "class Task(SQLModel, table=True):\n    id: int = Field(primary_key=True)\n"
    "    user_id: str = Field(foreign_key='user.id', index=True)\n",
    # Its own user table: another name, a password, a sign-up.
    USER + "class User(SQLModel, table=True):\n    __tablename__ = 'users'\n"
    "    id: int = Field(primary_key=True)\n",
    USER + "class User(SQLModel, table=True):\n    id: int = Field(primary_key=True)\n"
    "    hashed_password: str\n",
    USER + "class User(SQLModel, table=True):\n    id: int = Field(primary_key=True)\n"
    "def sign_up(session: Session, data: Data) -> None:\n    session.add(User(id=1))\n",
    # The names of the table's columns.
    USER + "class User(SQLModel, table=True):\n    id: str = Field(primary_key=True)\n"
    "    email_verified: bool  # BP414\n    updated_at: int = Field(alias='x')  # BP414\n",
    USER + "class User(SQLModel, table=True):\n    id: str = Field(primary_key=True)\n"
    "    email_verified: bool = Field(sa_column_kwargs={'name': 'emailVerified'})\n",
    # Nothing tells who makes the table.
    USER.replace("Better Auth", "") + "class User(SQLModel, table=True):\n"
    "    id: int = Field(primary_key=True)  # BP411 warning\n    created_at: int\n",
    # Not a user id at all.
    USER + "class User(SQLModel, table=True):\n    id: str = Field(primary_key=True)\n"
    "class Task(SQLModel, table=True):\n    parent_id: int = Field(foreign_key='task.id')\n",
]


@pytest.mark.parametrize("text", USER_IDS)
def test_user_ids_have_the_type_of_better_auths_table(text: str, tmp_path: Path) -> None:
    assert_marks(tmp_path, text)


def test_a_set_up_with_other_user_ids_is_respected(tmp_path: Path) -> None:
    files = {"models.py": re.sub(r"  # BP411", "", USER_IDS[0])}
    assert found_in(tmp_path, files, "int") == []
    assert [place[1] for place in found_in(tmp_path, files, "uuid")] == [5, 9]


def test_the_fix_of_a_user_id_names_the_places_that_convert_it(tmp_path: Path) -> None:
    files = {
        "models.py": USER_IDS[0],
        "utils/jwt.py": "def f(claims: dict[str, str]) -> int:\n    return int(claims['sub'])\n",
    }
    findings = conventions.check(project_of(tmp_path, files))
    assert {f.fix for f in findings if f.code == "BP411"} == {
        "Write `str` here and in the schemas, and do not convert the id with int() in "
        "utils/jwt.py:2."
    }


@pytest.mark.parametrize("path", ["tests/test_a.py", "migrations/env.py", "scripts/seed.py"])
def test_files_that_run_in_other_surroundings_are_passed_over(path: str, tmp_path: Path) -> None:
    text = "SECRET_KEY = 'abcdefgh'\ndef f(x):\n    pass\n"
    assert found_in(tmp_path, {path: text}) == []


def test_a_file_that_does_not_parse_hides_no_finding_of_others(tmp_path: Path) -> None:
    files = {"a.py": "def f(:\n", "b.py": "# TODO  # BP404\n"}
    assert found_in(tmp_path, files) == [("b.py", 1, "BP404", "warning")]
