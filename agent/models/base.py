"""The protocol of a model: a prompt in, a stream of text chunks and a final usage out."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

from agent.reply import SourceFile
from validators.report import Finding


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of the conversation."""

    role: Literal["user", "assistant"]
    content: str


@dataclass(frozen=True, slots=True)
class Prompt:
    """Everything a model may know when it answers.

    Attributes:
        request: What the developer asked for, unchanged.
        existing: The backend's source files before the build, paths as in a reply
            (`backend/...`); empty for a new backend.
        system: The system prompt.
        messages: The conversation so far; the last one is the user's. After a failed check it
            holds the findings.
        findings: Those that the last message holds; a model may dispute them.
    """

    request: str
    existing: tuple[SourceFile, ...]
    system: str
    messages: tuple[Message, ...]
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of the reply's text."""

    text: str


@dataclass(frozen=True, slots=True)
class Note:
    """A sentence for people about the reply, such as what was assumed; not part of its text."""

    text: str


@dataclass(frozen=True, slots=True)
class Disputed:
    """The model holds a finding of the prompt to be wrong; not part of the reply's text."""

    finding: Finding
    reason: str


@dataclass(frozen=True, slots=True)
class Finished:
    """The end of a reply: what it used, in tokens, and why it ended."""

    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    stop: Literal["end", "length", "refusal"] = "end"


Piece: TypeAlias = Chunk | Note | Disputed | Finished


class Model(Protocol):
    """Whatever answers a prompt with a reply."""

    @property
    def name(self) -> str:
        """The name shown to people and written to logs."""
        ...

    def answer(self, prompt: Prompt) -> Iterator[Piece]:
        """Yield the reply in chunks, notes and disputes between, then exactly one `Finished`.

        Raises:
            agent.errors.ModelError: The model could not be reached, or refused.
            agent.errors.NoRepairError: By the call itself, before any piece: the prompt holds
                findings, and the model has no other answer.
            agent.errors.RequestNotUnderstoodError: The request lies outside the model's range.
        """
        ...
