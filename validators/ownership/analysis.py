"""The whole analysis in order: schema, modules, routes, what no route reaches, verdicts."""

from contextlib import suppress
from dataclasses import replace

from validators.location import AppLocation
from validators.ownership.calls import clear_caches
from validators.ownership.findings import Analysis, report
from validators.ownership.interpreter import Interpreter
from validators.ownership.machine import Call, ProofOptions, TooLargeError, UnreachableError
from validators.ownership.program import Program
from validators.ownership.recorder import Entry, Frame, Place
from validators.ownership.routes import Route, Runner, find_routes
from validators.ownership.schema import read_schema
from validators.ownership.state import State
from validators.ownership.unreached import run_unreached
from validators.ownership.unseen import note_unseen
from validators.ownership.values import Function, Unknown, Value
from validators.ownership.verdicts import Judge
from validators.source import Project

# What requests leave in module variables is looked at anew at most this often.
MOST_PASSES = 4

Roots = list[tuple[Entry, Route | None]]


def analyse(
    project: Project, location: AppLocation | None, options: ProofOptions
) -> tuple[Analysis, int]:
    """Analyse a project, look for the corrected lines of what is found, and count the steps."""
    interpreter, found, is_complete = _analyse(project, location, options)
    is_wrong = any(finding.severity == "error" for finding in found.findings)
    if options.is_correcting and is_complete and is_wrong:
        # Imported here because a backend without findings needs no corrections.
        from validators.ownership.corrections import corrected  # noqa: PLC0415

        findings = corrected(
            interpreter, found, lambda other: _analyse(other, location, options)[1]
        )
        found = replace(found, findings=findings)
    clear_caches()
    return found, interpreter.steps


def _analyse(
    project: Project, location: AppLocation | None, options: ProofOptions
) -> tuple[Interpreter, Analysis, bool]:
    """Return the interpreter, what it found, and whether its bounds sufficed."""
    program = Program(project)
    schema = read_schema(program, options.owner_columns, options.public_models)
    interpreter = Interpreter(program, schema, options)
    roots: Roots = []
    is_complete = _run_everything(interpreter, location, roots)
    judge = Judge(interpreter)
    judge.note_writes(interpreter.entries)
    for root, route in roots:
        judge.judge(root, route)
    return interpreter, report(interpreter, judge, roots, is_complete=is_complete), is_complete


def _run_everything(interpreter: Interpreter, location: AppLocation | None, roots: Roots) -> bool:
    """Interpret modules, routes and the rest; tell whether the bounds sufficed."""
    try:
        for path in interpreter.program.modules:
            interpreter.module_state(path)
        if location is not None and location.is_factory:
            _call_factory(interpreter, location)
        _run_routes(interpreter, roots)
        if any(model.is_owned for model in interpreter.schema.models.values()):
            roots += [(entry, None) for entry in run_unreached(interpreter)]
            roots += [(entry, None) for entry in note_unseen(interpreter)]
        roots += [(entry, None) for entry in interpreter.module_entries]
    except (TooLargeError, RecursionError):
        return False
    return True


def _run_routes(interpreter: Interpreter, roots: Roots) -> None:
    # What it leaves in module variables is there when the first request comes.
    for function in interpreter.startups:
        _call(interpreter, function)
    interpreter.is_serving = True
    for _ in range(MOST_PASSES):
        roots.clear()
        interpreter.forget()
        runner = Runner(interpreter)
        for route in find_routes(interpreter):
            roots.append((runner.run(route), route))  # kept when cut short
        if not interpreter.is_stale:
            return


def _call_factory(interpreter: Interpreter, location: AppLocation) -> None:
    factory = interpreter.module_name(location.path, location.attribute)
    if factory is not None:
        _call(interpreter, factory)


def _call(interpreter: Interpreter, function: Value) -> None:
    """Call a function as the framework does, outside any request."""
    if not isinstance(function, Function):
        return
    path = function.scope.path
    entry = Entry(len(interpreter.entries), function.name, Place.of(path, function.node))
    interpreter.entries.append(entry)
    state, frame = State({}), Frame(entry, path)
    with suppress(UnreachableError):
        given = Call(interpreter.dummy(), state, frame, [Unknown("the app")])
        interpreter.outcome(function, interpreter.bound_arguments(function, given), state, frame)
