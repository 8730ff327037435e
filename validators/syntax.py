"""Syntax: every file can be read, parses as Python 3.11, and compiles."""

import sys
import warnings

from validators.fstrings import newer_fstrings
from validators.report import Finding
from validators.rules.sources import SYNTAX_ERROR, UNREADABLE_FILE
from validators.source import GRAMMAR, Module, Problem, Project


def check(project: Project) -> list[Finding]:
    """Return a finding for each file that Python could not import for its text alone."""
    findings = [_unreadable(path, problem) for path, problem in sorted(project.problems.items())]
    for module in project.modules.values():
        problem = module.problem or _compile_problem(module) or _newer_grammar(module)
        if problem is None:
            continue
        if problem.is_syntax:
            findings.append(_syntax_error(module.path, problem))
        else:
            findings.append(_unreadable(module.path, problem))
    return findings


def _compile_problem(module: Module) -> Problem | None:
    # The parser lets pass what the compiler refuses: `await` in a plain function, `return`
    # outside of one, two parameters of one name.
    if module.tree is None:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(module.tree, module.path, "exec", dont_inherit=True)
    except SyntaxError as error:
        return Problem(error.msg, error.lineno or 1, max(error.offset or 1, 1), is_syntax=True)
    except (RecursionError, MemoryError):
        return Problem("the code is nested too deeply to be compiled")
    except ValueError as error:
        return Problem(str(error), 1, 1, is_syntax=True)
    return None


def _newer_grammar(module: Module) -> Problem | None:
    if sys.version_info[:2] <= GRAMMAR:
        return None  # its own parser has refused them
    message = "the f-string holds its own quotes, a backslash or a comment in an expression"
    for node in newer_fstrings(module):
        return Problem(message, node.lineno, node.col_offset + 1, is_syntax=True)
    return None


def _syntax_error(path: str, problem: Problem) -> Finding:
    return SYNTAX_ERROR.finding(
        f"Python 3.11 cannot read this line: {problem.message}.",
        path=path,
        line=problem.line,
        column=problem.column,
    )


def _unreadable(path: str, problem: Problem) -> Finding:
    message = problem.message[:1].upper() + problem.message[1:]
    return UNREADABLE_FILE.finding(
        f"{message}.", path=path, line=problem.line, column=problem.column
    )
