"""Keeps what a boot needs between checks, for whoever checks many backends in one process."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from validators.runtime import cluster, template
from validators.runtime.booting import warm_up


@contextmanager
def kept(cpu: int | None = None, python: Path | None = None) -> Iterator[None]:
    """Start the template and the database, keep them for every check inside, and end them.

    Without it, the first check starts both and the end of the process ends them.

    Args:
        cpu: The one processor to run on, with all that is started here: for one of several
            workers, each with its own. All of them where None, two worlds side by side.
        python: Interpreter that boots the backends; our own where None.

    Raises:
        OSError: There is no such processor.
    """
    if cpu is not None:
        os.sched_setaffinity(0, {cpu})
    warm_up(python, checks_ahead=1)
    try:
        yield
    finally:
        cluster.close_all()
        template.close_all()
