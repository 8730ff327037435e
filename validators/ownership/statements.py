"""Statements under construction: `select` and its relatives, and what their methods add."""

import ast
from collections.abc import Iterator
from dataclasses import replace
from dataclasses import replace as replace_call
from typing import TYPE_CHECKING

from validators.ownership.columns import Columns
from validators.ownership.formulas import (
    as_formula,
    equality,
    is_column,
)
from validators.ownership.machine import Call
from validators.ownership.recorder import (
    Event,
    Frame,
)
from validators.ownership.state import State, choice, weakest
from validators.ownership.values import (
    NONE,
    Anything,
    Assumed,
    Attr,
    Both,
    Choice,
    ClassValue,
    Condition,
    Const,
    Derived,
    Either,
    Element,
    ElementValue,
    Equal,
    Formula,
    Items,
    Joined,
    Load,
    Related,
    Statement,
    Term,
    Unfollowed,
    Unknown,
    Value,
)
from validators.ownership.walk import mentioned, origins, renamed_elements

if TYPE_CHECKING:
    from validators.ownership.facts import Facts

_FILTERS = frozenset({"where", "filter", "having"})
_TABLES = frozenset({"subquery", "cte", "alias"})
_SCALARS = frozenset({"scalar_subquery", "as_scalar", "label"})
_UNIONS = frozenset({"union", "union_all"})


# Of more lists of predicates than this, only what all of them hold is kept.
MOST_LISTS = 4


class Statements(Columns):
    """Builds statements."""

    def prepare(self) -> None:
        """Set up what statements need."""
        super().prepare()
        # The subquery or CTE in which an element stands.
        self.tables: dict[Element, Statement] = {}
        # What became of the statement that each query site began.
        self.begun: dict[int, Statement] = {}

    # Elements.

    def elements_of(self, statement: Statement, outer: frozenset[Element]) -> list[Element]:
        """Return the elements that a statement reads itself, in order."""
        found: dict[Element, None] = {}
        for column in statement.columns:
            found |= dict.fromkeys(_elements_in(column))
        found |= dict.fromkeys(statement.sources)
        found |= dict.fromkeys(joined.element for joined in statement.joins)
        compared: dict[Element, None] = {}
        for formula in (*statement.where, *(joined.on for joined in statement.joins)):
            compared |= dict.fromkeys(mentioned(formula))
        found |= {element: None for element in compared if element not in outer}
        return list(found)

    def with_parts(self, statement: Statement) -> list[Statement]:
        """Return a statement with every subquery and CTE that it reads, at any depth."""
        found = {statement.site: statement}
        queue = [statement]
        for one in queue:
            inner = [self.tables[e] for e in self.elements_of(one, frozenset()) if e in self.tables]
            for part in (*one.parts, *inner):
                if part.site not in found:
                    found[part.site] = part
                    queue.append(part)
        return list(found.values())

    def column_of(self, statement: Statement) -> Term | None:
        """Return the column that a statement selects first, or None."""
        if not statement.columns:
            return None
        first = statement.columns[0]
        if isinstance(first, ElementValue):
            return self.key_of(first.element)
        return first if isinstance(first, Attr) else None

    # Beginnings.

    def begin(self, kind: str, call: Call) -> Value:
        """Return a new statement of a kind, on what a call names."""
        for index, value in enumerate(call.args):
            if isinstance(value, Choice) and any(self.as_element(m) for m, _ in value.members):
                # It is one of several table models.
                return choice(
                    (self.begin(kind, with_argument(call, index, member)), facts)
                    for member, facts in value.members
                )
        return self.noted(self._begin(kind, call), call)

    def query_of(self, cls: ClassValue, node: ast.AST, state: State, frame: Frame) -> Value:
        """Return the query on a table model that its `query` attribute begins."""
        assert isinstance(node, ast.expr)  # noqa: S101  # attributes are read by expressions
        return self.begin("query", Call(node, state, frame, [cls]))

    def noted(self, statement: Statement, call: Call) -> Statement:
        """Note what a statement has become: where it runs must be seen, or it is unproven."""
        if statement.kind != "insert" and not statement.is_union:
            self.begun[statement.site] = statement
            self.record(call.frame, Event("begun", 0, statement.site, ""))
        return statement

    def _begin(self, kind: str, call: Call) -> Statement:
        site = self.site(call.node, call.frame, kind)
        columns = tuple(self.as_column(value) for value in call.args)
        if kind in ("update", "delete", "insert"):
            elements = tuple(e for e in map(self.as_element, call.args[:1]) if e is not None)
            return Statement(kind, site.index, sources=elements)
        if kind == "exists":
            return self._begin_exists(site.index, call)
        derived = tuple(column.statement for column in columns if isinstance(column, Derived))
        return Statement(kind, site.index, columns, parts=derived)

    def _begin_exists(self, site: int, call: Call) -> Statement:
        if call.args and isinstance(call.args[0], Statement):
            return replace(call.args[0], kind="exists")
        columns = tuple(self.as_column(value) for value in call.args)
        return Statement("exists", site, columns)

    def united(self, call: Call) -> Statement:
        """Return the union of statements."""
        site = self.site(call.node, call.frame, "select")
        parts = tuple(value for value in call.args if isinstance(value, Statement))
        columns = parts[0].columns if parts else ()
        return Statement("select", site.index, columns, parts=parts, is_union=True)

    def alias(self, call: Call) -> Value:
        """Return an alias of a table model."""
        value = call.argument(0, "element", "alias") or NONE
        if isinstance(value, Choice) or len(call.args) > 1:
            return self.derived("an alias of a subquery", call.args, call.state)
        element = self.as_element(value)
        if element is None:
            return value
        return ElementValue(Element(element.model, self.number((call.node, element))))

    # Methods.

    def statement_method(self, statement: Statement, name: str, call: Call) -> Value | None:  # noqa: C901, PLR0912  # one branch for each kind
        """Return what a statement's method gives; None where it is no building method."""
        for index, value in enumerate(call.args):
            if isinstance(value, Choice) and any(_is_table(m) for m, _ in value.members):
                return self._with_each(statement, name, call, index)
        if name in _FILTERS:
            return self.filtered(statement, call)
        if name == "bindparams" and statement.is_text:
            return replace(statement, holes=(*statement.holes, *call.keywords.items()))
        if name == "filter_by":
            return self._filtered_by(statement, call)
        if name in ("join", "outerjoin", "join_from", "outerjoin_from"):
            return self._joined(statement, name, call)
        if name == "select_from":
            return self._selecting_from(statement, call)
        if name in ("with_only_columns", "add_columns", "add_column", "with_entities"):
            kept = statement.columns if name.startswith("add") else ()
            # The element stays in FROM even where none of its columns is selected any more.
            sources = (*statement.sources, *self.elements_of(statement, frozenset()))
            columns = (*kept, *(self.as_column(value) for value in call.args))
            return replace(statement, columns=columns, sources=tuple(dict.fromkeys(sources)))
        if name in _TABLES:
            return Derived(self._as_table(statement, call))
        if name in _SCALARS:
            return statement
        if name == "exists":
            return replace(statement, kind="exists")
        if name == "returning":
            columns = tuple(self.as_column(value) for value in call.args)
            return replace(statement, columns=columns)
        if name == "values":
            return self.assigning(statement, call)
        if name == "options":
            loads = tuple(value for value in call.args if isinstance(value, Load))
            return replace(statement, loads=(*statement.loads, *loads))
        if name in _UNIONS:
            return self.united(Call(call.node, call.state, call.frame, [statement, *call.args]))
        if name == "from_select":
            return self._from_select(statement, call)
        if name in _BUILDERS:
            return statement
        return None

    def _with_each(self, statement: Statement, name: str, call: Call, index: int) -> Value | None:
        """Return what a method gives for each of several tables."""
        several = call.args[index]
        assert isinstance(several, Choice)  # noqa: S101  # the caller has looked
        found: list[tuple[Value, Facts]] = []
        for member, facts in several.members:
            given = self.statement_method(statement, name, with_argument(call, index, member))
            if given is not None:
                found.append((given, facts))
        return choice(found) if found else None

    def filtered(self, statement: Statement, call: Call) -> Statement:
        """Return a statement with more predicates."""
        added = [as_formula(self, value, call.state) for value in call.args]
        if call.rest is not None:
            added.append(self._some(call.rest, call.state))
        return replace(statement, where=(*statement.where, *added))

    def _some(self, value: Value, state: State) -> Formula:
        """Return the formula of a list of predicates of which any may be missing."""
        if isinstance(value, Choice):
            formulas = [self._some(member, state) for member, _ in value.members]
            if len(formulas) > MOST_LISTS and all(isinstance(f, Both) for f in formulas):
                return Both(weakest([f.parts for f in formulas if isinstance(f, Both)]))
            facts = [facts for _, facts in value.members]
            return Either(tuple(map(Assumed, formulas, facts)))
        if isinstance(value, Items):
            if value.items is not None:
                return Both(tuple(as_formula(self, item, state) for item in value.items))
            about = origins(value.each) if value.each is not None else frozenset()
            terms = tuple(sorted((t for t in about if is_column(t)), key=str))
            return Anything(terms)  # type: ignore[arg-type]
        return as_formula(self, value, state)

    def _filtered_by(self, statement: Statement, call: Call) -> Statement:
        elements = [joined.element for joined in statement.joins][-1:]
        elements += self.elements_of(statement, frozenset())[:1]
        if not elements:
            return statement
        added: list[Formula] = []
        for name, value in call.keywords.items():
            column = self.element_attribute(elements[0], name)
            added.append(equality(self, column, value, call.state))
        if call.more is not None:
            added.append(Unfollowed("filter_by takes keys that are not known"))
        return replace(statement, where=(*statement.where, *added))

    def _joined(self, statement: Statement, name: str, call: Call) -> Statement:
        args = list(call.args)
        if name.endswith("_from") and args:
            element = self.as_element(args.pop(0))
            if element is not None:
                statement = replace(statement, sources=(*statement.sources, element))
        if not args:
            return statement
        target, *conditions = args
        condition = conditions[0] if conditions else call.argument(-1, "onclause")
        is_outer = name.startswith("outer") or _is_set(call, "isouter") or _is_set(call, "full")
        if isinstance(target, Derived):
            return self._joined_table(statement, target, condition, call, is_outer=is_outer)
        element, on = self._join_target(statement, target, condition, call.state)
        if element is None:
            return replace(
                statement,
                where=(*statement.where, Unfollowed("a join that cannot be followed")),
            )
        joined = Joined(element, on, is_outer)
        return replace(statement, joins=(*statement.joins, joined))

    def _joined_table(
        self,
        statement: Statement,
        target: Derived,
        condition: Value | None,
        call: Call,
        *,
        is_outer: bool,
    ) -> Statement:
        parts = (*statement.parts, target.statement)
        if is_outer or condition is None:
            return replace(statement, parts=parts)
        on = as_formula(self, condition, call.state)
        return replace(statement, parts=parts, where=(*statement.where, on))

    def _join_target(
        self, statement: Statement, target: Value, condition: Value | None, state: State
    ) -> tuple[Element | None, Formula]:
        if isinstance(condition, Related):
            element = self.as_element(target)
            on = self.related_condition(condition, element) if element else Anything()
            return element, on
        if isinstance(target, Related):
            model = self.model_at(target.element)
            element = Element(model.relations[target.name].model)
            return element, self.related_condition(target, element)
        element = self.as_element(target)
        if element is None:
            return None, Anything()
        if condition is not None:
            return element, as_formula(self, condition, state)
        return element, self._implied(statement, element)

    def _implied(self, statement: Statement, target: Element) -> Formula:
        """Return the condition that foreign keys imply for a join without one."""
        for element in reversed(self.elements_of(statement, frozenset())):
            for one, other in ((element, target), (target, element)):
                for key in self.model_at(one).foreign:
                    if self._refers(key.table, other):
                        return Equal(Attr(one, key.column), Attr(other, key.target))
        return Anything()

    def _selecting_from(self, statement: Statement, call: Call) -> Statement:
        for value in call.args:
            if isinstance(value, Derived | Statement):
                inner = value.statement if isinstance(value, Derived) else value
                statement = replace(statement, parts=(*statement.parts, inner))
                continue
            element = self.as_element(value)
            if element is not None:
                statement = replace(statement, sources=(*statement.sources, element))
        return statement

    def _as_table(self, statement: Statement, call: Call) -> Statement:
        """Return a statement whose elements are its own, as in a subquery."""
        if statement.is_union:
            return replace(
                statement, parts=tuple(self._as_table(part, call) for part in statement.parts)
            )
        new = {
            element: Element(element.model, self.number((call.node, element, statement.site)))
            for element in self.elements_of(statement, frozenset())
        }
        renamed = renamed_elements(statement, new)
        for element in new.values():
            self.tables[element] = renamed
        return renamed

    def assigning(self, statement: Statement, call: Call) -> Statement:
        """Return an update or insert with the columns that it writes."""
        written = dict(statement.assigned)
        for value in call.args:
            if value is not NONE and hasattr(value, "known"):
                written |= {str(key): held for key, held in value.known}
            else:
                written["*"] = value
        written |= call.keywords
        if call.more is not None:
            written["*"] = call.more
        return replace(statement, assigned=tuple(written.items()))

    def _from_select(self, statement: Statement, call: Call) -> Statement:
        """Return an insert of the rows that another statement selects."""
        names, source = call.argument(0, "names"), call.argument(1, "select")
        if not isinstance(source, Statement):
            return replace(statement, assigned=(("*", Unknown("rows that cannot be followed")),))
        listed = names.items if isinstance(names, Items) and names.items is not None else ()
        assigned = tuple(
            (self._column_name(name), value)
            for name, value in zip(listed, source.columns, strict=False)
        )
        return replace(statement, parts=(source,), assigned=assigned)

    def _column_name(self, value: Value) -> str:
        return value.column if isinstance(value, Attr) else str(getattr(value, "value", ""))


_BUILDERS = frozenset(
    {
        "order_by", "limit", "offset", "distinct", "group_by", "with_for_update",
        "execution_options", "prefix_with", "params", "correlate", "enable_eagerloads",
        "populate_existing", "yield_per", "slice", "add_criteria", "with_hint", "autoflush",
        "correlate_except", "fetch", "reverse", "on_conflict_do_nothing", "on_conflict_do_update",
        "bindparams", "columns", "compile", "from_statement", "set_label_style", "unique",
    }
)  # fmt: skip


def with_argument(call: Call, index: int, value: Value) -> Call:
    """Return a call with one positional argument replaced."""
    return replace_call(call, args=[*call.args[:index], value, *call.args[index + 1 :]])


def _is_table(value: Value) -> bool:
    return isinstance(value, Derived | Statement)


def _is_set(call: Call, name: str) -> bool:
    value = call.keywords.get(name)
    return value is not None and value != Const(False)  # noqa: FBT003  # the constant itself


def _elements_in(value: Value) -> Iterator[Element]:
    if isinstance(value, ElementValue):
        yield value.element
    elif isinstance(value, Derived):
        return
    elif isinstance(value, Related):
        yield value.element
    else:
        for origin in sorted(origins(value), key=str):
            if isinstance(origin, Attr) and isinstance(origin.row, Element):
                yield origin.row
        if isinstance(value, Condition):
            yield from mentioned(value.formula)
