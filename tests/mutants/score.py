"""Make every mutant, judge it with the static proof, and count."""

import ast
import tomllib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from tests.mutants.operators import BREAKING, KEEPING, Mutation, Operator
from tests.mutants.source_edit import apply
from tests.mutants.subjects import File, Subject
from validators.location import find_app
from validators.ownership import Proof, ProofOptions, prove
from validators.source import Project, load_project, parse_module

Outcome = Literal["leak", "unproven", "silent"]

_LISTS = Path(__file__).with_name("lists.toml")


@dataclass(frozen=True, slots=True)
class Mutant:
    """One changed backend and what the proof said of it.

    Attributes:
        name: Subject, file, line and operator; names the mutant in `lists.toml`.
        breaks: Whether the change breaks isolation.
        outcome: What was reported at an expected line (anywhere, for a change that keeps it).
    """

    name: str
    operator: str
    breaks: bool
    outcome: Outcome

    @property
    def is_right(self) -> bool:
        """Whether a breaking change was reported and a keeping one was not."""
        return (self.outcome != "silent") == self.breaks


def equivalents() -> dict[str, str]:
    """Return the mutants that change nothing, each with the reason."""
    return _listed("equivalent")


def known_misses() -> dict[str, str]:
    """Return the mutants that are not reported yet, each with the reason; it only shrinks."""
    return _listed("missed")


def _listed(table: str) -> dict[str, str]:
    listed: dict[str, str] = tomllib.loads(_LISTS.read_text())[table]
    return listed


def mutants(subject: Subject) -> Iterator[Mutant]:
    """Make and judge every mutant of a subject, equivalent ones left out."""
    project = load_project(subject.folder)
    project = _located(project)
    skipped = equivalents()
    for file in subject.files:
        for operator, mutation in _mutations(file):
            name = f"{subject.name}/{file.path}:{mutation.line} {operator.__name__}"
            text = apply(file.text, mutation.edits)
            if name in skipped or not _parses(text):
                continue
            changed = {**project.modules, file.path: parse_module(file.path, text)}
            # The location is found anew, as a check of the changed files would.
            proof = _prove(replace(project, modules=changed))
            yield Mutant(
                name,
                operator.__name__,
                breaks=operator in BREAKING,
                outcome=_outcome(proof, file.path, mutation, keeps=operator in KEEPING),
            )


def _mutations(file: File) -> Iterator[tuple[Operator, Mutation]]:
    for operator in (*BREAKING, *KEEPING):
        seen: Counter[int] = Counter()
        for mutation in operator(file):
            seen[mutation.line] += 1
            # Two alike on one line would share a name; the first one stands for both.
            if seen[mutation.line] == 1:
                yield operator, mutation


def _located(project: Project) -> Project:
    location = find_app(project)
    return replace(project, import_root=location.import_root) if location else project


def _prove(project: Project) -> Proof:
    return prove(project, find_app(project), ProofOptions(is_correcting=False))


def _parses(text: str) -> bool:
    try:
        ast.parse(text)
    except SyntaxError:
        return False
    return True


def _outcome(proof: Proof, path: str, mutation: Mutation, *, keeps: bool) -> Outcome:
    """Return the worst that was said of the expected lines, or of the whole backend."""
    is_anywhere = keeps or not mutation.expected
    lines = mutation.expected | {mutation.line}
    said = [
        (finding.path, finding.line, "unproven" if "unproven" in finding.name else "leak")
        for finding in proof.findings
        if finding.severity == "error"
    ]
    # One cause is reported once: the finding may stand at the route, the verdict at the query.
    said += [(query.path, query.line, query.verdict) for query in proof.queries]
    # The sender of an offer is compared for the sake of a write, which is blamed without it.
    said += [(path, mutation.line, "leak") for f in proof.findings if f.name == "owner-changed"]
    found = {word for at, line, word in said if is_anywhere or (at == path and line in lines)}
    return "leak" if "leak" in found else "unproven" if "unproven" in found else "silent"
