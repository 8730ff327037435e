"""Print the score of the mutants (`make mutants`)."""

from collections import Counter

from tests.mutants.operators import BREAKING, KEEPING
from tests.mutants.score import Mutant, equivalents, known_misses, mutants
from tests.mutants.subjects import subjects


def main() -> None:
    """Judge every mutant and print a line for each operator, then each wrong verdict."""
    judged = [mutant for subject in subjects() for mutant in mutants(subject)]
    print(f"{'operator':32}{'mutants':>8}{'leak':>8}{'unproven':>10}{'silent':>8}")
    for operator in (*BREAKING, *KEEPING):
        _print_row(operator.__name__, [m for m in judged if m.operator == operator.__name__])
    breaking = [mutant for mutant in judged if mutant.breaks]
    reported = sum(mutant.is_right for mutant in breaking)
    quiet = sum(mutant.is_right for mutant in judged if not mutant.breaks)
    print(f"\n{reported} of {len(breaking)} mutants that break isolation are reported,")
    print(f"{quiet} of {len(judged) - len(breaking)} that keep it are silent;")
    print(f"{len(equivalents())} equivalent ones are left out.")
    wrong = [mutant for mutant in judged if not mutant.is_right]
    for mutant in wrong:
        print(f"wrong: {mutant.name}")
    known = set(known_misses())
    print(f"{len(known)} of these are listed as known misses in tests/mutants/lists.toml.")
    raise SystemExit(0 if {mutant.name for mutant in wrong} == known else 1)


def _print_row(name: str, judged: list[Mutant]) -> None:
    count = Counter(mutant.outcome for mutant in judged)
    print(f"{name:32}{len(judged):>8}{count['leak']:>8}{count['unproven']:>10}{count['silent']:>8}")


if __name__ == "__main__":
    main()
