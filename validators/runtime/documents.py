"""One OpenAPI document from those of an app, of its hidden routes and of the apps in it.

Everything here comes from untrusted code: what has another shape than expected is left out.
"""

from collections.abc import Mapping
from typing import Any

_SCHEMAS = "#/components/schemas/"
_MOST_ROUTES = 2000
_DEEPEST = 64


def merge_documents(document: Mapping[str, Any], parts: Any) -> dict[str, Any]:  # noqa: ANN401
    """Return a document with the paths of others added, each below its prefix.

    Args:
        document: The app's own document.
        parts: A list of `{"prefix": ..., "openapi": ...}`.
    """
    merged = {**document, "paths": dict(_mapping(document.get("paths")))}
    schemas = dict(_mapping(_mapping(document.get("components")).get("schemas")))
    for number, part in enumerate(_list(parts)):
        prefix, other = str(part.get("prefix", "")), _mapping(part.get("openapi"))
        mark = f"part{number}."
        for path, items in _mapping(other.get("paths")).items():
            known = _mapping(merged["paths"].get(prefix + path))
            merged["paths"][prefix + path] = {**_mapping(_renamed(items, mark)), **known}
        components = _mapping(_mapping(other.get("components")).get("schemas"))
        schemas |= {mark + name: _renamed(schema, mark) for name, schema in components.items()}
    merged["components"] = {**_mapping(document.get("components")), "schemas": schemas}
    return merged


def read_paths(data: Any) -> tuple[str, ...]:  # noqa: ANN401
    """Return a list of paths that the child names."""
    return (
        tuple(item for item in data[:_MOST_ROUTES] if isinstance(item, str))
        if (isinstance(data, list))
        else ()
    )


def read_websockets(data: Any) -> dict[str, Any]:  # noqa: ANN401
    """Return the WebSocket routes that the child names, as path items of a document."""
    return {
        str(item["path"]): {"get": {"parameters": item.get("parameters")}}
        for item in _list(data)
        if "path" in item
    }


def _renamed(value: Any, mark: str, depth: int = 0) -> Any:  # noqa: ANN401
    if depth > _DEEPEST:
        return None
    match value:
        case dict():
            return {
                key: _SCHEMAS + mark + item.removeprefix(_SCHEMAS)
                if key == "$ref" and isinstance(item, str)
                else _renamed(item, mark, depth + 1)
                for key, item in value.items()
            }
        case list():
            return [_renamed(item, mark, depth + 1) for item in value]
    return value


def _list(data: Any) -> list[Mapping[str, Any]]:  # noqa: ANN401
    items = data[:_MOST_ROUTES] if isinstance(data, list) else []
    return [item for item in items if isinstance(item, Mapping)]


def _mapping(data: Any) -> Mapping[str, Any]:  # noqa: ANN401
    return data if isinstance(data, Mapping) else {}
