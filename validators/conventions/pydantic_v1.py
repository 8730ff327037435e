"""Calls and declarations of Pydantic 1, which Pydantic 2 ignores, refuses or deprecates."""

import ast
from collections.abc import Iterator

from validators.conventions.schema import Class, Schema, unwrap_hint
from validators.report import Finding, Severity
from validators.rules.conventions import PYDANTIC_V1
from validators.source import Function, Module, targets_of

# Methods whose name says enough, and those that other classes have too.
_CLASS_METHODS = {
    "construct": "model_construct",
    "from_orm": "model_validate",
    "parse_obj": "model_validate",
    "parse_raw": "model_validate_json",
    "schema_json": "model_json_schema",
    "update_forward_refs": "model_rebuild",
}
_METHODS = {"copy": "model_copy", "dict": "model_dump", "json": "model_dump_json"}
_VALIDATORS = {
    "pydantic.validator": "field_validator",
    "pydantic.root_validator": "model_validator",
    "pydantic.class_validators.validator": "field_validator",
    "pydantic.class_validators.root_validator": "model_validator",
}
# Settings of `class Config` that have another name now; Pydantic only warns, and goes on without.
_RENAMED = {
    "allow_population_by_field_name": "populate_by_name",
    "anystr_lower": "str_to_lower",
    "anystr_strip_whitespace": "str_strip_whitespace",
    "anystr_upper": "str_to_upper",
    "keep_untouched": "ignored_types",
    "max_anystr_length": "str_max_length",
    "min_anystr_length": "str_min_length",
    "orm_mode": "from_attributes",
    "schema_extra": "json_schema_extra",
    "validate_all": "validate_default",
}


def check(module: Module, schema: Schema) -> list[Finding]:
    """Return a finding for each use of Pydantic 1."""
    return [
        *_configurations(module, schema),
        *_validators(module),
        *_calls(module, schema),
    ]


def _finding(
    module: Module, node: ast.stmt | ast.expr, old: str, new: str, severity: Severity
) -> Finding:
    effect = "ignores" if severity == "error" else "deprecates"
    return PYDANTIC_V1.finding(
        f"Pydantic 2 {effect} `{old}`.",
        path=module.path,
        line=node.lineno,
        column=node.col_offset + 1,
        fix=f"Write `{new}`.",
        severity=severity,
    )


def _configurations(module: Module, schema: Schema) -> Iterator[Finding]:
    for node in module.index.of(ast.ClassDef):
        around = module.index.parent(node)
        if node.name != "Config" or not isinstance(around, ast.ClassDef):
            continue
        if not schema.is_pydantic(Class(module, around)):
            continue
        yield _finding(module, node, "class Config", "model_config = ConfigDict(…)", "warning")
        for name, field in Class(module, node).fields.items():
            if name in _RENAMED:
                yield _finding(module, field.node, name, _RENAMED[name], "error")
    yield from _renamed_keys(module)


def _renamed_keys(module: Module) -> Iterator[Finding]:
    for node in module.index.assignments:
        targets = targets_of(node)
        if not any(isinstance(name, ast.Name) and name.id == "model_config" for name in targets):
            continue
        for name in _keys(node.value):
            if name in _RENAMED:
                yield _finding(module, node, name, _RENAMED[name], "error")


def _keys(value: ast.expr | None) -> Iterator[str]:
    match value:
        case ast.Dict(keys=keys):
            for key in keys:
                if isinstance(key, ast.Constant) and isinstance(key.value, str):
                    yield key.value
        case ast.Call(keywords=keywords):
            yield from (keyword.arg for keyword in keywords if keyword.arg)
        case _:
            return


def _validators(module: Module) -> Iterator[Finding]:
    for function in module.index.functions:
        for decorator in function.decorator_list:
            called = decorator.func if isinstance(decorator, ast.Call) else decorator
            new = _VALIDATORS.get(module.qualified(called))
            if new is not None:
                old = f"@{module.qualified(called).rpartition('.')[2]}"
                yield _finding(module, decorator, old, f"@{new}", "warning")


def _calls(module: Module, schema: Schema) -> Iterator[Finding]:
    for call in module.index.of(ast.Call):
        match call.func:
            case ast.Attribute(attr=name, value=receiver) if name in _CLASS_METHODS:
                cls = schema.find(module, receiver)
                if cls is not None and schema.is_pydantic(cls):
                    yield _finding(
                        module, call, f".{name}()", f".{_CLASS_METHODS[name]}()", "warning"
                    )
            case ast.Attribute(attr=name, value=ast.Name(id=variable)) if name in _METHODS:
                if _is_model(module, schema, call, variable):
                    yield _finding(module, call, f".{name}()", f".{_METHODS[name]}()", "warning")
            case _:
                continue


def _is_model(module: Module, schema: Schema, call: ast.Call, variable: str) -> bool:
    """Tell whether a variable certainly holds a Pydantic model where the call stands."""
    for around in module.index.ancestors(call):
        if isinstance(around, ast.ClassDef) and variable == "self":
            return schema.is_pydantic(Class(module, around))
        if isinstance(around, Function):
            classes = _classes_of(module, schema, around, variable)
            if classes or variable != "self":
                return bool(classes) and all(schema.is_pydantic(cls) for cls in classes)
    return False


def _classes_of(module: Module, schema: Schema, function: Function, variable: str) -> list[Class]:
    found: list[Class | None] = []
    spec = function.args
    for argument in (*spec.posonlyargs, *spec.args, *spec.kwonlyargs):
        if argument.arg == variable:
            found += [schema.find(module, hint) for hint in unwrap_hint(argument.annotation)]
    for node in ast.walk(function):
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call(func=called)):
                if name == variable:
                    found.append(_made_by(module, schema, called))
            case _:
                continue
    known = [cls for cls in found if cls is not None]
    return known if len(known) == len(found) else []


def _made_by(module: Module, schema: Schema, called: ast.expr) -> Class | None:
    match called:
        case ast.Attribute(value=value, attr="model_validate" | "parse_obj" | "from_orm"):
            return schema.find(module, value)
        case _:
            return schema.find(module, called)
