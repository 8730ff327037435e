"""A cause is narrowed down to what cannot be left out."""

from collections.abc import Sequence

import pytest

from validators.probes.lives.controls import minimize
from validators.probes.worlds.acts import Act


def acts(count: int) -> list[Act]:
    return [Act(number, "intruder", None) for number in range(count)]


@pytest.mark.parametrize("needed", [{0}, {9}, {3, 4}, {0, 9}, {1, 5, 8}, set(range(10))])
def test_what_is_left_suffices_and_nothing_of_it_can_be_left_out(needed: set[int]) -> None:
    def suffices(chosen: Sequence[Act]) -> bool:
        return needed <= {act.number for act in chosen}

    assert {act.number for act in minimize(acts(10), suffices)} == needed


def test_few_are_tried_where_one_suffices() -> None:
    tried: list[int] = []

    def suffices(chosen: Sequence[Act]) -> bool:
        tried.append(len(chosen))
        return any(act.number == 77 for act in chosen)

    assert [act.number for act in minimize(acts(128), suffices)] == [77]
    assert len(tried) <= 14
