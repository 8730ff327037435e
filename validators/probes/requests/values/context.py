"""What every value is made with: whose text it is, which ids there are, and what is wanted."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

from validators.probes.operations import Schema
from validators.probes.requests.values.moments import planned


class _Missing:
    """What stands for a value that cannot be had."""

    def __repr__(self) -> str:
        return "MISSING"


MISSING: Final = _Missing()
# Given a property's name and schema, returns a row's id; None where the name is no id.
FillId = Callable[[str, Schema], Any]
TEXT = "Water the plants"
_NOBODYS_WORD = "anyone"


@dataclass
class Filling:
    """How one body is filled.

    Attributes:
        marker: Letters that are in every free text, by which a leaked value is known again.
        fill_id: Finds ids of rows.
        is_minimal: Leave out what is not required.
        index: Sets bodies of one operation apart, where values must be unique.
        overrides: Values to take for some property names, whatever their schema says.
        seed: Sets the users' texts apart where these can hold no marker.
        when: Returns how far from now a moment with this name is.
    """

    marker: str
    fill_id: FillId
    is_minimal: bool = False
    index: int = 0
    overrides: dict[str, Any] = field(default_factory=dict)
    seed: str = ""
    when: Callable[[str], timedelta] = planned

    @property
    def word(self) -> str:
        """The marker, or letters in its place where there is none."""
        return self.marker or _NOBODYS_WORD

    @property
    def distinct(self) -> str:
        """The marker, with a letter behind it that belongs to the index."""
        return self.word + ("" if not self.index else chr(ord("a") + self.index % 26))

    @property
    def line(self) -> str:
        """A free text: the same words for everybody, the marker, and the index."""
        return f"{TEXT} {self.word} {self.index}"
