"""The program's entry: starts first what takes longest, and loads the commands meanwhile."""

import atexit
import contextlib
import gc
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Sequence
from typing import NoReturn

_TEMPLATE = os.path.join(  # noqa: PTH118 - pathlib is loaded later
    os.path.dirname(os.path.dirname(__file__)),  # noqa: PTH120
    *("validators", "runtime", "child", "__main__.py"),
)
_OBJECTS_BETWEEN_COLLECTIONS = 50_000
_INTERRUPTED = 130
# With these, nothing is booted, or by another interpreter.
_NOT_BOOTING = ("--static", "--python", "--help", "-h")


def main() -> NoReturn:
    """Run the command line, and end the process with its exit code."""
    try:
        _start()
    except KeyboardInterrupt:
        # While the commands were still being loaded.
        _end(_INTERRUPTED)


def _start() -> NoReturn:
    # What is loaded stays, so that looking for garbage meanwhile finds nothing.
    gc.disable()
    fill_streams()
    if is_booting(sys.argv[1:]):
        warm_up()
    from agent import cli  # noqa: PLC0415 - after the template has started

    gc.freeze()
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS)
    gc.enable()
    try:
        cli.main()
    except SystemExit as ending:
        _end(ending.code)
    _end(0)


def _end(code: object) -> NoReturn:
    """End at once: nobody needs what the interpreter would take apart piece by piece."""
    if isinstance(code, str):
        print(code, file=sys.stderr)  # noqa: T201 - as the interpreter itself does it
        code = 1
    threading._shutdown()  # type: ignore[attr-defined]  # noqa: SLF001
    atexit._run_exitfuncs()  # noqa: SLF001 - what the interpreter itself calls
    for stream in (sys.stdout, sys.stderr):
        # There may be none, or nobody who reads it any more.
        with contextlib.suppress(AttributeError, OSError, ValueError):
            stream.flush()
    os._exit(code if isinstance(code, int) else 0)


def fill_streams() -> None:
    """Give the program the streams that its caller has closed; nobody reads or writes them.

    Otherwise the next file that is opened takes the place of one of them.
    """
    for number, (name, mode) in enumerate((("stdin", "r"), ("stdout", "w"), ("stderr", "w"))):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free
        if getattr(sys, name) is None:
            setattr(sys, name, open(number, mode, encoding="utf-8", closefd=False))  # noqa: SIM115 - for good


def is_booting(arguments: Sequence[str]) -> bool:
    """Tell whether a command line boots a backend by our own interpreter, come what may."""
    return (
        sys.platform == "linux"
        and arguments[:1] == ["check"]
        and not any(argument.startswith(_NOT_BOOTING) for argument in arguments)
    )


def warm_up() -> None:
    """Start the template before anything else is loaded, then the database."""
    ours, theirs = socket.socketpair()
    log = os.fdopen(os.memfd_create("template"), "w+b")
    process = subprocess.Popen(
        [sys.executable, "-I", _TEMPLATE, str(theirs.fileno())],
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        pass_fds=(theirs.fileno(),),
        start_new_session=True,
        cwd="/",
        env={"PATH": os.defpath, "LANG": "C.UTF-8", "TZ": "UTC"},
    )
    theirs.close()
    atexit.register(process.kill)
    from validators import runtime  # noqa: PLC0415 - as in `main`

    runtime.adopt(process, ours, log)
    runtime.warm_up()
