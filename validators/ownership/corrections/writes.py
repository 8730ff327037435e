"""Corrected writes: owners taken from the request, and keys of parents stored unchecked."""

import ast
import re
from collections.abc import Iterator

from validators.ownership.corrections.edits import (
    Edit,
    end_of,
    inserted,
    inserted_before,
    replaced,
    source_of,
)
from validators.ownership.corrections.queries import Draft, _uses_exec
from validators.ownership.corrections.scope import Backend
from validators.ownership.schema import TableModel
from validators.ownership.writes import LOOKED_UP
from validators.report import Finding
from validators.source import Function, Module

_STORED = re.compile(r"^(?P<model>\w+)\.(?P<column>\w+) is (?:set to|stored from) (?P<what>\S+)")
_SESSIONS = frozenset({"add", "add_all", "commit", "exec", "execute", "scalars", "get", "flush"})
_MOST_PARENTS = 3


def owner_drafts(
    backend: Backend, finding: Finding, module: Module, node: ast.AST, function: Function
) -> Iterator[Draft]:
    """Yield ways to set the owner of a new row from the signed-in user (BP305)."""
    known = _stored(backend, finding)
    if known is None:
        return
    _, column, _ = known
    for identity in backend.identities(function, column=column)[:2]:
        fix = f"Set {column} from the signed-in user, whatever the request says:"
        for call in _calls(node):
            yield from _with_owner(module, call, column, identity, fix)
        name = _row_name(module, node)
        stores = [c for c in ast.walk(function) if _is_store(c, name)] if name else []
        for store in stores[:1]:
            statement = backend.statement_around(module, store)
            if statement is not None:
                line = f"{name}.{column} = {identity}"
                yield Draft((inserted_before(module, statement, [line]),), fix)


def _with_owner(
    module: Module, call: ast.Call, column: str, identity: str, fix: str
) -> Iterator[Draft]:
    for keyword in call.keywords:
        if keyword.arg == column:
            yield Draft((replaced(module, keyword.value, identity),), fix)
            return
    spread = next((k for k in call.keywords if k.arg is None), None)
    if spread is not None:
        own = f'**{{**{source_of(module, spread.value)}, "{column}": {identity}}}'
        yield Draft((replaced(module, spread, own),), fix)
    if isinstance(call.func, ast.Attribute) and call.func.attr in ("model_validate", "from_orm"):
        at = end_of(module, call.args[-1]) if call.args else 0
        text = f', update={{"{column}": {identity}}}'
        if at and not any(k.arg == "update" for k in call.keywords):
            yield Draft((inserted(module, at, text),), fix)


def _is_store(node: ast.AST, name: str | None) -> bool:
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in ("add", "merge")
        and any(isinstance(a, ast.Name) and a.id == name for a in node.args)
    )


def _row_name(module: Module, node: ast.AST) -> str | None:
    """Return the name of a row: what it is assigned to, or the parameter in which it comes."""
    if isinstance(node, ast.arg):
        return node.arg
    around = module.index.parent(node)
    if isinstance(around, ast.Assign) and isinstance(around.targets[0], ast.Name):
        return around.targets[0].id
    return None


def change_drafts(
    backend: Backend, finding: Finding, module: Module, node: ast.AST, function: Function
) -> Iterator[Draft]:
    """Yield ways to leave the owner out of an update (BP307)."""
    known = _stored(backend, finding)
    if known is None:
        return
    column = known[1]
    fix = f"Leave {column} out of what the update writes:"
    for call in filter(_dumps_everything, _calls(function)):
        before = ", " if call.args or call.keywords else ""
        text = f'{before}exclude={{"{column}"}}'
        yield Draft((inserted(module, end_of(module, call) - 1, text),), fix)
    if LOOKED_UP in finding.message or "transfer" in finding.message:
        return  # a row that is given away is not mended by keeping it
    statement = backend.statement_around(module, node)
    kept: list[ast.expr] = [k.value for c in _calls(node) for k in c.keywords if k.arg == column]
    if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Attribute):
        kept.append(statement.value)
    for identity in backend.identities(function, column=column)[:1]:
        for value in kept:
            yield Draft((replaced(module, value, identity),), f"Keep the owner, {identity}:")


def _dumps_everything(call: ast.Call) -> bool:
    return (
        isinstance(call.func, ast.Attribute)
        and call.func.attr in ("model_dump", "dict")
        and not any(keyword.arg in ("exclude", "include") for keyword in call.keywords)
    )


def parent_drafts(
    backend: Backend, finding: Finding, module: Module, node: ast.AST, function: Function
) -> Iterator[Draft]:
    """Yield the check of a parent before its key is stored (BP306)."""
    known = _stored(backend, finding)
    statement = backend.statement_around(module, node)
    if known is None or statement is None:
        return
    model, column, what = known
    key = next((key for name, key, _ in model.parents if name == column), None)
    session = _session(function)
    if key is None or session is None:
        return
    parent = backend.schema.models[key]
    for value in _values(module, node, column, what):
        for identity in backend.identities(function)[:2]:
            edits = _check(backend, module, statement, parent, session, value, identity)
            if edits is not None:
                yield Draft(tuple(edits), f"Check first that the {parent.name} is the user's own:")


def _values(module: Module, node: ast.AST, column: str, what: str) -> Iterator[str]:
    """Yield the expressions that may be the stored key, as the source has them."""
    found: dict[str, None] = {}
    for call in _calls(node):
        for keyword in call.keywords:
            if keyword.arg == column:
                found[source_of(module, keyword.value)] = None
    around = module.index.parent(node)
    for one in (node, around):
        if isinstance(one, ast.Assign):
            found[source_of(module, one.value)] = None
    if what.replace(".", "").isidentifier():
        found[what] = None
    yield from (text for text in found if text.replace(".", "").isidentifier())


def _check(
    backend: Backend,
    module: Module,
    statement: ast.stmt,
    parent: TableModel,
    session: str,
    value: str,
    identity: str,
) -> list[Edit] | None:
    if len(parent.primary) != 1:
        return None
    joins, owner, models = "", "", [parent]
    for _ in range(_MOST_PARENTS):
        last = models[-1]
        if last.owners:
            owner = f"{last.name}.{last.owners[0]}"
            break
        if not last.parents:
            return None
        column, key, target = last.parents[0]
        above = backend.schema.models[key]
        joins += f".join({above.name}, {above.name}.{target} == {last.name}.{column})"
        models.append(above)
    imports: list[Edit] = []
    found = [backend.model_names(model, module) for model in models]
    found += [backend.imported_anywhere(name, module) for name in ("select", "HTTPException")]
    for edits in found:
        if edits is None:
            return None
        imports += edits
    where = f"{parent.name}.{parent.primary[0]} == {value}, {owner} == {identity}"
    query = f"select({parent.name}){joins}.where({where})"
    is_async = any(isinstance(n, ast.Await) for n in ast.walk(statement)) or _is_awaited(
        backend, module, session
    )
    run = f"{session}.exec" if _uses_exec(backend) else f"{session}.scalars"
    got = f"(await {run}(statement)).first()" if is_async else f"{run}(statement).first()"
    guard = _guard(backend, value)
    lines = [
        f"statement = {query}",
        f"if {guard}{got} is None:",
        f'    raise HTTPException(404, "{parent.name} not found")',
    ]
    if _is_taken(backend, module, statement):
        lines = [line.replace("statement", "own_parent") for line in lines]
    return [*imports, inserted_before(module, statement, lines)]


def _guard(backend: Backend, value: str) -> str:
    """Return the condition under which a field of a body is there at all."""
    body, dot, field = value.rpartition(".")
    tables = {model.path for model in backend.schema.models.values()}
    hints = [
        {n.id if isinstance(n, ast.Name) else n.value for n in ast.walk(node.annotation)
         if isinstance(n, ast.Name | ast.Constant)}
        for path, module in backend.program.modules.items()
        for node in module.index.of(ast.AnnAssign)
        if isinstance(node.target, ast.Name) and node.target.id == field and path not in tables
    ]  # fmt: skip
    if dot and any("MISSING" in names for names in hints):
        # A field that is left out holds a mark, which no database takes.
        return f'"{field}" in {body}.model_fields_set and '
    if dot and any(None in names or "Optional" in names for names in hints):
        return f"{value} is not None and "
    return ""


def _is_taken(backend: Backend, module: Module, statement: ast.stmt) -> bool:
    function = backend.function_around(module, statement)
    return function is not None and any(
        isinstance(node, ast.Name) and node.id == "statement" for node in ast.walk(function)
    )


def _is_awaited(backend: Backend, module: Module, session: str) -> bool:
    del backend
    return any(
        isinstance(node.value, ast.Call) and source_of(module, node.value).startswith(f"{session}.")
        for node in module.index.of(ast.Await)
    )


def _session(function: Function) -> str | None:
    """Return the name on which the function calls what only a session has."""
    for node in ast.walk(function):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in _SESSIONS
            and isinstance(node.func.value, ast.Name)
        ):
            return node.func.value.id
    return None


def _stored(backend: Backend, finding: Finding) -> tuple[TableModel, str, str] | None:
    """Return the model and column that a finding names, and what is stored there."""
    match = _STORED.match(finding.message)
    model = backend.schema.named(match["model"]) if match else None
    if match is None or model is None:
        return None
    return model, match["column"], match["what"]


def _calls(node: ast.AST) -> Iterator[ast.Call]:
    return (inner for inner in ast.walk(node) if isinstance(inner, ast.Call))
