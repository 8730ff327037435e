"""The users of the probes in a backend that keeps its own: signed up, or put into its table."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from psycopg import sql

from validators.probes.operations import FORM, Document, Operation
from validators.probes.requests.people import PASSWORD
from validators.probes.worlds.tables import OWNER_COLUMNS, Column, Row, Table, Tables, compare
from validators.runtime.app import Request, RunningApp
from validators.runtime.better_auth import TABLES, User

_SIGN_UP = frozenset(
    {
        "register", "signup", "sign-up", "sign_up", "users", "user", "registration", "join",
        "accounts", "account", "members", "people", "registrations", "new",
    }
)  # fmt: skip
_SIGN_IN = frozenset(
    {
        "login", "signin", "sign-in", "sign_in", "token", "access-token", "tokens", "session",
        "sessions", "log-in", "authenticate",
    }
)  # fmt: skip
_TOKENS = ("access_token", "accessToken", "token", "jwt", "id_token")
_USER_TABLES = ("users", "user", "app_user", "app_users", "user_account", "account", "accounts")
# A column of each of Better Auth's tables that hardly any other has.
_THEIR_COLUMNS = {
    "user": "emailVerified", "session": "ipAddress", "account": "providerId",
    "verification": "identifier", "jwks": "publicKey",
}  # fmt: skip
_NICKNAMES = frozenset({"login", "handle", "nick", "nickname", "user", "slug", "account"})
_PASSWORD_WORDS = re.compile(r"passw|pwd|passphrase|secret_hash|pass_hash|argon|bcrypt")
_FIRST_NUMBER = 77_001


@dataclass(frozen=True)
class Accounts:
    """The users as a backend knows them.

    Attributes:
        users: By role, with the ids of this backend.
        tokens: By role, where the backend itself has issued them.
        used: The operations by which they were signed up and in.
    """

    users: Mapping[str, User]
    tokens: Mapping[str, str] = field(default_factory=dict)
    used: tuple[Operation, ...] = ()


def find_users_table(tables: Tables) -> str:
    """Return the table that holds the users: the one that owner columns point to."""
    pointed = [
        target
        for table in tables.by_name.values()
        if not _is_better_auth(tables, table.name)
        for column, target in table.references.items()
        if column.lower() in OWNER_COLUMNS and _may_hold_users(tables, target)
    ]
    if pointed:
        return max(sorted(set(pointed)), key=pointed.count)
    own = [name for name in tables.by_name if not _is_better_auth(tables, name)]
    with_passwords = [name for name in own if _PASSWORD_WORDS.search(_columns(tables, name))]
    named = [name for name in _USER_TABLES if name in own]
    return next(iter([*with_passwords, *named]), "user")


def _columns(tables: Tables, name: str) -> str:
    return " ".join(tables.by_name[name].columns).lower()


def _may_hold_users(tables: Tables, name: str) -> bool:
    """Tell whether users sign in as rows of a table: a `customer_id` may point to anybody's."""
    return name in _USER_TABLES or bool(_PASSWORD_WORDS.search(_columns(tables, name)))


def find_accounts(app: RunningApp, document: Document, tables: Tables) -> Accounts:
    """Return the users that can sign in, made where the backend does not use Better Auth's."""
    users = {user.role: user for user in app.users}
    if tables.users_table not in tables.by_name or _is_better_auth(tables, tables.users_table):
        return Accounts(users)
    signed_up = _SigningUp(app, document, tables).run(list(users.values()))
    return signed_up or Accounts(_insert(tables, list(users.values())))


def _is_better_auth(tables: Tables, name: str) -> bool:
    """Tell whether a table is Better Auth's, and not the backend's own of the same name."""
    return name in TABLES and _THEIR_COLUMNS[name] in tables.by_name[name].columns


@dataclass
class _SigningUp:
    """Signs the users up through the backend's own routes."""

    app: RunningApp
    document: Document
    tables: Tables

    def run(self, users: Sequence[User]) -> Accounts | None:
        """Return the accounts, or None where the backend has no such routes."""
        sign_up = next(self._operations(_SIGN_UP, "pass"), None)
        if sign_up is None:
            return None
        found: dict[str, User] = {}
        tokens: dict[str, str] = {}
        for user in users:
            made = self._sign_up(sign_up, user)
            if made is None:
                return None
            found[user.role], token = made
            token = token or self._sign_in(user)
            if token is None:
                return None
            tokens[user.role] = token
        return Accounts(found, tokens, (sign_up, *self._operations(_SIGN_IN, "pass")))

    def _operations(self, words: frozenset[str], needed: str) -> Iterator[Operation]:
        for operation in self.document.operations:
            last = operation.segments[-1].lower() if operation.segments else ""
            names = [name for name, _, _ in self.document.properties(operation.body)]
            asks = any(needed in name.lower() for name in names)
            if operation.method == "POST" and last in words and asks:
                yield operation

    def _sign_up(self, operation: Operation, user: User) -> tuple[User, str | None] | None:
        before = self.tables.snapshot()
        response = self.app.send(self._request(operation, user))
        added = compare(before, self.tables.snapshot()).added
        rows = [row for row in added if row.table == self.tables.users_table]
        if not response.is_success or len(rows) != 1:
            return None
        return _named(user, rows[0]), _find_token(response.json())

    def _sign_in(self, user: User) -> str | None:
        for operation in self._operations(_SIGN_IN, "pass"):
            response = self.app.send(self._request(operation, user))
            token = _find_token(response.json()) if response.is_success else None
            if token is not None:
                return token
        return None

    def _request(self, operation: Operation, user: User) -> Request:
        values = {
            name: _entry(name, user)
            for name, _, is_required in self.document.properties(operation.body)
            if is_required or "name" in name
        }
        if operation.media == FORM:
            pairs = tuple((name, str(value)) for name, value in values.items())
            return Request(operation.method, operation.path, form=pairs)
        return Request(operation.method, operation.path, json_body=values)


def _entry(name: str, user: User) -> str:
    """Return what a user enters into a field of a sign-up or sign-in form."""
    if "pass" in name.lower():
        return PASSWORD
    if "mail" in name.lower() or name == "username":
        return user.email
    if name.lower() in _NICKNAMES:
        return re.sub(r"[^a-z0-9]", "", user.email.partition("@")[0].lower())
    return user.name


def _find_token(body: Any) -> str | None:  # noqa: ANN401 - comes from untrusted code
    if not isinstance(body, dict):
        return None
    for name in _TOKENS:
        if isinstance(body.get(name), str):
            return str(body[name])
    inner = (_find_token(value) for value in body.values() if isinstance(value, dict))
    return next(filter(None, inner), None)


def _named(user: User, row: Row) -> User:
    return replace(user, id=row.key[0] if row.key else user.id)


def _insert(tables: Tables, users: Sequence[User]) -> dict[str, User]:
    """Put the users into the backend's own table; every column that must be filled is."""
    table = tables.by_name[tables.users_table]
    made = {}
    for number, user in enumerate(users):
        named = replace(user, id=_id_for(table, user, number))
        values = {
            column.name: _value_for(column, named, table)
            for column in table.columns.values()
            if column.name in table.key or (column.is_required and not column.has_default)
        }
        values |= {name: named.email for name in ("email",) if name in table.columns}
        tables.insert(table, values)
        made[user.role] = named
    return made


def _id_for(table: Table, user: User, number: int) -> str:
    kind = table.columns[table.key[0]].type if table.key else "text"
    if "int" in kind or kind.startswith("numeric"):
        return str(_FIRST_NUMBER + number)
    return str(uuid5(NAMESPACE_URL, user.email)) if kind == "uuid" else user.id


def _value_for(column: Column, user: User, table: Table) -> Any:  # noqa: ANN401
    name, kind = column.name.lower(), column.type
    if column.name in table.key:
        return user.id
    if "mail" in name:
        return user.email
    if kind == "boolean":
        return "verif" in name or "active" in name
    if kind.startswith("timestamp") or kind == "date":
        return sql.SQL("now()")
    if "int" in kind or kind.startswith(("numeric", "double")):
        return 0
    if kind in ("json", "jsonb"):
        return "{}"
    return user.email if name in ("username", "login", "handle") else user.name
