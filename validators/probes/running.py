"""Runs all probes on a booted app: finds out who the users are, then experiments."""

import re
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

import psycopg

from validators.probes.accounts import find_accounts, find_users_table
from validators.probes.agenda import Agenda
from validators.probes.authentication import Authentication
from validators.probes.comparison import compare_worlds
from validators.probes.experiment import Experiment
from validators.probes.filling import Filler
from validators.probes.fuzzing import Fuzzing
from validators.probes.interference import Everybody, Forgers, Interference, Nobody
from validators.probes.isolation import Intrusion
from validators.probes.operations import Document, Operation
from validators.probes.pace import Follower, Leader
from validators.probes.results import ProbeRun, Results
from validators.probes.robustness import Robustness
from validators.probes.signing_in import find_style
from validators.probes.sockets import Sockets
from validators.probes.tables import Tables
from validators.probes.targets import Targets
from validators.probes.tokens import styles_for
from validators.probes.world import World
from validators.rules import probes as rules
from validators.runtime import better_auth
from validators.runtime.app import WEBSOCKET, RunningApp
from validators.runtime.faults import Frame, read_frames
from validators.runtime.process import BackendEndedError, Ended

_SQLITE = re.compile(r"[\"']sqlite(\+\w+)?://")


def run(app: RunningApp, fuzz_seconds: float = 0.0) -> ProbeRun:
    """Run every probe on a booted app.

    Args:
        app: The app; it is used up afterwards.
        fuzz_seconds: How long to send random requests as well.

    Returns:
        Findings, outcomes and routes.
    """
    document = Document(app.openapi)
    operations = document.operations
    results = Results()
    alone = _Alone(app, document, results)
    with app.database.observe() as connection, ThreadPoolExecutor(1) as aside:
        entering = aside.submit(alone.enter)
        tables = Tables(connection)
        if _is_stored_elsewhere(app, tables, results):
            return results.finish(_routes(app, document, results))
        try:
            world, used = _enter(app, document, tables)
        except BackendEndedError as error:
            _report_end(app, results, error.ended)
            return results.finish(_routes(app, document, results))
        except psycopg.Error as error:
            _report_database(results, error)
            return results.finish(_routes(app, document, results))
        filler = Filler(document, world, Targets(tables))
        try:
            for operation in used:
                results.exercised.add(operation.route)
                results.note("life", operation, "passed", "The users signed up or in by it.")
            if find_style(world, filler, operations, results):
                others = tuple(each for each in operations if each not in used)
                agenda = Agenda.of(others)
                living = aside.submit(alone.live, entering, world, others, agenda)
                together = _Together(world, filler, results, alone, agenda)
                together.live(others, living, fuzz_seconds)
                _check_coverage(operations, results)
        except BackendEndedError as error:
            _report_end(app, results, error.ended)
        except psycopg.Error as error:
            _report_database(results, error)
    return results.finish(_routes(app, document, results))


def _is_stored_elsewhere(app: RunningApp, tables: Tables, results: Results) -> bool:
    """Report an app that keeps its data in SQLite, where nobody can look at its rows."""
    if tables.by_name.keys() - set(better_auth.TABLES):
        return False
    for path, module in app.project.modules.items():
        for number, line in enumerate(module.lines, 1):
            if _SQLITE.search(line):
                message = "The app keeps its data in SQLite, so that nothing was shown about it."
                place = Frame(path, number, "")
                results.report(rules.NOT_STORED, None, message, place=place)
                return True
    return False


def _routes(app: RunningApp, document: Document, results: Results) -> Iterator[str]:
    """Yield every route, also those that no probe can reach, with the reason."""
    yield from (operation.route for operation in document.operations)
    for path in app.websockets:
        results.missed.setdefault(f"{WEBSOCKET} {path}", "no probe connected to it")
        yield f"{WEBSOCKET} {path}"
    for path in app.mounts:
        results.missed[f"ANY {path}/*"] = "something else than an app with routes is mounted here"
        yield f"ANY {path}/*"


def _enter(
    app: RunningApp, document: Document, tables: Tables
) -> tuple[World, tuple[Operation, ...]]:
    """Return the world of a freshly booted app, and the operations by which its users came in."""
    tables.users_table = find_users_table(tables)
    accounts = find_accounts(app, document, tables)
    world = World(app, tables, accounts.users, styles_for(app)[0], tokens=accounts.tokens)
    return world, accounts.used


class _Together:
    """The world in which the owner lives among the others."""

    def __init__(
        self, world: World, filler: Filler, results: Results, alone: "_Alone", agenda: Agenda
    ) -> None:
        self._world, self._filler, self._results = world, filler, results
        self._alone, self._agenda = alone, agenda
        self._robustness = Robustness(world, filler, results)
        self._intrusion = Intrusion(world, filler, results, self._robustness)
        self._others = Everybody(Authentication(world, results), self._intrusion)

    def live(
        self, operations: tuple[Operation, ...], living: Future[None], fuzz_seconds: float
    ) -> None:
        """Let the owner go through the script, and compare with the life alone.

        Args:
            operations: What the owner does.
            living: The life alone, which goes on meanwhile.
            fuzz_seconds: How long to send random requests as well.
        """
        pace = Follower(self._alone.pace, self._filler.overrides)
        experiment = Experiment(
            self._world, self._filler, self._results, self._others, self._robustness, pace
        )
        try:
            experiment.run(operations)
            experiment.try_strange_values(self._agenda)
            self._try_otherwise(fuzz_seconds)
        except (KeyboardInterrupt, SystemExit):
            self._alone.give_up()
            raise
        finally:
            self._agenda.close()
            living.result()
            self._compare()
        experiment.sign_out(operations)

    def _try_otherwise(self, fuzz_seconds: float) -> None:
        """Connect to the WebSockets, and send random requests for so long."""
        world, filler, results = self._world, self._filler, self._results
        Sockets(world, filler, results, self._others, self._robustness).run()
        if fuzz_seconds:
            fuzzing = Fuzzing(world, filler, results, self._intrusion, self._robustness)
            fuzzing.run(fuzz_seconds)

    def _compare(self) -> None:
        """Add what was seen in the other world, and report where the two differ."""
        self._results.findings += self._alone.others.findings
        self._results.probes += self._alone.others.probes
        self._results.leaking |= self._alone.others.leaking
        if self._alone.is_lived:
            compare_worlds(self._alone.results, self._results, self._world)
        for operation, answered in self._agenda.outcomes():
            self._robustness.judge(operation, answered)


class _Alone:
    """The world in which the owner is alone, on a fresh database: it goes ahead.

    Attributes:
        pace: Its pace, for the other world to follow.
        results: What the owner is answered.
        others: What else is found meanwhile.
        is_lived: Whether the owner went through the script, so that there is something to compare.
    """

    def __init__(self, first: RunningApp, document: Document, together: Results) -> None:
        self.pace = Leader()
        self.results = Results(handlers=together.handlers)
        self.others = Results(handlers=together.handlers)
        self.is_lived = False
        self._first, self._document = first, document
        self._app: RunningApp | None = None
        self._experiment: Experiment | None = None

    def enter(self) -> None:
        """Boot once more, and get to know the users.

        A backend that can verify tokens in another way as well is set up for that here.
        """
        wanted = next(iter(self._first.other_verifications), None)
        self._app, findings = self._first.boot_again(wanted)
        self.others.findings += findings
        if self._app is not None:
            with self._reporting(self._app):
                self._experiment = self._enter(self._app)

    def _enter(self, app: RunningApp) -> Experiment | None:
        document = self._document
        world, used = _enter(app, document, Tables(app.database.connection))
        filler = Filler(document, world, Targets(world.tables), overrides=self.pace.values)
        others: Interference = Nobody()
        if app.verification != self._first.verification:
            others = Forgers(Authentication(world, self.others))
            operations = [each for each in document.operations if each not in used]
            if not find_style(world, filler, operations, self.others):
                return None
        robustness = Robustness(world, filler, self.results)
        return Experiment(world, filler, self.results, others, robustness, self.pace)

    def live(
        self,
        entering: Future[None],
        together: World,
        operations: tuple[Operation, ...],
        agenda: Agenda,
    ) -> None:
        """Let the owner go through the script, and take a share of what is tried last."""
        with self.pace.leading():
            entering.result()
            if self._app is None or self._experiment is None:
                return
            with self._reporting(self._app):
                self._live(self._experiment, together, operations)
        if self.is_lived:
            with self._reporting(self._app):
                self._experiment.try_strange_values(agenda)
        self._app.process.leave()

    def give_up(self) -> None:
        """End the app, so that nobody waits for its answers."""
        if self._app is not None:
            self._app.process.guarded.let_go()

    def _live(
        self, experiment: Experiment, together: World, operations: tuple[Operation, ...]
    ) -> None:
        world = experiment.world
        world.markers = together.markers
        if world.app.verification == together.app.verification:
            world.style = together.style
        experiment.run(operations)
        self.is_lived = True

    @contextmanager
    def _reporting(self, app: RunningApp) -> Iterator[None]:
        """Report what ends the app, or the view of its database."""
        try:
            yield
        except BackendEndedError as error:
            self.others.current = self.results.current
            _report_end(app, self.others, error.ended)
        except psycopg.Error as error:
            self.others.current = self.results.current
            _report_database(self.others, error)


def _report_end(app: RunningApp, results: Results, ended: Ended) -> None:
    sentences = {
        "time": "does not answer and blocks all other requests",
        "memory": "uses more memory than it may",
        "processes": "starts more processes than it may",
        "disk": "writes more files than it may",
        "output": "prints more than it may",
        "exit": f"ends the app's process with exit code {ended.code}",
        "signal": f"ends the app's process by signal {ended.code}",
        "protocol": "disturbs the process that checks it",
    }
    what = results.current.route if results.current else "The app"
    frames = read_frames(app.process.last_words.get("frames"), app.origin)
    message = f"{what} {sentences[ended.cause]}."
    place = frames[-1] if frames else None
    results.report(rules.PROCESS_ENDED, results.current, message, place=place)
    if results.current is not None:
        results.note("life", results.current, "failed", message)


def _report_database(results: Results, error: psycopg.Error) -> None:
    """Report a backend that locks, drops or alters its tables while it is probed."""
    what = results.current.route if results.current else "The app"
    said = str(error).partition("\n")[0]
    message = f"{what} leaves the database so that its rows cannot be compared: {said}."
    results.report(rules.PROCESS_ENDED, results.current, message)
    if results.current is not None:
        results.note("life", results.current, "failed", message)


def _check_coverage(operations: tuple[Operation, ...], results: Results) -> None:
    protected = [operation.route for operation in operations if operation.is_secured]
    if not operations:
        results.report(rules.NOTHING_EXERCISED, None, "The app has no routes to probe.")
    elif protected and not results.exercised.intersection(protected):
        message = "The owner succeeded on no protected route, so that nothing was shown."
        results.report(rules.NOTHING_EXERCISED, None, message)
    elif not results.exercised:
        message = "No request succeeded on any route, so that nothing was shown."
        results.report(rules.NOTHING_EXERCISED, None, message)
