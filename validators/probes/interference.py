"""What others do between the owner's steps: everything they can think of, or nothing at all."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from validators.probes.authentication import Authentication
from validators.probes.filling import Filled
from validators.probes.isolation import Intrusion
from validators.probes.operations import Operation, Parameter

_MOST_VISITS = 2


class Interference(Protocol):
    """The others in a world."""

    @property
    def roles(self) -> Iterable[str]:
        """Users who have rows of every kind before the owner comes."""

    def attempt(self, operation: Operation, filled: Filled) -> None:
        """Try to reach what the owner reaches with a request."""

    def attempt_query(self, operation: Operation, filled: Filled, parameter: Parameter) -> None:
        """Try to reach what the owner reaches with a query parameter."""


@dataclass
class Everybody:
    """The intruder, and clients without a valid token."""

    authentication: Authentication
    intrusion: Intrusion
    roles: tuple[str, ...] = ("intruder",)

    def __post_init__(self) -> None:
        self.forgers = Forgers(self.authentication)

    def attempt(self, operation: Operation, filled: Filled) -> None:
        """Try every bad token, and everything that the intruder can try."""
        self.authentication.attempt_all(operation, filled)
        self.forgers.attempt(operation, filled)
        self.intrusion.attempt_all(operation, filled)

    def attempt_query(self, operation: Operation, filled: Filled, parameter: Parameter) -> None:
        """Let the intruder use the same query parameter."""
        self.intrusion.attempt_query(operation, filled, parameter)


@dataclass
class Forgers:
    """Clients whose tokens are made to confuse their verification, and nobody else.

    They come to a few routes only, as all routes share that code.
    """

    authentication: Authentication
    roles: tuple[str, ...] = ()
    _visits: int = 0

    def attempt(self, operation: Operation, filled: Filled) -> None:
        """Try their tokens on the first reads that are not public."""
        if operation.method == "GET" and self._visits < _MOST_VISITS:
            self._visits += self.authentication.confuse(operation, filled)

    def attempt_query(self, operation: Operation, filled: Filled, parameter: Parameter) -> None:
        """Do nothing."""


class Nobody:
    """A world in which the owner is alone."""

    roles: tuple[str, ...] = ()

    def attempt(self, operation: Operation, filled: Filled) -> None:
        """Do nothing."""

    def attempt_query(self, operation: Operation, filled: Filled, parameter: Parameter) -> None:
        """Do nothing."""
