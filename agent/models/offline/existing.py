"""Reads an existing backend: the names, types and tables that new code relies on."""

import ast
from collections.abc import Iterator, Mapping

from agent.errors import InputError
from agent.models.offline.backend import Backend, ExistingModel
from agent.models.offline.blueprint import FieldKind, FieldSpec
from agent.models.offline.catalogue import ERROR_RESPONSES, SHARED_TYPES
from agent.models.offline.importing import Import
from agent.reply import SourceFile

_HINT = (
    "The offline model adds to backends with main.py, models.py, database.py with a session "
    "dependency such as get_db, and dependencies.py with get_current_user. For a backend of its "
    "own, name another folder with --into."
)
_KINDS = {
    "bool": FieldKind.BOOLEAN,
    "Decimal": FieldKind.MONEY,
    "int": FieldKind.INTEGER,
    "str": FieldKind.TEXT,
    "date": FieldKind.DATE,
    "datetime": FieldKind.DATETIME,
}
_OWN_COLUMNS = frozenset({"id", "user_id", "created_at", "updated_at"})
_USER_ID_TYPES = frozenset({"str", "int", "UUID"})

Trees = Mapping[str, ast.Module]


def read_backend(existing: tuple[SourceFile, ...]) -> Backend:
    """Read what an existing backend offers to new code.

    Args:
        existing: Its source files, paths as in a reply.

    Raises:
        InputError: The backend does not have the layout that new code relies on.
    """
    files = {file.path.removeprefix("backend/"): file.code for file in existing}
    trees = {path: _parse(path, code) for path, code in files.items()}
    for path in ("main.py", "models.py", "database.py", "dependencies.py"):
        if path not in trees:
            raise InputError(f"The existing backend has no {path}.", _HINT)
    _refuse_relative_imports(trees)
    name, user_model = _find_current_user(trees["dependencies.py"])
    tables = _tables(trees["models.py"])
    if user_model not in tables:
        raise InputError(
            f"{name} in dependencies.py returns {user_model or 'an unknown type'}, which is not a "
            "table model of models.py.",
            _HINT,
        )
    user_table = _table_name(tables[user_model])
    models = {
        model: _read_model(node, tables, user_table, trees["models.py"])
        for model, node in tables.items()
        if model != user_model
    }
    return Backend(
        user_id=_user_id_type(tables[user_model]),
        files=files,
        user_model=user_model,
        user_table=user_table,
        user_columns={
            name: "str | None" if _is_optional(column.annotation) else "str"
            for name, column in _columns(tables[user_model]).items()
            if name in {"name", "email"} and _plain_type(column.annotation) == "str"
        },
        session=Import("database", _find_session(trees["database.py"])),
        current_user=Import("dependencies", name),
        names=dict(_reusable(trees)),
        models=models,
    )


def _parse(path: str, code: str) -> ast.Module:
    try:
        return ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        line = f", line {error.lineno}" if isinstance(error, SyntaxError) else ""
        raise InputError(
            f"The existing {path} is not valid Python{line}.", "Mend it, then build again."
        ) from error


def _refuse_relative_imports(trees: Trees) -> None:
    for path in ("main.py", "dependencies.py"):
        for node in ast.walk(trees[path]):
            if isinstance(node, ast.ImportFrom) and node.level:
                raise InputError(f"The existing {path} imports relatively to its package.", _HINT)


def _find_session(tree: ast.Module) -> str:
    for node in tree.body:
        if isinstance(node, ast.AsyncFunctionDef) and _yields(node):
            raise InputError(
                f"{node.name} in database.py is asynchronous; the offline model writes handlers "
                "for a synchronous session.",
                _HINT,
            )
        if isinstance(node, ast.FunctionDef) and _yields(node):
            return node.name
    raise InputError("database.py has no function that yields a session.", _HINT)


def _yields(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    is_session = "session" in ast.unparse(node.returns or ast.Constant("")).lower() or (
        node.name in {"get_db", "get_session"}
    )
    return is_session and any(isinstance(part, ast.Yield) for part in ast.walk(node))


def _find_current_user(tree: ast.Module) -> tuple[str, str]:
    """Return the name of the dependency and of the type that it returns."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name in {
            "get_current_user",
            "current_user",
        }:
            return node.name, ast.unparse(node.returns) if node.returns else ""
    raise InputError("dependencies.py has no get_current_user.", _HINT)


def _tables(tree: ast.Module) -> dict[str, ast.ClassDef]:
    return {
        node.name: node
        for node in tree.body
        if isinstance(node, ast.ClassDef)
        and any(keyword.arg == "table" for keyword in node.keywords)
    }


def _table_name(node: ast.ClassDef) -> str:
    for part in node.body:
        match part:
            case (
                ast.Assign(
                    targets=[ast.Name(id="__tablename__")], value=ast.Constant(value=str(name))
                )
                | ast.AnnAssign(
                    target=ast.Name(id="__tablename__"), value=ast.Constant(value=str(name))
                )
            ):
                return name
            case _:
                continue
    return node.name.lower()


def _columns(node: ast.ClassDef) -> dict[str, ast.AnnAssign]:
    return {
        part.target.id: part
        for part in node.body
        if isinstance(part, ast.AnnAssign) and isinstance(part.target, ast.Name)
    }


def _plain_type(annotation: ast.expr) -> str:
    """Return the last name of a type without its `None`, or an empty text."""
    match annotation:
        case ast.BinOp(left=left, right=ast.Constant(value=None), op=ast.BitOr()):
            return _plain_type(left)
        case ast.Subscript(value=ast.Name(id="Optional" | "Annotated"), slice=inner):
            return _plain_type(inner.elts[0] if isinstance(inner, ast.Tuple) else inner)
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case _:
            return ""


def _is_optional(annotation: ast.expr) -> bool:
    text = ast.unparse(annotation)
    return "None" in text or "Optional" in text


def _user_id_type(user: ast.ClassDef) -> str:
    column = _columns(user).get("id")
    name = _plain_type(column.annotation) if column else ""
    if name not in _USER_ID_TYPES:
        raise InputError(
            f"{user.name}.id in models.py is {name or 'not declared'}; the offline model knows "
            "str, int and UUID.",
            _HINT,
        )
    return name


def _read_model(
    node: ast.ClassDef, tables: Mapping[str, ast.ClassDef], user_table: str, tree: ast.Module
) -> ExistingModel:
    classes = {part.name: part for part in tree.body if isinstance(part, ast.ClassDef)}
    columns: dict[str, ast.AnnAssign] = {}
    for base in node.bases:
        if isinstance(base, ast.Name) and base.id in classes and base.id not in tables:
            columns |= _columns(classes[base.id])
    columns |= _columns(node)
    owner = next(
        (name for name, column in columns.items() if _refers_to(column, f"{user_table}.id")), None
    )
    key = columns.get("id")
    aliases = dict(_literals(tree))
    fields = [_read_field(name, column.annotation, aliases) for name, column in columns.items()]
    return ExistingModel(
        name=node.name,
        table=_table_name(node),
        id_type=_plain_type(key.annotation) if key else "",
        owner=owner,
        fields=tuple(field for field in fields if field is not None),
        choice_types={
            name: _plain_type(column.annotation)
            for name, column in columns.items()
            if _plain_type(column.annotation) in aliases
        },
    )


def _refers_to(column: ast.AnnAssign, key: str) -> bool:
    return any(
        isinstance(part, ast.Constant) and part.value == key
        for part in ast.walk(column.value or ast.Constant(None))
    )


def _literals(tree: ast.Module) -> Iterator[tuple[str, tuple[str, ...]]]:
    for node in tree.body:
        match node:
            case ast.Assign(
                targets=[ast.Name(id=name)],
                value=ast.Subscript(value=ast.Name(id="Literal"), slice=values),
            ):
                texts = [part.value for part in ast.walk(values) if isinstance(part, ast.Constant)]
                yield name, tuple(text for text in texts if isinstance(text, str))
            case _:
                continue


def _read_field(
    name: str, annotation: ast.expr, aliases: Mapping[str, tuple[str, ...]]
) -> FieldSpec | None:
    plain = _plain_type(annotation)
    if name in _OWN_COLUMNS:
        return None
    if plain in aliases:
        return FieldSpec(name=name, kind=FieldKind.CHOICE, choices=aliases[plain])
    return FieldSpec(name=name, kind=_KINDS[plain]) if plain in _KINDS else None


def _reusable(trees: Trees) -> Iterator[tuple[str, Import]]:
    wanted = {
        "schemas/common.py": SHARED_TYPES,
        "schemas/values.py": SHARED_TYPES,
        "schemas/error.py": frozenset(ERROR_RESPONSES),
        "dependencies.py": frozenset({"CurrentUser", "DatabaseSession"}),
    }
    for path, names in wanted.items():
        defined = module_names(trees[path]) if path in trees else set()
        module = path.removesuffix(".py").replace("/", ".")
        for name in sorted(names & defined):
            yield name, Import(module, name)
    for path, tree in trees.items():
        if path.startswith("routes/"):
            module = path.removesuffix(".py").replace("/", ".")
            for name in sorted(module_names(tree)):
                if name.startswith("get_own_"):
                    yield name, Import(module, name)


def module_names(tree: ast.Module) -> set[str]:
    """Return the names that a module binds at its top level, imports included."""
    names: set[str] = set()
    for node in tree.body:
        match node:
            case (
                ast.FunctionDef(name=name)
                | ast.AsyncFunctionDef(name=name)
                | ast.ClassDef(name=name)
            ):
                names.add(name)
            case ast.Assign(targets=targets):
                names |= {target.id for target in targets if isinstance(target, ast.Name)}
            case ast.AnnAssign(target=ast.Name(id=name)):
                names.add(name)
            case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
                names |= {alias.asname or alias.name for alias in aliases}
            case _:
                continue
    return names
