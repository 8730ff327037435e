"""No query on an owned model goes unseen: what cannot be followed is `unproven`, never silent."""

from pathlib import Path

import pytest

from tests.validators.ownership.backends import described, prove_folder, written
from tests.validators.ownership.test_shapes import HEAD
from validators.ownership import Proof

FUNCTIONS_FOR_OTHERS = {
    "a tool of an agent": """
def create(db: Db, me: str):
    @function_tool
    def every():
        return db.exec(select(Task)).all()
    return Agent(tools=[every])
@app.post("/chat")
def chat(db: Db, me: Me):
    return create(db, me).run("hello")
""",
    "a callback": """
@app.get("/tasks/{task_id}")
def one(task_id: int, db: Db, me: Me):
    def load():
        return db.exec(select(Task).where(Task.id == task_id)).first()
    return somewhere.run(load)
""",
    "a lambda": """
@app.get("/tasks")
def every(db: Db, me: Me):
    return somewhere.run(lambda: db.exec(select(Task)).all())
""",
    "a method of an object": """
class Loader:
    def __init__(self, db):
        self.db = db
    def every(self):
        return self.db.exec(select(Task)).all()
@app.get("/tasks")
def every(db: Db, me: Me):
    return somewhere.run(Loader(db).every)
""",
    "the target of a thread": """
import threading
@app.post("/tasks")
def every(db: Db, me: Me):
    def work():
        db.exec(delete(Task))
    threading.Thread(target=work).start()
""",
    "work for an executor": """
def work(db, task_id):
    return db.exec(select(Task).where(Task.id == task_id)).first()
@app.get("/tasks/{task_id}")
async def one(task_id: int, db: Db, me: Me):
    return await loop.run_in_executor(None, work, db, task_id)
""",
}
LOST = {
    "a function inside a function, which nobody calls": """
@app.get("/tasks")
def every(db: Db, me: Me):
    def load():
        return db.exec(select(Task)).all()
    return 1
""",
    "a statement that an unknown name holds": """
@app.get("/tasks/{name}")
def every(name: str, db: Db, me: Me):
    return db.exec(QUERIES[name]).all()
""",
    "a table model that an unknown name holds": """
@app.get("/tasks/{name}")
def every(name: str, db: Db, me: Me):
    return db.exec(select(globals()[name])).all()
""",
    "a statement that is lost on its way": """
@app.get("/tasks")
def every(db: Db, me: Me):
    held = odd.place
    held.statement = select(Task)
    return db.exec(held.statement).all()
""",
    "code behind a return": """
@app.get("/tasks")
def every(db: Db, me: Me):
    return 1
    return db.exec(select(Task)).all()
""",
    "code made from a text": """
@app.get("/tasks")
def every(db: Db, me: Me):
    return eval("db.exec(select(Task)).all()")
""",
}
LEAKS = {
    "one of several table models": """
MODELS = {"task": Task, "conversation": Conversation}
@app.get("/rows/{name}")
def every(name: str, db: Db, me: Me):
    return db.exec(select(MODELS[name])).all()
""",
    "SQL for the driver": """
@app.get("/tasks")
def every(db: Db, me: Me):
    return db.connection().exec_driver_sql("SELECT * FROM task").all()
""",
}


def proof_of_code(code: str, folder: Path) -> Proof:
    return prove_folder(written(folder, main=HEAD + code))


@pytest.mark.parametrize("code", FUNCTIONS_FOR_OTHERS.values(), ids=FUNCTIONS_FOR_OTHERS)
def test_a_function_that_is_handed_on_is_judged(code: str, tmp_path: Path) -> None:
    proof = proof_of_code(code, tmp_path)
    assert [query.verdict for query in proof.queries] == ["leak"], described(proof.queries)


@pytest.mark.parametrize("code", LOST.values(), ids=LOST)
def test_what_cannot_be_followed_is_unproven(code: str, tmp_path: Path) -> None:
    proof = proof_of_code(code, tmp_path)
    assert not any(query.verdict in ("isolated", "leak") for query in proof.queries)
    assert {finding.code for finding in proof.findings} & {"BP302", "BP310"}, proof


@pytest.mark.parametrize("code", LEAKS.values(), ids=LEAKS)
def test_a_query_in_an_unusual_form_is_judged(code: str, tmp_path: Path) -> None:
    proof = proof_of_code(code, tmp_path)
    assert "leak" in [query.verdict for query in proof.queries], described(proof.queries)


STORE = """
from chatkit import Server, Store
class Context:
    def __init__(self, user_id: str):
        self.user_id = user_id
class Tasks(Store[Context]):
    def __init__(self, db: Session):
        self.db = db
    def load(self, context: Context):
        return self.db.exec(select(Task).where(Task.user_id == context.user_id)).all()
class Chat(Server[Context]):
    pass
@app.post("/chat")
async def chat(request: Request, db: Db, me: Me):
    context = Context(user_id={user})
    return await Chat(Tasks(db)).process(await request.body(), context)
"""


@pytest.mark.parametrize(
    ("user", "verdict"), [("me", "isolated"), ('request.headers.get("x-user") or me', "unproven")]
)
def test_an_object_that_a_library_hands_back_is_what_a_route_made(
    user: str, verdict: str, tmp_path: Path
) -> None:
    proof = proof_of_code(STORE.format(user=user), tmp_path)
    assert [query.verdict for query in proof.queries] == [verdict], described(proof.queries)


TOOLS = """
from main import Task, engine
from sqlmodel import Session, select
def list_tasks(user_id: str):
    with Session(engine) as session:
        return session.exec(select(Task).where(Task.user_id == user_id)).all()
"""
LOADING = """
import importlib.util
from pathlib import Path
path = Path(__file__).parent / {folder} / "tools.py"
spec = importlib.util.spec_from_file_location("tools", path)
tools = importlib.util.module_from_spec(spec)
spec.loader.exec_module(tools)
@app.post("/call")
def call(user_id: str):
    return tools.list_tasks(user_id)
"""


def test_a_module_that_is_loaded_from_its_file_is_followed(tmp_path: Path) -> None:
    loading = LOADING.format(folder='"mcp-server"')
    folder = written(tmp_path, main=HEAD + loading, **{"mcp-server__tools": TOOLS})
    proof = prove_folder(folder)
    assert [query.verdict for query in proof.queries] == ["leak"], described(proof.queries)


def test_where_unknown_modules_are_loaded_no_parameter_stands_for_the_owner(
    tmp_path: Path,
) -> None:
    loading = LOADING.format(folder='os.environ["TOOLS"]').replace("tools.py", "")
    folder = written(tmp_path, main=HEAD + loading, **{"mcp-server__tools": TOOLS})
    proof = prove_folder(folder)
    assert [query.verdict for query in proof.queries] == ["unproven"], described(proof.queries)


@pytest.mark.parametrize("count", [1, 5, 20, 60])
@pytest.mark.parametrize(
    ("base", "verdict"),
    [("select(Task)", "leak"), ("select(Task).where(Task.user_id == me)", "isolated")],
)
def test_many_optional_filters_hide_nothing(
    base: str, verdict: str, count: int, tmp_path: Path
) -> None:
    filters = "".join(
        f"    if x == '{n}':\n        query = query.where(Task.title == '{n}')\n"
        for n in range(count)
    )
    code = (
        '@app.get("/tasks")\ndef every(x: str, db: Db, me: Me):\n'
        f"    query = {base}\n{filters}    return db.exec(query).all()\n"
    )
    proof = proof_of_code(code, tmp_path)
    assert [query.verdict for query in proof.queries] == [verdict], described(proof.queries)


@pytest.mark.parametrize(
    ("base", "verdict"), [("[]", "leak"), ("[Task.user_id == me]", "isolated")]
)
def test_many_optional_filters_in_a_list_hide_nothing(
    base: str, verdict: str, tmp_path: Path
) -> None:
    filters = "".join(
        f"    if x == '{n}':\n        conditions.append(Task.title == '{n}')\n" for n in range(9)
    )
    code = (
        '@app.get("/tasks")\ndef every(x: str, db: Db, me: Me):\n'
        f"    conditions = {base}\n{filters}"
        "    return db.exec(select(Task).where(and_(*conditions))).all()\n"
    )
    proof = proof_of_code(code, tmp_path)
    assert [query.verdict for query in proof.queries] == [verdict], described(proof.queries)


def test_a_tool_bound_to_the_signed_in_user_is_isolated(tmp_path: Path) -> None:
    code = """
def create(db: Db, me: str):
    @function_tool
    def mine(title: str):
        return db.exec(select(Task).where(Task.user_id == me, Task.title == title)).all()
    return Agent(tools=[mine])
@app.post("/chat")
def chat(db: Db, me: Me):
    return create(db, me).run("hello")
"""
    proof = proof_of_code(code, tmp_path)
    assert [query.verdict for query in proof.queries] == ["isolated"], described(proof.queries)
