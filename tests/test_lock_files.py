"""What pins the versions says which bytes, and not from where."""

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
NPM = ROOT / "tests" / "e2e" / "package-lock.json"
LOCK_FILES = [ROOT / "requirements.txt", ROOT / "requirements-dev.txt", NPM]


@pytest.mark.parametrize("path", LOCK_FILES, ids=lambda path: path.name)
def test_no_lock_file_names_a_host(path: Path) -> None:
    assert re.findall(r"\w+://\S*", path.read_text()) == []


def test_every_package_of_npm_is_pinned_by_its_hash() -> None:
    packages = json.loads(NPM.read_text())["packages"]
    pinned = {name: package.get("integrity", "") for name, package in packages.items() if name}
    assert pinned
    assert {value.partition("-")[0] for value in pinned.values()} == {"sha512"}
