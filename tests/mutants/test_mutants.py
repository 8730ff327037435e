"""Every mutant that breaks isolation is reported, and none that keeps it."""

import pytest

from tests.mutants.operators import BREAKING
from tests.mutants.score import equivalents, known_misses, mutants
from tests.mutants.subjects import Subject, subjects

SUBJECTS = subjects()


@pytest.mark.parametrize("subject", SUBJECTS, ids=lambda subject: subject.name)
def test_the_proof_judges_every_mutant_rightly(subject: Subject) -> None:
    wrong = {mutant.name for mutant in mutants(subject) if not mutant.is_right}
    assert wrong == {name for name in known_misses() if name.startswith(f"{subject.name}/")}


def test_there_are_at_least_five_hundred_mutants_that_break_isolation() -> None:
    made = sum(
        1
        for subject in SUBJECTS
        for file in subject.files
        for operator in BREAKING
        for _ in operator(file)
    )
    assert made >= 500


def test_every_listed_mutant_has_a_reason() -> None:
    listed = equivalents() | known_misses()
    assert all(reason.strip() for reason in listed.values())
