"""What others do between the owner's steps: everything they can think of, or nothing at all."""

from dataclasses import dataclass
from typing import Protocol

from validators.probes.operations import Operation, Parameter
from validators.probes.others.authentication import Authentication
from validators.probes.others.isolation import Intrusion
from validators.probes.requests.filling import Filled
from validators.probes.requests.lists import bears_secret

_MOST_VISITS = 2


class Interference(Protocol):
    """The others in a world."""

    def attempt(self, operation: Operation, filled: Filled) -> None:
        """Try to reach what the owner reaches with a request."""

    def attempt_query(self, operation: Operation, filled: Filled, parameter: Parameter) -> None:
        """Try to reach what the owner reaches with a query parameter."""


@dataclass
class Everybody:
    """The intruder, and clients without a valid token."""

    authentication: Authentication
    intrusion: Intrusion

    def __post_init__(self) -> None:
        self.forgers = Forgers(self.authentication)

    def attempt(self, operation: Operation, filled: Filled) -> None:
        """Try every bad token, and everything that the intruder can try."""
        if not bears_secret(operation, filled):
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
    _visits: int = 0

    def attempt(self, operation: Operation, filled: Filled) -> None:
        """Try their tokens on the first reads that are not public."""
        if operation.method == "GET" and self._visits < _MOST_VISITS:
            self._visits += self.authentication.confuse(operation, filled)

    def attempt_query(self, operation: Operation, filled: Filled, parameter: Parameter) -> None:
        """Do nothing."""


class Nobody:
    """A world in which the owner is alone."""

    def attempt(self, operation: Operation, filled: Filled) -> None:
        """Do nothing."""

    def attempt_query(self, operation: Operation, filled: Filled, parameter: Parameter) -> None:
        """Do nothing."""
