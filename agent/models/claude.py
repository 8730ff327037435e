"""Claude, through Anthropic's official SDK, streaming."""

import difflib
from collections.abc import Iterator
from contextlib import contextmanager
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, TypedDict, cast

from agent.errors import ModelError
from agent.models.base import Chunk, Finished, Message, Piece, Prompt
from agent.models.disputing import MOST_TURNS, Disputing, tool

if TYPE_CHECKING:
    import anthropic
    from anthropic.lib.streaming import MessageStream, MessageStreamManager
    from anthropic.types import (
        ContentBlockParam,
        MessageParam,
        ParsedContentBlock,
        ParsedMessage,
        TextBlockParam,
        ToolChoiceNoneParam,
        ToolParam,
        ToolResultBlockParam,
    )

# The newest model of each family that the pinned SDK lists; a test compares.
ALIASES = MappingProxyType(
    {
        "haiku": "claude-haiku-5-5",
        "sonnet": "claude-sonnet-5-5",
        "opus": "claude-opus-5-5",
    }
)

MAX_OUTPUT_TOKENS = 32_000
TIMEOUT = 120.0
RETRIES = 3

_SERVER_ERROR = 500


class ClaudeModel:
    """Asks Claude; the key and the address come from the environment, as the SDK reads them.

    Attributes:
        name: The model's id.
        max_output_tokens: The longest reply, in tokens, thinking included.
        timeout: Seconds to wait for the next byte; a whole reply may take longer.
        retries: How often the SDK repeats a request that failed for a passing reason.
    """

    def __init__(
        self,
        model_id: str,
        max_output_tokens: int = MAX_OUTPUT_TOKENS,
        timeout: float = TIMEOUT,
        retries: int = RETRIES,
    ) -> None:
        self.name = model_id
        self.max_output_tokens = max_output_tokens
        self.timeout = timeout
        self.retries = retries

    def answer(self, prompt: Prompt) -> Iterator[Piece]:
        """Yield the reply as Claude writes it, with its disputes where findings were sent.

        Raises:
            agent.errors.ModelError: With a sentence for each way in which the service fails.
        """
        tools, messages = [tool()] if prompt.findings else [], _messages(prompt)
        disputing, text, used = Disputing(prompt.findings), _Text(), Finished()
        with _as_model_errors(self), self._client() as client:
            for left in reversed(range(MOST_TURNS + 1)):
                with self._stream(client, prompt, messages, _offer(tools, left)) as stream:
                    yield from text.chunks(stream)
                    message = stream.get_final_message()
                used = _finished(message, used, tools)
                calls = [block for block in message.content if block.type == "tool_use"]
                if message.stop_reason != "tool_use" or not calls:
                    break
                answers: list[ToolResultBlockParam] = []
                yield from disputing.take(calls, answers)
                messages += _answered(message, answers)
            yield used

    def _stream(
        self,
        client: "anthropic.Anthropic",
        prompt: Prompt,
        messages: "list[MessageParam]",
        offer: "_Offer",
    ) -> "MessageStreamManager[None]":
        return client.messages.stream(
            model=self.name,
            max_tokens=self.max_output_tokens,
            system=_system(prompt),
            messages=messages,
            **offer,
        )

    def _client(self) -> "anthropic.Anthropic":
        import anthropic  # noqa: PLC0415  # takes a second; most commands need no Claude

        client = anthropic.Anthropic(timeout=self.timeout, max_retries=self.retries)
        if not (client.api_key or client.auth_token or client.credentials):
            raise ModelError(
                "There is no API key for Claude.",
                "Set ANTHROPIC_API_KEY, or use `--model offline`, which needs none.",
            )
        return client


def _system(prompt: Prompt) -> "list[TextBlockParam]":
    # The system prompt is the same in every turn and every build, so it is worth caching.
    return [{"type": "text", "text": prompt.system, "cache_control": {"type": "ephemeral"}}]


def _messages(prompt: Prompt) -> "list[MessageParam]":
    *earlier, last = prompt.messages
    turns = [_turn(message, {"type": "text", "text": message.content}) for message in earlier]
    # A breakpoint on the newest message lets the next turn reuse everything before it.
    newest: TextBlockParam = {
        "type": "text",
        "text": last.content,
        "cache_control": {"type": "ephemeral"},
    }
    return [*turns, _turn(last, newest)]


def _turn(message: Message, block: "TextBlockParam") -> "MessageParam":
    if message.role == "user":
        return {"role": "user", "content": [block]}
    return {"role": "assistant", "content": [block]}


class _Offer(TypedDict, total=False):
    """The tools of a request; empty where none are offered."""

    tools: "list[ToolParam]"
    tool_choice: "ToolChoiceNoneParam"


def _offer(tools: "list[ToolParam]", left: int) -> _Offer:
    """Offer tools as long as there are turns left."""
    if not tools:
        return {}
    # A conversation that holds calls needs the tool even where it may not be called any more.
    return {"tools": tools} if left else {"tools": tools, "tool_choice": {"type": "none"}}


class _Text:
    """Passes on the text of a reply, which goes on in a new line behind each call of a tool."""

    def __init__(self) -> None:
        self._ends_line = True
        self._is_behind_call = False

    def chunks(self, stream: "MessageStream[None]") -> Iterator[Chunk]:
        """Yield the text of one message as it arrives."""
        for event in stream:
            if event.type == "content_block_start":
                self._is_behind_call |= event.content_block.type == "tool_use"
            elif event.type == "text":
                if self._is_behind_call and not self._ends_line:
                    yield Chunk("\n")
                self._is_behind_call, self._ends_line = False, event.text.endswith("\n")
                yield Chunk(event.text)


def _answered(
    message: "ParsedMessage[None]", answers: "list[ToolResultBlockParam]"
) -> "list[MessageParam]":
    """Return a message with calls and the answers to them, as turns of the conversation."""
    said = [_said(block) for block in message.content if block.type != "text" or block.text]
    return [{"role": "assistant", "content": said}, {"role": "user", "content": answers}]


def _said(block: "ParsedContentBlock[None]") -> "ContentBlockParam":
    """Return a block of an answer as it stands in the next request."""
    if block.type == "tool_use":
        given: object = block.input  # whatever JSON the model wrote; the API takes objects alone
        sent = given if isinstance(given, dict) else {}
        return {"type": "tool_use", "id": block.id, "name": block.name, "input": sent}
    fields = {name: value for name, value in block.to_dict().items() if name != "parsed_output"}
    return cast("ContentBlockParam", fields)


def _finished(
    message: "ParsedMessage[None]", before: Finished, tools: "list[ToolParam]"
) -> Finished:
    """Add what a message used to what those before it did."""
    usage, reason = message.usage, message.stop_reason
    cached = usage.cache_read_input_tokens or 0
    sent = usage.input_tokens + (usage.cache_creation_input_tokens or 0) + cached
    return Finished(
        input_tokens=before.input_tokens + sent,
        output_tokens=before.output_tokens + usage.output_tokens,
        cached_tokens=before.cached_tokens + cached,
        stop="end" if tools and reason == "tool_use" else _stop(reason),
    )


def _stop(reason: str | None) -> Literal["end", "length", "refusal"]:
    match reason:
        case "end_turn" | "stop_sequence":
            return "end"
        case "max_tokens" | "model_context_window_exceeded":
            return "length"
        case "refusal":
            return "refusal"
        case None:
            raise ModelError(
                "The connection to Claude ended before its reply did.", "Run the command again."
            )
        case _:
            raise ModelError(f"Claude stopped for a reason that is not expected: {reason}.")


@contextmanager
def _as_model_errors(model: ClaudeModel) -> Iterator[None]:
    """Turn what the SDK raises into sentences."""
    import anthropic  # noqa: PLC0415  # as above
    import httpx2  # noqa: PLC0415  # the SDK's transport; its errors surface while streaming

    try:
        yield
    except anthropic.APIStatusError as error:
        raise _status_error(error, model.name) from error
    except anthropic.APITimeoutError as error:
        raise ModelError(
            f"Claude did not answer within {model.timeout:g} seconds.",
            "Run the command again in a few minutes.",
        ) from error
    except anthropic.APIConnectionError as error:
        reason = str(error.__cause__ or error).rstrip(".")
        raise ModelError(
            f"Claude could not be reached: {reason}.",
            "Check the network connection and ANTHROPIC_BASE_URL.",
        ) from error
    except httpx2.HTTPError as error:
        raise ModelError(
            "The connection to Claude broke in the middle of the reply.", "Run the command again."
        ) from error
    except anthropic.CredentialsError as error:
        raise ModelError(
            f"The credentials for Claude cannot be used: {str(error).rstrip('.')}.",
            "Set ANTHROPIC_API_KEY, or use `--model offline`, which needs none.",
        ) from error
    except (anthropic.AnthropicError, ValueError, AssertionError) as error:
        raise ModelError(
            f"Claude's answer could not be read: {str(error) or type(error).__name__}.",
            "Check that ANTHROPIC_BASE_URL leads to a service that speaks the Messages API.",
        ) from error


def _status_error(error: "anthropic.APIStatusError", model_id: str) -> ModelError:
    said = (error.api_message or "").rstrip(".")
    match error.status_code:
        case 401:
            return ModelError("Claude does not accept the API key.", "Check ANTHROPIC_API_KEY.")
        case 402:
            return ModelError(f"The account has no credit left{_quoted(said)}.")
        case 403:
            return ModelError(
                f"The API key may not use {model_id}{_quoted(said)}.", "Choose another `--model`."
            )
        case 404:
            return ModelError(f"Claude knows no model `{model_id}`.", _nearest_model(model_id))
        case 413:
            return ModelError("The request is too large for Claude.", "Build in a smaller backend.")
        case 429:
            return ModelError(
                f"Claude refuses more requests for now{_quoted(said)}.", _wait_hint(error)
            )
        case 529:
            return ModelError("Claude is overloaded.", "Run the command again in a few minutes.")
        case status if status >= _SERVER_ERROR:
            return ModelError(
                f"Claude failed with status {status}{_quoted(said)}.",
                "Run the command again in a few minutes.",
            )
        case status:
            return ModelError(f"Claude refused the request with status {status}{_quoted(said)}.")


def _quoted(said: str) -> str:
    return f": {said}" if said else ""


def _wait_hint(error: "anthropic.APIStatusError") -> str:
    wait = error.response.headers.get("retry-after", "")
    return f"Run the command again in {wait} seconds." if wait.isdigit() else "Run it again later."


def _nearest_model(model_id: str) -> str:
    known = [*ALIASES, *ALIASES.values()]
    near = difflib.get_close_matches(model_id, known, n=1)
    names = f"`--model {near[0]}`" if near else ", ".join(f"`{name}`" for name in ALIASES)
    return f"Try {names}."
