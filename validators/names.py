"""Which names a module binds at its top level, read from its syntax tree."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

# Text that shows that a module may bind names in ways which its statements do not tell.
_DYNAMIC = ("globals()", "sys.modules", "exec(", "vars()", "locals()", "setattr(", "__dict__")
# In a docstring it would bind a name too many, which only keeps a finding back.
_GLOBAL = re.compile(r"^\s+global\s+(\w+(?:\s*,\s*\w+)*)", re.MULTILINE)


@dataclass(slots=True)
class Names:
    """The names of one module.

    Attributes:
        bound: Names that a statement binds, on whatever path.
        stars: Level and dotted name of each `from … import *`.
        public: The literal part of `__all__`, or None where there is none.
        lazy: Names that a module-level `__getattr__` looks up in a dictionary.
        is_open: Whether more names may exist at run time than can be read here.
    """

    bound: set[str] = field(default_factory=set)
    stars: list[tuple[int, str]] = field(default_factory=list)
    public: set[str] | None = None
    lazy: set[str] = field(default_factory=set)
    is_open: bool = False


def collect(tree: ast.Module, text: str) -> Names:
    """Return the names that a module binds when it is imported.

    Names that exist for type checkers only, below `if TYPE_CHECKING`, are left out.
    """
    names = Names(is_open=any(sign in text for sign in _DYNAMIC))
    for statement in statements(tree.body):
        _bind(statement, names)
    if "__getattr__" in names.bound:
        names.is_open = True
    else:
        names.lazy = set()
    for declared in _GLOBAL.findall(text):
        names.bound.update(name.strip() for name in declared.split(","))
    return names


def statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield the statements that run when a module is imported, in order, outermost first.

    Bodies of functions and classes are left out, as is what only type checkers see.
    """
    stack = list(reversed(body))
    while stack:
        statement = stack.pop()
        yield statement
        if not isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            stack += reversed(list(_inner(statement)))


def bound_by(statement: ast.stmt) -> set[str]:
    """Return the names that one statement binds, without the statements inside it."""
    names = Names()
    _bind(statement, names)
    return names.bound


def is_type_checking(test: ast.expr) -> bool:
    """Tell whether a condition is `TYPE_CHECKING`, true for type checkers only."""
    match test:
        case ast.Name(id="TYPE_CHECKING") | ast.Attribute(attr="TYPE_CHECKING"):
            return True
        case _:
            return False


def bound_names(target: ast.expr | ast.pattern) -> Iterator[str]:
    """Yield the names that an assignment's target or a `case` pattern binds."""
    for node in ast.walk(target):
        match node:
            case ast.Name(id=name, ctx=ast.Store()):
                yield name
            case ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
                yield name
            case ast.MatchMapping(rest=str(name)):
                yield name
            case _:
                continue


def _inner(statement: ast.stmt) -> Iterator[ast.stmt]:
    if isinstance(statement, ast.If) and is_type_checking(statement.test):
        yield from statement.orelse
        return
    for block in ("body", "orelse", "handlers", "finalbody", "cases"):
        for item in getattr(statement, block, ()):
            if isinstance(item, ast.stmt):
                yield item
            else:  # an except handler or a case
                yield from item.body


def _bind(statement: ast.stmt, names: Names) -> None:
    match statement:
        case ast.Import(names=aliases):
            names.bound.update(alias.asname or alias.name.split(".")[0] for alias in aliases)
        case ast.ImportFrom(module=module, names=[ast.alias(name="*")], level=level):
            names.stars.append((level, module or ""))
        case ast.ImportFrom(names=aliases):
            names.bound.update(alias.asname or alias.name for alias in aliases)
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            names.bound.add(name)
        case ast.Expr(value=ast.Constant()):
            pass
        case _:
            _bind_targets(statement, names)


def _bind_targets(statement: ast.stmt, names: Names) -> None:
    for target in _targets(statement):
        names.bound.update(bound_names(target))
    if isinstance(statement, ast.Assign | ast.AnnAssign | ast.AugAssign):
        _note_table(statement, names)
    for part in _conditions(statement):
        names.bound.update(
            node.target.id for node in ast.walk(part) if isinstance(node, ast.NamedExpr)
        )


def _targets(statement: ast.stmt) -> list[ast.expr] | list[ast.pattern]:
    match statement:
        case ast.Assign(targets=targets):
            return targets
        case ast.AnnAssign(value=None):
            return []
        case ast.AnnAssign() | ast.AugAssign() | ast.For() | ast.AsyncFor():
            return [statement.target]
        case ast.With(items=items) | ast.AsyncWith(items=items):
            return [item.optional_vars for item in items if item.optional_vars is not None]
        case ast.Match(cases=cases):
            return [case.pattern for case in cases]
        case _:
            return []


def _conditions(statement: ast.stmt) -> list[ast.expr]:
    match statement:
        case ast.If(test=test) | ast.While(test=test):
            return [test]
        case ast.Expr(value=value):
            return [value]
        case _:
            return []


def _note_table(statement: ast.Assign | ast.AnnAssign | ast.AugAssign, names: Names) -> None:
    match statement.value:
        case ast.List(elts=items) | ast.Tuple(elts=items) | ast.Set(elts=items):
            if "__all__" in {
                name for target in _targets(statement) for name in bound_names(target)
            }:
                names.public = (names.public or set()) | set(_texts(items))
        case ast.Dict(keys=keys):
            names.lazy.update(_texts([key for key in keys if key is not None]))
        case _:
            pass


def _texts(items: list[ast.expr]) -> Iterator[str]:
    for item in items:
        if isinstance(item, ast.Constant) and isinstance(item.value, str):
            yield item.value
