"""What a resource and its parts are called in code, in URLs and in sentences."""

import builtins
import keyword
from dataclasses import dataclass

from agent.models.offline.blueprint import Resource
from agent.models.offline.catalogue import LIBRARY, SHARED_TYPES

_BUILTINS = frozenset(dir(builtins))

# Tables of users: those of Better Auth and its plugins, which share the database with the
# backend's own, and the one of a backend that keeps its users itself.
_USERS_TABLES = frozenset(
    {
        "account", "apikey", "app_user", "invitation", "jwks", "member", "organization", "passkey",
        "rate_limit", "session", "subscription", "team", "two_factor", "user", "verification",
    }
)  # fmt: skip

# Names that the generated modules import or define themselves.
_CLASSES = (
    _BUILTINS
    | LIBRARY.keys()
    | SHARED_TYPES
    | {"CurrentUser", "DatabaseSession", "Path", "RateLimiter", "Response", "Responses", "User"}
)
_VARIABLES = (
    _BUILTINS
    | LIBRARY.keys()
    | {"current_user", "data", "items", "query", "router", "rows", "session", "statement", "total"}
)
_SCHEMA_MODULES = frozenset({"agents", "auth", "common", "error", "user"})
_ROUTE_MODULES = frozenset({"agents", "auth", "me"})


@dataclass(frozen=True, slots=True)
class Names:
    """The names of one resource.

    Attributes:
        singular: One of them in snake case, as in the path parameter `<singular>_id`.
        plural: Many of them in snake case, as in the handler `list_<plural>`.
    """

    singular: str
    plural: str

    @property
    def label(self) -> str:
        """One of them in words."""
        return self.singular.replace("_", " ")

    @property
    def labels(self) -> str:
        """Many of them in words."""
        return self.plural.replace("_", " ")

    @property
    def article(self) -> str:
        """`a` or `an`, before the label."""
        return article(self.label)

    @property
    def model(self) -> str:
        """Class name of the table model."""
        name = class_name(self.singular)
        return f"{name}Record" if name in _CLASSES else name

    @property
    def table(self) -> str:
        """Name of the table."""
        return self.plural if self.singular in _USERS_TABLES else self.singular

    @property
    def variable(self) -> str:
        """Name of a variable that holds a row."""
        is_taken = self.singular in _VARIABLES or keyword.iskeyword(self.singular)
        return f"{self.singular}_row" if is_taken else self.singular

    @property
    def schema_module(self) -> str:
        """Module below `schemas`."""
        is_taken = self.singular in _SCHEMA_MODULES or keyword.iskeyword(self.singular)
        return f"{self.singular}_bodies" if is_taken else self.singular

    @property
    def route_module(self) -> str:
        """Module below `routes`."""
        is_taken = self.plural in _ROUTE_MODULES or keyword.iskeyword(self.plural)
        return f"{self.plural}_resource" if is_taken else self.plural

    @property
    def path(self) -> str:
        """Path of the collection."""
        return f"/api/{self.plural.replace('_', '-')}"


def names_of(resource: Resource) -> Names:
    """Return the names of a resource."""
    return Names(resource.singular, resource.plural)


def class_name(snake: str) -> str:
    """Return `TaskList` for `task_list`."""
    return "".join(word[:1].upper() + word[1:] for word in snake.split("_"))


def sentence_case(text: str) -> str:
    """Return the text with its first letter in upper case."""
    return text[:1].upper() + text[1:]


def article(label: str) -> str:
    """Return `a` or `an`, whichever is spoken before the label."""
    word = label.split(maxsplit=1)[0].lower()
    if word.startswith(("uni", "url", "use", "usa", "uti", "eu", "one")):
        return "a"
    if word.startswith(("hour", "honest", "honor", "honour", "heir")):
        return "an"
    if len(word) > 1 and word.isalpha() and not set(word) & set("aeiouy"):
        # Spoken letter by letter, as in "an SMS".
        return "an" if word[0] in "fhlmnrsx" else "a"
    return "an" if word[0] in "aeiou" else "a"
