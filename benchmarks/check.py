"""Speed of the whole check, as ratios measured in one run; quote the ratios, not the times.

Run with `python benchmarks/check.py` on a machine that does nothing else. Bandit and Semgrep are
no dependencies of this project: install them in an environment of their own (`python -m venv scan`,
`scan/bin/pip install bandit semgrep`) and name them with `--bandit` and `--semgrep`, where they are
not on the path. Semgrep also needs `--semgrep-rules`, a folder of rules.
"""

import argparse
import contextlib
import os
import resource
import secrets
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import jwt

import validators
from validators.runtime import better_auth, kept
from validators.runtime.cluster import shared_cluster

# Ten files of a CRUD backend, a health route, and empty `__init__.py` files.
BACKEND = Path(__file__).parents[1] / "fixtures" / "backends" / "sound"
PROGRAMS = Path(sys.executable).parent
SECRET = secrets.token_hex(32)
SECONDS_TO_START = 30.0

Times = list[float]


def seconds(work: Callable[[], object]) -> float:
    """Return how long some work takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def run(*command: str | Path, may_fail: bool = False) -> None:
    """Run a program to its end."""
    subprocess.run(command, check=not may_fail, capture_output=True, cwd=tempfile.gettempdir())


def import_frameworks() -> None:
    """Do what no check of a running backend can do without."""
    run(sys.executable, "-c", "import fastapi, sqlmodel")


def check_cold(backend: Path) -> None:
    """Check one backend, from nothing."""
    run(PROGRAMS / "backendpro", "check", backend)


def work_off(backends: list[Path], cpu: int | None) -> None:
    """Check backends one after the other, and print the seconds of all and the peak memory."""
    started = time.perf_counter()
    with kept(cpu):
        for backend in backends:
            assert validators.check(backend).verdict == "pass"
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(time.perf_counter() - started, peak // 1024)


def start_worker(backends: list[Path], cpu: int | None) -> tuple[float, int]:
    """Let a process check backends; return the seconds it took, and its peak memory in MB."""
    pinned = () if cpu is None else ("--cpu", str(cpu))
    command = [sys.executable, __file__, *pinned, "--work", *map(str, backends)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    took, peak = done.stdout.split()
    return float(took), int(peak)


def start_two_workers(backends: list[Path]) -> float:
    """Let two processes check half of the backends each; return the seconds until both end."""
    half = len(backends) // 2
    first, second = sorted(os.sched_getaffinity(0))[:2]
    halves = backends[:half], backends[half:]
    with ThreadPoolExecutor(2) as pool:
        return seconds(lambda: list(pool.map(start_worker, halves, (first, second))))


@contextlib.contextmanager
def copies(count: int) -> Iterator[list[Path]]:
    """Provide so many backends."""
    with tempfile.TemporaryDirectory() as name:
        folders = [Path(name) / f"backend{number}" for number in range(count)]
        for folder in folders:
            shutil.copytree(BACKEND, folder)
        yield folders


@contextlib.contextmanager
def served(backend: Path) -> Iterator[str]:
    """Serve a backend with uvicorn on a database of its own, and provide its address."""
    with shared_cluster().database() as database, socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
        held.close()
        environment = {
            "PATH": os.defpath,
            "DATABASE_URL": database.url,
            "BETTER_AUTH_SECRET": SECRET,
        }
        command = [str(PROGRAMS / "uvicorn"), f"--app-dir={backend}", f"--port={port}", "main:app"]
        server = subprocess.Popen(
            command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            await_port(port)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait()


def await_port(port: int) -> None:
    """Wait until somebody listens."""
    deadline = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.01)
    raise TimeoutError(f"nobody listens on port {port}")


def fuzz(backend: Path) -> None:
    """Start uvicorn, and run Schemathesis against it as the owner."""
    owner = better_auth.OWNER
    claims = {"sub": owner.id, "email": owner.email, "exp": int(time.time()) + 3600}
    token = jwt.encode(claims, SECRET, "HS256")
    with served(backend) as address:
        options = ("--header", f"Authorization: Bearer {token}", "--max-examples", "20")
        run(PROGRAMS / "st", "run", f"{address}/openapi.json", *options, may_fail=True)


def show(what: str, ratio: float, bar: str = "") -> None:
    """Print one ratio on a line."""
    print(f"{what:<62}{ratio:8.2f}  {bar}".rstrip(), flush=True)


def measure_one(rounds: int) -> float:
    """Print the ratio of a single check; return the floor, in seconds."""
    check_cold(BACKEND)
    floors, checks = Times(), Times()
    for _ in range(rounds):
        floors.append(seconds(import_frameworks))
        checks.append(seconds(lambda: check_cold(BACKEND)))
        floors.append(seconds(import_frameworks))
    floor = statistics.median(floors)
    show("cold check / import fastapi, sqlmodel", statistics.median(checks) / floor, "at most 1.60")
    show("the same, the quickest of each", min(checks) / min(floors))
    return floor


def measure_many(count: int, rounds: int) -> None:
    """Print the ratios of many checks in one process, and in two."""
    each, speedups, memory = Times(), Times(), 0
    with copies(count) as backends:
        for _ in range(rounds):
            floor = seconds(import_frameworks)
            took, peak = start_worker(backends, None)
            each.append(took / count / floor)
            memory = max(memory, peak)
    show(
        f"each of {count} checks in one process / the import",
        statistics.median(each),
        "at most 0.45",
    )
    show("peak memory of that process, MB", memory, "below 150")
    first = min(os.sched_getaffinity(0))
    with copies(count) as backends:
        for _ in range(rounds):
            alone = seconds(lambda: start_worker(backends[: count // 2], first))
            speedups.append(2 * alone / start_two_workers(backends))
    show("two workers with a processor each / one", statistics.median(speedups), "at least 1.80")


def measure_others(floor: float, arguments: argparse.Namespace) -> None:
    """Print what other tools take for the same backend."""
    show("uvicorn + Schemathesis, 20 examples / the import", seconds(lambda: fuzz(BACKEND)) / floor)
    tools = {
        "Bandit": (arguments.bandit, ["--quiet", "--recursive", BACKEND]),
        "Semgrep": (
            arguments.semgrep if arguments.semgrep_rules else None,
            ["scan", "--metrics=off", "--quiet", "--config", arguments.semgrep_rules, BACKEND],
        ),
    }
    for name, (program, options) in tools.items():
        if program is None:
            print(f"{name} / the import: not installed")
        else:
            took = seconds(lambda p=program, o=options: run(p, *o, may_fail=True))  # type: ignore[misc]
            show(f"{name} / the import", took / floor)


def main() -> None:
    """Print each ratio on a line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7, help="rounds of the single check")
    parser.add_argument("--backends", type=int, default=100, help="how many in one process")
    parser.add_argument("--bandit", default=shutil.which("bandit"))
    parser.add_argument("--semgrep", default=shutil.which("semgrep"))
    parser.add_argument("--semgrep-rules", help="folder of rules; Semgrep is left out without")
    parser.add_argument("--work", nargs="+", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--cpu", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.work:
        work_off(arguments.work, arguments.cpu)
        return
    floor = measure_one(arguments.rounds)
    measure_many(arguments.backends, max(1, arguments.rounds // 3))
    measure_others(floor, arguments)


if __name__ == "__main__":
    main()
