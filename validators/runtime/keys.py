"""The key pair that signs the probes' tokens; its public half is served where a backend looks.

The private key stays in this process. The listener was made inside the sandbox, by the child
before it loaded the backend, so that the backend reaches it in a network without a way out.

Sources: RFC 7517 (JWK), RFC 8037 (Ed25519 keys), Better Auth's jwt plugin.
"""

import base64
import contextlib
import json
import secrets
import socket
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from validators.runtime.environment import KEYS_PATH

# Where Better Auth's server is while one develops.
PORT = 3000
AUTH_URL = f"http://localhost:{PORT}"
INTRUDERS_PATH = "/intruder/jwks"
_SECONDS_PER_REQUEST = 1.0


@dataclass(frozen=True)
class SigningKey:
    """An Ed25519 key pair.

    Attributes:
        private: Signs; never leaves this process.
        kid: Names the key in a token's header.
    """

    private: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    kid: str = field(default_factory=lambda: secrets.token_urlsafe(24))

    @property
    def public_bytes(self) -> bytes:
        """The public key's 32 bytes."""
        return self.private.public_key().public_bytes_raw()

    @property
    def public_pem(self) -> bytes:
        """The public key as PEM."""
        return self.private.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )

    @property
    def jwk(self) -> dict[str, str]:
        """The public key as Better Auth publishes it."""
        x = base64.urlsafe_b64encode(self.public_bytes).rstrip(b"=").decode()
        return {"alg": "EdDSA", "crv": "Ed25519", "x": x, "kty": "OKP", "kid": self.kid}


@dataclass
class KeyServer:
    """Serves public keys as JSON on one listener, one short request after the other.

    Attributes:
        base_url: The URL that the backend takes for Better Auth's server.
        key: The key that signs valid tokens.
        intruders_key: A key that signs forged ones; it is found at another path.
    """

    base_url: str = AUTH_URL
    key: SigningKey = field(default_factory=SigningKey)
    intruders_key: SigningKey = field(default_factory=SigningKey)
    _listener: socket.socket | None = None

    @property
    def port(self) -> int:
        """The port that it answers on."""
        return int(self.base_url.rpartition(":")[2])

    @property
    def shown_url(self) -> str:
        """Where the keys are, as a report names it."""
        return AUTH_URL + KEYS_PATH

    def serve(self, listener: socket.socket) -> Self:
        """Answer in the background on a listener, until `close`."""
        self._listener = listener
        threading.Thread(target=self._serve, args=(listener,), daemon=True).start()
        return self

    def close(self) -> None:
        """Stop answering."""
        if self._listener is not None:
            with contextlib.suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()

    def _serve(self, listener: socket.socket) -> None:
        # Most backends ask for no key, and pay for nothing.
        from http.server import BaseHTTPRequestHandler  # noqa: PLC0415

        find = self._find

        class Handler(BaseHTTPRequestHandler):
            timeout = _SECONDS_PER_REQUEST

            def do_GET(self) -> None:
                found = find(self.path.partition("?")[0])
                body = json.dumps(found or {}).encode()
                self.send_response(404 if found is None else 200)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:  # noqa: ANN401
                """Say nothing: the backend could write here what it likes."""

        while True:
            try:
                connection, address = listener.accept()
            except OSError:
                return
            # A client may break off, or say nothing.
            with connection, contextlib.suppress(OSError, ValueError):
                Handler(connection, address, None)  # type: ignore[arg-type]  # needs no server

    def _find(self, path: str) -> Mapping[str, Any] | None:
        if path == INTRUDERS_PATH:
            return {"keys": [self.intruders_key.jwk]}
        if "jwks" in path:
            return {"keys": [self.key.jwk]}
        if path.startswith("/.well-known/") or path.endswith("/openid-configuration"):
            return {"issuer": self.base_url, "jwks_uri": self.base_url + KEYS_PATH}
        return None
