"""Unfinished code: functions without a body, and notes to write something later."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator

from validators.conventions.schema import Schema
from validators.report import Finding
from validators.rules.conventions import TODO_COMMENT, UNFINISHED_CODE
from validators.source import Function, Module

_NOTE = re.compile(
    r"\b(TODO|FIXME|XXX)\b"
    r"|^#\s*(\.\.\.|…)"
    r"|\b(your|actual|real) (code|logic|implementation) (goes )?here\b"
    r"|\brest of (the |your )?(code|file|endpoints?|routes?|implementation)\b"
)
_EXEMPT = ("abstract", "overload")


def check(module: Module, schema: Schema) -> list[Finding]:
    """Return a finding for each function without a body and each note to finish later."""
    findings = [_function(module, schema, function) for function in module.index.functions]
    return [*(found for found in findings if found), *_notes(module)]


def _function(module: Module, schema: Schema, function: Function) -> Finding | None:
    stand_in = _stand_in(function)
    if stand_in is None or _may_be_empty(module, schema, function, stand_in):
        return None
    what = ast.unparse(stand_in) if stand_in in function.body[-1:] else "nothing"
    return UNFINISHED_CODE.finding(
        f"`{function.name}` has no body yet: only `{what}`.",
        path=module.path,
        line=stand_in.lineno,
        column=stand_in.col_offset + 1,
    )


def _stand_in(function: Function) -> ast.stmt | None:
    """Return the statement that stands where the body should be, or None."""
    body = function.body
    if len(body) == 2 and ast.get_docstring(function, clean=False) is not None:  # noqa: PLR2004
        body = body[1:]
    match body:
        case [ast.Expr(value=ast.Constant(value=value)) as only] if value is ...:
            return only
        case [ast.Pass() as only]:
            return only
        case [ast.Raise(exc=ast.Name(id="NotImplementedError")) as only]:
            return only
        case [ast.Raise(exc=ast.Call(func=ast.Name(id="NotImplementedError"))) as only]:
            return only
        case _:
            return None


def _may_be_empty(module: Module, schema: Schema, function: Function, stand_in: ast.stmt) -> bool:
    decorators = " ".join(module.qualified(_called(node)) for node in function.decorator_list)
    if any(word in decorators for word in _EXEMPT):
        return True
    around = module.index.parent(function)
    if not isinstance(around, ast.ClassDef):
        return False
    bases = [
        module.qualified(base.value if isinstance(base, ast.Subscript) else base)
        for base in around.bases
    ]
    if any(base.rpartition(".")[2] == "Protocol" for base in bases):
        return True
    if isinstance(stand_in, ast.Pass) and (bases or function.name.startswith("__")):
        # Overrides a method in order to do nothing.
        return True
    subclasses = schema.subclasses(around)
    return bool(subclasses) and all(_defines(cls.node, function.name) for cls in subclasses)


def _called(node: ast.expr) -> ast.expr:
    return node.func if isinstance(node, ast.Call) else node


def _defines(cls: ast.ClassDef, name: str) -> bool:
    return any(isinstance(node, Function) and node.name == name for node in cls.body)


def _notes(module: Module) -> Iterator[Finding]:
    # Tokens are slow to make, so only for files that hold a note somewhere.
    if not any("#" in line and _NOTE.search(line[line.index("#") :]) for line in module.lines):
        return
    for token in _comments(module.text):
        if _NOTE.search(token.string):
            yield TODO_COMMENT.finding(
                f"Something is left for later: `{token.string[:80]}`.",
                path=module.path,
                line=token.start[0],
                column=token.start[1] + 1,
            )


def _comments(text: str) -> Iterator[tokenize.TokenInfo]:
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.COMMENT:
                yield token
    except (tokenize.TokenError, SyntaxError):
        return
