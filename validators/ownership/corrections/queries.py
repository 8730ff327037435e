"""Corrected queries: the predicate that binds a statement to the signed-in user."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field

from validators.ownership.corrections.edits import (
    Edit,
    end_of,
    inserted,
    replaced,
    source_of,
)
from validators.ownership.corrections.scope import Backend
from validators.ownership.recorder import Site
from validators.ownership.schema import TableModel
from validators.ownership.values import ClassValue
from validators.source import Function, Module

_FILTERS = frozenset({"where", "filter"})
_SOURCES = frozenset({"select_from", "join", "outerjoin", "join_from", *_FILTERS})
_STATEMENTS = frozenset({"select", "update", "delete", "query"})
# Parents beyond this many are not joined.
_MOST_JOINS = 3


@dataclass(frozen=True, slots=True)
class Draft:
    """A correction that is not proven yet: its edits, and what it does in one sentence."""

    edits: tuple[Edit, ...]
    fix: str


@dataclass
class Statement:
    """A statement as it stands in the source.

    Attributes:
        module: The module that holds it.
        function: The function around it.
        call: The call that begins it, such as `select(Task)`.
        chain: That call and the calls of methods on it, in order.
        models: The names in it that stand for table models.
    """

    module: Module
    function: Function
    call: ast.Call
    chain: list[ast.Call]
    models: dict[str, TableModel] = field(default_factory=dict)


def read_statement(backend: Backend, site: Site) -> Statement | None:
    """Return the statement of a query site; None where it stands in no function."""
    node = next((n for n, s in backend.interpreter.sites.items() if s is site), None)
    module = backend.module(site.place.path)
    function = backend.function_around(module, node) if node is not None else None
    if not isinstance(node, ast.Call) or function is None:
        return None
    chain = _chain(module, node)
    statement = Statement(module, function, chain[0], chain)
    for inner in ast.walk(chain[-1]):
        if isinstance(inner, ast.Name):
            model = _model(backend, module, function, inner.id)
            if model is not None:
                statement.models[inner.id] = model
    return statement


def _chain(module: Module, node: ast.Call) -> list[ast.Call]:
    """Return the calls from the one that begins a statement to the last method on it."""
    first = node
    while isinstance(first.func, ast.Attribute) and isinstance(first.func.value, ast.Call):
        first = first.func.value
    chain = [first]
    while True:
        attribute = module.index.parent(chain[-1])
        call = module.index.parent(attribute) if isinstance(attribute, ast.Attribute) else None
        if not (isinstance(call, ast.Call) and call.func is attribute):
            return chain
        chain.append(call)


def _model(backend: Backend, module: Module, function: Function, name: str) -> TableModel | None:
    """Return the table model that a name stands for: itself, or through an alias of it."""
    value = backend.interpreter.environments[module.path].env.get(name)
    if isinstance(value, ClassValue):
        return backend.schema.by_node.get(value.node)
    for node in ast.walk(function):
        match node:
            case ast.Assign(
                targets=[ast.Name(id=bound)],
                value=ast.Call(func=ast.Name(id="aliased"), args=[ast.Name(id=inner), *_]),
            ) if bound == name and inner != name:
                return _model(backend, module, function, inner)
            case _:
                continue
    return None


def drafts(backend: Backend, statement: Statement, identity: str) -> Iterator[Draft]:
    """Yield ways to bind a statement to the signed-in user, the plainest first.

    Args:
        backend: The backend.
        statement: The statement that leaks.
        identity: An expression that is the signed-in user's id where the statement stands.
    """
    owned = [(n, m) for n, m in statement.models.items() if m.owners and not m.is_user]
    for name, model in owned:
        for column in model.owners[:2]:
            yield from _bound(backend, statement, name, column, identity)
    for name, model in statement.models.items():
        if model.parents and not model.owners:
            yield from _joined(backend, statement, name, model, identity)
    if len(owned) > 1:
        parts = [f"{name}.{model.owners[0]} == {identity}" for name, model in owned]
        yield from _with_predicate(backend, statement, ", ".join(parts), [])


def _bound(
    backend: Backend, statement: Statement, name: str, column: str, identity: str
) -> Iterator[Draft]:
    predicate = f"{name}.{column} == {identity}"
    fix = f"Compare {name}.{column} with {identity}:"
    yield from _in_place_of_owner(statement, name, column, predicate, identity)
    got = _instead_of_get(backend, statement, name, statement.models[name], predicate)
    if got is not None:
        yield Draft(tuple(got), f"Select the row together with its owner, {identity}:")
    yield from _checked_afterwards(statement, column, identity)
    yield from _with_predicate(backend, statement, predicate, [], fix)
    yield from _inner(statement, name)


def _inner(statement: Statement, name: str) -> Iterator[Draft]:
    """Let an outer join drop the rows that it finds nothing for."""
    module = statement.module
    fix = f"Leave out the rows without {name}:"
    for call in statement.chain:
        if _method(call) == "outerjoin" and isinstance(call.func, ast.Attribute):
            at = end_of(module, call.func)
            yield Draft((Edit(module.path, at - len("outerjoin"), at, "join"),), fix)
        for keyword in call.keywords:
            if keyword.arg in ("isouter", "full") and call.args:
                start = end_of(module, call.args[-1])
                yield Draft((Edit(module.path, start, end_of(module, keyword.value), ""),), fix)


def _in_place_of_owner(
    statement: Statement, name: str, column: str, predicate: str, identity: str
) -> Iterator[Draft]:
    """Replace the argument that compares the owner column with something else."""
    fix = f"Compare {name}.{column} with {identity}:"
    for call in statement.chain:
        for argument in call.args if _method(call) in _FILTERS else ():
            if _mentions(argument, name, column) and not _has_alternatives(argument):
                yield Draft((replaced(statement.module, argument, predicate),), fix)
        for keyword in call.keywords if _method(call) == "filter_by" else ():
            if keyword.arg == column:
                yield Draft((replaced(statement.module, keyword.value, identity),), fix)


def _with_predicate(
    backend: Backend,
    statement: Statement,
    predicate: str,
    joins: list[str],
    fix: str = "Bind the rows to the signed-in user:",
) -> Iterator[Draft]:
    """Add a predicate to the statement, and the joins that it needs before it."""
    del backend
    chain, module = statement.chain, statement.module
    if _method(chain[0]) not in _STATEMENTS:
        return
    joined = "".join(joins)
    filters = [call for call in chain if _method(call) in _FILTERS and call.args]
    sources = [call for call in chain if call is chain[0] or _method(call) in _SOURCES]
    if filters and not joined:
        last = filters[-1]
        at = end_of(module, last.args[-1])
        yield Draft((inserted(module, at, f", {predicate}"),), fix)
    elif filters:
        before = [c for c in sources if _method(c) not in _FILTERS][-1]
        edits = (
            inserted(module, end_of(module, before), joined),
            inserted(module, end_of(module, filters[-1].args[-1]), f", {predicate}"),
        )
        yield Draft(edits, fix)
    else:
        method = "filter" if _method(chain[0]) == "query" else "where"
        at = end_of(module, sources[-1])
        yield Draft((inserted(module, at, f"{joined}.{method}({predicate})"),), fix)


def _joined(
    backend: Backend, statement: Statement, name: str, model: TableModel, identity: str
) -> Iterator[Draft]:
    """Bind a child through its parents."""
    for column, key, target in model.parents:
        way = _way_up(backend, name, model, (column, key, target))
        if way is None:
            continue
        joins, owner, parents = way
        imports = [backend.model_names(parent, statement.module) for parent in parents]
        if any(found is None for found in imports):
            continue
        edits = tuple(edit for found in imports for edit in found or ())
        predicate = f"{owner} == {identity}"
        fix = f"Compare {owner} with {identity}:"
        present = {m.name for m in statement.models.values()}
        needed = [j for j, parent in zip(joins, parents, strict=True) if parent.name not in present]
        got = _instead_of_get(backend, statement, name, model, predicate, needed)
        if got is not None:
            yield Draft((*edits, *got), fix)
        if _method(statement.chain[0]) in ("update", "delete"):
            predicate, needed = (
                _within(backend, statement, name, column, parents, joins, predicate),
                [],
            )
        for draft in _with_predicate(backend, statement, predicate, needed, fix):
            yield Draft((*edits, *draft.edits), draft.fix)


def _way_up(
    backend: Backend, name: str, model: TableModel, parent: tuple[str, str, str]
) -> tuple[list[str], str, list[TableModel]] | None:
    """Return the joins from a child to the parent that has an owner, and that owner's column."""
    joins: list[str] = []
    parents: list[TableModel] = []
    column, key, target = parent
    for _ in range(_MOST_JOINS):
        found = backend.schema.models[key]
        joins.append(f".join({found.name}, {found.name}.{target} == {name}.{column})")
        parents.append(found)
        if found.owners:
            return joins, f"{found.name}.{found.owners[0]}", parents
        if not found.parents:
            return None
        name, model = found.name, found
        column, key, target = model.parents[0]
    return None


def _within(
    backend: Backend, statement: Statement, name: str, column: str,
    parents: list[TableModel], joins: list[str], predicate: str,
) -> str:  # fmt: skip
    """Return the predicate that a key is among those of the user's own parents."""
    inner = f"select({parents[0].name}.{parents[0].primary[0]}){''.join(joins[1:])}"
    key = f"{name}.{column}"
    wrapped = f"col({key})" if backend.knows(statement.module, "col") else key
    return f"{wrapped}.in_({inner}.where({predicate}))"


def _instead_of_get(
    backend: Backend,
    statement: Statement,
    name: str,
    model: TableModel,
    predicate: str,
    joins: list[str] | None = None,
) -> list[Edit] | None:
    """Return the edits that select a row in place of `session.get(Model, key)`."""
    call, module = statement.chain[0], statement.module
    if _method(call) not in ("get", "get_one") or len(call.args) != 2:  # noqa: PLR2004  # model and key
        return None
    if not isinstance(call.func, ast.Attribute) or len(model.primary) != 1:
        return None
    imports = backend.imported_anywhere("select", module)
    if imports is None:
        return None
    session, key = source_of(module, call.func.value), source_of(module, call.args[1])
    where = f"{name}.{model.primary[0]} == {key}, {predicate}"
    query = f"select({name}){''.join(joins or [])}.where({where})"
    node: ast.AST = call
    around = module.index.parent(call)
    is_async = isinstance(around, ast.Await)
    run = f"{session}.exec({query})" if _uses_exec(backend) else f"{session}.scalars({query})"
    text = f"(await {run}).first()" if is_async else f"{run}.first()"
    if is_async and around is not None:
        node = around
    return [*imports, replaced(module, node, text)]


def _uses_exec(backend: Backend) -> bool:
    return any(
        isinstance(call.func, ast.Attribute) and call.func.attr == "exec"
        for module in backend.program.modules.values()
        for call in module.index.of(ast.Call)
    )


def _checked_afterwards(statement: Statement, column: str, identity: str) -> Iterator[Draft]:
    """Mend the condition that looks at the fetched row."""
    module = statement.module
    name = _bound_name(module, statement.chain[-1])
    if name is None:
        return
    wanted = f"{name} is None or {name}.{column} != {identity}"
    for node in ast.walk(statement.function):
        if not isinstance(node, ast.If) or node.lineno < statement.call.lineno:
            continue
        if not any(isinstance(end, ast.Raise | ast.Return) for end in node.body):
            continue
        names = {inner.id for inner in ast.walk(node.test) if isinstance(inner, ast.Name)}
        if name in names:
            fix = f"Refuse the row where {name}.{column} is not {identity}:"
            yield Draft((replaced(module, node.test, wanted),), fix)
            return


def _bound_name(module: Module, node: ast.AST) -> str | None:
    """Return the name to which the value of an expression is assigned."""
    around = module.index.parent(node)
    while isinstance(around, ast.Attribute | ast.Call | ast.Await):
        around = module.index.parent(around)
    match around:
        case ast.Assign(targets=[ast.Name(id=name)]) | ast.NamedExpr(target=ast.Name(id=name)):
            return name
        case _:
            return None


def _method(call: ast.Call) -> str:
    func = call.func
    return func.attr if isinstance(func, ast.Attribute) else getattr(func, "id", "")


def _mentions(node: ast.AST, name: str, column: str) -> bool:
    return any(
        isinstance(inner, ast.Attribute)
        and inner.attr == column
        and isinstance(inner.value, ast.Name)
        and inner.value.id == name
        for inner in ast.walk(node)
    )


def _has_alternatives(node: ast.AST) -> bool:
    return any(
        (isinstance(inner, ast.Call) and _method(inner) == "or_")
        or (isinstance(inner, ast.BinOp) and isinstance(inner.op, ast.BitOr))
        for inner in ast.walk(node)
    )


def offending(statement: Statement, line: int) -> ast.expr | None:
    """Return what a statement compares an owner or parent column with wrongly on a line."""
    for call in statement.chain:
        for argument in call.args if _method(call) in _FILTERS else ():
            for name, model in statement.models.items():
                columns = (*model.owners, *(column for column, _, _ in model.parents))
                if any(_mentions(argument, name, column) for column in columns):
                    is_near = argument.lineno == argument.end_lineno == line
                    return argument if is_near else None
    return None
