"""A report as text for people: findings with their lines, then what was checked."""

import textwrap
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Literal

from validators.report import Change, Finding, Report

# What a piece of text means; whoever shows it chooses the colours. Code is never broken, so that
# it can be copied.
Style = Literal["plain", "error", "warning", "good", "place", "caret", "quiet", "code"]
Piece = tuple[str, Style]
Line = tuple[Piece, ...]
Reader = Callable[[str], str]

_INDENT = "    "
_TAB = 4
# Stands for a space at which no line is broken.
_FIXED = "␣"
# Files with these findings hide what they hold from the checks that follow.
_UNREAD = ("BP201", "BP202")
_SHOWN_BY_REQUESTS = "BP6"
_LONG_SECONDS = 10.0
# Details beyond this many are counted, not listed.
_LISTED = 10


def text_lines(report: Report, read: Reader, width: int = 0) -> Iterator[Line]:
    """Yield a report line by line.

    Args:
        report: The report.
        read: Gives a file's text by its path in the report, for the lines that are quoted.
        width: Where to break sentences and cut quoted code, in columns; 0 for nowhere.
    """
    yield from finding_lines(report.findings, read, width)
    blamed = {(finding.path, finding.line) for finding in report.findings}
    blamed |= {(step.path, step.line) for each in report.findings for step in each.consequences}
    yield from _listed(
        "Not proven:",
        [
            f"{query.path}:{query.line} {query.function}: {query.proof}"
            for query in report.queries
            if query.verdict in ("leak", "unproven") and (query.path, query.line) not in blamed
        ],
        width,
    )
    yield from _listed(
        "Declared public:",
        [
            f"{query.path}:{query.line} {query.function}: {query.proof}"
            for query in report.queries
            if query.verdict == "public"
        ],
        width,
    )
    yield from _listed(
        "Declared transfers:",
        [f"{each.path}:{each.line} {each.table_model}: {each.reason}" for each in report.transfers],
        width,
    )
    missed = report.coverage.missed if report.coverage else ()
    unexercised = {each.route for each in missed}
    yield from _listed(
        "Not decided:",
        [
            f"{probe.route}, {probe.name}: {probe.detail}"
            for probe in report.probes
            if probe.outcome == "inconclusive" and probe.route not in unexercised
        ],
        width,
    )
    yield from _listed("Not exercised:", [f"{each.route}: {each.reason}" for each in missed], width)
    yield from _summary(report, width)


def finding_lines(findings: Iterable[Finding], read: Reader, width: int = 0) -> Iterator[Line]:
    """Yield findings: where and what, the line with a caret, the way to it, the fix.

    Args:
        findings: The findings, in the order in which they are shown.
        read: As for `text_lines`.
        width: As for `text_lines`.
    """
    files: dict[str, Sequence[str]] = {}
    for finding in _causes_first(findings):
        if finding.path not in files:
            files[finding.path] = _source_lines(read(finding.path)) if finding.path else ()
        yield from _one_finding(finding, files[finding.path], width)
        yield ()


def _causes_first(findings: Iterable[Finding]) -> list[Finding]:
    """Return findings in their order, those that others explain behind those."""
    ordered = list(findings)
    explained = {(step.path, step.line) for each in ordered for step in each.consequences}
    return sorted(ordered, key=lambda each: (each.path, each.line) in explained)


def reader_of(root: Path) -> Reader:
    """Return a reader of the files below a folder; one that cannot be read is empty."""

    def read(path: str) -> str:
        try:
            return (root / path).read_bytes().decode("utf-8-sig")
        except (OSError, UnicodeDecodeError):
            return ""

    return read


def path_in_repository(root: Path, path: str) -> str:
    """Return a reported path as a tool that looks at the current folder knows it.

    Args:
        root: The checked folder as given.
        path: POSIX path relative to it.
    """
    full = root / path
    here = Path.cwd()
    return (full.relative_to(here) if full.is_relative_to(here) else full).as_posix()


def plain(lines: Iterable[Line]) -> str:
    """Return styled lines as bare text."""
    return "".join("".join(text for text, _ in line).rstrip() + "\n" for line in lines)


def printable(text: str) -> str:
    """Return a text without characters that steer a terminal or hide in it."""
    return "".join(
        character if character.isprintable() else f"\\x{ord(character):02x}" for character in text
    )


def counted(number: int, noun: str) -> str:
    """Return a number with its noun, in the plural where needed."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _source_lines(text: str) -> Sequence[str]:
    if not text:
        return ()
    # Python ends a line at these three alone; `splitlines` would also do so at U+2028.
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def _one_finding(finding: Finding, lines: Sequence[str], width: int) -> Iterator[Line]:
    severity: Style = "error" if finding.severity == "error" else "warning"
    place = ":".join(str(part) for part in (finding.path, finding.line, finding.column) if part)
    yield (
        *(((f"{printable(place)}: ", "place"),) if place else ()),
        (finding.severity, severity),
        (f" {finding.code} {finding.name}", "plain"),
    )
    yield from _sentence("", finding.message, "plain", width)
    if finding.line and finding.line <= len(lines):
        yield from _quote(lines[finding.line - 1], finding, width)
    way = finding.trace or ((finding.route,) if finding.route else ())
    if finding.code.startswith(_SHOWN_BY_REQUESTS) and finding.trace:
        for number, request in enumerate(way):
            yield from _sentence(
                "shown by: " if number == 0 else "          ", request, "quiet", width
            )
    else:
        yield from _units("via: ", way, " → ", "quiet", width)
    if finding.fix:
        yield from _sentence("fix: ", finding.fix, "good", width)
    for change in finding.correction:
        yield from _corrected(change, finding)
    leaking = [f"{step.path}:{step.line} {step.what}" for step in finding.consequences]
    yield from _units("so these leak too: ", leaking, ", ", "plain", width)


def _corrected(change: Change, finding: Finding) -> Iterator[Line]:
    """Yield the corrected lines, with where they go unless that is the line just shown."""
    place = f" of {printable(change.path)}" if change.path != finding.path else ""
    if change.end_line < change.line:
        where = f"add before line {change.line}{place}:"
    elif change.end_line > change.line:
        where = f"in place of lines {change.line} to {change.end_line}{place}:"
    else:
        where = f"line {change.line}{place}:" if place or change.line != finding.line else ""
    if where:
        yield ((f"{_INDENT}     {where}", "quiet"),)
    for number, code in enumerate(change.code.split("\n"), change.line):
        shown = "+" if change.end_line < change.line else str(number)
        shown = shown if number == change.line or shown == "+" else ""
        yield (f"{_INDENT}{shown:>5} │ ", "quiet"), (printable(code.expandtabs(_TAB)), "code")


def _units(
    label: str, units: Sequence[str], separator: str, style: Style, width: int
) -> Iterator[Line]:
    """Yield units with a separator, broken between units only."""
    if units:
        text = separator.join(unit.replace(" ", _FIXED) for unit in units)
        text = text.replace("→ ", f"→{_FIXED}")
        for line in _sentence(label, text, style, width):
            yield tuple((piece.replace(_FIXED, " "), shown) for piece, shown in line)


def _sentence(label: str, text: str, style: Style, width: int) -> Iterator[Line]:
    for number, line in enumerate(_wrapped(text, width - len(_INDENT) - len(label))):
        yield (_INDENT + (label if number == 0 else " " * len(label)), "quiet"), (line, style)


def _wrapped(text: str, width: int) -> list[str]:
    paragraphs = [printable(line) for line in text.splitlines()]
    if width <= 0:
        return paragraphs
    return [
        line
        for paragraph in paragraphs
        for line in textwrap.wrap(
            paragraph,
            max(width, 20),
            break_on_hyphens=False,
            break_long_words=False,
            replace_whitespace=False,
        )
        or [""]
    ]


def _quote(code: str, finding: Finding, width: int) -> Iterator[Line]:
    """Yield the line of a finding, and carets below what is to blame."""
    column, line = finding.column, finding.line
    first = (column or 1) - 1
    last = max(finding.end_column or 0, first + 2) - 1
    before = printable(code[:first].expandtabs(_TAB))
    blamed = printable(code[first:last].rstrip().expandtabs(_TAB))
    shown = before + printable(code[first:].expandtabs(_TAB))
    gutter = f"{_INDENT}{line:>5} │ "
    room = width - len(gutter)
    start = 0
    if 0 < room < len(shown):
        # Keep the caret in view.
        start = max(0, min(len(before) - room // 3, len(shown) - room))
        is_cut = len(shown) > start + room
        shown = ("…" if start else "") + shown[start + bool(start) : start + room]
        shown = f"{shown[:-1]}…" if is_cut else shown
        blamed = blamed[: start + room - len(before)]
    yield (gutter, "quiet"), (shown, "plain")
    if column:
        padding = " " * sum(_cells(character) for character in before[start:])
        carets = "^" * max(sum(_cells(character) for character in blamed), 1)
        yield (f"{_INDENT}{'':>5} │ ", "quiet"), (f"{padding}{carets}", "caret")


def _cells(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _listed(title: str, entries: Sequence[str], width: int) -> Iterator[Line]:
    if not entries:
        return
    yield ((title, "plain"),)
    for entry in entries[:_LISTED]:
        yield from _sentence("- ", entry, "plain", width)
    if len(entries) > _LISTED:
        yield from _sentence("- ", f"and {len(entries) - _LISTED} more", "quiet", width)
    yield ()


def _summary(report: Report, width: int) -> Iterator[Line]:
    yield _verdict(report)
    counts = f"{counted(report.files, 'file')}, {counted(len(report.routes), 'route')}"
    parts = [counts, _queries(report), _probes(report), _coverage(report)]
    parts.append(f"{sum(report.timings.values()):.1f} s")
    parts.append(_slowest(report))
    for line in _wrapped("; ".join(part for part in parts if part), width):
        yield ((line, "quiet"),)


def _verdict(report: Report) -> Line:
    count = Counter(finding.severity for finding in report.findings)
    errors, warnings = counted(count["error"], "error"), counted(count["warning"], "warning")
    if not report.timings:
        return (("Nothing was checked.", "error"),)
    if report.verdict == "fail" and not count["error"]:
        return (("Failed", "error"), (": not every query is proven.", "plain"))
    if report.verdict == "fail":
        tail = f" and {warnings}" if count["warning"] else ""
        return (("Failed", "error"), (f" with {errors}{tail}{_unexercised(report)}.", "plain"))
    tail = f" with {warnings}" if count["warning"] else ""
    return (("Passed", "good"), (f"{tail}{_unexercised(report)}.", "plain"))


def _queries(report: Report) -> str:
    queries = report.queries
    is_partial = any(finding.code in _UNREAD for finding in report.findings)
    if not queries:
        return "no query could be judged" if is_partial else "no query on an owned model"
    count = Counter(query.verdict for query in queries)
    kinds = [f"{count['isolated']} isolated", counted(count["leak"], "leak")]
    kinds.append(f"{count['unproven']} unproven")
    if count["public"]:
        kinds.append(f"{count['public']} public")
    scope = "queries in what could be read" if is_partial else "queries"
    return f"{scope}: {', '.join(kinds)}"


def _probes(report: Report) -> str:
    if "probes" not in report.timings:
        return "the app was not probed" if "boot" in report.timings else "the app was not started"
    count = Counter(probe.outcome for probe in report.probes)
    return (
        f"probes: {count['passed']} passed, {count['failed']} failed, "
        f"{count['inconclusive']} inconclusive"
    )


def _coverage(report: Report) -> str:
    coverage = report.coverage
    return f"routes: {coverage.exercised} of {coverage.routes} exercised" if coverage else ""


def _slowest(report: Report) -> str:
    """Say where the time went, where it was long."""
    if report.timings.get("probes", 0.0) < _LONG_SECONDS or not report.route_seconds:
        return ""
    route, seconds = max(report.route_seconds.items(), key=lambda each: each[1])
    return f"most of it with {route}: {seconds:.1f} s"


def _unexercised(report: Report) -> str:
    missed = report.coverage.missed if report.coverage else ()
    return f", {counted(len(missed), 'route')} not exercised" if missed else ""
