"""The interpreter: all layers together, and what calling each kind of value means."""

import ast
from dataclasses import replace

from validators.ownership.formulas import as_formula
from validators.ownership.library import library_call
from validators.ownership.machine import Call, ProofOptions, UnreachableError
from validators.ownership.methods import Methods
from validators.ownership.program import Program
from validators.ownership.schema import Schema
from validators.ownership.state import State, choice, join, one_of
from validators.ownership.text import parse_text
from validators.ownership.values import (
    Choice,
    ClassValue,
    Either,
    Formula,
    Function,
    Instance,
    Items,
    Library,
    Made,
    Method,
    Partial,
    Unfollowed,
    Unknown,
    Value,
)


class Interpreter(Methods):
    """Runs a backend's code with abstract values."""

    def __init__(self, program: Program, schema: Schema, options: ProofOptions) -> None:
        super().__init__(program, schema, options)
        self.prepare()

    def call(self, function: Value, call: Call) -> Value:  # noqa: C901  # one branch for each kind
        """Return the value of a call."""
        match function:
            case Function():
                return self.call_function(function, call)
            case ClassValue():
                return self.instantiate(function, call)
            case Library(name):
                return library_call(self, name, call)
            case Method(receiver, name):
                return self.call_method(receiver, name, call)
            case Partial(inner, args, keywords):
                named = dict(keywords)
                if call.more is not None:
                    # Keywords at the call replace those that were bound before.
                    named = {name: one_of([value, call.more]) for name, value in keywords}
                merged = replace(
                    call, args=[*args, *call.args], keywords={**named, **call.keywords}
                )
                return self.call(inner, merged)
            case Choice():
                return self._call_each(function, call)
            case Instance():
                return self._call_instance(function, call)
            case Made():
                return self.made_call(function, call)
            case Unknown(reason):
                self.is_calling_unknown = True
                self.hand_over(reason, call)
                return self.derived(reason, [function, *call.values()], call.state)
            case _:
                self.is_calling_unknown = True
                self.hand_over("a value that is called", call)
                return self.derived("the result of a call", [function, *call.values()], call.state)

    def _call_each(self, function: Choice, call: Call) -> Value:
        found = []
        ends: list[State] = []
        for member, facts in function.members:
            inner = replace(call, state=call.state.copy())
            inner.state.learn(facts)
            try:
                found.append((self.call(member, inner), facts))
            except UnreachableError:
                continue
            ends.append(inner.state)
        if not found:
            raise UnreachableError
        after = join(ends)
        assert after is not None  # noqa: S101  # there is at least one end
        call.state.take(after)
        return choice(found)

    def _call_instance(self, function: Instance, call: Call) -> Value:
        if self.member(function.cls, "__call__") is not None:
            bound = self.attribute(function, "__call__", call.node, call.state, call.frame)
            return self.call(bound, call)
        return self.derived(f"calling a {function.cls.name}", call.values(), call.state)

    def some(self, value: Value, state: State) -> Formula:
        """Return the formula that all predicates of a list hold, of which any may be missing."""
        return self._some(value, state)

    def any_of(self, value: Value, state: State) -> Formula:
        """Return the formula that one predicate of a list holds."""
        if isinstance(value, Items):
            held = [*(value.items or ()), *([value.each] if value.each is not None else [])]
            return Either(tuple(as_formula(self, item, state) for item in held))
        return Unfollowed("a list of predicates that cannot be followed")

    def text_statement(self, call: Call) -> Value:
        """Return the statement that a text of SQL is."""
        value = call.argument(0, "text") or Unknown("no text")
        return parse_text(self, value, call)

    def dummy(self) -> ast.expr:
        """Return an expression that stands for no place in the source."""
        return ast.Name("framework", ast.Load())
