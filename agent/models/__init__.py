"""Who answers a request: Claude, the offline model, or a recording."""

import difflib
import os
from typing import TYPE_CHECKING

from agent.auth import DEFAULT
from agent.errors import InputError
from agent.models.base import Model

if TYPE_CHECKING:
    from agent.settings import Settings

OFFLINE = "offline"
DEFAULT_CLAUDE = "sonnet"


def default_name() -> str:
    """Return the model that answers where none is named: Claude if there is a key for it."""
    return DEFAULT_CLAUDE if os.environ.get("ANTHROPIC_API_KEY") else OFFLINE


def choose(settings: "Settings") -> Model:
    """Return the model that the settings name.

    Args:
        settings: `model` is `offline`, an alias such as `sonnet`, `recorded:FILE[,FILE]`, or any
            id that the Messages API knows; None stands for the default.

    Raises:
        agent.errors.InputError: The name is a misspelt alias, or a recording cannot be read.
    """
    name = settings.model or default_name()
    # Each is imported only when chosen: Claude's SDK alone takes a second.
    if name == OFFLINE:
        from agent.models.offline.model import OfflineModel  # noqa: PLC0415

        return OfflineModel(user_id=settings.user_id, auth=settings.auth or DEFAULT)
    if name.startswith("recorded:"):
        from agent.models.recorded import RecordedModel  # noqa: PLC0415

        return RecordedModel.from_name(name)
    from agent.models.claude import ALIASES, ClaudeModel  # noqa: PLC0415

    if name in ALIASES:
        return ClaudeModel(ALIASES[name], settings.max_output_tokens)
    _refuse_misspelling(name, [OFFLINE, *ALIASES])
    return ClaudeModel(name, settings.max_output_tokens)


def _refuse_misspelling(name: str, aliases: list[str]) -> None:
    near = difflib.get_close_matches(name.lower(), aliases, n=1, cutoff=0.75)
    if near or not name.strip():
        hint = f"Did you mean `{near[0]}`?" if near else f"Choose one of {', '.join(aliases)}."
        raise InputError(f"There is no model `{name}`.", hint)
