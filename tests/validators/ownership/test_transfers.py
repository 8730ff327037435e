"""Rows that change their owner: by an offer, declared, or as somebody else likes it."""

from pathlib import Path

import pytest

from tests.fixtures.annotations import ISOLATION
from tests.validators.ownership.backends import proof_of, prove_folder, written
from tests.validators.ownership.test_shapes import HEAD
from validators import CheckOptions, check
from validators.certificate import certificate
from validators.ownership import Proof
from validators.report import Finding

ROUTE = "POST /projects/{project_id}/transfer"
REASON = "the owner gives the project away"
OFFERS = sorted(ISOLATION.glob("transfer-offer-*-sound"))
DECLARED = sorted(ISOLATION.glob("transfer-declared-*-sound"))

SHARE = """
class TaskShare(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    task_id: int = Field(foreign_key="task.id")
    user_id: str = Field(foreign_key="user.id")


@app.post("/tasks/{task_id}/shares")
def share(task_id: int, user_id: str, me: Me, db: Db):
    task = db.exec(select(Task).where(Task.id == task_id, Task.user_id == me)).first()
    if task is None:
        raise HTTPException(404)
    db.add(TaskShare(task_id=task.id, user_id=user_id))
    db.commit()


@app.post("/shares/{share_id}")
def use(share_id: int, me: Me, db: Db):
    share = db.exec(
        select(TaskShare).where(TaskShare.id == share_id, TaskShare.user_id == me)
    ).first()
    if share is None:
        raise HTTPException(404)
    task = db.get(Task, share.task_id)
    {write}
    db.commit()
"""
GIVE = """
@app.post("/tasks/{{task_id}}/give")
def give(task_id: int, email: str, me: Me, db: Db):
    task = db.exec(select(Task).where(Task.id == task_id, Task.user_id == me)).first()
    user = db.exec(select(User).where(User.email == {email})).first()
    if task is None or user is None:
        raise HTTPException(404)
{write}
    db.commit()
"""
NOTE = "# backendpro: transfer — it is given away"
UPDATE = """\
        update(Task)
        .where(Task.id == task_id, Task.user_id == me)
        .values(user_id=user.id)"""


def fixture(name: str) -> Proof:
    return proof_of(ISOLATION / f"transfer-{name}")


def only(proof: Proof) -> Finding:
    """Return the one finding about a changed owner."""
    [finding] = [each for each in proof.findings if each.code == "BP307"]
    return finding


def given(folder: Path, write: str, email: str = "email") -> Proof:
    """Prove a backend that gives a task to the user with an email."""
    return prove_folder(written(folder, main=HEAD + GIVE.format(write=write, email=email)))


@pytest.mark.parametrize("folder", OFFERS, ids=lambda folder: folder.name)
def test_an_offer_that_its_recipient_accepts_needs_no_declaration(folder: Path) -> None:
    assert proof_of(folder).transfers == ()


@pytest.mark.parametrize("folder", DECLARED, ids=lambda folder: folder.name)
def test_a_declared_transfer_is_listed_with_its_reason_and_its_routes(folder: Path) -> None:
    [transfer] = proof_of(folder).transfers
    assert (transfer.table_model, transfer.reason) == ("Project", REASON)
    assert transfer.routes in ((ROUTE,), ("POST /projects/transfer",))
    lines = (folder / transfer.path).read_text().splitlines()
    # A statement of several lines is named by its first one.
    assert NOTE.partition(" — ")[0] in "".join(lines[transfer.line - 2 : transfer.line + 4])


def test_the_certificate_lists_declared_transfers_without_their_lines() -> None:
    folder = ISOLATION / "transfer-declared-function-sound"
    text = certificate(check(folder, CheckOptions(is_static=True)))
    listed = text.partition("## Declared transfers\n\n")[2].partition("\n\n")[0]
    assert listed == f"- main.py, Project: {REASON} ({ROUTE})"


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        (
            "declared-not-own-leaky",
            "The declared transfer does not hold: nothing shows that the Project is the signed-in "
            "user's own.",
        ),
        (
            "declared-without-reason-leaky",
            "The transfer is declared without a reason: write `# backendpro: transfer — reason`.",
        ),
        (
            "declared-elsewhere-leaky",
            "The transfer that line 30 declares is not here: the comment belongs on the line of "
            "the write.",
        ),
        (
            "declared-unknown-recipient-leaky",
            "The declared transfer does not hold: nobody was looked up by what the sender named.",
        ),
        (
            "offer-stale-leaky",
            "Project.user_id is taken over by a ProjectOffer, and nothing checks that it is still "
            "ProjectOffer.sender_id: an old one takes the row from a later owner.",
        ),
        (
            "offer-other-sender-leaky",
            "Project.user_id is changed by an offer that may be made up: at main.py:47 "
            "ProjectOffer.sender_id is set to body.sender_id from the body, which the sender "
            "chooses.",
        ),
    ],
)
def test_the_finding_says_why_the_row_may_not_change_its_owner(name: str, sentence: str) -> None:
    assert only(fixture(name)).message.endswith(sentence)
    assert fixture(name).transfers == ()


def test_a_transfer_that_nobody_declared_gets_the_advice_to_make_an_offer() -> None:
    finding = only(fixture("undeclared-leaky"))
    assert finding.fix.startswith("Let the recipient accept it: store an offer")
    assert finding.correction == ()


def test_to_take_a_shared_row_is_to_change_its_owner(tmp_path: Path) -> None:
    backend = written(tmp_path, main=HEAD + SHARE.replace("{write}", "task.user_id = me"))
    assert only(prove_folder(backend)).message.endswith(
        "which names nobody who gives the row away."
    )


def test_to_take_a_shared_row_can_be_declared(tmp_path: Path) -> None:
    write = f"task.user_id = me  {NOTE}"
    proof = prove_folder(written(tmp_path, main=HEAD + SHARE.replace("{write}", write)))
    assert [each.reason for each in proof.transfers] == ["it is given away"]
    assert proof.findings == ()


def test_a_shared_row_may_be_changed_otherwise(tmp_path: Path) -> None:
    backend = written(tmp_path, main=HEAD + SHARE.replace("{write}", "task.completed = True"))
    assert prove_folder(backend).findings == ()


def test_whoever_works_on_a_shared_row_does_not_own_it(tmp_path: Path) -> None:
    head = HEAD.replace(
        "    completed: bool = False",
        '    completed: bool = False\n    assignee_id: str | None = Field(foreign_key="user.id")',
    )
    backend = written(tmp_path, main=head + SHARE.replace("{write}", "task.assignee_id = me"))
    assert prove_folder(backend).findings == ()


@pytest.mark.parametrize(
    "write",
    [
        f"    task.user_id = user.id  {NOTE}",
        f"    {NOTE}\n    task.user_id = user.id",
        f"    task.user_id = (\n        user.id  {NOTE}\n    )",
        f"    db.execute(\n{UPDATE}  {NOTE}\n    )",
        f"    change = (\n{UPDATE}  {NOTE}\n    )\n    db.execute(change)",
    ],
    ids=["behind", "above", "inside", "in an update", "in a statement that runs later"],
)
def test_a_declaration_stands_on_the_lines_of_the_write(tmp_path: Path, write: str) -> None:
    proof = given(tmp_path, write)
    assert [each.routes for each in proof.transfers] == [("POST /tasks/{task_id}/give",)]
    assert proof.findings == ()


@pytest.mark.parametrize(
    "write",
    [
        f"    db.flush()  {NOTE}\n    task.user_id = user.id",
        f"    {NOTE}\n\n    task.user_id = user.id",
        f"    task.user_id = user.id\n    {NOTE}",
    ],
    ids=["behind other code", "above a blank line", "below"],
)
def test_a_declaration_elsewhere_declares_nothing(tmp_path: Path, write: str) -> None:
    proof = given(tmp_path, write)
    assert "is not here" in only(proof).message
    assert proof.transfers == ()


def test_nobody_can_be_declared_the_owner_whom_the_sender_did_not_name(tmp_path: Path) -> None:
    proof = given(tmp_path, f"    task.user_id = user.id  {NOTE}", email='"root@example.com"')
    assert [finding.code for finding in proof.findings] == ["BP307"]
