"""The examples of the rules BP6xx, each booted and probed."""

from pathlib import Path

import pytest

from tests.validators.probes.probing import SOUND, errors_without_failure, probe
from validators.rules.base import Example, Rule
from validators.rules.probes import CONTRADICTION, RULES, TOO_LITTLE

# What the check as a whole says; see test_contradictions.py and test_coverage.py.
PROBED_RULES = [rule for rule in RULES if rule not in (CONTRADICTION, TOO_LITTLE)]


def files_with(example: Example) -> dict[str, str]:
    return {**SOUND, example.path: example.code}


def marked(example: Example, code: str) -> list[tuple[str, int | None]]:
    lines = enumerate(example.code.splitlines(), start=1)
    return [(example.path, number) for number, line in lines if line.endswith(f"# {code}")]


@pytest.mark.parametrize("rule", PROBED_RULES, ids=lambda rule: rule.code)
def test_the_bad_example_is_reported_at_its_line(rule: Rule, tmp_path: Path) -> None:
    run = probe(tmp_path, files_with(rule.bad))
    found = [(f.path, f.line) for f in run.findings if f.code == rule.code]
    assert found == (marked(rule.bad, rule.code) or [("", None)])
    assert not errors_without_failure(run)


# Several rules share an example, which is probed once.
GOOD = {rule.good.code: rule for rule in RULES}


@pytest.mark.parametrize("rule", GOOD.values(), ids=lambda rule: rule.code)
def test_the_good_example_is_clean(rule: Rule, tmp_path: Path) -> None:
    assert probe(tmp_path, files_with(rule.good)).findings == ()
