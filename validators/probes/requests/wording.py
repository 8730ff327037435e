"""Groups of texts that the code lists together, such as the states that an order may be in."""

import ast
from collections.abc import Iterator
from functools import lru_cache

from validators.source import Project

_MOST_TEXTS, _LONGEST = 12, 30


def text_groups(project: Project) -> tuple[tuple[str, ...], ...]:
    """Return each list of short texts that stands in the code: enumerations, literals, sets."""
    trees = [module.tree for module in project.modules.values() if module.tree is not None]
    return tuple(group for tree in trees for group in _groups_of(tree))


@lru_cache(maxsize=64)
def _groups_of(tree: ast.Module) -> tuple[tuple[str, ...], ...]:
    return tuple(group for node in ast.walk(tree) for group in _groups(node))


def _groups(node: ast.AST) -> Iterator[tuple[str, ...]]:
    match node:
        case ast.ClassDef(body=body):
            values = [item.value for item in body if isinstance(item, ast.Assign)]
        case ast.Tuple(elts=values) | ast.List(elts=values) | ast.Set(elts=values):
            pass
        case ast.Dict(keys=keys):
            values = [key for key in keys if key is not None]
        case _:
            return
    texts = [v.value for v in values if isinstance(v, ast.Constant) and isinstance(v.value, str)]
    is_whole = len(texts) == len(values) and 1 < len(texts) <= _MOST_TEXTS
    if is_whole and all(len(text) <= _LONGEST for text in texts):
        yield tuple(texts)
