"""The strict output format: incremental parser and renderer.

For each file a line with its path, a line "```python", the code, a line "```"; blank lines
between files are free. `docs/reply-format.md` says the rest.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from agent.literals import LiteralTracker
from agent.paths import Spellings, path_problem, shown
from validators.encoding import foreign_encoding
from validators.report import Finding
from validators.rules import reply as rules
from validators.rules.base import Rule

LANGUAGE = "python"
SHORTEST_FENCE = 3

_FENCE = re.compile(r"(?P<ticks>`{3,})[ \t]*(?P<language>[^`]*?)[ \t\r]*")
# What people and models put around a path: emphasis, headings, list marks, quotes, a colon.
_MARKS = "*#`'\"()[]<>:,.-"
_LABELS = frozenset({"", "file", "filename", "path"})
_LINE_REST = " \t\r"


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One path, as in a reply (`backend/...`), with its complete code."""

    path: str
    code: str


@dataclass(frozen=True, slots=True)
class ParsedReply:
    """The files of a reply in the order in which they came, and what is wrong with it."""

    files: tuple[SourceFile, ...]
    findings: tuple[Finding, ...]


def parse(text: str) -> ParsedReply:
    """Parse a whole reply; never raises, whatever the text."""
    parser = ReplyParser()
    files = (*parser.feed(text), *parser.close())
    return ParsedReply(files, parser.findings)


def render(files: Iterable[SourceFile]) -> str:
    """Write files in the reply format, so that parsing gives the same files back.

    A fence is longer than any run of backticks that starts a line of the code. A closing fence
    with one backtick more than the opening one says that the last line of the code has no end.

    Raises:
        ValueError: A path that a reply may not name.
    """
    return "\n".join(map(_render_file, files))


def _render_file(file: SourceFile) -> str:
    problem = path_problem(file.path)
    if problem:
        raise ValueError(f"the path {shown(file.path)} {problem}")
    runs = re.findall(rf"^`{{{SHORTEST_FENCE},}}", file.code, re.MULTILINE)
    fence = "`" * max([SHORTEST_FENCE, *(len(run) + 1 for run in runs)])
    ending = "" if file.code.endswith("\n") or not file.code else "\n`"
    return f"{file.path}\n{fence}{LANGUAGE}\n{file.code}{ending}{fence}\n"


@dataclass
class _Block:
    """A code block that is being read; its path is empty where it cannot be used."""

    path: str
    line: int
    first_code_line: int
    fence: int
    has_crlf: bool
    code: list[str] = field(default_factory=list)
    literals: LiteralTracker = field(default_factory=LiteralTracker)

    def append(self, line: str) -> None:
        self.literals.advance(f"{line}\n")
        self.code.append(line.removesuffix("\r") if self.has_crlf else line)


class ReplyParser:
    """Reads a reply in pieces of any size and yields each file once it is surely complete.

    The result does not depend on how the text is cut. Lines are counted from 1 and end with a
    line feed. A block whose opening fence ends with CRLF is read as CRLF text, and its code
    gets plain line feeds; otherwise the code is kept character for character.
    """

    def __init__(self) -> None:
        self._partial: list[str] = []
        self._number = 0
        self._findings: list[Finding] = []
        self._ready: list[SourceFile] = []
        self._spellings = Spellings()
        self._block: _Block | None = None
        # A fence inside a string, and what followed it: the end of the file, or code?
        self._undecided: list[str] = []
        # A line outside any file that may be a path, its number, and whether blanks followed.
        self._heading: tuple[str, int] | None = None
        self._is_heading_apart = False
        self._stray: tuple[int, int] | None = None
        self._has_file = False
        self._is_closed = False

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What is wrong so far; complete after `close`."""
        return tuple(self._findings)

    def feed(self, text: str) -> list[SourceFile]:
        """Read on, and return the files that are complete now.

        Raises:
            ValueError: The parser has been closed.
        """
        if self._is_closed:
            raise ValueError("a closed parser cannot read on")
        first, *others = text.split("\n")
        self._partial.append(first)
        for following in others:
            self._read("".join(self._partial))
            self._partial = [following]
        return self._take_ready()

    def close(self) -> list[SourceFile]:
        """Say that the reply has ended, and return the files that this completes."""
        if self._is_closed:
            return []
        rest = "".join(self._partial)
        if rest:
            self._read(rest)
        self._is_closed = True
        self._end()
        return self._take_ready()

    def _take_ready(self) -> list[SourceFile]:
        ready, self._ready = self._ready, []
        return ready

    def _report(self, rule: Rule, line: int, message: str, path: str = "") -> None:
        self._findings.append(rule.finding(message, path=path, line=line))

    def _read(self, line: str) -> None:
        self._number += 1
        if self._number == 1:
            line = line.removeprefix("\ufeff")
        if self._block is None:
            self._read_outside(line)
        elif self._undecided:
            self._read_after_fence(self._block, line)
        else:
            self._read_code(self._block, line)

    # Inside a file

    def _read_code(self, block: _Block, line: str) -> None:
        match = _FENCE.fullmatch(line)
        if match is None or len(match["ticks"]) < block.fence:
            block.append(line)
        elif match["language"]:
            self._read_opening_in_code(block, match, line)
        elif block.literals.is_open:
            self._undecided = [line]
        else:
            # Outside a string no Python line starts with a backtick: this is the end.
            self._close_block(block, line)

    def _read_opening_in_code(self, block: _Block, match: re.Match[str], line: str) -> None:
        heading = block.code[-1] if block.code else ""
        is_next_file = match["language"] == LANGUAGE and not path_problem(
            heading.rstrip(_LINE_REST)
        )
        if block.literals.is_open or not is_next_file:
            block.append(line)
            return
        self._block = None
        if block.path:
            message = f"{block.path} has no closing fence before the next file."
            self._report(rules.MISSING_CLOSING_FENCE, self._number - 1, message, block.path)
        self._heading = (heading, self._number - 1)
        self._read_outside(line)

    def _read_after_fence(self, block: _Block, line: str) -> None:
        blank, last = not line.strip(), self._undecided[-1]
        if len(self._undecided) > 1 and last.strip():  # a path
            match = _FENCE.fullmatch(line)
            if match is not None and match["language"] == LANGUAGE:
                fence, self._undecided = self._undecided[0], []
                self._close_block(block, fence)
                self._heading = (last, self._number - 1)
                self._read_outside(line)
                return
        elif blank or not path_problem(line.rstrip(_LINE_REST)):
            self._undecided.append(line)
            return
        for held in self._undecided:
            block.append(held)
        self._undecided = []
        self._read_code(block, line)

    def _close_block(self, block: _Block, fence: str) -> None:
        self._block = None
        if not block.path:
            return
        code = "".join(f"{line}\n" for line in block.code)
        if len(fence.rstrip(_LINE_REST)) > block.fence:
            code = code.removesuffix("\n")
        problem = encoding_problem(code)
        if problem:
            line, reason = problem
            message = f"{block.path} cannot be stored as UTF-8: {reason}."
            self._report(rules.NOT_UTF8, block.first_code_line + line, message, block.path)
            return
        if not code.strip() and PurePosixPath(block.path).name != "__init__.py":
            self._report(rules.EMPTY_FILE, block.line, f"{block.path} is empty.", block.path)
        self._spellings.add(block.path)
        self._has_file = True
        self._ready.append(SourceFile(block.path, code))

    # Outside a file

    def _read_outside(self, line: str) -> None:
        match = _FENCE.fullmatch(line)
        if not line.strip():
            self._is_heading_apart = self._heading is not None
        elif match is None or not self._opens_file(match["language"]):
            self._drop_heading()
            self._heading = (line, self._number)
        else:
            self._open_block(match, has_crlf=line.endswith("\r"))

    def _opens_file(self, language: str) -> bool:
        """Whether a fence outside a file opens one; a shell command, say, is mere text."""
        is_under_path = self._heading is not None and bool(_path_in(self._heading[0]))
        if is_under_path and not self._is_heading_apart:
            return True
        return language.casefold().startswith("py")

    def _open_block(self, match: re.Match[str], *, has_crlf: bool) -> None:
        path, line = self._take_path(match["language"])
        self._flush_stray()
        self._block = _Block(path, line, self._number + 1, len(match["ticks"]), has_crlf)

    def _take_path(self, language: str) -> tuple[str, int]:
        """Return the usable path above an opening fence (or an empty text) and its line."""
        text, line = self._heading or ("", self._number)
        path = _path_in(text)
        if not path:
            self._drop_heading()
            self._flush_stray()
            message = "A block of code has no path in front of it."
            self._report(rules.CODE_WITHOUT_PATH, self._number, message)
            return "", self._number
        deviation = self._deviation(text, path, language)
        self._heading, self._is_heading_apart = None, False
        self._flush_stray()
        problem = path_problem(path)
        if problem:
            message = f"The path {shown(path)} {problem}."
            self._report(rules.PATH_NOT_ALLOWED, line, message)
            return "", line
        if deviation:
            self._report(rules.INEXACT_HEADING, line, deviation, path)
        collision = self._collision(path)
        if collision:
            self._report(rules.DUPLICATE_FILE, line, collision, path)
            return "", line
        return path, line

    def _deviation(self, text: str, path: str, language: str) -> str:
        if text.rstrip(_LINE_REST) != path:
            return f"The line holds more than the path {shown(path)}."
        if self._is_heading_apart:
            return f"Blank lines stand between the path {shown(path)} and its fence."
        if language != LANGUAGE:
            return f"The fence of {shown(path)} does not read ```python."
        return ""

    def _collision(self, path: str) -> str:
        if path in self._spellings:
            return f"{path} comes a second time; the first version is kept."
        twins = self._spellings.twins(path)
        if twins is None:
            return ""
        return f"{twins[0]} and {twins[1]} are the same on many systems; the first is kept."

    def _drop_heading(self) -> None:
        """Count the held line as text outside a file."""
        if self._heading is not None:
            line = self._heading[1]
            self._stray = (self._stray[0] if self._stray else line, line)
        self._heading, self._is_heading_apart = None, False

    def _flush_stray(self) -> None:
        """Report a run of lines outside any file as one finding."""
        if self._stray is None:
            return
        first, last = self._stray
        lines = f"Line {first} lies" if first == last else f"Lines {first} to {last} lie"
        self._report(rules.TEXT_OUTSIDE_FILES, first, f"{lines} outside any file.")
        self._stray = None

    # At the end

    def _end(self) -> None:
        block = self._block
        if block is not None and self._undecided and not "".join(self._undecided[1:]).strip():
            self._close_block(block, self._undecided[0])
        elif block is not None:
            self._report_cut_off(block)
        elif self._heading is not None and not path_problem(self._heading[0].rstrip(_LINE_REST)):
            path, line = self._heading[0].rstrip(_LINE_REST), self._heading[1]
            self._flush_stray()
            message = f"The reply ends after the path {path}."
            self._report(rules.FILE_CUT_OFF, line, message, path)
        else:
            self._drop_heading()
        self._flush_stray()
        has_error = any(finding.severity == "error" for finding in self._findings)
        if not self._has_file and not has_error:
            self._report(rules.NO_FILES, 1, "The reply holds no file.")

    def _report_cut_off(self, block: _Block) -> None:
        name = block.path or "A block of code"
        message = (
            f"{name} has no closing fence; the reply ends on line {self._number}, probably cut "
            "off at the model's token limit."
        )
        self._report(rules.FILE_CUT_OFF, block.line, message, block.path)


def _path_in(heading: str) -> str:
    """Return the path that a heading names, good or bad, or an empty text for prose.

    Marks and a label around one usable path are seen through. A sentence around it is not: the
    code after "Add this to backend/main.py:" is a part of the file at best.
    """
    text = heading.strip()
    words = text.split()
    paths = [word for word in words if not path_problem(word.strip(_MARKS))]
    others = {word.strip(_MARKS).casefold() for word in words if word not in paths}
    if len(paths) == 1 and all(word in _LABELS or word.isdigit() for word in others):
        return paths[0].strip(_MARKS)
    if len(words) > 1 and not text.endswith(".py"):
        return ""
    return text if re.search(r"[/\\]|[^.]\.[^.]", text) else ""


def encoding_problem(code: str) -> tuple[int, str] | None:
    """Return the line of the code, from 0, and the reason why it cannot be stored as UTF-8."""
    try:
        raw = code.encode()
    except UnicodeEncodeError as error:
        return code.count("\n", 0, error.start), "this line holds half a character"
    foreign = foreign_encoding(raw)
    if foreign is None:
        return None
    return foreign[1] - 1, f"this line declares {foreign[0]}"
