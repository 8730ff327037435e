"""Rules BP6xx, what the experiments on the booted app showed."""

from validators.rules.base import Rule

RULES: tuple[Rule, ...] = ()
