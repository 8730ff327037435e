"""Rules BP4xx, layout and conventions."""

from validators.rules.base import Rule

RULES: tuple[Rule, ...] = ()
