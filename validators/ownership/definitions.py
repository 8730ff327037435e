"""What a function's definition says: the names that it reads and binds, and its defaults."""

import ast
from collections.abc import Iterator
from functools import cache

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


def free_names(node: FunctionNode) -> frozenset[str]:
    """Return every name that a function's body reads."""
    return _names(node)[0]


def rebound_names(node: FunctionNode) -> frozenset[str]:
    """Return every name that a function's body assigns."""
    return _names(node)[1]


@cache
def _names(node: FunctionNode) -> tuple[frozenset[str], frozenset[str]]:
    names = [inner for inner in ast.walk(node) if isinstance(inner, ast.Name)]
    return (
        frozenset(name.id for name in names if isinstance(name.ctx, ast.Load)),
        frozenset(name.id for name in names if isinstance(name.ctx, ast.Store)),
    )


@cache
def loop_names(node: FunctionNode) -> frozenset[str]:
    """Return every name that stands for one item after the other in a function's loops."""
    loops = (ast.For, ast.AsyncFor, ast.comprehension)
    targets = [inner.target for inner in ast.walk(node) if isinstance(inner, loops)]
    return frozenset(
        name.id for target in targets for name in ast.walk(target) if isinstance(name, ast.Name)
    )


@cache
def is_deferred(node: FunctionNode) -> bool:
    """Tell whether calling a function only makes a coroutine or a generator."""
    if isinstance(node, ast.AsyncFunctionDef):
        return True
    return not isinstance(node, ast.Lambda) and any(
        isinstance(inner, ast.Yield | ast.YieldFrom) for inner in _own_nodes(node)
    )


@cache
def nonlocal_names(node: FunctionNode) -> frozenset[str]:
    """Return the names around a function that it binds anew."""
    return frozenset(
        name for inner in ast.walk(node) if isinstance(inner, ast.Nonlocal) for name in inner.names
    )


def _own_nodes(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes of a function's body, those of functions inside it aside."""
    stack = list(ast.iter_child_nodes(node))
    while stack:
        inner = stack.pop()
        yield inner
        if not isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            stack.extend(ast.iter_child_nodes(inner))


@cache
def default_nodes(node: FunctionNode) -> dict[str, ast.expr]:
    """Return the default expressions of a function's parameters, by name."""
    args = node.args
    positional = [*args.posonlyargs, *args.args]
    found = dict(
        zip([p.arg for p in positional[-len(args.defaults) :]], args.defaults, strict=True)
        if args.defaults
        else ()
    )
    for parameter, default in zip(args.kwonlyargs, args.kw_defaults, strict=True):
        if default is not None:
            found[parameter.arg] = default
    return found


def clear_caches() -> None:
    """Forget what was remembered about syntax trees, so that they can be freed."""
    for cached in (_names, default_nodes, is_deferred, nonlocal_names):
        cached.cache_clear()
