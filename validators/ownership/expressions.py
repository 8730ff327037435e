"""Expressions: what each kind of expression is worth in a state."""

import ast
import builtins
from collections.abc import Callable
from dataclasses import replace

from validators.ownership.conditions import Conditions
from validators.ownership.containers import (
    claim,
    constant_text,
    is_text,
    mapping_of,
    merged,
    position,
    spread_item,
    template,
)
from validators.ownership.formulas import as_formula, comparison, is_sql
from validators.ownership.machine import Call, UnreachableError
from validators.ownership.recorder import Frame
from validators.ownership.state import ABSENT, State, choice, join, one_of
from validators.ownership.values import (
    FALSE,
    NONE,
    TRUE,
    Both,
    Choice,
    Claims,
    Condition,
    Const,
    Derived,
    Either,
    Function,
    Given,
    Identity,
    Items,
    Library,
    Made,
    Mapping,
    Opposite,
    Result,
    Row,
    Statement,
    Unknown,
    Value,
)

# Known items up to this number are looked at one by one.
MOST_UNROLLED = 24

Evaluator = Callable[[ast.expr, State, Frame], Value]


class Expressions(Conditions):
    """Evaluates expressions."""

    def evaluate(self, node: ast.expr, state: State, frame: Frame) -> Value:
        """Return the value of an expression."""
        self.step()
        handler: Evaluator | None = getattr(self, f"_eval_{type(node).__name__.lower()}", None)
        if handler is None:
            return Unknown(f"a {type(node).__name__} expression")
        return handler(node, state, frame)

    # Names and constants.

    def _eval_constant(self, node: ast.Constant, state: State, frame: Frame) -> Value:
        del state, frame
        return Const(node.value)

    def _eval_name(self, node: ast.Name, state: State, frame: Frame) -> Value:
        value = state.env.get(node.id)
        if value is None:
            value = self.module_name(frame.path, node.id)
        if value is None:
            if hasattr(builtins, node.id):
                return Library(f"builtins.{node.id}")
            return Unknown(f"the name {node.id} is not defined")
        return self._settled(value, state)

    def _settled(self, value: Value, state: State) -> Value:
        """Return a value as it is known by now: one alternative alone, identity for its equals."""
        if isinstance(value, Choice) and len(value.members) == 1:
            [(member, facts)] = value.members
            state.learn(facts)
            return self.resolved(member, state)
        return self.resolved(value, state)

    def _eval_namedexpr(self, node: ast.NamedExpr, state: State, frame: Frame) -> Value:
        value = self.evaluate(node.value, state, frame)
        state.env[node.target.id] = value
        return value

    def _eval_attribute(self, node: ast.Attribute, state: State, frame: Frame) -> Value:
        value = self.evaluate(node.value, state, frame)
        held = self.attribute(value, node.attr, node, state, frame)
        if isinstance(held, Choice):
            # Reading what was not set on some path fails there.
            held = choice(pair for pair in held.members if pair[0] != ABSENT)
        return self._settled(held, state)

    def _eval_await(self, node: ast.Await, state: State, frame: Frame) -> Value:
        return self.evaluate(node.value, state, frame)

    def _eval_starred(self, node: ast.Starred, state: State, frame: Frame) -> Value:
        return self.evaluate(node.value, state, frame)

    # Containers.

    def _eval_tuple(self, node: ast.Tuple, state: State, frame: Frame) -> Value:
        return self._items(node.elts, state, frame, is_tuple=True)

    def _eval_list(self, node: ast.List, state: State, frame: Frame) -> Value:
        return self._items(node.elts, state, frame)

    def _eval_set(self, node: ast.Set, state: State, frame: Frame) -> Value:
        return self._items(node.elts, state, frame)

    def _items(
        self, nodes: list[ast.expr], state: State, frame: Frame, *, is_tuple: bool = False
    ) -> Value:
        items: list[Value] = []
        loose: list[Value] = []
        for node in nodes:
            value = self.evaluate(node, state, frame)
            if not isinstance(node, ast.Starred):
                items.append(self.attach(value, state))
            elif isinstance(value, Items) and value.items is not None:
                items += value.items
            else:
                loose.append(self.element(value, node, state, frame))
        if loose:
            return Items(None, one_of([*items, *loose]), is_tuple)
        return Items(tuple(items), None, is_tuple)

    def _eval_dict(self, node: ast.Dict, state: State, frame: Frame) -> Value:
        result = Mapping()
        for key, item in zip(node.keys, node.values, strict=True):
            value = self.evaluate(item, state, frame)
            if key is None:
                result = merged(result, value)
                continue
            name = self.evaluate(key, state, frame)
            value = self.attach(value, state)
            if isinstance(name, Const):
                result = result.set(name.value, value)
            else:
                rest = value if result.rest is None else one_of([result.rest, value])
                result = Mapping(result.known, rest)
        return result

    def _eval_listcomp(self, node: ast.ListComp, state: State, frame: Frame) -> Value:
        return self._comprehension(node.elt, node.generators, state, frame)

    def _eval_setcomp(self, node: ast.SetComp, state: State, frame: Frame) -> Value:
        return self._comprehension(node.elt, node.generators, state, frame)

    def _eval_generatorexp(self, node: ast.GeneratorExp, state: State, frame: Frame) -> Value:
        return self._comprehension(node.elt, node.generators, state, frame)

    def _eval_dictcomp(self, node: ast.DictComp, state: State, frame: Frame) -> Value:
        pair = ast.Tuple([node.key, node.value], ast.Load())
        found = self._comprehension(pair, node.generators, state, frame)
        return mapping_of(found)

    def _comprehension(
        self, element: ast.expr, generators: list[ast.comprehension], state: State, frame: Frame
    ) -> Value:
        found: list[Value] = []
        is_exact = self._generate(element, generators, state.copy(), frame, found)
        if is_exact:
            return Items(tuple(found))
        return Items(None, one_of(found) if found else None)

    def _generate(
        self,
        element: ast.expr,
        generators: list[ast.comprehension],
        state: State,
        frame: Frame,
        found: list[Value],
    ) -> bool:
        """Collect what a comprehension yields; tell whether it yields exactly that."""
        if not generators:
            found.append(self.attach(self.evaluate(element, state, frame), state))
            return True
        first, *rest = generators
        source = self.evaluate(first.iter, state, frame)
        known = source.items if isinstance(source, Items) else None
        is_exact = known is not None and len(known) <= MOST_UNROLLED
        before = self.unrolled
        steps = known if is_exact and known is not None else [None]
        for number, item in enumerate(steps):
            self.unrolled = (*before, number)
            inner: State | None = state.copy()
            assert inner is not None  # noqa: S101  # mypy needs the wider type below
            value = item if item is not None else self.element(source, first.iter, inner, frame)
            self.assign(first.target, value, inner, frame)
            for test in first.ifs:
                if inner is not None:
                    inner, otherwise = self.branch(test, inner, frame)
                    is_exact = is_exact and (inner is None or otherwise is None)
            if inner is not None:
                is_exact &= self._generate(element, rest, inner, frame, found)
        self.unrolled = before
        return is_exact

    # Access.

    def _eval_subscript(self, node: ast.Subscript, state: State, frame: Frame) -> Value:
        value = self.evaluate(node.value, state, frame)
        if isinstance(node.slice, ast.Slice):
            return self._slice(value, state)
        if isinstance(value, Library):
            return self._subscripted(value, node.slice, state, frame)
        key = self.evaluate(node.slice, state, frame)
        return self._settled(self.item(value, key, state), state)

    def _subscripted(self, value: Library, inner: ast.expr, state: State, frame: Frame) -> Value:
        """Return an alias of a type such as `Annotated[User, Depends(get_current_user)]`."""
        if value.last != "Annotated" or not isinstance(inner, ast.Tuple):
            return value
        held = [self.evaluate(part, state, frame) for part in inner.elts]
        return Made("annotated", tuple((str(i), part) for i, part in enumerate(held)))

    def _slice(self, value: Value, state: State) -> Value:
        if isinstance(value, Items) and value.items is not None:
            return Items(None, one_of(value.items) if value.items else None)
        if isinstance(value, Items | Choice | Result | Statement | Unknown):
            return value
        return self.derived("a part of a text", [value], state)

    def item(self, value: Value, key: Value, state: State) -> Value:  # noqa: C901  # one branch for each kind
        """Return an item of a value, by key or position."""
        match value:
            case Choice():
                found = [
                    (self.item(member, key, state), facts)
                    for member, facts in value.members
                    if member != NONE
                ]
                if not found:
                    raise UnreachableError
                return choice(found)
            case Mapping():
                return self._mapping_item(value, key)
            case Claims(origin):
                return claim(origin, key)
            case Identity(name, origin):
                return claim(origin, key, f"{name}.")
            case Given(source, name) if isinstance(key, Const):
                return Given(source, f"{name}.{key.value}")
            case Items(items, each):
                return position(items, each, key)
            case Row() | Derived() | Library():
                return value
            case Result(each):
                return each
            case Made():
                return self.made_item(value, key, state)
            case Const(None):
                raise UnreachableError
            case _:
                return self.derived("an item of a value that cannot be followed", [value], state)

    def _mapping_item(self, value: Mapping, key: Value) -> Value:
        keys = [m for m, _ in key.members] if isinstance(key, Choice) else [key]
        if all(isinstance(k, Const) and value.get(k.value) is not None for k in keys):
            return one_of(
                found for k in keys if isinstance(k, Const) and (found := value.get(k.value))
            )
        if isinstance(key, Const) and value.rest is None:
            raise UnreachableError
        held = [item for _, item in value.known]
        if value.rest is not None:
            rest = spread_item(value.rest, key)
            held = [rest] if isinstance(key, Const) else [*held, rest]
        return one_of(held) if held else Unknown("an item of an empty dictionary")

    # Operators.

    def _eval_boolop(self, node: ast.BoolOp, state: State, frame: Frame) -> Value:
        is_and = isinstance(node.op, ast.And)
        found = []
        current: State | None = state.copy()
        for index, part in enumerate(node.values):
            if current is None:
                break
            value = self.evaluate(part, current, frame)
            if index == len(node.values) - 1:
                found.append((value, current.facts - state.facts))
                break
            on_true, on_false = self.branch_value(part, value, current, frame)
            stops, current = (on_false, on_true) if is_and else (on_true, on_false)
            if stops is not None:
                kept = self.narrowed(value, stops, is_true=not is_and)
                found.append((kept, stops.facts - state.facts))
        return choice(found)

    def _eval_unaryop(self, node: ast.UnaryOp, state: State, frame: Frame) -> Value:
        if isinstance(node.op, ast.Not):
            return self._truth(node, state, frame)
        value = self.evaluate(node.operand, state, frame)
        if isinstance(node.op, ast.Invert) and is_sql(value):
            return Condition(Opposite(as_formula(self, value, state)))
        if isinstance(value, Const) and isinstance(value.value, int | float):
            return Const(-value.value) if isinstance(node.op, ast.USub) else value
        return value

    def _eval_compare(self, node: ast.Compare, state: State, frame: Frame) -> Value:
        left = self.evaluate(node.left, state, frame)
        right = self.evaluate(node.comparators[0], state, frame)
        if len(node.ops) == 1 and (is_sql(left) or is_sql(right)):
            return Condition(comparison(self, node.ops[0], left, right, state))
        return self._truth(node, state, frame)

    def _truth(self, node: ast.expr, state: State, frame: Frame) -> Value:
        """Return a condition's value: true and false, each with what then holds."""
        on_true, on_false = self.branch(node, state.copy(), frame)
        found: list[tuple[Value, frozenset[object]]] = []
        if on_true is not None:
            found.append((TRUE, on_true.facts - state.facts))
        if on_false is not None:
            found.append((FALSE, on_false.facts - state.facts))
        if not found:
            raise UnreachableError
        return choice(found)  # type: ignore[arg-type]

    def _eval_ifexp(self, node: ast.IfExp, state: State, frame: Frame) -> Value:
        on_true, on_false = self.branch(node.test, state.copy(), frame)
        found = []
        ends: list[State] = []
        for branch, part in ((on_true, node.body), (on_false, node.orelse)):
            if branch is None:
                continue
            try:
                value = self.evaluate(part, branch, frame)
            except UnreachableError:
                continue
            found.append((value, branch.facts - state.facts))
            ends.append(branch)
        if not found:
            raise UnreachableError
        after = join(ends)
        if after is not None:
            state.facts = after.facts
        return choice(found)

    def _eval_binop(self, node: ast.BinOp, state: State, frame: Frame) -> Value:
        left = self.evaluate(node.left, state, frame)
        right = self.evaluate(node.right, state, frame)
        if isinstance(node.op, ast.BitAnd | ast.BitOr) and (is_sql(left) or is_sql(right)):
            parts = (as_formula(self, left, state), as_formula(self, right, state))
            return Condition(Both(parts) if isinstance(node.op, ast.BitAnd) else Either(parts))
        if isinstance(node.op, ast.Add):
            added = self._added(left, right)
            if added is not None:
                return added
        if isinstance(node.op, ast.BitOr) and isinstance(left, Mapping):
            return merged(left, right)
        if isinstance(node.op, ast.Div) and isinstance(right, Const):
            return _below(left, right)
        return self.derived("a computed value", [left, right], state)

    def _added(self, left: Value, right: Value) -> Value | None:
        if isinstance(left, Items) and isinstance(right, Items):
            if left.items is not None and right.items is not None:
                return Items((*left.items, *right.items), None, left.is_tuple)
            held = [*(left.items or ()), *(right.items or ())]
            held += [each for each in (left.each, right.each) if each is not None]
            return Items(None, one_of(held) if held else None, left.is_tuple)
        if (
            isinstance(left, Const)
            and isinstance(right, Const)
            and isinstance(left.value, str)
            and isinstance(right.value, str)
        ):
            return Const(left.value + right.value)
        if is_text(left) or is_text(right):
            return template([left, right])
        return None

    def _eval_joinedstr(self, node: ast.JoinedStr, state: State, frame: Frame) -> Value:
        values = [
            self.evaluate(part.value, state, frame)
            for part in node.values
            if isinstance(part, ast.FormattedValue)
        ]
        texts = [part.value for part in node.values if isinstance(part, ast.Constant)]
        if len(values) == 1 and not texts:
            return values[0]
        if all(isinstance(value, Const) for value in values):
            return constant_text(node, values)
        left = iter(values)
        return template(
            [
                Const(part.value)
                if isinstance(part, ast.Constant)
                else self.attach(next(left), state)
                for part in node.values
            ]
        )

    # Functions.

    def _eval_lambda(self, node: ast.Lambda, state: State, frame: Frame) -> Value:
        return self.closure(node, state, frame)

    def _eval_yield(self, node: ast.Yield, state: State, frame: Frame) -> Value:
        value = self.evaluate(node.value, state, frame) if node.value else NONE
        frame.yields.append((value, state.copy()))
        return Unknown("what a generator is sent")

    def _eval_yieldfrom(self, node: ast.YieldFrom, state: State, frame: Frame) -> Value:
        value = self.evaluate(node.value, state, frame)
        frame.yields.append((self.element(value, node, state, frame), state.copy()))
        return Unknown("what a generator returns")

    def _eval_call(self, node: ast.Call, state: State, frame: Frame) -> Value:
        method = node.func
        if isinstance(method, ast.Attribute):
            receiver = self.evaluate(method.value, state, frame)
            call = self.arguments(node, state, frame)
            found = self.with_keywords(
                call, lambda one: self.call_method(receiver, method.attr, one)
            )
            return self._settled(found, state)
        function = self.evaluate(method, state, frame)
        call = self.arguments(node, state, frame)
        found = self.with_keywords(call, lambda one: self.call(function, one))
        return self._settled(found, state)

    def with_keywords(self, call: Call, run: Callable[[Call], Value]) -> Value:
        """Make a call, once for each of several dictionaries that its keywords come from."""
        more = call.more
        if not (isinstance(more, Choice) and all(isinstance(m, Mapping) for m, _ in more.members)):
            return run(call)
        found = []
        ends: list[State] = []
        for member, facts in more.members:
            assert isinstance(member, Mapping)  # noqa: S101  # just looked
            named = {str(key): value for key, value in member.known}
            state = call.state.copy()
            state.learn(facts)
            one = replace(call, state=state, more=member.rest, keywords=call.keywords | named)
            try:
                found.append((run(one), facts))
            except UnreachableError:
                continue
            ends.append(state)
        after = join(ends)
        if after is None:
            raise UnreachableError
        call.state.take(after)
        return choice(found)

    def arguments(self, node: ast.Call, state: State, frame: Frame) -> Call:
        """Evaluate a call's arguments."""
        call = Call(node, state, frame)
        for arg in node.args:
            value = self.evaluate(arg, state, frame)
            if not isinstance(arg, ast.Starred):
                call.args.append(value)
            elif isinstance(value, Items) and value.items is not None and call.rest is None:
                call.args += value.items
            else:
                call.rest = value
        for keyword in node.keywords:
            value = self.evaluate(keyword.value, state, frame)
            if keyword.arg is not None:
                call.keywords[keyword.arg] = value
                continue
            known = value if isinstance(value, Mapping) else None
            if known is not None:
                call.keywords |= {str(key): held for key, held in known.known}
            if known is None or known.rest is not None:
                call.more = known.rest if known is not None else value
        return call

    def closure(
        self,
        node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda,
        state: State,
        frame: Frame,
    ) -> Function:
        """Return a function value that sees the names around it."""
        raise NotImplementedError

    def element(self, value: Value, node: ast.AST, state: State, frame: Frame) -> Value:
        """Return what each item of an iterable is."""
        raise NotImplementedError

    def call_method(self, receiver: Value, name: str, call: Call) -> Value:
        """Return the value of a method call."""
        raise NotImplementedError

    def made_item(self, value: Made, key: Value, state: State) -> Value:
        """Return an item of a library's object."""
        raise NotImplementedError

    def assign(self, target: ast.expr, value: Value, state: State, frame: Frame) -> None:
        """Assign a value to a target."""
        raise NotImplementedError


def _below(left: Value, right: Const) -> Value:
    """Return a path below another: of a file, what its path ends with may be known."""
    tail = left.get("tail") if isinstance(left, Made) else None
    start = f"{tail.value}/" if isinstance(tail, Const) else ""
    return Made("file", (("tail", Const(f"{start}{right.value}")),))
