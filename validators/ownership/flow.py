"""Statements: how each kind of statement changes the state, along all paths."""

import ast
import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from validators.ownership.assignment import Assignment
from validators.ownership.expressions import MOST_UNROLLED
from validators.ownership.facts import Configured
from validators.ownership.machine import UnreachableError
from validators.ownership.recorder import Frame, Place
from validators.ownership.state import State, gathered, join
from validators.ownership.values import (
    NONE,
    Choice,
    ClassValue,
    Const,
    Given,
    Instance,
    Items,
    Library,
    Made,
    Mapping,
    Row,
    Unknown,
    Value,
)
from validators.ownership.walk import contents

if TYPE_CHECKING:
    from validators.ownership.program import Scope

# A loop is interpreted at most this often before its changing names count as unknown.
MOST_ROUNDS = 4

Runner = Callable[[ast.stmt, State, Frame], State | None]
_SECRET = re.compile(r"SECRET|PASSWORD|TOKEN|API_?KEY|PRIVATE|DATABASE_URL", re.IGNORECASE)
_DEVELOPMENT = re.compile(
    r"dev|debug|test|local|env|mode|demo|mock|skip|bypass|disable|auth", re.IGNORECASE
)
_NAMES = frozenset({"id", "user_id", "sub", "email", "uid", "userId", "username"})
_CLIENT_ERRORS = ("ImportError", "ModuleNotFoundError")


class Flow(Assignment):
    """Runs statements."""

    def run_block(
        self, body: Sequence[ast.stmt], state: State | None, frame: Frame
    ) -> State | None:
        """Run statements in order; return the state after them, or None where they never end."""
        for node in body:
            if state is None:
                return None
            state = self.run(node, state, frame)
        return state

    def run(self, node: ast.stmt, state: State, frame: Frame) -> State | None:
        """Run one statement."""
        self.step()
        if frame.tries:
            frame.tries[-1].append(state.copy())
        runner: Runner | None = getattr(self, f"_run_{type(node).__name__.lower()}", None)
        if runner is None:
            return state
        try:
            return runner(node, state, frame)
        except UnreachableError:
            return None

    # Simple statements.

    def _run_expr(self, node: ast.Expr, state: State, frame: Frame) -> State | None:
        if not isinstance(node.value, ast.Constant):
            self.evaluate(node.value, state, frame)
        return state

    def _run_assign(self, node: ast.Assign, state: State, frame: Frame) -> State | None:
        value = self.evaluate(node.value, state, frame)
        for target in node.targets:
            self.assign(target, value, state, frame)
        return state

    def _run_annassign(self, node: ast.AnnAssign, state: State, frame: Frame) -> State | None:
        if node.value is not None:
            value = self.evaluate(node.value, state, frame)
            self.assign(node.target, value, state, frame)
        return state

    def _run_augassign(self, node: ast.AugAssign, state: State, frame: Frame) -> State | None:
        load = ast.copy_location(ast.BinOp(node.target, node.op, node.value), node)
        value = self.evaluate(load, state, frame)
        self.assign(node.target, value, state, frame)
        return state

    def _run_return(self, node: ast.Return, state: State, frame: Frame) -> State | None:
        value = self.evaluate(node.value, state, frame) if node.value else NONE
        if self.is_bypass(value, state):
            # Judged by itself: where the setting is off, the verified path is all there is.
            frame.entry.bypasses[Place.of(frame.path, node)] = None
            return None
        frame.returns.append((value, state))
        if frame.entry.role == "handler" and shows_environment(value):
            text = "The route returns the environment, or a secret from it."
            self.problem(frame, node, "BP312", text)
        if frame.entry.role == "dependency" and self.is_stand_in(value, state):
            frame.entry.stand_ins[Place.of(frame.path, node)] = None
        return None

    def is_bypass(self, value: Value, state: State) -> bool:
        """Tell whether a setting for development lets a stand-in for the user through."""
        is_guarded = any(
            isinstance(fact, Configured) and _DEVELOPMENT.search(fact.name) for fact in state.facts
        )
        return (
            is_guarded and self.depending > 0 and value != NONE and self.is_stand_in(value, state)
        )

    def is_stand_in(self, value: Value, state: State) -> bool:
        """Tell whether a dependency returns something in place of the signed-in user."""
        if isinstance(value, Choice):
            return any(
                self.is_stand_in(one, State(state.env, state.facts | facts, state.store))
                for one, facts in value.members
                if one != NONE
            )
        if isinstance(value, Const):
            return value.value is None or isinstance(value.value, str | int)
        if isinstance(value, Mapping | Instance):
            pairs = value.known if isinstance(value, Mapping) else value.fields
            named = [held for key, held in pairs if key in _NAMES]
            return bool(named) and all(isinstance(held, Const) for held in named)
        if isinstance(value, Row):
            model = self.prover.rows[value.symbol]
            if not model.is_user or self.prover.owned(value.symbol, state.facts) is not None:
                return False
            return not isinstance(self.prover.looked_up_by(value.symbol, state.facts), Given)
        return False

    def _run_raise(self, node: ast.Raise, state: State, frame: Frame) -> State | None:
        if node.exc is not None:
            self.evaluate(node.exc, state, frame)
        return None

    def _run_assert(self, node: ast.Assert, state: State, frame: Frame) -> State | None:
        # Assertions vanish under `python -O`: what they say is not relied upon.
        self.evaluate(node.test, state.copy(), frame)
        return state

    def _run_delete(self, node: ast.Delete, state: State, frame: Frame) -> State | None:
        for target in node.targets:
            match target:
                case ast.Name(id=name):
                    state.env.pop(name, None)
                case ast.Subscript(value=base, slice=ast.Constant(value=key)):
                    held = self.evaluate(base, state, frame)
                    if isinstance(held, Mapping):
                        kept = tuple(pair for pair in held.known if pair[0] != key)
                        self.rebind(base, Mapping(kept, held.rest), state)
                case _:
                    continue
        return state

    def _run_break(self, node: ast.Break, state: State, frame: Frame) -> State | None:
        del node
        if frame.loops:
            frame.loops[-1][0].append(state)
        return None

    def _run_continue(self, node: ast.Continue, state: State, frame: Frame) -> State | None:
        del node
        if frame.loops:
            frame.loops[-1][1].append(state)
        return None

    # Definitions and imports.

    def _run_global(self, node: ast.Global, state: State, frame: Frame) -> State | None:
        frame.global_names |= set(node.names)
        return state

    def _run_functiondef(
        self, node: ast.FunctionDef | ast.AsyncFunctionDef, state: State, frame: Frame
    ) -> State | None:
        function: Value = self.closure(node, state, frame)
        for decorator in reversed(node.decorator_list):
            function = self.decorated(decorator, function, state, frame)
        state.env[node.name] = function
        return state

    _run_asyncfunctiondef = _run_functiondef

    def decorated(self, decorator: ast.expr, function: Value, state: State, frame: Frame) -> Value:
        """Return what a decorator makes of a function."""
        raise NotImplementedError

    def _run_classdef(self, node: ast.ClassDef, state: State, frame: Frame) -> State | None:
        state.env[node.name] = ClassValue(node, self.scope(frame))
        return state

    def scope(self, frame: Frame) -> "Scope":
        """Return the scope of definitions in a frame."""
        raise NotImplementedError

    def _run_import(self, node: ast.Import, state: State, frame: Frame) -> State | None:
        for alias in node.names:
            name = alias.asname or alias.name.partition(".")[0]
            dotted = alias.name if alias.asname else name
            state.env[name] = self.imported_module(frame.path, dotted)
        return state

    def imported_module(self, path: str, dotted: str) -> Value:
        """Return the module that an import statement names."""
        raise NotImplementedError

    def _run_importfrom(self, node: ast.ImportFrom, state: State, frame: Frame) -> State | None:
        for alias in node.names:
            if alias.name == "*":
                self.import_all(frame.path, node, state)
            else:
                name = alias.asname or alias.name
                state.env[name] = self.imported_name(frame.path, node, alias.name)
        return state

    def import_all(self, path: str, node: ast.ImportFrom, state: State) -> None:
        """Bring in all names of a module."""
        raise NotImplementedError

    def imported_name(self, path: str, node: ast.ImportFrom, name: str) -> Value:
        """Return what `from … import name` brings."""
        raise NotImplementedError

    # Branches.

    def _run_if(self, node: ast.If, state: State, frame: Frame) -> State | None:
        on_true, on_false = self.branch(node.test, state, frame)
        return join(
            [
                self.run_block(node.body, on_true, frame),
                self.run_block(node.orelse, on_false, frame),
            ]
        )

    def _run_match(self, node: ast.Match, state: State, frame: Frame) -> State | None:
        subject = self.evaluate(node.subject, state, frame)
        ends: list[State | None] = []
        is_open = True
        for case in node.cases:
            inner: State | None = state.copy()
            assert inner is not None  # noqa: S101  # mypy needs the wider type below
            is_open &= not self._bind_pattern(case.pattern, subject, inner, frame)
            if case.guard is not None:
                inner, _ = self.branch(case.guard, inner, frame)
                is_open = True
            ends.append(self.run_block(case.body, inner, frame))
        if is_open:
            ends.append(state)
        return join(ends)

    def _bind_pattern(
        self, pattern: ast.pattern, subject: Value, state: State, frame: Frame
    ) -> bool:
        """Bind a pattern's names; tell whether it always matches."""
        match pattern:
            case ast.MatchAs(pattern=inner, name=name):
                if inner is not None:
                    self._bind_pattern(inner, subject, state, frame)
                if name is not None:
                    state.env[name] = subject
                return inner is None
            case ast.MatchOr(patterns=parts):
                return any(self._bind_pattern(part, subject, state, frame) for part in parts)
            case _:
                for inner_node in ast.walk(pattern):
                    if isinstance(inner_node, ast.MatchAs | ast.MatchStar) and inner_node.name:
                        value = self.derived("a part of a matched value", [subject], state)
                        state.env[inner_node.name] = value
                return False

    # Loops.

    def _run_for(self, node: ast.For | ast.AsyncFor, state: State, frame: Frame) -> State | None:
        source = self.evaluate(node.iter, state, frame)
        items = source.items if isinstance(source, Items) else None
        if isinstance(source, Mapping) and source.rest is None:
            items = tuple(Const(key) for key, _ in source.known)
        if items is not None and len(items) <= MOST_UNROLLED:
            return self._unrolled(node, items, state, frame)

        def enter(inner: State) -> State | None:
            value = self.element(source, node.iter, inner, frame)
            if isinstance(value, Given):
                inner.renew(value, Given(value.source, f"{value.name}'"))
            self.assign(node.target, value, inner, frame)
            return inner

        return self._loop(enter, node.body, node.orelse, state, frame)

    _run_asyncfor = _run_for

    def _unrolled(
        self, node: ast.For | ast.AsyncFor, items: tuple[Value, ...], state: State, frame: Frame
    ) -> State | None:
        current: State | None = state
        breaks: list[State] = []
        before = self.unrolled
        for number, item in enumerate(items):
            if current is None:
                break
            self.unrolled = (*before, number)
            self.assign(node.target, item, current, frame)
            frame.loops.append((breaks, []))
            current = self.run_block(node.body, current, frame)
            _, continues = frame.loops.pop()
            current = join([current, *continues])
        self.unrolled = before
        current = self.run_block(node.orelse, current, frame)
        return join([current, *breaks])

    def _run_while(self, node: ast.While, state: State, frame: Frame) -> State | None:
        ends: list[State | None] = []

        def enter(inner: State) -> State | None:
            on_true, on_false = self.branch(node.test, inner, frame)
            ends.append(on_false)
            return on_true

        after = self._loop(enter, node.body, node.orelse, state, frame, is_while=True)
        last = ends[-1] if ends else None
        return join([after, self.run_block(node.orelse, last, frame)])

    def _loop(
        self,
        enter: Callable[[State], State | None],
        body: list[ast.stmt],
        orelse: list[ast.stmt],
        state: State,
        frame: Frame,
        *,
        is_while: bool = False,
    ) -> State | None:
        head = state
        breaks: list[State] = []
        for round_number in range(MOST_ROUNDS + 1):
            breaks.clear()
            frame.loops.append((breaks, []))
            try:
                inner = enter(head.copy())
            except UnreachableError:
                inner = None
            end = self.run_block(body, inner, frame)
            _, continues = frame.loops.pop()
            after = join([head.copy(), end, *continues])
            assert after is not None  # noqa: S101  # the head itself always arrives
            after.env = {name: gathered(value) for name, value in after.env.items()}
            if _is_equal(after, head):
                break
            head = after if round_number < MOST_ROUNDS - 1 else self._widened(head, after)
        if is_while:
            return join(breaks)
        return join([self.run_block(orelse, head, frame), *breaks])

    def _widened(self, before: State, after: State) -> State:
        """Return the state in which every name that still changes is unknown."""
        state = State({}, after.facts & before.facts, dict(after.store))
        for name, value in after.env.items():
            is_stable = before.env.get(name) == value
            reason = "a loop changes it each time"
            state.env[name] = value if is_stable else self.derived(reason, [value], state)
        return state

    # Exceptions and context managers.

    def _run_try(self, node: ast.Try, state: State, frame: Frame) -> State | None:
        collected: list[State] = [state.copy()]
        frame.tries.append(collected)
        end = self.run_block(node.body, state, frame)
        frame.tries.pop()
        if frame.tries:
            frame.tries[-1].extend(collected)
        ends = [self.run_block(node.orelse, end, frame)]
        entry = join([one.copy() for one in collected])
        for handler in node.handlers:
            if entry is None:
                continue
            inner = entry.copy()
            if end is not None and _is_import_guard(node, handler):
                self._import_instead(handler, end, inner, frame)
                continue
            if handler.name:
                inner.env[handler.name] = Unknown("an exception")
            ends.append(self.run_block(handler.body, inner, frame))
        after = join(ends)
        if not node.finalbody:
            return after
        if any(
            isinstance(inner, ast.Return) for part in node.finalbody for inner in ast.walk(part)
        ):
            # A return there swallows every exception: whatever happened before may have.
            after = join([*(one.copy() for one in collected), *ends])
        if after is None:
            self.run_block(node.finalbody, entry, frame)
            return None
        return self.run_block(node.finalbody, after, frame)

    _run_trystar = _run_try

    def _import_instead(
        self, handler: ast.ExceptHandler, end: State, state: State, frame: Frame
    ) -> None:
        """Take from the stand-in for a failed import what only it finds in the project."""
        after = self.run_block(handler.body, state, frame)
        if after is None:
            return
        for name, value in after.env.items():
            missing = end.env.get(name)
            is_better = not isinstance(value, Const | Library | Unknown)
            if missing is None or (isinstance(missing, Library | Unknown) and is_better):
                end.env[name] = value

    def _run_with(self, node: ast.With | ast.AsyncWith, state: State, frame: Frame) -> State | None:
        is_suppressing = False
        before = state.copy()
        for item in node.items:
            value = self.evaluate(item.context_expr, state, frame)
            is_suppressing |= isinstance(item.context_expr, ast.Call) and ast.unparse(
                item.context_expr.func
            ).endswith("suppress")
            if item.optional_vars is not None:
                entered = self.entered(value, item.context_expr, state, frame)
                self.assign(item.optional_vars, entered, state, frame)
        if not is_suppressing:
            return self.run_block(node.body, state, frame)
        collected: list[State] = [before]
        frame.tries.append(collected)
        end = self.run_block(node.body, state, frame)
        frame.tries.pop()
        return join([end, *collected])

    _run_asyncwith = _run_with

    def entered(self, value: Value, node: ast.expr, state: State, frame: Frame) -> Value:
        """Return what `with … as` binds."""
        raise NotImplementedError


def shows_environment(value: Value) -> bool:
    """Tell whether a value holds the environment, or a setting that is named like a secret."""
    if isinstance(value, Library):
        return value.name == "os.environ"
    if isinstance(value, Made) and value.kind == "setting":
        name = value.get("name")
        return isinstance(name, Const) and bool(_SECRET.search(str(name.value)))
    return any(shows_environment(held) for held in contents(value))


def _is_equal(one: State, other: State) -> bool:
    return one.facts == other.facts and one.env == other.env and one.store == other.store


def _is_import_guard(node: ast.Try, handler: ast.ExceptHandler) -> bool:
    """Tell whether a handler only stands in for a failed import."""
    if not any(isinstance(part, ast.Import | ast.ImportFrom) for part in node.body):
        return False
    kind = handler.type
    kinds = kind.elts if isinstance(kind, ast.Tuple) else [kind]
    return all(isinstance(one, ast.Name) and one.id in _CLIENT_ERRORS for one in kinds)
