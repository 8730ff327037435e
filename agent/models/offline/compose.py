"""From a blueprint to source files, through the templates."""

import ast
from collections.abc import Iterable
from functools import cache
from typing import TYPE_CHECKING

from agent.models.offline.blueprint import Blueprint, UserIdType
from agent.models.offline.formatting import bracketed
from agent.models.offline.importing import Catalogue, Import, add_imports, from_import, names_used
from agent.models.offline.naming import Names, sentence_case
from agent.models.offline.resource import ResourceCode, getter_name, target_of
from agent.models.offline.shared import SHARED, with_dependencies
from agent.reply import SourceFile

if TYPE_CHECKING:
    from jinja2 import Environment

_USER_ID_TYPES: dict[UserIdType, str] = {"text": "str", "int": "int", "uuid": "UUID"}

_LIBRARY: Catalogue = {
    "AfterValidator": Import("pydantic", "AfterValidator"),
    "Annotated": Import("typing", "Annotated"),
    "Any": Import("typing", "Any"),
    "APIRouter": Import("fastapi", "APIRouter"),
    "AwareDatetime": Import("pydantic", "AwareDatetime"),
    "BaseModel": Import("pydantic", "BaseModel"),
    "BeforeValidator": Import("pydantic", "BeforeValidator"),
    "builtins": Import("builtins"),
    "col": Import("sqlmodel", "col"),
    "ConfigDict": Import("pydantic", "ConfigDict"),
    "Decimal": Import("decimal", "Decimal"),
    "Depends": Import("fastapi", "Depends"),
    "dt": Import("datetime"),
    "Field": Import("pydantic", "Field"),
    "func": Import("sqlmodel", "func"),
    "get_args": Import("typing", "get_args"),
    "HTTPException": Import("fastapi", "HTTPException"),
    "Literal": Import("typing", "Literal"),
    "MISSING": Import("pydantic", "MISSING"),
    "or_": Import("sqlmodel", "or_"),
    "Query": Import("fastapi", "Query"),
    "sa": Import("sqlalchemy"),
    "select": Import("sqlmodel", "select"),
    "Sequence": Import("collections.abc", "Sequence"),
    "Session": Import("sqlmodel", "Session"),
    "SQLModel": Import("sqlmodel", "SQLModel"),
    "status": Import("fastapi", "status"),
    "Strict": Import("pydantic", "Strict"),
    "StrictBool": Import("pydantic", "StrictBool"),
    "StrictInt": Import("pydantic", "StrictInt"),
    "UnaryExpression": Import("sqlalchemy", "UnaryExpression"),
    "UUID": Import("uuid", "UUID"),
    "WithJsonSchema": Import("pydantic", "WithJsonSchema"),
}
_TABLES: Catalogue = {**_LIBRARY, "Field": Import("sqlmodel", "Field")}


def compose(blueprint: Blueprint, existing: tuple[SourceFile, ...] = ()) -> tuple[SourceFile, ...]:
    """Write the source files that a blueprint asks for.

    Args:
        blueprint: What was understood.
        existing: The backend's source files, paths as in a reply; empty for a new backend.

    Returns:
        New files complete, and the changed ones of an existing backend, parents before what
        imports them.

    Raises:
        RequestNotUnderstoodError: The blueprint asks for what cannot be written.
    """
    targets = {resource.singular: target_of(resource) for resource in blueprint.resources}
    resources = [ResourceCode(resource, targets) for resource in blueprint.resources]
    files = _new_backend(resources, blueprint)
    return tuple(SourceFile(f"backend/{path}", code) for path, code in files.items())


def _new_backend(resources: list[ResourceCode], blueprint: Blueprint) -> dict[str, str]:
    user_id = _USER_ID_TYPES[blueprint.user_id]
    files = {
        "utils/__init__.py": '"""Settings, token verification and error handling."""\n',
        "utils/settings.py": _render("settings.py"),
        "utils/jwt.py": _render("jwt.py", user_id=user_id),
        "utils/errors.py": _render("errors.py"),
    }
    table_models = [
        _render("table_model", resource=each, names=each.names, user_id=user_id, user_table="user")
        for each in resources
    ]
    models = _render("models.py", table_models=table_models, user_id=user_id)
    files["models.py"] = add_imports(models, _TABLES)
    files["database.py"] = _render("database.py")
    catalogue = _project_catalogue(resources)
    schemas = {
        f"schemas/{each.names.schema_module}.py": _schema(each, catalogue) for each in resources
    }
    routes = {
        f"routes/{each.names.route_module}.py": _routes(each, catalogue) for each in resources
    }
    needed = _shared_names([*schemas.values(), *routes.values()])
    files["schemas/__init__.py"] = '"""Request and response bodies."""\n'
    if resources:
        common = _render("common.py", needed=with_dependencies(needed))
        files["schemas/common.py"] = add_imports(common, _LIBRARY)
    files["schemas/error.py"] = _render("error.py")
    files |= schemas
    files["dependencies.py"] = _render("dependencies.py")
    files["routes/__init__.py"] = '"""The routers, one module for each resource."""\n'
    files |= routes
    modules = sorted(each.names.route_module for each in resources)
    title = f"{sentence_case(resources[0].names.labels).title()} API" if resources else "API"
    files["main.py"] = _render("main.py", modules=modules, title=title)
    return files


def _schema(resource: ResourceCode, catalogue: Catalogue) -> str:
    own = _schema_names(resource.names)
    others = {name: source for name, source in catalogue.items() if name not in own}
    return add_imports(_render("schema.py", resource=resource, names=resource.names), others)


def _routes(resource: ResourceCode, catalogue: Catalogue) -> str:
    code = _render(
        "routes.py",
        resource=resource,
        names=resource.names,
        getter=getter_name(resource.names),
        user_model="User",
        get_db="get_db",
        get_current_user="get_current_user",
        has_local_dependencies=False,
    )
    getters = {
        parent.target.getter: Import(parent.target.module, parent.target.getter)
        for parent in resource.parents
        if not parent.is_self
    }
    return add_imports(code, {**catalogue, **getters})


def _project_catalogue(resources: Iterable[ResourceCode]) -> Catalogue:
    found = {name: Import("schemas.common", name) for name in SHARED}
    found |= {
        name: Import("schemas.error", name) for name in ("READ_ERRORS", "WRITE_ERRORS", "NOT_FOUND")
    }
    found |= {name: Import("dependencies", name) for name in ("CurrentUser", "DatabaseSession")}
    found["User"] = Import("models", "User")
    for resource in resources:
        names = resource.names
        found[names.model] = Import("models", names.model)
        found |= {
            field.choice_type: Import("models", field.choice_type) for field in resource.choices
        }
        found |= {
            name: Import(f"schemas.{names.schema_module}", name) for name in _schema_names(names)
        }
    return {**_LIBRARY, **found}


def _schema_names(names: Names) -> list[str]:
    parts = ("Create", "Update", "Patch", "Response", "Page", "Query", "Sort")
    return [names.model + part for part in parts]


def _shared_names(codes: Iterable[str]) -> set[str]:
    return {name for code in codes for name in names_used(ast.parse(code))} & SHARED


def _render(template: str, **values: object) -> str:
    return _templates().get_template(f"{template}.jinja").render(**values)


@cache
def _templates() -> "Environment":
    # Imported here because only a build with the offline model needs it.
    from jinja2 import Environment, PackageLoader, StrictUndefined  # noqa: PLC0415

    templates = Environment(  # noqa: S701 - Python code is written, not HTML
        loader=PackageLoader("agent.models.offline"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    templates.globals |= {"bracketed": bracketed, "from_import": from_import}
    return templates
