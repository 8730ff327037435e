"""Imports: every module and name that is imported exists, and the app can start in that order."""

from validators.imports.checker import check

__all__ = ["check"]
