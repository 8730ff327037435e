"""The arguments of a call, bound to the parameters of the project's function that is called."""

import ast

from validators.ownership.definitions import default_nodes
from validators.ownership.facts import equals
from validators.ownership.flow import Flow
from validators.ownership.machine import Call, UnreachableError
from validators.ownership.recorder import Frame
from validators.ownership.state import State, one_of
from validators.ownership.values import (
    Attr,
    Function,
    Given,
    Items,
    Mapping,
    Unknown,
    Value,
)


class Arguments(Flow):
    """Binds arguments."""

    def bound_arguments(self, function: Function, call: Call) -> dict[str, Value]:
        """Return the parameters of a function with the values that a call gives them."""
        args = function.node.args
        positional = [*args.posonlyargs, *args.args]
        given = list(call.args)
        if function.receiver is not None:
            given.insert(0, function.receiver)
        env: dict[str, Value] = {}
        for parameter, value in zip(positional, given, strict=False):
            env[parameter.arg] = value
        left = given[len(positional) :]
        keywords = dict(call.keywords)
        names = [p.arg for p in (*positional, *args.kwonlyargs)]
        for name in names:
            if name in keywords and name not in env:
                env[name] = keywords.pop(name)
        self._fill_missing(function, names, call, env)
        if args.vararg is not None:
            env[args.vararg.arg] = _variadic(left, call.rest)
        if args.kwarg is not None:
            env[args.kwarg.arg] = Mapping(tuple(keywords.items()), call.more)
        return env

    def _fill_missing(
        self, function: Function, names: list[str], call: Call, env: dict[str, Value]
    ) -> None:
        defaults = default_nodes(function.node)
        for name in names:
            if name in env:
                continue
            sources = [value for value in (call.rest, call.more) if value is not None]
            if sources:
                found: Value = one_of(self._spread(value, call) for value in sources)
                default = defaults.get(name)
                if default is not None:
                    found = one_of([found, self._default(function, default, call)])
                env[name] = found
            elif name in defaults:
                env[name] = self._default(function, defaults[name], call)
            else:
                env[name] = Unknown(f"no value is passed for {name}")

    def _spread(self, value: Value, call: Call) -> Value:
        if isinstance(value, Items):
            return self.element(value, call.node, call.state, call.frame)
        return value

    def _default(self, function: Function, node: ast.expr, call: Call) -> Value:
        frame = Frame(call.frame.entry, function.scope.path, function.scope.owner)
        try:
            return self.evaluate(node, State(dict(function.closure)), frame)
        except UnreachableError:
            return Unknown("a default that cannot be evaluated")

    def as_given(self, value: Value, state: State) -> Value:
        """Return a row's column as the part of the request that it is known to equal.

        Rows that are found by one key, one after the other, then make no calls that differ.
        """
        if not (isinstance(value, Attr) and isinstance(value.row, int)):
            return value
        given = [term for term in equals(value, state.facts) if isinstance(term, Given)]
        return min(given, key=str, default=value)


def _variadic(left: list[Value], rest: Value | None) -> Value:
    if rest is None:
        return Items(tuple(left), None, is_tuple=True)
    each = rest.each if isinstance(rest, Items) else rest
    return Items(None, one_of([*left, each]) if each is not None else None, is_tuple=True)
