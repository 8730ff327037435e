"""Harmless values for what a settings class demands, by type, limits and name.

They reach nobody, and are only there so that the app starts.
Source: Pydantic's settings, which read what is no plain value as JSON.
"""

import ast
import json
from typing import Any

_URL = "http://localhost:3000"
_BY_TYPE: dict[str, Any] = {
    "int": 30, "PositiveInt": 30, "NonNegativeInt": 30, "float": 1.0, "PositiveFloat": 1.0,
    "Decimal": 1, "bool": False, "list": [], "List": [], "set": [], "Set": [], "frozenset": [],
    "Sequence": [], "Iterable": [], "dict": {}, "Dict": {}, "Mapping": {}, "Any": "placeholder",
    "HttpUrl": _URL, "AnyHttpUrl": _URL, "AnyUrl": _URL, "RedisDsn": "redis://localhost:6379/0",
    "AmqpDsn": "amqp://localhost:5672/", "MongoDsn": "mongodb://localhost:27017/placeholder",
    "EmailStr": "nobody@example.com", "NameEmail": "nobody@example.com", "Path": ".",
    "DirectoryPath": ".", "timedelta": "PT1M", "datetime": "2030-01-01T00:00:00Z",
    "date": "2030-01-01", "time": "12:00:00", "UUID": "6f1c8a52-9d3e-4b70-a1f4-2c5e8d9b0a37",
    "IPv4Address": "127.0.0.1", "IPv6Address": "::1", "IPvAnyAddress": "127.0.0.1",
}  # fmt: skip
_BY_NAME = {
    "ALGORITHM": "HS256", "URL": _URL, "ORIGIN": _URL, "EMAIL": "nobody@example.com",
    "PORT": "8000", "HOST": "localhost", "MINUTES": "30", "HOURS": "1", "DAYS": "1",
    "SECONDS": "60",
}  # fmt: skip
_UNIONS = frozenset({"Optional", "Union", "Annotated", "Final", "ClassVar"})


def harmless(name: str, annotation: str) -> str:
    """Return a value as an environment variable holds it.

    Args:
        name: The variable's name, in upper case.
        annotation: Its type, as code; `str` where nothing is known.
    """
    try:
        value = _value(ast.parse(annotation, mode="eval").body)
    except (SyntaxError, ValueError):
        value = None
    if value is None:
        value = next((text for word, text in _BY_NAME.items() if word in name), "placeholder")
        value = _lengthened(value, annotation)
    return value if isinstance(value, str) else json.dumps(value)


def _value(node: ast.expr) -> Any:  # noqa: ANN401
    """Return a value of a type, or None where only the name can tell."""
    match node:
        case ast.Constant(value=str(text)):
            return _value(ast.parse(text, mode="eval").body)
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            options = (left, right)
            chosen = next((each for each in options if ast.unparse(each) != "None"), left)
            return _value(chosen)
        case ast.Subscript(value=base, slice=inner):
            parts = inner.elts if isinstance(inner, ast.Tuple) else [inner]
            return _generic(_last(base), parts)
    return _BY_TYPE.get(_last(node))


def _generic(name: str, parts: list[ast.expr]) -> Any:  # noqa: ANN401
    if name == "Literal":
        return ast.literal_eval(parts[0])
    if name == "Annotated":
        value = _value(parts[0])
        return _limited(value, parts[1:]) if isinstance(value, int | float) else value
    if name in _UNIONS:
        chosen = next((each for each in parts if ast.unparse(each) != "None"), parts[0])
        return _value(chosen)
    if name in ("tuple", "Tuple"):
        is_endless = isinstance(parts[-1], ast.Constant) and parts[-1].value is ...
        values = [_value(each) for each in parts]
        return [] if is_endless else ["placeholder" if each is None else each for each in values]
    return _BY_TYPE.get(name)


def _limited(value: float, notes: list[ast.expr]) -> float:
    """Return a number within the limits that `Field` or `annotated_types` set."""
    limits = {name: number for note in notes for name, number in _numbers(note)}
    step = 1 if isinstance(value, int) else 0.001
    lowest = limits.get("ge", limits.get("gt", value - step) + step)
    highest = limits.get("le", limits.get("lt", value + step) - step)
    return max(min(value, highest), lowest)


def _numbers(note: ast.expr) -> list[tuple[str, float]]:
    keywords = note.keywords if isinstance(note, ast.Call) else []
    return [
        (keyword.arg, keyword.value.value)
        for keyword in keywords
        if keyword.arg and isinstance(keyword.value, ast.Constant)
        if isinstance(keyword.value.value, int | float)
    ]


def _lengthened(text: str, annotation: str) -> str:
    """Return a text that is as long as its type asks for."""
    try:
        tree = ast.parse(annotation, mode="eval")
    except (SyntaxError, ValueError):
        return text
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    wanted = [int(n) for call in calls for name, n in _numbers(call) if name == "min_length"]
    least = min(max(wanted, default=0), 4096)
    return text if len(text) >= least else (text * (least // len(text) + 1))[:least]


def _last(node: ast.expr) -> str:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""
