"""The tool by which Claude disputes a finding, and what its calls are answered."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from agent.disputes import named
from agent.models.base import Disputed
from validators.report import Finding

if TYPE_CHECKING:
    from anthropic.types import ToolParam, ToolResultBlockParam, ToolUseBlock

TOOL_NAME = "dispute_finding"
# A model that goes on disputing is asked for its reply after so many turns of calls.
MOST_TURNS = 3
MAX_REASON = 600


def tool() -> "ToolParam":
    """Return the tool's definition for the Messages API."""
    text = {"type": "string"}
    return {
        "name": TOOL_NAME,
        "description": (
            "Say that a finding of the check is wrong, because the code does what the finding "
            "asks for or because the request wants it so. It is shown to a person and changes no "
            "verdict. Mend every other finding; afterwards answer in the usual format."
        ),
        "input_schema": {
            "type": "object",
            "properties": {
                "code": text | {"description": "The rule code, such as BP301."},
                "place": text | {"description": "The finding's path or route, as it is written."},
                "reason": text | {"description": "Why it is wrong, in one or two sentences."},
            },
            "required": ["code", "place", "reason"],
        },
    }


class Disputing:
    """Takes the calls of one reply.

    Args:
        findings: What may be disputed: the findings that were sent.
    """

    def __init__(self, findings: Iterable[Finding]) -> None:
        self._left = list(findings)
        self._sent = tuple(self._left)

    def take(
        self, calls: Iterable["ToolUseBlock"], answers: "list[ToolResultBlockParam]"
    ) -> Iterator[Disputed]:
        """Yield the disputes of some calls, and add the answer to each call."""
        for call in calls:
            text = self._problem(call)
            if not text:
                disputed = self._dispute(call)
                yield disputed
                text = f"The dispute of {disputed.finding.code} is noted for a person."
                answers.append(_result(call, f"{text} Now answer in the usual format."))
            else:
                answers.append({**_result(call, text), "is_error": True})

    def _problem(self, call: "ToolUseBlock") -> str:
        """Say why a call disputes nothing; empty where it does."""
        code, place, reason = _inputs(call)
        if call.name != TOOL_NAME:
            return f"There is no tool {call.name}."
        if not (code and place and reason):
            return "A dispute needs `code`, `place` and `reason`, each a text."
        if not named(self._sent, code, place):
            return f"There is no finding {code} at {place}. Only a listed finding can be disputed."
        if not named(self._left, code, place):
            return f"The dispute of {code} at {place} is noted already."
        return ""

    def _dispute(self, call: "ToolUseBlock") -> Disputed:
        code, place, reason = _inputs(call)
        finding = named(self._left, code, place)[0]
        self._left.remove(finding)
        bounded = reason if len(reason) <= MAX_REASON else f"{reason[: MAX_REASON - 1]}…"
        return Disputed(finding, bounded)


def _inputs(call: "ToolUseBlock") -> tuple[str, str, str]:
    """Return code, place and reason; empty texts for what is missing or no text."""
    sent: object = call.input  # whatever JSON the model wrote
    given = sent if isinstance(sent, dict) else {}
    code, place, reason = (given.get(name) for name in ("code", "place", "reason"))
    return _text(code), _text(place), _text(reason)


def _text(value: object) -> str:
    return " ".join(value.split()) if isinstance(value, str) else ""


def _result(call: "ToolUseBlock", text: str) -> "ToolResultBlockParam":
    return {"type": "tool_result", "tool_use_id": call.id, "content": text}
