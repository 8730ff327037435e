"""The sound backends that mutants are made from."""

import ast
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

FIXTURES = Path(__file__).parents[2] / "fixtures"

_EXPECTATION = re.compile(r"#\s*expect:\s*isolated\b")


@dataclass(frozen=True)
class File:
    """One file of a subject."""

    path: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        """The file's syntax tree."""
        return ast.parse(self.text)

    @cached_property
    def parents(self) -> dict[ast.AST, ast.AST]:
        """The node around each node."""
        return {child: node for node in ast.walk(self.tree) for child in ast.iter_child_nodes(node)}

    @cached_property
    def site_lines(self) -> frozenset[int]:
        """The lines that are annotated as isolated query sites."""
        return frozenset(
            number
            for number, line in enumerate(self.text.splitlines(), 1)
            if _EXPECTATION.search(line)
        )


@dataclass(frozen=True)
class Subject:
    """One sound backend."""

    name: str
    folder: Path

    @cached_property
    def files(self) -> tuple[File, ...]:
        """Every Python file of the backend."""
        return tuple(
            File(path.relative_to(self.folder).as_posix(), path.read_text())
            for path in sorted(self.folder.rglob("*.py"))
        )


def subjects() -> list[Subject]:
    """Return every sound backend of the fixtures, sorted by name."""
    folders = [
        *(FIXTURES / "backends").glob("sound*"),
        *(FIXTURES / "isolation").glob("*-sound"),
    ]
    return [
        Subject(f"{folder.parent.name}/{folder.name}", folder)
        for folder in sorted(folders)
        if folder.is_dir()
    ]
