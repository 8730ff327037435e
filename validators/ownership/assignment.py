"""Assignment: names, attributes, items and unpacking."""

import ast
from typing import TYPE_CHECKING

from validators.ownership.expressions import Expressions
from validators.ownership.machine import UnreachableError
from validators.ownership.recorder import Frame
from validators.ownership.state import State, choice, one_of
from validators.ownership.values import (
    NONE,
    Attr,
    Choice,
    Claims,
    Const,
    Given,
    Items,
    Made,
    Mapping,
    Result,
    Row,
    Statement,
    Unknown,
    Value,
)
from validators.ownership.walk import member_list

if TYPE_CHECKING:
    from validators.ownership.facts import Facts


class Assignment(Expressions):
    """Assigns."""

    def assign(self, target: ast.expr, value: Value, state: State, frame: Frame) -> None:
        """Assign a value to a target."""
        match target:
            case ast.Name(id=name) if name in frame.global_names:
                self.write_back(target, value, state, frame)
            case ast.Name(id=name):
                state.env[name] = value
            case ast.Tuple(elts=targets) | ast.List(elts=targets):
                self._unpack(targets, value, target, state, frame)
            case ast.Starred(value=inner):
                self.assign(inner, Items(None, value), state, frame)
            case ast.Attribute(value=base, attr=name):
                holder = self.evaluate(base, state, frame)
                self.set_attribute(holder, base, name, value, target, state, frame)
            case ast.Subscript(value=base):
                self._set_item(base, target.slice, value, state, frame)
            case _:
                return

    def set_attribute(
        self,
        holder: Value,
        base: ast.expr,
        name: str,
        value: Value,
        node: ast.AST,
        state: State,
        frame: Frame,
    ) -> None:
        """Assign an attribute of a value that an expression gives."""
        raise NotImplementedError

    def _set_item(
        self, base: ast.expr, key_node: ast.expr, value: Value, state: State, frame: Frame
    ) -> None:
        holder = self.evaluate(base, state, frame)
        key = self.evaluate(key_node, state, frame)
        kept = self.attach(value, state)
        found: list[tuple[Value, Facts]] = []
        for member, facts in member_list(holder):
            if isinstance(member, Mapping) and isinstance(key, Const):
                found.append((member.set(key.value, kept), facts))
            elif isinstance(member, Mapping):
                known = tuple((name, one_of([old, kept])) for name, old in member.known)
                rest = kept if member.rest is None else one_of([member.rest, kept])
                found.append((Mapping(known, rest), facts))
            elif isinstance(member, Items):
                held = [*(member.items or ()), *([member.each] if member.each else []), kept]
                found.append((Items(None, one_of(held)), facts))
            elif isinstance(member, Made):
                self.set_made_item(member, key, value, state)
                return
            elif isinstance(member, Unknown | Given | Claims) and isinstance(key, Const):
                # A key that is set later replaces whatever came under it.
                found.append((Mapping(((key.value, kept),), member), facts))
            else:
                return
        self.write_back(base, choice(found), state, frame)

    def set_made_item(self, holder: Made, key: Value, value: Value, state: State) -> None:
        """Assign an item of a library's object."""
        raise NotImplementedError

    def write_back(self, node: ast.expr, value: Value, state: State, frame: Frame) -> None:
        """Give the expression that a changed value came from its new value."""
        raise NotImplementedError

    def _unpack(
        self, targets: list[ast.expr], value: Value, node: ast.AST, state: State, frame: Frame
    ) -> None:
        if isinstance(value, Choice):
            members = [(member, facts) for member, facts in value.members if member != NONE]
            if len(members) == 1:
                self.learn(state, frame, members[0][1])
            lists = [
                [(part, facts) for part in self._parts(member, len(targets), node, state, frame)]
                for member, facts in members
            ]
            # What holds where one alternative was chosen is known of each of its parts.
            parts = [choice(column) for column in zip(*lists, strict=True)]
        else:
            parts = self._parts(value, len(targets), node, state, frame)
        if not parts and targets:
            raise UnreachableError
        for target, part in zip(targets, parts, strict=True):
            self.assign(target, part, state, frame)

    def _parts(
        self, value: Value, count: int, node: ast.AST, state: State, frame: Frame
    ) -> list[Value]:
        if isinstance(value, Items) and value.items is not None and len(value.items) == count:
            return list(value.items)
        if isinstance(value, Row | Attr) and count == 1:
            return [value]
        if isinstance(value, Items | Statement | Result):
            return [self.element(value, node, state, frame)] * count
        if isinstance(value, Given):
            return [Given(value.source, f"{value.name}.{index}") for index in range(count)]
        return [self.derived("a part of an unpacked value", [value], state)] * count
