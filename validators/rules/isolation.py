"""Rules BP3xx, isolation: every query bound to the signed-in user."""

from validators.rules.base import Rule

RULES: tuple[Rule, ...] = ()
