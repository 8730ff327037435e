"""Tokens that nobody may accept, made from one that is good."""

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from typing import Any


def tampered(token: str, subject: str) -> Iterator[str]:
    """Yield a good token with another subject, another signature, and none."""
    header, payload, signature = token.split(".")
    claims = {**read_part(payload), "sub": subject}
    yield f"{header}.{write_part(claims)}.{signature}"
    yield f"{header}.{payload}.{signature[::-1]}"
    yield f"{header}.{payload}."
    yield f"{write_part({'alg': 'none', 'typ': 'JWT'})}.{payload}."


def signed_by(key: bytes, token: str) -> str:
    """Return a token's claims and key id, signed with a key as HS256."""
    header, payload, _ = token.split(".")
    signed = f"{write_part({**read_part(header), 'alg': 'HS256'})}.{payload}"
    digest = hmac.new(key, signed.encode(), hashlib.sha256).digest()
    return f"{signed}.{_encode(digest)}"


def read_part(part: str) -> dict[str, Any]:
    """Return the header or the claims of a token from its part of it."""
    read: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return read


def write_part(content: dict[str, Any]) -> str:
    """Return the part of a token that holds a header or claims."""
    return _encode(json.dumps(content).encode())


def _encode(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
