"""The checks of imports, and the findings they make."""

import ast
from dataclasses import dataclass, field
from pathlib import Path

from validators.imports import advice
from validators.imports.graph import reached_from
from validators.imports.interpreter import OWN_ROOMS, InterpreterError, Question, describe
from validators.imports.library import Answer, library_of
from validators.imports.resolver import Installed, Local, Missing, Resolver, Statement, Target
from validators.imports.shadows import FRAMEWORK, check_shadows
from validators.imports.start import check_start_order
from validators.imports.uses import asks_first, uses_of_modules
from validators.location import AppLocation
from validators.report import Finding, Severity
from validators.rules import Rule
from validators.rules.sources import (
    RELATIVE_IMPORT,
    SHADOWED_LIBRARY,
    UNRESOLVED_MODULE,
    UNRESOLVED_NAME,
)
from validators.source import Module, Project, is_auxiliary


def check(
    project: Project, location: AppLocation | None = None, python: Path | None = None
) -> list[Finding]:
    """Return a finding for each import that fails.

    Files that the app never reaches give warnings, because nothing breaks by them. Tests,
    migrations and scripts are passed over unless the app imports them: they run in other
    surroundings.

    Args:
        project: The parsed backend.
        location: Where the app is; without it, every file counts as reached.
        python: The interpreter that boots the backend; our own where None.
    """
    try:
        library = library_of(describe(python))
    except InterpreterError as error:
        return [UNRESOLVED_MODULE.finding(f"No import could be checked: {error}.")]
    resolver = Resolver(project, library)
    run = _Run(resolver, _severities(project, location, resolver))
    for path in run.severities:
        for statement in resolver.statements[path]:
            run.check(statement)
        run.check_attributes(project.modules[path])
    run.ask()
    findings = [*run.found, *check_shadows(resolver, run.severities)]
    if location is not None:
        findings += check_start_order(location, resolver)
    return findings


def _severities(
    project: Project, location: AppLocation | None, resolver: Resolver
) -> dict[str, Severity]:
    if location is None:
        return {path: "error" for path in project.modules if not is_auxiliary(path)}
    reached = reached_from(location, resolver)
    return {
        path: "error" if path in reached else "warning"
        for path in project.modules
        if path in reached or not is_auxiliary(path)
    }


@dataclass
class _Run:
    """The findings so far, and the questions that only the interpreter can answer."""

    resolver: Resolver
    severities: dict[str, Severity]
    found: dict[Finding, None] = field(default_factory=dict)
    questions: list[tuple[Question, Statement]] = field(default_factory=list)

    def check(self, statement: Statement) -> None:
        """Check one imported name."""
        if self._runs_elsewhere(statement):
            return
        target = self._target(statement)
        if not self._counts(statement, target):
            return
        if self.resolver.leaves_package(statement):
            self._report_relative(statement)
        elif isinstance(target, Missing):
            self._check_missing(statement, target)
        elif statement.name not in (None, "*"):
            self._check_name(statement, target)

    def check_attributes(self, module: Module) -> None:
        """Check `jwt.decode` after `import jwt`: that the module certainly lacks no such name."""
        for use in uses_of_modules(module):
            target = self.resolver.module_named(module, use.module)
            if target is None or self.resolver.has(target, use.name) is not Answer.NO:
                continue
            if asks_first(module, use.node):
                continue
            imported = module.imported[use.module]
            if self._is_hidden(target, imported.level, imported.dotted, use.name):
                self._report_hidden(module, imported.dotted, use.node)
                continue
            message = f"`{use.module}` has no `{use.name}`."
            message += advice.did_you_mean(use.name, self.resolver.known_names(target))
            finding = UNRESOLVED_NAME.finding(
                message,
                path=module.path,
                line=use.node.lineno,
                column=use.node.col_offset + 1,
                fix="Use a name that the module has." if isinstance(target, Installed) else None,
                severity=self.severities[module.path],
            )
            self.found[finding] = None

    def ask(self) -> None:
        """Let the interpreter decide what could not be read from files."""
        asked = list(dict.fromkeys(question for question, _ in self.questions))
        if not asked:
            return
        answers = dict(zip(asked, self.resolver.library.interpreter.ask(asked), strict=True))
        for question, statement in self.questions:
            if answers[question] is None:
                self._report_undecided(statement, question)
            elif not answers[question]:
                self._report_absent(statement)

    def _target(self, statement: Statement) -> Target:
        return self.resolver.target(statement.importer, statement.level, statement.module)

    def _runs_elsewhere(self, statement: Statement) -> bool:
        """Tell whether the importer belongs to another app or script, with a path of its own."""
        is_unused = self.severities[statement.importer.path] == "warning"
        if not is_unused or statement.level:
            return False
        return statement.fallback_of is not None or self.resolver.is_beside(statement)

    def _counts(self, statement: Statement, target: Target) -> bool:
        """Tell whether a failure of this import would be one of the app.

        The code says itself what happens without an optional package. A module of the backend
        is not optional: where no alternative is found either, its routes are silently gone.
        """
        others = self.resolver.statements[statement.importer.path]
        if statement.guard is not None:
            is_own = isinstance(target, Local) or (isinstance(target, Missing) and target.is_local)
            fallbacks = [other for other in others if other.fallback_of is statement.guard]
            return is_own and not (fallbacks and all(map(self.resolver.is_found, fallbacks)))
        if statement.fallback_of is not None:
            tried = [other for other in others if other.guard is statement.fallback_of]
            return not (tried and all(map(self.resolver.is_found, tried)))
        return True

    def _check_missing(self, statement: Statement, target: Missing) -> None:
        library = self.resolver.library
        if not target.is_local and target.part not in OWN_ROOMS:
            may_exist = (
                library.may_have_module(target.parent) if target.parent else library.has_hooks
            )
            if may_exist:
                self.questions.append(((statement.module, None), statement))
                return
        if target.is_local and self._is_hidden(target, statement.level, statement.module, ""):
            self._report_hidden(statement.importer, statement.module, statement.node)
        else:
            self._report_module(statement, target)

    def _check_name(self, statement: Statement, target: Target) -> None:
        name = statement.name or ""
        answer = self.resolver.has(target, name)
        if (
            isinstance(target, Local)
            and target.module is statement.importer
            and self.resolver.submodule(target, name) is None
        ):
            answer = Answer.NO  # it cannot have the name before this statement gives it
        if answer is Answer.NO:
            self._report_absent(statement)
        elif answer is Answer.UNKNOWN:
            question = (_dotted(statement, target), name)
            if isinstance(target, Installed):
                self.questions.append((question, statement))
            else:
                self._report_undecided(statement, question)

    def _report_absent(self, statement: Statement) -> None:
        target = self._target(statement)
        if isinstance(target, Missing):
            self._report_module(statement, target)
            return
        name = statement.name or ""
        if self._is_hidden(target, statement.level, statement.module, name):
            self._report_hidden(statement.importer, statement.module, statement.node)
            return
        message = f"`{_dotted(statement, target)}` has no `{name}`."
        message += advice.did_you_mean(name, self.resolver.known_names(target))
        fix = None
        if isinstance(target, Installed):
            fix = "Import a name that the installed version has, from the module that defines it."
        self._add(UNRESOLVED_NAME, statement, message, fix, line=statement.alias.lineno)

    def _is_hidden(self, target: Target, level: int, dotted: str, name: str) -> bool:
        """Tell whether an installed package has a name that the backend's module lacks."""
        library = self.resolver.library
        if isinstance(target, Installed) or level or library.find(dotted) is None:
            return False
        return isinstance(target, Missing) or library.has(dotted, name) is not Answer.NO

    def _report_hidden(self, importer: Module, dotted: str, node: ast.stmt | ast.expr) -> None:
        name = dotted.partition(".")[0]
        if name in FRAMEWORK:
            return  # the module itself has the finding
        finding = SHADOWED_LIBRARY.finding(
            f"The backend's own `{name}` hides the installed package that is meant here.",
            path=importer.path,
            line=node.lineno,
            column=node.col_offset + 1,
            severity=self.severities[importer.path],
        )
        self.found[finding] = None

    def _report_module(self, statement: Statement, target: Missing) -> None:
        wanted = f"{target.parent}.{target.part}".lstrip(".")
        library = self.resolver.library
        fix = None
        if target.is_local:
            message = f"The backend has no module `{wanted}`."
            near = self.resolver.siblings(target)
            message += advice.did_you_mean(target.part, near, target.parent)
        elif target.parent:
            message = f"`{target.parent}` is installed, but has no module `{target.part}`."
            near = library.submodules(target.parent)
            message += advice.did_you_mean(target.part, near, target.parent)
        else:
            message = f"`{wanted}` is neither a module of the backend nor an installed package."
            meant = None
            if not advice.is_known(wanted):
                meant = advice.nearest(wanted, self.resolver.top_level())
                meant = meant or advice.nearest(wanted, library.top_level(), 0.8)
            if meant:
                message += f" Did you mean `{meant}`?"
            else:
                fix = advice.how_to_install(wanted, library, self.resolver.project.root)
        self._add(UNRESOLVED_MODULE, statement, message, fix)

    def _report_undecided(self, statement: Statement, question: Question) -> None:
        module, name = question
        what = f"`{module}` has `{name}`" if name else f"there is a module `{module}`"
        message = f"Whether {what} shows only when it runs."
        fix = "Import the name from the module that defines it."
        self._add(UNRESOLVED_NAME, statement, message, fix, severity="warning")

    def _report_relative(self, statement: Statement) -> None:
        dots = "." * statement.level
        message = (
            f"`from {dots}{statement.module} import {statement.name}` leads out of the package "
            "that its module belongs to when the app runs."
        )
        self._add(RELATIVE_IMPORT, statement, message)

    def _add(
        self,
        rule: Rule,
        statement: Statement,
        message: str,
        fix: str | None = None,
        severity: Severity | None = None,
        line: int | None = None,
    ) -> None:
        softened = statement.is_typing_only or statement.guard is not None
        if softened or self.severities[statement.importer.path] == "warning":
            severity = "warning"
        finding = rule.finding(
            message,
            path=statement.importer.path,
            line=line or statement.node.lineno,
            column=(statement.alias if line else statement.node).col_offset + 1,
            fix=fix,
            severity=severity,
        )
        # A statement with several names of a missing module is one finding.
        self.found[finding] = None


def _dotted(statement: Statement, target: Target) -> str:
    match target:
        case Installed(dotted=dotted):
            return dotted
        case Local(module=module) if module is not None and statement.level:
            return module.path
        case _:
            return statement.module or "."
