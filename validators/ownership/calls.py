"""Calls into the project's own functions, interpreted once for the same abstract arguments."""

import ast
from abc import abstractmethod
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Literal, TypeGuard

from validators.ownership import definitions, walk
from validators.ownership.arguments import Arguments
from validators.ownership.conditions import pure_value
from validators.ownership.definitions import (
    FunctionNode,
    free_names,
    is_deferred,
    loop_names,
    nonlocal_names,
    rebound_names,
)
from validators.ownership.facts import (
    NO_FACTS,
    Facts,
    common_facts,
    relevant,
    rows_of,
    subjects,
    without_repetition,
)
from validators.ownership.lasting import lasting, shared
from validators.ownership.machine import Call, UnreachableError, row_of
from validators.ownership.program import Program, Resolved, Scope, dotted_name, is_tool_decorator
from validators.ownership.recorder import Entry, Frame, Outcome, Place
from validators.ownership.state import State, choice, join, one_of
from validators.ownership.values import (
    NONE,
    Choice,
    ClassValue,
    Const,
    Function,
    Given,
    Instance,
    Items,
    Library,
    Made,
    ModuleValue,
    Unknown,
    Value,
    members,
)
from validators.ownership.walk import names_in

# Calls nested deeper than this are not followed.
DEEPEST = 90
# A function that has called itself so often is interpreted once more for all further calls.
DEEPEST_RECURSION = 2
# Calls that differ in nothing but texts and numbers are told apart so often.
MOST_CONSTANTS = 32

# What calls a coroutine beside its caller, unless it is awaited.
_DETACHING = frozenset({"create_task", "ensure_future", "run_coroutine_threadsafe"})
# Where a call stands whose coroutine nobody awaits.
_UNAWAITED = (ast.Expr, ast.If, ast.While, ast.IfExp, ast.UnaryOp, ast.BoolOp, ast.Compare)


class Calls(Arguments):
    """Follows calls and imports through the project."""

    program: Program

    def prepare(self) -> None:
        """Set up what calls need."""
        self.environments: dict[str, State] = {}
        self.memo: dict[object, Entry] = {}
        self.depth = 0
        # For each function the calls of it that are running, outermost first.
        self.active: defaultdict[ast.AST, list[tuple[dict[str, Value], Entry]]] = defaultdict(list)
        self.module_entries: list[Entry] = []
        self.is_serving = False
        # Whether modules are loaded of which nothing is known, so that anything may be called.
        self.is_loading_unknown = False
        # Whether a value is called of which nothing is known, and the names of such methods.
        self.is_calling_unknown = False
        self.unknown_methods: set[str] = set()
        # What was assigned to attributes of classes.
        self.class_fields: dict[tuple[ast.ClassDef, str], Value] = {}
        self.patched: set[str] = set()
        # For each call with its constants left out, the constants that it was made with.
        self.constants: defaultdict[object, set[tuple[Value, ...]]] = defaultdict(set)
        self.visited: set[ast.AST] = set()
        # Functions that are defined inside functions, as they were last seen.
        self.inner: dict[FunctionNode, Function] = {}

    def forget(self) -> None:
        """Forget earlier interpretations, because module variables have changed since."""
        self.is_stale = False
        self.memo.clear()
        self.constants.clear()
        self.entries.clear()
        self.visited.clear()

    # Modules.

    def module_state(self, path: str) -> State:
        """Return a module's names, running its top level first where that was not done yet."""
        state = self.environments.get(path)
        if state is None:
            state = self.environments[path] = State({})
            tree = self.program.project.modules[path].tree
            entry = self._entry("the module's top level", Place(path, 1, 1))
            self.module_entries.append(entry)
            frame = Frame(entry, path)
            for node in tree.body if tree else []:
                after = self.run(node, state, frame)
                if after is None:
                    continue
                # The state's identity is kept: functions look names up in it while it grows.
                state.env, state.facts = after.env, NO_FACTS
        return state

    def module_name(self, path: str, name: str) -> Value | None:
        """Return the value of a module's top-level name, or None."""
        found = self.module_state(path).env.get(name)
        if path in self.patched and isinstance(found, Function):
            return Unknown(f"{name} can be replaced when the backend starts")
        if found is not None:
            return found
        return self._resolved_value(self.program.find(path, name))

    def _resolved_value(self, found: Resolved) -> Value | None:
        if found.module is not None:
            return ModuleValue(found.module)
        if found.library is not None:
            return Library(found.library)
        if found.scope is None:
            return None
        match found.node:
            case ast.ClassDef():
                return ClassValue(found.node, found.scope)
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                return Function(found.node, found.scope)
            case _:
                return None

    def imported_module(self, path: str, dotted: str) -> Value:
        """Return the module that an import statement names."""
        target = self.program.imported(path, dotted, 0)
        return ModuleValue(target) if target else Library(dotted)

    def imported_name(self, path: str, node: ast.ImportFrom, name: str) -> Value:
        """Return what `from … import name` brings."""
        base = node.module or ""
        target = self.program.imported(path, base, node.level) if base or node.level else None
        if target is not None and target != path:
            value = self.module_name(target, name)
            if value is not None:
                return value
        found = self._resolved_value(self.program.import_from(path, node, name, frozenset()))
        if found is not None:
            return found
        return Unknown(f"{base}.{name} is not defined" if target else f"{name} is not found")

    def import_all(self, path: str, node: ast.ImportFrom, state: State) -> None:
        """Bring in all names of a module."""
        target = self.program.imported(path, node.module or "", node.level)
        if target is not None and target != path:
            state.env |= self.module_state(target).env

    # Functions.

    def scope(self, frame: Frame) -> Scope:
        """Return the scope of definitions in a frame."""
        return Scope(frame.path, frame.owner)

    def closure(self, node: FunctionNode, state: State, frame: Frame) -> Function:
        """Return a function value that sees the names around it."""
        scope = Scope(frame.path, frame.owner)
        module = self.environments.get(frame.path)
        if module is not None and state.env is module.env:
            return Function(node, scope)
        names = free_names(node)
        held = tuple((name, value) for name, value in state.env.items() if name in names)
        self.inner[node] = Function(node, scope, held)
        return self.inner[node]

    def decorated(self, decorator: ast.expr, function: Value, state: State, frame: Frame) -> Value:
        """Return what a decorator makes of a function."""
        value = self.evaluate(decorator, state, frame)
        call = Call(decorator, state, frame, [function])
        if isinstance(value, Library | Unknown):
            if is_tool_decorator(decorator) and isinstance(function, Function):
                self.hand_on(function, call)
            return function
        result = self.call(value, call)
        is_known = isinstance(result, (Function | ClassValue, Choice))
        return result if is_known else function

    @abstractmethod
    def hand_on(self, function: Function, call: Call) -> None:
        """Run a function as somebody would to whom it is handed."""

    def call_function(self, function: Function, call: Call) -> Value:
        """Return what a project's function gives back for these arguments."""
        if self._is_detached(function, call):
            return self._call_detached(function, call)
        bound = self.bound_arguments(function, call)
        env = {name: self.as_given(value, call.state) for name, value in bound.items()}
        self.rebind_around(function, call.state)
        outcome = self.outcome(function, env, call.state, call.frame, node=call.node)
        if call.frame.entry.role == "dependency":
            self._note_unverified(outcome.value, call)
        self._write_back_parameters(function, outcome, call)
        if outcome.value is None:
            raise UnreachableError
        return outcome.value

    def _is_detached(self, function: Function, call: Call) -> bool:
        """Tell whether the caller goes on whatever becomes of a call.

        A coroutine or generator that nobody awaits or iterates does not even run; a task beside
        the caller does, and so does one whose exceptions are only collected.
        """
        if not is_deferred(function.node):
            return False
        above = self._above(call)
        parent, around = next(above, None), next(above, None)
        if isinstance(parent, ast.Call) and parent.func is not call.node:
            name = (dotted_name(parent.func) or "").rpartition(".")[2]
            if name == "gather":
                return any(keyword.arg == "return_exceptions" for keyword in parent.keywords)
            return name in _DETACHING and not isinstance(around, ast.Await)
        return isinstance(parent, _UNAWAITED)

    def _above(self, call: Call) -> Iterator[ast.AST]:
        return self.program.project.modules[call.frame.path].index.ancestors(call.node)

    def _call_detached(self, function: Function, call: Call) -> Value:
        self.rebind_around(function, call.state)
        inner = replace(call, state=call.state.copy())
        env = self.bound_arguments(function, inner)
        outcome = self.outcome(function, env, inner.state, inner.frame)
        parent = next(self._above(call), None)
        if isinstance(parent, _UNAWAITED) or outcome.value is None:
            return Made("coroutine")
        return outcome.value

    def rebind_around(self, function: Function, state: State) -> None:
        """Forget the names around a function that it binds anew."""
        for name in nonlocal_names(function.node):
            if name in state.env:
                state.env[name] = Unknown(f"{name}, which an inner function binds anew")

    def _note_unverified(self, value: Value | None, call: Call) -> None:
        """Note where a dependency takes what was only parsed, and not verified, for claims."""
        if isinstance(value, Given) and value.name.endswith(".loads()"):
            self.note_given(value, call.frame, call.node)

    def outcome(
        self,
        function: Function,
        env: dict[str, Value],
        state: State,
        frame: Frame,
        *,
        role: Literal["", "dependency", "handler"] = "",
        node: ast.AST | None = None,
    ) -> Outcome:
        """Interpret a function, or take the result of an equal call, and apply its effects."""
        around = self.active[function.node]
        if len(around) >= DEEPEST_RECURSION:
            earlier, running = around[-1]
            env = {
                name: self._folded(name, value, earlier.get(name), state)
                for name, value in env.items()
            }
            if env == earlier:
                frame.entry.callees[running.index] = running
                return Outcome(self.derived("a recursive call", env.values(), state), NO_FACTS)
        facts = self._facts_about((*env.values(), *state.store.values()), state.facts)
        env = self._with_few_constants(function, env, facts)
        where = (role, self.depending > 0)
        key = (function, tuple(env.items()), facts, tuple(state.store.items()), where)
        entry = self.memo.get(key)
        if entry is None:
            if self.depth >= DEEPEST:
                return Outcome(Unknown("the calls are nested too deeply"), NO_FACTS)
            entry = self._entry(_label(function), Place.of(function.scope.path, function.node))
            self.memo[key] = entry
            entry.role = role
            entry.node, entry.arguments, entry.facts = function.node, env, facts
            entry.is_running = True
            self.depth += 1
            self.depending += role == "dependency"
            around.append((env, entry))
            try:
                entry.outcome = self._interpret(function, env, facts, state, entry)
            finally:
                self.depth -= 1
                self.depending -= role == "dependency"
                around.pop()
                entry.is_running = False
        frame.entry.callees[entry.index] = entry
        if node is not None:
            frame.entry.called_at.setdefault(entry.index, (frame.path, node))
        if entry.is_running or entry.outcome is None:
            return Outcome(self.derived("a recursive call", env.values(), state), NO_FACTS)
        self._apply(entry, facts, state, frame)
        return entry.outcome

    def _with_few_constants(
        self, function: Function, env: dict[str, Value], facts: Facts
    ) -> dict[str, Value]:
        """Return the arguments, with unknown ones for texts and numbers that change too often."""
        varying = [name for name, value in env.items() if _is_text_or_number(value)]
        if not varying:
            return env
        others = tuple((name, value) for name, value in env.items() if name not in varying)
        seen = self.constants[function, others, facts]
        given = tuple(env[name] for name in varying)
        if given in seen or len(seen) < MOST_CONSTANTS:
            seen.add(given)
            return env
        return env | {name: Unknown(f"{name}, which changes too often") for name in varying}

    def _folded(self, name: str, value: Value, earlier: Value | None, state: State) -> Value:
        """Return the argument of a recursive call as that of the call around it.

        What is the key of an owned row again, or that row, is the same for the proof; any other
        value that changes from call to call is unknown.
        """
        if earlier is None:
            return value
        if value == earlier:
            return earlier
        row, before = row_of(value), row_of(earlier)
        if row is not None and before is not None and type(value) is type(earlier):
            is_same = self.prover.rows[row] is self.prover.rows[before]
            columns = getattr(value, "column", None), getattr(earlier, "column", None)
            was_owned = self.is_owned(before, state.facts)
            is_as_safe = self.is_owned(row, state.facts) or not was_owned
            if is_same and columns[0] == columns[1] and is_as_safe:
                return earlier
        return Unknown(f"{name}, which recursion changes")

    def _apply(self, entry: Entry, facts: Facts, state: State, frame: Frame) -> None:
        outcome = entry.outcome
        assert outcome is not None  # noqa: S101  # the caller has looked
        frame.entry.created |= entry.created
        named = state.names() if entry.created else frozenset()
        for symbol in entry.created:
            if symbol in named:
                self.renew_row(symbol, state)
        state.facts = (state.facts - facts) | outcome.facts
        state.store = dict(outcome.store)

    def _entry(self, label: str, place: Place) -> Entry:
        entry = Entry(len(self.entries), label, place)
        self.entries.append(entry)
        return entry

    def _interpret(
        self, function: Function, env: dict[str, Value], facts: Facts, state: State, entry: Entry
    ) -> Outcome:
        self.visited.add(function.node)
        frame = Frame(entry, function.scope.path, function.scope.owner, function.receiver)
        before, self.running = self.running, frame
        unrolled, self.unrolled = self.unrolled, ()
        try:
            return self._run_body(function, env, facts, state, frame)
        finally:
            self.running, self.unrolled = before, unrolled

    def _run_body(
        self, function: Function, env: dict[str, Value], facts: Facts, state: State, frame: Frame
    ) -> Outcome:
        node = function.node
        inner = State(dict(function.closure) | env, facts, dict(state.store))
        if isinstance(node, ast.Lambda):
            try:
                frame.returns.append((self.evaluate(node.body, inner, frame), inner))
            except UnreachableError:
                return Outcome(None, NO_FACTS)
        else:
            end = self.run_block(node.body, inner, frame)
            if end is not None:
                frame.returns.append((NONE, end))
        self.use_existing(env, loop_names(node), frame)
        return self._outcome_of(function, env, facts, frame)

    def _outcome_of(
        self, function: Function, env: dict[str, Value], facts: Facts, frame: Frame
    ) -> Outcome:
        ends = frame.yields or frame.returns
        if not ends:
            return Outcome(None, NO_FACTS)
        common = common_facts([state.facts for _, state in ends])
        value = choice((self.attach(value, state), state.facts - common) for value, state in ends)
        after = join([state.copy() for _, state in ends])
        assert after is not None  # noqa: S101  # there is at least one end
        changed = {
            name: after.env[name]
            for name, given in env.items()
            if name in after.env
            and after.env[name] != given
            and name not in rebound_names(function.node)
        }
        yielded = value if frame.yields else None
        if frame.yields:
            value = Items(None, value)
        # What is known of the path holds for the whole request, whoever read it.
        of_path = {term for fact in common for term in subjects(fact) if _is_of_path(term)}
        held = (value, *env.values(), *after.store.values(), *sorted(of_path, key=str))
        # The caller may still name the rows that it knew before.
        known = self._facts_about(held, common, rows_of(facts))
        return Outcome(value, known, changed, after.store, yielded)

    def _facts_about(
        self, values: Iterable[Value], facts: Facts, rows: frozenset[object] = frozenset()
    ) -> Facts:
        """Return the facts about what values name, and about one of the rows that are alike."""
        if not facts:
            return NO_FACTS
        names = frozenset(name for value in values for name in names_in(value))
        return without_repetition(
            relevant(facts, names), names | rows, lambda row: self.prover.rows[row].key
        )

    # Changed arguments.

    def _write_back_parameters(self, function: Function, outcome: Outcome, call: Call) -> None:
        if not outcome.parameters or not isinstance(call.node, ast.Call):
            return
        positional = [p.arg for p in (*function.node.args.posonlyargs, *function.node.args.args)]
        nodes: dict[str, ast.expr] = {}
        if function.receiver is not None and positional:
            if isinstance(call.node.func, ast.Attribute):
                nodes[positional[0]] = call.node.func.value
            positional = positional[1:]
        nodes |= dict(zip(positional, call.node.args, strict=False))
        nodes |= {k.arg: k.value for k in call.node.keywords if k.arg}
        for name, value in outcome.parameters.items():
            if name in nodes:
                self.write_back(nodes[name], value, call.state, call.frame)

    def write_back(self, node: ast.expr, value: Value, state: State, frame: Frame) -> None:
        """Give the expression that a changed value came from its new value."""
        match node:
            case ast.Name(id=name) if name in state.env:
                state.env[name] = value
            case ast.Name(id=name):
                self._write_global(frame.path, name, value)
            case ast.Call(func=ast.Name(id="super")):
                if "self" in state.env:
                    state.env["self"] = value
            case ast.Attribute(value=base, attr=name):
                holder = pure_value(base, state)
                if holder is None and isinstance(base, ast.Name):
                    holder = self.module_name(frame.path, base.id)
                if isinstance(holder, ModuleValue):
                    self._write_global(holder.path, name, value)
                elif isinstance(holder, Instance):
                    self.write_back(base, holder.set(name, value), state, frame)
            case ast.Subscript():
                self.rebind(node, value, state)
            case _:
                return

    def _write_global(self, path: str, name: str, value: Value) -> None:
        """Change what a module's name holds; while serving, all requests share it."""
        module = self.module_state(path)
        known = module.env.get(name)
        if known is None or known == value:
            return
        if self.is_serving:
            value = shared(known, value, name)
            if value == known:
                return
            self.is_stale = True
        module.env[name] = value

    def set_class_field(self, cls: ClassValue, name: str, value: Value) -> None:
        """Assign an attribute of a class, which all requests share."""
        key = (cls.node, name)
        known = self.class_fields.get(key)
        kept = lasting(value, f"{cls.name}.{name}")
        joined = kept if known is None else one_of([*members(known), *members(kept)])
        if joined != known:
            self.class_fields[key] = joined
            self.is_stale = self.is_stale or self.is_serving

    def patch(self, path: str, key: Value, value: Value) -> None:
        """Note that a module's name is replaced from outside."""
        if isinstance(key, Const):
            self.module_state(path).env[str(key.value)] = value
        else:
            self.patched.add(path)


def _is_of_path(term: object) -> TypeGuard[Given]:
    return isinstance(term, Given) and term.source == "path"


def _is_text_or_number(value: Value) -> bool:
    if isinstance(value, Const):
        return type(value.value) in (str, int, float)
    # A text that is put together from constants and unknown pieces.
    return isinstance(value, Made) and value.kind == "text" and not walk.origins(value)


def _label(function: Function) -> str:
    owner = function.scope.owner
    return f"{owner.name}.{function.name}" if owner is not None else function.name


def clear_caches() -> None:
    """Forget what was remembered about syntax trees and values, so that they can be freed."""
    definitions.clear_caches()
    walk.clear_caches()
