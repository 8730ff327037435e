"""Is it right? Checks a backend, and knows nothing of who wrote it."""

from validators.check import CheckOptions, StageFinished, StageStarted, check

__all__ = ["CheckOptions", "StageFinished", "StageStarted", "check"]
