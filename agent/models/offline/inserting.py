"""Adds to existing modules: imports, code at the end, a router; all other text stays as it is."""

import ast
from collections.abc import Iterable

from agent.errors import InputError
from agent.models.offline.existing import module_names
from agent.models.offline.importing import Catalogue, Import, section


def append_code(code: str, addition: str) -> str:
    """Put code at the end of a module, two empty lines behind what is there."""
    gap = "" if not code or code.endswith("\n") else "\n"
    return f"{code}{gap}\n\n{addition}"


def insert_imports(path: str, code: str, imports: Catalogue) -> str:
    """Import names in a module that does not have them yet.

    Args:
        path: The module's path, for messages.
        code: The module.
        imports: Where each name comes from.

    Raises:
        InputError: The module uses one of the names for something else.
    """
    for name, source in sorted(imports.items(), key=lambda item: _order(item[1])):
        tree = ast.parse(code)
        if _has_import(tree, name, source):
            continue
        if name in module_names(tree):
            raise InputError(
                f"{path} uses the name {name} for something else than {source.module}.",
                "Rename it, then build again.",
            )
        code = _insert_import(code, tree, name, source)
    return code


def _has_import(tree: ast.Module, name: str, source: Import) -> bool:
    for node in tree.body:
        match node:
            case ast.ImportFrom(module=module, names=aliases) if source.name:
                # A name may be imported from a package or from where the package has it.
                known = module is not None and _same_package(module, source.module)
                if known and any((alias.asname or alias.name) == name for alias in aliases):
                    return True
            case ast.Import(names=aliases) if not source.name:
                for alias in aliases:
                    if alias.name == source.module and (alias.asname or alias.name) == name:
                        return True
            case _:
                continue
    return False


def _same_package(one: str, other: str) -> bool:
    return one.partition(".")[0] == other.partition(".")[0]


def _order(source: Import) -> tuple[int, bool, str, str]:
    return section(source.module), bool(source.name), source.module.lower(), source.name


def _insert_import(code: str, tree: ast.Module, name: str, source: Import) -> str:
    statements = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    same = [
        node
        for node in statements
        if isinstance(node, ast.ImportFrom) and node.module == source.module and not node.level
    ]
    lines = code.splitlines(keepends=True)
    if source.name and same and same[0].lineno == same[0].end_lineno:
        return _widen(lines, same[0], source.name)
    alias = "" if name in {source.name, source.module} else f" as {name}"
    if source.name:
        line = f"from {source.module} import {source.name}{alias}\n"
    else:
        line = f"import {source.module}{alias}\n"
    return _insert_line(lines, statements, line, source)


def _widen(lines: list[str], node: ast.ImportFrom, name: str) -> str:
    """Add a name to a `from` import of one line."""
    row = node.lineno - 1
    after = [alias for alias in node.names if _member(alias.name) < _member(name)]
    # Columns count bytes of UTF-8.
    line = lines[row].encode()
    if after:
        column = after[-1].end_col_offset or 0
        line = line[:column] + f", {name}".encode() + line[column:]
    else:
        column = node.names[0].col_offset
        line = line[:column] + f"{name}, ".encode() + line[column:]
    return "".join([*lines[:row], line.decode(), *lines[row + 1 :]])


def _member(name: str) -> tuple[int, str]:
    if name.isupper() and len(name) > 1:
        return 0, name
    return (1 if name[:1].isupper() else 2), name.lower()


def _insert_line(
    lines: list[str],
    statements: list[ast.Import | ast.ImportFrom],
    line: str,
    source: Import,
) -> str:
    """Add an import statement at its place among the others."""
    here = section(source.module)
    own_section = [node for node in statements if _place(node)[0] == here]
    smaller = [node for node in own_section if _place(node) < _order(source)[:3]]
    earlier = [node for node in statements if _place(node)[0] < here]
    if smaller:
        row, new = _row_behind(smaller[-1]), [line]
    elif own_section:
        row, new = own_section[0].lineno - 1, [line]
    elif earlier:
        row, new = _row_behind(earlier[-1]), ["\n", line]
    elif statements:
        row, new = statements[0].lineno - 1, [line, "\n"]
    else:
        row = _after_docstring(lines)
        new = ["\n", line] if row else [line, "\n", "\n"]
    return "".join([*lines[:row], *new, *lines[row:]])


def _row_behind(node: ast.stmt) -> int:
    return node.end_lineno or node.lineno


def _place(node: ast.Import | ast.ImportFrom) -> tuple[int, bool, str]:
    module = node.names[0].name if isinstance(node, ast.Import) else (node.module or "")
    return section(module), isinstance(node, ast.ImportFrom), module.lower()


def _after_docstring(lines: list[str]) -> int:
    tree = ast.parse("".join(lines))
    if ast.get_docstring(tree, clean=False) is None:
        return 0
    return tree.body[0].end_lineno or 0


def include_routers(code: str, modules: Iterable[str]) -> str:
    """Register routers in the main module, behind the ones that it has.

    Args:
        code: The main module.
        modules: Names of modules below `routes`, each with a `router`.

    Raises:
        InputError: No app was found to register them with.
    """
    tree = ast.parse(code)
    app, row, indent = _registration_place(tree)
    lines = code.splitlines(keepends=True)
    calls = [f"{indent}{app}.include_router({module}_router)\n" for module in modules]
    if row and not lines[row - 1].endswith("\n"):
        lines[row - 1] += "\n"
    code = "".join([*lines[:row], *calls, *lines[row:]])
    for module in modules:
        line = {f"{module}_router": Import(f"routes.{module}", "router")}
        code = insert_imports("main.py", code, line)
    return code


def _registration_place(tree: ast.Module) -> tuple[str, int, str]:
    """Return the app's name, the row to insert behind, and the indentation there."""
    found: list[tuple[int, str, ast.stmt]] = []
    created: list[tuple[int, str, ast.stmt]] = []
    for node in ast.walk(tree):
        match node:
            case ast.Expr(
                value=ast.Call(func=ast.Attribute(value=ast.Name(id=app), attr=attribute))
            ) if attribute in {"include_router", "add_middleware"}:
                rank = int(attribute == "include_router")
                found.append((rank, app, node))
            case ast.Assign(
                targets=[ast.Name(id=app)], value=ast.Call(func=ast.Name(id="FastAPI"))
            ):
                created.append((-1, app, node))
            case _:
                continue
    apps = {app for _, app, _ in created}
    places = [place for place in (*created, *found) if place[1] in apps]
    if not places:
        raise InputError("main.py creates no app with FastAPI(...).", "Create it there.")
    _, app, statement = max(places, key=lambda place: (place[0], place[2].lineno))
    return app, statement.end_lineno or statement.lineno, " " * statement.col_offset
