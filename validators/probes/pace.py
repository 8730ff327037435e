"""Lets one world go ahead of the other, which uses at once what the first one has learned.

What is learned are the values that a backend accepts: both worlds must send the same ones.
"""

import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any, Protocol

CREATES = "the first creates"

# Values for properties by name, by route.
Values = dict[str, dict[str, Any]]


class Pace(Protocol):
    """When a world takes its steps."""

    def before(self, step: str) -> None:
        """Return as soon as a step may be taken."""

    def after(self, step: str) -> None:
        """Note that a step was taken."""


@dataclass
class Leader:
    """The pace of the world that goes ahead.

    Attributes:
        values: The values that it has learned so far.
    """

    values: Values = field(default_factory=dict)
    _taken: Counter[str] = field(default_factory=Counter)
    _learned: Values = field(default_factory=dict)
    _changed: threading.Condition = field(default_factory=threading.Condition)
    _is_over: bool = False

    def before(self, step: str) -> None:
        """Go ahead."""

    def after(self, step: str) -> None:
        """Note that a step was taken, and the values that the backend accepts by now."""
        values = deepcopy(self.values)
        with self._changed:
            self._taken[step] += 1
            self._learned = values
            self._changed.notify_all()

    @contextmanager
    def leading(self) -> Iterator[None]:
        """Take the steps; whoever follows goes on alone behind the last, or where they fail."""
        try:
            yield
        finally:
            with self._changed:
                self._is_over = True
                self._changed.notify_all()

    def await_step(self, step: str, count: int) -> Mapping[str, dict[str, Any]]:
        """Wait until a step was taken so often, or never will be; return what was learned."""
        with self._changed:
            self._changed.wait_for(lambda: self._taken[step] >= count or self._is_over)
            return self._learned


@dataclass
class Follower:
    """The pace of the world that goes behind.

    Attributes:
        leader: The pace of the other world.
        values: The values that this one sends.
    """

    leader: Leader
    values: Values
    _taken: Counter[str] = field(default_factory=Counter)

    def before(self, step: str) -> None:
        """Wait for the world that goes ahead, and learn from it."""
        self._taken[step] += 1
        learned = self.leader.await_step(step, self._taken[step])
        self.values.update(deepcopy(dict(learned)))

    def after(self, step: str) -> None:
        """Nobody waits."""
