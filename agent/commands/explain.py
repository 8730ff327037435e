"""`backendpro explain`: what a rule wants and why."""

import difflib
from collections.abc import Iterator

from agent.errors import InputError
from agent.terminal import Terminal
from validators.rules import Rule, all_rules, find_rule
from validators.text import Line


def explain(code_or_name: str) -> int:
    """Print everything about a rule.

    Raises:
        agent.errors.InputError: There is no such rule.
    """
    rule = find_rule(code_or_name)
    if rule is None:
        raise InputError(f"There is no rule `{code_or_name}`.", _nearest(code_or_name))
    Terminal().show(_explanation(rule))
    return 0


def list_rules() -> int:
    """Print every rule on a line."""
    Terminal().show(
        (
            (rule.code, "place"),
            (f"  {rule.severity:<7}  ", rule.severity),
            (rule.name, "plain"),
        )
        for rule in all_rules().values()
    )
    return 0


def _explanation(rule: Rule) -> Iterator[Line]:
    yield (rule.code, "place"), (f" {rule.name} ", "plain"), (f"({rule.severity})", rule.severity)
    yield ()
    yield ((rule.why, "plain"),)
    yield ()
    yield ("fix: ", "quiet"), (rule.fix, "good")
    for title, example in (("Breaks the rule", rule.bad), ("Keeps it", rule.good)):
        yield ()
        yield ((f"{title}, in {example.path}:", "plain"),)
        for line in example.code.rstrip("\n").split("\n"):
            yield ((f"    {line}", "quiet"),)


def _nearest(code_or_name: str) -> str:
    written = {
        spelling.lower(): spelling
        for rule in all_rules().values()
        for spelling in (rule.code, rule.name)
    }
    near = difflib.get_close_matches(code_or_name.strip().lower(), written, n=1)
    if near:
        return f"Did you mean {written[near[0]]}?"
    return "`backendpro explain` lists all rules."
