"""Models for tests: they answer from a script and keep what they were asked."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from agent.errors import NoRepairError
from agent.models import base
from agent.models.base import Chunk, Finished, Prompt
from agent.reply import SourceFile, render

SOUND = Path(__file__).parents[2] / "fixtures" / "backends" / "sound"

Piece = base.Piece | Exception
Turn = Sequence[Piece]


@dataclass
class ScriptedModel:
    """Plays one turn after the other; an exception in a turn is raised there.

    Attributes:
        turns: What is answered to each prompt.
        prompts: The prompts so far.
    """

    turns: Sequence[Turn]
    name: str = "scripted"
    prompts: list[Prompt] = field(default_factory=list)

    def answer(self, prompt: Prompt) -> Iterator[base.Piece]:
        self.prompts.append(prompt)
        turn = self.turns[len(self.prompts) - 1]
        if turn and isinstance(turn[0], NoRepairError):
            raise turn[0]
        return self._play(turn)

    def _play(self, turn: Turn) -> Iterator[base.Piece]:
        for piece in turn:
            if isinstance(piece, Exception):
                raise piece
            yield piece


def says(text: str, finished: Finished | None = None) -> Turn:
    """Return a turn that is a whole reply."""
    return (Chunk(text), finished or Finished())


def sound_files() -> dict[str, str]:
    """Return the code of the sound sample backend by its paths as in a reply."""
    return {
        f"backend/{path.relative_to(SOUND).as_posix()}": path.read_text()
        for path in sorted(SOUND.rglob("*.py"))
    }


def reply(files: dict[str, str]) -> str:
    """Return files in the reply format."""
    return render(SourceFile(path, code) for path, code in files.items())
