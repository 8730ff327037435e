"""Columns, relationships and elements: what their methods and operators mean in a statement."""

import ast

from validators.ownership.formulas import (
    as_formula,
    comparison,
    equality,
    is_sql,
    membership,
)
from validators.ownership.machine import Call
from validators.ownership.objects import Objects
from validators.ownership.schema import TableModel
from validators.ownership.values import (
    NONE,
    Anything,
    Attr,
    Condition,
    Derived,
    Element,
    ElementValue,
    Equal,
    Formula,
    Opposite,
    Related,
    Statement,
    Unknown,
    Value,
    Within,
)
from validators.ownership.walk import origins

_NEGATED = frozenset({"not_in", "notin_", "is_not", "isnot"})
_COMPUTED = "a value that the database computes"
_PLAIN = frozenset({"desc", "asc", "label", "nulls_first", "nulls_last", "collate", "nullslast"})


class Columns(Objects):
    """Knows columns."""

    def as_element(self, value: Value) -> Element | None:
        """Return the element that a table model or alias is inside a statement, or None."""
        if isinstance(value, ElementValue):
            return value.element
        model = self.model_of(value)
        return Element(model.key) if model is not None else None

    def as_column(self, value: Value) -> Value:
        """Return a selected value, with a table model as an element."""
        element = self.as_element(value)
        return ElementValue(element) if element is not None else value

    def model_at(self, element: Element) -> TableModel:
        """Return an element's table model."""
        return self.schema.models[element.model]

    def key_of(self, element: Element) -> Attr:
        """Return an element's primary key."""
        model = self.model_at(element)
        return Attr(element, model.primary[0] if model.primary else "id")

    def _refers(self, table: str, element: Element) -> bool:
        model = self.model_at(element)
        return table in (model.table, model.name)

    def related_condition(self, related: Related, target: Element) -> Formula:
        """Return the condition under which a relationship connects two elements."""
        model = self.model_at(related.element)
        wanted = model.relations[related.name].columns
        pairs = [
            (key.column, Attr(related.element, key.column), Attr(target, key.target))
            for key in model.foreign
            if self._refers(key.table, target)
        ]
        pairs += [
            (key.column, Attr(target, key.column), Attr(related.element, key.target))
            for key in self.model_at(target).foreign
            if self._refers(key.table, related.element)
        ]
        chosen = [pair for pair in pairs if pair[0] in wanted] or pairs
        if not chosen:
            return Anything((self.key_of(target), self.key_of(related.element)))
        return Equal(chosen[0][1], chosen[0][2])

    def column_method(self, value: Value, name: str, call: Call) -> Value:
        """Return what a method of a column, relationship or predicate gives."""
        if name in _PLAIN or name in ("cast", "self_group", "op"):
            return value
        argument = call.argument(0, "other", "value", "criterion")
        if isinstance(value, Related):
            return Condition(self._related_method(value, name, argument, call))
        if name in ("in_", "any_"):
            return Condition(membership(self, value, argument or NONE, call.state))
        if name in ("is_", "__eq__", "is_not_distinct_from"):
            return Condition(equality(self, value, argument or NONE, call.state))
        if name in _NEGATED or name == "__ne__":
            inner = (
                membership(self, value, argument or NONE, call.state)
                if "in" in name
                else equality(self, value, argument or NONE, call.state)
            )
            return Condition(Opposite(inner))
        values = [value, *call.values()]
        return Condition(comparison(self, ast.Lt(), value, self.together(values), call.state))

    def together(self, values: list[Value]) -> Unknown:
        """Return one unknown value made from several."""
        made = frozenset(origin for value in values for origin in origins(self.as_column(value)))
        return Unknown(_COMPUTED, made | _columns_in(values))

    def _related_method(
        self, related: Related, name: str, argument: Value | None, call: Call
    ) -> Formula:
        model = self.model_at(related.element)
        target = Element(model.relations[related.name].model)
        on = self.related_condition(related, target)
        if name in ("has", "any"):
            parts = [on]
            if argument is not None:
                parts.append(as_formula(self, argument, call.state))
            parts += [
                equality(self, self.element_attribute(target, key), value, call.state)
                for key, value in call.keywords.items()
            ]
            site = self.site(call.node, call.frame, "exists")
            inner = Statement("exists", site.index, sources=(target,), where=tuple(parts))
            return Within(None, inner)
        if name == "contains" and argument is not None:
            return Anything((self.key_of(related.element),))
        if name in ("is_", "__eq__") and argument is not None:
            return equality(self, related, argument, call.state)
        return Anything((self.key_of(related.element),))

    def derived_attribute(self, value: Derived, name: str) -> Value:
        """Return a column of a statement used as a table."""
        if name in ("c", "columns"):
            return value
        for column in value.statement.columns:
            if isinstance(column, Attr) and column.column == name:
                return column
            if isinstance(column, ElementValue) and name in self.model_at(column.element).columns:
                return Attr(column.element, name)
        held = [column for column in value.statement.columns if is_sql(column)]
        return self.together(held)


def is_computed(value: Value) -> bool:
    """Tell whether a value is computed by the database, such as `func.now()`."""
    return isinstance(value, Unknown) and value.reason == _COMPUTED


def _columns_in(values: list[Value]) -> frozenset[Attr]:
    return frozenset(
        Attr(value.element, "id") for value in values if isinstance(value, ElementValue | Related)
    )
