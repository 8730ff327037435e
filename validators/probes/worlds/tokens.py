"""Valid tokens for the probes, in the styles that backends expect.

Source: RFC 7519 (JWT); the claims are those of Better Auth's jwt plugin.
"""

import base64
import json
import time
from dataclasses import dataclass
from typing import Any, Literal

import jwt

from validators.runtime.app import RunningApp
from validators.runtime.better_auth import User
from validators.runtime.environment import Verification
from validators.runtime.keys import AUTH_URL

HOUR = 3600

SubjectKind = Literal["id", "email"]


@dataclass(frozen=True, slots=True)
class Style:
    """How a backend wants its tokens.

    Attributes:
        subject: What `sub` holds.
        names_audience: Whether `iss` and `aud` are there, as Better Auth's plugin sets them.
        verification: What the backend verifies them with.
    """

    subject: SubjectKind = "id"
    names_audience: bool = False
    verification: Verification = "secret"

    def __str__(self) -> str:
        kind = "HS256 with the secret" if self.verification == "secret" else "EdDSA by JWKS"
        audience = ", iss and aud" if self.names_audience else ""
        return f"{kind}, sub = the user's {self.subject}{audience}"


_BY_SECRET = (
    Style(),
    Style(names_audience=True),
    Style(subject="email"),
)
_BY_KEYS = (
    Style(names_audience=True, verification="published keys"),
    Style(verification="published keys"),
    Style(subject="email", names_audience=True, verification="published keys"),
)


def styles_for(app: RunningApp) -> tuple[Style, ...]:
    """Return the styles that a backend may want, those of its set-up first."""
    if app.keys is None:
        return _BY_SECRET
    return _BY_SECRET + _BY_KEYS if app.verification == "secret" else _BY_KEYS + _BY_SECRET


def sign(claims: dict[str, Any], style: Style, app: RunningApp) -> str:
    """Return a token that says this, signed as the backend expects it."""
    if style.verification == "published keys" and app.keys is not None:
        key = app.keys.key
        return jwt.encode(claims, key.private, algorithm="EdDSA", headers={"kid": key.kid})
    return jwt.encode(claims, app.secret, algorithm="HS256")


def claims_of(token: str) -> dict[str, Any]:
    """Return what a token says, without verifying it; nothing where it is no JWT."""
    parts = token.split(".")
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=="))
    except (ValueError, IndexError):
        return {}
    return claims if isinstance(claims, dict) else {}


def make_claims(user: User, style: Style, issuer: str = AUTH_URL) -> dict[str, Any]:
    """Return the claims of a valid token, as Better Auth and others name them.

    Args:
        user: Whom the token names.
        style: How the backend wants it.
        issuer: URL of the server that issues it.
    """
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
        "exp": now + HOUR,
    }
    if style.names_audience:
        claims |= {"iss": issuer, "aud": issuer}
    return claims
