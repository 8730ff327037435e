"""HTTP experiments on the booted app: two users try to reach each other's rows."""

from validators.probes.contradictions import find_contradictions
from validators.probes.coverage import judge_coverage
from validators.probes.results import ProbeRun
from validators.probes.running import run

__all__ = ["ProbeRun", "find_contradictions", "judge_coverage", "run"]
