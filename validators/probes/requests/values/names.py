"""What the name of a value says about it, where its schema does not."""

import re
from functools import lru_cache

_PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
# What semantic validators ask for that a schema does not show. The first entry whose words are all
# in the name counts.
_TEXTS: tuple[tuple[str, str], ...] = (
    ("email", "bystander@example.com"), ("password", "Str0ng-{word}!"),
    ("postgres", "postgresql://user:secret@db.example.com:5432/{word}"),
    ("database url", "postgresql://user:secret@db.example.com:5432/{word}"),
    ("redis", "redis://cache.example.com:6379/0"), ("ftp", "ftp://example.com/{word}"),
    ("socket", "wss://example.com/{word}"), ("websocket", "wss://example.com/{word}"),
    ("url", "https://example.com/{word}"), ("uri", "https://example.com/{word}"),
    ("link", "https://example.com/{word}"), ("website", "https://example.com/{word}"),
    ("webhook", "https://example.com/{word}"), ("homepage", "https://example.com/{word}"),
    ("color", "#3366ff"), ("colour", "#3366ff"), ("currency", "EUR"), ("country", "DE"),
    ("phone", "+4915112345678"), ("mobile", "+4915112345678"), ("fax", "+4915112345678"),
    ("timezone", "Europe/Berlin"), ("tz", "Europe/Berlin"), ("time zone", "Europe/Berlin"),
    ("language", "en"), ("locale", "en"), ("lang", "en"), ("slug", "{distinct}"),
    ("username", "{distinct}"), ("user name", "{distinct}"), ("cron", "0 6 * * *"),
    ("iban", "DE89370400440532013000"), ("bic", "DEUTDEFF"), ("swift", "DEUTDEFF"),
    ("isbn", "9780306406157"), ("ean", "4006381333931"), ("card number", "4242424242424242"),
    ("pan", "4242424242424242"), ("cvc", "123"), ("cvv", "123"), ("zip", "10115"),
    ("zipcode", "10115"), ("postcode", "10115"), ("postal", "10115"), ("plz", "10115"),
    ("vat", "DE136695976"), ("mac", "00:00:5e:00:53:01"), ("ip", "192.0.2.1"),
    ("hostname", "{distinct}.example.com"), ("domain", "{distinct}.example.com"),
    ("semver", "1.0.0"), ("mime", "text/plain"), ("rrule", "FREQ=DAILY"), ("year", "2030"),
)  # fmt: skip
# Whatever default they have: what people write there is their own.
_FREE = frozenset(
    {
        "title", "name", "description", "content", "text", "body", "note", "notes", "comment",
        "message", "label", "summary", "bio", "subject", "caption", "question", "answer",
    }
)  # fmt: skip
_UNIQUE = frozenset(
    {
        "code", "sku", "serial", "plate", "barcode", "slug", "handle", "reference", "ref",
        "coupon", "number", "key", "tag", "identifier",
    }
)  # fmt: skip
# What comes first and what comes last. A name with a word of one line means the other end of a name
# with a later word of that line in its place.
_ENDS: tuple[tuple[tuple[str, ...], ...], ...] = (
    (
        ("created", "issued", "issue", "planned", "opened", "hired", "joined", "ordered"),
        ("start", "starts", "started", "starting", "begin", "begins", "began", "beginning", "from",
         "since", "after", "open", "opens", "opening", "departure", "departs", "depart", "in",
         "checkin", "pickup", "published", "issued", "requested", "active", "activated",
         "gte", "gt", "earliest", "first"),
        ("end", "ends", "ended", "ending", "finish", "finishes", "finished", "to", "until", "till",
         "before", "close", "closes", "closed", "closing", "arrival", "arrives", "arrive", "out",
         "checkout", "exit", "dropoff", "return", "returned", "due", "deadline", "completed",
         "expires", "expired", "expiry", "expiration", "expire", "resolved", "stop", "stops",
         "stopped", "updated", "lte", "lt", "latest", "last", "left", "through", "thru"),
    ),
    (("min", "minimum", "low", "lower", "lowest", "least", "smallest", "floor"),
     ("current", "used", "target", "optimal"),
     ("max", "maximum", "high", "upper", "higher", "highest", "most", "largest", "ceiling", "total",
      "limit", "capacity")),
)  # fmt: skip
_RANKS: tuple[dict[str, int], ...] = tuple(
    {word: rank for rank, each in reversed([*enumerate(line)]) for word in each} for line in _ENDS
)
_AGAIN = frozenset(
    {"confirm", "confirmation", "confirmed", "repeat", "repeated", "again", "retype", "verify", "2"}
)


@lru_cache(maxsize=1024)
def words(name: str) -> tuple[str, ...]:
    """Return the words of a name such as `dueDate`, `due_date` or `due-date`, in lower case."""
    return tuple(part.lower() for part in _PARTS.findall(name[:200]))


def hinted(name: str) -> str | None:
    """Return a template for a text with this name, with `{word}` or `{distinct}` for the marker."""
    parts = {*words(name), *(part.removesuffix("s") for part in words(name))}
    for wanted, template in _TEXTS:
        if all(_is_named(each, parts) for each in wanted.split()):
            return template
    return None


def _is_named(word: str, parts: set[str]) -> bool:
    # `homeurl` and `hexcolor` as well.
    is_telling = len(word) >= len("url")
    return word in parts or (is_telling and any(_ends(part, word) for part in parts))


def _ends(part: str, word: str) -> bool:
    return len(part) >= len(word) + len("home") and part.endswith(word)


def moment_kind(name: str) -> str | None:
    """Return the format of a moment that a text with this name must be, or None."""
    last = words(name)[-1:]
    if last in (("date",), ("birthday",), ("dob",), ("deadline",)):
        return "date"
    if last in (("at",), ("datetime",), ("timestamp",)):
        return "date-time"
    return "time" if last == ("time",) else None


def is_free(name: str) -> bool:
    """Tell whether people write what they like under this name."""
    return bool(_FREE & {*words(name)[-1:]})


def is_unique(name: str) -> bool:
    """Tell whether no two rows may have the same text under this name."""
    return bool(_UNIQUE & {*words(name)})


def is_low(name: str) -> bool:
    """Tell whether a name means the first of two ends."""
    return _rank(name, 0) == 1 or _rank(name, 1) == 0


def is_high(name: str) -> bool:
    """Tell whether a name means the last of two ends."""
    return any(_rank(name, number) == len(line) - 1 for number, line in enumerate(_ENDS))


def _rank(name: str, line: int) -> int | None:
    found = [_RANKS[line][word] for word in words(name) if word in _RANKS[line]]
    return found[-1] if found else None


def comes_before(low: str, high: str) -> bool:
    """Tell whether two names mean two ends of one thing, the first end first."""
    first, second = words(low), words(high)
    if len(first) > len(second):
        # `valid_from` and `valid`, `start_date` and `end`
        first = tuple(w for w in first if w not in ("date", "time", "at", "on"))
    if len(second) > len(first):
        second = tuple(w for w in second if w not in ("date", "time", "at", "on"))
    if len(first) != len(second):
        return False
    pairs = [pair for pair in zip(first, second, strict=True) if pair[0] != pair[1]]
    if len(pairs) != 1:
        return False
    ((one, other),) = pairs
    return any(one in ranks and ranks[one] < ranks.get(other, -1) for ranks in _RANKS)


def repeats(name: str, other: str) -> bool:
    """Tell whether a name asks for the value of another once more, as `password_confirm` does."""
    rest = [word for word in words(name) if word not in _AGAIN]
    return name != other and len(rest) < len(words(name)) and (*rest,) == words(other)
