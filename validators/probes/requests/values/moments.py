"""Days and times by the names that they go by: what is due lies ahead, a birth lies behind.

Source: RFC 3339, whose formats JSON Schema 2020-12 calls `date`, `time` and `date-time`.
"""

from datetime import UTC, date, datetime, time, timedelta

from validators.probes.requests.values.names import is_high, is_low, words

_AHEAD = frozenset(
    {
        "due", "deadline", "expire", "expires", "expiry", "expiration", "schedule", "scheduled",
        "remind", "reminder", "future", "appointment", "booking", "reservation", "reserved",
        "delivery", "event", "launch", "planned", "next", "renewal", "renews", "target", "send",
        "publish", "eta",
    }
)  # fmt: skip
_BEHIND = frozenset(
    {
        "past", "purchased", "purchase", "taken", "spent", "paid", "logged", "measured",
        "recorded", "happened", "occurred", "completed", "published", "released", "read",
        "visited", "worked", "last", "created", "updated", "watched", "played", "transaction",
        "invoice", "issued", "hired", "joined", "founded", "registered", "graduated", "started",
        "finished",
    }
)  # fmt: skip
_BORN = frozenset({"birth", "birthday", "birthdate", "born", "dob"})
_FAR, _SPAN = timedelta(days=30), timedelta(days=3)
# What begins and ends at a time of day seldom takes longer.
_SHORT_SPAN = timedelta(hours=1)
_YEARS = timedelta(days=365 * 30)
_EARLY, _MIDDAY, _LATE = time(9), time(10, 30), time(17)
_MINUTES = 60


def planned(name: str) -> timedelta:
    """Return how far from now a moment lies that somebody plans or tells of."""
    parts = set(words(name))
    if parts & _BORN:
        return -_YEARS
    if parts & _BEHIND:
        return -_FAR + (_SPAN if is_high(name) else timedelta(0))
    if is_high(name):
        return _FAR + _SPAN
    return _FAR if is_low(name) or parts & _AHEAD else timedelta(0)


def asked(name: str) -> timedelta:
    """Return how far from now a limit lies between which rows are looked for."""
    if is_low(name):
        return -_FAR
    return _FAR if is_high(name) else planned(name)


def moment(kind: str, name: str, away: timedelta, index: int) -> str:
    """Return a moment.

    Args:
        kind: The format: `date-time`, `date` or `time`.
        name: What the moment is called.
        away: How far from now it lies.
        index: Sets moments of the same name apart.
    """
    if kind == "time":
        base = _EARLY if is_low(name) else _LATE if is_high(name) else _MIDDAY
        return base.replace(minute=(base.minute + index) % _MINUTES).isoformat()
    if kind == "date-time" and abs(away) != _FAR and away - _SPAN in (_FAR, -_FAR):
        away += _SHORT_SPAN - _SPAN
    # Away from now, so that neither a later nor an earlier one crosses it.
    shift = timedelta(days=index) if away > timedelta(0) else -timedelta(days=index)
    day = datetime.now(UTC).replace(microsecond=0) + away + shift
    return day.isoformat() if kind == "date-time" else day.date().isoformat()


def later(text: str, by: timedelta) -> str | None:
    """Return a moment of the same form that lies later, or None for a text that is no moment.

    A time of day never leaves its day.
    """
    found = read(text)
    if found is None:
        return None
    try:
        if not isinstance(found, time):
            return (found + by).isoformat()
        moved = datetime.combine(date(2000, 1, 2), found) + by / 24
    except (ValueError, OverflowError):
        return None
    is_other_day = moved.date() != date(2000, 1, 2)
    return None if is_other_day else moved.timetz().isoformat()


def read(text: str) -> datetime | date | time | None:
    """Return the moment that a text spells, or None."""
    for kind in (date, datetime, time):
        try:
            return kind.fromisoformat(text)
        except ValueError:
            continue
    return None
