"""Many checks in one process: what a boot needs is started once, and ended."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

import validators
from tests.validators.runtime.backends import plain, running_children
from tests.validators.trees import lay_out
from validators.runtime import kept
from validators.runtime.cluster import shared_cluster
from validators.runtime.template import shared_template

WORKER = """
import os
import sys
from pathlib import Path

import psutil

import validators
from validators.runtime import kept

with kept(cpu=int(sys.argv[1])):
    validators.check(Path(sys.argv[2]))
    started = [os.getpid(), *(each.pid for each in psutil.Process().children(recursive=True))]
    print({tuple(os.sched_getaffinity(pid)) for pid in started})
"""


@pytest.fixture
def backend(tmp_path: Path) -> Path:
    return lay_out(tmp_path / "backend", plain())


def test_checks_share_what_is_kept(backend: Path) -> None:
    with kept():
        first, cluster, template = validators.check(backend), shared_cluster(), shared_template()
        second = validators.check(backend)
        assert shared_cluster() is cluster
        assert shared_template() is template
    untimed = [replace(each, timings={}, route_seconds={}) for each in (first, second)]
    assert untimed[0] == untimed[1]


def test_what_was_kept_is_gone_afterwards(backend: Path) -> None:
    with kept():
        validators.check(backend)
        cluster, template = shared_cluster(), shared_template()
    assert not cluster.folder.exists()
    assert not cluster.is_alive
    assert not template.is_alive
    assert running_children() == []


def test_a_check_after_that_starts_anew(backend: Path) -> None:
    with kept():
        pass
    assert validators.check(backend).probes


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="no processor can be chosen here")
def test_a_worker_keeps_to_its_processor(backend: Path) -> None:
    cpu = max(os.sched_getaffinity(0))
    done = subprocess.run(
        [sys.executable, "-c", WORKER, str(cpu), str(backend)],
        check=True,
        capture_output=True,
        text=True,
    )
    assert done.stdout.strip() == str({(cpu,)})
    assert psutil.Process().cpu_affinity() != [cpu] or os.cpu_count() == 1
