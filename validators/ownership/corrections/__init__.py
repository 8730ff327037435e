"""Corrections: the corrected lines of a finding, suggested only where the proof accepts them.

Every correction is tried: with its lines in place the backend is proven again, and only where the
finding is gone, and no other has come, the lines are shown.
"""

from validators.ownership.corrections.trials import corrected

__all__ = ["corrected"]
