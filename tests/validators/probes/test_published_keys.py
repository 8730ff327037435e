"""Backends that verify tokens with the keys that Better Auth publishes (EdDSA by JWKS)."""

from pathlib import Path

import pytest

from tests.validators.probes.probing import probe
from validators.probes import ProbeRun

MAIN = """import base64
import hashlib
import hmac
import json
import os
from typing import Annotated

import httpx
import jwt
from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import StringConstraints
from sqlmodel import Field, Session, SQLModel, create_engine, select

engine = create_engine(os.environ["DATABASE_URL"])
{settings}
Text = Annotated[str, StringConstraints(min_length=1, pattern="^[^\\x00]*$")]


class Note(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    author_id: str = Field(index=True)
    text: str


class NoteCreate(SQLModel):
    text: Text


SQLModel.metadata.create_all(engine)
app = FastAPI()

{verification}

def me(credentials: Annotated[HTTPAuthorizationCredentials, Depends(HTTPBearer())]) -> str:
    try:
        return verify(credentials.credentials)["sub"]
    except jwt.PyJWTError as error:
        raise HTTPException(401, "Invalid token") from error


Me = Annotated[str, Depends(me)]


@app.post("/notes", status_code=201)
def create_note(data: NoteCreate, author: Me) -> Note:
    with Session(engine, expire_on_commit=False) as session:
        note = Note(text=data.text, author_id=author)
        session.add(note)
        session.commit()
        return note


@app.get("/notes")
def list_notes(author: Me) -> list[Note]:
    with Session(engine) as session:
        return session.exec(select(Note).where(Note.author_id == author)).all()
"""

URL = 'URL = os.environ["BETTER_AUTH_URL"]'
BY_CLIENT = """
client = jwt.PyJWKClient(f"{URL}/api/auth/jwks")


def verify(token):
    key = client.get_signing_key_from_jwt(token).key
    return jwt.decode(token, key, algorithms=["EdDSA"], audience=URL, issuer=URL)
"""
BY_HTTPX = """
def verify(token):
    keys = jwt.PyJWKSet.from_dict(httpx.get(f"{URL}/api/auth/jwks").json())
    kid = jwt.get_unverified_header(token).get("kid")
    for key in keys.keys:
        if key.key_id == kid:
            return jwt.decode(token, key, algorithms=["EdDSA"], options={"verify_aud": False})
    raise jwt.InvalidKeyError("No such key")
"""


def backend(verification: str, settings: str = URL) -> dict[str, str]:
    return {"main.py": MAIN.format(verification=verification, settings=settings)}


def accepted(run: ProbeRun) -> str:
    """Return what the backend lets in, from the findings, which must all be of that kind."""
    assert {finding.code for finding in run.findings} == {"BP601"}
    return " ".join(f"{finding.message} {finding.trace}" for finding in run.findings)


@pytest.mark.parametrize("verification", [BY_CLIENT, BY_HTTPX])
def test_a_backend_that_takes_published_keys_only_is_probed(
    verification: str, tmp_path: Path
) -> None:
    run = probe(tmp_path, backend(verification))
    assert run.findings == ()
    assert {p.route for p in run.probes if p.name == "isolation"} == set(run.routes)
    confused = [p for p in run.probes if p.name == "token confusion"]
    assert [p.outcome for p in confused] == ["passed"]
    assert "EdDSA by JWKS" in confused[0].detail


@pytest.mark.parametrize(
    "settings",
    [
        'URL = "http://localhost:3000"',
        'URL = os.getenv("AUTH_SERVER", "http://127.0.0.1:3000")',
        'URL = os.environ["AUTH_JWKS_URL"].removesuffix("/api/auth/jwks")',
        'URL = os.environ["JWT_ISSUER"]',
    ],
)
def test_the_keys_are_where_the_backend_looks_for_them(settings: str, tmp_path: Path) -> None:
    assert probe(tmp_path, backend(BY_HTTPX, settings)).findings == ()


# Stands for a library that takes whatever key for whatever algorithm.
CONFUSED = """
def verify(token):
    keys = httpx.get(f"{URL}/api/auth/jwks").json()["keys"]
    key = jwt.PyJWK(keys[0])
    if jwt.get_unverified_header(token)["alg"] == "HS256":
        signed, _, signature = token.rpartition(".")
        text = base64.urlsafe_b64decode(keys[0]["x"] + "=")
        made = hmac.new(KEY, signed.encode(), hashlib.sha256).digest()
        if base64.urlsafe_b64encode(made).rstrip(b"=").decode() != signature:
            raise jwt.InvalidSignatureError("No")
        return jwt.decode(token, options={"verify_signature": False})
    return jwt.decode(token, key, algorithms=["EdDSA"], options={"verify_aud": False})
"""
PEM = """key.key.public_bytes(
            __import__("cryptography").hazmat.primitives.serialization.Encoding.PEM,
            __import__("cryptography").hazmat.primitives.serialization.PublicFormat
            .SubjectPublicKeyInfo,
        )"""
OWN_KEY = """
def verify(token):
    header = jwt.get_unverified_header(token)
    keys = httpx.get(f"{URL}/api/auth/jwks").json()["keys"]
    key = jwt.PyJWK(header.get("jwk") or keys[0])
    return jwt.decode(token, key, algorithms=["EdDSA"], options={"verify_aud": False})
"""
KEY_SERVER = """
def verify(token):
    header = jwt.get_unverified_header(token)
    url = header.get("jku", f"{URL}/api/auth/jwks")
    key = jwt.PyJWK(httpx.get(url).json()["keys"][0])
    return jwt.decode(token, key, algorithms=["EdDSA"], options={"verify_aud": False})
"""
UNKNOWN_KEY = """
client = jwt.PyJWKClient(f"{URL}/api/auth/jwks")


def verify(token):
    try:
        key = client.get_signing_key_from_jwt(token).key
    except jwt.PyJWKClientError:
        # The keys were rotated.
        return jwt.decode(token, options={"verify_signature": False})
    return jwt.decode(token, key, algorithms=["EdDSA"], options={"verify_aud": False})
"""
UNCHECKED_AUDIENCE = """
client = jwt.PyJWKClient(f"{URL}/api/auth/jwks")


def verify(token):
    key = client.get_signing_key_from_jwt(token).key
    off = {"verify_aud": False, "verify_iss": False}
    return jwt.decode(token, key, algorithms=["EdDSA"], audience=URL, issuer=URL, options=off)
"""

HOLES = {
    "the public key as secret": (CONFUSED.replace("KEY", PEM), "HS256 with the public key as"),
    "its bytes as secret": (CONFUSED.replace("KEY", "text"), "the public key's bytes as secret"),
    "its text as secret": (
        CONFUSED.replace("KEY", 'keys[0]["x"].encode()'),
        "the public key's text as secret",
    ),
    "the token's own key": (OWN_KEY, "brings its own key (jwk): 200"),
    "the token's key server": (KEY_SERVER, "where its key is (jku): 200"),
    "no verification of unknown keys": (UNKNOWN_KEY, "an unknown key id: 200"),
    "another audience": (UNCHECKED_AUDIENCE, "a token for another audience: 200"),
    "another issuer": (UNCHECKED_AUDIENCE, "a token of another issuer: 200"),
}


@pytest.mark.parametrize("name", HOLES)
def test_a_backend_is_caught_that_accepts(name: str, tmp_path: Path) -> None:
    verification, words = HOLES[name]
    assert words in accepted(probe(tmp_path, backend(verification)))


BY_EITHER = """
def verify(token):
    if not URL:
        secret = os.environ["BETTER_AUTH_SECRET"]
        return jwt.decode(token, secret, algorithms=["HS256"])
    key = jwt.PyJWKClient(f"{URL}/api/auth/jwks").get_signing_key_from_jwt(token).key
    return jwt.decode(token, key, algorithms=["EdDSA"], CHECKS)
"""
OPTIONAL_URL = 'URL = os.getenv("BETTER_AUTH_URL")'


def test_a_backend_that_can_be_set_up_either_way_is_probed_in_both(tmp_path: Path) -> None:
    run = probe(tmp_path, backend(BY_EITHER.replace("CHECKS", "audience=URL"), OPTIONAL_URL))
    assert run.findings == ()
    details = [p.detail for p in run.probes if p.name == "token confusion"]
    assert "HS256 with the secret" in details[0]
    assert "EdDSA by JWKS" in details[1]


def test_a_hole_in_the_other_set_up_is_found(tmp_path: Path) -> None:
    unchecked = 'options={"verify_signature": False}'
    run = probe(tmp_path, backend(BY_EITHER.replace("CHECKS", unchecked), OPTIONAL_URL))
    assert "an expired token: 200, a token signed with another key: 200" in accepted(run)


def test_a_set_up_that_refuses_valid_tokens_is_reported(tmp_path: Path) -> None:
    run = probe(tmp_path, backend(BY_EITHER.replace("CHECKS", 'audience="other"'), OPTIONAL_URL))
    (finding,) = run.findings
    assert finding.code == "BP602"
    assert "keys are served at http://localhost:3000/api/auth/jwks" in finding.message


PRIVATE = """
import glob

SEEN = [str(os.environ)]
for path in glob.glob("/proc/*/environ") + glob.glob("/proc/*/cmdline"):
    try:
        SEEN.append(open(path, errors="replace").read())
    except OSError:
        pass
KEYS = httpx.get("http://localhost:3000/api/auth/jwks").json()["keys"]
assert not any("d" in key for key in KEYS), "a private key"
assert not any("PRIVATE KEY" in text for text in SEEN), "a private key"
"""


def test_no_private_key_is_in_the_sandbox(tmp_path: Path) -> None:
    assert probe(tmp_path, backend(PRIVATE + BY_HTTPX)).findings == ()
