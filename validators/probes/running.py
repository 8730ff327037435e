"""Runs all probes on a booted app: finds out who the users are, then experiments."""

import psycopg

from validators.probes.accounts import find_accounts, find_users_table
from validators.probes.authentication import Authentication
from validators.probes.comparison import compare_worlds
from validators.probes.experiment import Experiment
from validators.probes.filling import Filler
from validators.probes.interference import Everybody, Forgers, Interference, Nobody
from validators.probes.isolation import Intrusion
from validators.probes.operations import Document, Operation
from validators.probes.results import ProbeRun, Results
from validators.probes.robustness import Robustness
from validators.probes.signing_in import find_style
from validators.probes.tables import Tables
from validators.probes.targets import Targets
from validators.probes.tokens import styles_for
from validators.probes.world import World
from validators.rules import probes as rules
from validators.runtime.app import RunningApp
from validators.runtime.faults import read_frames
from validators.runtime.process import BackendEndedError, Ended


def run(app: RunningApp) -> ProbeRun:
    """Run every probe on a booted app.

    Args:
        app: The app; it is used up afterwards.

    Returns:
        Findings, outcomes and routes.
    """
    document = Document(app.openapi)
    operations = document.operations
    results = Results()
    with app.database.observe() as connection:
        tables = Tables(connection)
        try:
            world, used = _enter(app, document, tables)
        except BackendEndedError as error:
            _report_end(app, results, error.ended)
            return results.finish(tuple(operation.route for operation in operations))
        filler = Filler(document, world, Targets(tables))
        try:
            for operation in used:
                results.exercised.add(operation.route)
                results.note("life", operation, "passed", "The users signed up or in by it.")
            if find_style(world, filler, operations, results):
                others = tuple(each for each in operations if each not in used)
                _experiment(world, filler, others, results)
                _check_coverage(operations, results)
        except BackendEndedError as error:
            _report_end(app, results, error.ended)
        except psycopg.Error as error:
            _report_database(results, error)
    return results.finish(tuple(operation.route for operation in operations))


def _enter(
    app: RunningApp, document: Document, tables: Tables
) -> tuple[World, tuple[Operation, ...]]:
    """Return the world of a freshly booted app, and the operations by which its users came in."""
    tables.users_table = find_users_table(tables)
    accounts = find_accounts(app, document, tables)
    world = World(app, tables, accounts.users, styles_for(app)[0], tokens=accounts.tokens)
    return world, accounts.used


def _experiment(
    world: World, filler: Filler, operations: tuple[Operation, ...], results: Results
) -> None:
    """Let the owner live among the others, and again alone, and compare."""
    robustness = Robustness(world, filler, results)
    intrusion = Intrusion(world, filler, results, robustness)
    others = Everybody(Authentication(world, results), intrusion)
    together = Experiment(world, filler, results, others, robustness)
    together.run(operations)
    alone = _live_alone(world, filler, operations, results)
    if alone is not None:
        compare_worlds(alone, results, world)
    together.try_strange_values(operations)


def _live_alone(
    world: World, filler: Filler, operations: tuple[Operation, ...], results: Results
) -> Results | None:
    """Return what the owner is answered on a fresh database without anybody else.

    A backend that can verify tokens in another way as well is set up for that here.
    """
    app, findings = world.app.boot_again(next(iter(world.app.other_verifications), None))
    if app is None:
        results.findings += findings
        return None
    with app.database.observe() as connection:
        empty, _ = _enter(app, filler.document, Tables(connection))
        empty.style, empty.markers = world.style, world.markers
        own = Filler(filler.document, empty, Targets(empty.tables), filler.overrides)
        alone = Results(handlers=results.handlers)
        try:
            others: Interference = Nobody()
            if app.verification != world.app.verification:
                others = Forgers(Authentication(empty, results))
                if not find_style(empty, own, operations, results):
                    return None
            robustness = Robustness(empty, own, alone)
            Experiment(empty, own, alone, others, robustness).run(operations)
        except BackendEndedError as error:
            _report_end(app, results, error.ended)
            return None
        except psycopg.Error as error:
            _report_database(results, error)
            return None
        finally:
            app.process.close()
    return alone


def _report_end(app: RunningApp, results: Results, ended: Ended) -> None:
    sentences = {
        "time": "does not answer and blocks all other requests",
        "memory": "uses more memory than it may",
        "processes": "starts more processes than it may",
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
