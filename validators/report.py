"""What a check found: findings, query verdicts, probe results and timings, as one report.

The report is a border: its JSON form is the documented, versioned schema of
`backendpro check --format json`. Renderings for people and tools are in `renderers.py`.
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, computed_field

Severity = Literal["error", "warning"]
QueryVerdict = Literal["isolated", "leak", "unproven", "public"]
ProbeOutcome = Literal["passed", "failed", "inconclusive"]

SCHEMA_VERSION: Literal[1] = 1


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Finding(_Part):
    """One rule broken at one place.

    Attributes:
        code: The rule's code, such as `BP301`.
        name: The rule's kebab-case name.
        severity: `error` makes the report fail, `warning` does not.
        path: POSIX path relative to the checked folder; empty where no file is to blame.
        line: Line from 1, where the call or statement starts; `None` where no line is to blame.
        column: Column from 1.
        message: What is wrong, in one sentence.
        fix: What to do next.
        route: The route that reaches the place, such as `GET /api/tasks/{task_id}`.
        trace: The way from the route to the place, outermost first.
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


class Query(_Part):
    """One query site and its verdict; `proof` is the reason where nothing could be proven."""

    path: str
    line: int
    function: str
    kind: str
    table_models: tuple[str, ...]
    verdict: QueryVerdict
    proof: str
    routes: tuple[str, ...]


class Probe(_Part):
    """One HTTP experiment on the booted app."""

    name: str
    route: str
    outcome: ProbeOutcome
    detail: str


class Report(_Part):
    """Everything a check found.

    Attributes:
        schema_version: Version of this schema; serialised as `schema`.
        findings: Sorted by path, line and code.
        queries: Every query site on an owned model, sorted by path and line.
        probes: In the order in which they ran.
        routes: Every route of the app, as `METHOD /path`.
        files: How many Python files were read; for people, and no part of the schema.
        timings: Seconds for each stage that ran; the only part that differs between two
            checks of the same backend.
    """

    schema_version: Literal[1] = Field(default=SCHEMA_VERSION, serialization_alias="schema")
    findings: tuple[Finding, ...] = ()
    queries: tuple[Query, ...] = ()
    probes: tuple[Probe, ...] = ()
    routes: tuple[str, ...] = ()
    files: int = Field(default=0, exclude=True)
    timings: dict[str, float] = Field(default_factory=dict)

    @computed_field  # type: ignore[prop-decorator]  # mypy knows no decorated properties
    @property
    def verdict(self) -> Literal["pass", "fail"]:
        """`fail` when a finding is an error, a query is not proven, or nothing was checked."""
        checked = bool(self.timings)
        broken = any(finding.severity == "error" for finding in self.findings)
        proven = all(query.verdict in ("isolated", "public") for query in self.queries)
        return "pass" if checked and proven and not broken else "fail"
