"""One statement of SQL, parsed, as the statement under construction that it is."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from validators.ownership.statements import Statements
from validators.ownership.text import COMPUTED, HOLE
from validators.ownership.values import (
    Anything,
    Attr,
    Both,
    Const,
    Derived,
    Either,
    Element,
    ElementValue,
    Equal,
    Formula,
    Joined,
    Opaque,
    Opposite,
    Statement,
    Term,
    Unfollowed,
    Value,
    Within,
)

_SAME = (exp.Cast, exp.Lower, exp.Upper, exp.Trim, exp.Paren)


class UnreadableError(Exception):
    """The text is no SQL, or a statement of a kind that is not followed."""


def read_sql(machine: Statements, sql: str, site: int, holes: dict[str, Value]) -> Statement:
    """Return the statement that a text is.

    Args:
        machine: Knows the table models.
        sql: PostgreSQL, with its parameters written as `:name`.
        site: The query site.
        holes: Values written into the text, by the parameter in their place.

    Raises:
        UnreadableError: It cannot be parsed, or is of a kind that is not followed.
    """
    try:
        statement = _Reader(machine, site).read(sqlglot.parse_one(sql, dialect="postgres"), {})
    except (SqlglotError, RecursionError) as error:
        raise UnreadableError from error
    return replace(statement, is_text=True, holes=tuple(holes.items()))


@dataclass
class _Reader:
    """Reads one parsed statement."""

    machine: Statements
    site: int
    names: dict[str, Statement] = field(default_factory=dict)

    def read(self, tree: exp.Expr, outer: dict[str, Element | Statement]) -> Statement:
        """Return the statement of a syntax tree."""
        for table in tree.ctes if hasattr(tree, "ctes") else []:
            self.names[table.alias.lower()] = self.read(table.this, {})
        match tree:
            case exp.Select():
                return self._select(tree, outer)
            case exp.Subquery():
                return self.read(tree.this, outer)
            case exp.Union():
                parts = (self.read(tree.left, outer), self.read(tree.right, outer))
                return Statement("select", self.site, parts[0].columns, parts=parts, is_union=True)
            case exp.Update() | exp.Delete():
                return self._change(tree)
            case exp.Insert():
                return self._insert(tree)
            case _:
                raise UnreadableError

    def _select(self, tree: exp.Select, outer: dict[str, Element | Statement]) -> Statement:
        scope: dict[str, Element | Statement] = {}
        source = tree.args.get("from_") or tree.args.get("from")
        if source is not None:
            self._add_table(source.this, tree, scope)
        joins = [
            (join, self._add_table(join.this, tree, scope)) for join in tree.args.get("joins") or []
        ]
        every = {**outer, **scope}
        made = []
        conditions: list[Formula] = []
        for join, element in joins:
            on = self._joined_on(join, every)
            if isinstance(element, Element):
                is_outer = str(join.side or "").upper() in ("LEFT", "FULL", "RIGHT")
                made.append(Joined(element, on, is_outer))
            else:
                conditions.append(on)
        where = tree.args.get("where")
        if where is not None:
            conditions.append(self._formula(where.this, every))
        columns = tuple(c for item in tree.expressions for c in self._column(item, every, scope))
        return Statement(
            "select",
            self.site,
            columns,
            tuple(e for e in scope.values() if isinstance(e, Element)),
            tuple(made),
            tuple(conditions),
            tuple(s for s in scope.values() if isinstance(s, Statement)),
        )

    def _add_source(
        self, node: exp.Expr, scope: dict[str, Element | Statement]
    ) -> Element | Statement | None:
        name = node.alias_or_name.lower()
        if isinstance(node, exp.Subquery):
            scope[name] = self.read(node.this, {})
            return scope[name]
        if not isinstance(node, exp.Table):
            raise UnreadableError
        inner = self.names.get(node.name.lower())
        if inner is not None:
            scope[name] = inner
            return inner
        model = self.machine.schema.table(node.name)
        if model is None:
            return None
        is_again = any(isinstance(e, Element) and e.model == model.key for e in scope.values())
        alias = self.machine.number(("sql", self.site, name, id(node))) if is_again else 0
        scope[name] = Element(model.key, alias)
        return scope[name]

    def _add_table(
        self, node: exp.Expr, tree: exp.Select, scope: dict[str, Element | Statement]
    ) -> Element | Statement | None:
        found = self._add_source(node, scope)
        return found or self._add_external(node, _columns_of(node, tree), scope)

    def _add_external(
        self, node: exp.Expr, columns: tuple[str, ...], scope: dict[str, Element | Statement]
    ) -> Element | None:
        """Add a table that no class maps, where it says who is signed in."""
        alias = node.alias_or_name.lower()
        model = self.machine.schema.external(node.name, columns)
        if model is None:
            return None
        scope[alias] = element = Element(model.key)
        return element

    def _joined_on(self, join: exp.Join, scope: dict[str, Element | Statement]) -> Formula:
        on = join.args.get("on")
        if on is not None:
            return self._formula(on, scope)
        return Anything()

    def _change(self, tree: exp.Update | exp.Delete) -> Statement:
        scope: dict[str, Element | Statement] = {}
        self._add_source(tree.this, scope)
        for extra in tree.args.get("using") or []:
            self._add_source(extra, scope)
        source = tree.args.get("from_") or tree.args.get("from")
        if source is not None:
            self._add_source(source.this, scope)
        where = tree.args.get("where")
        conditions = (self._formula(where.this, scope),) if where is not None else ()
        assigned = tuple(
            (item.this.name, self._value(item.expression, scope))
            for item in tree.expressions
            if isinstance(tree, exp.Update) and isinstance(item, exp.EQ)
        )
        elements = tuple(e for e in scope.values() if isinstance(e, Element))
        kind = "update" if isinstance(tree, exp.Update) else "delete"
        return Statement(kind, self.site, (), elements, where=conditions, assigned=assigned)

    def _insert(self, tree: exp.Insert) -> Statement:
        target = tree.this
        listed = target.expressions if isinstance(target, exp.Schema) else []
        scope: dict[str, Element | Statement] = {}
        table = target.this if isinstance(target, exp.Schema) else target
        if self._add_source(table, scope) is None:
            self._add_external(table, tuple(item.name for item in listed), scope)
        elements = tuple(e for e in scope.values() if isinstance(e, Element))
        names = [item.name for item in listed]
        source = tree.expression
        if isinstance(source, exp.Values) and source.expressions:
            row = source.expressions[0]
            values = [self._value(item, {}) for item in row.expressions]
            assigned = tuple(zip(names, values, strict=False))
            return Statement("insert", self.site, (), elements, assigned=assigned)
        part = self.read(source, {})
        assigned = tuple(zip(names, part.columns, strict=False))
        return Statement("insert", self.site, (), elements, parts=(part,), assigned=assigned)

    # Expressions.

    def _formula(self, node: exp.Expr, scope: dict[str, Element | Statement]) -> Formula:
        match node:
            case exp.And():
                return Both((self._formula(node.left, scope), self._formula(node.right, scope)))
            case exp.Or():
                return Either((self._formula(node.left, scope), self._formula(node.right, scope)))
            case exp.Not():
                return Opposite(self._formula(node.this, scope))
            case exp.Paren():
                return self._formula(node.this, scope)
            case exp.EQ():
                return self._equal(node.left, node.right, scope)
            case exp.In():
                return self._in(node, scope)
            case exp.Exists():
                return Within(None, self.read(node.this, scope))
            case exp.Placeholder():
                return Unfollowed("a predicate that is put together from pieces")
            case exp.Boolean():
                return Both(()) if node.this else Either(())
            case _:
                return Anything(tuple(self._mentioned(node, scope)))

    def _equal(
        self, left: exp.Expr, right: exp.Expr, scope: dict[str, Element | Statement]
    ) -> Formula:
        if isinstance(right, exp.Any):
            right = right.this
        one, other = self._term(left, scope), self._term(right, scope)
        if not (isinstance(one, Attr) or isinstance(other, Attr)):
            is_true = isinstance(one, Const) and one == other
            return Both(()) if is_true else Anything()
        return Equal(one, other)

    def _in(self, node: exp.In, scope: dict[str, Element | Statement]) -> Formula:
        term = self._term(node.this, scope)
        query = node.args.get("query")
        if query is not None:
            return Within(term, self.read(query, scope))
        return Either(tuple(Equal(term, self._term(e, scope)) for e in node.expressions))

    def _mentioned(self, node: exp.Expr, scope: dict[str, Element | Statement]) -> Iterator[Term]:
        for column in node.find_all(exp.Column):
            term = self._term(column, scope)
            if isinstance(term, Attr):
                yield term

    def _term(self, node: exp.Expr, scope: dict[str, Element | Statement]) -> Term:
        while isinstance(node, _SAME):
            node = node.this
        match node:
            case exp.Column():
                return self._resolve(node, scope)
            case exp.Placeholder():
                return Opaque(f":{node.name}")
            case exp.Literal():
                text = str(node.this)
                if node.is_string and text.startswith(f":{HOLE}"):
                    return Opaque(text)
                return Const(text if node.is_string else _number(text))
            case exp.Null():
                return Const(None)
            case _:
                return Opaque(f"the SQL expression {node.sql()[:40]}")

    def _resolve(self, node: exp.Column, scope: dict[str, Element | Statement]) -> Term:
        table = node.table.lower()
        candidates = [scope[table]] if table in scope else list(scope.values())
        for source in reversed(candidates):
            if isinstance(source, Element):
                model = self.machine.model_at(source)
                known = {column.lower(): column for column in model.columns}
                found = known.get(node.name.lower())
                if found is not None:
                    return Attr(source, found)
            else:
                column = self._column_of(source, node.name)
                if column is not None:
                    return column
        elements = [source for source in candidates if isinstance(source, Element)]
        if len(elements) == 1:
            return Attr(elements[0], node.name)
        return Opaque(f"the column {node.name}")

    def _column_of(self, source: Statement, name: str) -> Attr | None:
        for column in source.columns:
            if isinstance(column, Attr) and column.column.lower() == name.lower():
                return column
            if isinstance(column, ElementValue):
                known = self.machine.model_at(column.element).columns
                if name in known:
                    return Attr(column.element, name)
        return None

    def _column(
        self,
        node: exp.Expr,
        scope: dict[str, Element | Statement],
        own: dict[str, Element | Statement],
    ) -> Iterator[Value]:
        inner = node.this if isinstance(node, exp.Alias) else node
        if isinstance(inner, exp.Star) or (
            isinstance(inner, exp.Column) and isinstance(inner.this, exp.Star)
        ):
            for source in own.values():
                if isinstance(source, Element):
                    yield ElementValue(source)
                else:
                    yield from source.columns
        elif isinstance(inner, exp.Subquery):
            yield self.read(inner, scope)
        elif isinstance(inner, exp.Column):
            yield self._resolve(inner, scope)
        else:
            yield replace(COMPUTED, origins=frozenset(self._mentioned(inner, scope)))

    def _value(self, node: exp.Expr, scope: dict[str, Element | Statement]) -> Value:
        if isinstance(node, exp.Subquery):
            return Derived(self.read(node, scope))
        return self._term(node, scope)


def _number(text: str) -> object:
    try:
        return int(text)
    except ValueError:
        return text


def _columns_of(table: exp.Expr, tree: exp.Select) -> tuple[str, ...]:
    """Return the columns of a table that a statement names."""
    names = ("", table.alias_or_name.lower())
    return tuple(
        column.name
        for column in tree.find_all(exp.Column)
        if column.table.lower() in names and not isinstance(column.this, exp.Star)
    )
