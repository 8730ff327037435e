"""Two worlds: what the owner is answered must not depend on whether the intruder exists.

Isolation is a property of pairs of runs. The owner's script runs once alone and once between the
intruder's attempts; what each backend makes up for itself aside, the answers must be equal.
"""

from collections.abc import Iterable

from validators.probes.lives.controls import Controls, Difference, find_differences
from validators.probes.lives.following import Following
from validators.probes.results import Results
from validators.probes.worlds.acts import Act
from validators.probes.worlds.answers import STATUS, Answer
from validators.probes.worlds.evidence import calls, shorten, told
from validators.probes.worlds.world import World
from validators.rules import probes as rules

# A finding of one of these rules says already that a route leaks.
_SAID = frozenset({"BP601", "BP603", "BP604", "BP606", "BP607", "BP610"})
_MOST_PLACES = 6


def report_differences(
    acts: Iterable[Act], alone: World, following: Following, controls: Controls, results: Results
) -> None:
    """Report each step whose answer the intruder changes.

    Args:
        acts: The owner's acts, as the script has them.
        alone: The world in which the owner was alone.
        following: The world in which the owner lived among others.
        controls: Holds differences against controls.
        results: Takes the findings; those so far tell which routes are known to leak.
    """
    steps = [act for act in acts if act.operation is not None]
    said = {finding.route for finding in results.findings if finding.code in _SAID}
    candidates = find_differences(steps, alone, following, said)
    by_route: dict[str, Difference] = {}
    for difference in controls.confirm(candidates) if candidates else []:
        by_route.setdefault(difference.operation.route, difference)
    for difference in by_route.values():
        _report(difference, following.world, results)
    compared = {act.operation.route: act.operation for act in steps if act.operation is not None}
    for route in sorted(compared):
        if route in by_route:
            detail = "The owner's answers depend on the intruder."
            results.note("two worlds", compared[route], "failed", detail)
        else:
            detail = "The owner is answered alike with and without the intruder."
            results.note("two worlds", compared[route], "passed", detail)


def _report(difference: Difference, world: World, results: Results) -> None:
    route = difference.operation.route
    if all(_is_success(answer) for answer in (difference.wanted, difference.got)):
        # A refusal may come of a limit or a uniqueness that no query is behind.
        results.leaking.add(route)
    places = sorted(difference.places)[:_MOST_PLACES]
    expected = tuple((place, _said(difference.wanted, place)) for place in places)
    results.report(
        rules.DEPENDS_ON_OTHERS,
        difference.operation,
        f"What {route} answers the owner depends on the intruder.",
        trace=(
            *told(world, difference.shown),
            *(f"without the intruder, {place}: {world.neutral(said)}" for place, said in expected),
            *(
                f"with the intruder, {place}: {world.neutral(_said(difference.got, place))}"
                for place in places
            ),
        ),
        experiment=calls(world, difference.shown),
        expected=tuple((place, world.neutral(said)) for place, said in expected),
    )


def _is_success(answer: Answer) -> bool:
    return answer.get(STATUS, ("",))[0].startswith("2")


def _said(answer: Answer, place: str) -> str:
    return shorten(", ".join(answer.get(place, ("nothing",))))
