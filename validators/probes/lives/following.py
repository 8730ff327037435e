"""A world in which the owner does what the script says, among everybody else's attempts."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import psycopg

from validators.probes.lives.arranging import Arranging
from validators.probes.lives.creating import Creating
from validators.probes.lives.life import CREATED, CROWDED
from validators.probes.lives.script import Alike, Invitation, Item, Mark, with_values
from validators.probes.operations import Operation
from validators.probes.others.interference import Everybody
from validators.probes.requests.filling import ANYONE, Filler, UnfilledError
from validators.probes.results import Results
from validators.probes.worlds.acts import Act, Writing
from validators.probes.worlds.hearing import hear
from validators.probes.worlds.names import UnknownNameError
from validators.probes.worlds.world import World
from validators.runtime.app import Request, Response

_INTRUDER = "intruder"
_CROWD = 60


@dataclass
class Following:
    """Repeats the script in a world that the owner shares with others.

    Attributes:
        world: The world.
        filler: Makes the requests of the others.
        results: What is shown by them.
        others: What they try.
        creates: The operations that make rows, parents first.
        answers: What the owner was answered here, by the number of the act in the script.
        numbers: The number of the act in the script, by its number in this world's history.
        first: The first number of this world's history that follows the script.
    """

    world: World
    filler: Filler
    results: Results
    others: Everybody
    creates: list[Operation]
    answers: dict[int, Response] = field(default_factory=dict)
    numbers: dict[int, int] = field(default_factory=dict)
    first: int = 0
    _waiting: list[Item] = field(default_factory=list)
    _is_created: bool = False

    def run(self, items: Iterator[Item], until: str) -> None:
        """Follow the script to a mark of its, or to its end."""
        for item in items:
            if isinstance(item, Mark):
                if item.name == CREATED:
                    self._begin(item)
                elif item.name == CROWDED:
                    self._crowd()
                elif item.name == until:
                    return
            elif self._is_created:
                self._take(item)
            else:
                self._waiting.append(item)

    def _begin(self, mark: Mark) -> None:
        """Let the intruder have rows of every kind, and then the owner, as the script has it."""
        self.filler.accepted.update(mark.accepted)
        self._creating().provide(_INTRUDER)
        self._is_created = True
        for item in self._waiting:
            self._take(item)

    def _crowd(self) -> None:
        """Let the intruder have very many rows of each kind: limits are each user's own."""
        tables = {self.filler.targets.learned.get(each.path) for each in self.creates}
        for table in sorted(each for each in tables if each is not None):
            rows = (row for row in self.world.rows_of(_INTRUDER, table) if self.world.name_of(row))
            row = next(rows, None)
            if row is not None:
                with contextlib.suppress(psycopg.Error):
                    name = self.world.name_of(row)
                    self.world.write(Writing(table, name, {}, _INTRUDER, _CROWD))

    def _creating(self) -> Creating:
        return Creating(self.world, self.filler, self.results, self.creates)

    def _take(self, item: Item) -> None:
        match item:
            case Act():
                self._repeat(item)
            case Invitation():
                self._invite(item)
            case Alike(operation=operation):
                with contextlib.suppress(UnfilledError):
                    filled = self.filler.fill(operation, ANYONE, lambda _: _INTRUDER)
                    self.world.send(_INTRUDER, filled.request)

    def _repeat(self, act: Act) -> None:
        """Do what the owner or the check did, with the values of this world."""
        self.results.current = act.operation
        with contextlib.suppress(UnknownNameError):
            if act.writing is not None:
                with contextlib.suppress(psycopg.Error):
                    written = self.world.write(act.writing, act.born)
                    self.numbers[written.number] = act.number
                    if act.writing.row is None:
                        self._give_intruder(act.writing.table)
                return
            if act.request is None:
                return
            request = self.world.names.fill(act.request)
            self._read_first(act, request)
            exchange = self.world.send(act.actor, request, act.born)
            exchange.act.operation = act.operation
            self.numbers[exchange.act.number] = act.number
            self.answers[act.number] = exchange.response
            if act.operation is not None:
                self.results.remember(act.operation, exchange)
                if exchange.response.is_success:
                    for name, value in hear(exchange.response).items():
                        self.world.names.bind(f"{name} of {act.operation.route}", value)
                    if act.operation.method == "POST":
                        self._creating().learn(act.operation, exchange)

    def _read_first(self, act: Act, request: Request) -> None:
        """Let the intruder read the same of its own, right before the owner does.

        An answer that is kept for the next one who asks comes out by that.
        """
        if act.operation is None or act.operation.method != "GET" or act.actor != "owner":
            return
        with contextlib.suppress(UnfilledError):
            filled = self.filler.fill(act.operation, _INTRUDER, lambda _: _INTRUDER)
            self.world.send(_INTRUDER, replace(filled.request, query=request.query))

    def _give_intruder(self, table: str) -> None:
        arranging = Arranging(self.world, self.filler)
        for writing in arranging.insert(_INTRUDER, table):
            self.world.write(writing)

    def _invite(self, invitation: Invitation) -> None:
        """Let the others try what the owner did here too."""
        if invitation.act is not None:
            answer = self.answers.get(invitation.act.number)
            if answer is None or not answer.is_success:
                return
        operation = invitation.operation
        self.filler.accepted[operation.route] = invitation.accepted
        about = self.results.about(operation)
        with about, contextlib.suppress(UnknownNameError, UnfilledError):
            filled = with_values(invitation.filled, self.world.names)
            if invitation.parameter is None:
                self.others.attempt(operation, filled)
            else:
                self.others.attempt_query(operation, filled, invitation.parameter)
