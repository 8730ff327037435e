"""What an app serves beyond its OpenAPI document: hidden routes, mounted apps, WebSockets.

An app decides what its document shows; what it routes is read from its own table of routes.
"""

import contextlib
import re
from collections.abc import Iterator
from typing import Any

Message = dict[str, Any]

_PARAMETER = re.compile(r"\{(\w+)(?::(\w+))?\}")
_DEEPEST = 4
_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


def describe(app: Any, document: Any) -> Message:  # noqa: ANN401
    """Return what an app routes beside what its document shows.

    Returns:
        `documents`: an OpenAPI document for each part, with the `prefix` before its paths;
        `websockets`: OpenAPI path items with their `path`; `mounts`: paths of what is no app
        with routes of its own.
    """
    found: Message = {"documents": [], "websockets": [], "mounts": []}
    # The app's own objects may raise whatever they like; what was found until then counts.
    with contextlib.suppress(Exception):
        _collect(app, document, "", found, 0)
    return found


def _collect(app: Any, document: Any, prefix: str, found: Message, depth: int) -> None:  # noqa: ANN401
    shown = document.get("paths", {}) if isinstance(document, dict) else {}
    hidden: list[Any] = []
    plain: Message = {}
    for route in _contexts(app):
        original = getattr(route, "original_route", route)
        path = getattr(route, "path_format", None) or getattr(route, "path", None)
        kind = type(original).__name__
        if not isinstance(path, str):
            continue
        if "WebSocket" in kind:
            found["websockets"].append({"path": prefix + _plain(path), **_parameters(route, path)})
        elif hasattr(original, "methods"):
            missing = _missing_methods(route, path, shown)
            if missing and hasattr(original, "dependant"):
                hidden.append(route)
            elif missing and not _is_documentation(route):
                plain[_plain(path)] = dict.fromkeys(
                    map(str.lower, missing), _parameters(route, path)
                )
        elif hasattr(original, "app") and depth < _DEEPEST:
            _collect_mounted(original.app, prefix + original.path, found, depth)
    parts = [_document_of(hidden), {"paths": plain}]
    found["documents"] += [{"prefix": prefix, "openapi": part} for part in parts if part["paths"]]


def _collect_mounted(app: Any, prefix: str, found: Message, depth: int) -> None:  # noqa: ANN401
    if not hasattr(app, "routes"):
        found["mounts"].append(prefix)
        return
    document: Any = {}
    if callable(getattr(app, "openapi", None)):
        with contextlib.suppress(Exception):
            document = app.openapi()
            found["documents"].append({"prefix": prefix, "openapi": document})
    _collect(app, document, prefix, found, depth + 1)


def _contexts(app: Any) -> Iterator[Any]:  # noqa: ANN401
    """Yield the routes, those of included routers as they are reached."""
    routes = getattr(app, "routes", ())
    with contextlib.suppress(Exception):
        from fastapi.routing import iter_route_contexts  # noqa: PLC0415

        yield from list(iter_route_contexts(routes))
        return
    yield from routes


def _missing_methods(route: Any, path: str, shown: Any) -> list[str]:  # noqa: ANN401
    known = shown.get(_plain(path), {})
    methods = getattr(route, "methods", None) or ("GET",)
    return [name for name in _METHODS if name in methods and name.lower() not in known]


def _is_documentation(route: Any) -> bool:  # noqa: ANN401
    return str(getattr(getattr(route, "endpoint", None), "__module__", "")).startswith("fastapi.")


def _document_of(hidden: list[Any]) -> Message:
    """Return the document that hidden routes would have."""
    if not hidden:
        return {"paths": {}}
    holders = [
        getattr(route, "_route_context", None) or getattr(route, "route", route) for route in hidden
    ]
    before = [getattr(holder, "include_in_schema", True) for holder in holders]
    try:
        for holder in holders:
            holder.include_in_schema = True
        return _make_document(hidden)
    finally:
        for holder, value in zip(holders, before, strict=True):
            holder.include_in_schema = value


def _make_document(hidden: list[Any]) -> Message:
    with contextlib.suppress(Exception):
        from fastapi.openapi.utils import get_openapi  # noqa: PLC0415

        document: Message = get_openapi(title="", version="", routes=hidden)
        return document
    # A schema that cannot be made: paths and methods are known all the same.
    return {
        "paths": {
            _plain(route.path): dict.fromkeys(
                (name.lower() for name in route.methods), _parameters(route, route.path)
            )
            for route in hidden
        }
    }


def _parameters(route: Any, path: str) -> Message:  # noqa: ANN401
    """Return the parameters of a route that has no document."""
    found = {
        name: _parameter(name, "path", "integer" if kind == "int" else "string")
        for name, kind in _PARAMETER.findall(path)
    }
    with contextlib.suppress(Exception):
        for place, field in _fields(getattr(route, "dependant", None)):
            kind = "integer" if field.field_info.annotation is int else "string"
            is_required = bool(field.field_info.is_required())
            found[field.alias] = _parameter(field.alias, place, kind, is_required)
    return {"parameters": list(found.values())}


def _fields(dependant: Any) -> Iterator[tuple[str, Any]]:  # noqa: ANN401
    """Yield the path and query parameters of a route and of what it depends on."""
    if dependant is None:
        return
    yield from (("path", field) for field in dependant.path_params)
    yield from (("query", field) for field in dependant.query_params)
    for each in dependant.dependencies:
        yield from _fields(each)


def _parameter(name: str, place: str, kind: str, is_required: bool = True) -> Message:  # noqa: FBT001, FBT002
    return {"name": name, "in": place, "required": is_required, "schema": {"type": kind}}


def _plain(path: str) -> str:
    return _PARAMETER.sub(r"{\1}", path)
