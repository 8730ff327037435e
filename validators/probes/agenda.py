"""What both worlds still have to try with strange values: whoever is free takes the next route."""

import threading
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field

from validators.probes.operations import Operation
from validators.probes.robustness import Answered


@dataclass
class Agenda:
    """Operations that are tried once each, in one world or the other.

    Attributes:
        operations: All that take any value.
    """

    operations: list[Operation]
    _answered: dict[str, list[Answered]] = field(default_factory=dict)
    _taken: set[str] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _is_closed: bool = False

    @classmethod
    def of(cls, operations: Iterable[Operation]) -> "Agenda":
        """Return the agenda for the operations of a backend."""
        return cls([each for each in operations if each.parameters or each.body is not None])

    def take(self, exercised: Collection[str]) -> Iterator[Operation]:
        """Yield what nobody has taken yet, of the routes on which the owner succeeded."""
        for operation in self.operations:
            with self._lock:
                is_free = operation.route in exercised and operation.route not in self._taken
                if self._is_closed or not is_free:
                    continue
                self._taken.add(operation.route)
            yield operation

    def note(self, operation: Operation, answered: list[Answered]) -> None:
        """Note what came of an operation that was taken."""
        self._answered[operation.route] = answered

    def close(self) -> None:
        """Let nobody take anything any more."""
        self._is_closed = True

    def outcomes(self) -> Iterator[tuple[Operation, list[Answered]]]:
        """Yield what came of each operation, in their order."""
        for operation in self.operations:
            if operation.route in self._answered:
                yield operation, self._answered[operation.route]
