"""An exception as data: what was raised, where, and what caused it."""

import asyncio
import functools
import gc
import inspect
import os
from collections import deque
from typing import Any

_MOST_FRAMES = 200
_MOST_LETTERS = 4000
_MOST_CAUSES = 6


def describe(error: BaseException) -> dict[str, Any]:
    """Return an exception with its frames, outermost first, and those behind it."""
    chain: list[dict[str, Any]] = []
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen and len(chain) < _MOST_CAUSES:
        seen.add(id(current))
        chain.append(_one(current))
        current = current.__cause__ or current.__context__
    return {**chain[0], "causes": chain[1:]}


def waiting_frames(task: asyncio.Task[Any]) -> list[dict[str, Any]]:
    """Return where a task waits, outermost first."""
    frames = []
    waiting: Any = task.get_coro()
    while waiting is not None:
        running = getattr(waiting, "cr_frame", None) or getattr(waiting, "ag_frame", None)
        if running is not None:
            code = running.f_code
            frames.append(frame(code.co_filename, running.f_lineno, code.co_name))
        waiting = _awaited(waiting)
    return frames


def _awaited(waiting: Any) -> Any:  # noqa: ANN401
    if type(waiting).__name__ in ("async_generator_asend", "async_generator_athrow"):
        # It does not name its generator otherwise.
        return next(filter(inspect.isasyncgen, gc.get_referents(waiting)), None)
    return getattr(waiting, "cr_await", None) or getattr(waiting, "ag_await", None)


def frame(path: str, line: int | None, function: str) -> dict[str, Any]:
    """Return one line of running code as data."""
    return {"path": _absolute(path), "line": line, "function": function}


@functools.cache
def _absolute(path: str) -> str:
    return os.path.abspath(path)  # noqa: PTH100 - pathlib is slow to import


def _one(error: BaseException) -> dict[str, Any]:
    kinds = [f"{kind.__module__}.{kind.__qualname__}" for kind in type(error).__mro__[:-1]]
    return {
        "type": type(error).__qualname__,
        "kinds": kinds,
        "message": _message(error),
        "frames": _frames(error),
        "facts": _facts(error),
    }


def _message(error: BaseException) -> str:
    try:
        return str(error)[:_MOST_LETTERS]
    except Exception:  # noqa: BLE001 - the backend's own __str__ may raise anything
        return ""


def _frames(error: BaseException) -> list[dict[str, Any]]:
    # Not by `traceback`: it reads the source of every frame, for each refusal anew.
    frames: deque[dict[str, Any]] = deque(maxlen=_MOST_FRAMES)
    place = error.__traceback__
    while place is not None:
        code = place.tb_frame.f_code
        frames.append(frame(code.co_filename, place.tb_lineno, code.co_name))
        place = place.tb_next
    found = list(frames)
    if isinstance(error, SyntaxError) and error.filename:
        found.append({"path": error.filename, "line": error.lineno, "function": "<module>"})
    return found


def _facts(error: BaseException) -> dict[str, str]:
    """Return the attributes by which an exception says more than its message does."""
    facts = {}
    for name in ("name", "path", "statement", "code", "status_code", "detail", "sqlstate"):
        value = getattr(error, name, None)
        if isinstance(value, str | int) and not isinstance(value, bool):
            facts[name] = str(value)[:_MOST_LETTERS]
    return facts
