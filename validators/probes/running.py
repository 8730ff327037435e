"""Runs all probes on a booted app: finds out who the users are, then experiments."""

import re
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field

import psycopg

from validators.probes.fuzzing import Fuzzing
from validators.probes.lives.comparison import report_differences
from validators.probes.lives.controls import Controls
from validators.probes.lives.following import Following
from validators.probes.lives.life import CROWDED, LIVED, Life, phases_of
from validators.probes.lives.script import Mark, Script
from validators.probes.operations import Document, Operation
from validators.probes.others.accounts import find_accounts, find_users_table
from validators.probes.others.authentication import Authentication
from validators.probes.others.interference import Everybody, Forgers, Interference, Nobody
from validators.probes.others.isolation import Intrusion
from validators.probes.others.signing_in import find_style
from validators.probes.others.sockets import Sockets
from validators.probes.races import Races
from validators.probes.requests.filling import Filler
from validators.probes.requests.targets import Targets
from validators.probes.results import ProbeRun, Results
from validators.probes.robustness import Robustness
from validators.probes.worlds.tables import Tables
from validators.probes.worlds.tokens import styles_for
from validators.probes.worlds.world import World
from validators.rules import probes as rules
from validators.runtime import better_auth
from validators.runtime.app import WEBSOCKET, RunningApp
from validators.runtime.environment import Verification
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
    alone = _Alone(app, document, Results(handlers=results.handlers))
    with app.database.observe() as connection, ThreadPoolExecutor(1) as aside:
        entering = aside.submit(alone.enter)
        tables = Tables(connection)
        if _is_stored_elsewhere(app, tables, results):
            return results.finish(_routes(app, document, results))
        with _reporting(app, results):
            world, used = _enter(app, document, tables)
            for operation in used:
                results.exercised.add(operation.route)
                results.note("life", operation, "passed", "The users signed up or in by it.")
            filler = Filler(document, world, Targets(tables))
            if find_style(world, filler, operations, results):
                others = tuple(each for each in operations if each not in used)
                together = _Together(world, filler, results, alone)
                together.live(others, aside, entering, fuzz_seconds)
                _check_coverage(operations, results)
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

    def __init__(self, world: World, filler: Filler, results: Results, alone: "_Alone") -> None:
        self._world, self._filler, self._results, self._alone = world, filler, results, alone
        self._robustness = Robustness(world, filler, results)
        self._intrusion = Intrusion(world, filler, results, self._robustness)
        self._others = Everybody(Authentication(world, results), self._intrusion)

    def live(
        self,
        operations: tuple[Operation, ...],
        aside: ThreadPoolExecutor,
        entering: Future[None],
        fuzz_seconds: float,
    ) -> None:
        """Let the owner go through the script, and compare with the life alone.

        Args:
            operations: What the owner does.
            aside: Runs the other world.
            entering: Its boot.
            fuzz_seconds: How long to send random requests as well.
        """
        living = aside.submit(self._alone.live, entering, self._world, operations)
        creates = phases_of(operations)[0]
        following = Following(self._world, self._filler, self._results, self._others, creates)
        following.first = len(self._world.history)
        items = self._alone.script.read()
        try:
            with _reporting(self._world.app, self._results):
                following.run(items, LIVED)
                self._try_otherwise(fuzz_seconds)
                following.run(items, "")
        except (KeyboardInterrupt, SystemExit):
            self._alone.give_up()
            raise
        finally:
            living.result()
            self._results.add(self._alone.results)
        if self._alone.world is not None:
            self._compare(self._alone.world, following)

    def _try_otherwise(self, fuzz_seconds: float) -> None:
        """Connect to the WebSockets, and send random requests for so long."""
        world, filler, results = self._world, self._filler, self._results
        Sockets(world, filler, results, self._others, self._robustness).run()
        if fuzz_seconds:
            known = Results(handlers=results.handlers, exercised=set(self._alone.results.exercised))
            fuzzing = Fuzzing(world, filler, known, self._intrusion, self._robustness)
            fuzzing.run(fuzz_seconds)
            results.add(known)

    def _compare(self, alone: World, following: Following) -> None:
        controls = Controls(self._enter_again, following)
        acts = self._alone.script.acts
        report_differences(acts, alone, following, controls, self._results)

    def _enter_again(self) -> World | None:
        """Boot the app once more on a fresh database, for a control."""
        app, _ = self._world.app.boot_again(self._world.app.verification)
        if app is None:
            return None
        world, _ = _enter(app, self._filler.document, Tables(app.database.connection))
        world.markers, world.style = self._world.markers, self._world.style
        return world


@dataclass
class _Alone:
    """The world in which the owner is alone, on a fresh database: here the script is written.

    Attributes:
        first: The app of the other world.
        document: What its routes are.
        results: What is shown here.
        script: What the owner does.
        world: This world, once the app has booted.
    """

    first: RunningApp
    document: Document
    results: Results
    script: Script = field(default_factory=Script)
    world: World | None = None
    _app: RunningApp | None = None

    def enter(self) -> None:
        """Boot once more, and get to know the users.

        A backend that can verify tokens in another way as well is set up for that here.
        """
        wanted = next(iter(self.first.other_verifications), None)
        if not self._boot(wanted) and self._app is not None and wanted is not None:
            # What is wrong with that set-up is reported; the rest is shown in the other one.
            self._app.process.leave()
            self._boot(self.first.verification)

    def _boot(self, wanted: Verification | None) -> bool:
        self._app, findings = self.first.boot_again(wanted)
        self.results.findings += findings
        if self._app is not None:
            with _reporting(self._app, self.results):
                self.world = self._get_to_know(self._app)
        return self.world is not None

    def _get_to_know(self, app: RunningApp) -> World | None:
        world, used = _enter(app, self.document, Tables(app.database.connection))
        if app.verification == self.first.verification:
            return world
        filler = Filler(self.document, world, Targets(world.tables))
        operations = [each for each in self.document.operations if each not in used]
        return world if find_style(world, filler, operations, self.results) else None

    def live(
        self, entering: Future[None], together: World, operations: tuple[Operation, ...]
    ) -> None:
        """Let the owner live, and write down what happens in every world."""
        try:
            entering.result()
            if self._app is None or self.world is None:
                return
            with _reporting(self._app, self.results):
                self._live(self.world, together, operations)
            self._app.process.leave()
        finally:
            self.script.close()

    def give_up(self) -> None:
        """End the app, so that nobody waits for its answers."""
        if self._app is not None:
            self._app.process.guarded.let_go()

    def _live(self, world: World, together: World, operations: tuple[Operation, ...]) -> None:
        world.markers = together.markers
        others: Interference = Nobody()
        if world.app.verification == together.app.verification:
            world.style = together.style
        else:
            others = Forgers(Authentication(world, self.results))
        filler = Filler(self.document, world, Targets(world.tables))
        robustness = Robustness(world, filler, self.results)
        life = Life(world, filler, self.results, robustness, self.script, others)
        life.run(operations)
        self.script.add(Mark(CROWDED))
        life.make_ready()
        self.script.add(Mark(LIVED))
        for operation in operations:
            takes_values = bool(operation.parameters) or operation.body is not None
            is_shown = operation.route in self.results.answered and not operation.is_last
            if takes_values and is_shown:
                robustness.judge(operation, robustness.send(operation))
        Races(world, filler, self.results, life.creating).run(operations)
        life.end(operations)


@contextmanager
def _reporting(app: RunningApp, results: Results) -> Iterator[None]:
    """Report what ends the app, or the view of its database."""
    try:
        yield
    except BackendEndedError as error:
        _report_end(app, results, error.ended)
    except psycopg.Error as error:
        _report_database(results, error)


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
