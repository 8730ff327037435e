"""A report as SARIF 2.1.0, which code scanning services take.

Source: OASIS, "Static Analysis Results Interchange Format (SARIF) Version 2.1.0", and the subset
of it that GitHub code scanning reads.
"""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path
from typing import Any
from urllib.parse import quote

from validators.report import Change, Finding, Report, Step
from validators.rules import Rule, all_rules
from validators.text import path_in_repository

SCHEMA_URI = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
_ROOT = "%SRCROOT%"
# GitHub takes so many results of a run.
_MOST_RESULTS = 25_000
# Scores as of CVSS, by which code scanning services sort: anybody without an account, any user,
# and what nobody reaches today.
_OPEN, _LEAK, _HINT = "9.1", "8.1", "3.1"
_OPEN_RULES = frozenset({"BP303", "BP304", "BP308", "BP309", "BP312"})
_LINE = re.compile(r"(, line |:)\d+")


def render_sarif(report: Report, root: Path) -> str:
    """Write a report as one SARIF run.

    Args:
        report: The report.
        root: The checked folder as given; paths in the output start with it, so the check must
            be run from the repository's root.
    """
    rules = list(all_rules().values())
    index = {rule.code: number for number, rule in enumerate(rules)}
    run = {
        "tool": {
            "driver": {
                "name": "BackendPro",
                "version": metadata.version("backendpro"),
                "rules": [_rule(rule) for rule in rules],
            }
        },
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {_ROOT: {"description": {"text": "The root of the repository."}}},
        "invocations": [{"executionSuccessful": bool(report.timings)}],
        "results": _results(report.findings, index, root),
    }
    log = {"$schema": SCHEMA_URI, "version": "2.1.0", "runs": [run]}
    return json.dumps(log, indent=2, ensure_ascii=False) + "\n"


def _rule(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.code,
        "name": rule.name,
        "shortDescription": {"text": rule.name.replace("-", " ").capitalize()},
        "fullDescription": {"text": rule.why},
        "help": {"text": rule.fix, "markdown": _help(rule)},
        "defaultConfiguration": {"level": rule.severity},
        "properties": _properties(rule),
    }


def _help(rule: Rule) -> str:
    return (
        f"{rule.fix}\n\nBreaks the rule:\n\n````python\n{rule.bad.code.rstrip()}\n````\n\n"
        f"Keeps it:\n\n````python\n{rule.good.code.rstrip()}\n````\n"
    )


def _properties(rule: Rule) -> dict[str, Any]:
    shared: dict[str, Any] = {"precision": "very-high", "problem.severity": rule.severity}
    # Isolation, and what the experiments showed of it.
    if not rule.code.startswith(("BP3", "BP6")):
        return {"tags": ["correctness"], **shared}
    severity = _OPEN if rule.code in _OPEN_RULES else _LEAK if rule.severity == "error" else _HINT
    return {"tags": ["security"], **shared, "security-severity": severity}


def _results(
    findings: Iterable[Finding], index: dict[str, int], root: Path
) -> list[dict[str, Any]]:
    seen: Counter[str] = Counter()
    results = []
    for finding in list(findings)[:_MOST_RESULTS]:
        result = _result(finding, index, root)
        fingerprint = _fingerprint(finding)
        seen[fingerprint] += 1
        # Two findings of the same kind in one function are told apart by their order.
        numbered = f"{fingerprint}:{seen[fingerprint]}"
        result["partialFingerprints"] = {
            "backendpro/v1": numbered,
            "primaryLocationLineHash": numbered,
        }
        results.append(result)
    return results


def _result(finding: Finding, index: dict[str, int], root: Path) -> dict[str, Any]:
    parts = [finding.message, " → ".join(finding.trace) or finding.route, finding.fix]
    parts += [change.code for change in finding.correction]
    place = (finding.path, finding.line, finding.column, finding.end_column)
    result: dict[str, Any] = {
        "ruleId": finding.code,
        "level": finding.severity,
        "message": {"text": "\n".join(part for part in parts if part)},
        "locations": [{"physicalLocation": _location(root, *place)}],
    }
    if finding.code in index:
        result["ruleIndex"] = index[finding.code]
    if finding.steps:
        result["codeFlows"] = [_flow(finding.steps, root)]
    if finding.consequences:
        result["relatedLocations"] = [
            {"id": number, **_step(step, root)}
            for number, step in enumerate(finding.consequences, 1)
        ]
    if finding.correction:
        result["fixes"] = [_correction(finding, root)]
    return result


def _flow(steps: Iterable[Step], root: Path) -> dict[str, Any]:
    """Return the way from the route to the query as a code flow."""
    return {"threadFlows": [{"locations": [{"location": _step(step, root)} for step in steps]}]}


def _step(step: Step, root: Path) -> dict[str, Any]:
    return {
        "physicalLocation": _location(root, step.path, step.line),
        "message": {"text": step.what},
    }


def _correction(finding: Finding, root: Path) -> dict[str, Any]:
    changes: dict[str, list[Change]] = {}
    for change in finding.correction:
        changes.setdefault(change.path, []).append(change)
    return {
        "description": {"text": finding.fix},
        "artifactChanges": [
            {
                "artifactLocation": _artifact(root, path),
                "replacements": [_replacement(change) for change in changes[path]],
            }
            for path in changes
        ],
    }


def _replacement(change: Change) -> dict[str, Any]:
    # Whole lines: the region ends where the line behind the last one starts.
    region = {
        "startLine": change.line,
        "startColumn": 1,
        "endLine": change.end_line + 1,
        "endColumn": 1,
    }
    return {"deletedRegion": region, "insertedContent": {"text": f"{change.code}\n"}}


def _location(
    root: Path,
    path: str,
    line: int | None,
    column: int | None = None,
    end_column: int | None = None,
) -> dict[str, Any]:
    location: dict[str, Any] = {"artifactLocation": _artifact(root, path)}
    if line:
        region = {"startLine": line}
        if column:
            region["startColumn"] = column
        if column and end_column and end_column > column:
            region |= {"endLine": line, "endColumn": end_column}
        location["region"] = region
    return location


def _artifact(root: Path, path: str) -> dict[str, str]:
    full = path_in_repository(root, path)
    # Outside the current folder there is no root to be relative to.
    base = {} if full.startswith(("/", "..")) else {"uriBaseId": _ROOT}
    return {"uri": quote(full), **base}


def _fingerprint(finding: Finding) -> str:
    """Return what stays the same when lines move."""
    message = _LINE.sub("", finding.message)
    identity = (finding.code, finding.path, message, finding.route or "", *finding.trace)
    return hashlib.sha256("\0".join(identity).encode()).hexdigest()
