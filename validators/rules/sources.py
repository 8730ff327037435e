"""Rules BP2xx, syntax and imports."""

from validators.rules.base import Rule

RULES: tuple[Rule, ...] = ()
