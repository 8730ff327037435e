"""Conditions: how a test splits a path, and what then is known on either side."""

import ast
from abc import abstractmethod
from collections.abc import Callable
from itertools import product

from validators.ownership.facts import NO_FACTS, Configured, Empty, Facts, same
from validators.ownership.machine import Machine, UnreachableError
from validators.ownership.recorder import Frame
from validators.ownership.state import State, choice, join
from validators.ownership.values import (
    NONE,
    Attr,
    Choice,
    Claims,
    ClassValue,
    Condition,
    Const,
    Derived,
    Element,
    Equal,
    Formula,
    Function,
    Given,
    Identity,
    Instance,
    Items,
    Library,
    Made,
    Mapping,
    Method,
    Opaque,
    Opposite,
    Row,
    Statement,
    Value,
)
from validators.ownership.walk import Member, member_list

Split = tuple[State | None, State | None]

# Kinds of values that are never None and always true.
_OBJECTS = (
    Row, Instance, Function, ClassValue, Claims, Made, Statement, Library, Method, Derived,
)  # fmt: skip
# Terms of which equality is worth knowing.
_COMPARABLE = (Const, Identity, Given, Attr, Opaque)


class Conditions(Machine):
    """Splits paths at tests."""

    def branch(self, test: ast.expr, state: State, frame: Frame) -> Split:
        """Return the states in which a test holds and does not; None where it cannot be."""
        try:
            return self._branch(test, state, frame)
        except UnreachableError:
            return None, None

    def _branch(self, test: ast.expr, state: State, frame: Frame) -> Split:
        match test:
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                on_true, on_false = self.branch(operand, state, frame)
                return on_false, on_true
            case ast.BoolOp(op=ast.And(), values=parts):
                return self._all(parts, state, frame)
            case ast.BoolOp(values=parts):
                on_false, on_true = self._any_fails(parts, state, frame)
                return on_true, on_false
            case ast.Compare(ops=[operator], comparators=[right]):
                return self._compare(test.left, operator, right, state, frame)
            case ast.Compare():
                for part in (test.left, *test.comparators):
                    self.evaluate(part, state, frame)
                return state.copy(), state.copy()
            case ast.Await(value=value):
                return self.branch(value, state, frame)
            case ast.Call(func=ast.Name(id="bool"), args=[argument]):
                return self.branch(argument, state, frame)
            case ast.Call(func=ast.Name(id="isinstance"), args=[subject, kind]):
                return self._isinstance(subject, kind, state, frame)
            case _:
                return self.branch_value(test, self.evaluate(test, state, frame), state, frame)

    def _all(self, parts: list[ast.expr], state: State, frame: Frame) -> Split:
        current: State | None = state
        failed: list[State | None] = []
        for part in parts:
            if current is None:
                break
            current, on_false = self.branch(part, current, frame)
            failed.append(on_false)
        return current, join(failed)

    def _any_fails(self, parts: list[ast.expr], state: State, frame: Frame) -> Split:
        current: State | None = state
        held: list[State | None] = []
        for part in parts:
            if current is None:
                break
            on_true, current = self.branch(part, current, frame)
            held.append(on_true)
        return current, join(held)

    # Truth.

    def branch_value(
        self, node: ast.expr, value: Value, state: State, frame: Frame | None = None
    ) -> Split:
        """Split by whether a value counts as true."""
        target = node.target if isinstance(node, ast.NamedExpr) else node
        kept_true = [m for m in member_list(value) if self.truth(m[0]) is not False]
        kept_false = [m for m in member_list(value) if self.truth(m[0]) is not True]
        name = setting_name(value)
        if name is not None:
            state = state.copy()
            state.learn(frozenset((Configured(name),)))
        on_true = self._restricted(target, value, kept_true, state, frame)
        on_false = self._restricted(target, value, kept_false, state, frame)
        if on_true is not None and is_empty_by_default(value):
            self.rebind(target, without_default(value), on_true)
        if on_false is not None and isinstance(value, Given):
            on_false.learn(frozenset((Empty(value),)))
        return on_true, on_false

    def narrowed(self, value: Value, state: State, *, is_true: bool) -> Value:
        """Return the alternatives of a value that count as true, or as false."""
        del state
        kept = [m for m in member_list(value) if self.truth(m[0]) is not (not is_true)]
        return choice(kept) if kept else value

    def _restricted(
        self,
        node: ast.expr,
        value: Value,
        kept: list[Member],
        state: State,
        frame: Frame | None,
    ) -> State | None:
        """Return the state in which only some alternatives of an expression are left."""
        if not kept:
            return None
        after = state.copy()
        facts = frozenset.intersection(*(facts for _, facts in kept))
        if frame is None:
            after.learn(facts)
        else:
            self.learn(after, frame, facts)
        if isinstance(value, Choice) and len(kept) < len(value.members):
            self.rebind(node, choice((m, f - facts) for m, f in kept), after)
        return after

    def rebind(self, node: ast.expr, value: Value, state: State) -> None:
        """Give a name, or an attribute or item reached from a name, another value."""
        match node:
            case ast.Name(id=name):
                state.env[name] = value
            case ast.NamedExpr(target=ast.Name(id=name)):
                state.env[name] = value
            case ast.Attribute(value=base, attr=name):
                holder = pure_value(base, state)
                if isinstance(holder, Instance):
                    self.rebind(base, holder.set(name, value), state)
            case ast.Subscript(value=base, slice=ast.Constant(value=key)):
                holder = pure_value(base, state)
                if isinstance(holder, Mapping):
                    self.rebind(base, holder.set(key, value), state)
            case _:
                return

    # Comparisons.

    def _compare(
        self, left: ast.expr, operator: ast.cmpop, right: ast.expr, state: State, frame: Frame
    ) -> Split:
        one = self.evaluate(left, state, frame)
        other = self.evaluate(right, state, frame)
        if isinstance(operator, ast.NotEq | ast.IsNot | ast.NotIn):
            on_false, on_true = self._same_kind(operator, left, right, one, other, state, frame)
            return on_true, on_false
        return self._same_kind(operator, left, right, one, other, state, frame)

    def _same_kind(  # two sides, each as expression and value
        self,
        operator: ast.cmpop,
        left: ast.expr,
        right: ast.expr,
        one: Value,
        other: Value,
        state: State,
        frame: Frame,
    ) -> Split:
        if isinstance(operator, ast.In | ast.NotIn):
            return self._contains(left, one, other, state, frame)
        if isinstance(operator, ast.Eq | ast.NotEq | ast.Is | ast.IsNot):
            return self._equal(operator, left, right, one, other, state, frame)
        return state.copy(), state.copy()

    def _equal(  # two sides, each as expression and value
        self,
        operator: ast.cmpop,
        left: ast.expr,
        right: ast.expr,
        one: Value,
        other: Value,
        state: State,
        frame: Frame,
    ) -> Split:
        name = setting_name(one) or setting_name(other)
        if name is not None:
            state = state.copy()
            state.learn(frozenset((Configured(name),)))
        is_by_value = isinstance(operator, ast.Eq | ast.NotEq)
        pairs = list(product(member_list(one), member_list(other)))
        held: list[tuple[Member, Member, Facts]] = []
        failed: list[tuple[Member, Member, Facts]] = []
        for pair in pairs:
            (a, facts), (b, more) = pair
            can_be = may_equal(a, b)
            if (
                is_by_value
                and NONE in (a, b)
                and (isinstance(a, Identity) or isinstance(b, Identity))
            ):
                # A missing row's column never equals the signed-in user's id.
                can_be = False
            if can_be is not False:
                held.append((*pair, facts | more | self._equality(a, b, state)))
            if can_be is not True:
                failed.append((*pair, facts | more))
        return (
            self._side(left, right, held, (one, other), state, frame),
            self._side(left, right, failed, (one, other), state, frame),
        )

    def _side(
        self,
        left: ast.expr,
        right: ast.expr,
        kept: list[tuple[Member, Member, Facts]],
        values: tuple[Value, Value],
        state: State,
        frame: Frame,
    ) -> State | None:
        if not kept:
            return None
        after = state.copy()
        self.learn(after, frame, frozenset.intersection(*(facts for _, _, facts in kept)))
        for node, value, position in ((left, values[0], 0), (right, values[1], 1)):
            if not isinstance(value, Choice):
                continue
            members = dict.fromkeys(entry[position] for entry in kept)
            if len(members) < len(value.members):
                self.rebind(node, choice(m for m in members if isinstance(m, tuple)), after)
        return after

    def _equality(self, left: Value, right: Value, state: State) -> Facts:
        if isinstance(left, Given) and _is_left_out(right):
            return frozenset((Empty(left),))
        sides = []
        for value in (left, right):
            term = self.as_term(value, state) if isinstance(value, Row) else value
            if not isinstance(term, _COMPARABLE):
                return NO_FACTS
            if isinstance(term, Attr) and isinstance(term.row, Element):
                return NO_FACTS
            sides.append(term)
        left, right = sides
        empty = {term for term in sides if isinstance(term, Given)} if NONE in sides else set()
        return same(left, right) | frozenset(Empty(term) for term in empty)

    def _contains(
        self, node: ast.expr, item: Value, holder: Value, state: State, frame: Frame
    ) -> Split:
        if not isinstance(holder, Items):
            known = constant_contains(item, holder)
            if known is not None:
                return (state, None) if known else (None, state)
            return state.copy(), state.copy()
        held = list(holder.items or ())
        if holder.each is not None:
            held.append(holder.each)
        answers = [
            may_equal(a, b) for (a, _) in member_list(item) for h in held for b, _ in member_list(h)
        ]
        if not answers or all(answer is False for answer in answers):
            return None, state
        if len(answers) == 1 and answers[0] is True and holder.each is None:
            return state, None
        alternatives = [
            facts | self._equality(a, b, state)
            for a, _ in member_list(item)
            for h in held
            for b, facts in member_list(h)
            if may_equal(a, b) is not False
        ]
        ends: list[State | None] = []
        for facts in alternatives:
            on_true = state.copy()
            self.learn(on_true, frame, facts)
            ends.append(on_true)
        del node
        return join(ends), state.copy()

    def _isinstance(self, subject: ast.expr, kind: ast.expr, state: State, frame: Frame) -> Split:
        value = self.evaluate(subject, state, frame)
        wanted = self.evaluate(kind, state, frame)
        answers = {is_instance(member, wanted) for member, _ in member_list(value)}
        if answers == {True}:
            return state, None
        if answers == {False}:
            return None, state
        kept_true = [m for m in member_list(value) if is_instance(m[0], wanted) is not False]
        kept_false = [m for m in member_list(value) if is_instance(m[0], wanted) is not True]
        return (
            self._restricted(subject, value, kept_true, state, frame),
            self._restricted(subject, value, kept_false, state, frame),
        )

    def truth(self, value: Value) -> bool | None:
        """Tell whether a value counts as true; None where both can be."""
        if isinstance(value, Given) and value.source == "path":
            # No part of a path is empty; where it is read as a number, it may be zero.
            return None if value.name in self.program.number_names else True
        return truth(value)

    @abstractmethod
    def element(self, value: Value, node: ast.AST, state: State, frame: Frame) -> Value:
        """Return what each item of an iterable is."""


def is_empty_by_default(value: Value) -> bool:
    """Tell whether a value is a setting that is empty where nobody sets it."""
    if not (isinstance(value, Made) and value.kind == "setting"):
        return False
    default = value.get("default")
    return isinstance(default, Const) and not default.value


def without_default(value: Value) -> Value:
    """Return a setting that is known to be set."""
    name = value.get("name") if isinstance(value, Made) else None
    return Made("setting", (("name", name or NONE), ("default", NONE)))


def setting_name(value: Value) -> str | None:
    """Return the name of the setting that a value is, or None."""
    for member, _ in member_list(value):
        if isinstance(member, Made) and member.kind == "setting":
            name = member.get("name")
            return str(name.value) if isinstance(name, Const) else None
    return None


def truth(value: Value) -> bool | None:
    """Tell whether a value counts as true; None where both can be."""
    if isinstance(value, Const):
        return bool(value.value)
    if isinstance(value, Items):
        if value.items is None:
            return None
        return bool(value.items)
    if isinstance(value, Mapping):
        return True if value.known else (None if value.rest is not None else False)
    if isinstance(value, Condition):
        return _condition_truth(value.formula)
    if isinstance(value, Made) and value.kind in ("setting", "anything"):
        return None
    return True if isinstance(value, _OBJECTS) else None


def _condition_truth(formula: Formula) -> bool | None:
    """Tell what Python's `and` makes of a predicate: SQLAlchemy compares the two sides' names."""
    if isinstance(formula, Equal):
        return False
    if isinstance(formula, Opposite) and isinstance(formula.part, Equal):
        return True
    return None


def _is_left_out(value: Value) -> bool:
    """Tell whether a value is the mark of a field that the request leaves out."""
    return isinstance(value, Library) and value.last in ("MISSING", "PydanticUndefined")


def may_equal(left: Value, right: Value) -> bool | None:
    """Tell whether two values are equal; None where it is not known."""
    if isinstance(left, Const) and isinstance(right, Const):
        return left.value == right.value
    objects = (*_OBJECTS, Items, Mapping)
    if NONE in (left, right) and (isinstance(left, objects) or isinstance(right, objects)):
        return False
    if left == right and isinstance(left, _COMPARABLE):
        return True
    return None


def constant_contains(item: Value, holder: Value) -> bool | None:
    """Tell whether a constant text or dictionary contains something, where that is known."""
    if not isinstance(item, Const):
        return None
    if isinstance(holder, Mapping) and holder.rest is None:
        return holder.get(item.value) is not None
    if isinstance(holder, Const) and isinstance(holder.value, str) and isinstance(item.value, str):
        return item.value in holder.value
    return None


_BUILTIN_KINDS: dict[str, type] = {
    "builtins.str": str, "builtins.int": int, "builtins.bool": bool, "builtins.float": float,
}  # fmt: skip


_CONTAINERS = frozenset({"builtins.dict", "builtins.list", "builtins.str", "builtins.int"})


def is_instance(value: Value, kind: Value) -> bool | None:
    """Tell whether a value is an instance of a class, where that is known."""
    if isinstance(kind, Items) and kind.items is not None:
        answers = {is_instance(value, one) for one in kind.items}
        return True if True in answers else (False if answers == {False} else None)
    if isinstance(value, Const) and isinstance(kind, Library) and kind.name in _BUILTIN_KINDS:
        return isinstance(value.value, _BUILTIN_KINDS[kind.name])
    if value == NONE:
        return False
    if isinstance(value, Instance) and isinstance(kind, ClassValue):
        return True if value.cls == kind else None
    if isinstance(value, Given | Instance | Row) and isinstance(kind, Library):
        # What is parsed into a class of the project is an object of it.
        is_object = not isinstance(value, Given) or value.shape is not None
        return False if is_object and kind.name in _CONTAINERS else None
    if isinstance(value, Items | Mapping) and isinstance(kind, Library):
        names = ("list", "tuple", "set", "Sequence") if isinstance(value, Items) else ("dict",)
        return kind.last in names
    return None


def pure_value(node: ast.expr, state: State) -> Value | None:
    """Return the value of a name, or of an attribute or item reached from one, unevaluated."""
    match node:
        case ast.Name(id=name):
            return state.env.get(name)
        case ast.Attribute(value=base, attr=name):
            holder = pure_value(base, state)
            return holder.get(name) if isinstance(holder, Instance) else None
        case ast.Subscript(value=base, slice=ast.Constant(value=key)):
            holder = pure_value(base, state)
            return holder.get(key) if isinstance(holder, Mapping) else None
        case _:
            return None


Keep = Callable[[Value], bool]
