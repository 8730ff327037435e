"""Runs all probes on a booted app: finds out who the users are, then experiments."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import psycopg

from validators.probes.accounts import find_accounts, find_users_table
from validators.probes.authentication import Authentication
from validators.probes.comparison import compare_worlds
from validators.probes.experiment import Experiment
from validators.probes.filling import Filler
from validators.probes.fuzzing import Fuzzing
from validators.probes.interference import Everybody, Forgers, Interference, Nobody
from validators.probes.isolation import Intrusion
from validators.probes.operations import Document, Operation
from validators.probes.pace import Follower, GivenUpError, Leader
from validators.probes.results import ProbeRun, Results
from validators.probes.robustness import Answered, Robustness
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
    with app.database.observe() as connection:
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
                _experiment(world, filler, others, results, fuzz_seconds)
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


def _experiment(
    world: World,
    filler: Filler,
    operations: tuple[Operation, ...],
    results: Results,
    fuzz_seconds: float,
) -> None:
    """Let the owner live among the others, and again alone, and compare.

    The second world follows the first, a step behind, and takes a share of what is tried last.
    """
    robustness = Robustness(world, filler, results)
    intrusion = Intrusion(world, filler, results, robustness)
    others = Everybody(Authentication(world, results), intrusion)
    leader = Leader(filler)
    together = Experiment(world, filler, results, others, robustness, leader)
    alone = _Alone(world, leader, results)
    with ThreadPoolExecutor(1) as aside:
        living = aside.submit(alone.live, operations)
        with leader.leading():
            together.run(operations)
        share, rest = _shares(operations, results)
        try:
            together.try_strange_values(share)
            Sockets(world, filler, results, others, robustness).run()
            if fuzz_seconds:
                Fuzzing(world, filler, results, intrusion, robustness).run(fuzz_seconds)
        finally:
            living.result()
            results.findings += alone.others.findings
            results.probes += alone.others.probes
            if alone.is_lived:
                compare_worlds(alone.results, results, world)
            for operation, answered in alone.strange:
                robustness.judge(operation, answered)
    together.try_strange_values([each for each in rest if each.route not in alone.tried])
    together.sign_out(operations)


def _shares(
    operations: tuple[Operation, ...], results: Results
) -> tuple[list[Operation], list[Operation]]:
    """Return which operations are tried with strange values in which world."""
    takers = [
        each
        for each in operations
        if each.route in results.exercised and (each.parameters or each.body is not None)
    ]
    return takers[::2], takers[1::2]


class _Alone:
    """The world in which the owner is alone, on a fresh database.

    Attributes:
        results: What the owner is answered.
        others: What else is found meanwhile.
        is_lived: Whether the owner went through the script, so that there is something to compare.
        tried: Routes that were tried with strange values.
        strange: What came of that.
    """

    def __init__(self, together: World, leader: Leader, results: Results) -> None:
        self.results = Results(handlers=results.handlers)
        self.others = Results(handlers=results.handlers)
        self.is_lived = False
        self.tried: set[str] = set()
        self.strange: list[tuple[Operation, list[Answered]]] = []
        self._together, self._leader, self._results_together = together, leader, results

    def live(self, operations: tuple[Operation, ...]) -> None:
        """Boot once more, and let the owner go through the script, step by step behind.

        A backend that can verify tokens in another way as well is set up for that here.
        """
        first = self._together.app
        app, findings = first.boot_again(next(iter(first.other_verifications), None))
        if app is None:
            self.others.findings += findings
            return
        with self._reporting(app):
            self._live(app, operations)
        app.process.close()

    def _live(self, app: RunningApp, operations: tuple[Operation, ...]) -> None:
        document = self._leader.filler.document
        world, _ = _enter(app, document, Tables(app.database.connection))
        world.style, world.markers = self._together.style, self._together.markers
        filler = Filler(document, world, Targets(world.tables))
        others: Interference = Nobody()
        if app.verification != self._together.app.verification:
            others = Forgers(Authentication(world, self.others))
            if not find_style(world, filler, operations, self.others):
                return
        robustness = Robustness(world, filler, self.results)
        pace = Follower(self._leader, filler)
        experiment = Experiment(world, filler, self.results, others, robustness, pace)
        experiment.run(operations)
        self.is_lived = True
        self._leader.await_end()
        self._try_strange_values(experiment, _shares(operations, self._results_together)[1])

    def _try_strange_values(self, experiment: Experiment, share: list[Operation]) -> None:
        if share:
            experiment.prepare_strange_values()
        for operation in share:
            self.tried.add(operation.route)
            self.results.current = operation
            self.strange.append((operation, experiment.robustness.send(operation)))

    @contextmanager
    def _reporting(self, app: RunningApp) -> Iterator[None]:
        """Report what ends the app, or the view of its database."""
        try:
            yield
        except GivenUpError:
            return
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
