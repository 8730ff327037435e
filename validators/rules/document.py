"""The rules as a page for people: `python -m validators.rules.document > docs/rules.md`."""

import sys

from validators.rules import Example, Rule, all_rules

_FAMILIES = {
    "BP1": "Reply format",
    "BP2": "Syntax and imports",
    "BP3": "Isolation",
    "BP4": "Layout and conventions",
    "BP5": "Boot",
    "BP6": "Probes",
}
_INTRODUCTION = """\
# Rules

What a check can find. An error makes the check fail, a warning does not; a finding can be softer
than its rule where the place is, and then says so. Tests, migrations and scripts must compile, but
keep no conventions. Files that the app never imports give warnings where an import in them fails.

In the bad examples, each line that is reported ends with the rule's code. The examples are laid
over the backend in `fixtures/backends/sound`, and the tests check that exactly these lines are
reported. This page is written by `python -m validators.rules.document`.
"""


def render_rule(rule: Rule) -> str:
    """Return one rule as Markdown."""
    parts = [f"### {rule.code} {rule.name}", f"*{rule.severity.capitalize()}.* {rule.why}"]
    if rule.instruction:
        parts.append(f"**What a model is told:** {rule.instruction}")
    parts.append(f"**Fix:** {rule.fix}")
    parts += _render_example("Bad", rule.bad)
    parts += _render_example("Good", rule.good)
    return "\n\n".join(parts) + "\n"


def render_page() -> str:
    """Return all rules as one Markdown page."""
    rules = list(all_rules().values())
    parts = [_INTRODUCTION, _render_contents(rules)]
    for family, title in _FAMILIES.items():
        parts.append(f"## {title}\n")
        parts += [render_rule(rule) for rule in rules if rule.code.startswith(family)]
    return "\n".join(parts)


def _render_contents(rules: list[Rule]) -> str:
    rows = [
        f"| [{rule.code}](#{rule.code.lower()}-{rule.name}) | {rule.name} | {rule.severity} |"
        for rule in rules
    ]
    return "\n".join(["| code | name | severity |", "|---|---|---|", *rows]) + "\n"


def _render_example(title: str, example: Example) -> list[str]:
    if not example.code.strip() and not example.removes:
        return []
    code = example.code.rstrip("\n")
    # A reply holds fences of its own.
    fence = "````" if "```" in code else "```"
    language = "python" if example.path.endswith(".py") else "text"
    removed = "".join(f", without `{name}`" for name in example.removes)
    heading = f"{title}, as `{example.path}`{removed}:"
    return [heading, f"{fence}{language}\n{_printable(code)}\n{fence}"]


def _printable(code: str) -> str:
    # Some examples are about characters that no page can show.
    return "".join(
        char if char == "\n" or char.isprintable() else char.encode("unicode_escape").decode()
        for char in code
    )


if __name__ == "__main__":
    sys.stdout.write(render_page())
