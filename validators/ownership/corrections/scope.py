"""What a function can name: the signed-in user, the table models, and who calls it."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from validators.ownership.corrections.edits import Edit, inserted, offset, replaced, source_of
from validators.ownership.facts import Facts
from validators.ownership.interpreter import Interpreter
from validators.ownership.recorder import Entry
from validators.ownership.schema import TableModel
from validators.ownership.values import (
    Attr,
    Choice,
    Claims,
    Given,
    Identity,
    Instance,
    Mapping,
    Opaque,
    Row,
    Value,
)
from validators.source import Function, Module

_MOST_DEPTH = 2
# Names under which a user's key is kept, the likeliest first.
_KEYS = ("id", "user_id", "sub", "uid", "userId", "uuid")


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter through which some route gets the signed-in user, as its source has it."""

    name: str
    text: str
    expression: str
    path: str
    has_default: bool
    names: frozenset[str]


class Backend:
    """A backend as those see it who correct it.

    Args:
        interpreter: The interpreter after all routes have run.
    """

    def __init__(self, interpreter: Interpreter) -> None:
        self.interpreter = interpreter
        self.program = interpreter.program
        self.schema = interpreter.schema
        self._entries: dict[ast.AST, list[Entry]] = {}
        for entry in interpreter.entries:
            if entry.node is not None:
                self._entries.setdefault(entry.node, []).append(entry)

    def module(self, path: str) -> Module:
        """Return a module by its path."""
        return self.program.project.modules[path]

    def function_around(self, module: Module, node: ast.AST) -> Function | None:
        """Return the function whose body holds a node."""
        around = module.index.ancestors(node)
        return next((one for one in around if isinstance(one, Function)), None)

    def statement_around(self, module: Module, node: ast.AST) -> ast.stmt | None:
        """Return the statement that holds a node."""
        if isinstance(node, ast.stmt):
            return node
        around = module.index.ancestors(node)
        return next((one for one in around if isinstance(one, ast.stmt)), None)

    def entries_of(self, function: Function) -> list[Entry]:
        """Return the interpretations of a function."""
        return self._entries.get(function, [])

    def is_handler(self, function: Function) -> bool:
        """Tell whether a function handles a route."""
        return any(entry.role == "handler" for entry in self.entries_of(function))

    # The signed-in user.

    def identities(self, function: Function, *, column: str = "") -> list[str]:
        """Return expressions that are the signed-in user's id in a function, likeliest first."""
        tables = [dict(self._identities_of(entry)) for entry in self.entries_of(function)]
        if not tables:
            return []
        common = [name for name in tables[0] if all(name in table for table in tables)]
        is_mail = "mail" in column
        return sorted(common, key=lambda name: (("mail" in name) is not is_mail, _rank(name)))

    def _identities_of(self, entry: Entry) -> Iterator[tuple[str, None]]:
        for name, value in entry.arguments.items():
            for expression in self._naming(name, value, entry.facts, 0):
                yield expression, None

    def _naming(self, name: str, value: Value, facts: Facts, depth: int) -> Iterator[str]:
        """Yield the expressions below a name that are the signed-in user's id."""
        prover = self.interpreter.prover
        if isinstance(value, Choice) and len(value.members) == 1:
            [(value, carried)] = value.members
            facts |= carried
        if isinstance(value, Identity | Attr | Given | Opaque):
            if prover.identity(value, facts) is not None:
                yield name
        elif isinstance(value, Row):
            model = prover.rows[value.symbol]
            for column in sorted(model.unique) if model.is_user else ():
                if prover.identity(Attr(value.symbol, column), facts) is not None:
                    yield f"{name}.{column}"
        elif isinstance(value, Claims):
            yield f'{name}["sub"]'
        elif depth < _MOST_DEPTH:
            for expression, held in _parts(name, value):
                yield from self._naming(expression, held, facts, depth + 1)

    def compared_elsewhere(self, module: Module, function: Function) -> list[str]:
        """Return what the module's other queries compare owner columns with, as they write it."""
        owners = {column for model in self.schema.models.values() for column in model.owners}
        local = _names_in_scope(function)
        found: dict[str, None] = {}
        for node in module.index.of(ast.Compare):
            sides = (node.left, *node.comparators)
            columns = [s for s in sides if isinstance(s, ast.Attribute) and s.attr in owners]
            others = [s for s in sides if s not in columns]
            if len(columns) == 1 and len(others) == 1 and isinstance(node.ops[0], ast.Eq):
                names = {n.id for n in ast.walk(others[0]) if isinstance(n, ast.Name)}
                if names and names <= local | {"str", "int", "UUID", "uuid"} and names & local:
                    found[source_of(module, others[0])] = None
        return list(found)

    def parameter(self, module: Module) -> Parameter | None:
        """Return how other routes get the signed-in user, those of the same module first."""
        found = sorted(self._parameters(), key=lambda p: (p.path != module.path, p.path, p.name))
        usable = (p for p in found if all(self.importable(n, p.path, module) for n in p.names))
        return next(usable, None)

    def _parameters(self) -> Iterator[Parameter]:
        for node, entries in self._entries.items():
            if not isinstance(node, Function) or entries[0].role != "handler":
                continue
            names = self.identities(node)
            module = self.module(entries[0].place.path)
            defaults = _defaults(node)
            for parameter in _parameters(node):
                mine = [n for n in names if n.partition(".")[0].partition("[")[0] == parameter.arg]
                default = defaults.get(parameter.arg)
                if mine and (parameter.annotation is not None or default is not None):
                    text = source_of(module, parameter)
                    text += f" = {source_of(module, default)}" if default is not None else ""
                    parts = [part for part in (parameter.annotation, default) if part is not None]
                    used = {
                        inner.id
                        for part in parts
                        for inner in ast.walk(part)
                        if isinstance(inner, ast.Name) and inner.id not in _BUILT_IN
                    }
                    yield Parameter(
                        parameter.arg, text, mine[0], module.path, default is not None,
                        frozenset(used),
                    )  # fmt: skip

    def with_parameter(self, module: Module, function: Function, new: Parameter) -> list[Edit]:
        """Return the edits that give a function a parameter."""
        edits = [
            edit for name in sorted(new.names) for edit in self.imported(name, new.path, module)
        ]
        return [*edits, added_parameter(module, function, new.text, has_default=new.has_default)]

    # Names.

    def importable(self, name: str, source: str, module: Module) -> bool:
        """Tell whether a name of one module is known in another, or can be imported there."""
        return self.knows(module, name) or self._import_line(name, source, module) is not None

    def knows(self, module: Module, name: str) -> bool:
        """Tell whether a module binds a name at its top level."""
        return name in self.program.names(module.path)

    def imported(self, name: str, source: str, module: Module) -> list[Edit]:
        """Return the edits that bring a name of one module into another."""
        if self.knows(module, name):
            return []
        line = self._import_line(name, source, module)
        return [import_edit(module, line, name)] if line else []

    def imported_anywhere(self, name: str, module: Module) -> list[Edit] | None:
        """Return the edits that bring a name in as other modules do; None where none does."""
        if self.knows(module, name):
            return []
        for path in self.program.modules:
            line = self._import_line(name, path, module)
            if line is not None:
                return [import_edit(module, line, name)]
        return None

    def model_names(self, model: TableModel, module: Module) -> list[Edit] | None:
        """Return the edits that bring a table model into a module; None where it cannot be."""
        found = self.imported_anywhere(model.name, module)
        return found if found is not None else self._defined(model.name, model.path, module)

    def _defined(self, name: str, path: str, module: Module) -> list[Edit] | None:
        line = self._import_line(name, path, module)
        return [import_edit(module, line, name)] if line else None

    def _import_line(self, name: str, source: str, module: Module) -> str | None:
        """Return the dotted module from which a name can be imported, dots in front included."""
        bindings = self.program.names(source).get(name, [])
        for node in bindings:
            if isinstance(node, ast.ImportFrom) and all(
                alias.asname in (None, name)
                for alias in node.names
                if name in (alias.asname, alias.name)
            ):
                is_near = self.module(source).folder == module.folder
                if not node.level or is_near:
                    return "." * node.level + (node.module or "")
        if bindings and source != module.path:
            return self._dotted_of(source, module)
        return None

    def _dotted_of(self, path: str, module: Module) -> str | None:
        """Return the name under which some module imports a module."""
        for other in self.program.modules.values():
            for node in other.index.of(ast.ImportFrom):
                base = node.module or ""
                target = self.program.imported(other.path, base, node.level) if base else None
                if target == path and (not node.level or other.folder == module.folder):
                    return "." * node.level + base
        return None


_BUILT_IN = frozenset({"str", "int", "dict", "list", "None", "tuple", "object", "bool"})


def _parts(name: str, value: Value) -> Iterator[tuple[str, Value]]:
    """Yield the fields of an object and the items of a dictionary, each by its expression."""
    if isinstance(value, Instance):
        yield from ((f"{name}.{field}", held) for field, held in value.fields)
    elif isinstance(value, Mapping):
        yield from ((f'{name}["{key}"]', held) for key, held in value.known if type(key) is str)


def _rank(expression: str) -> tuple[int, int, str]:
    last = expression.replace('"]', "").replace('["', ".").rpartition(".")[2]
    return (_KEYS.index(last) if last in _KEYS else len(_KEYS), len(expression), expression)


def _names_in_scope(function: Function) -> set[str]:
    found = {parameter.arg for parameter in _parameters(function)}
    for node in ast.walk(function):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
    return found


def _parameters(function: Function) -> list[ast.arg]:
    args = function.args
    return [*args.posonlyargs, *args.args, *args.kwonlyargs]


def _defaults(function: Function) -> dict[str, ast.expr]:
    args = function.args
    positional = [*args.posonlyargs, *args.args]
    found = dict(zip([p.arg for p in positional[::-1]], args.defaults[::-1], strict=False))
    keyed = zip(args.kwonlyargs, args.kw_defaults, strict=True)
    return found | {p.arg: default for p, default in keyed if default is not None}


def added_parameter(module: Module, function: Function, text: str, *, has_default: bool) -> Edit:
    """Return the edit that adds a parameter where the grammar allows it."""
    positional = [*function.args.posonlyargs, *function.args.args]
    defaults = _defaults(function)
    if not positional:
        at = module.text.index("(", offset(module, function.lineno, function.col_offset)) + 1
        rest = ", " if _parameters(function) or function.args.vararg else ""
        return inserted(module, at, text + rest)
    if not has_default and defaults:
        first = positional[0]
        at = offset(module, first.lineno, first.col_offset)
        return inserted(module, at, f"{text}, ")
    last: ast.AST = defaults.get(positional[-1].arg, positional[-1])
    end = offset(module, last.end_lineno or 1, last.end_col_offset or 0)  # type: ignore[attr-defined]  # both kinds have an end
    return inserted(module, end, f", {text}")


def import_edit(module: Module, dotted: str, name: str) -> Edit:
    """Return the edit that imports a name, in an import of the same module where there is one."""
    imports = [
        node
        for node in (module.tree.body if module.tree else [])
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    for node in imports:
        if (
            isinstance(node, ast.ImportFrom)
            and "." * node.level + (node.module or "") == dotted
            and node.lineno == node.end_lineno
            and "(" not in module.lines[node.lineno - 1]
        ):
            names = sorted(
                (f"{a.name} as {a.asname}" if a.asname else a.name for a in node.names),
                key=_import_order,
            )
            names = sorted({*names, name}, key=_import_order)
            return replaced(module, node, f"from {dotted} import {', '.join(names)}")
    after = imports[-1].end_lineno or 1 if imports else _after_docstring(module)
    at = offset(module, after + 1, 0) if after < len(module.lines) else len(module.text)
    return inserted(module, at, f"from {dotted} import {name}\n")


def _import_order(name: str) -> tuple[bool, bool, str]:
    # Constants, classes, the rest: as isort and Ruff order them.
    return (not name.isupper(), not name[:1].isupper(), name.lower())


def _after_docstring(module: Module) -> int:
    body = module.tree.body if module.tree else []
    first = body[0] if body else None
    is_text = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    return first.end_lineno or 0 if is_text and first is not None else 0
