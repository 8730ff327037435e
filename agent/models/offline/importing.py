"""Import blocks: exactly the names that a module's code uses, sorted as ruff sorts them."""

import ast
import sys
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from agent.models.offline.formatting import WIDTH

_FIRST_PARTY = frozenset({"database", "dependencies", "models", "routes", "schemas", "utils"})


@dataclass(frozen=True, slots=True)
class Import:
    """Where a name comes from.

    Attributes:
        module: Dotted module name.
        name: Name in that module; empty where the module itself is imported.
    """

    module: str
    name: str = ""


Catalogue = Mapping[str, Import]


def add_imports(code: str, catalogue: Catalogue) -> str:
    """Put the imports that a module needs below its docstring.

    Args:
        code: A module that starts with a docstring and imports nothing.
        catalogue: Where each name comes from that the module may use.

    Returns:
        The module with an import for each name of the catalogue that it uses.
    """
    tree = ast.parse(code)
    names = sorted(names_used(tree) & catalogue.keys())
    if not names:
        return code
    docstring, *rest = tree.body
    lines = code.splitlines(keepends=True)
    head = "".join(lines[: docstring.end_lineno])
    gap = "\n\n" if isinstance(rest[0], ast.FunctionDef | ast.ClassDef) else "\n"
    block = import_block({name: catalogue[name] for name in names})
    body = "".join(lines[docstring.end_lineno :]).lstrip("\n")
    return f"{head}\n{block}{gap}{body}"


def names_used(tree: ast.AST) -> set[str]:
    """Return every name that the code reads."""
    return {
        node.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
    }


def import_block(imports: Catalogue) -> str:
    """Write import statements, a block for each section with an empty line between."""
    plain: list[tuple[str, str]] = []
    members: dict[str, list[str]] = defaultdict(list)
    for used, source in imports.items():
        if source.name:
            alias = "" if used == source.name else f" as {used}"
            members[source.module].append(source.name + alias)
        else:
            alias = "" if used == source.module else f" as {used}"
            plain.append((source.module, f"import {source.module}{alias}\n"))
    statements = sorted(plain) + [
        (module, from_import(module, members[module])) for module in sorted(members, key=str.lower)
    ]
    sections: dict[int, list[str]] = defaultdict(list)
    for module, statement in statements:
        sections[section(module)].append(statement)
    return "\n".join("".join(sections[number]) for number in sorted(sections))


def from_import(module: str, names: list[str]) -> str:
    """Write one `from` import with its names sorted: constants, classes, then the rest."""
    ordered = sorted(names, key=_member_key)
    line = f"from {module} import {', '.join(ordered)}"
    if len(line) > WIDTH:
        inner = "".join(f"    {name},\n" for name in ordered)
        line = f"from {module} import (\n{inner})"
    return line + "\n"


def _member_key(name: str) -> tuple[int, str]:
    if name.isupper() and len(name) > 1:
        return 0, name
    return (1 if name[0].isupper() else 2), name.lower()


def section(module: str) -> int:
    """Return the number of an import's section: standard library, others, the backend's own."""
    top = module.partition(".")[0]
    if top in sys.stdlib_module_names:
        return 0
    return 2 if top in _FIRST_PARTY else 1
