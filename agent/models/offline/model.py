"""The offline model: understands a request, composes the backend and answers with a reply."""

from collections.abc import Iterator

from agent.auth import DEFAULT, Auth
from agent.errors import NoRepairError
from agent.models.base import Chunk, Finished, Note, Prompt
from agent.models.offline.blueprint import UserIdType
from agent.models.offline.compose import compose
from agent.models.offline.understand import understand
from agent.reply import render


class OfflineModel:
    """Answers without a network: the same request always gets the same reply.

    Attributes:
        user_id: Type of `User.id` in a new backend.
        auth: How a new backend learns who is signed in.
    """

    def __init__(self, user_id: UserIdType = "text", auth: Auth = DEFAULT) -> None:
        self.user_id: UserIdType = user_id
        self.auth: Auth = auth

    @property
    def name(self) -> str:
        """The name shown to people and written to logs."""
        return "offline"

    def answer(self, prompt: Prompt) -> Iterator[Chunk | Note | Finished]:
        """Yield what was understood as notes, then the reply file by file.

        Raises:
            NoRepairError: At once, where there are findings; the model has no other answer.
            RequestNotUnderstoodError: The request lies outside the model's range.
        """
        if len(prompt.messages) > 1:
            raise NoRepairError("The offline model has one answer to each request.")
        return self._answer(prompt)

    def _answer(self, prompt: Prompt) -> Iterator[Chunk | Note | Finished]:
        blueprint = understand(
            prompt.request, prompt.existing, user_id=self.user_id, auth=self.auth
        )
        files = compose(blueprint, prompt.existing)
        for sentence in blueprint.understood:
            yield Note(sentence)
        for number, file in enumerate(files):
            yield Chunk(("\n" if number else "") + render([file]))
        yield Finished()
