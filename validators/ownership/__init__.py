"""The isolation proof: every query on an owned model is bound to the signed-in user."""

import sys
import traceback
from dataclasses import field
from pathlib import PurePath

from validators.frozen import frozen
from validators.location import AppLocation
from validators.ownership.machine import ProofOptions
from validators.report import Finding, Query, Transfer
from validators.rules.isolation import rule
from validators.source import Project

__all__ = ["Proof", "ProofOptions", "prove"]

# Deep call chains are interpreted by recursion.
_RECURSION = 20_000


@frozen
class Proof:
    """What the proof found.

    Attributes:
        findings: Sorted by path, line and code.
        queries: A verdict for every query site on an owned model.
        routes: Every route of the app.
        transfers: Declared transfers, sorted by path and line.
        steps: How many statements and expressions were interpreted: a measure of the work.
    """

    findings: tuple[Finding, ...] = ()
    queries: tuple[Query, ...] = ()
    routes: tuple[str, ...] = ()
    transfers: tuple[Transfer, ...] = ()
    steps: int = field(default=0, compare=False)


def prove(
    project: Project, location: AppLocation | None, options: ProofOptions | None = None
) -> Proof:
    """Give every query site on an owned model a verdict.

    Args:
        project: The parsed backend.
        location: Where the app is; without one, every route of every router counts.
        options: What a person declared about the backend.

    Returns:
        The findings, the verdicts and the routes. Never raises for anything in the backend.
    """
    # Imported here so that naming the interface stays cheap.
    from validators.ownership.analysis import analyse  # noqa: PLC0415

    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, _RECURSION))
    try:
        found, steps = analyse(project, location, options or ProofOptions())
    except Exception as error:  # noqa: BLE001  # an error of ours must not lose the other checks
        return Proof((_failed(error),))
    finally:
        sys.setrecursionlimit(before)
    return Proof(found.findings, found.queries, found.routes, found.transfers, steps)


def _failed(error: Exception) -> Finding:
    """Return the finding that the proof itself failed, so that nothing is proven."""
    where = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{PurePath(where.filename).name}, line {where.lineno}"
    return rule("BP302").finding(
        f"The proof itself failed, so nothing is proven ({type(error).__name__} in {place}). "
        "This is an error of BackendPro: please report it, with a backend that shows it."
    )
