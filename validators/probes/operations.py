"""The app's operations, read from its own OpenAPI document.

Source: the OpenAPI specification 3.1.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

Schema = Mapping[str, Any]
Place = Literal["path", "query", "header", "cookie"]

METHODS = ("POST", "GET", "PUT", "PATCH", "DELETE")
UPDATES = ("PUT", "PATCH")
JSON, FORM = "application/json", "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"
_DEEPEST = 12
_PATH = re.compile(r"/(?:[^{}]|\{\w+(?::\w+)?\})*")
_SIGNING_OUT = frozenset({"logout", "log-out", "logoff", "signout", "sign-out"})
_OWN_ACCOUNT = frozenset({"me", "account", "self", "my-account", "myself", "profile"})


@dataclass(frozen=True)
class Parameter:
    """One parameter of an operation."""

    name: str
    place: Place
    is_required: bool
    schema: Schema


@dataclass(frozen=True)
class Operation:
    """One method on one path.

    Attributes:
        method: In upper case.
        path: The path template, such as `/api/tasks/{task_id}`.
        parameters: In the document's order.
        body: The schema of the request body, or None.
        media: The media type of the body.
        is_body_required: Whether the body may be left out.
        is_secured: Whether the document asks for credentials.
    """

    method: str
    path: str
    parameters: tuple[Parameter, ...]
    body: Schema | None
    media: str
    is_body_required: bool
    is_secured: bool

    @property
    def route(self) -> str:
        """The operation as a report names it, `METHOD /path`."""
        return f"{self.method} {self.path}"

    @property
    def path_names(self) -> tuple[str, ...]:
        """The names in the path template, in their order."""
        return tuple(re.findall(r"\{(\w+)(?::\w+)?\}", self.path))

    @property
    def segments(self) -> tuple[str, ...]:
        """The path's parts."""
        return tuple(part for part in self.path.split("/") if part)

    @property
    def ends_session(self) -> bool:
        """Whether it signs the user out, as far as its path tells."""
        return any(part.lower() in _SIGNING_OUT for part in self.segments)

    @property
    def ends_account(self) -> bool:
        """Whether it removes the user's own account, as far as its path tells."""
        words = [part.lower() for part in self.segments]
        is_removal = self.method == "DELETE" and bool(words) and words[-1] in _OWN_ACCOUNT
        # A new password often ends every session.
        return is_removal or (self.method != "GET" and bool(words) and "password" in words[-1])

    @property
    def is_last(self) -> bool:
        """Whether it ends what every other operation needs."""
        return self.ends_session or self.ends_account

    def parameter(self, name: str) -> Parameter | None:
        """Return the path parameter with this name."""
        return next((p for p in self.parameters if p.place == "path" and p.name == name), None)


class Document:
    """An OpenAPI document, with its references resolved where they are needed."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        self._data = data

    @property
    def operations(self) -> tuple[Operation, ...]:
        """Every operation, in the document's order."""
        paths = self._data.get("paths")
        return tuple(
            self._operation(path, method.upper(), item)
            for path, items in _mapping(paths).items()
            for method, item in _mapping(items).items()
            if method.upper() in METHODS and isinstance(item, Mapping) and _PATH.fullmatch(path)
        )

    def resolve(self, schema: Any) -> Schema:  # noqa: ANN401 - comes from untrusted code
        """Return a schema without `$ref` at its top."""
        for _ in range(_DEEPEST):
            reference = _mapping(schema).get("$ref")
            if not isinstance(reference, str):
                break
            found: Any = self._data
            for part in reference.removeprefix("#/").split("/"):
                found = _mapping(found).get(part)
            siblings = {key: value for key, value in schema.items() if key != "$ref"}
            schema = {**_mapping(found), **siblings}
        return _mapping(schema)

    def properties(self, schema: Schema | None) -> Iterator[tuple[str, Schema, bool]]:
        """Yield name, schema and whether it is required for each property of an object."""
        merged = self.flatten(schema or {})
        required = merged.get("required")
        for name, item in _mapping(merged.get("properties")).items():
            yield str(name), self.resolve(item), name in _items(required)

    def property_named(self, name: str) -> Schema | None:
        """Return the first property of this name among the document's components."""
        for component in _mapping(_mapping(self._data.get("components")).get("schemas")).values():
            found = _mapping(_mapping(component).get("properties")).get(name)
            if isinstance(found, Mapping):
                return self.resolve(found)
        return None

    def flatten(self, schema: Schema, depth: int = 0) -> Schema:
        """Return an object schema with the parts of its `allOf` merged into it."""
        resolved = self.resolve(schema)
        parts = _items(resolved.get("allOf"))
        if not parts or depth > _DEEPEST:
            return resolved
        merged: dict[str, Any] = {k: v for k, v in resolved.items() if k != "allOf"}
        for part in parts:
            flat = self.flatten(part, depth + 1)
            merged = {
                **merged,
                **flat,
                "properties": {
                    **_mapping(merged.get("properties")),
                    **_mapping(flat.get("properties")),
                },
                "required": [*_items(merged.get("required")), *_items(flat.get("required"))],
            }
        return merged

    def _operation(self, path: str, method: str, item: Mapping[str, Any]) -> Operation:
        body = self.resolve(item.get("requestBody"))
        content = _mapping(body.get("content"))
        media = next((kind for kind in (JSON, FORM) if kind in content), next(iter(content), JSON))
        security = _items(item.get("security", self._data.get("security")))
        return Operation(
            method=method,
            path=path,
            parameters=tuple(self._parameters(path, item)),
            body=self._schema(_mapping(content.get(media))) if content else None,
            media=str(media),
            is_body_required=bool(body.get("required")),
            # An empty requirement among others makes the credentials optional.
            is_secured=bool(security) and {} not in security,
        )

    def _parameters(self, path: str, item: Mapping[str, Any]) -> Iterator[Parameter]:
        shared = _mapping(_mapping(self._data.get("paths")).get(path)).get("parameters")
        for each in [*_items(shared), *_items(item.get("parameters"))]:
            found = self.resolve(each)
            place = found.get("in")
            if place in ("path", "query", "header", "cookie"):
                schema = self._schema(found)
                yield Parameter(str(found.get("name")), place, bool(found.get("required")), schema)

    def _schema(self, holder: Mapping[str, Any]) -> Schema:
        """Return the schema of a media type or parameter, with the examples beside it."""
        schema = self.resolve(holder.get("schema"))
        named = _mapping(holder.get("examples")).values()
        found = [_mapping(each)["value"] for each in named if "value" in _mapping(each)]
        found += [holder["example"]] if "example" in holder else []
        return {**schema, "examples": found} if found and "examples" not in schema else schema


def _mapping(value: Any) -> Mapping[str, Any]:  # noqa: ANN401 - comes from untrusted code
    return value if isinstance(value, Mapping) else {}


def _items(value: Any) -> list[Any]:  # noqa: ANN401 - comes from untrusted code
    return value if isinstance(value, list) else []
