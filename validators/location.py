"""Where the app is: the module, the attribute, and the folder that Python imports from."""

import ast
import re
from collections.abc import Iterator
from difflib import get_close_matches
from functools import partial
from pathlib import PurePosixPath

from validators.frozen import frozen
from validators.names import collect, statements
from validators.source import Function, Module, Project, is_auxiliary

_CANDIDATES = (
    "main.py",
    "app/main.py",
    "src/main.py",
    "backend/main.py",
    "backend/app/main.py",
    "backend/src/main.py",
    "app.py",
    "api/main.py",
    "server.py",
)
_APP_CLASSES = frozenset({"FastAPI", "fastapi.FastAPI", "fastapi.applications.FastAPI"})
_MAX_HOPS = 8
# Where the file does not parse, its text must do.
_APP_LINE = re.compile(r"^(\w+)\s*(?::[^=\n]*)?=\s*(?:\w+\.)?FastAPI\(", re.MULTILINE)


@frozen
class AppLocation:
    """Where the app is.

    Attributes:
        module: Dotted module name as seen from the import root, such as `app.main`.
        attribute: Name of the app or of its factory in that module.
        is_factory: Whether the attribute must be called to get the app.
        import_root: Folder on Python's path, relative to the checked folder.
        path: The module's file, relative to the checked folder.
    """

    module: str
    attribute: str
    is_factory: bool
    import_root: PurePosixPath
    path: str


def find_app(project: Project, spec: str | None = None) -> AppLocation | None:
    """Find the app of a project.

    An app object counts before a factory, the usual places before others, and tests only where
    nothing else has an app.

    Args:
        project: The parsed folder.
        spec: `module:attribute` as given by a person, or None to look for the app.

    Returns:
        The location, or None where no file defines an app, or not the one of `spec`.
    """
    if spec is not None:
        return _by_spec(project, spec)
    modules = _in_order(project)
    for look in (_app_name, _factory_name):
        for module in modules:
            attribute = look(project, module)
            if attribute is not None:
                return _locate(project, module, attribute)
    return None


def explain_missing(project: Project, spec: str | None) -> tuple[str, str | None]:
    """Return why `find_app` found nothing, and what to do where more is known than the rule."""
    if not project.modules:
        return "There is no Python file in this folder: nothing was checked.", None
    if spec is None:
        return "No file defines a FastAPI app: no route could be checked.", None
    found = find_app(project)
    fix = f"Write --app {found.module}:{found.attribute}." if found else None
    dotted, _, attribute = spec.partition(":")
    module = _module_of_spec(project, dotted)
    if module is None:
        known = {_dotted(path) for path in project.modules}
        near = get_close_matches(dotted, sorted(known), n=1)
        hint = f" Did you mean `{near[0]}`?" if near else ""
        return f"--app names the module `{dotted}`, which does not exist.{hint}", fix
    return f"--app names `{attribute or 'app'}`, which `{module.path}` does not define.", fix


def _in_order(project: Project) -> list[Module]:
    usual = [project.modules[path] for path in _CANDIDATES if path in project.modules]
    others = [module for module in project.modules.values() if module.path not in _CANDIDATES]
    others.sort(key=lambda m: (is_auxiliary(m.path), m.path.count("/"), m.path))
    return usual + others


def _by_spec(project: Project, spec: str) -> AppLocation | None:
    dotted, _, attribute = spec.strip().partition(":")
    module = _module_of_spec(project, dotted)
    if module is None:
        return None
    name = attribute.removesuffix("()") or _app_name(project, module) or "app"
    if module.tree is not None:
        first = name.partition(".")[0]
        names = collect(module.tree, module.text)
        if first not in names.bound and not names.stars and not names.is_open:
            return None
    depth = len(dotted.split(".")) + module.is_package
    root = PurePosixPath(*PurePosixPath(module.path).parts[:-depth])
    return AppLocation(dotted, name, _is_factory(project, module, name), root, module.path)


def _module_of_spec(project: Project, dotted: str) -> Module | None:
    """Return the module of this name that lies nearest to the checked folder."""
    stem = dotted.replace(".", "/")
    if not stem:
        return None
    ends = (f"{stem}.py", f"{stem}/__init__.py")
    matching = [
        module
        for path, module in project.modules.items()
        if any(path == end or path.endswith(f"/{end}") for end in ends)
    ]
    return min(matching, key=lambda module: (module.path.count("/"), module.path), default=None)


def _app_name(project: Project, module: Module) -> str | None:
    """Return the name of the app that a module creates at its top level."""
    if module.tree is None:
        found = _APP_LINE.search(module.text)
        return found.group(1) if found else None
    names = list(_assigned_apps(project, module))
    if "app" in names:
        return "app"
    mounted = {
        node.id
        for call in module.index.of(ast.Call)
        if isinstance(call.func, ast.Attribute) and call.func.attr == "mount"
        for node in ast.walk(call)
        if isinstance(node, ast.Name) and node is not call.func.value
    }
    return next((name for name in names if name not in mounted), next(iter(names), None))


def _assigned_apps(project: Project, module: Module) -> Iterator[str]:
    for statement in statements(module.tree.body if module.tree else []):
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call() as call):
                pass
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.Call() as call):
                pass
            case _:
                continue
        if _makes_app(project, module, call):
            yield name


def _makes_app(project: Project, module: Module, call: ast.Call) -> bool:
    if _is_app_class(project, module, call.func):
        return True
    found = _definition(project, module, call.func)
    return found is not None and isinstance(found[1], Function) and _returns_app(project, *found)


def _is_app_class(project: Project, module: Module, node: ast.expr | None) -> bool:
    """Tell whether an expression names FastAPI or a class of the project that inherits from it."""
    for _ in range(_MAX_HOPS):
        if module.qualified(node) in _APP_CLASSES:
            return True
        found = _definition(project, module, node)
        if found is None or not isinstance(found[1], ast.ClassDef) or not found[1].bases:
            return False
        module, node = found[0], found[1].bases[0]
    return False


def _definition(
    project: Project, module: Module, node: ast.expr | None
) -> tuple[Module, ast.stmt] | None:
    """Return the function or class of the project that a name stands for, and its module."""
    if not isinstance(node, ast.Name):
        return None
    name = node.id
    for _ in range(_MAX_HOPS):
        for statement in module.tree.body if module.tree else []:
            if isinstance(statement, Function | ast.ClassDef) and statement.name == name:
                return module, statement
        imported = module.imported.get(name)
        if imported is None or imported.name is None:
            return None
        target = _resolve_anywhere(project, module, imported.level, imported.module)
        if target is None or target is module:
            return None
        module, name = target, imported.name
    return None


def _resolve_anywhere(project: Project, module: Module, level: int, dotted: str) -> Module | None:
    # The import root is not known yet: any folder above the module will do.
    if level:
        return project.resolve(dotted, module, level)
    folders = (module.folder, *module.folder.parents)
    return next(filter(None, map(partial(_at, project, dotted), folders)), None)


def _at(project: Project, dotted: str, folder: PurePosixPath) -> Module | None:
    return project.module_at(folder, dotted)


def _factory_name(project: Project, module: Module) -> str | None:
    """Return the name of the first function that returns an app and needs no arguments."""
    for statement in module.tree.body if module.tree else []:
        if isinstance(statement, ast.FunctionDef) and _is_factory(project, module, statement.name):
            return statement.name
    return None


def _is_factory(project: Project, module: Module, name: str) -> bool:
    found = _definition(project, module, ast.Name(name, ast.Load()))
    if found is None or not isinstance(found[1], ast.FunctionDef):
        return False
    spec = found[1].args
    required = len(spec.posonlyargs) + len(spec.args) - len(spec.defaults)
    required += sum(default is None for default in spec.kw_defaults)
    return not required and _returns_app(project, *found)


def _returns_app(project: Project, module: Module, function: ast.stmt) -> bool:
    if not isinstance(function, Function):
        return False
    if _is_app_class(project, module, function.returns):
        return True
    made = {
        target.id
        for node in ast.walk(function)
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call)
        if _is_app_class(project, module, node.value.func)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for node in ast.walk(function):
        match node:
            case ast.Return(value=ast.Name(id=name)) if name in made:
                return True
            case ast.Return(value=ast.Call(func=called)):
                if _is_app_class(project, module, called):
                    return True
            case _:
                continue
    return False


def _locate(project: Project, module: Module, attribute: str) -> AppLocation:
    root = _import_root(project, module)
    return AppLocation(
        module=_dotted(str(PurePosixPath(module.path).relative_to(root))),
        attribute=attribute,
        is_factory=_is_factory(project, module, attribute),
        import_root=root,
        path=module.path,
    )


def _import_root(project: Project, main: Module) -> PurePosixPath:
    """Return the folder from which most imports resolve; the nearest one where equal."""
    roots = (main.folder, *main.folder.parents)
    if main.is_package:
        roots = roots[1:] or roots
    below = [
        module
        for module in project.modules.values()
        if module.folder.is_relative_to(main.folder) and not is_auxiliary(module.path)
    ]
    absolute = [
        dotted
        for module in below
        for dotted in (
            *(alias.name for node in module.index.of(ast.Import) for alias in node.names),
            *(n.module or "" for n in module.index.of(ast.ImportFrom) if not n.level),
        )
    ]
    # A relative import needs a package around it.
    levels = [node.level for node in main.index.of(ast.ImportFrom) if node.level]

    def score(root: PurePosixPath) -> int:
        packages = len(main.folder.relative_to(root).parts)
        fitting = sum(level <= packages for level in levels)
        return fitting + sum(_exists(project, root, dotted) for dotted in absolute if dotted)

    return max(roots, key=score)


def _exists(project: Project, root: PurePosixPath, dotted: str) -> bool:
    stem = str(root.joinpath(*dotted.split(".")))
    return f"{stem}.py" in project.modules or stem in project.folders


def _dotted(path: str) -> str:
    parts = PurePosixPath(path).with_suffix("").parts
    if parts[-1] == "__init__" and len(parts) > 1:
        parts = parts[:-1]
    return ".".join(parts)
