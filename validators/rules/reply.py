"""Rules BP1xx, the reply format.

An error means that a part of the reply could not be used. A warning means that everything was
used although the reply broke the format.
"""

from validators.rules.base import Example, Rule

_GOOD = Example('backend/models.py\n```python\nNAME = "tasks"\n```\n', path="reply.md")


def _reply(text: str) -> Example:
    return Example(text, path="reply.md")


TEXT_OUTSIDE_FILES = Rule(
    code="BP101",
    name="text-outside-files",
    severity="warning",
    why="A reply is files and nothing else. Text around them has no place on disk and is lost.",
    instruction="Answer with files only: no introduction, no explanation, no closing words.",
    fix="Leave the text out.",
    bad=_reply(
        'Here is the model.  # BP101\n\nbackend/models.py\n```python\nNAME = "tasks"\n```\n'
    ),
    good=_GOOD,
)

PATH_NOT_ALLOWED = Rule(
    code="BP102",
    name="path-not-allowed",
    severity="error",
    why=(
        "A reply may only name Python files below `backend/`. Any other path could reach "
        "configuration, secrets or files outside the project, or escape the checks."
    ),
    instruction=(
        "Name every file by its path below `backend/`, with forward slashes and the suffix "
        "`.py`, without `..`, hidden folders or characters that file systems refuse."
    ),
    fix="Name a Python file below backend/, such as backend/routes/tasks.py.",
    bad=_reply('backend/../settings.py\n```python\nNAME = "tasks"\n```\n'),
    good=_reply('backend/settings.py\n```python\nNAME = "tasks"\n```\n'),
)

CODE_WITHOUT_PATH = Rule(
    code="BP103",
    name="code-without-path",
    severity="error",
    why="Without a path in front of it, nobody can say which file a block of code belongs to.",
    instruction="Put the path of each file on a line of its own right before its code fence.",
    fix="Write the file's path on the line before the fence.",
    bad=_reply('```python\nNAME = "tasks"\n```\n'),
    good=_GOOD,
)

FILE_CUT_OFF = Rule(
    code="BP104",
    name="file-cut-off",
    severity="error",
    why=(
        "The reply ended before the file did, most often at the model's token limit. Half a "
        "file may still parse, so it is never used."
    ),
    instruction="",
    fix="Send this file again, complete, and leave out the files that arrived whole.",
    bad=_reply('backend/models.py\n```python\nNAME = "tas'),
    good=_GOOD,
)

DUPLICATE_FILE = Rule(
    code="BP105",
    name="duplicate-file",
    severity="error",
    why=(
        "Two versions of one file leave open which one is meant. Paths that differ only in "
        "case or in how a letter is encoded are one file on many systems."
    ),
    instruction="Send each file once, and spell its folders the same way everywhere.",
    fix="Send one version of the file, under one spelling of its path.",
    bad=_reply(
        'backend/models.py\n```python\nNAME = "tasks"\n```\n\n'
        'backend/Models.py\n```python\nNAME = "notes"\n```\n'
    ),
    good=_reply(
        'backend/models.py\n```python\nNAME = "tasks"\n```\n\n'
        'backend/schemas.py\n```python\nNAME = "notes"\n```\n'
    ),
)

EMPTY_FILE = Rule(
    code="BP106",
    name="empty-file",
    severity="error",
    why="A file without code replaces what was there by nothing. Only `__init__.py` may be empty.",
    instruction="Send every file with its complete code; only `__init__.py` may be empty.",
    fix="Send the file with its complete code, or leave it out.",
    bad=_reply("backend/models.py\n```python\n```\n"),
    good=_reply("backend/routes/__init__.py\n```python\n```\n"),
)

NO_FILES = Rule(
    code="BP107",
    name="no-files",
    severity="error",
    why="A reply without a file changes nothing, so nothing can be checked.",
    instruction="",
    fix="Answer with at least one file: its path, a fence, its code, a fence.",
    bad=_reply("\n"),
    good=_GOOD,
)

INEXACT_HEADING = Rule(
    code="BP108",
    name="inexact-heading",
    severity="warning",
    why=(
        "A file starts with a line that is its path and a line that is ```python. Other "
        "headings can be read only by guessing."
    ),
    instruction=(
        "Start each file with its bare path, without marks or words around it, and the fence "
        "```python on the very next line."
    ),
    fix="Write the bare path, and ```python on the next line.",
    bad=_reply('### `backend/models.py`\n```python\nNAME = "tasks"\n```\n'),
    good=_GOOD,
)

NOT_UTF8 = Rule(
    code="BP109",
    name="not-utf8",
    severity="error",
    why=(
        "Files are written as UTF-8. Under an encoding declaration that says otherwise Python "
        "would run other code than the checks have read, and half a character (a lone "
        "surrogate) cannot be written at all."
    ),
    instruction="",
    fix="Leave the encoding declaration out, and write every character in full.",
    bad=_reply(
        'backend/models.py\n```python\n# -*- coding: utf-7 -*-  # BP109\nNAME = "tasks"\n```\n'
    ),
    good=_reply('backend/models.py\n```python\n# -*- coding: utf-8 -*-\nNAME = "tasks"\n```\n'),
)

MISSING_CLOSING_FENCE = Rule(
    code="BP110",
    name="missing-closing-fence",
    severity="error",
    why="Without a closing fence the next file would become a part of this one.",
    instruction="End each file with a line that is ``` and nothing else.",
    fix="Send this file again, and close it with a line that is ```.",
    bad=_reply(
        'backend/models.py\n```python\nNAME = "tasks"\n\n'
        'backend/schemas.py\n```python\nNAME = "notes"\n```\n'
    ),
    good=_reply(
        'backend/models.py\n```python\nNAME = "tasks"\n```\n\n'
        'backend/schemas.py\n```python\nNAME = "notes"\n```\n'
    ),
)

RULES: tuple[Rule, ...] = (
    TEXT_OUTSIDE_FILES,
    PATH_NOT_ALLOWED,
    CODE_WITHOUT_PATH,
    FILE_CUT_OFF,
    DUPLICATE_FILE,
    EMPTY_FILE,
    NO_FILES,
    INEXACT_HEADING,
    NOT_UTF8,
    MISSING_CLOSING_FENCE,
)
