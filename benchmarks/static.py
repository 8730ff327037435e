"""Speed of the static check, as ratios measured in one run.

Run with `python benchmarks/static.py`; quote the ratios, not the times.
"""

import ast
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import validators

SOUND = Path(__file__).parents[1] / "fixtures" / "backends" / "sound"
ROUNDS = 5
COMMAND = str(Path(sys.executable).with_name("backendpro"))


def median_seconds(work: Callable[[], object]) -> float:
    """Return the median time of some work, after one round to warm up."""
    work()
    times = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return statistics.median(times)


def parse(folder: Path) -> None:
    """Parse every file of a backend: the floor of any static check."""
    for path in folder.rglob("*.py"):
        ast.parse(path.read_bytes())


def check(folder: Path) -> None:
    """Check a backend without starting it."""
    report = validators.check(folder, validators.CheckOptions(is_static=True))
    assert report.verdict == "pass"


def run(*arguments: str) -> None:
    """Run a Python process to its end."""
    subprocess.run([sys.executable, *arguments], check=True, capture_output=True)


def with_routes(folder: Path, count: int) -> Path:
    """Write the sound backend with so many route modules, and return its folder."""
    for path in SOUND.rglob("*.py"):
        target = folder / path.relative_to(SOUND)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.read_bytes())
    tasks = (SOUND / "routes" / "tasks.py").read_text()
    main = (SOUND / "main.py").read_text()
    for number in range(1, count):
        (folder / "routes" / f"tasks{number}.py").write_text(
            tasks.replace("/api/tasks", f"/api/tasks{number}")
        )
        main = main.replace("from routes import tasks", f"from routes import tasks{number}, tasks")
        main += f"app.include_router(tasks{number}.router)\n"
    (folder / "main.py").write_text(main)
    return folder


def main() -> None:
    """Print each ratio on a line."""
    ratio = median_seconds(lambda: check(SOUND)) / median_seconds(lambda: parse(SOUND))
    print(f"static check / ast.parse of the same files      {ratio:6.1f}")
    process = median_seconds(lambda: run(COMMAND, "check", str(SOUND), "--static"))
    floor = median_seconds(lambda: run("-c", "import typer, pydantic"))
    print(f"check --static / import typer, pydantic         {process / floor:6.1f}")
    costs = []
    for count in (2, 20, 200):
        with tempfile.TemporaryDirectory() as name:
            folder = with_routes(Path(name), count)
            costs.append(median_seconds(lambda folder=folder: check(folder)) / count)
    growth = costs[-1] / costs[0]
    print(f"cost of a route module, 200 of them / 2 of them {growth:6.2f}")


if __name__ == "__main__":
    main()
