"""What a backend leaves in its folder is removed, however it is made, and it cannot be much."""

from pathlib import Path

import pytest

from tests.validators.runtime.backends import boot_findings, booted, leftovers, plain
from validators.runtime import Limits
from validators.runtime.child.guard import remove_tree

# More than Python recurses, than a path can say, and than there are descriptors.
DEEP = """import os
for _ in range(2200):
    os.mkdir("d")
    os.chdir("d")
os.chdir(os.path.dirname(os.path.abspath(__file__)))
"""
LOCKED = """import os
os.makedirs("closed/inner")
open("closed/inner/file", "w").close()
os.chmod("closed/inner", 0)
os.chmod("closed", 0)
"""


@pytest.mark.parametrize("code", [DEEP, LOCKED], ids=["deep", "locked"])
def test_folders_of_every_kind_are_removed(code: str, tmp_path: Path) -> None:
    with booted(tmp_path, plain(before=code), Limits()) as (app, findings):
        assert app is not None, findings
    assert leftovers() == []


def test_what_the_backend_brings_along_is_not_counted(tmp_path: Path) -> None:
    files = plain() | {f"data{number}.txt": "x" * 1_000_000 for number in range(4)}
    code = files["main.py"] + "\nimport time\ntime.sleep(1)\n"
    with booted(tmp_path, {**files, "main.py": code}, Limits(disk_mb=2)) as (app, findings):
        assert app is not None, findings


def test_what_a_link_points_to_is_left_alone(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "kept").write_text("kept")
    code = f"import os\nos.symlink({str(outside)!r}, 'link')\n"
    with booted(tmp_path, plain(before=code)) as (app, findings):
        assert app is not None, findings
    assert leftovers() == []
    assert (outside / "kept").read_text() == "kept"


def test_a_tree_is_removed_with_its_last_file_last(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    for name in ("a/b/c", "a/d", "e"):
        (tree / name).mkdir(parents=True)
        (tree / name / "file").touch()
    (tree / "lock").touch()
    remove_tree(str(tree), "lock")
    assert not tree.exists()


def test_a_tree_that_is_not_there_is_no_error(tmp_path: Path) -> None:
    remove_tree(str(tmp_path / "nothing"))


WRITING = {
    "many large files": """
for number in range(60):
    with open(f"large{number}", "wb") as file:
        file.write(bytes(2_000_000))
""",
    "many small files": """
for number in range(15_000):
    open(f"small{number}", "w").close()
""",
    "files in memory": """import os
held = [os.memfd_create("held") for _ in range(60)]
for descriptor in held:
    os.write(descriptor, bytes(2_000_000))
""",
    "files without a name": """import os
held = []
for number in range(60):
    held.append(open(f"gone{number}", "wb"))
    os.remove(f"gone{number}")
    held[-1].write(bytes(2_000_000))
    held[-1].flush()
""",
}


@pytest.mark.parametrize("name", WRITING)
def test_a_backend_is_stopped_that_writes(name: str, tmp_path: Path) -> None:
    code = f"{WRITING[name]}\nimport time\ntime.sleep(60)\n"
    (finding,) = boot_findings(tmp_path, plain(before=code), Limits(disk_mb=50))
    assert finding.code == "BP506"
    assert "more than 50 MB of files" in finding.message
