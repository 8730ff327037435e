"""Which paths a reply may name: relative, below `backend/`, and safe on every system."""

import unicodedata
from collections.abc import Iterable
from itertools import accumulate
from typing import Final

ROOT: Final = "backend"
LONGEST_PATH = 1024  # bytes of UTF-8
LONGEST_NAME = 255  # bytes of UTF-8, the limit of the usual file systems

# The checks read nothing in these folders, so nothing may be written there unseen.
_UNCHECKED_FOLDERS = frozenset(
    {"__pycache__", "build", "dist", "env", "node_modules", "site-packages", "venv"}
)
# Windows opens a device under these names, whatever the suffix.
_DEVICES = frozenset(
    {"con", "prn", "aux", "nul"} | {f"{port}{n}" for port in ("com", "lpt") for n in range(1, 10)}
)
_NEVER_IN_NAMES = '<>:"|?*~`'


def path_problem(path: str) -> str:
    """Say why a reply may not name this path.

    Args:
        path: The path as it stands in the reply, such as `backend/routes/tasks.py`.

    Returns:
        The reason as the end of a sentence that starts with "the path", or an empty text
        where the path may be used.
    """
    if len(path.encode("utf-8", "surrogatepass")) > LONGEST_PATH:
        return f"is longer than {LONGEST_PATH} bytes"
    for character in path:
        if unicodedata.category(character)[0] in "CZ":
            return f"holds the character U+{ord(character):04X}"
        if character in _NEVER_IN_NAMES:
            return f"holds the character {character}"
    if "\\" in path:
        return "holds a backslash; folders are separated by /"
    if path.startswith("/"):
        return "is absolute"
    names = path.split("/")
    if names[0] != ROOT or len(names) == 1:
        return f"does not start with {ROOT}/"
    return next(filter(None, map(_name_problem, names[1:])), "") or _suffix_problem(names)


def collision_key(path: str) -> str:
    """Return what two paths have in common that some file systems hold for the same."""
    folded = unicodedata.normalize("NFKC", path).casefold()
    return unicodedata.normalize("NFKC", folded)


class Spellings:
    """Paths and their folders, found again under any spelling that is the same on some system."""

    def __init__(self, paths: Iterable[str] = ()) -> None:
        self._known: dict[str, str] = {}
        for path in paths:
            self.add(path)

    def __contains__(self, path: str) -> bool:
        return self._known.get(collision_key(path)) == path

    def add(self, path: str) -> None:
        """Take a path in, and the folders on the way to it."""
        for prefix in accumulate(path.split("/"), "{}/{}".format):
            self._known.setdefault(collision_key(prefix), prefix)

    def twins(self, path: str) -> tuple[str, str] | None:
        """Return the first part of a path that is known under another spelling, and that one."""
        for prefix in accumulate(path.split("/"), "{}/{}".format):
            known = self._known.get(collision_key(prefix), prefix)
            if known != prefix:
                return prefix, known
        return None


def is_hidden_or_unchecked(name: str) -> bool:
    """Whether the checks leave out a folder of this name, so that no reply may write there."""
    return name.startswith(".") or name.casefold() in _UNCHECKED_FOLDERS


def shown(text: str, width: int = 80) -> str:
    """Return a text from a reply as it may stand in a message: printable, on one line, short."""
    cut = text if len(text) <= width else f"{text[: width - 1]}…"
    return "".join(
        character if character.isprintable() else f"\\u{ord(character):04x}" for character in cut
    )


def _name_problem(name: str) -> str:
    if not name:
        return "has an empty part"
    if name in (".", ".."):
        return f'has the part "{name}"'
    if name.startswith("."):
        return f"names the hidden {shown(name)}"
    if name.endswith("."):
        return f'has the part "{shown(name)}", which ends with a dot'
    if len(name.encode()) > LONGEST_NAME:
        return f"has a part longer than {LONGEST_NAME} bytes"
    if name.split(".", maxsplit=1)[0].casefold() in _DEVICES:
        return f"has the part {name}, which Windows reserves"
    return ""


def _suffix_problem(names: list[str]) -> str:
    for folder in names[1:-1]:
        if is_hidden_or_unchecked(folder):
            return f"lies in {folder}/, which is never checked"
        if folder.casefold().endswith(".py"):
            return f"has the folder {shown(folder)}, which is named like a file"
    return "" if names[-1].endswith(".py") else "does not end with .py"
