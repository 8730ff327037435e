"""The order in which Python starts the modules, and the names that are asked for too early."""

import ast
from collections.abc import Iterator

from validators.imports.resolver import Local, Resolver, Statement
from validators.location import AppLocation
from validators.names import bound_by, statements
from validators.report import Finding
from validators.rules.sources import CIRCULAR_IMPORT
from validators.source import Module, children_of

# Python's own import runs out of stack at about this depth.
_MAX_RUNNING = 100

_NO_EXPRESSIONS = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


def check_start_order(location: AppLocation, resolver: Resolver) -> list[Finding]:
    """Return a finding for each name that is asked for before its module has bound it.

    The module-level statements run in order, starting with the app's module, as Python's import
    system runs them; only which names are bound counts.
    """
    start = _Start(resolver)
    start.run(resolver.project.modules[location.path])
    return start.findings


class _Start:
    """Modules that are running or have run, with the names that they have bound so far."""

    def __init__(self, resolver: Resolver) -> None:
        self.findings: list[Finding] = []
        self._resolver = resolver
        self._bound: dict[str, set[str]] = {}
        self._running: list[Module] = []

    def run(self, module: Module) -> None:
        """Import a module, unless that has happened or is happening."""
        if module.path in self._bound or len(self._running) > _MAX_RUNNING:
            return
        self._bound[module.path] = set()
        self._running.append(module)
        imports: dict[ast.stmt, list[Statement]] = {}
        for statement in self._resolver.statements[module.path]:
            imports.setdefault(statement.node, []).append(statement)
        for node in statements(module.tree.body if module.tree else []):
            for statement in imports.get(node, ()):
                self._import(statement)
            self._check_uses(module, node)
            self._bound[module.path] |= bound_by(node)
        self._running.pop()

    def _import(self, statement: Statement) -> None:
        if statement.fallback_of is not None and self._is_spared(statement):
            return
        target = self._start_chain(statement)
        if target is None or statement.name is None:
            return
        if statement.name == "*":
            if target.module is not None:
                bound = self._bound.get(target.module.path, set())
                self._bound[statement.importer.path] |= bound
            return
        self._take(statement, target, statement.name)

    def _is_spared(self, statement: Statement) -> bool:
        tried = [
            other
            for other in self._resolver.statements[statement.importer.path]
            if other.guard is statement.fallback_of
        ]
        return bool(tried) and all(map(self._resolver.is_found, tried))

    def _start_chain(self, statement: Statement) -> Local | None:
        """Start each package on the way to a module, then the module; return the last."""
        parts = statement.module.split(".") if statement.module else []
        above: Local | None = None
        for end in range(0 if statement.level else 1, len(parts) + 1):
            dotted = ".".join(parts[:end])
            target = self._resolver.target(statement.importer, statement.level, dotted)
            if not isinstance(target, Local):
                return None
            if target.module is not None:
                self.run(target.module)
            if above is not None and above.module is not None:
                self._bound.setdefault(above.module.path, set()).add(parts[end - 1])
            above = target
        return above

    def _take(self, statement: Statement, target: Local, name: str) -> None:
        bound = self._bound.get(target.module.path, set()) if target.module else set()
        if name in bound:
            return
        inner = self._resolver.submodule(target, name)
        if inner is not None:
            if inner.module is not None:
                self.run(inner.module)
            bound.add(name)
        elif target.module is not None and statement.guard is None:
            self._report_if_early(statement.importer, target.module, name, statement.alias)

    def _check_uses(self, module: Module, node: ast.stmt) -> None:
        """Check `models.Base` at module level after `import models`."""
        for use in _attributes(node):
            if isinstance(use.value, ast.Name):
                target = self._resolver.module_named(module, use.value.id)
                if isinstance(target, Local) and target.module is not None:
                    self._report_if_early(module, target.module, use.attr, use)

    def _report_if_early(
        self, importer: Module, module: Module, name: str, node: ast.alias | ast.Attribute
    ) -> None:
        if module not in self._running or module is importer:
            return
        if name in self._bound[module.path] or name not in self._resolver.names_of(module).bound:
            return
        if self._resolver.submodule(Local(module.folder, module), name) is not None:
            return
        around = self._running[self._running.index(module) :]
        way = " → ".join(part.path for part in (*around, module))
        self.findings.append(
            CIRCULAR_IMPORT.finding(
                f"`{name}` is asked of `{module.path}` before it is bound there, because the "
                f"modules import each other: {way}.",
                path=importer.path,
                line=node.lineno,
                column=node.col_offset + 1,
                trace=tuple(part.path for part in around),
            )
        )


def _attributes(node: ast.stmt) -> Iterator[ast.Attribute]:
    """Yield the attributes that a statement reads when it runs, not inside functions."""
    stack: list[ast.AST] = list(_expressions(node))
    while stack:
        current = stack.pop()
        if isinstance(current, ast.Attribute):
            yield current
        if isinstance(current, _NO_EXPRESSIONS):
            stack += _expressions(current) if not isinstance(current, ast.Lambda) else []
        else:
            stack += children_of(current)


def _expressions(node: ast.AST) -> list[ast.AST]:
    """Return the parts of a statement that run with it; other statements inside are left out."""
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            defaults = [default for default in node.args.kw_defaults if default is not None]
            return [*node.decorator_list, *node.args.defaults, *defaults]
        case ast.ClassDef():
            return [*node.decorator_list, *node.bases, *node.keywords, *node.body]
        case _:
            return [
                child
                for child in children_of(node)
                if not isinstance(child, ast.stmt | ast.excepthandler | ast.match_case)
            ]
