"""Sound backends of many styles pass, and no leaky twin of theirs does.

`fixtures/worlds/NAME` holds a sound backend, the files that differ in its leaky twin, and
`case.json`: what it is about, and where the twin leaks. Whoever wrote them did not know the check.
`alarms` lists what the isolation proof wrongly says of the sound one, `unseen` says that nothing
finds the leak, and `unexercised` how many routes no probe reaches: known faults of ours, which the
tests hold to their number.
"""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from validators import CheckOptions, check
from validators.report import Report
from validators.runtime import kept

CASES = sorted((Path(__file__).parents[2] / "fixtures" / "worlds").iterdir())
# Of style and layout, which are each author's own.
OF_STYLE = ("BP4",)


@pytest.fixture(scope="module", autouse=True)
def _kept() -> Iterator[None]:
    with kept():
        yield


def about(case: Path) -> dict[str, Any]:
    data: dict[str, Any] = json.loads((case / "case.json").read_text(encoding="utf-8"))
    return data


def checked(case: Path, folder: Path, *, is_leaky: bool) -> Report:
    shutil.copytree(case / "backend", folder / "backend")
    if is_leaky:
        shutil.copytree(case / "leaky", folder / "backend", dirs_exist_ok=True)
    return check(folder / "backend", CheckOptions(coverage=0.0))


def alarms(report: Report) -> list[str]:
    """Return what a report says against a backend, style aside, each as code and route."""
    return sorted(
        f"{finding.code} {finding.route or finding.path}"
        for finding in report.findings
        if finding.severity == "error" and not finding.code.startswith(OF_STYLE)
    )


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_sound_backend_raises_no_alarm(case: Path, tmp_path: Path) -> None:
    report = checked(case, tmp_path, is_leaky=False)
    assert alarms(report) == about(case).get("alarms", [])
    assert report.coverage is not None
    assert len(report.coverage.missed) <= about(case).get("unexercised", 0)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_its_leaky_twin_does_not_pass(case: Path, tmp_path: Path) -> None:
    more = set(alarms(checked(case, tmp_path, is_leaky=True))) - set(about(case).get("alarms", []))
    assert bool(more) != about(case).get("unseen", False)
