"""Trials: prove the backend again with a drafted correction, and keep what helps."""

import ast
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Literal

from validators.ownership.corrections import authentication, queries, writes
from validators.ownership.corrections.edits import Edit, changes_of, with_changes
from validators.ownership.corrections.queries import Draft
from validators.ownership.corrections.scope import Backend, Parameter
from validators.ownership.findings import Analysis
from validators.ownership.interpreter import Interpreter
from validators.report import Change, Finding, Query, Step
from validators.source import Function, Module, Project, parse_module

Prove = Callable[[Project], Analysis]
Spot = tuple[str, int]

# A backend is proven again at most so often, and for at most so many steps in all.
MOST_TRIALS, MOST_STEPS = 80, 80_000
# Looking at a finding reads its module: so many characters are read in all.
MOST_READ = 600_000
# Drafts of one finding that are tried.
MOST_DRAFTS = 8
# Causes first: what else goes away with them needs no correction of its own.
_ORDER = ("BP304", "BP309", "BP303", "BP308", "BP306", "BP305", "BP307", "BP301")


@dataclass(frozen=True, slots=True)
class _Trial:
    """An accepted correction, and the findings that go away with it."""

    finding: Finding
    draft: Draft
    changes: tuple[Change, ...]
    gone: frozenset[int]


def corrected(interpreter: Interpreter, found: Analysis, prove: Prove) -> tuple[Finding, ...]:
    """Return findings with the corrected lines of those for which some could be proven.

    Args:
        interpreter: The interpreter after all routes have run.
        found: What the proof found.
        prove: Proves a changed project.
    """
    bench = _Bench(interpreter, found, prove)
    findings = found.findings
    accepted: dict[int, _Trial] = {}
    ranked = sorted(range(len(findings)), key=lambda i: _rank(findings[i]))
    for index in bench.worth_reading(i for i in ranked if findings[i].code in _ORDER):
        trial = bench.correct(index)
        if trial is not None:
            accepted[index] = trial
    told = list(_told(findings, accepted))
    for position in bench.worth_reading(range(len(told)), told):
        told[position] = bench.pointed(told[position])
    return tuple(told)


def _rank(finding: Finding) -> tuple[int, str, int]:
    known = finding.code in _ORDER
    order = _ORDER.index(finding.code) if known else len(_ORDER)
    return (order, finding.path, finding.line or 0)


def _told(findings: tuple[Finding, ...], accepted: dict[int, _Trial]) -> Iterator[Finding]:
    """Yield the findings; what goes away with another's correction is told there."""
    causes = _causes(accepted)
    effects: dict[int, list[Finding]] = {}
    for index, cause in causes.items():
        effects.setdefault(cause, []).append(findings[index])
    for index, finding in enumerate(findings):
        if index in causes and finding.code == "BP301":
            continue
        told = finding
        if index in causes:
            first = findings[causes[index]]
            told = replace(finding, fix=f"Correct {first.path}:{first.line} first; this goes too.")
        elif index in accepted:
            trial = accepted[index]
            told = replace(finding, fix=trial.draft.fix, correction=trial.changes)
        consequences = () if index in causes else _together(told, effects.get(index, []))
        yield replace(told, consequences=consequences)


def _causes(accepted: dict[int, _Trial]) -> dict[int, int]:
    """Return for each finding that goes away with another's correction that other one."""
    causes: dict[int, int] = {}
    for index, trial in sorted(accepted.items(), key=lambda pair: _rank(pair[1].finding)):
        for gone in sorted(trial.gone - {index}):
            back = accepted.get(gone)
            is_mutual = back is not None and index in back.gone
            if gone not in causes and index not in causes and not is_mutual:
                causes[gone] = index
    return causes


def _together(finding: Finding, effects: Iterable[Finding]) -> tuple[Step, ...]:
    steps = dict.fromkeys(finding.consequences)
    for effect in effects:
        kind: Literal["query", "write"] = "query" if effect.code == "BP301" else "write"
        what = effect.trace[-1] if effect.trace else effect.route or ""
        steps[Step(kind=kind, what=what, path=effect.path, line=effect.line or 1)] = None
        steps |= dict.fromkeys(effect.consequences)
    place = (finding.path, finding.line)
    kept = (step for step in steps if (step.path, step.line) != place)
    return tuple(sorted(kept, key=lambda step: (step.path, step.line)))


class _Bench:
    """Where drafts are tried."""

    def __init__(self, interpreter: Interpreter, found: Analysis, prove: Prove) -> None:
        self.backend = Backend(interpreter)
        self.project = interpreter.program.project
        self.findings, self.queries, self.routes = found.findings, found.queries, found.routes
        self.prove = prove
        self.left = min(MOST_TRIALS, MOST_STEPS // max(interpreter.steps, 1))

    def worth_reading(
        self, indices: Iterable[int], findings: Sequence[Finding] | None = None
    ) -> Iterator[int]:
        """Yield the first findings, as long as their modules together are not too long."""
        read = 0
        for index in indices:
            module = self.project.modules.get((findings or self.findings)[index].path)
            read += len(module.text) if module is not None else 0
            if read > MOST_READ:
                return
            yield index

    def correct(self, index: int) -> _Trial | None:
        """Return the first draft for a finding that the proof accepts, or None."""
        finding = self.findings[index]
        if self.left <= 0:
            return None
        for draft in islice(self._drafts(finding), MOST_DRAFTS):
            if self.left <= 0:
                return None
            changes = self._changes(draft.edits)
            gone = self._gone(changes) if changes is not None else frozenset()
            if changes is not None and index in gone:
                return _Trial(finding, draft, changes, gone)
        return None

    def pointed(self, finding: Finding) -> Finding:
        """Return a finding of a query with its columns at what is compared wrongly."""
        if finding.code != "BP301":
            return finding
        module = self.project.modules[finding.path]
        for statement in self._statements(finding):
            node = queries.offending(statement, finding.line or 0)
            if node is not None:
                line = module.lines[node.lineno - 1].encode()
                start, end = (
                    len(line[:offset].decode()) + 1
                    for offset in (node.col_offset, node.end_col_offset or 0)
                )
                finding = replace(finding, column=start, end_column=end)
                break
            if not finding.correction:
                finding = replace(finding, fix=self._advice(statement) or finding.fix)
        return finding

    def _advice(self, statement: queries.Statement) -> str | None:
        """Say what to do in a function that does not know who is signed in."""
        function, models = statement.function, statement.models.values()
        owner = next((f"{m.name}.{m.owners[0]}" for m in models if m.owners), None)
        if owner is None or self.backend.identities(function):
            return None
        return f"Give {function.name} the signed-in user's id, and compare {owner} with it here."

    def _changes(self, edits: Iterable[Edit]) -> tuple[Change, ...] | None:
        by_path: dict[str, list[Edit]] = {}
        for edit in edits:
            by_path.setdefault(edit.path, []).append(edit)
        changes: list[Change] = []
        for path in sorted(by_path):
            found = changes_of(self.backend.module(path), by_path[path])
            if found is None:
                return None
            changes += found
        return tuple(changes)

    def _gone(self, changes: tuple[Change, ...]) -> frozenset[int]:
        """Return the findings that changes take away; none where they do harm."""
        modules = dict(self.project.modules)
        for path in dict.fromkeys(change.path for change in changes):
            mine = [change for change in changes if change.path == path]
            modules[path] = parse_module(path, with_changes(modules[path].text, mine))
            if modules[path].tree is None:
                return frozenset()
        self.left -= 1
        found = self.prove(replace(self.project, modules=modules))
        if found.routes != self.routes or self._is_worse(changes, found.findings, found.queries):
            return frozenset()
        open_now = {(f.code, f.path, f.line) for f in found.findings}
        open_now |= {("BP301", q.path, q.line) for q in found.queries if q.verdict != "isolated"}
        return frozenset(
            index
            for index, finding in enumerate(self.findings)
            if not any(
                (finding.code, *spot) in open_now
                for spot in _moved((finding.path, finding.line or 0), changes)
            )
        )

    def _is_worse(
        self, changes: tuple[Change, ...], findings: tuple[Finding, ...], proven: tuple[Query, ...]
    ) -> bool:
        """Tell whether something new is found, or a query is not seen any more."""
        known = {
            (f.code, *spot)
            for f in self.findings
            for spot in _moved((f.path, f.line or 0), changes)
        }
        weak = {
            spot
            for q in self.queries
            if q.verdict != "isolated"
            for spot in _moved((q.path, q.line), changes)
        }
        if any(
            (f.code, f.path, f.line) not in known and (f.path, f.line or 0) not in weak
            for f in findings
        ):
            return True
        if any(q.verdict != "isolated" and (q.path, q.line) not in weak for q in proven):
            return True
        seen = {(q.path, q.line) for q in proven}
        return not all(seen & _moved((q.path, q.line), changes) for q in self.queries)

    # Drafts.

    def _drafts(self, finding: Finding) -> Iterator[Draft]:
        module = self.project.modules.get(finding.path)
        if module is None or module.tree is None or "\r" in module.text or not finding.line:
            return
        if finding.code == "BP301":
            for statement in self._statements(finding):
                yield from self._bound(statement)
            return
        node = _node_at(module, finding)
        if node is None:
            return
        if finding.code == "BP303":
            yield from self._of_route(module, node)
        elif finding.code == "BP304":
            yield from authentication.decode_drafts(module, node)
        elif finding.code == "BP308":
            yield from authentication.secret_drafts(self.backend, module, node)
        elif finding.code == "BP309":
            yield from authentication.refusal_drafts(self.backend, module, node)
        else:
            yield from self._of_write(finding, module, node)

    def _of_write(self, finding: Finding, module: Module, node: ast.AST) -> Iterator[Draft]:
        function = self.backend.function_around(module, node)
        if function is None:
            return
        make = {
            "BP305": writes.owner_drafts,
            "BP306": writes.parent_drafts,
            "BP307": writes.change_drafts,
        }[finding.code]
        yield from make(self.backend, finding, module, node, function)

    def _statements(self, finding: Finding) -> Iterator[queries.Statement]:
        """Yield the statements of a finding's line, the nearest first."""
        sites = [
            site
            for site in self.backend.interpreter.site_list
            if (site.place.path, site.place.line) == (finding.path, finding.line) and site.models
        ]
        for site in sorted(sites, key=lambda s: abs(s.place.column - (finding.column or 1))):
            statement = queries.read_statement(self.backend, site)
            if statement is not None:
                yield statement

    def _bound(self, statement: queries.Statement) -> Iterator[Draft]:
        """Yield ways to bind a statement, by a parameter of its own or a new one."""
        backend, function = self.backend, statement.function
        columns = [column for model in statement.models.values() for column in model.owners]
        names = backend.identities(function, column=columns[0] if columns else "")
        names = [*backend.compared_elsewhere(statement.module, function), *names]
        for name in list(dict.fromkeys(names))[:3]:
            yield from queries.drafts(backend, statement, name)
        if not names and backend.is_handler(function):
            new = backend.parameter(statement.module)
            if new is not None:
                yield from self._with_parameter(statement, new)

    def _with_parameter(self, statement: queries.Statement, new: Parameter) -> Iterator[Draft]:
        edits = self.backend.with_parameter(statement.module, statement.function, new)
        for draft in queries.drafts(self.backend, statement, new.expression):
            fix = "Ask who is signed in, and bind the query to that user:"
            yield Draft((*edits, *draft.edits), fix)

    def _of_route(self, module: Module, node: ast.AST) -> Iterator[Draft]:
        """Yield ways to give a route the signed-in user, and its queries the predicate."""
        function = self._handler(module, node)
        new = self.backend.parameter(module) if function is not None else None
        if function is None or new is None:
            return
        statements = [
            statement
            for site in self.backend.interpreter.site_list
            if site.models
            and (statement := queries.read_statement(self.backend, site)) is not None
            and statement.function is function
        ]
        edits = self.backend.with_parameter(module, function, new)
        bound = [
            list(islice(queries.drafts(self.backend, statement, new.expression), MOST_DRAFTS))
            for statement in statements
        ]
        if not bound or not all(bound):
            return
        fix = "Ask who is signed in, and bind what the route reads to that user:"
        for choice in range(max(map(len, bound))):
            chosen = [options[min(choice, len(options) - 1)] for options in bound]
            yield Draft((*edits, *(edit for draft in chosen for edit in draft.edits)), fix)

    def _handler(self, module: Module, node: ast.AST) -> Function | None:
        """Return the function that a route's decorator stands on."""
        for around in (node, *module.index.ancestors(node)):
            if isinstance(around, Function):
                return around
        return None


def _node_at(module: Module, finding: Finding) -> ast.AST | None:
    """Return the outermost node that starts at a finding's place."""
    line = module.lines[(finding.line or 1) - 1]
    column = len(line[: (finding.column or 1) - 1].encode())
    for node in ast.walk(module.tree) if module.tree is not None else ():
        place = (getattr(node, "lineno", 0), getattr(node, "col_offset", -1))
        if place == (finding.line, column):
            return node
    return None


def _moved(spot: Spot, changes: Iterable[Change]) -> set[Spot]:
    """Return the places to which a line may have moved by changes."""
    path, line = spot
    shift = 0
    for change in sorted(changes, key=lambda c: (c.line, c.end_line)):
        if change.path != path:
            continue
        size = change.code.count("\n") + 1
        if change.line <= line <= change.end_line:
            return {(path, change.line + shift + offset) for offset in range(size)}
        if change.end_line < line:
            shift += size - (change.end_line - change.line + 1)
    return {(path, line + shift)}
