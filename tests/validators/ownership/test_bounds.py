"""Whatever the code, the proof ends, with a report, and equal code gives an equal one."""

import ast
import sysconfig
from pathlib import Path

import pytest

from tests.validators.ownership.backends import prove_folder, written
from tests.validators.ownership.test_shapes import HEAD
from validators.location import find_app
from validators.ownership import Proof, prove
from validators.ownership.calls import Calls
from validators.source import load_project

ROUTE = """
@app.get("/tasks")
def tasks(me: Me, db: Db):
    return db.exec(select(Task).where(Task.user_id == {value})).all()
"""
LIBRARY = Path(sysconfig.get_paths()["stdlib"])
MODULES = ("argparse", "ast", "asyncio/streams", "configparser", "dataclasses", "enum",
           "functools", "inspect", "json/decoder", "pdb", "string", "textwrap")  # fmt: skip


def proof_of_code(code: str, folder: Path) -> Proof:
    return prove_folder(written(folder, main=HEAD + code))


def interpretations(code: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    """Return how many functions are interpreted; a count is a measure without a clock."""
    count = 0
    original = Calls._interpret

    def counted(self: Calls, *args: object) -> object:
        nonlocal count
        count += 1
        return original(self, *args)  # type: ignore[arg-type]  # passed on as they came

    monkeypatch.setattr(Calls, "_interpret", counted)
    proof_of_code(code, folder)
    return count


@pytest.mark.parametrize("name", MODULES)
def test_functions_of_the_standard_library_are_interpreted_without_failing(
    name: str, tmp_path: Path
) -> None:
    text = (LIBRARY / f"{name}.py").read_text(encoding="utf-8")
    (tmp_path / "other.py").write_text(text, encoding="utf-8")
    proof = proof_of_code(ROUTE.format(value="me"), tmp_path)
    assert [query.verdict for query in proof.queries if query.path == "main.py"] == ["isolated"]


@pytest.mark.parametrize("part", range(1, 20))
def test_a_truncated_backend_ends_with_a_report(part: int, tmp_path: Path) -> None:
    text = HEAD + ROUTE.format(value="me")
    lines = text.splitlines()
    (tmp_path / "main.py").write_text("\n".join(lines[: len(lines) * part // 20]))
    assert isinstance(prove_folder(tmp_path), Proof)


def test_an_empty_folder_has_an_empty_proof(tmp_path: Path) -> None:
    assert prove_folder(tmp_path) == Proof()


def test_recursion_ends(tmp_path: Path) -> None:
    code = "def again(value, depth):\n    return again([value], depth + 1)\n"
    proof = proof_of_code(code + ROUTE.format(value="again(me, 0)"), tmp_path)
    assert [query.verdict for query in proof.queries] != ["isolated"]


def test_a_deep_expression_ends(tmp_path: Path) -> None:
    code = ROUTE.format(value="me" + " + ''" * 3000)
    assert isinstance(proof_of_code(code, tmp_path), Proof)


def test_a_call_chain_is_followed_to_its_end_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chain = "".join(f"def f{n}(x):\n    return f{n + 1}(x)\n" for n in range(50))
    code = chain + "def f50(x):\n    return x\n" + ROUTE.format(value="f0(me)")
    assert interpretations(code, tmp_path, monkeypatch) < 60


def test_a_diamond_of_helpers_is_interpreted_once_at_each_level(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    levels = "".join(
        f"def f{n}(x):\n    left = f{n + 1}(x)\n    return f{n + 1}(x) or left\n" for n in range(20)
    )
    code = levels + "def f20(x):\n    return x\n" + ROUTE.format(value="f0(me)")
    assert interpretations(code, tmp_path, monkeypatch) < 30


def test_a_function_called_in_too_many_ways_is_unproven_and_not_silent(tmp_path: Path) -> None:
    routes = "".join(
        f'@app.get("/{n}")\ndef r{n}(a{n}: str, db: Db):\n    return found(db, a{n})\n'
        for n in range(120)
    )
    code = (
        "def found(db, who):\n"
        "    return db.exec(select(Task).where(Task.user_id == who)).all()\n" + routes
    )
    assert {query.verdict for query in proof_of_code(code, tmp_path).queries} == {"leak"}


def test_the_same_backend_gives_the_same_proof(tmp_path: Path) -> None:
    code = ROUTE.format(value="me")
    assert proof_of_code(code, tmp_path / "a") == proof_of_code(code, tmp_path / "b")


def test_an_error_of_the_proof_is_told_and_nothing_is_proven(tmp_path: Path) -> None:
    project = load_project(written(tmp_path, main=HEAD + ROUTE.format(value="me")))
    tree = project.modules["main.py"].tree
    assert tree is not None
    # No parser makes such a tree.
    tree.body.append(ast.FunctionDef("broken", None, [], []))  # type: ignore[arg-type]  # that is the point
    proof = prove(project, find_app(project))
    assert proof.queries == ()
    assert [finding.name for finding in proof.findings] == ["query-unproven"]
    assert "AttributeError" in proof.findings[0].message
