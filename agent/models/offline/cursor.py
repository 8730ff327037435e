"""A position in a sentence, with what every grammar rule needs to move it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from typing import Generic, TypeVar, cast

from agent.models.offline.tokens import Sentence, Token

T = TypeVar("T")

_ITEM_ENDS = frozenset({",", "and", "•", "or", "plus", "then", "also", "/", ")", "]", "}", ";"})
# What stands between two items of a list, or two clauses.
SEPARATORS = frozenset({",", "and", "•", "or", "plus", "then", "also", "/"})
_LINKS = (
    *("as well as", "along with", "together with", "in addition to", "in addition", "followed by"),
    *("additionally", "furthermore", "moreover", "finally"),
)
_LINK_STARTS = frozenset(link.split()[0] for link in _LINKS)
# More items than anybody writes in one list; reading stays quick on a text made of separators.
LONGEST_LIST = 60
END = ""
# Additions to additions, such as "tasks with comments that have", end somewhere.
_DEEPEST = 60


@cache
def _by_first_word(phrases: tuple[str, ...]) -> dict[str, list[tuple[str, ...]]]:
    """Return the words of phrases by the first one, the longest phrase first."""
    found: dict[str, list[tuple[str, ...]]] = {}
    for words in sorted((tuple(phrase.split()) for phrase in phrases), key=len, reverse=True):
        found.setdefault(words[0], []).append(words)
    return found


class Cursor:
    """A sentence and the place that is read next."""

    def __init__(self, tokens: Sentence, position: int = 0) -> None:
        self.tokens = tokens
        self.position = position
        self.depth = 0
        # What each rule read at each place: rules depend on nothing else, so no rule needs to
        # read a place twice, and reading takes time in proportion to the sentence's length.
        self.memory: dict[tuple[object, int], tuple[object, int]] = {}

    @property
    def is_done(self) -> bool:
        """Whether the sentence has been read to its end."""
        return self.position >= len(self.tokens)

    @property
    def token(self) -> Token | None:
        """The token that is read next."""
        return None if self.is_done else self.tokens[self.position]

    def peek(self, ahead: int = 0) -> str:
        """Return the normal form of a coming token, empty behind the end."""
        index = self.position + ahead
        return self.tokens[index].norm if index < len(self.tokens) else END

    def kind(self, ahead: int = 0) -> str:
        """Return the kind of a coming token, empty behind the end."""
        index = self.position + ahead
        return self.tokens[index].kind if index < len(self.tokens) else END

    def take(self, *words: str) -> bool:
        """Step over the next token where it is one of these words or marks."""
        if self.peek() in words and not self.is_done:
            self.position += 1
            return True
        return False

    def take_any(self, words: frozenset[str]) -> int:
        """Step over tokens as long as they are among these words; return their number."""
        start = self.position
        while not self.is_done and self.peek() in words:
            self.position += 1
        return self.position - start

    def phrase(self, *phrases: str) -> bool:
        """Step over the longest of these phrases, words between single blanks."""
        for words in _by_first_word(phrases).get(self.peek(), ()):
            if all(self.peek(index) == word for index, word in enumerate(words)):
                self.position += len(words)
                return True
        return False

    def separator(self) -> bool:
        """Step over whatever stands between two items: a comma, "and", ", and also"."""
        start = self.position
        while self.peek() in SEPARATORS or self._link():
            self.position += self.peek() in SEPARATORS
        return self.position > start

    @property
    def is_at_boundary(self) -> bool:
        """Whether an item may end here."""
        following = self.peek()
        if following in _ITEM_ENDS or self.is_done:
            return True
        start = self.position
        is_link = self._link()
        self.position = start
        return is_link

    def _link(self) -> bool:
        """Step over "as well as" and the like."""
        return self.peek() in _LINK_STARTS and self.phrase(*_LINKS)


@dataclass(frozen=True)
class Match(Generic[T]):
    """What a rule read, and the position behind it."""

    value: T
    end: int
    is_whole: bool


Rule = Callable[[Cursor], T | None]


def apply(cursor: Cursor, rule: Rule[T]) -> T | None:
    """Apply a rule, or recall what it read here before."""
    key = (rule, cursor.position)
    if key in cursor.memory:
        value, cursor.position = cursor.memory[key]
        return cast("T | None", value)
    if cursor.depth >= _DEEPEST:
        return None
    cursor.depth += 1
    value = rule(cursor)
    cursor.depth -= 1
    cursor.memory[key] = value, cursor.position
    return value


def attempt(cursor: Cursor, rule: Rule[T]) -> T | None:
    """Apply a rule; where it does not match, the cursor stays."""
    start = cursor.position
    result = apply(cursor, rule)
    if result is None:
        cursor.position = start
    return result


def longest(cursor: Cursor, rules: Iterable[Rule[T]]) -> Match[T] | None:
    """Apply every rule and keep the one that reads most; the cursor does not move.

    A match that ends where an item may end beats any that does not; among equals the first
    rule wins.
    """
    start = cursor.position
    best: Match[T] | None = None
    for rule in rules:
        value = apply(cursor, rule)
        if value is not None and cursor.position > start:
            match = Match(value, cursor.position, cursor.is_at_boundary)
            if best is None or (match.is_whole, match.end) > (best.is_whole, best.end):
                best = match
        cursor.position = start
    return best
