"""The examples of the rules BP5xx, each booted."""

from pathlib import Path

import pytest

from tests.validators.probes.probing import SOUND
from tests.validators.runtime.backends import booted
from tests.validators.trees import Files
from validators.report import Finding
from validators.rules.base import Example, Rule
from validators.rules.boot import RULES, SANDBOX
from validators.runtime import Limits

# A complete sandbox cannot be taken away from a test.
BOOTED_RULES = [rule for rule in RULES if rule is not SANDBOX]


def files_with(example: Example) -> Files:
    return {**SOUND, example.path: example.code}


def findings_of(folder: Path, example: Example) -> list[Finding]:
    limits = Limits(boot_seconds=5, output_mb=2)
    with booted(folder, files_with(example), limits, app="main:app") as (_, findings):
        return findings


def marked(example: Example, code: str) -> list[tuple[str, int | None]]:
    lines = enumerate(example.code.splitlines(), start=1)
    return [(example.path, number) for number, line in lines if line.endswith(f"# {code}")]


@pytest.mark.parametrize("rule", BOOTED_RULES, ids=lambda rule: rule.code)
def test_the_bad_example_is_reported_at_its_line(rule: Rule, tmp_path: Path) -> None:
    found = [(f.code, f.path, f.line) for f in findings_of(tmp_path, rule.bad)]
    places = marked(rule.bad, rule.code) or [("", None)]
    assert found == [(rule.code, path, line) for path, line in places]


# Several rules share an example, which is booted once.
GOOD = {rule.good.code: rule for rule in BOOTED_RULES}


@pytest.mark.parametrize("rule", GOOD.values(), ids=lambda rule: rule.code)
def test_the_good_example_boots(rule: Rule, tmp_path: Path) -> None:
    assert findings_of(tmp_path, rule.good) == []
