"""What a person declares: owner columns, dependencies of other packages, public models."""

from pathlib import Path

import pytest

from tests.validators.ownership.backends import prove_folder, written
from tests.validators.ownership.test_shapes import HEAD
from validators.ownership import ProofOptions
from validators.ownership.schema import OWNER_COLUMNS

FOREIGN = """
from company_auth import signed_in_user

@app.get("/tasks")
def tasks(db: Db, user=Depends(signed_in_user)):
    return db.exec(select(Task).where(Task.user_id == user.id)).all()

@app.get("/count")
def count(db: Db, user=Depends(signed_in_user)):
    return db.exec(select(func.count(Task.id)).where(Task.user_id == user.id)).one()
"""
CATALOGUE = """
class Product(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    user_id: str

@app.get("/products")
def products(db: Db):
    return db.exec(select(Product)).all()
"""
TENANT = """
class Invoice(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    customer: str

@app.get("/invoices")
def invoices(db: Db):
    return db.exec(select(Invoice)).all()
"""


def test_a_dependency_of_another_package_is_one_finding_and_not_one_for_each_query(
    tmp_path: Path,
) -> None:
    proof = prove_folder(written(tmp_path, main=HEAD + FOREIGN))
    assert [query.verdict for query in proof.queries] == ["unproven", "unproven"]
    assert [finding.code for finding in proof.findings] == ["BP311"]


def test_a_declared_dependency_is_the_identity(tmp_path: Path) -> None:
    options = ProofOptions(identity_dependencies=frozenset({"company_auth.signed_in_user"}))
    proof = prove_folder(written(tmp_path, main=HEAD + FOREIGN), options)
    assert [query.verdict for query in proof.queries] == ["isolated", "isolated"]
    assert proof.findings == ()


def test_a_model_that_is_declared_public_is_listed_as_public(tmp_path: Path) -> None:
    backend = written(tmp_path, main=HEAD + CATALOGUE)
    assert [query.verdict for query in prove_folder(backend).queries] == ["leak"]
    options = ProofOptions(public_models=frozenset({"Product"}))
    assert [query.verdict for query in prove_folder(backend, options).queries] == ["public"]


def test_the_names_of_owner_columns_can_be_extended(tmp_path: Path) -> None:
    backend = written(tmp_path, main=HEAD + TENANT)
    assert prove_folder(backend).queries == ()
    options = ProofOptions(owner_columns=OWNER_COLUMNS | {"customer"})
    assert [query.verdict for query in prove_folder(backend, options).queries] == ["leak"]


MADE = """
from company_auth import Guard
current_user = Guard().require()
@app.get("/tasks")
def every(db: Db, me=Depends(current_user)):
    return db.exec(select(Task).where(Task.user_id == me.id)).all()
"""


@pytest.mark.parametrize(("name", "verdict"), [("main.current_user", "isolated"), ("", "unproven")])
def test_a_dependency_that_a_library_makes_is_declared_by_its_own_name(
    name: str, verdict: str, tmp_path: Path
) -> None:
    options = ProofOptions(identity_dependencies=frozenset({name}))
    proof = prove_folder(written(tmp_path, main=HEAD + MADE), options)
    assert [query.verdict for query in proof.queries] == [verdict]
