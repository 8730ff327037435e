"""The strict output format: incremental parser and renderer."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One path, as in a reply (`backend/...`), with its complete code."""

    path: str
    code: str
