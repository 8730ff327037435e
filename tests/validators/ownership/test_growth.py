"""The work of the proof grows with the code, and no faster; counted in steps, without a clock."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fixtures.growing import with_chain, with_diamond, with_modules, with_routes
from tests.validators.ownership.backends import prove_folder, written
from tests.validators.ownership.test_shapes import HEAD

Grow = Callable[[Path, int], Path]


def steps(folder: Path, grow: Grow, size: int) -> int:
    proof = prove_folder(grow(folder / str(size), size))
    assert {query.verdict for query in proof.queries} == {"isolated"}
    assert proof.findings == ()
    return proof.steps


@pytest.mark.parametrize(
    ("grow", "sizes"),
    [
        (with_chain, (10, 30, 50)),
        (with_diamond, (4, 12, 20)),
        (with_routes, (10, 30, 50)),
        (with_modules, (2, 6, 10)),
    ],
)
def test_twice_the_growth_takes_twice_the_steps(
    grow: Grow, sizes: tuple[int, int, int], tmp_path: Path
) -> None:
    small, middle, large = (steps(tmp_path, grow, size) for size in sizes)
    assert large - small == pytest.approx(2 * (middle - small), rel=0.01)


LABELLED = """
def level_{number}(db, who, label):
    return level_{below}(db, who, label + "l") or level_{below}(db, who, label + "r")
"""
FOUND = """
def level_{number}(db, who, key):
    task = level_{below}(db, who, key)
    if task is None:
        return None
    return level_{below}(db, who, task.id)
"""
LIST = "return db.exec(select(Task).where(Task.user_id == who)).all()"
GET = "return db.exec(select(Task).where(Task.id == key, Task.user_id == who)).first()"
ROUTE = """
@app.get("/grown/{key}")
def grown(key: int, me: Me, db: Db):
    return level_0(db, me, ARGUMENT)
"""


@pytest.mark.parametrize(
    ("level", "last", "parameter", "argument"),
    [(LABELLED, LIST, "label", '""'), (FOUND, GET, "key", "key")],
    ids=["a text that differs on each way", "the key of the row that was found"],
)
def test_arguments_that_differ_on_each_of_a_million_ways_stay_linear(
    level: str, last: str, parameter: str, argument: str, tmp_path: Path
) -> None:
    def taken(levels: int) -> int:
        code = "".join(level.format(number=n, below=n + 1) for n in range(levels))
        code += f"\n\ndef level_{levels}(db, who, {parameter}):\n    {last}\n"
        folder = written(
            tmp_path / str(levels), main=HEAD + code + ROUTE.replace("ARGUMENT", argument)
        )
        proof = prove_folder(folder)
        assert [query.verdict for query in proof.queries] == ["isolated"]
        return proof.steps

    ten, twenty, thirty = (taken(levels) for levels in (10, 20, 30))
    assert thirty - twenty == pytest.approx(twenty - ten, rel=0.05)


def test_equal_backends_take_equal_steps(tmp_path: Path) -> None:
    taken = {steps(tmp_path / name, with_chain, 5) for name in ("one", "other")}
    assert len(taken) == 1
