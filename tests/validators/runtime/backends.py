"""Small backends, booted for a test."""

import os
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import psutil

from tests.validators.trees import Files, lay_out
from validators.location import find_app
from validators.report import Finding
from validators.runtime import Limits, RunningApp, prepare
from validators.source import load_project

# Small enough that what never ends is stopped quickly, on a busy machine too.
SMALL = Limits(boot_seconds=8, request_seconds=2, total_seconds=40, memory_mb=400, output_mb=4)
# Longer than any machine takes.
_SECONDS_TO_BE_GONE = 60

PLAIN_MAIN = """from fastapi import FastAPI

{before}
app = FastAPI()


@app.get("/health")
def health() -> dict[str, str]:
    return {{"status": "ok"}}
{after}
"""


def plain(*, before: str = "", after: str = "") -> Files:
    """Return an app with one route, and code before and after its definition."""
    return {"main.py": PLAIN_MAIN.format(before=before, after=after)}


@contextmanager
def booted(
    folder: Path, files: Files, limits: Limits = SMALL, app: str | None = None
) -> Iterator[tuple[RunningApp | None, list[Finding]]]:
    """Boot the backend of these files."""
    project = load_project(lay_out(folder / "backend", files))
    location = find_app(project, app)
    assert location is not None
    project = replace(project, import_root=location.import_root)
    with prepare(project, location, limits=limits) as booting:
        yield booting.start()


def boot_findings(folder: Path, files: Files, limits: Limits = SMALL) -> list[Finding]:
    """Return what keeps the backend of these files from booting."""
    with booted(folder, files, limits) as (app, findings):
        assert (app is None) == bool(findings)
        return findings


def processes_with(text: str) -> list[psutil.Process]:
    """Return the machine's processes whose command line holds a text."""
    return [
        process
        for process in psutil.process_iter(["cmdline"])
        if any(text in part for part in process.info["cmdline"] or ())
    ]


def running_children() -> list[psutil.Process]:
    """Return what runs under this process's templates, and goes on: the children of checks."""
    return still_running(
        process
        for template in psutil.Process().children()
        if _is_alive(template) and any("__main__.py" in part for part in template.cmdline())
        for process in template.children(recursive=True)
    )


def still_running(processes: Iterable[psutil.Process]) -> list[psutil.Process]:
    """Return which processes go on, once their guards had time to end them."""
    found = filter(_is_alive, list(processes))
    return psutil.wait_procs(found, timeout=_SECONDS_TO_BE_GONE)[1]


def _is_alive(process: psutil.Process) -> bool:
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def leftovers() -> list[Path]:
    """Return the temporary folders of this process's checks, once their guards had time to go."""
    deadline = time.monotonic() + _SECONDS_TO_BE_GONE
    while found := _folders():
        if time.monotonic() > deadline:
            break
        time.sleep(0.01)
    return found


def _folders() -> list[Path]:
    """Return the temporary folders of this process's checks, the cluster's aside."""
    return sorted(Path(tempfile.gettempdir()).glob(f"backendpro-sandbox-{os.getpid()}-*"))
