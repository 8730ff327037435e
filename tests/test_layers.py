"""The rooms' walls: who may import whom."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def imported(path: Path) -> set[str]:
    """Return the top-level names that a file imports absolutely, anywhere in it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.split(".")[0])
    return names


def files(folder: str) -> list[Path]:
    """Return the Python files of a room."""
    return sorted((ROOT / folder).rglob("*.py"))


@pytest.mark.parametrize("path", files("validators"), ids=str)
def test_validators_know_nothing_of_the_agent(path: Path) -> None:
    assert not imported(path) & {"agent", "tests"}


@pytest.mark.parametrize("path", files("agent"), ids=str)
def test_the_agent_imports_no_tests(path: Path) -> None:
    assert "tests" not in imported(path)


@pytest.mark.parametrize("folder", ["prompts", "fixtures"])
def test_data_rooms_are_not_imported(folder: str) -> None:
    assert not [path for path in files("agent") + files("validators") if folder in imported(path)]
