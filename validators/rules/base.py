"""What a rule is, and how a finding is made from it."""

from validators.frozen import frozen
from validators.report import Finding, Severity


@frozen
class Example:
    """One file of a backend, laid over the sound sample backend to break or keep a rule.

    Attributes:
        code: The file's text. In a bad example, each line that must be reported ends with
            `# BPnnn`.
        path: Where the file goes, relative to the backend.
        removes: Files and folders of the sample backend that are taken away first.
    """

    code: str
    path: str = "routes/tasks.py"
    removes: tuple[str, ...] = ()


@frozen
class Rule:
    """One thing that a backend must keep.

    Attributes:
        code: `BP` and three digits; the hundreds name the family.
        name: Kebab-case name.
        severity: Severity of the rule's findings.
        why: Why it matters, for people; one to three sentences.
        instruction: What a model is told, in the imperative; empty where a model cannot act.
        fix: What to do about a finding, where the place itself says nothing better.
        bad: Breaks the rule.
        good: The same, mended.
    """

    code: str
    name: str
    severity: Severity
    why: str
    instruction: str
    fix: str
    bad: Example
    good: Example

    def finding(
        self,
        message: str,
        *,
        path: str = "",
        line: int | None = None,
        column: int | None = None,
        fix: str | None = None,
        severity: Severity | None = None,
        route: str | None = None,
        trace: tuple[str, ...] = (),
    ) -> Finding:
        """Return a finding of this rule at a place (line and column from 1).

        `fix` and `severity` stand in for the rule's own where the place asks for others.
        """
        return Finding(
            code=self.code,
            name=self.name,
            severity=severity or self.severity,
            path=path,
            line=line,
            column=column,
            message=printable(message),
            fix=printable(fix or self.fix),
            route=route,
            trace=trace,
        )


def printable(text: str) -> str:
    """Return text that every encoder takes: a lone surrogate from quoted code is spelled out."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
