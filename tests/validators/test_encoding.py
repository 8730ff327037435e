"""Whether Python would decode a source file as the checks do."""

import subprocess
import sys
from pathlib import Path

import pytest

from validators.encoding import foreign_encoding
from validators.source import load_project

HIDDEN = b"# coding: utf-7\n# +AAo-print('hidden')\n"


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"x = 1\n",
        b"# coding: utf-8\n",
        b"\xef\xbb\xbf# -*- coding: utf-8 -*-\n",
        b"# coding: ascii\n",
        b"# vim: set fileencoding=latin-1 :\n",
        b"x = 1\n# coding: utf-7\n",
        b"\n\n# coding: utf-7\n",
        "# é\n".encode(),
    ],
)
def test_reads_what_python_reads(raw: bytes) -> None:
    assert foreign_encoding(raw) is None


@pytest.mark.parametrize(
    ("raw", "found"),
    [
        (HIDDEN, ("utf-7", 1)),
        (b"#!/usr/bin/python\n# -*- coding: utf-7 -*-\n", ("utf-7", 2)),
        (b"\r# coding=rot13\n", ("rot13", 2)),
        (b"\x0c# coding: unicode_escape\n", ("unicode_escape", 1)),
        ("# coding: latin-1\nx = 'é'\n".encode(), ("iso-8859-1", 1)),
        (b"# coding: no-such-thing\n", ("an encoding that Python does not know", 1)),
        (b"\xef\xbb\xbf# coding: latin-1\n", ("an encoding that Python does not know", 1)),
    ],
)
def test_names_what_python_would_read_otherwise(raw: bytes, found: tuple[str, int]) -> None:
    assert foreign_encoding(raw) == found


def test_code_hidden_by_an_encoding_is_a_problem_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "main.py"
    path.write_bytes(HIDDEN)
    # The danger is real: Python runs what reads like a comment.
    done = subprocess.run([sys.executable, path], capture_output=True, text=True, check=True)
    assert done.stdout == "hidden\n"
    module = load_project(tmp_path).modules["main.py"]
    assert module.tree is None
    assert module.problem is not None
    assert (module.problem.line, "utf-7" in module.problem.message) == (1, True)
