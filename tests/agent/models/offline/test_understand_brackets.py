"""Brackets behind a field's name: a description or a list of values, and never the wrong one."""

from decimal import Decimal

import pytest

from agent.errors import RequestNotUnderstoodError
from agent.models.offline.blueprint import FieldKind
from agent.models.offline.understand import understand


def refusal(said: str) -> str:
    """Return why brackets behind a name are refused."""
    with pytest.raises(RequestNotUnderstoodError) as refused:
        understand(f"add CRUD for invoices with number {said}, amount (money)", ())
    return refused.value.message


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("(text, required, unique)", ["unique"]),
        ("(text, unique)", ["unique"]),
        ("(unique, text)", ["unique"]),
        ("(text, required, unique, max 20)", ["unique"]),
        ("(text, max 20, indexed, unique)", ["indexed", "unique"]),
        ("[text, required, encrypted]", ["encrypted"]),
        ("(required, unique, indexed)", ["unique", "indexed"]),
        ("(low, high, unique)", ["unique"]),
        ("(text, required, max 20, primary key)", ["primary key"]),
        ("(string, flibber, flabber)", ["flibber", "flabber"]),
        ("(text, required, email)", ["email"]),
        ("(required, flibber)", ["flibber"]),
        ("(one of low, high, unique)", ["unique"]),
        ("one of (low, high, unique)", ["unique"]),
        (": text, required, unique", ["unique"]),
    ],
)
def test_words_that_describe_nothing_known_are_refused_by_name(said: str, words: list[str]) -> None:
    message = refusal(said)
    assert [word for word in words if f'"{word}"' not in message] == [], message
    assert "choice" not in message


def test_the_refusal_says_what_to_do_where_the_words_were_meant_as_values() -> None:
    assert 'say "one of text, audio"' in refusal("(text, audio)")


@pytest.mark.parametrize("said", ["(text, required, unique)", "(unique)"])
def test_the_refusal_says_why_a_number_cannot_be_unique(said: str) -> None:
    with pytest.raises(RequestNotUnderstoodError) as refused:
        understand(f"add CRUD for invoices with number {said}, amount", ())
    assert "Uniqueness is not checked." in f"{refused.value.message} {refused.value.hint}"


@pytest.mark.parametrize(
    ("said", "choices"),
    [
        ("(low, high)", ("low", "high")),
        ("(low, high, required)", ("low", "high")),
        ("(one of low, high; required)", ("low", "high")),
        ("(text, one of low, high)", ("low", "high")),
        ("(text, number, date)", ("text", "number", "date")),
        ("(phone, email, other)", ("phone", "email", "other")),
        ("one of (email, phone, other)", ("email", "phone", "other")),
    ],
)
def test_values_in_brackets_are_choices(said: str, choices: tuple[str, ...]) -> None:
    blueprint = understand(f"add CRUD for contacts with channel {said}", ())
    assert blueprint.resources[0].fields[0].choices == choices


def test_a_description_in_brackets_is_read_whole() -> None:
    blueprint = understand(
        "add CRUD for contacts with nickname (text, optional, max 20), "
        "rank (whole number, required, between 1 and 5), active (boolean, default yes)",
        (),
    )
    nickname, rank, active = blueprint.resources[0].fields
    assert (nickname.kind, nickname.is_required) == (FieldKind.TEXT, False)
    assert nickname.maximum == Decimal(20)
    assert (rank.kind, rank.is_required) == (FieldKind.INTEGER, True)
    assert (rank.minimum, rank.maximum) == (Decimal(1), Decimal(5))
    assert (active.kind, active.default) == (FieldKind.BOOLEAN, True)


def test_values_that_a_list_is_filtered_by_are_no_description() -> None:
    with pytest.raises(RequestNotUnderstoodError, match="unique"):
        understand("add CRUD for tasks with status, filter by status (text, unique)", ())
