"""The kept data folder: made once, shared, and gone when nobody uses it."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from validators.runtime.cluster_template import find_template


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


def folders_in(cache: Path) -> list[Path]:
    return [path for path in cache.iterdir() if path.is_dir()]


def make_old(folder: Path) -> None:
    folder.mkdir()
    (folder / "file").touch()
    os.utime(folder, (1, 1))


def test_runs_at_once_make_it_once(tmp_path: Path) -> None:
    with ThreadPoolExecutor(3) as pool:
        found = set(pool.map(find_template, [tmp_path / "cache"] * 3))
    assert folders_in(tmp_path / "cache") == [*found]


def test_it_is_made_once(cache: Path) -> None:
    first = find_template(cache)
    version = first / "data" / "PG_VERSION"
    made = version.stat().st_ino
    assert find_template(cache) == first
    assert version.stat().st_ino == made


def test_making_one_clears_what_a_killed_run_left_and_nobody_uses(tmp_path: Path) -> None:
    make_old(tmp_path / "new-killed")
    make_old(tmp_path / "cluster-of-an-old-version")
    (tmp_path / "cluster-of-another-version").mkdir()
    kept = find_template(tmp_path)
    assert sorted(folders_in(tmp_path)) == sorted([kept, tmp_path / "cluster-of-another-version"])


def test_using_one_keeps_it(cache: Path) -> None:
    kept = find_template(cache)
    os.utime(kept, (1, 1))
    assert find_template(cache).stat().st_mtime > 1
