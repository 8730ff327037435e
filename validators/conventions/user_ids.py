"""The user table that Better Auth makes: the type of its ids, and the names of its columns."""

import ast
import re
from collections.abc import Iterator
from typing import Literal

from validators.conventions.schema import Class, Field, Schema, unwrap_hint
from validators.frozen import frozen
from validators.report import Finding
from validators.rules.conventions import USER_ID_TYPE, USER_TABLE_COLUMN
from validators.source import Function, Module, Project, is_auxiliary

UserId = Literal["text", "int", "uuid"]

_USER_TABLE = "user"
_PYTHON_TYPE = {"text": "str", "int": "int", "uuid": "UUID"}
_COLUMN_TYPES = {
    "BigInteger": "int",
    "Integer": "int",
    "SmallInteger": "int",
    "String": "str",
    "Text": "str",
    "UUID": "UUID",
    "Uuid": "UUID",
}
_DATABASE_TYPE = {"str": "TEXT", "int": "INTEGER", "UUID": "UUID"}
_BETTER_AUTH = re.compile(r"better[ _-]?auth", re.IGNORECASE)
_COLUMN_NAMES = {
    "created_at": "createdAt",
    "email_verified": "emailVerified",
    "updated_at": "updatedAt",
}
_KNOWN = frozenset(_PYTHON_TYPE.values())
_PASSWORD = "passw"  # noqa: S105  # a part of a column's name


@frozen
class _Typed:
    """A column with the Python type that it is declared with."""

    owner: Class
    field: Field
    type: str


def check(project: Project, schema: Schema, user_id: UserId) -> list[Finding]:
    """Return a finding for each user id and user column that Better Auth's table has not.

    A backend that signs users up itself has a user table of its own, with ids as it likes. One
    that neither does that nor names Better Auth gets warnings, for its types alone.
    """
    users = [cls for cls in schema.classes if _is_user_table(schema, cls)]
    if not users or any(_makes_users(project, schema, user) for user in users):
        return []
    wanted = _PYTHON_TYPE[user_id]
    wrong = [typed for typed in _user_ids(schema, users) if typed.type != wanted]
    if not _names_better_auth(project):
        # Nothing tells who makes the user table.
        return [_doubt(typed, wanted) for typed in wrong]
    conversions = _conversions(project) if wrong and user_id == "text" else []
    findings = [_finding(typed, wanted, conversions) for typed in wrong]
    return findings + [found for user in users for found in _misnamed(schema, user)]


def _names_better_auth(project: Project) -> bool:
    return any(_BETTER_AUTH.search(module.text) for module in project.modules.values())


def _doubt(typed: _Typed, wanted: str) -> Finding:
    return USER_ID_TYPE.finding(
        f"`{typed.owner.name}.{typed.field.name}` is declared as {typed.type}, and nothing here "
        f"makes users: where Better Auth does, user.id is {_DATABASE_TYPE[wanted]}.",
        path=typed.owner.module.path,
        line=typed.field.node.lineno,
        column=typed.field.node.col_offset + 1,
        severity="warning",
    )


def _misnamed(schema: Schema, user: Class) -> Iterator[Finding]:
    for owner, field in schema.all_fields(user):
        name = _COLUMN_NAMES.get(field.name)
        if name is None or _mentions(field.value, name):
            continue
        yield USER_TABLE_COLUMN.finding(
            f"Better Auth's user table has no column `{field.name}`: it is `{name}` there.",
            path=owner.module.path,
            line=field.node.lineno,
            column=field.node.col_offset + 1,
            fix=f'Leave it out, or add sa_column_kwargs={{"name": "{name}"}} to its Field.',
        )


def _mentions(value: ast.expr | None, text: str) -> bool:
    nodes = ast.walk(value) if value is not None else ()
    return any(isinstance(node, ast.Constant) and node.value == text for node in nodes)


def _finding(typed: _Typed, wanted: str, conversions: list[str]) -> Finding:
    name = f"{typed.owner.name}.{typed.field.name}"
    fix = f"Write `{wanted}` here and in the schemas"
    fix += f", and do not convert the id with int() in {', '.join(conversions)}." * bool(
        conversions
    )
    return USER_ID_TYPE.finding(
        f"`{name}` is declared as {typed.type}, but Better Auth's user.id is "
        f"{_DATABASE_TYPE[wanted]}.",
        path=typed.owner.module.path,
        line=typed.field.node.lineno,
        column=typed.field.node.col_offset + 1,
        fix=fix if conversions else f"{fix}.",
    )


def _is_user_table(schema: Schema, cls: Class) -> bool:
    if is_auxiliary(cls.module.path):
        return False
    return schema.is_table(cls) and schema.table_name(cls) == _USER_TABLE


def _makes_users(project: Project, schema: Schema, user: Class) -> bool:
    """Tell whether the backend signs users up itself: it stores passwords or inserts users."""
    fields = schema.all_fields(user)
    if any(_PASSWORD in field.name.lower() for _, field in fields):
        return True
    return any(
        _is_class(schema.find(module, call.func), user) and _is_added(module, call)
        for module in project.modules.values()
        if not is_auxiliary(module.path)
        for call in module.index.of(ast.Call)
    )


def _is_added(module: Module, call: ast.Call) -> bool:
    """Tell whether the function around a call adds something to a session."""
    for around in module.index.ancestors(call):
        if isinstance(around, Function):
            return any(
                isinstance(node, ast.Attribute) and node.attr in ("add", "add_all", "merge")
                for node in ast.walk(around)
            )
    return False


def _is_class(found: Class | None, wanted: Class) -> bool:
    return found is not None and found.node is wanted.node


def _user_ids(schema: Schema, users: list[Class]) -> Iterator[_Typed]:
    seen: set[int] = set()
    for cls in schema.classes:
        if is_auxiliary(cls.module.path) or not _holds_columns(schema, cls):
            continue
        is_user = any(cls.node is user.node for user in users)
        for owner, field in schema.all_fields(cls):
            if not (is_user and field.name == "id") and not _refers_to_user(field):
                continue
            typed = _typed(owner, field)
            if typed is not None and id(field.node) not in seen:
                seen.add(id(field.node))
                yield typed


def _holds_columns(schema: Schema, cls: Class) -> bool:
    return schema.is_table(cls) or schema.is_sqlmodel(cls)


def _refers_to_user(field: Field) -> bool:
    target = f"{_USER_TABLE}.id"
    for node in ast.walk(field.value) if field.value is not None else ():
        match node:
            case ast.keyword(arg="foreign_key", value=ast.Constant(value=str(key))):
                if key == target:
                    return True
            case ast.Call(
                func=ast.Name(id="ForeignKey") | ast.Attribute(attr="ForeignKey"),
                args=[ast.Constant(value=str(key)), *_],
            ):
                if key == target:
                    return True
            case _:
                continue
    return False


def _typed(owner: Class, field: Field) -> _Typed | None:
    """Return a column with its type, where that is one of those that a user id can have."""
    declared = _column_type(field.value)
    if declared is None:
        kinds = unwrap_hint(field.annotation)
        declared = owner.module.qualified(kinds[0]).rpartition(".")[2] if len(kinds) == 1 else ""
    return _Typed(owner, field, declared) if declared in _KNOWN else None


def _column_type(value: ast.expr | None) -> str | None:
    """Return the Python type of `Column(Integer, …)` or `sa_type=Integer`, if one is given."""
    for node in ast.walk(value) if value is not None else ():
        match node:
            case ast.Name(id=name) | ast.Attribute(attr=name) if name in _COLUMN_TYPES:
                return _COLUMN_TYPES[name]
            case _:
                continue
    return None


def _conversions(project: Project) -> list[str]:
    """Return the places where a token's subject or a user id is made a number."""
    found: list[str] = []
    for module in project.modules.values():
        for call in module.index.of(ast.Call):
            match call:
                case ast.Call(func=ast.Name(id="int"), args=[value]) if _is_user_id(value):
                    found.append(f"{module.path}:{call.lineno}")
                case _:
                    continue
    return found


def _is_user_id(value: ast.expr) -> bool:
    text = ast.unparse(value).lower()
    return "user_id" in text or "'sub'" in text or text in ("sub", "subject")
