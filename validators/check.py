"""All checks in order, from syntax to probes, as one report."""

import gc
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from validators import conventions, imports, layout, ownership, syntax
from validators.frozen import frozen
from validators.location import AppLocation, find_app
from validators.report import Coverage, Finding, Probe, Query, Report, Transfer
from validators.source import Project, load_project

if TYPE_CHECKING:
    from validators import runtime


@frozen
class CheckOptions:
    """How to check.

    Attributes:
        app: `module:attribute` of the app; found by itself where None.
        python: Interpreter that boots the backend; our own where None.
        is_static: Stop after the static checks.
        user_id: Type of the user table's key in the database.
        fuzz_seconds: How long to send random requests as well.
        requires_sandbox: Whether a layer of the sandbox that the system refuses is an error.
        coverage: The share of the routes that must be exercised for a pass.
        declared: What a person declared about the backend; None for nothing.
    """

    app: str | None = None
    python: Path | None = None
    is_static: bool = False
    user_id: conventions.UserId = "text"
    fuzz_seconds: float = 0.0
    requires_sandbox: bool = False
    coverage: float = 0.9
    declared: ownership.ProofOptions | None = None


@frozen
class StageStarted:
    """A stage of the check begins."""

    stage: str


@frozen
class StageFinished:
    """A stage of the check is over, after so many seconds and with so many findings."""

    stage: str
    seconds: float
    findings: int


Listener = Callable[[StageStarted | StageFinished], None]


def check(
    backend: Path,
    options: CheckOptions | None = None,
    listen: Listener | None = None,
) -> Report:
    """Check a backend.

    Args:
        backend: The folder that holds the app, or the folder above it. It is only read.
        options: How to check.
        listen: Called as each stage starts and finishes.

    Returns:
        The report. The app is booted only where the static checks found no syntax or import
        error, and not at all when `options.is_static` is set.
    """
    options = options or CheckOptions()
    run = _Run(listen or _ignore)
    if not options.is_static:
        _warm_up(options)
    with _without_collections():
        with run.stage("syntax"):
            project = load_project(backend)
            run.findings += syntax.check(project)
            run.files = len(project.modules)
        location = find_app(project, options.app)
        if location is not None:
            project = replace(project, import_root=location.import_root)
    with ExitStack() as closing:
        booting = None
        if location is not None and not options.is_static and not run.has_source_errors:
            booting = closing.enter_context(_preparing(project, location, options))
        with _without_collections():
            _run_static(run, project, location, options, booting)
        if booting is not None and not run.has_source_errors:
            _run_app(run, booting, options)
    return run.report()


@contextmanager
def _without_collections() -> Iterator[None]:
    # Trees and values hold next to no cycles. To look for cycles among them again and again
    # takes a tenth of the time, and more the larger the backend is.
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _ignore(event: StageStarted | StageFinished) -> None:
    del event


@dataclass
class _Run:
    """What has been found so far."""

    listen: Listener
    findings: list[Finding] = field(default_factory=list)
    timings: dict[str, float] = field(default_factory=dict)
    queries: tuple[Query, ...] = ()
    proof_findings: tuple[Finding, ...] = ()
    probes: tuple[Probe, ...] = ()
    routes: tuple[str, ...] = ()
    coverage: Coverage | None = None
    transfers: tuple[Transfer, ...] = ()
    files: int = 0
    route_seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        self.listen(StageStarted(name))
        started, before = time.perf_counter(), len(self.findings)
        yield
        seconds = time.perf_counter() - started
        self.timings[name] = round(seconds, 3)
        self.listen(StageFinished(name, seconds, len(self.findings) - before))

    @property
    def has_source_errors(self) -> bool:
        return any(finding.code.startswith("BP2") for finding in self.findings)

    def report(self) -> Report:
        ordered = sorted(
            dict.fromkeys(self.findings),
            key=lambda f: (f.path, f.line or 0, f.column or 0, f.code, f.message),
        )
        return Report(
            findings=tuple(ordered),
            queries=self.queries,
            probes=self.probes,
            routes=self.routes,
            coverage=self.coverage,
            transfers=self.transfers,
            files=self.files,
            timings=self.timings,
            route_seconds=self.route_seconds,
        )


def _run_static(
    run: _Run,
    project: Project,
    location: AppLocation | None,
    options: CheckOptions,
    booting: "runtime.Booting | None",
) -> None:
    with run.stage("imports"):
        run.findings += imports.check(project, location, options.python)
    if booting is not None and not run.has_source_errors:
        # The app starts while the rest of the code is read.
        booting.start_ahead()
    with run.stage("layout"):
        run.findings += layout.check(project, location, options.app)
    with run.stage("conventions"):
        run.findings += conventions.check(project, options.user_id)
    with run.stage("isolation"):
        proof = ownership.prove(project, location, options.declared)
        run.findings += proof.findings
        run.queries, run.routes, run.transfers = proof.queries, proof.routes, proof.transfers
        run.proof_findings = tuple(f for f in proof.findings if f.severity == "error")


def _warm_up(options: CheckOptions) -> None:
    # What the boot needs starts while the static checks run.
    from validators import runtime  # noqa: PLC0415

    if options.fuzz_seconds:
        from validators.probes.fuzzing import require_fuzzer  # noqa: PLC0415

        require_fuzzer()
    runtime.warm_up(options.python)


@contextmanager
def _preparing(
    project: Project, location: AppLocation, options: CheckOptions
) -> "Iterator[runtime.Booting]":
    """Lay out what a boot needs beside the static checks, and end it afterwards."""
    from validators import runtime  # noqa: PLC0415 - as in `_warm_up`

    limits = runtime.Limits(requires_layers=options.requires_sandbox)
    limits = limits.extended(options.fuzz_seconds)
    preparing = runtime.prepare(project, location, options.python, limits, options.user_id)
    with preparing as booting:
        booting.lay_out_ahead()
        yield booting


def _run_app(run: _Run, booting: "runtime.Booting", options: CheckOptions) -> None:
    # Imported here because a static check must not wait for the database driver.
    from validators import probes  # noqa: PLC0415

    with run.stage("boot"):
        app, findings = booting.await_first()
        run.findings += findings
    if app is not None:
        with run.stage("probes"):
            outcome = probes.run(app, options.fuzz_seconds)
            run.findings += outcome.findings
            run.findings += probes.find_contradictions(
                outcome.leaking, run.queries, run.proof_findings
            )
            run.probes, run.routes = outcome.probes, outcome.routes
            run.coverage, run.route_seconds = outcome.coverage, outcome.seconds
            run.findings += probes.judge_coverage(outcome.coverage, options.coverage)
