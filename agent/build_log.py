"""The log of a build: JSON lines, written as things happen, "started" until finished.

The first line names the schema, the tool's version and what was asked; each further line is one
event; a log without a `finished` line belongs to a build that was cut short. Raw replies and
their usage are written before anything judges them.
"""

import json
import os
import secrets
import time
from dataclasses import asdict
from importlib import metadata
from pathlib import Path
from typing import Literal

import platformdirs

from agent.events import Asked, Checked, DisputeArrived, Event, Noted, Replied, SentBack
from agent.settings import Settings

SCHEMA_VERSION = 1
KEPT_LOGS = 100

Ending = Literal["applied", "shown", "unchanged", "gave up", "failed", "interrupted"]


class BuildLog:
    """Writes one build's log; a listener beside the terminal. A build goes on without its log.

    Args:
        request: What the developer asks for.
        into: The backend's folder.
        settings: The settings of the build.
        folder: Where logs are kept; the user's state folder where None.

    Attributes:
        path: The log file.
        problem: Why the log could not be written; empty where it could.
    """

    def __init__(
        self, request: str, into: Path, settings: Settings, folder: Path | None = None
    ) -> None:
        folder = folder or log_folder()
        stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        self.path = folder / f"{stamp}-{secrets.token_hex(4)}.jsonl"
        self.problem = ""
        self._started = time.monotonic()
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            _drop_old(folder)
        except OSError as error:
            self.problem = str(error)
        self._write(
            "started",
            schema=SCHEMA_VERSION,
            version=metadata.version("backendpro"),
            time=stamp,
            request=request,
            into=str(into.absolute()),
            settings=settings.model_dump(mode="json"),
        )

    def __call__(self, event: Event) -> None:
        """Write an event; progress of files and stages is not kept."""
        match event:
            case Asked(turn, model):
                self._write("asked", turn=turn, model=model)
            case Noted(text):
                self._write("noted", text=text)
            case DisputeArrived(dispute):
                self._write("disputed", **asdict(dispute))
            case Replied(turn, text, finished):
                usage = finished and {
                    "input_tokens": finished.input_tokens,
                    "output_tokens": finished.output_tokens,
                    "cached_tokens": finished.cached_tokens,
                    "stop": finished.stop,
                }
                self._write("replied", turn=turn, text=text, usage=usage)
            case Checked(turn, format_findings, report):
                self._write(
                    "checked",
                    turn=turn,
                    format_findings=[asdict(finding) for finding in format_findings],
                    report=report.document(),
                )
            case SentBack(turn, findings):
                self._write("sent back", turn=turn, findings=len(findings))
            case _:
                return

    def finish(self, ending: Ending, detail: object = "") -> None:
        """Write the last line: how the build ended, with the written paths or the reason."""
        self._write("finished", ending=ending, detail=detail)

    def _write(self, event: str, **fields: object) -> None:
        if self.problem:
            return
        seconds = round(time.monotonic() - self._started, 3)
        line = json.dumps({"event": event, "seconds": seconds, **fields}, ensure_ascii=True)
        try:
            # One write of a whole line: a killed build leaves complete lines.
            descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            with os.fdopen(descriptor, "wb", buffering=0) as file:
                file.write(line.encode("ascii") + b"\n")
        except OSError as error:
            self.problem = str(error)


def log_folder() -> Path:
    """Return the folder that holds the logs of this user's builds."""
    return platformdirs.user_state_path("backendpro", appauthor=False) / "builds"


def _drop_old(folder: Path) -> None:
    for old in sorted(folder.glob("*.jsonl"))[: -KEPT_LOGS + 1]:
        old.unlink(missing_ok=True)
