"""The work of the proof grows with the code, and no faster; counted in steps, without a clock."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fixtures.growing import with_chain, with_diamond, with_modules, with_routes
from tests.validators.ownership.backends import prove_folder

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


def test_equal_backends_take_equal_steps(tmp_path: Path) -> None:
    taken = {steps(tmp_path / name, with_chain, 5) for name in ("one", "other")}
    assert len(taken) == 1
