"""Texts for regular expressions, those of hostile documents among them."""

import subprocess
import sys
import time
import tracemalloc

import pytest

from validators.probes.requests.payloads import Filling
from validators.probes.requests.values.patterns import matches, steps
from validators.probes.requests.values.texts import text

MARKER = "qwertyuiop"
USUAL = [
    r"^[A-Z]{3}-\d{4}$", r"^\+[1-9]\d{6,14}$", r"^#(?:[0-9a-fA-F]{3}){1,2}$", r"^\p{Lu}\p{Ll}+$",
    r"^(?<year>\d{4})-(0[1-9]|1[0-2])$", r"^[^@\s]+@[^@\s]+\.[a-z]{2,}$", r"\A[[:digit:]]{4}\z",
    r"^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$", r"^(?i:yes|no)$",
    r"^(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.(?:25[0-5]|2[0-4]\d|1?\d?\d)){3}$", r"^[\w.-]{2,}$",
]  # fmt: skip
HOSTILE = [
    "^(a+)+$", "(a{1000}){1000}", "((a*)*)*" * 5, "(" * 1500, "[" * 1500, "a" * 100_000,
    r"[\u0000-\uffff]{500}", r"[\U00000000-\U0010ffff]{500}", "((a{100}){100}){5}", r"(?=x)y",
    r"(a)\1", "(?>a+)b", "a{0,999999}b", "(((a{50}){50}){50}){50}", "x*" * 500 + "y", r"\p{Nope}",
    "[01]*1[01]{5000}", "(?P<a", "\ud800", "[^\x00-\uffff]", "(?:" * 200 + "a" + ")*" * 200,
]  # fmt: skip


def made(pattern: str, index: int = 0, **limits: int) -> str:
    schema = {"type": "string", "pattern": pattern, **limits}
    return text("value", schema, Filling(MARKER, lambda *_: None, index=index))


@pytest.mark.parametrize("pattern", USUAL)
def test_a_usual_pattern_is_met(pattern: str) -> None:
    assert all(matches(pattern, made(pattern, index)) for index in range(6))


@pytest.mark.parametrize(
    "pattern",
    [
        "^[a-z]{12}$", "^[A-Z0-9]{10,}$", r"^[A-Z][a-z]+( [A-Z][a-z]+)*$", r"^[^<>]+$", r"^T-\w+$",
        r"^[a-z0-9]+(?:-[a-z0-9]+)*$", r"^.{20,}!$",
    ],
)  # fmt: skip
def test_the_marker_is_in_a_text_where_a_pattern_allows_it(pattern: str) -> None:
    found = made(pattern)
    assert matches(pattern, found)
    assert MARKER in found.lower()


def test_length_and_pattern_are_kept_together() -> None:
    found = made("^[A-Z0-9]+$", minLength=6, maxLength=6)
    assert len(found) == 6
    assert matches("^[A-Z0-9]+$", found)


def test_texts_of_one_name_differ_by_index_and_by_user() -> None:
    schema = {"type": "string", "pattern": r"^[A-Z]{3}-\d{4}$"}
    fillings = [
        Filling(MARKER, lambda *_: None, seed=user, index=i) for user in "ab" for i in (0, 1)
    ]
    assert len({text("sku", schema, each) for each in fillings}) == 4


@pytest.mark.parametrize("pattern", HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_pattern_takes_little(pattern: str) -> None:
    tracemalloc.start()
    started = time.process_time()
    assert len(made(pattern)) < 100_000
    matches(pattern, "a" * 50_000)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert time.process_time() - started < 10
    assert peak < 50_000_000


def test_the_same_text_is_made_in_every_process() -> None:
    code = (
        "from validators.probes.requests.values.patterns import texts\n"
        r"print([*texts(r'^[^\s,]+-\W[x-z]{3}.$', '', 'seed', 0)])"
    )
    runs = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(runs) == 1


def test_nested_repetitions_multiply() -> None:
    assert steps("((a{10}){10}){10}") >= 1000
