"""What a check found: findings, query verdicts, probe results and timings, as one report.

The report's document is the documented, versioned schema of `backendpro check --format json`.
Renderings for people and tools are in `renderers.py`. All of it is made by our own typed code, so
plain dataclasses do: to load Pydantic takes longer than to check a backend.
"""

from dataclasses import asdict, field
from typing import Any, Literal

from validators.frozen import frozen

Severity = Literal["error", "warning"]
QueryVerdict = Literal["isolated", "leak", "unproven", "public"]
ProbeOutcome = Literal["passed", "failed", "inconclusive"]
StepKind = Literal["route", "call", "query", "identity", "write"]

SCHEMA_VERSION: Literal[1] = 1


@frozen(kw_only=True)
class Step:
    """One step of a proof, or of the way from a route to a query, with its place.

    Attributes:
        kind: `route` and `call` lead to the query; `query` is the query itself; `identity` is
            where the signed-in user was verified; `write` stores a key on which the proof rests.
        what: The route, the function, or what happens there.
        path: POSIX path relative to the checked folder.
        line: Line from 1.
    """

    kind: StepKind
    what: str
    path: str
    line: int


@frozen(kw_only=True)
class Change:
    """New code for some lines of a file, in full.

    Attributes:
        path: POSIX path relative to the checked folder.
        line: The first line that is replaced.
        end_line: The last one; `line - 1` where the code is put before `line`.
        code: The new lines, without a line feed at the end.
    """

    path: str
    line: int
    end_line: int
    code: str


@frozen(kw_only=True)
class Call:
    """One request of an experiment, by which it can be done again elsewhere.

    What stands between `⟦` and `⟧` is the name of a value that the backend made up.

    Attributes:
        actor: `owner`, `intruder`, `bystander`, or `nobody` for a request without a valid token.
        method: In upper case.
        path: The path, not yet percent-encoded.
        query: Pairs of parameter and value.
        headers: Pairs of header and value.
        body: The JSON body as text; None where there is none.
        form: Pairs of field and value.
        files: Field, name and media type of each file.
        status: What was answered in the experiment.
        captures: Pairs of a name, and where the answer holds its value, as `items.0.id`.
    """

    actor: str
    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    body: str | None = None
    form: tuple[tuple[str, str], ...] = ()
    files: tuple[tuple[str, str, str], ...] = ()
    status: int
    captures: tuple[tuple[str, str], ...] = ()


@frozen(kw_only=True)
class Finding:
    """One rule broken at one place.

    Attributes:
        code: The rule's code, such as `BP301`.
        name: The rule's kebab-case name.
        severity: `error` makes the report fail, `warning` does not.
        path: POSIX path relative to the checked folder; empty where no file is to blame.
        line: Line from 1, where the call or statement starts; `None` where no line is to blame.
        column: Column from 1.
        end_column: The column behind the expression that is to blame, where it ends on `line`.
        message: What is wrong, in one sentence.
        fix: What to do next.
        route: The route that reaches the place, such as `GET /api/tasks/{task_id}`.
        trace: The way from the route to the place, outermost first.
        steps: The same way with places.
        correction: The corrected lines. They are proven: with them in place, the finding is gone
            and no other has come. Empty where no such lines could be derived.
        consequences: Queries that are not isolated, and writes that are not safe, because of
            this finding alone.
        experiment: The requests that show it, where probes found it.
        expected: Of the last request: where the answer should be otherwise, and what it should be.
    """

    code: str
    name: str
    severity: Severity
    path: str
    line: int | None
    column: int | None
    message: str
    fix: str
    route: str | None = None
    trace: tuple[str, ...] = ()
    end_column: int | None = None
    steps: tuple[Step, ...] = ()
    correction: tuple[Change, ...] = ()
    consequences: tuple[Step, ...] = ()
    experiment: tuple[Call, ...] = ()
    expected: tuple[tuple[str, str], ...] = ()


@frozen(kw_only=True)
class Query:
    """One query site and its verdict.

    Attributes:
        path: POSIX path relative to the checked folder.
        line: Line from 1, where the call starts.
        function: The function that holds it.
        kind: What it does: `select`, `get`, `update`, `delete`, `insert`, `text`, and so on.
        table_models: The owned models whose rows it reads or changes.
        verdict: Whose rows it reaches.
        proof: The proof, or the reason where nothing could be proven.
        routes: Every route that reaches it.
        steps: The way to it from the route that decided the verdict, and the places on which
            the proof rests.
    """

    path: str
    line: int
    function: str
    kind: str
    table_models: tuple[str, ...]
    verdict: QueryVerdict
    proof: str
    routes: tuple[str, ...]
    steps: tuple[Step, ...] = ()


@frozen(kw_only=True)
class Transfer:
    """A write of an owner column that the code declares a transfer, and that may stand.

    Attributes:
        path: POSIX path relative to the checked folder.
        line: Line from 1.
        table_model: The table model whose row gets another owner.
        reason: What the declaration gives as the reason.
        routes: Every route that reaches it.
    """

    path: str
    line: int
    table_model: str
    reason: str
    routes: tuple[str, ...]


@frozen(kw_only=True)
class Probe:
    """One HTTP experiment on the booted app."""

    name: str
    route: str
    outcome: ProbeOutcome
    detail: str


@frozen(kw_only=True)
class Missed:
    """A route that could not be exercised, and why."""

    route: str
    reason: str


@frozen(kw_only=True)
class Coverage:
    """How many of the routes were exercised: the owner succeeded on them at least once.

    Attributes:
        routes: Number of routes.
        exercised: Number of those on which the owner succeeded.
        missed: The others.
    """

    routes: int = 0
    exercised: int = 0
    missed: tuple[Missed, ...] = ()


@frozen(kw_only=True)
class Report:
    """Everything a check found.

    Attributes:
        findings: Sorted by path, line and code.
        queries: Every query site on an owned model, sorted by path and line.
        probes: In the order in which they ran.
        routes: Every route of the app, as `METHOD /path`.
        coverage: Which routes were exercised; None where the app was not probed.
        transfers: Declared transfers, sorted by path and line.
        files: How many Python files were read; for people, and no part of the schema.
        route_seconds: Seconds that the experiments with each route took; like `timings`, they
            differ between two checks of the same backend.
        timings: Seconds for each stage that ran; the only part that differs between two
            checks of the same backend.
    """

    findings: tuple[Finding, ...] = ()
    queries: tuple[Query, ...] = ()
    probes: tuple[Probe, ...] = ()
    routes: tuple[str, ...] = ()
    coverage: Coverage | None = None
    transfers: tuple[Transfer, ...] = ()
    files: int = 0
    timings: dict[str, float] = field(default_factory=dict)
    route_seconds: dict[str, float] = field(default_factory=dict)

    @property
    def verdict(self) -> Literal["pass", "fail"]:
        """`fail` when a finding is an error, a query is not proven, or nothing was checked."""
        checked = bool(self.timings)
        broken = any(finding.severity == "error" for finding in self.findings)
        proven = all(query.verdict in ("isolated", "public") for query in self.queries)
        return "pass" if checked and proven and not broken else "fail"

    def document(self) -> dict[str, Any]:
        """Return the report in its documented schema, as JSON holds it."""
        parts = asdict(self)
        del parts["files"]
        return {"schema": SCHEMA_VERSION, **parts, "verdict": self.verdict}
