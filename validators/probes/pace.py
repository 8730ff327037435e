"""Lets one world follow another: it takes a step only after the other one has taken it.

What the first world learns about the values that a backend accepts, the second uses at once.
"""

import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any, Protocol

from validators.probes.filling import Filler

CREATES = "the first creates"

_Values = dict[str, dict[str, Any]]


class Pace(Protocol):
    """When a world takes its steps."""

    def before(self, step: str) -> None:
        """Return as soon as a step may be taken."""

    def after(self, step: str) -> None:
        """Note that a step was taken."""


class GivenUpError(Exception):
    """The world that went first has ended before the step."""


@dataclass
class Leader:
    """The pace of the world that goes first."""

    filler: Filler
    _taken: Counter[str] = field(default_factory=Counter)
    _learned: _Values = field(default_factory=dict)
    _changed: threading.Condition = field(default_factory=threading.Condition)
    _is_over: bool = False
    _has_failed: bool = False

    def before(self, step: str) -> None:
        """Go ahead."""

    def after(self, step: str) -> None:
        """Note that a step was taken, and the values that the backend accepts by now."""
        values = deepcopy(self.filler.overrides)
        with self._changed:
            self._taken[step] += 1
            self._learned = values
            self._changed.notify_all()

    @contextmanager
    def leading(self) -> Iterator[None]:
        """Take the steps; whoever follows ends with this, and gives up where it fails."""
        try:
            yield
        except BaseException:
            self._has_failed = True
            raise
        finally:
            with self._changed:
                self._is_over = True
                self._changed.notify_all()

    def await_step(self, step: str, count: int) -> Mapping[str, dict[str, Any]]:
        """Wait until a step was taken so often, and return the values that were learned.

        Raises:
            GivenUpError: It never will be.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._taken[step] >= count or self._is_over)
            if self._has_failed:
                raise GivenUpError
            return self._learned

    def await_end(self) -> None:
        """Wait until all steps were taken.

        Raises:
            GivenUpError: They were not.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._is_over)
            if self._has_failed:
                raise GivenUpError


@dataclass
class Follower:
    """The pace of the world that goes behind."""

    leader: Leader
    filler: Filler
    _taken: Counter[str] = field(default_factory=Counter)

    def before(self, step: str) -> None:
        """Wait for the world that goes first, and learn from it."""
        self._taken[step] += 1
        learned = self.leader.await_step(step, self._taken[step])
        self.filler.overrides.update(deepcopy(dict(learned)))

    def after(self, step: str) -> None:
        """Nobody waits."""
