"""Who plays in a request: which resources it makes, which it finds, and by which names."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from itertools import pairwise

from agent.models.offline.defaults import (
    STANDS_FOR,
    USUAL,
    is_known_noun,
    kind_by_name,
    stands_for,
)
from agent.models.offline.inventory import Inventory, Kept
from agent.models.offline.nouns import is_plural, plural_name, singular_name, snake, word_set
from agent.models.offline.phrases import is_users
from agent.models.offline.specs import MAX_NAME
from agent.models.offline.statements import (
    BelongsTo,
    Constrains,
    Declares,
    Extends,
    HasField,
    HasMany,
    Name,
    Nests,
    Satisfied,
    Statement,
    Traits,
    WantsAuth,
)
from agent.models.offline.words import KEYWORDS, OUTSIDE, SOFT_RESOURCES, TECHNICAL

_BETTER_AUTH = frozenset({"session", "account", "verification", "jwk", "jwks"})
# Too general to be the name of what is stored.
_VAGUE = word_set(
    "thing stuff data datum information something everything it them one more mode rest anything"
)

EXISTS = '"{}" exists in this backend already; only new resources can be added to it.'


@dataclass
class Cast:
    """The resources of a request.

    Attributes:
        new: The plural of each new resource by its singular.
        old: The resources of the existing backend by their singular.
        aliases: Other names of new resources.
        agents: The agent endpoints of the existing backend.
        problems: Sentences, one for each resource that cannot be made.
        unknown: Names that stand for nothing that is known.
        notes: What is to be told about the names.
        refused: The singular of each name that cannot be a resource.
    """

    new: dict[str, str] = field(default_factory=dict)
    old: Mapping[str, Kept] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)
    agents: frozenset[str] = frozenset()
    problems: list[str] = field(default_factory=list)
    unknown: list[Name] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    refused: set[str] = field(default_factory=set)

    def refuse(self, name: Name, reason: str = "") -> None:
        """Note that a name stands for nothing that can be built."""
        self.refused.add(singular_name(name.words))
        self.unknown.append(name)
        self.notes += [reason] if reason else []

    @property
    def known(self) -> dict[str, object]:
        """Every resource, new and old, by its singular."""
        return {**self.old, **self.new}

    def key(self, name: Name) -> str:
        """Return the singular of the resource that a name stands for, known or not."""
        if not name.words:
            return ""
        if len(name.words) > 1 and name.words[-1] in {"list", "lists", "listing", "listings"}:
            shorter = self.key(Name(name.words[:-1]))
            if shorter in self.known:
                return shorter
        key = singular_name(name.words)
        if key in self.aliases:
            return self.aliases[key]
        if key in self.known:
            return key
        by_table = {old.table: one for one, old in self.old.items()}
        # "items" where only shopping list items are spoken of.
        longer = [one for one in self.known if one.endswith(f"_{key}")]
        return by_table.get(key, longer[0] if len(longer) == 1 else key)


def find_cast(statements: list[Statement], backend: Inventory) -> Cast:
    """Find the resources of a request."""
    cast = Cast(old=backend.resources, agents=backend.agents)
    detailed = {
        singular_name(subject.words)
        for item in statements
        if isinstance(item, HasField)
        for subject in item.subjects
        if subject.words
    }
    for item in statements:
        if isinstance(item, Declares) and not (item.is_title or item.is_mention):
            has_details = _has_details(item.name, detailed)
            if item.is_strong or has_details or _is_plausible(item.name):
                _declare(cast, item.name, is_plain=not (has_details or item.is_strong))
            else:
                _refuse(cast, item.name)
    has_named = bool(cast.new)
    extended = {cast.key(item.name) for item in statements if isinstance(item, Extends)}
    for item in statements:
        for name in _implied(cast, item):
            if cast.key(name) not in cast.known.keys() | cast.refused | extended:
                _declare(cast, name, is_plain=True)
    _take_titles(cast, statements, has_named=has_named)
    for item in statements:
        if isinstance(item, Declares) and item.is_mention and not _is_place(item):
            _mention(cast, item.name)
        elif isinstance(item, Extends) and cast.key(item.name) not in cast.known:
            cast.refused.add(cast.key(item.name))
            cast.problems.append(
                f'There is no resource "{item.name}" to add to; ask for it first, as in "add CRUD '
                f'for {item.name}".'
            )
    return cast


def _is_place(item: Declares) -> bool:
    """Tell whether a name over the rest is where things are: "my wine cellar: wines have ..."."""
    return item.is_title and not is_plural(item.name.words[-1])


def _has_details(name: Name, detailed: set[str]) -> bool:
    """Tell whether something is said of a resource: also what a record has, of vinyl records."""
    singular = singular_name(name.words)
    return any(singular in {one, one_of(singular, one)} for one in detailed)


def one_of(singular: str, last: str) -> str:
    """Return `last` behind the words that stand before it in a longer name, if it ends so."""
    return singular if singular.endswith(f"_{last}") else ""


def _take_titles(cast: Cast, statements: list[Statement], *, has_named: bool) -> None:
    """Decide which names over a list are resources and which only name the application."""
    has_others = bool(cast.new)
    subjects = {
        cast.key(name)
        for item in statements
        if not isinstance(item, Satisfied | WantsAuth)
        for name in item.subjects
    }
    for item in statements:
        if not (isinstance(item, Declares) and item.is_title) or cast.key(item.name) in cast.new:
            continue
        key = cast.key(item.name)
        is_known = is_plural(item.name.words[-1]) or key in USUAL
        # "a movie watchlist API where each movie has" names the application.
        is_only_name = has_others and key not in subjects and not (is_known and has_named)
        is_only_name = is_only_name or (key == "todo" and "task" in cast.new)
        # "a flashcard app with decks and cards"
        is_only_name = is_only_name or any(key != one and key.endswith(one) for one in cast.new)
        if item.is_app and not (is_known or key in subjects or has_others or _is_title(item.name)):
            cast.refused.add(key)
            cast.problems.append(f'It is not clear what "{item.name}" stores; name its resources.')
        elif not is_only_name:
            _declare(cast, item.name, is_plain=False)
        elif reason := _outside(item.name.words, is_plain=True):
            cast.refuse(item.name, reason)
        else:
            cast.notes.append(f'"{item.name}" was taken for the name of the application.')


def _is_title(name: Name) -> bool:
    return " ".join(name.words) in STANDS_FOR


def _implied(cast: Cast, item: Statement) -> Iterator[Name]:
    """Yield the resources that a clause takes for granted."""
    if isinstance(item, HasField | HasMany | BelongsTo | Nests):
        yield from (name for name in item.subjects if not is_users(name) and name.words)
    if isinstance(item, BelongsTo) and not is_users(item.parent):
        yield item.parent
    is_users_own = any(map(is_users, item.subjects))
    if isinstance(item, HasMany) and _is_of_its_kind(item, item.child):
        return
    if isinstance(item, HasMany) and (is_users_own or _is_child(cast, item.child)):
        yield item.child
    if isinstance(item, HasField) and item.traits == Traits() and _is_row(item):
        yield item.name


def _is_of_its_kind(item: Statement, name: Name) -> bool:
    """Tell whether "child comments" are comments, the rows that the clause is about."""
    own = {singular_name(subject.words) for subject in item.subjects if subject.words}
    front, last = name.words[:-1], singular_name(name.words[-1:])
    return last in own and front in {("other",), ("child",), ("nested",)}


def _is_child(cast: Cast, name: Name) -> bool:
    """Tell whether "many tags" are rows of their own: not where they are a list of text."""
    is_text = kind_by_name(snake(name.words)) is not None
    return cast.key(name) in cast.known or not is_text


def _is_row(item: HasField) -> bool:
    """Tell whether "comments" among the fields of a task are rows of their own."""
    words = item.name.words
    if (
        _is_of_its_kind(item, item.name)
        or not is_plural(words[-1])
        or kind_by_name(snake(words)) is not None
    ):
        return False
    return is_known_noun(singular_name(words)) or any(map(is_users, item.subjects))


def _is_plausible(name: Name) -> bool:
    """Tell whether something that is only said to be added is a resource.

    "Add tasks" and "add widgets" are clear; "add dark mode" and "add error messages" are not,
    without CRUD or fields.
    """
    singular = singular_name(name.words)
    if stands_for(name.words, is_plain=True) != name.words or singular in USUAL:
        return True
    is_technical = singular in TECHNICAL or singular in _VAGUE
    return len(name.words) == 1 and is_plural(name.words[-1]) and not is_technical


def _declare(cast: Cast, name: Name, *, is_plain: bool) -> None:
    words = stands_for(name.words, is_plain=is_plain)
    if is_users(name):
        cast.refused.add(singular_name(words))
        cast.problems.append(
            f'"{name}" cannot be built: Better Auth owns the users and their tables.'
        )
        return
    singular, plural = singular_name(words), plural_name(words)
    if singular in cast.old:
        cast.problems.append(EXISTS.format(name))
        return
    if singular in cast.new:
        return
    reason = _outside(words, is_plain=is_plain)
    if reason or words[0] == "other":
        cast.refuse(name, reason)
        return
    if _keyword_meant(words):
        _refuse(cast, name)
        return
    close = get_close_matches(singular, [*cast.new, *cast.old], n=1, cutoff=0.84)
    if close and not (singular.endswith(close[0]) or close[0].endswith(singular)):
        cast.refused.add(singular)
        cast.problems.append(f'"{name}" is not known; did you mean "{close[0]}"?')
        return
    if len(singular) > MAX_NAME or singular in _VAGUE or not singular.isascii():
        cast.refuse(name)
        return
    if words != name.words:
        cast.aliases[singular_name(name.words)] = singular
        cast.notes.append(f'"{name}" was taken to mean {" ".join(words)}.')
    if singular in _BETTER_AUTH:
        cast.notes.append(
            f"Better Auth owns the table {singular!r}; the rows of {plural} are kept in a table "
            "of another name."
        )
    cast.new[singular] = plural


def _outside(words: tuple[str, ...], *, is_plain: bool) -> str:
    pairs = ("-".join(pair) for pair in pairwise(words))
    one = singular_name(words[-1:])
    for word in (*pairs, *words):
        if word not in OUTSIDE:
            continue
        is_soft = singular_name((word,)) in SOFT_RESOURCES
        if not (is_soft and (not is_plain or len(words) > 1)) and not is_known_noun(one):
            return OUTSIDE[word]
    return ""


def _refuse(cast: Cast, name: Name) -> None:
    """Refuse a name, with what it may be a slip of."""
    typo = _keyword_meant(name.words)
    if typo:
        cast.refused.add(singular_name(name.words))
        cast.problems.append(f'"{name}" is not known; did you mean "{typo}"?')
    else:
        cast.refuse(name, _outside(name.words, is_plain=True))


def _keyword_meant(words: tuple[str, ...]) -> str:
    """Return the word of the grammar that a resource's name is a slip of, or an empty text."""
    for word in words:
        if is_known_noun(singular_name((word,))) or word in KEYWORDS:
            continue
        for meant in sorted(KEYWORDS):
            if word[0] == meant[0] and word != meant and sorted(word) == sorted(meant):
                return meant
        close = get_close_matches(word, sorted(KEYWORDS), n=1, cutoff=0.87)
        if close and singular_name((word,)) != singular_name((close[0],)):
            return close[0]
    return ""


def _mention(cast: Cast, name: Name) -> None:
    """Take up a resource that a clause uses; refuse a part of one, as in "completed tasks"."""
    key = cast.key(name)
    if key in cast.known:
        return
    last = singular_name(name.words[-1:])
    if len(name.words) > 1 and (last in cast.known or _narrows(name.words[0])):
        cast.refuse(name)
    elif _is_plausible(name):
        _declare(cast, name, is_plain=True)
    else:
        cast.refuse(name)


def _narrows(word: str) -> bool:
    return word.endswith("ed") or word in {
        *("overdue", "recent", "upcoming", "latest", "old", "daily", "weekly", "monthly", "done"),
        *("open", "important", "today", "past", "future", "late", "active", "top", "random"),
    }


def constrained_names(statements: list[Statement]) -> list[Name]:
    """Return the names of the fields that are described on their own."""
    return [item.name for item in statements if isinstance(item, Constrains)]
