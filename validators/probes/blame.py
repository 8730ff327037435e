"""Which line of the backend is behind an exception, and what to do about it."""

import re

from validators.runtime.faults import Fault, Frame
from validators.source import Project

_NAIVE = re.compile(r"\butcnow\b|\bdatetime\.now\(\)|\butcfromtimestamp\b")
# By the words of an exception: what it means for the backend's author.
_FIXES = {
    "timezone information": "Use aware times: `Field(default_factory=lambda: "
    "datetime.now(timezone.utc))`.",
    "out of range": "Limit the number to what the column holds, as with `Path(le=2**31 - 1)`.",
    "out of int": "Limit the number to what the column holds, as with `Path(le=2**31 - 1)`.",
    "NUL": "Refuse NUL characters in text before they reach the database.",
    '"UTF8": 0x00': "Refuse NUL characters in text before they reach the database.",
    "null value in column": "Refuse an explicit null for a column that is NOT NULL.",
    "must not be negative": "Refuse negative limits and offsets, as with `Query(ge=0)`.",
    "UndefinedTable": "Create the tables when the app starts, as with "
    "`SQLModel.metadata.create_all(engine)`: the check runs no migrations.",
    "UndefinedColumn": "Map the column under the name that it has in the database; Better Auth's "
    'names are camel-cased, such as "createdAt".',
    "operator does not exist": "Give the column the type of the value that it is compared with.",
    "MissingGreenlet": "Load what is needed before the session's work is done, with `await`.",
}


def find_root(faults: tuple[Fault, ...]) -> Fault | None:
    """Return the exception behind a server error: the one that an HTTPException hides, if any."""
    for fault in faults:
        for each in fault.chain:
            if not each.is_a("HTTPException"):
                return each
    return faults[0] if faults else None


def find_place(fault: Fault, project: Project) -> Frame | None:
    """Return the line that is to blame for an exception, the innermost of the backend's own.

    A naive time is refused when its row is written; to blame is the model that makes it.
    """
    if _says(fault, "timezone information"):
        found = _naive_default(fault, project)
        if found is not None:
            return found
    return fault.innermost


def find_fix(fault: Fault | None) -> str | None:
    """Return what to do about an exception, where it is one of the known ones."""
    if fault is None:
        return None
    return next((fix for words, fix in _FIXES.items() if _says(fault, words)), None)


def _says(fault: Fault, words: str) -> bool:
    return any(words in each.message or words in each.type for each in fault.chain)


def _naive_default(fault: Fault, project: Project) -> Frame | None:
    statement = next((e.facts["statement"] for e in fault.chain if e.facts.get("statement")), "")
    table = re.search(r'(?:INTO|UPDATE) "?(\w+)"?', statement)
    wanted = table.group(1).replace("_", "") if table else ""
    others: list[Frame] = []
    for path, module in project.modules.items():
        name = ""
        for number, line in enumerate(module.lines, 1):
            heading = re.match(r"class (\w+)", line)
            name = heading.group(1) if heading else name
            if _NAIVE.search(line):
                frame = Frame(path, number, name)
                if wanted and name.lower() in (wanted, wanted.removesuffix("s")):
                    return frame
                others.append(frame)
    return others[0] if others else None
