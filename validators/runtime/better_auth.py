"""Better Auth's tables, as its 1.7 migrations make them in PostgreSQL, and the users in them."""

from dataclasses import dataclass

# Better Auth creates and owns these tables; a backend maps the columns it needs.
SCHEMA = """
create table "user" (
    "id" text not null primary key, "name" text not null, "email" text not null unique,
    "emailVerified" boolean not null, "image" text,
    "createdAt" timestamptz default CURRENT_TIMESTAMP not null,
    "updatedAt" timestamptz default CURRENT_TIMESTAMP not null);
create table "session" (
    "id" text not null primary key, "expiresAt" timestamptz not null,
    "token" text not null unique, "createdAt" timestamptz default CURRENT_TIMESTAMP not null,
    "updatedAt" timestamptz not null, "ipAddress" text, "userAgent" text,
    "userId" text not null references "user" ("id") on delete cascade);
create table "account" (
    "id" text not null primary key, "accountId" text not null, "providerId" text not null,
    "userId" text not null references "user" ("id") on delete cascade,
    "accessToken" text, "refreshToken" text, "idToken" text,
    "accessTokenExpiresAt" timestamptz, "refreshTokenExpiresAt" timestamptz,
    "scope" text, "password" text,
    "createdAt" timestamptz default CURRENT_TIMESTAMP not null,
    "updatedAt" timestamptz not null);
create table "verification" (
    "id" text not null primary key, "identifier" text not null, "value" text not null,
    "expiresAt" timestamptz not null,
    "createdAt" timestamptz default CURRENT_TIMESTAMP not null,
    "updatedAt" timestamptz default CURRENT_TIMESTAMP not null);
create table "jwks" (
    "id" text not null primary key, "publicKey" text not null, "privateKey" text not null,
    "createdAt" timestamptz not null, "expiresAt" timestamptz);
create index "session_userId_idx" on "session" ("userId");
create index "account_userId_idx" on "account" ("userId");
create index "verification_identifier_idx" on "verification" ("identifier");
"""

TABLES = ("user", "session", "account", "verification", "jwks")


@dataclass(frozen=True, slots=True)
class User:
    """A user of the probes.

    Attributes:
        role: `owner`, `intruder` or `bystander`, with whom the owner may share.
        id: The id in the user table, as text.
        name: Full name.
        email: Email address.
    """

    role: str
    id: str
    name: str
    email: str


OWNER = User("owner", "Yq3vWc8LkZ1TnB5xR7mJd2FhG9sPaE4u", "Olivia Owner", "owner@example.com")
INTRUDER = User(
    "intruder", "H6tKe0VwXs2MzC9bQ4yNf7RgUj1DpLa3", "Ivan Intruder", "intruder@example.com"
)
BYSTANDER = User(
    "bystander", "b8ZrJx5GnTq1LcW7vYk3SdPm0HfEa6Ru", "Bea Bystander", "bystander@example.com"
)
USERS = (OWNER, INTRUDER, BYSTANDER)
