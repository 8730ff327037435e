"""A report as SARIF 2.1.0, which code scanning services take.

Source: OASIS, "Static Analysis Results Interchange Format (SARIF) Version 2.1.0", and the subset
of it that GitHub code scanning reads.
"""

import hashlib
import json
from importlib import metadata
from pathlib import Path
from typing import Any
from urllib.parse import quote

from validators.report import Finding, Report
from validators.rules import Rule, all_rules
from validators.text import path_in_repository

SCHEMA_URI = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)


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
        "invocations": [{"executionSuccessful": bool(report.timings)}],
        "results": [_result(finding, index, root) for finding in report.findings],
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
        "properties": {"tags": _tags(rule)},
    }


def _help(rule: Rule) -> str:
    return (
        f"{rule.fix}\n\nBreaks the rule:\n\n````python\n{rule.bad.code.rstrip()}\n````\n\n"
        f"Keeps it:\n\n````python\n{rule.good.code.rstrip()}\n````\n"
    )


def _tags(rule: Rule) -> list[str]:
    # Isolation, and what the experiments showed of it.
    return ["security"] if rule.code.startswith(("BP3", "BP6")) else ["correctness"]


def _result(finding: Finding, index: dict[str, int], root: Path) -> dict[str, Any]:
    parts = [finding.message, " → ".join(finding.trace) or finding.route, finding.fix]
    result: dict[str, Any] = {
        "ruleId": finding.code,
        "level": finding.severity,
        "message": {"text": "\n".join(part for part in parts if part)},
        "locations": [{"physicalLocation": _location(finding, root)}],
        "partialFingerprints": {"backendpro/v1": _fingerprint(finding)},
    }
    if finding.code in index:
        result["ruleIndex"] = index[finding.code]
    return result


def _location(finding: Finding, root: Path) -> dict[str, Any]:
    uri = quote(path_in_repository(root, finding.path))
    location: dict[str, Any] = {"artifactLocation": {"uri": uri}}
    if finding.line:
        region = {"startLine": finding.line}
        if finding.column:
            region["startColumn"] = finding.column
        location["region"] = region
    return location


def _fingerprint(finding: Finding) -> str:
    """Return what stays the same when lines move."""
    identity = (finding.code, finding.path, finding.message, finding.route or "")
    return hashlib.sha256("\0".join(identity).encode()).hexdigest()
