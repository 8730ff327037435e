"""What the child says about an exception, read in the parent and mapped to the backend's files."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_MOST_TRACE = 8
# SQLAlchemy's remark before the database's own words.
_ASIDE = "(raised as a result of"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where the sandbox's files come from, to name them as the developer knows them.

    Attributes:
        copy: Where the backend's copy lies.
        paths: The paths of the backend's modules, relative to the checked folder.
    """

    copy: Path
    paths: Collection[str]

    def relative(self, path: str) -> str | None:
        """Return a file of the copy as the path of a module, or None where it is none."""
        top = f"{self.copy}/"
        name = path.removeprefix(top) if path.startswith(top) else ""
        return name if name in self.paths else None


@dataclass(frozen=True, slots=True)
class Frame:
    """One line of the backend that was being run; the path is relative to the checked folder."""

    path: str
    line: int
    function: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line} in {self.function}"


@dataclass(frozen=True, slots=True)
class Fault:
    """An exception of the backend.

    Attributes:
        type: Its class name.
        kinds: The full names of its class and of those above it.
        message: Its text, without the sandbox's own paths.
        frames: The backend's own lines, outermost first.
        facts: Attributes of the exception that say more, such as a missing module's `name`.
        causes: The exceptions behind it, the nearest first.
    """

    type: str
    kinds: tuple[str, ...]
    message: str
    frames: tuple[Frame, ...]
    facts: Mapping[str, str]
    causes: tuple["Fault", ...]

    @property
    def chain(self) -> tuple["Fault", ...]:
        """This exception and those behind it."""
        return (self, *self.causes)

    @property
    def innermost(self) -> Frame | None:
        """The backend's own line that is nearest to the cause."""
        for fault in reversed(self.chain):
            if fault.frames:
                return fault.frames[-1]
        return None

    @property
    def summary(self) -> str:
        """The exception in one line, `Type: message`."""
        lines = (line.strip() for line in self.message.splitlines())
        first = next((line for line in lines if line and not line.startswith(_ASIDE)), "")
        return f"{self.type}: {first}" if first else self.type

    @property
    def trace(self) -> tuple[str, ...]:
        """The backend's own lines as text, outermost first."""
        return tuple(str(frame) for frame in self.frames[-_MOST_TRACE:])

    def is_a(self, *names: str) -> bool:
        """Tell whether the exception's class, or one above it, ends in one of these names."""
        return any(kind.rpartition(".")[2] in names for kind in self.kinds)


def read_fault(data: Any, origin: Origin) -> Fault:  # noqa: ANN401 - comes from untrusted code
    """Return the exception that the child describes.

    Args:
        data: The description; anything may be in it or missing.
        origin: Names the backend's files.
    """
    described = data if isinstance(data, dict) else {}
    causes = described.get("causes")
    facts = described.get("facts")
    return Fault(
        type=str(described.get("type", "Exception"))[:200],
        kinds=tuple(str(kind) for kind in _list(described.get("kinds"))),
        message=str(described.get("message", "")).replace(f"{origin.copy}/", ""),
        frames=read_frames(described.get("frames"), origin),
        facts={str(key): str(value) for key, value in facts.items()}
        if isinstance(facts, dict)
        else {},
        causes=tuple(read_fault(cause, origin) for cause in _list(causes)[:8]),
    )


def read_frames(data: Any, origin: Origin) -> tuple[Frame, ...]:  # noqa: ANN401 - untrusted
    """Return the frames that lie in the backend, outermost first."""
    frames = []
    for item in _list(data):
        if not isinstance(item, dict) or not isinstance(item.get("line"), int):
            continue
        relative = origin.relative(str(item.get("path", "")))
        if relative is not None:
            frames.append(Frame(relative, item["line"], str(item.get("function", ""))))
    return tuple(frames)


def read_dump(output: str, origin: Origin) -> tuple[Frame, ...]:
    """Return the backend's lines that were being run when `faulthandler` looked, outermost first.

    Args:
        output: What the child printed, with the dump of all threads in it.
        origin: Names the backend's files.
    """
    for thread in reversed(re.split(r"^(?:Current thread|Thread) .*$", output, flags=re.MULTILINE)):
        lines = re.findall(r'^  File "(.+)", line (\d+) in (.+)$', thread, re.MULTILINE)
        data = [{"path": path, "line": int(line), "function": name} for path, line, name in lines]
        frames = read_frames(data[::-1], origin)
        if frames:
            return frames
    return ()


def _list(data: Any) -> Sequence[Any]:  # noqa: ANN401 - untrusted
    return data if isinstance(data, list) else []
