"""From a blueprint to source files: a new backend, or additions to an existing one."""

import ast
from collections.abc import Iterable
from functools import cached_property

from agent.errors import RequestNotUnderstoodError
from agent.models.offline.agents import AgentCode
from agent.models.offline.backend import Backend, ExistingModel
from agent.models.offline.blueprint import AgentEndpoint, Blueprint, Resource, UserIdType
from agent.models.offline.catalogue import (
    ERROR_RESPONSES,
    LIBRARY,
    RATE_LIMIT,
    SHARED_TYPES,
    SIGN_IN,
    TABLE_LIBRARY,
    with_parts,
)
from agent.models.offline.existing import module_names, read_backend
from agent.models.offline.importing import Catalogue, Import, names_used
from agent.models.offline.inserting import append_code, include_routers, insert_imports
from agent.models.offline.naming import Names, names_of
from agent.models.offline.nouns import plural_name
from agent.models.offline.rendering import render, render_module
from agent.models.offline.resource import ResourceCode, Target, getter_name, target_of
from agent.reply import SourceFile

_USER_ID_TYPES: dict[UserIdType, str] = {"text": "str", "int": "int", "uuid": "UUID"}
_OWN_USER_TABLE = "app_user"
_SCHEMA_PARTS = ("Create", "Update", "Patch", "Response", "Page", "Query", "Sort")
_LONGEST_NAME = 40
_LONGEST_PAIR = 55
# A backend's files in the order in which they build upon each other.
_ORDER = ("utils/", "models.py", "database.py", "schemas/", "dependencies.py", "routes/", "main.py")


def compose(blueprint: Blueprint, existing: tuple[SourceFile, ...] = ()) -> tuple[SourceFile, ...]:
    """Write the source files that a blueprint asks for.

    Args:
        blueprint: What was understood.
        existing: The backend's source files, paths as in a reply; empty for a new backend.

    Returns:
        New and changed files, each complete, before those that import it.

    Raises:
        InputError: The existing backend does not have the layout that new code relies on.
        RequestNotUnderstoodError: The blueprint asks for what cannot be written.
    """
    if existing:
        backend = read_backend(existing)
    else:
        table = _OWN_USER_TABLE if blueprint.auth == "own" else "user"
        backend = Backend(user_id=_USER_ID_TYPES[blueprint.user_id], user_table=table)
    files = _Composition(blueprint, backend).files()
    paths = sorted(files, key=_position)
    return tuple(SourceFile(f"backend/{path}", files[path]) for path in paths)


def _position(path: str) -> int:
    return next(number for number, start in enumerate(_ORDER) if path.startswith(start))


class _Composition:
    """The files of one blueprint in one backend."""

    def __init__(self, blueprint: Blueprint, backend: Backend) -> None:
        self._blueprint = blueprint
        self._backend = backend
        targets = self._targets()
        self._resources = [ResourceCode(each, targets) for each in blueprint.resources]
        for resource in self._resources:
            for field in resource.fields:
                field.refuse_extremes()
        self._agents = [self._agent(each) for each in blueprint.agents]

    def files(self) -> dict[str, str]:
        """Return the new and changed files by path."""
        new = self._resource_modules() | self._agent_modules() | self._me_modules()
        new |= self._sign_in_modules()
        for path in new:
            if path in self._backend.files:
                raise RequestNotUnderstoodError(
                    f"The backend has a {path} already, and the offline model changes only "
                    "main.py and models.py.",
                    "Ask for it under another name.",
                )
        new |= self._shared_modules(new.values())
        if self._backend.is_new:
            return new | self._base()
        return new | self._changed() | self._packages(new)

    def _targets(self) -> dict[str, Target]:
        targets = {each.singular: target_of(each) for each in self._blueprint.resources}
        for resource in self._blueprint.resources:
            names = names_of(resource)
            _refuse_long_names(resource, names)
            if self._backend.find_model(names.singular, names.plural) is not None:
                raise RequestNotUnderstoodError(
                    f"The backend has {names.labels} already.", "Ask for them under another name."
                )
            for parent in resource.parents:
                if parent.resource not in targets:
                    targets[parent.resource] = self._existing_target(parent.resource)
        return targets

    def _existing_target(self, singular: str) -> Target:
        model = self._existing_model(singular)
        if model.id_type != "int" or model.owner is None:
            reason = "whole number as its id" if model.owner else "column that names its user"
            raise RequestNotUnderstoodError(
                f"Nothing can belong to {model.name} of the existing backend: it has no {reason}."
            )
        getter = f"get_own_{singular}"
        source = self._backend.names.get(getter)
        label = singular.replace("_", " ")
        module = source.module if source else ""
        return Target(model.name, model.table, label, module, getter, model.owner)

    def _existing_model(self, singular: str) -> ExistingModel:
        model = self._backend.find_model(singular)
        if model is None:
            known = ", ".join(sorted(self._backend.models)) or "none"
            raise RequestNotUnderstoodError(
                f"There is no {singular.replace('_', ' ')} in this backend.",
                f"Its table models are: {known}.",
            )
        return model

    def _agent(self, spec: AgentEndpoint) -> AgentCode:
        for resource in self._resources:
            if resource.spec.singular == spec.resource:
                names, fields = resource.names, resource.spec.fields
                priorities = f"{names.model}Priority"
                return AgentCode(spec, names.model, names.label, names.labels, fields, priorities)
        model = self._existing_model(spec.resource)
        if model.owner != "user_id":
            raise RequestNotUnderstoodError(f"{model.name} has no column user_id.")
        label = spec.resource.replace("_", " ")
        priorities = model.choice_types.get("priority", "")
        labels = plural_name(tuple(label.split())).replace("_", " ")
        return AgentCode(spec, model.name, label, labels, model.fields, priorities)

    @cached_property
    def _context(self) -> dict[str, object]:
        """What every template with handlers needs to know."""
        backend = self._backend
        return {
            "user_id": backend.user_id,
            "user_model": backend.user_model,
            "user_table": backend.user_table,
            "auth": self._blueprint.auth,
            "get_db": backend.session.name,
            "get_current_user": backend.current_user.name,
            "has_local_dependencies": not (backend.is_new or "CurrentUser" in backend.names),
        }

    @cached_property
    def _catalogue(self) -> Catalogue:
        """Where the names come from that new modules may use, those of a resource apart."""
        backend = self._backend
        found = {
            **LIBRARY,
            backend.user_model: Import("models", backend.user_model),
            backend.session.name: backend.session,
            backend.current_user.name: backend.current_user,
        }
        found |= {name: Import(self._types_module, name) for name in SHARED_TYPES}
        found |= {name: Import(self._errors_module, name) for name in ERROR_RESPONSES}
        if not self._context["has_local_dependencies"]:
            found |= {
                name: Import("dependencies", name) for name in ("CurrentUser", "DatabaseSession")
            }
        for model in backend.models.values():
            types = [model.name, *model.choice_types.values()]
            found |= {name: Import("models", name) for name in types}
        for resource in self._resources:
            types = [resource.names.model, *(field.choice_type for field in resource.choices)]
            found |= {name: Import("models", name) for name in types}
        return {**found, **backend.names}

    @cached_property
    def _types_module(self) -> str:
        candidates = ["schemas.common", "schemas.values"]
        candidates += [f"schemas.{each.names.singular}_values" for each in self._resources]
        return next(name for name in candidates if self._is_free(name))

    @cached_property
    def _errors_module(self) -> str:
        candidates = ["schemas.error", "schemas.error_responses", "schemas.documented_errors"]
        return next(name for name in candidates if self._is_free(name))

    def _is_free(self, module: str) -> bool:
        return f"{module.replace('.', '/')}.py" not in self._backend.files

    def _resource_modules(self) -> dict[str, str]:
        modules = {}
        for resource in self._resources:
            names = resource.names
            schema = f"schemas.{names.schema_module}"
            modules[_path(schema)] = render_module(
                "schema.py", self._catalogue, resource=resource, names=names
            )
            own = {name: Import(schema, name) for name in _schema_names(names)}
            getters = {
                parent.target.getter: Import(parent.target.module, parent.target.getter)
                for parent in resource.parents
                if parent.target.module and not parent.is_self
            }
            modules[_path(f"routes.{names.route_module}")] = render_module(
                "routes.py",
                {**self._catalogue, **own, **getters},
                resource=resource,
                names=names,
                getter=getter_name(names),
                **self._context,
            )
        return modules

    def _me_modules(self) -> dict[str, str]:
        if not self._blueprint.has_me:
            return {}
        catalogue = {
            **self._catalogue,
            "UserResponse": Import("schemas.user", "UserResponse"),
        }
        return {
            "schemas/user.py": render_module(
                "user.py", LIBRARY, columns=self._backend.user_columns, **self._context
            ),
            "routes/me.py": render_module("me.py", catalogue, **self._context),
        }

    def _sign_in_modules(self) -> dict[str, str]:
        """Return the modules by which a new backend signs its users up and in itself."""
        if self._blueprint.auth != "own" or not self._backend.is_new:
            return {}
        return {
            "utils/passwords.py": render("passwords.py"),
            "utils/rate_limit.py": render("rate_limit.py"),
            "schemas/auth.py": render_module("auth_schemas.py", self._catalogue),
            "routes/auth.py": render_module("auth.py", {**self._catalogue, **SIGN_IN}),
        }

    def _agent_modules(self) -> dict[str, str]:
        if not self._agents:
            return {}
        abilities = {agent.spec.ability for agent in self._agents}
        bodies = [agent.prefix + part for agent in self._agents for part in ("Request", "Response")]
        catalogue = {
            **self._catalogue,
            **{name: Import("schemas.agents", name) for name in bodies},
            **RATE_LIMIT,
            **{
                name: Import("utils.suggestions", name)
                for name in ("choose_day", "choose_similar", "is_urgent")
            },
        }
        values = {"agents": self._agents, "abilities": abilities, **self._context}
        schemas = {name: source for name, source in catalogue.items() if name not in bodies}
        modules = {
            "schemas/agents.py": render_module("agent_schemas.py", schemas, **values),
            "routes/agents.py": render_module("agents.py", catalogue, **values),
        }
        limits = self._backend.files.get("utils/rate_limit.py", "")
        if not RATE_LIMIT.keys() <= module_names(ast.parse(limits)):
            modules["utils/rate_limit.py"] = render("rate_limit.py")
        if abilities != {"summarize"}:
            modules["utils/suggestions.py"] = render_module("suggestions.py", LIBRARY, **values)
        return modules

    def _shared_modules(self, codes: Iterable[str]) -> dict[str, str]:
        """Return the modules of the types and documented errors that new modules share."""
        used = {name for code in codes for name in names_used(ast.parse(code))}
        modules = {}
        missing = with_parts(used) - self._backend.names.keys()
        if missing:
            catalogue = {**LIBRARY, **self._backend.names}
            module = render_module("common.py", catalogue, needed=missing)
            modules[_path(self._types_module)] = module
        if used & ERROR_RESPONSES - self._backend.names.keys():
            parents = [parent for each in self._resources for parent in each.parents]
            values = {
                "is_new": self._backend.is_new,
                "has_trees": any(parent.is_self for parent in parents),
            }
            modules[_path(self._errors_module)] = render("error.py", **values)
        return modules

    def _table_models(self) -> list[str]:
        return [
            render("table_model", resource=each, names=each.names, **self._context)
            for each in self._resources
        ]

    def _base(self) -> dict[str, str]:
        """Return the modules that only a new backend gets."""
        resources = self._resources
        is_own = self._blueprint.auth == "own"
        modules = ["auth"] * is_own + [each.names.route_module for each in resources]
        modules += ["agents"] * bool(self._agents) + ["me"] * self._blueprint.has_me
        labels = resources[0].names.labels if resources else "backend"
        return {
            "utils/__init__.py": render("utils_init.py"),
            "utils/settings.py": render("settings.py", **self._context),
            "utils/jwt.py": render("own_jwt.py" if is_own else "jwt.py", **self._context),
            "utils/errors.py": render("errors.py"),
            "models.py": render_module(
                "models.py", TABLE_LIBRARY, table_models=self._table_models(), **self._context
            ),
            "database.py": render("database.py", **self._context),
            "schemas/__init__.py": render("schemas_init.py"),
            "dependencies.py": render("dependencies.py", **self._context),
            "routes/__init__.py": render("routes_init.py"),
            "main.py": render("main.py", modules=modules, title=f"{labels.title()} API"),
        }

    def _changed(self) -> dict[str, str]:
        """Return the modules of an existing backend that change."""
        files = self._backend.files
        changed = {}
        models = files["models.py"]
        additions = self._table_models()
        if additions and "utc_now" not in module_names(ast.parse(models)):
            additions.insert(0, render("clock"))
        if additions:
            used = names_used(ast.parse("\n".join(additions))) & TABLE_LIBRARY.keys()
            imports = {name: TABLE_LIBRARY[name] for name in used}
            changed["models.py"] = insert_imports(
                "models.py", append_code(models, "\n\n".join(additions)), imports
            )
        modules = [each.names.route_module for each in self._resources]
        modules += ["agents"] * bool(self._agents) + ["me"] * self._blueprint.has_me
        changed["main.py"] = include_routers(files["main.py"], modules)
        return changed

    def _packages(self, new: Iterable[str]) -> dict[str, str]:
        """Return the package files of the folders that an existing backend does not have."""
        known = {path.partition("/")[0] for path in self._backend.files}
        folders = {path.partition("/")[0] for path in new} - known
        return {f"{folder}/__init__.py": render(f"{folder}_init.py") for folder in sorted(folders)}


def _refuse_long_names(resource: Resource, names: Names) -> None:
    """Refuse names that would not fit a line of code or an identifier of PostgreSQL."""
    longest = max((len(field.name) for field in resource.fields), default=0)
    if len(names.singular) > _LONGEST_NAME or len(names.model) + longest > _LONGEST_PAIR:
        raise RequestNotUnderstoodError(
            f"The names of {names.labels} and their fields are too long: "
            f"{len(names.singular)} and {longest} characters.",
            f"Keep them below {_LONGEST_NAME} each and {_LONGEST_PAIR} together.",
        )


def _path(module: str) -> str:
    return f"{module.replace('.', '/')}.py"


def _schema_names(names: Names) -> list[str]:
    return [names.model + part for part in _SCHEMA_PARTS]
