"""One world: the booted app, its users' tokens, and the database watched after each request."""

import json
import re
import secrets
import string
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import zip_longest
from typing import Any

from validators.probes.worlds.acts import Act, Writing
from validators.probes.worlds.forgery import Forger
from validators.probes.worlds.names import Names, UnknownNameError, is_made_up, plain
from validators.probes.worlds.tables import NOTHING, Change, Key, Row, Snapshot, Tables, compare
from validators.probes.worlds.tokens import Style, claims_of, make_claims, sign
from validators.runtime.app import Request, Response, RunningApp
from validators.runtime.better_auth import User
from validators.runtime.keys import AUTH_URL

_MARKER_LETTERS = 10
# So long a request has to come to its first write; one that waits in Python never does.
_PATIENCE, _MOMENT = 0.5, 0.004
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
        act: The same, as it stands in the world's history.
    """

    actor: str
    request: Request
    response: Response
    change: Change
    act: Act


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
        names: The values that this backend has made up, and their names.
        history: All that was done so far.
    """

    app: RunningApp
    tables: Tables
    users: Mapping[str, User]
    style: Style
    markers: dict[str, str] = field(default_factory=dict)
    tokens: Mapping[str, str] = field(default_factory=dict)
    rows: Snapshot = field(default_factory=dict)
    names: Names = field(default_factory=Names)
    history: list[Act] = field(default_factory=list)
    _owner_was_at: float = field(default_factory=time.monotonic)
    _order: list[tuple[str, Key]] = field(default_factory=list)
    _signed: dict[tuple[str, Style], str] = field(default_factory=dict)
    _named_rows: dict[str, tuple[str, Key]] = field(default_factory=dict)
    _names_of_rows: dict[tuple[str, Key], str] = field(default_factory=dict)
    _written: dict[int, Change] = field(default_factory=dict)
    _changes: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        if not self.markers:
            self.markers = {role: new_marker() for role in self.users}
        self.rows = self.tables.snapshot()
        for user in self.users.values():
            self.names.bind(f"id of the {user.role}", user.id)

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

    def send(self, actor: str, request: Request, born: Sequence[str] | None = None) -> Exchange:
        """Send a request and look at the database afterwards.

        Args:
            actor: Who sends it.
            request: What is sent, without a token where a user sends it.
            born: The names of rows that it adds; the next ones of their kinds where None.
        """
        act = self._begin(actor, request)
        response = act.response = self.app.send(self._sign_for(actor, request))
        change = self._look()
        if request.method == "POST" and response.is_success and not change:
            self.tables.refresh()
            change = self._look()
        act.has_changed = bool(change)
        self._name(act, change, json.dumps(_sent(request)), born)
        return Exchange(actor, request, response, change, act)

    def send_at_once(
        self, actor: str, requests: Sequence[Request], table: str
    ) -> tuple[list[Response], Change]:
        """Send requests at once, each of which is to read before any of them writes to a table.

        The rows are brought back afterwards.

        Returns:
            The answers, and what came of the rows.
        """
        numbers: list[int] = []
        with self.tables.holding(table):
            for request in requests:
                numbers.append(self.app.begin(self._sign_for(actor, request)))
                self._await_waiting(len(numbers))
        responses = self.app.finish(numbers)
        change = self._look()
        self._take_back(change)
        return responses, change

    def _await_waiting(self, count: int) -> None:
        """Wait until so many requests wait for the table, or will not."""
        deadline = time.monotonic() + _PATIENCE
        while time.monotonic() < deadline:
            if self.tables.count_waiting() >= count or self.app.process.has_answered():
                return
            time.sleep(_MOMENT)

    def send_blindly(self, actor: str, request: Request) -> None:
        """Send a request of which it is known that it changes no row."""
        self.app.send(self._sign_for(actor, request))

    def hide_people(self, body: Any) -> str:  # noqa: ANN401
        """Return a body as JSON text, without what is drawn anew for each check."""
        return self.neutral(json.dumps(body, ensure_ascii=False))

    def write(self, writing: Writing, born: Sequence[str] | None = None) -> Act:
        """Write rows as the check itself.

        Args:
            writing: What to write, with names in place of values.
            born: The name of the row that it adds; the next one of its kind where None.

        Raises:
            psycopg.Error: The database refuses it.
            UnknownNameError: It is about a row that is not there.
        """
        values = self.names.filled(writing.values)
        if writing.row is None:
            self.tables.insert(self.tables.by_name[writing.table], values)
        elif writing.copies:
            self.tables.copy(self.row_named(writing.table, writing.row), writing.copies)
        else:
            self.tables.update(self.row_named(writing.table, writing.row), values)
        act = Act(len(self.history), "check", None, writing=writing)
        self.history.append(act)
        change = self._written[act.number] = self._look()
        act.has_changed = bool(change)
        self._name(act, change, "", born)
        return act

    def take_back(self, act: Act) -> None:
        """Bring back the rows that the check itself has changed."""
        act.is_undone = True
        self._take_back(self._written.pop(act.number))

    def row_named(self, table: str, name: str) -> Row:
        """Return the row with this name.

        Raises:
            UnknownNameError: It is not there.
        """
        key = self._named_rows.get(name)
        if key is None or key not in self.rows or key[0] != table:
            raise UnknownNameError(name)
        return self.rows[key]

    def name_of(self, row: Row) -> str | None:
        """Return the name of a row, or None where it was there from the start."""
        return self._names_of_rows.get((row.table, row.key))

    def _begin(self, actor: str, request: Request) -> Act:
        now = time.monotonic()
        act = Act(len(self.history), actor, self.names.template(request))
        act.pause = now - self._owner_was_at
        if actor == "owner":
            self._owner_was_at = now
        self.history.append(act)
        return act

    def _name(self, act: Act, change: Change, sent: str, born: Sequence[str] | None = None) -> None:
        """Name the rows that were added, and the values that the backend has made up."""
        whose = act.writing.whose if act.writing is not None else act.actor
        added = sorted(change.added, key=lambda row: (row.table, _without_made_up(row, sent)))
        names = []
        for number, row in enumerate(added):
            known = born[number] if born and number < len(born) else None
            name = known or self.names.next_name(row.table, whose)
            names.append(name)
            self._named_rows[name] = (row.table, row.key)
            self._names_of_rows[row.table, row.key] = name
            self._name_values(row, name, sent, "", whose)
        act.born = tuple(names)
        for was, now in change.changed:
            known_name = self._names_of_rows.get((now.table, now.key))
            if known_name is not None:
                changed = {k: v for k, v in now.data.items() if was.data.get(k) != v}
                self._changes[known_name] += 1
                when = f", changed {self._changes[known_name]} times"
                self._name_values(replace(now, data=changed), known_name, sent, when, whose)

    def _name_values(self, row: Row, name: str, sent: str, when: str, whose: str) -> None:
        table = self.tables.by_name[row.table]
        for column in (*table.key, *(each for each in row.data if each not in table.key)):
            value = row.data.get(column)
            if column in table.references or not is_made_up(value, sent):
                continue
            is_key = len(table.key) == 1 and column in table.key
            own_name = name if is_key else f"{column} of {name}{when}"
            known = self.names.name_of(value)
            if known is None:
                self.names.bind(own_name, value)
            elif whose == "owner" and f"of the {whose}" not in known:
                # Both have made the same up, such as a slug: the owner's is what is compared.
                self.names.rename(own_name, value)

    def try_all(self, actor: str, requests: Sequence[Request]) -> Iterator[Exchange]:
        """Send requests that should be refused, each to the rows as they are now.

        The database is looked at once, behind the last. Where it has changed, or one of them
        succeeded, it is brought back and each is sent again by itself, to see what each one does.
        What was not refused the first time, and is the second, is shown as it was the first time.
        """
        signed = [self._sign_for(actor, request) for request in requests]
        acts = [self._begin(actor, request) for request in requests] if len(requests) > 1 else []
        responses = self.app.send_all(signed) if acts else []
        change = self._look() if responses else NOTHING
        for act, response in zip(acts, responses, strict=True):
            act.response, act.is_undone, act.has_changed = response, True, bool(change)
        if responses and not change and not any(each.is_success for each in responses):
            for request, response, act in zip(requests, responses, acts, strict=True):
                yield Exchange(actor, request, response, change, act)
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
        exchange.act.is_undone = True
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
        text = self.shown(text)
        text = re.sub(r"\d{4}-\d\d-\d\d([T ][\d:.]+(Z|[+-]\d\d:?\d\d)?)?", "a date", text)
        return re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "a UUID", text)

    def shown(self, text: str) -> str:
        """Return a text with the names of rows in place of what the backend made up for them."""
        return plain(self.names.shown(text))

    def show(self, act: Act) -> str:
        """Return a request of this world's history as a person reads it."""
        request = act.request
        if request is None:
            return _told(act.writing) if act.writing else ""
        query = "&".join(f"{name}={value}" for name, value in request.query)
        text = f"{request.method} {request.path}{'?' if query else ''}{query}"
        if request.files or request.form:
            fields = [name for name, _ in request.form] + [each.field for each in request.files]
            kind = f" ({request.files[0].kind})" if request.files else ""
            text = f"{text} with a form of {', '.join(fields)}{kind}"
        elif request.json_body is not None:
            text = f"{text} {json.dumps(request.json_body, ensure_ascii=False)}"
        return self.neutral(plain(text))

    def holds_data_of(self, role: str, response: Response) -> bool:
        """Tell whether a response repeats free text that a user entered."""
        marker, text = self.markers[role], response.text.lower()
        if "\\u" in text:
            # The same text may be spelled with escapes.
            text += json.dumps(response.json(), ensure_ascii=False).lower()
        return marker in text or any(marker in each.lower() for each in response.headers.values())


def _told(writing: Writing) -> str:
    if writing.copies:
        return f"the {writing.whose} has {writing.copies} more rows of {writing.table!r}"
    if writing.row is None:
        return f"the {writing.whose} has a row of {writing.table!r}"
    values = ", ".join(f"{name} is {value}" for name, value in writing.values.items())
    return f"of {writing.row}, {values}"


def _sent(request: Request) -> list[Any]:
    return [request.path, request.query, request.json_body, request.form, request.headers]


def _without_made_up(row: Row, sent: str) -> str:
    """Return what of a row is the same in each world, as a text by which rows can be sorted."""
    kept = {k: v for k, v in row.data.items() if not is_made_up(v, sent) and not _is_time(v)}
    return json.dumps(kept, sort_keys=True, default=str)


def _is_time(value: Any) -> bool:  # noqa: ANN401
    return isinstance(value, str) and re.match(r"\d{4}-\d\d-\d\dT", value) is not None


def _is_refusal(response: Response) -> bool:
    return 400 <= response.status < 500  # noqa: PLR2004 - the client errors


def new_marker() -> str:
    """Return letters that occur nowhere by chance."""
    return "".join(secrets.choice(string.ascii_lowercase) for _ in range(_MARKER_LETTERS))
