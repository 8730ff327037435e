"""What people set, as they wrote it: options, the environment and `[tool.backendpro]`.

Read before it is validated, because most commands run with nothing set at all.
"""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent.errors import InputError

PREFIX = "BACKENDPRO_"
# Read elsewhere, and no setting: it changes how a failure of ours is shown.
DEBUG_VARIABLE = "BACKENDPRO_DEBUG"

Values = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Given:
    """The values of settings by their source, none of them validated; false where there are none.

    Attributes:
        options: From the command line.
        environment: From variables, by the setting's name.
        table: From `[tool.backendpro]`.
        file: The `pyproject.toml` that holds the table, or the one that could.
    """

    options: Values
    environment: Values
    table: Values
    file: Path

    def __bool__(self) -> bool:
        return bool(self.options or self.environment or self.table)


def read_given(folder: Path, options: Values | None = None) -> Given:
    """Read what was set for one command.

    Args:
        folder: The backend's folder; its `pyproject.toml` is read, or else that of the current
            folder.
        options: What was given on the command line; None values count as not given.

    Raises:
        agent.errors.InputError: A `pyproject.toml` cannot be read.
    """
    file, table = _pyproject(folder)
    return Given(
        options={key: value for key, value in (options or {}).items() if value is not None},
        environment={
            name.removeprefix(PREFIX).lower(): value
            for name, value in os.environ.items()
            if name.startswith(PREFIX) and name != DEBUG_VARIABLE
        },
        table=table,
        file=file,
    )


def _pyproject(folder: Path) -> tuple[Path, Values]:
    for file in (folder / "pyproject.toml", Path("pyproject.toml")):
        if not file.is_file():
            continue
        try:
            table = tomllib.loads(file.read_bytes().decode("utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise InputError(f"{file} cannot be read: {error}.") from error
        tools = table.get("tool")
        ours = tools.get("backendpro") if isinstance(tools, dict) else None
        if isinstance(ours, dict):
            return file, ours
        if ours is not None:
            raise InputError(f"`backendpro` in {file} is not a table.", "Write [tool.backendpro].")
    return folder / "pyproject.toml", {}
