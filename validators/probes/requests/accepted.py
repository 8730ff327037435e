"""What one route of the backend was found to accept, where its document does not say it."""

from dataclasses import dataclass, field
from typing import Any


@dataclass
class Accepted:
    """What was found by trying.

    Attributes:
        values: Values for properties of the body, by name.
        file_kind: Number of the kind of file.
        columns: The columns of a table of text; None where nothing was said about them.
        media: The media type of a body that is text as it is; None for what the document says.
    """

    values: dict[str, Any] = field(default_factory=dict)
    file_kind: int = 0
    columns: tuple[str, ...] | None = None
    media: str | None = None


# By route.
AllAccepted = dict[str, Accepted]
