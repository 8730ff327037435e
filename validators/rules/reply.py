"""Rules BP1xx, the reply format."""

from validators.rules.base import Rule

RULES: tuple[Rule, ...] = ()
