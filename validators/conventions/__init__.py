"""Conventions: placeholders, types, secrets, and patterns that fail on today's stack."""

from validators.conventions import (
    datetimes,
    hints,
    pydantic_v1,
    robustness,
    secrets,
    sessions,
    unfinished,
    user_ids,
)
from validators.conventions.schema import Schema
from validators.conventions.user_ids import UserId
from validators.report import Finding
from validators.source import Project, is_auxiliary

__all__ = ["UserId", "check"]

_RULES = (unfinished, hints, pydantic_v1, secrets, datetimes, sessions, robustness)


def check(project: Project, user_id: UserId = "text") -> list[Finding]:
    """Return a finding for each convention that the backend breaks.

    Tests, migrations and scripts are passed over: they run in other surroundings.

    Args:
        project: The parsed backend.
        user_id: Type of the user table's key; Better Auth makes it text unless told otherwise.
    """
    schema = Schema(project)
    findings = user_ids.check(project, schema, user_id)
    for module in project.modules.values():
        if module.tree is None or is_auxiliary(module.path):
            continue
        for rule in _RULES:
            findings += rule.check(module, schema)
    return findings
