"""Speed of the static check, as ratios that are measured in one run; each has a bar.

Run with `make bench`, on whatever machine. Exits with 1 where a ratio misses its bar.

Both sides of a ratio are measured in turn, round by round, as processor time, and the quickest
round of each counts: what else the machine does then falls on both, or on neither.
"""

import ast
import compileall
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import validators

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests.fixtures import growing  # noqa: E402  # found from the project's folder alone

Work = Callable[[], object]

REQUEST = "add CRUD for tasks"
COMMAND = str(Path(sys.executable).with_name("backendpro"))
ROOMS = ("agent", "validators", "prompts")
# Growth by so many times must not cost more than this for each unit.
GROWTH = 1.5


@dataclass(frozen=True)
class Ratio:
    """What was measured, and the most that it may be."""

    name: str
    value: float
    bar: float


def main() -> int:
    """Print each ratio on a line with its bar; return the exit code."""
    missed = 0
    for ratio in measured():
        verdict = "ok" if ratio.value <= ratio.bar else "MISSED"
        missed += ratio.value > ratio.bar
        print(f"{ratio.name:66}{ratio.value:6.2f}  at most {ratio.bar:4.1f}  {verdict}", flush=True)
    return 1 if missed else 0


def measured() -> Iterator[Ratio]:
    """Measure everything, the most important first."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        built = folder / "built"
        _run(COMMAND, "build", REQUEST, "--into", str(built), "--model", "offline")
        for title, backend in (("sound sample", growing.SOUND), (REQUEST, built / "backend")):
            files = len(list(backend.rglob("*.py")))
            yield Ratio(
                f"check of {title!r} ({files} files) / ast.parse", _check_ratio(backend), 15
            )
        yield Ratio("`check --static` / `import typer, pydantic`", _process_ratio(), 2.5)
        yield from _growth(folder, "modules of five routes", growing.with_modules, (2, 20, 200))
        yield from _growth(folder, "routes in one module", growing.with_routes, (10, 100, 1000))
        yield from _growth(folder, "calls in a chain", growing.with_chain, (25, 50))
        yield from _growth(folder, "levels of a diamond", growing.with_diamond, (10, 20))


def _check_ratio(backend: Path) -> float:
    files = list(backend.rglob("*.py"))

    def parse() -> None:
        for path in files:
            ast.parse(path.read_bytes())

    check, floor = _quickest([lambda: _check(backend), parse], time.process_time, rounds=20)
    return check / floor


def _process_ratio() -> float:
    # An installed package has its bytecode; a checkout has it where Python may write it.
    for room in ROOMS:
        compileall.compile_dir(ROOT / room, quiet=2)
    check, floor = _quickest(
        [
            lambda: _run(COMMAND, "check", str(growing.SOUND), "--static"),
            lambda: _run(sys.executable, "-c", "import typer, pydantic"),
        ],
        _time_of_children,
        rounds=15,
    )
    return check / floor


def _growth(
    folder: Path, title: str, grow: Callable[[Path, int], Path], sizes: tuple[int, ...]
) -> Iterator[Ratio]:
    """Compare what the growth from one size to the next costs by unit, and the first size too."""
    backends = [grow(folder / f"{title} {size}", size) for size in (0, *sizes)]
    works: list[Work] = [lambda backend=backend: _check(backend) for backend in backends]
    base, *costs = _quickest(works, time.process_time, rounds=3)
    units = [(cost - base) / size for cost, size in zip(costs, sizes, strict=True)]
    for unit, size in zip(units[1:], sizes[1:], strict=True):
        yield Ratio(f"cost of each of {size} / of {sizes[0]} {title}", unit / units[0], GROWTH)


def _quickest(works: list[Work], clock: Callable[[], float], *, rounds: int) -> list[float]:
    """Return the quickest round of each work, in seconds, after one round to warm up."""
    best = [float("inf")] * len(works)
    for turn in range(rounds + 1):
        for index, work in enumerate(works):
            started = clock()
            work()
            if turn:
                best[index] = min(best[index], clock() - started)
    return best


def _check(backend: Path) -> None:
    report = validators.check(backend, validators.CheckOptions(is_static=True))
    assert report.verdict == "pass", report.findings


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)


def _time_of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    sys.exit(main())
