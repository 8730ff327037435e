"""Every rule is whole, and its own examples prove it."""

import json
import re
import shutil
from dataclasses import asdict
from pathlib import Path

import pytest

from validators import CheckOptions, check
from validators.report import Finding
from validators.rules import Rule, all_rules, find_rule
from validators.rules.base import Example
from validators.rules.document import render_page, render_rule

ROOT = Path(__file__).parents[2]
SOUND = ROOT / "fixtures" / "backends" / "sound"
# Families whose examples are backends that the static checks judge, and who tests the others.
STATIC = ("BP2", "BP3", "BP4")
TESTED_ELSEWHERE = {
    "BP1": "tests/agent/test_reply.py",
    "BP5": "tests/validators/runtime",
    "BP6": "tests/validators/probes",
}

RULES = list(all_rules().values())
STATIC_RULES = [rule for rule in RULES if rule.code.startswith(STATIC)]


def backend_with(example: Example, folder: Path) -> Path:
    """Lay an example over a copy of the sound backend."""
    backend = folder / "backend"
    shutil.copytree(SOUND, backend)
    for name in example.removes:
        target = backend / name
        shutil.rmtree(target) if target.is_dir() else target.unlink()
    file = backend / example.path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(example.code, encoding="utf-8")
    return backend


def findings_of(example: Example, folder: Path) -> tuple[Finding, ...]:
    """Return what the static checks find in an example."""
    return check(backend_with(example, folder), CheckOptions(is_static=True)).findings


def marked_lines(example: Example, code: str) -> list[int]:
    """Return the lines that end with the code as a comment."""
    lines = enumerate(example.code.splitlines(), start=1)
    return [number for number, line in lines if line.endswith(f"# {code}")]


def test_codes_and_names_are_unique() -> None:
    families = [rule.code for rule in RULES]
    assert len(set(families)) == len({rule.name for rule in RULES}) == len(RULES)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_a_rule_is_whole(rule: Rule) -> None:
    assert re.fullmatch(r"BP[1-6]\d\d", rule.code)
    assert re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", rule.name)
    assert rule.why.endswith(".")
    assert rule.fix.endswith(".")
    assert rule.instruction == rule.instruction.strip()


def test_every_rule_has_a_bad_and_a_good_example() -> None:
    same = [rule.code for rule in RULES if rule.bad == rule.good]
    assert same == []


@pytest.mark.parametrize("rule", STATIC_RULES, ids=lambda rule: rule.code)
def test_the_bad_example_breaks_its_rule_at_the_marked_lines_and_no_other(
    rule: Rule, tmp_path: Path
) -> None:
    findings = findings_of(rule.bad, tmp_path)
    own = [finding for finding in findings if finding.code == rule.code]
    marked = marked_lines(rule.bad, rule.code)
    if marked:
        assert [(finding.path, finding.line) for finding in own] == [
            (rule.bad.path, line) for line in marked
        ]
    else:  # a whole file or the whole backend is to blame
        assert [finding.line for finding in own] == [None]
    others = {finding.code for finding in findings if finding.severity == "error"}
    assert others <= {rule.code}


@pytest.mark.parametrize("rule", STATIC_RULES, ids=lambda rule: rule.code)
def test_the_good_example_keeps_its_rule_and_breaks_no_other(rule: Rule, tmp_path: Path) -> None:
    findings = findings_of(rule.good, tmp_path)
    assert [finding for finding in findings if finding.code == rule.code] == []
    assert [finding for finding in findings if finding.severity == "error"] == []


def test_the_sound_backend_has_no_finding_at_all() -> None:
    assert check(SOUND, CheckOptions(is_static=True)).findings == ()


def test_every_family_of_rules_is_tested_by_somebody() -> None:
    families = {rule.code[:3] for rule in RULES} - set(STATIC)
    assert [family for family in families if not (ROOT / TESTED_ELSEWHERE[family]).exists()] == []


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_a_rule_is_found_by_code_and_by_name_in_any_case(rule: Rule) -> None:
    assert find_rule(rule.code.lower()) is rule
    assert find_rule(f" {rule.name.upper()} ") is rule


def test_an_unknown_rule_is_none() -> None:
    assert find_rule("BP999") is None


def test_a_finding_takes_the_rules_words_where_the_place_says_nothing_better() -> None:
    rule = RULES[0]
    finding = rule.finding("Something is wrong.")
    assert (finding.code, finding.name, finding.severity) == (rule.code, rule.name, rule.severity)
    assert finding.fix == rule.fix
    special = rule.finding("Something is wrong.", fix="Do this.", severity="warning")
    assert (special.fix, special.severity) == ("Do this.", "warning")


def test_a_finding_can_quote_half_a_character() -> None:
    finding = RULES[0].finding("The text is '\ud800'.")
    assert finding.message == "The text is '\\ud800'."
    assert json.dumps(asdict(finding), ensure_ascii=False).encode()


def test_the_committed_page_of_rules_is_current() -> None:
    page = (ROOT / "docs" / "rules.md").read_text(encoding="utf-8")
    assert page == render_page(), "Run: python -m validators.rules.document > docs/rules.md"


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_a_rule_is_documented_with_all_its_words(rule: Rule) -> None:
    page = render_rule(rule)
    assert all(part in page for part in (rule.code, rule.name, rule.why, rule.fix))
    assert rule.instruction in page
