"""Tokens for the probes: good ones in the styles that backends expect, and bad ones.

Sources: RFC 7519 (JWT), RFC 8725 (best current practices: `none`, key confusion).
"""

import base64
import json
import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import jwt

from validators.runtime.better_auth import User

_HOUR = 3600
_BASE_URL = "http://localhost:3000"

SubjectKind = Literal["id", "email"]


@dataclass(frozen=True, slots=True)
class Style:
    """How a backend wants its tokens.

    Attributes:
        subject: What `sub` holds.
        names_audience: Whether `iss` and `aud` are there, as Better Auth's plugin sets them.
    """

    subject: SubjectKind = "id"
    names_audience: bool = False

    def __str__(self) -> str:
        audience = ", iss and aud" if self.names_audience else ""
        return f"HS256 with the secret, sub = the user's {self.subject}{audience}"


STYLES = (
    Style(),
    Style(names_audience=True),
    Style(subject="email"),
)


def sign(user: User, style: Style, secret: str) -> str:
    """Return a token of a user that is valid for an hour."""
    return jwt.encode(make_claims(user, style), secret, algorithm="HS256")


def bad_tokens(
    good: str, claims: dict[str, Any], secret: str | None
) -> Iterator[tuple[str, str | None]]:
    """Yield what is wrong and the token, for tokens that no route may accept.

    Args:
        good: A token that is valid.
        claims: What it says.
        secret: What it is signed with; None where only the backend knows.
    """
    past = {**claims, "iat": int(time.time()) - 2 * _HOUR, "exp": int(time.time()) - _HOUR}
    yield "no token", None
    yield "a broken token", good[:-8] + "AAAAAAAA"
    if secret is not None:
        yield "an expired token", jwt.encode(past, secret, algorithm="HS256")
    yield (
        "a token signed with another secret",
        jwt.encode(claims, secrets.token_hex(32), algorithm="HS256"),
    )
    yield "an unsigned token (alg: none)", jwt.encode(claims, "", algorithm="none")


def claims_of(token: str) -> dict[str, Any]:
    """Return what a token says, without verifying it; nothing where it is no JWT."""
    parts = token.split(".")
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=="))
    except (ValueError, IndexError):
        return {}
    return claims if isinstance(claims, dict) else {}


def make_claims(user: User, style: Style) -> dict[str, Any]:
    """Return the claims of a valid token, as Better Auth and others name them."""
    now = int(time.time())
    claims: dict[str, Any] = {
        "sub": user.id if style.subject == "id" else user.email,
        "id": user.id,
        "user_id": user.id,
        "userId": user.id,
        "email": user.email,
        "name": user.name,
        "type": "access",
        "iat": now,
        "exp": now + _HOUR,
    }
    if style.names_audience:
        claims |= {"iss": _BASE_URL, "aud": _BASE_URL}
    return claims
