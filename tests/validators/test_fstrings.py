"""F-strings: what Python 3.11 reads and what only its successors do."""

import ast
import json
from pathlib import Path

import pytest

from validators.fstrings import is_readable, newer_fstrings
from validators.source import parse_module


@pytest.mark.parametrize(
    "text",
    [
        'f"{name}"',
        "f\"{row['name']}\"",
        "f'{row[\"name\"]!r:>{width}}'",
        'f"a\\n{b}\\n{{}}"',
        'f"{value:#x} {value:%H:%M}"',
        'f"""{row["name"]}\n{other}"""',
        'rf"\\d{name}"',
        'f"{a}" "b" f"{c}"',
        'f"{a}"\n    # why\n    "b"',
        'f"{ {1: 2}[1] } {x[1:2]} {f(a, b=(1, 2))}"',
        'f"#{number}"',
    ],
)
def test_what_python_3_11_reads(text: str) -> None:
    assert is_readable(text)


@pytest.mark.parametrize(
    "text",
    [
        'f"{row["name"]}"',
        "f'{', '.join(names)}'",
        'f"{"\\n".join(names)}"',
        "f\"{'\\n'.join(names)}\"",
        'f"{f"{name}"}"',
        'f"{\n    name\n}"',
        'f"""{name  # why\n}"""',
    ],
)
def test_what_only_its_successors_read(text: str) -> None:
    assert not is_readable(text)


def test_every_f_string_of_the_running_library_is_read_as_its_own_python_reads_it() -> None:
    library = Path(json.__file__).parent.parent
    seen = 0
    for path in sorted(library.glob("*.py")):
        module = parse_module(path.name, path.read_text(encoding="utf-8"))
        seen += len(module.index.of(ast.JoinedStr))
        newer = [f"{path.name}:{node.lineno}" for node in newer_fstrings(module)]
        # Python's own library is written for the Python that it comes with.
        assert newer == [] or not _is_python_3_11()
    assert seen > 100


def _is_python_3_11() -> bool:
    try:
        compile('f"{f"{1}"}"', "newer", "eval")
    except SyntaxError:
        return True
    return False
