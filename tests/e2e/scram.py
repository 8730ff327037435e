"""The server's side of SCRAM-SHA-256-PLUS (RFC 5802 and 7677), for PostgreSQL's clients.

Those leave the user's name empty, as it stands in the start-up message; the libraries for SCRAM
take that for a mistake.
"""

import hashlib
import hmac
import secrets
from base64 import b64decode, b64encode
from dataclasses import dataclass, field

MECHANISM = "SCRAM-SHA-256-PLUS"
_BINDING = "p=tls-server-end-point,,"
_ITERATIONS = 4096


class RefusedError(Exception):
    """A client does not want TLS, or cannot show that it knows the password."""


@dataclass
class Server:
    """One exchange.

    Attributes:
        password: What the client must know.
        fingerprint: Hash of the certificate that the client must have seen.
    """

    password: str
    fingerprint: bytes
    _salt: bytes = field(default_factory=lambda: secrets.token_bytes(16))
    _first: str = ""
    _client_first: str = ""

    def answer_first(self, message: str) -> str:
        """Return the answer to a client's first message."""
        if not message.startswith(_BINDING):
            raise RefusedError
        self._client_first = message.removeprefix(_BINDING)
        nonce = _attributes(self._client_first)["r"] + secrets.token_hex(12)
        self._first = f"r={nonce},s={b64encode(self._salt).decode()},i={_ITERATIONS}"
        return self._first

    def answer_final(self, message: str) -> str:
        """Return the answer to a client's second message, which proves that it may come in."""
        without_proof, _, proof = message.rpartition(",p=")
        said = _attributes(without_proof)
        bound = b64encode(_BINDING.encode() + self.fingerprint).decode()
        if said["c"] != bound or said["r"] != _attributes(self._first)["r"]:
            raise RefusedError
        text = ",".join((self._client_first, self._first, without_proof)).encode()
        salted = hashlib.pbkdf2_hmac("sha256", self.password.encode(), self._salt, _ITERATIONS)
        stored = hashlib.sha256(_hmac(salted, b"Client Key")).digest()
        pairs = zip(b64decode(proof), _hmac(stored, text), strict=True)
        client_key = bytes(one ^ other for one, other in pairs)
        if hashlib.sha256(client_key).digest() != stored:
            raise RefusedError
        return f"v={b64encode(_hmac(_hmac(salted, b'Server Key'), text)).decode()}"


def _attributes(message: str) -> dict[str, str]:
    return dict(part.split("=", 1) for part in message.split(","))


def _hmac(key: bytes, text: bytes) -> bytes:
    return hmac.new(key, text, hashlib.sha256).digest()
