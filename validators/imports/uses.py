"""Where a module uses the names of a module that it imported as a whole."""

import ast
from collections.abc import Iterator

from validators.frozen import frozen
from validators.source import Module

# Conditions by which code asks for what exists only on some systems or versions.
_ASKS_FIRST = frozenset({"TYPE_CHECKING", "hasattr", "name", "platform", "system", "version_info"})
_CATCHES = frozenset({"AttributeError", "Exception", "BaseException"})


@frozen
class Use:
    """One `module.name` in the code."""

    module: str
    name: str
    node: ast.Attribute


def uses_of_modules(module: Module) -> Iterator[Use]:
    """Yield each name that is read from an imported module.

    What a file binds a second time, as a parameter or a variable, is passed over: which of the
    two is meant would need more than its name.
    """
    candidates = set(module.imported) - _rebound(module)
    if not candidates:
        return
    uses = [
        Use(node.value.id, node.attr, node)
        for node in module.index.of(ast.Attribute)
        if isinstance(node.value, ast.Name) and node.value.id in candidates
    ]
    written = {(use.module, use.name) for use in uses if not isinstance(use.node.ctx, ast.Load)}
    for use in uses:
        if (use.module, use.name) not in written:
            yield use


def _rebound(module: Module) -> set[str]:
    index = module.index
    names = {node.id for node in index.of(ast.Name) if not isinstance(node.ctx, ast.Load)}
    names |= {node.arg for node in index.of(ast.arg)}
    names |= {node.name for node in index.functions}
    names |= {node.name for node in index.of(ast.ClassDef)}
    names |= {node.name for node in index.of(ast.ExceptHandler) if node.name}
    names |= {node.name for node in index.of(ast.MatchAs) if node.name}
    imports = [alias.asname or alias.name for n in index.of(ast.ImportFrom) for alias in n.names]
    imports += [
        alias.asname or alias.name.partition(".")[0]
        for n in index.of(ast.Import)
        for alias in n.names
        if alias.asname or "." not in alias.name
    ]
    return names | {name for name in imports if imports.count(name) > 1}


def asks_first(module: Module, node: ast.AST) -> bool:
    """Tell whether code goes on where a name that it reads does not exist."""
    inner = node
    for around in module.index.ancestors(node):
        match around:
            case ast.If(test=test) | ast.IfExp(test=test):
                if any(_last_name(part) in _ASKS_FIRST for part in ast.walk(test)):
                    return True
            case ast.Try(body=body, handlers=handlers) if inner in body:
                if any(_catches(handler.type) for handler in handlers):
                    return True
            case _:
                pass
        inner = around
    return False


def _catches(caught: ast.expr | None) -> bool:
    if caught is None:
        return True
    kinds = caught.elts if isinstance(caught, ast.Tuple) else [caught]
    return any(isinstance(kind, ast.Name) and kind.id in _CATCHES for kind in kinds)


def _last_name(node: ast.AST) -> str:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case _:
            return ""
