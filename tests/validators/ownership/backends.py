"""Proves backends that tests name or write."""

from dataclasses import replace
from functools import cache
from pathlib import Path

from validators.location import find_app
from validators.ownership import Proof, ProofOptions, prove
from validators.report import Query
from validators.source import load_project

# From best to worst: a line with several queries is as good as its worst.
ORDER = ("isolated", "public", "unproven", "leak")


def prove_folder(folder: Path, options: ProofOptions | None = None) -> Proof:
    """Return the proof of a backend on disk."""
    project = load_project(folder)
    location = find_app(project)
    if location is not None:
        project = replace(project, import_root=location.import_root)
    return prove(project, location, options)


@cache
def proof_of(folder: Path) -> Proof:
    """Return the proof of a fixture, made once."""
    return prove_folder(folder)


def verdicts(proof: Proof) -> dict[tuple[str, int], str]:
    """Return the worst verdict of each line with a query."""
    found: dict[tuple[str, int], str] = {}
    for query in proof.queries:
        known = found.get((query.path, query.line), "isolated")
        found[query.path, query.line] = max(known, query.verdict, key=ORDER.index)
    return found


def written(folder: Path, **files: str) -> Path:
    """Write a backend's modules into a folder and return it."""
    for name, code in files.items():
        path = folder / f"{name.replace('__', '/')}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(code, encoding="utf-8")
    return folder


def described(queries: tuple[Query, ...]) -> list[str]:
    """Return the queries as short lines, for messages of failing tests."""
    return [f"{q.path}:{q.line} {q.kind} {q.verdict}: {q.proof}" for q in queries]
