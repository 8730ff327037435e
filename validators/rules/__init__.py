"""Every rule once: code, name, severity, why, what a model is told, a bad and a good example.

One module per family of codes. The examples are the rules' tests and their documentation,
and the system prompt is rendered from `instruction`, so that prompt and validator agree.
"""

from functools import cache

from validators.rules import boot, conventions, isolation, probes, reply, sources
from validators.rules.base import Example, Rule

__all__ = ["Example", "Rule", "all_rules", "find_rule"]

_FAMILIES = (reply, sources, isolation, conventions, boot, probes)


@cache
def all_rules() -> dict[str, Rule]:
    """Return every rule by its code, in the order of the codes."""
    rules = [rule for family in _FAMILIES for rule in family.RULES]
    return {rule.code: rule for rule in sorted(rules, key=lambda rule: rule.code)}


def find_rule(code_or_name: str) -> Rule | None:
    """Return the rule with this code or name, upper or lower case, or None."""
    wanted = code_or_name.strip().lower()
    for rule in all_rules().values():
        if wanted in (rule.code.lower(), rule.name):
            return rule
    return None
