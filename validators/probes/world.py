"""One world: the booted app, its users' tokens, and the database watched after each request."""

import json
import re
import secrets
import string
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import zip_longest
from typing import Any

from validators.probes.forgery import Forger
from validators.probes.tables import NOTHING, Change, Key, Row, Snapshot, Tables, compare
from validators.probes.tokens import Style, claims_of, make_claims, sign
from validators.runtime.app import Request, Response, RunningApp
from validators.runtime.better_auth import User
from validators.runtime.keys import AUTH_URL

_MARKER_LETTERS = 10
_LONG_ID = 6
# For documentation only (RFC 5737); limits by address must not mix the users up.
_NOBODYS_ADDRESS = "192.0.2.30"


@dataclass(frozen=True)
class Exchange:
    """One request, its response, and what it did to the database.

    Attributes:
        actor: `owner`, `intruder`, or `nobody` for a request without a valid token.
        request: What was sent.
        response: What came back.
        change: The rows that differ from before the request.
    """

    actor: str
    request: Request
    response: Response
    change: Change


@dataclass
class World:
    """The app and its database, with whose rows are whose.

    Attributes:
        app: The booted backend.
        tables: The parent's view of the database.
        users: The users by their roles, with the ids that this backend knows them by.
        style: How this backend wants its tokens.
        tokens: Tokens by role that the backend itself has issued.
        markers: The letters in every free text of a user.
        rows: The rows as they are now.
    """

    app: RunningApp
    tables: Tables
    users: Mapping[str, User]
    style: Style
    markers: dict[str, str] = field(default_factory=dict)
    tokens: Mapping[str, str] = field(default_factory=dict)
    rows: Snapshot = field(default_factory=dict)
    _order: list[tuple[str, Key]] = field(default_factory=list)
    _signed: dict[tuple[str, Style], str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.markers:
            self.markers = {role: new_marker() for role in self.users}
        self.rows = self.tables.snapshot()

    def token(self, role: str) -> str:
        """Return a valid token of a user."""
        if role in self.tokens:
            return self.tokens[role]
        if (role, self.style) not in self._signed:
            self._signed[role, self.style] = sign(self._claims(role), self.style, self.app)
        return self._signed[role, self.style]

    def forger(self) -> Forger:
        """Return what makes tokens in the owner's name that are not valid."""
        good = self.token("owner")
        is_own = "owner" in self.tokens
        claims = claims_of(good) if is_own else self._claims("owner")
        return Forger(self.app, self.style, good, claims, is_own)

    def _claims(self, role: str) -> dict[str, Any]:
        issuer = self.app.keys.base_url if self.app.keys else AUTH_URL
        return make_claims(self.users[role], self.style, issuer)

    def send(self, actor: str, request: Request) -> Exchange:
        """Send a request and look at the database afterwards."""
        response = self.app.send(self._sign_for(actor, request))
        change = self._look()
        if request.method == "POST" and response.is_success and not change:
            self.tables.refresh()
            change = self._look()
        return Exchange(actor, request, response, change)

    def try_all(self, actor: str, requests: Sequence[Request]) -> Iterator[Exchange]:
        """Send requests that should be refused, each to the rows as they are now.

        The database is looked at once, behind the last. Where it has changed, or one of them
        succeeded, it is brought back and each is sent again by itself, to see what each one does.
        What was not refused the first time, and is the second, is shown as it was the first time.
        """
        signed = [self._sign_for(actor, request) for request in requests]
        responses = self.app.send_all(signed) if len(requests) > 1 else []
        change = self._look() if responses else NOTHING
        if responses and not change and not any(each.is_success for each in responses):
            for request, response in zip(requests, responses, strict=True):
                yield Exchange(actor, request, response, change)
            return
        self._take_back(change)
        for request, first in zip_longest(requests, responses):
            exchange = self.send(actor, request)
            self.undo(exchange)
            if first is not None and _is_refusal(exchange.response) and not _is_refusal(first):
                exchange = replace(exchange, response=first)
            yield exchange

    def _sign_for(self, actor: str, request: Request) -> Request:
        token = request.token if actor == "nobody" else self.token(actor)
        address = self.users[actor].address if actor in self.users else _NOBODYS_ADDRESS
        return replace(request, token=token, client=address)

    def _look(self) -> Change:
        """Return what has changed in the database since the last look."""
        before, self.rows = self.rows, self.tables.snapshot()
        change = compare(before, self.rows)
        self._order += [(row.table, row.key) for row in change.added]
        return change

    def undo(self, exchange: Exchange) -> None:
        """Take back what a request did to the rows."""
        self._take_back(exchange.change)

    def _take_back(self, change: Change) -> None:
        if not change:
            return
        before = {**self.rows}
        for row in change.added:
            before.pop((row.table, row.key), None)
        for row in change.gone:
            before[row.table, row.key] = row
        for was, _ in change.changed:
            before[was.table, was.key] = was
        self.tables.restore(before, change)
        self.rows = self.tables.snapshot()

    def owners(self, rows: Snapshot | None = None) -> dict[tuple[str, Key], frozenset[str]]:
        """Return whose each row is."""
        users = list(self.users.values())
        return self.tables.owners(self.rows if rows is None else rows, users)

    def rows_of(self, role: str, table: str) -> Iterator[Row]:
        """Yield a user's rows of one table, the newest first."""
        owners = self.owners()
        for place in reversed(self._order):
            if place[0] == table and place in self.rows and role in owners[place]:
                yield self.rows[place]

    def neutral(self, text: str) -> str:
        """Return a text without what differs from run to run."""
        for role, marker in self.markers.items():
            text = text.replace(marker, role)
        for user in self.users.values():
            if len(user.id) >= _LONG_ID:
                text = text.replace(user.id, f"the {user.role}'s id")
            text = text.replace(user.email, f"{user.role}@example.com")
            text = text.replace(user.name, f"the {user.role}'s name")
        text = re.sub(r"\d{4}-\d\d-\d\d([T ][\d:.]+(Z|[+-]\d\d:?\d\d)?)?", "a date", text)
        return re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "a UUID", text)

    def holds_data_of(self, role: str, response: Response) -> bool:
        """Tell whether a response repeats free text that a user entered."""
        marker, text = self.markers[role], response.text.lower()
        if "\\u" in text:
            # The same text may be spelled with escapes.
            text += json.dumps(response.json(), ensure_ascii=False).lower()
        return marker in text or any(marker in each.lower() for each in response.headers.values())


def _is_refusal(response: Response) -> bool:
    return 400 <= response.status < 500  # noqa: PLR2004 - the client errors


def new_marker() -> str:
    """Return letters that occur nowhere by chance."""
    return "".join(secrets.choice(string.ascii_lowercase) for _ in range(_MARKER_LETTERS))
