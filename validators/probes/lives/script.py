"""The owner's script: one world writes it as it goes, every other world repeats it.

What is sent is the same in each world, but for values that each backend makes up for itself; for
these stand names. So no difference between two worlds comes from a difference in what was asked.
"""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

from validators.probes.operations import Operation, Parameter
from validators.probes.requests.accepted import Accepted, AllAccepted
from validators.probes.requests.filling import Filled, Slot
from validators.probes.worlds.acts import Act
from validators.probes.worlds.names import Names


@dataclass(frozen=True)
class Invitation:
    """Others may try now what the owner did, or is about to do.

    Attributes:
        operation: What it is about.
        filled: The owner's request, with names.
        accepted: What the operation was found to accept.
        parameter: The query parameter, where that alone is new.
        act: What the owner did; None where the owner has yet to do it.
    """

    operation: Operation
    filled: Filled
    accepted: Accepted
    parameter: Parameter | None = None
    act: Act | None = None


@dataclass(frozen=True)
class Mark:
    """A place in the script.

    Attributes:
        name: `created` behind the owner's first rows, `crowded` where others have very many,
            `lived` where only the end of the session is left.
        accepted: What the backend was found to accept so far.
    """

    name: str
    accepted: AllAccepted = field(default_factory=dict)


@dataclass(frozen=True)
class Alike:
    """Everybody creates a row with the same text; the owner's act comes next."""

    operation: Operation


Item = Act | Invitation | Mark | Alike


@dataclass
class Script:
    """What happens, in its order. It is read while it is written."""

    items: list[Item] = field(default_factory=list)
    _changed: threading.Condition = field(default_factory=threading.Condition)
    _is_closed: bool = False

    def add(self, item: Item) -> None:
        """Write what happens next."""
        with self._changed:
            self.items.append(item)
            self._changed.notify_all()

    def close(self) -> None:
        """End it: nothing comes any more."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()

    def read(self) -> Iterator[Item]:
        """Yield all items, waiting for those that are still to come."""
        number = 0
        while True:
            with self._changed:
                self._changed.wait_for(lambda n=number: len(self.items) > n or self._is_closed)  # type: ignore[misc]
                if len(self.items) <= number:
                    return
            yield self.items[number]
            number += 1

    @property
    def acts(self) -> list[Act]:
        """What the owner and the check did."""
        return [item for item in self.items if isinstance(item, Act)]


def with_names(filled: Filled, names: Names) -> Filled:
    """Return a request that is ready for every world."""
    slots = tuple(Slot(s.name, s.table, names.named(s.value)) for s in filled.slots)
    return Filled(names.template(filled.request), slots, filled.shown)


def with_values(filled: Filled, names: Names) -> Filled:
    """Return a request of the script as one world sends it.

    Raises:
        UnknownNameError: It is about something that is not there.
    """
    slots = tuple(Slot(s.name, s.table, names.filled(s.value)) for s in filled.slots)
    return Filled(names.fill(filled.request), slots, filled.shown)
