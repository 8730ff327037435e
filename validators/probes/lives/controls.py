"""Differences between the worlds, held against controls: only what the intruder causes counts.

The owner's script is run again on fresh databases, without the intruder (quickly, and as slowly as
among the intruder's requests) and with. A difference counts where it comes with the intruder every
time and without never; what differs without the intruder is a clock's or chance. Then the cause is
narrowed down: which of the intruder's requests suffice (Zeller and Hildebrandt, "Simplifying and
isolating failure-inducing input", 2002).
"""

import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import psycopg

from validators.probes.lives.following import Following
from validators.probes.operations import Operation
from validators.probes.worlds.acts import Act
from validators.probes.worlds.answers import ORDER, Answer, differing, normal
from validators.probes.worlds.evidence import way_to
from validators.probes.worlds.hearing import hear
from validators.probes.worlds.names import UnknownNameError
from validators.probes.worlds.world import World
from validators.runtime.process import BackendEndedError

_ROUNDS, _ROUNDS_OF_ORDERS = 4, 7
_MOST_TRIALS = 16
_MOST_NARROWED = 2
_LONGEST_PAUSE = 1.0
_OTHERS = ("intruder", "nobody")

# By the number of an act in the script.
Answers = dict[int, Answer]


@dataclass
class Difference:
    """A step of the script that was answered otherwise among others than alone.

    Attributes:
        act: The owner's act, in the script.
        operation: What was asked for.
        places: Where the answers differ, every time.
        wanted: The answer without the intruder.
        got: The answer with the intruder.
        cause: What the others did that suffices, in the history of the shared world.
        shown: All that is needed to see it: the owner's acts, and the cause.
    """

    act: Act
    operation: Operation
    places: frozenset[str]
    wanted: Answer
    got: Answer
    cause: list[Act] = field(default_factory=list)
    shown: list[Act] = field(default_factory=list)

    @property
    def is_of_order(self) -> bool:
        """Whether nothing but the order of some list differs."""
        return all(place.endswith(ORDER) for place in self.places)


@dataclass
class Trial:
    """One run of some acts in a fresh world."""

    world: World
    numbers: dict[int, int]
    is_slow: bool = False
    answers: Answers = field(default_factory=dict)

    def run(self, acts: Iterable[Act]) -> Answers:
        """Do what was done, and return what the owner was answered."""
        try:
            for act in acts:
                self._do(act)
        except BackendEndedError:
            pass
        return self.answers

    def _do(self, act: Act) -> None:
        try:
            if act.writing is not None:
                self.world.write(act.writing, act.born)
            elif act.request is not None:
                self._send(act)
        except (UnknownNameError, psycopg.Error):
            # It is about something that is not there without what was left out.
            return

    def _send(self, act: Act) -> None:
        if act.request is None:
            return
        request = self.world.names.fill(act.request)
        if self.is_slow:
            time.sleep(min(act.pause, _LONGEST_PAUSE))
        if act.actor in _OTHERS and not act.has_changed:
            self.world.send_blindly(act.actor, request)
            return
        exchange = self.world.send(act.actor, request, act.born)
        number = self.numbers.get(act.number)
        if number is not None:
            self.answers[number] = normal(exchange.response, self.world)
        if act.operation is not None and exchange.response.is_success:
            for name, value in hear(exchange.response).items():
                self.world.names.bind(f"{name} of {act.operation.route}", value)
        if act.is_undone:
            self.world.undo(exchange)


class OutOfTrialsError(Exception):
    """No more trials are allowed for one check."""


@dataclass
class Controls:
    """Runs trials in fresh worlds.

    Attributes:
        enter: Boots the backend once more, and returns its world; None where it does not boot.
        following: The world in which the owner lived among others.
    """

    enter: Callable[[], World | None]
    following: Following
    _left: int = _MOST_TRIALS

    def confirm(self, candidates: Sequence[Difference]) -> list[Difference]:
        """Return the differences that the intruder causes, each with its cause."""
        left = self._without_consequences(self._confirm(list(candidates)))
        for difference in left[:_MOST_NARROWED]:
            try:
                self._narrow(difference, [each for each in left if each.cause])
            except OutOfTrialsError:
                break
        return left

    def _without_consequences(self, left: list[Difference]) -> list[Difference]:
        """Leave out what differs only because an earlier request did something else.

        A control without those requests tells: what still differs has a cause of its own.
        """
        movers = [each for each in left if each.act.has_changed or each.operation.method != "GET"]
        first = min(movers, key=lambda each: each.act.number, default=None)
        later = [
            each
            for each in left
            if first is not None
            and each.act.number > first.act.number
            and each.operation is not first.operation
        ]
        if first is None or not later:
            return left
        moved = {each.act.number for each in left if each.operation is first.operation}
        last = max(each.act.number for each in later)
        numbers = self.following.numbers
        with ThreadPoolExecutor(2) as both:
            alone, shared = (
                both.submit(self._try, [a for a in acts if numbers.get(a.number) not in moved])
                for acts in (self._owners_until(last), self._all_until(last))
            )
            without, among = alone.result() or {}, shared.result() or {}
        return [each for each in left if each not in later or _still_differs(each, without, among)]

    def _confirm(self, left: list[Difference]) -> list[Difference]:
        for number in range(_ROUNDS_OF_ORDERS):
            # The order of equals is chance, and two chances agree often: ask more often.
            asked = [each for each in left if number < _ROUNDS or each.is_of_order]
            if not asked:
                break
            last = max(each.act.number for each in asked)
            with ThreadPoolExecutor(2) as both:
                # In turn as slowly as among the intruder's requests, and as quickly as it goes.
                alone = both.submit(self._try, self._owners_until(last), is_slow=number % 2 == 0)
                shared = both.submit(self._try, self._all_until(last))
                without, among = alone.result(), shared.result()
            if without is None or among is None:
                return []
            for each in asked:
                _keep_stable(each, without, among)
            left = [each for each in left if each.places]
        return left

    def _try(self, acts: Iterable[Act], *, is_slow: bool = False) -> Answers | None:
        world = self.enter()
        if world is None:
            return None
        try:
            return Trial(world, self.following.numbers, is_slow).run(acts)
        finally:
            world.app.process.leave()

    @property
    def _history(self) -> list[Act]:
        return self.following.world.history[self.following.first :]

    def _all_until(self, last: int) -> list[Act]:
        numbers = self.following.numbers
        end = next((a.number for a in self._history if numbers.get(a.number) == last), None)
        return [act for act in self._history if end is None or act.number <= end]

    def _owners_until(self, last: int) -> list[Act]:
        return [act for act in self._all_until(last) if act.number in self.following.numbers]

    def _shows(self, difference: Difference, acts: list[Act]) -> bool:
        """Tell whether a difference comes where some acts are done."""
        if self._left <= 0:
            raise OutOfTrialsError
        self._left -= 1
        answers = self._try(acts)
        got = (answers or {}).get(difference.act.number)
        return got is not None and any(
            got.get(place) != difference.wanted.get(place) for place in difference.places
        )

    def _narrow(self, difference: Difference, known: list[Difference]) -> None:
        """Find few requests of the others that suffice, and few of the owner's to see it by."""
        everything = self._all_until(difference.act.number)
        owners = [act for act in everything if act.number in self.following.numbers]
        others = [act for act in everything if act.number not in self.following.numbers]
        changing = [act for act in others if act.has_changed and not act.is_undone]

        def suffices(chosen: Sequence[Act]) -> bool:
            return self._shows(difference, _in_order([*owners, *chosen]))

        before = next((each.cause for each in known if suffices(each.cause)), None)
        if before is not None:
            difference.cause = before
        elif suffices(changing):
            difference.cause = minimize(changing, suffices)
        elif suffices(others):
            difference.cause = minimize(others, suffices)
        else:
            difference.cause = others
        difference.shown = self._fewest_steps(difference, owners)

    def _fewest_steps(self, difference: Difference, owners: list[Act]) -> list[Act]:
        world = self.following.world
        last = owners[-1]
        named = way_to(world, [*difference.cause, last])
        changing = [act for act in owners if act.has_changed or act is last]
        for steps in (named, _in_order([*changing, *difference.cause])):
            alone = [act for act in steps if act.number in self.following.numbers]
            if self._shows(difference, steps) and not self._shows(difference, alone):
                return steps
        return _in_order([*owners, *difference.cause])


def _in_order(acts: Iterable[Act]) -> list[Act]:
    return sorted({act.number: act for act in acts}.values(), key=lambda act: act.number)


def _keep_stable(difference: Difference, without: Answers, among: Answers) -> None:
    """Keep the places that are the same without the intruder, and differ with."""
    number = difference.act.number
    if number not in without or number not in among:
        difference.places = frozenset()
        return
    moved = differing(without[number], difference.wanted)
    apart = differing(without[number], among[number])
    difference.places = (difference.places - moved) & apart


def _still_differs(difference: Difference, without: Answers, among: Answers) -> bool:
    number = difference.act.number
    if number not in without or number not in among:
        return False
    return bool(difference.places & differing(without[number], among[number]))


def find_differences(
    acts: Iterable[Act], alone: World, following: Following, said: Iterable[str | None]
) -> list[Difference]:
    """Return every step that was answered otherwise among others than alone.

    Args:
        acts: What the script has of the owner's acts.
        alone: The world in which the script was written.
        following: The world in which it was repeated.
        said: Routes of which something is known already.
    """
    known = set(said)
    found = []
    for act in acts:
        answer = following.answers.get(act.number)
        if answer is None or act.response is None or act.operation is None or act.actor != "owner":
            # Others may give the bystander a part in what is theirs.
            continue
        wanted, got = normal(act.response, alone), normal(answer, following.world)
        places = differing(wanted, got)
        if places and act.operation.route not in known:
            found.append(Difference(act, act.operation, places, wanted, got))
    return found


def minimize(acts: list[Act], suffices: Callable[[Sequence[Act]], bool]) -> list[Act]:
    """Return few of some acts that suffice together: none can be left out (ddmin)."""
    parts = 2
    while len(acts) > 1:
        size = -(-len(acts) // parts)
        pieces = [acts[start : start + size] for start in range(0, len(acts), size)]
        smaller = next((piece for piece in pieces if suffices(piece)), None)
        if smaller is not None:
            acts, parts = smaller, 2
            continue
        rests = [[act for act in acts if act not in piece] for piece in pieces]
        smaller = next((rest for rest in rests if len(pieces) > 2 and suffices(rest)), None)  # noqa: PLR2004
        if smaller is not None:
            acts, parts = smaller, max(parts - 1, 2)
        elif parts >= len(acts):
            break
        else:
            parts = min(len(acts), parts * 2)
    return acts
