"""A recording: plays reply files in order, one for each turn."""

from collections.abc import Iterator
from pathlib import Path

from agent.errors import InputError, NoRepairError
from agent.models.base import Chunk, Finished, Note, Prompt

PREFIX = "recorded:"


class RecordedModel:
    """Plays reply files in order; what is asked makes no difference.

    Attributes:
        name: `recorded:` and the files, as given.
        files: The reply files, UTF-8 text in the strict output format.
    """

    def __init__(self, files: tuple[Path, ...]) -> None:
        self.files = files
        self.name = PREFIX + ",".join(str(file) for file in files)

    @classmethod
    def from_name(cls, name: str) -> "RecordedModel":
        """Make the model from `recorded:FILE[,FILE...]`.

        Raises:
            agent.errors.InputError: No file is named, or one cannot be read.
        """
        listed = name.removeprefix(PREFIX)
        parts = [listed] if Path(listed).is_file() else [part.strip() for part in listed.split(",")]
        files = tuple(Path(part) for part in parts if part)
        if not files:
            raise InputError(
                f"`{name}` names no reply file.", "Write `--model recorded:first.md,second.md`."
            )
        for file in files:
            if not file.is_file():
                raise InputError(f"The recorded reply {file} is not a file.")
        return cls(files)

    def answer(self, prompt: Prompt) -> Iterator[Chunk | Note | Finished]:
        """Yield the file of this turn, line by line.

        Raises:
            agent.errors.InputError: The file cannot be read.
            agent.errors.NoRepairError: At once, where there are fewer files than turns.
        """
        turn = sum(message.role == "user" for message in prompt.messages)
        if turn > len(self.files):
            raise NoRepairError(
                f"The recording has no reply for turn {turn}: "
                f"{self.files[-1]} was its last, for turn {len(self.files)}.",
                "Name one more file after `recorded:`, or lower `--rounds`.",
            )
        return _lines(self.files[turn - 1])


def _lines(file: Path) -> Iterator[Chunk | Note | Finished]:
    for line in _read(file).splitlines(keepends=True):
        yield Chunk(line)
    yield Finished()


def _read(file: Path) -> str:
    try:
        return file.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError(f"The recorded reply {file} is not UTF-8 text.") from error
    except OSError as error:
        raise InputError(f"The recorded reply {file} cannot be read: {error.strerror}.") from error
