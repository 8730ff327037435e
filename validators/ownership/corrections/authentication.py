"""Corrected authentication: routes without it, unverified tokens, stand-ins and secrets."""

import ast
import re
from collections.abc import Iterator

from validators.ownership.corrections.edits import Edit, replaced, source_of
from validators.ownership.corrections.queries import Draft
from validators.ownership.corrections.scope import Backend, import_edit
from validators.source import Module

_SIGN_IN = '"Sign in first."'
_REFUSAL = f"raise HTTPException(401, {_SIGN_IN})"
# A text of several words is what the sender is told.
_SENTENCE = re.compile(r"""(["'])[^"']* [^"']*\1""")


def decode_drafts(module: Module, node: ast.AST) -> Iterator[Draft]:
    """Yield ways to let a decode verify the signature (BP304)."""
    if not isinstance(node, ast.Call):
        return
    fix = "Verify the signature, with a fixed list of algorithms:"
    edits = [*_without_option(module, node), *_without_none(module, node)]
    names = {keyword.arg for keyword in node.keywords}
    has_key = len(node.args) > 1 or "key" in names
    if edits and has_key and names & {"algorithms", "algorithm"}:
        yield Draft(tuple(edits), fix)
    for call in module.index.of(ast.Call) if node.args else ():
        if call is not node and len(call.args) > 1 and isinstance(call.args[1], ast.Name):
            algorithms = [k for k in call.keywords if k.arg == "algorithms"]
            is_alike = source_of(module, call.func) == source_of(module, node.func)
            if is_alike and algorithms and call.args[1].id.isupper():
                token, key = source_of(module, node.args[0]), call.args[1].id
                text = f"({token}, {key}, {source_of(module, algorithms[0])})"
                yield Draft((replaced(module, node, source_of(module, node.func) + text),), fix)


def _without_option(module: Module, call: ast.Call) -> Iterator[Edit]:
    for keyword in call.keywords:
        is_off = isinstance(keyword.value, ast.Constant) and keyword.value.value is False
        if keyword.arg == "verify" and is_off:
            yield replaced(module, keyword.value, "True")
        if keyword.arg == "options" and isinstance(keyword.value, ast.Dict):
            for key, value in zip(keyword.value.keys, keyword.value.values, strict=True):
                name = key.value if isinstance(key, ast.Constant) else None
                if name == "verify_signature":
                    yield replaced(module, value, "True")


def _without_none(module: Module, call: ast.Call) -> Iterator[Edit]:
    for keyword in call.keywords:
        if keyword.arg in ("algorithms", "algorithm"):
            items = keyword.value.elts if isinstance(keyword.value, ast.List | ast.Tuple) else []
            kept = [
                source_of(module, item)
                for item in items
                if not (isinstance(item, ast.Constant) and str(item.value).lower() == "none")
            ]
            if kept and len(kept) < len(items):
                yield replaced(module, keyword.value, f"[{', '.join(kept)}]")


def refusal_drafts(backend: Backend, module: Module, node: ast.AST) -> Iterator[Draft]:
    """Yield the refusal in place of a stand-in for the user (BP309)."""
    statement = backend.statement_around(module, node)
    if not isinstance(statement, ast.Return):
        return
    fix = "Refuse who is not signed in:"
    # The module's own way first, with its headers.
    for line in _own_refusals(module):
        yield Draft((replaced(module, statement, line),), fix)
    imports = backend.imported_anywhere("HTTPException", module)
    if imports is None:
        imports = [import_edit(module, "fastapi", "HTTPException")]
    yield Draft((*imports, replaced(module, statement, _REFUSAL)), fix)


def _own_refusals(module: Module) -> Iterator[str]:
    """Yield the module's own refusals with 401 that stand on one line and need nothing else."""
    for node in module.index.of(ast.Raise):
        if node.exc is None or node.lineno != node.end_lineno:
            continue
        text = source_of(module, node.exc)
        local = [n for n in ast.walk(node.exc) if isinstance(n, ast.Name) and n.id.islower()]
        is_plain = all(n.id in ("status", "unauthorized") for n in local)
        if is_plain and ("401" in text or "unauthorized" in text.lower()):
            yield f"raise {_SENTENCE.sub(_SIGN_IN, text)}"
            return


def secret_drafts(backend: Backend, module: Module, node: ast.AST) -> Iterator[Draft]:
    """Yield the secret read from the environment without a fallback (BP308)."""
    statement = backend.statement_around(module, node)
    if not isinstance(statement, ast.Assign | ast.AnnAssign) or statement.value is None:
        return
    fix = "Read the secret from the environment alone; without it the app does not start:"
    for call in ast.walk(statement.value):
        if isinstance(call, ast.Call) and len(call.args) == 2:  # noqa: PLR2004  # name and default
            name = call.args[0]
            text = source_of(module, call.func)
            base = text.removesuffix(".getenv").removesuffix(".environ.get")
            if isinstance(name, ast.Constant) and base != text:
                new = f"{base}.environ[{source_of(module, name)}]"
                yield Draft((replaced(module, call, new),), fix)
    target = statement.targets[0] if isinstance(statement, ast.Assign) else statement.target
    is_constant = isinstance(statement.value, ast.Constant)
    if isinstance(target, ast.Name) and is_constant and backend.knows(module, "os"):
        new = f'os.environ["{target.id}"]'
        yield Draft((replaced(module, statement.value, new),), fix)
