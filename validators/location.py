"""Where the app is: the module, the attribute, and the folder that Python imports from."""

import ast
from dataclasses import dataclass
from pathlib import PurePosixPath

from validators.source import Module, Project

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
_FACTORIES = ("create_app", "make_app", "get_app", "build_app")


@dataclass(frozen=True, slots=True)
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

    Args:
        project: The parsed folder.
        spec: `module:attribute` as given by a person, or None to look in the usual places.

    Returns:
        The location, or None where no file defines an app.
    """
    if spec is not None:
        return _by_spec(project, spec)
    usual = [project.modules[path] for path in _CANDIDATES if path in project.modules]
    others = sorted(
        (module for module in project.modules.values() if module not in usual),
        key=lambda module: (module.path.count("/"), module.path),
    )
    for module in (*usual, *others):
        attribute = _app_attribute(module)
        if attribute is not None:
            return _locate(project, module, attribute)
    return None


def _by_spec(project: Project, spec: str) -> AppLocation | None:
    dotted, _, attribute = spec.partition(":")
    stem = dotted.replace(".", "/")
    for path in (f"{stem}.py", f"{stem}/__init__.py"):
        for prefix in ("", "backend/"):
            module = project.modules.get(prefix + path)
            if module is None:
                continue
            name = attribute or _app_attribute(module) or "app"
            return AppLocation(
                module=dotted,
                attribute=name,
                is_factory=_defines_function(module, name),
                import_root=PurePosixPath(prefix),
                path=module.path,
            )
    return None


def _app_attribute(module: Module) -> str | None:
    if module.tree is None:
        return None
    for node in module.tree.body:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call(func=called)):
                if _last_name(called) in ("FastAPI", *_FACTORIES):
                    return name
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.Call(func=called)):
                if _last_name(called) in ("FastAPI", *_FACTORIES):
                    return name
            case _:
                continue
    return next((name for name in _FACTORIES if _defines_function(module, name)), None)


def _defines_function(module: Module, name: str) -> bool:
    body = module.tree.body if module.tree else []
    return any(isinstance(node, ast.FunctionDef) and node.name == name for node in body)


def _last_name(node: ast.expr) -> str:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case _:
            return ""


def _locate(project: Project, module: Module, attribute: str) -> AppLocation:
    roots = (module.folder, *module.folder.parents)
    # The folder from which most absolute imports resolve; the nearest one where equal.
    best = max(roots, key=lambda root: _resolved_imports(project, module, root))
    dotted = PurePosixPath(module.path).relative_to(best).with_suffix("").parts
    if dotted[-1] == "__init__" and len(dotted) > 1:
        dotted = dotted[:-1]
    return AppLocation(
        module=".".join(dotted),
        attribute=attribute,
        is_factory=_defines_function(module, attribute),
        import_root=best,
        path=module.path,
    )


def _resolved_imports(project: Project, main: Module, root: PurePosixPath) -> int:
    count = 0
    for module in project.modules.values():
        if module.tree is None or main.folder not in (module.folder, *module.folder.parents):
            continue
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Import):
                count += sum(_exists(project, root, alias.name) for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                count += _exists(project, root, node.module)
            elif isinstance(node, ast.ImportFrom) and node.level and module is main:
                # A relative import needs a package around it.
                count += root != main.folder
    return count


def _exists(project: Project, root: PurePosixPath, dotted: str) -> bool:
    stem = str(root.joinpath(*dotted.split(".")))
    return f"{stem}.py" in project.modules or stem in project.folders
