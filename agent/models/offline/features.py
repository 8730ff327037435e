"""Rules for what a list can do, and for what every backend does anyway."""

from agent.models.offline.cursor import LONGEST_LIST, Cursor, attempt, longest
from agent.models.offline.nouns import word_set
from agent.models.offline.ordering import (
    list_owner,
    newest_first,
    oldest_first,
    page_size,
    paginates,
    sorts,
    totals,
)
from agent.models.offline.phrasebook import (
    BELONGS_TO_USER,
    FEATURE_INTRO,
    GENERIC,
    ME,
    RETURNS_USER,
    RETURNS_USER_2,
    SEARCHES,
    SUPPORT,
    USER_PHRASE,
    USER_PHRASE_2,
)
from agent.models.offline.phrases import is_users, name_list, noun_phrase, number, tail
from agent.models.offline.statements import (
    Constrains,
    Declares,
    Filters,
    Limits,
    Name,
    Satisfied,
    Searches,
    Statement,
    WantsAuth,
    WantsMe,
)
from agent.models.offline.traits import bracket

_NO_NAMES: tuple[Name, ...] = ()


def filters(cursor: Cursor) -> Filters | None:
    """Read "filter by status and due date", "filterable by tag", "filters for priority"."""
    _article(cursor)
    if not cursor.take("filter", "filters", "filtering", "filtered", "filterable"):
        return None
    subjects = list_owner(cursor)
    if not cursor.take("by", "on", "for", "using", "via", "with", ":", "to"):
        return None
    cursor.take("their", "its")
    names = name_list(cursor)
    return Filters(names, subjects=subjects) if names else None


def named_filters(cursor: Cursor) -> Filters | None:
    """Read "a status filter", "status and priority filters"."""
    names: list[Name] = []
    while len(names) < LONGEST_LIST and (name := attempt(cursor, noun_phrase)) is not None:
        names.append(name)
        if cursor.take("filter", "filters", "filtering"):
            return Filters(tuple(names))
        if not cursor.separator():
            return None
    return None


def listed_by(cursor: Cursor) -> Filters | None:
    """Read "list tasks by status", "get tasks by project"."""
    if not cursor.take("list", "get", "fetch", "find", "show", "listing", "view"):
        return None
    cursor.take("my", "the", "all", "their")
    subject = attempt(cursor, noun_phrase)
    cursor.take("filtered", "filterable")
    if subject is None or not cursor.take("by", "of", "in"):
        return None
    link = cursor.tokens[cursor.position - 1].norm
    if link != "by" and not cursor.take("a", "one"):
        return None
    names = name_list(cursor)
    return Filters(names, subjects=(subject,)) if names else None


def searches(cursor: Cursor) -> Searches | None:
    """Read "search in title and notes", "searchable by name", "search"."""
    cursor.take("a", "the", "keyword", "text", "simple", "basic")
    if not cursor.take("search", "searches", "searching", "searched", "searchable"):
        return None
    cursor.phrase("support", "feature", "functionality", "option", "box")
    subjects = list_owner(cursor)
    cursor.phrase("by keyword", "by text", "by keywords", "for text", "for a word", "for keywords")
    if not cursor.phrase(*SEARCHES):
        return Searches(_NO_NAMES, subjects=subjects)
    names = name_list(cursor)
    return Searches(names, subjects=subjects) if names else None


def named_search(cursor: Cursor) -> Searches | None:
    """Read "a title search"."""
    name = attempt(cursor, noun_phrase)
    if name is None or not cursor.take("search"):
        return None
    return Searches((name,))


def _article(cursor: Cursor) -> None:
    cursor.take("a", "an", "the", "optional")


# What the auth layer is called; a clause of these words alone, with one of `_AUTH_CORE` in it,
# asks for what every backend has.
_AUTH_CORE = word_set(
    """auth authentication authenticated authenticate authorization authorisation jwt jwts
    token-based login-protected token-protected auth-protected
    protected secured protect secure better-auth get-current-user"""
)
_AUTH_WORDS = _AUTH_CORE | word_set(
    """with by via using and , a an the all every each endpoints endpoint routes route api apis must
    should be is are require requires required requiring need needs valid token tokens bearer user
    users user's signed-in logged-in in only for from verification verify verifies verifying
    middleware dependency dependencies layer utilities utility utils helper helpers system logic
    header headers proper of it them this that which crud hs256 eddsa jwks ed25519 signature
    signatures current signed logged handling check checks checking better these support
    request requests set up setup to access have has backend code through on based to
    dependency-injection injection security as well issued frontend calls call fully"""
)
_OWN_CORE = word_set("own owner owners isolation isolated ownership owns private owned scoped")
_OWN_WORDS = _OWN_CORE | word_set(
    """only the a an can see sees access accesses read reads edit edits change changes delete
    deletes modify modifies view views manage manages update updates use uses user users user's
    their his her its my them it these those that so each every per signed-in logged-in current
    in signed logged authenticated must should may be is are have has gets get to by for with and
    or , of data rows records stuff ones full proper strict strictly of which belongs
    belong belonging individual creator themselves one himself herself who created
    keep kept stay stays remains remain make sure ensure keeps where always separate list lists
    returns return returned isolation enforce enforced enforcing between among resources resource
    set and-only filtered filter scope able just never"""
)
_NEGATIONS = word_set(
    """cannot can't not never no nobody none without mustn't shouldn't don't doesn't isn't"""
)
_OTHERS = word_set("other others else another anybody anyone other's others' else's another's")


_OWNERSHIP_WORDS = _OWN_WORDS | _NEGATIONS | _OTHERS


def auth(cursor: Cursor) -> WantsAuth | None:
    """Read what asks for authentication: "with JWT auth", "all endpoints require a token"."""
    start = cursor.position
    cursor.take_any(_AUTH_WORDS)
    end = _last_word(cursor, start)
    cursor.position = end
    said = {token.norm for token in cursor.tokens[start:end]}
    return WantsAuth() if said & _AUTH_CORE else None


def ownership(cursor: Cursor) -> Declares | Satisfied | None:
    """Read that users only reach their own rows, however it is said."""
    start = cursor.position
    said: list[str] = []
    rows: Name | None = None
    while len(said) < LONGEST_LIST and cursor.kind() in {"word", "mark"}:
        if cursor.peek() not in _OWNERSHIP_WORDS:
            # The rows' own name, which nothing else in the clause could be.
            name = attempt(cursor, noun_phrase) if _names_rows(said) and rows is None else None
            if name is None:
                break
            rows = name
            said.append("rows")
            continue
        said.append(cursor.peek())
        cursor.position += 1
    cursor.position = _last_word(cursor, start)
    words = set(said)
    is_negative, names_others = bool(words & _NEGATIONS), bool(words & _OTHERS)
    if is_negative != names_others:
        return None
    is_owner = bool(words & _OWN_CORE) or names_others or _is_per_user(said)
    if not (is_owner and words & _OWNERSHIP_SIGNS):
        return None
    return Declares(rows, is_mention=True) if rows else Satisfied()


_OWNERSHIP_SIGNS = word_set(
    """owner owners own isolation isolated ownership owns private owned scoped else other others
    another per other's else's another's anyone anybody each every"""
)


def _names_rows(said: list[str]) -> bool:
    return bool(said) and said[-1] in {"own", "their", "user's", "my", "his", "your", "other's"} | {
        *("the", "a", "each", "other", "another's", "see", "access", "these", "users'", "else's"),
        *("all", "for", "only", "users"),
    }


def _is_per_user(said: list[str]) -> bool:
    text = " ".join(said)
    return text in {
        "per user",
        "for each user",
        "for every user",
        "each user",
        "per-user",
        "by user",
    }


def belongs_to_user(cursor: Cursor) -> Satisfied | None:
    """Read "belongs to the signed-in user", "owned by a user"."""
    cursor.phrase("which", "that", "they", "it", "and")
    if not cursor.phrase(*BELONGS_TO_USER):
        return None
    name = attempt(cursor, user_phrase)
    return Satisfied() if name else None


def user_phrase(cursor: Cursor) -> Name | None:
    """Read "the signed-in user", "users", "its owner"."""
    cursor.phrase(*USER_PHRASE)
    cursor.phrase(*USER_PHRASE_2)
    name = attempt(cursor, noun_phrase)
    return name if name is not None and is_users(name) else None


_NOT_FOUND = word_set(
    """return returns returning give gives get gets respond responds answer answers yield yields a
    an the 404 error errors status code response for of with on when if should must is are be to
    and or so do it they any all id ids row rows them that which in as results result"""
)
_MISSING = word_set("unknown missing nonexistent non-existent nonexisting non-existing wrong")
_MISSING_PHRASES = (
    *("belongs to someone else", "belong to someone else", "belongs to another user"),
    *("belong to another user", "belong to other users", "belong to others", "is not theirs"),
    *("not found", "does not exist", "do not exist", "doesn't exist", "don't exist"),
    *("someone else's", "somebody else's", "someone else", "somebody else", "not exist"),
)
_OTHER_OWNERS = ("other users", "other users'", "others", "others'", "another user's")


def not_found(cursor: Cursor) -> Declares | Satisfied | None:
    """Read "return 404 for tasks of others", which every endpoint does."""
    start, has_code, has_missing = cursor.position, False, False
    rows: Name | None = None
    while not cursor.is_done:
        if cursor.phrase(", and so do", ", and so does"):
            continue
        if cursor.phrase(*_MISSING_PHRASES, *_OTHER_OWNERS, "another user") or cursor.take(
            *_MISSING
        ):
            has_missing = True
        elif cursor.peek() in _NOT_FOUND:
            has_code = has_code or cursor.peek() == "404"
            cursor.position += 1
        else:
            rows_here = attempt(cursor, noun_phrase) if rows is None else None
            if rows_here is None or is_users(rows_here):
                break
            rows = rows_here
    if not (has_code and has_missing):
        return None
    end = _last_word(cursor, start)
    cursor.position = end
    return Declares(rows, is_mention=True) if rows and rows.words != ("id",) else Satisfied()


def me(cursor: Cursor) -> WantsMe | None:
    """Read the wish for `GET /api/me`."""
    cursor.take("a", "an", "the")
    cursor.take("get")
    cursor.take("endpoint", "route")
    is_path = cursor.kind() == "path" and cursor.peek() in {"/api/me", "/me", "/api/me/"}
    if is_path:
        cursor.position += 1
    elif not cursor.phrase(*ME):
        return None
    said = cursor.tokens[cursor.position - 1].norm
    needs_more = said in {"endpoint", "route"} and cursor.tokens[cursor.position - 2].norm in {
        *("a", "an", "the", "get"),
    }
    cursor.take("endpoint", "route")
    returned = _returns_user(cursor)
    return None if needs_more and not returned else WantsMe()


def _returns_user(cursor: Cursor) -> bool:
    start = cursor.position
    cursor.phrase("that", "which", "to", "for", "so that i can", "where i")
    found = cursor.phrase(*RETURNS_USER)
    cursor.take("the", "my", "a", "back")
    user = cursor.phrase(*RETURNS_USER_2)
    if found and user:
        return True
    cursor.position = start
    return False


_LIMIT_WORDS = word_set(
    """limit rate limiting limited limits rate-limit rate-limited rate-limiting to of each every per
    user users call calls request requests at most max maximum up allow allowed only no more than a
    an the minute minutes with should be is it by / times and make can in one may , : it's
    agent endpoint this them that which has have limit: calling invocations must get gets for"""
)


def limits(cursor: Cursor) -> Limits | None:
    """Read "limit each user to 10 calls per minute" in any order of its words."""
    start, calls, values = cursor.position, 0, 0
    while not cursor.is_done and (cursor.peek() in _LIMIT_WORDS or cursor.kind() == "number"):
        value = attempt(cursor, number)
        if value is None:
            cursor.position += 1
            continue
        values += 1
        calls = int(value) if value == int(value) else 0
    cursor.position = _last_word(cursor, start)
    said = {token.norm for token in cursor.tokens[start : cursor.position]}
    asks = said & {
        "limit",
        "rate",
        "limited",
        "limiting",
        "most",
        "max",
        "maximum",
        "per",
        "up",
    } | (said & {"rate-limit", "rate-limited", "rate-limiting", "limits", "more", "/"})
    if said & {"calls", "requests", "times"} and said & {"a", "each", "every"}:
        asks = asks or {"a"}  # "20 calls a minute"
    if values > 1 and "1" in said and "minute" in said:  # "10 calls per 1 minute"
        values -= 1
    if asks and said & {"minute", "minutes"} and values == 1:
        return Limits(calls)
    return Limits(None) if not values and _limits_somehow(said) else None


def _limits_somehow(said: set[str]) -> bool:
    """Tell whether "rate limited", "with rate limiting" asks for a limit without its number."""
    is_rate = "rate" in said and said & {"limit", "limits", "limited", "limiting"}
    return bool(is_rate or said & {"rate-limited", "rate-limit", "rate-limiting"})


def _last_word(cursor: Cursor, start: int) -> int:
    """Return the position behind the last word that a clause can end with."""
    end = cursor.position
    while end > start and cursor.tokens[end - 1].norm in {
        *(",", "and", "with", "or", "the", "a", "an", "for", "to", "that", "which", "by", "in"),
        *("of", "so", "each", "where", "make", "using", "on", "as", "via", "set", "is"),
    }:
        end -= 1
    return end


def feature_intro(cursor: Cursor) -> bool:
    """Step over "the list endpoint needs", "results should be" and the like."""
    start = cursor.position
    if cursor.phrase(*GENERIC):
        cursor.phrase(*FEATURE_INTRO)
    elif cursor.phrase(*SUPPORT):
        pass
    return cursor.position > start


FEATURES = (
    newest_first,
    oldest_first,
    paginates,
    page_size,
    totals,
    filters,
    named_filters,
    listed_by,
    searches,
    named_search,
    sorts,
)
ALWAYS = (auth, ownership, belongs_to_user, me, not_found)


def feature(cursor: Cursor) -> tuple[Statement, ...] | None:
    """Read one thing that a list can do."""
    found = longest(cursor, FEATURES)
    if found is None:
        return None
    cursor.position = found.end
    values = _values(cursor, found.value)
    tail(cursor)
    return (found.value, *values)


def _values(cursor: Cursor, said: Statement) -> tuple[Statement, ...]:
    """Read "(low, medium, high)" behind the field that a list is filtered by."""
    if not isinstance(said, Filters):
        return ()
    start = cursor.position
    found = attempt(cursor, bracket)
    if found is None or found.strange or not found.choices:
        cursor.position = start
        return ()
    return (Constrains(said.names[-1], found, subjects=said.subjects),)
