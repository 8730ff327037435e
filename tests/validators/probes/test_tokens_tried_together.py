"""Tokens are tried many at a time, and nothing that one of them does is lost."""

from pathlib import Path

from tests.validators.probes.probing import SOUND, probe

VERIFY = 'options={"require": ["exp"]},'
# Looks at the signature only of tokens that it has seen before.
TRUSTING = 'options={"require": ["exp"], "verify_signature": has_come_before(token)},'
SEEN = """

seen: set[str] = set()


def has_come_before(token: str) -> bool:
    is_known = token in seen
    seen.add(token)
    return is_known
"""


def test_a_token_that_is_accepted_once_is_accepted(tmp_path: Path) -> None:
    jwt = SOUND["utils/jwt.py"].replace(VERIFY, TRUSTING)
    run = probe(tmp_path, {**SOUND, "utils/jwt.py": jwt + SEEN})
    found = {finding.route for finding in run.findings if finding.code == "BP601"}
    assert found == {route for route in run.routes if route != "GET /health"}
