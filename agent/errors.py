"""Errors by who must act: the developer, the model's provider, or us."""

from typing import ClassVar


class BackendProError(Exception):
    """An error with a sentence for people and an exit code.

    Attributes:
        exit_code: What the process returns.
        hint: What to do next; may be empty.
    """

    exit_code: ClassVar[int] = 4

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __reduce__(self) -> tuple[type["BackendProError"], tuple[str, str]]:
        return type(self), (self.message, self.hint)


class InputError(BackendProError):
    """The developer's input cannot be used: a path, an option, a file."""

    exit_code = 2


class RequestNotUnderstoodError(InputError):
    """The request lies outside what the model can do; the message names the words."""


class ModelError(BackendProError):
    """The model could not be reached, refused, or ran out of budget."""

    exit_code = 3


class NoRepairError(ModelError):
    """The model has no further answer to findings: it is deterministic, or its script ended."""
