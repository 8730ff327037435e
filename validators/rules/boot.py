"""Rules BP5xx, what keeps a backend from starting."""

from validators.rules.base import Rule

RULES: tuple[Rule, ...] = ()
