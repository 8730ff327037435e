"""A report as text for people, as JSON, as SARIF and as annotations of GitHub Actions."""

import json
from pathlib import Path
from typing import Literal, get_args

from validators.report import Finding, Report
from validators.text import counted, path_in_repository, plain, reader_of, text_lines

Format = Literal["text", "json", "sarif", "github"]
FORMATS: tuple[Format, ...] = get_args(Format)


def render(report: Report, form: Format, root: Path) -> str:
    """Write a report in a format.

    Args:
        report: The report.
        form: `text`, `json`, `sarif` (2.1.0) or `github` (workflow commands).
        root: The checked folder as given, for the lines that the text shows and for paths
            that a tool resolves.

    Returns:
        The whole output, with a line feed at its end.
    """
    match form:
        case "text":
            return plain(text_lines(report, reader_of(root)))
        case "json":
            return render_json(report)
        case "sarif":
            from validators.sarif import render_sarif  # noqa: PLC0415  # rarely asked for

            return render_sarif(report, root)
        case "github":
            return render_github(report, root)


def render_json(report: Report) -> str:
    """Write a report in the documented schema, version 1."""
    return json.dumps(report.document(), indent=2, ensure_ascii=False) + "\n"


def render_github(report: Report, root: Path) -> str:
    """Write a report as workflow commands, which GitHub Actions shows beside the code.

    Source: GitHub's documentation, "Workflow commands for GitHub Actions". Paths are those of
    the repository, so the check must be run from its root.
    """
    errors = sum(finding.severity == "error" for finding in report.findings)
    counts = f"{counted(errors, 'error')}, {counted(len(report.findings) - errors, 'warning')}"
    verdict = "passed" if report.verdict == "pass" else "failed"
    annotations = [_annotation(finding, root) for finding in report.findings]
    return "".join([*annotations, f"BackendPro: {verdict}, {counts}\n"])


def _annotation(finding: Finding, root: Path) -> str:
    properties = {"title": f"{finding.code} {finding.name}"}
    if finding.path:
        properties["file"] = path_in_repository(root, finding.path)
    if finding.line:
        properties["line"] = str(finding.line)
    if finding.column:
        properties["col"] = str(finding.column)
        if finding.end_column:
            properties["endColumn"] = str(finding.end_column)
    listed = ",".join(f"{key}={_property(value)}" for key, value in properties.items())
    way = " → ".join(finding.trace) or finding.route
    text = f"{finding.message}{f' ({way})' if way else ''} {finding.fix}".strip()
    code = "".join(f"\n{change.code}" for change in finding.correction)
    return f"::{finding.severity} {listed}::{_data(text + code)}\n"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
