"""WebSocket routes: the owner connects, and then everybody else tries the same."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from validators.probes.operations import Document, Operation
from validators.probes.others.interference import Interference
from validators.probes.requests.filling import Filler, UnfilledError
from validators.probes.results import Results, reason
from validators.probes.robustness import Robustness
from validators.probes.worlds.world import World
from validators.runtime.app import WEBSOCKET, RunningApp


@dataclass
class Sockets:
    """The experiments with WebSockets on one world."""

    world: World
    filler: Filler
    results: Results
    interference: Interference
    robustness: Robustness

    def run(self) -> None:
        """Connect to every WebSocket route, for as long as a few messages take."""
        for operation in _operations(self.world.app):
            self.results.current = operation
            why = self._connect(operation)
            if why is not None:
                self.results.missed[operation.route] = why
                message = f"The route could not be exercised: {why}."
                self.results.note("life", operation, "inconclusive", message)

    def _connect(self, operation: Operation) -> str | None:
        """Return None where the owner could connect, otherwise why not."""
        try:
            filled = self.filler.fill(operation, "owner", lambda _: "owner")
        except UnfilledError as error:
            return str(error)
        exchange = self.world.send("owner", filled.request)
        self.results.remember(operation, exchange)
        if self.robustness.is_server_error(operation, filled, exchange):
            return "the owner's connection ends in a server error"
        if not exchange.response.is_success:
            return f"the owner's connection is refused ({reason(exchange)})"
        self.results.exercised.add(operation.route)
        self.results.note("life", operation, "passed", "The owner can connect.")
        self.interference.attempt(operation, filled)
        return None


def _operations(app: RunningApp) -> Iterator[Operation]:
    for operation in Document({"paths": app.websockets}).operations:
        yield replace(operation, method=WEBSOCKET)
