"""Tokens that no route may accept: broken, expired, forged, and made to confuse the verification.

Sources: RFC 8725 (best current practices: `none`, key confusion), RFC 7515 (`jwk`, `jku`, `kid`).
"""

import base64
import hashlib
import hmac
import json
import re
import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import jwt

from validators.probes.worlds.tokens import HOUR, Style, sign
from validators.runtime.app import RunningApp
from validators.runtime.keys import INTRUDERS_PATH, KeyServer, SigningKey

# Another claim than the one that the code compares with; `None` compares with nothing.
_AUDIENCE = re.compile(r"\baudience\s*=\s*(?!None\b)")
_ISSUER = re.compile(r"\bissuer\s*=\s*(?!None\b)")
_ELSEWHERE = "https://elsewhere.example.com"

# What is wrong, and the token; None sends none.
BadToken = tuple[str, str | None]


@dataclass(frozen=True)
class Forger:
    """Makes tokens in a user's name that are not valid.

    Attributes:
        app: The backend that must refuse them.
        style: How it wants valid ones.
        good: A valid token.
        claims: What it says.
        is_own: Whether the backend itself issued it, so that only the backend can sign.
    """

    app: RunningApp
    style: Style
    good: str
    claims: dict[str, Any]
    is_own: bool = False

    def bad(self) -> Iterator[BadToken]:
        """Yield those that every protected route is tried with."""
        yield "no token", None
        yield "a broken token", self.good[:-8] + "AAAAAAAA"
        if not self.is_own:
            yield "an expired token", sign(self._expired(), self.style, self.app)
        if self._keys is None:
            other = secrets.token_hex(32)
            yield "a token signed with another secret", jwt.encode(self.claims, other, "HS256")
        else:
            other_key = SigningKey(kid=self._keys.key.kid)
            yield "a token signed with another key", self._signed(other_key)
            pem = self._keys.key.public_pem
            yield "HS256 with the public key as secret", self._with_hmac(pem)
        yield "an unsigned token (alg: none)", jwt.encode(self.claims, "", algorithm="none")

    def confusing(self) -> Iterator[BadToken]:
        """Yield those that the verification, which routes share, is tried with."""
        yield "HS256 with an empty secret", self._with_hmac(b"")
        yield "an unsigned token (alg: nOnE)", f"{_part({'alg': 'nOnE'})}.{_part(self.claims)}."
        if self._keys is not None:
            yield from self._confusing_keys(self._keys)
        if self._keys is not None or self.app.keys is None:
            yield from self._meant_for_others()

    @property
    def _keys(self) -> KeyServer | None:
        is_published = self.style.verification == "published keys" and not self.is_own
        return self.app.keys if is_published else None

    def _confusing_keys(self, keys: KeyServer) -> Iterator[BadToken]:
        key = keys.key
        texts = {
            "the public key's bytes": key.public_bytes,
            "the public key's text": key.jwk["x"].encode(),
            "the public JWK": json.dumps(key.jwk, separators=(",", ":")).encode(),
        }
        for what, text in texts.items():
            yield f"HS256 with {what} as secret", self._with_hmac(text)
        forged = keys.intruders_key
        # Where these keys are the backend's other set-up, no other route is tried with these two.
        yield "an expired token", sign(self._expired(), self.style, self.app)
        yield "a token signed with another key", self._signed(SigningKey(kid=key.kid))
        yield "a token with an unknown key id", self._signed(forged)
        yield "a token without a key id, signed with another key", self._signed(forged, kid=None)
        named = {"kid": key.kid, "jwk": forged.jwk}
        yield "a token that brings its own key (jwk)", self._signed(forged, **named)
        url = keys.base_url + INTRUDERS_PATH
        yield "a token that names where its key is (jku)", self._signed(forged, jku=url)

    def _meant_for_others(self) -> Iterator[BadToken]:
        """Yield tokens for another audience and of another issuer, where the code compares them."""
        if self.is_own:
            return
        texts = [module.text for module in self.app.project.modules.values()]
        if any(_AUDIENCE.search(text) for text in texts):
            claims = {**self.claims, "aud": _ELSEWHERE}
            yield "a token for another audience", sign(claims, self.style, self.app)
        if any(_ISSUER.search(text) for text in texts):
            claims = {**self.claims, "iss": _ELSEWHERE}
            yield "a token of another issuer", sign(claims, self.style, self.app)

    def _expired(self) -> dict[str, Any]:
        now = int(time.time())
        return {**self.claims, "iat": now - 2 * HOUR, "exp": now - HOUR}

    def _signed(self, key: SigningKey, **header: Any) -> str:  # noqa: ANN401
        named = {"kid": key.kid, **header}
        given = {name: value for name, value in named.items() if value is not None}
        return jwt.encode(self.claims, key.private, algorithm="EdDSA", headers=given)

    def _with_hmac(self, key: bytes) -> str:
        """Return an HS256 token, made by hand: libraries refuse to sign with a public key."""
        header = {"alg": "HS256", "typ": "JWT"}
        if self._keys is not None:
            header["kid"] = self._keys.key.kid
        signed = f"{_part(header)}.{_part(self.claims)}"
        signature = hmac.new(key, signed.encode(), hashlib.sha256).digest()
        return f"{signed}.{_encode(signature)}"


def _part(data: dict[str, Any]) -> str:
    return _encode(json.dumps(data, separators=(",", ":")).encode())


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
