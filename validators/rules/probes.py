"""Rules BP6xx, what the experiments on the booted app showed."""

from validators.rules.base import Example, Rule

_NONE = Example("")


def _rule(
    code: str, name: str, why: str, fix: str, *, instruction: str = "", severity: str = "error"
) -> Rule:
    return Rule(
        code=code,
        name=name,
        severity="error" if severity == "error" else "warning",
        why=why,
        instruction=instruction,
        fix=fix,
        bad=_NONE,
        good=_NONE,
    )


UNAUTHENTICATED = _rule(
    "BP601",
    "probe-unauthenticated",
    "A route that serves a user's rows must know who asks: without a token, or with one that is "
    "broken, expired, forged or unsigned, it must answer 401.",
    "Let the route depend on the signed-in user, and verify signature and expiry of the token "
    "with a fixed list of algorithms.",
    instruction="Answer 401 to every request whose token is missing, broken, expired, forged or "
    "unsigned.",
)
TOKEN_REFUSED = _rule(
    "BP602",
    "probe-token-refused",
    "A token as Better Auth issues it for an existing user is refused, so that nobody can use the "
    "backend and nothing can be shown about it.",
    "Accept HS256 with BETTER_AUTH_SECRET, take the user's id from `sub` as text, and look it up "
    "in Better Auth's user table.",
    instruction="Take the user's id from the claim `sub`, as text: it is no number.",
)
READ = _rule(
    "BP603",
    "probe-intruder-reads",
    "Another signed-in user got what belongs to the owner.",
    "Bind the query to the signed-in user, and answer 404 where it finds nothing.",
    instruction="Answer another user's ids exactly as ids that do not exist: 404.",
)
CHANGED = _rule(
    "BP604",
    "probe-intruder-changes",
    "Another signed-in user changed or deleted what belongs to the owner.",
    "Bind the query that finds the row to the signed-in user before it is changed or deleted.",
)
SERVER_ERROR = _rule(
    "BP605",
    "probe-server-error",
    "A request that any client can send ends in an unhandled exception.",
    "Correct the line, or refuse the value with 422 before it gets there.",
    instruction="Refuse values that the database cannot store with 422: numbers out of range, "
    "explicit nulls for required columns, NUL characters in text.",
)
PLANTED = _rule(
    "BP606",
    "probe-intruder-plants",
    "Another signed-in user stored a row that points to a row of the owner, and so appears in the "
    "owner's data or learns of it.",
    "Before storing a foreign key from a request, find its target with a query that is bound to "
    "the signed-in user.",
    instruction="Before storing a foreign key from a request, check that the row it points to is "
    "the signed-in user's own.",
)
FORGED = _rule(
    "BP607",
    "probe-intruder-forges",
    "A user id that was sent in the request decided whose row it became.",
    "Take the owner from the verified token, and leave owner fields out of request bodies.",
    instruction="Take the owner of a row from the verified token, never from the request.",
)
DISCLOSED = _rule(
    "BP608",
    "probe-existence-disclosed",
    "Another user can tell ids that exist from ids that do not.",
    "Answer 404 for a row of somebody else, as for a row that does not exist.",
    severity="warning",
)
NOT_STORED = _rule(
    "BP609",
    "probe-nothing-stored",
    "The route reports success, but the database is the same as before: the data is elsewhere, in "
    "memory or in another database, or nowhere.",
    "Store the data in the database that DATABASE_URL names, and commit.",
    instruction="Keep all data in the database that DATABASE_URL names, and commit every change.",
)
NOT_SHOWN = _rule(
    "BP610",
    "probe-own-rows-missing",
    "The owner does not get back what the owner stored, so that empty answers to others show "
    "nothing.",
    "Return the signed-in user's rows.",
)
NOT_EXERCISED = _rule(
    "BP611",
    "probe-not-exercised",
    "The owner never succeeded on this route, so that a refusal to others shows nothing about it.",
    "Look at the reason; where the route is right, its body or parameters may need narrower types.",
    severity="warning",
)
NOTHING_EXERCISED = _rule(
    "BP612",
    "probe-nothing-exercised",
    "Nothing was shown, and nothing shown is no pass.",
    "Look at the other findings first.",
)
WRONG_REFUSAL = _rule(
    "BP613",
    "probe-wrong-refusal",
    "A missing or invalid token is answered with 403, which tells a client that signing in again "
    "would not help.",
    "Answer 401 with the header `WWW-Authenticate: Bearer`.",
    severity="warning",
)
PUBLIC = _rule(
    "BP614",
    "probe-public-route",
    "A route below /api answers without a token. That is right for public data only.",
    "Let the route depend on the signed-in user, or move it out of /api where it is public.",
    severity="warning",
)
PROCESS_ENDED = _rule(
    "BP615",
    "probe-process-ended",
    "The app's process ended, hung or used too much while it was probed.",
    "Take out what ends or blocks the process.",
)

RULES: tuple[Rule, ...] = (
    UNAUTHENTICATED, TOKEN_REFUSED, READ, CHANGED, SERVER_ERROR, PLANTED, FORGED, DISCLOSED,
    NOT_STORED, NOT_SHOWN, NOT_EXERCISED, NOTHING_EXERCISED, WRONG_REFUSAL, PUBLIC, PROCESS_ENDED,
)  # fmt: skip
