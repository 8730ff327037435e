"""Texts in the formats that Pydantic writes into its schemas.

Sources: JSON Schema 2020-12 validation, section 7.3; `pydantic.json_schema` for those of its own.
"""

import base64
from uuid import NAMESPACE_URL, UUID, uuid5

from validators.probes.requests.values.context import Filling
from validators.probes.requests.values.moments import moment
from validators.probes.requests.values.names import hinted

_MOMENTS = ("date-time", "date", "time")
_UUIDS = {"uuid": 5, **{f"uuid{version}": version for version in range(1, 9)}}
_URIS = ("uri", "url", "http-url", "uri-reference", "iri", "iri-reference")
# Two of each, which differ, with `{word}` for the marker.
_PAIRS: dict[str, tuple[str, str]] = {
    "duration": ("PT1H", "PT2H"),
    "email": ("bystander@example.com", "someone@example.com"),
    "idn-email": ("bystander@example.com", "someone@example.com"),
    "name-email": ("{word} <bystander@example.com>", "{word} <someone@example.com>"),
    "multi-host-uri": (
        "postgresql://user:secret@db.example.com:5432/{word}",
        "postgresql://user:secret@db.example.com:5433/{word}",
    ),
    "hostname": ("{word}.example.com", "{word}.example.org"),
    "idn-hostname": ("{word}.example.com", "{word}.example.org"),
    "ipv4": ("192.0.2.1", "192.0.2.2"),
    "ipv6": ("2001:db8::1", "2001:db8::2"),
    "ipvanyaddress": ("192.0.2.1", "2001:db8::1"),
    "ipv4network": ("192.0.2.0/24", "198.51.100.0/24"),
    "ipv6network": ("2001:db8::/32", "2001:db8:1::/48"),
    "ipvanynetwork": ("192.0.2.0/24", "2001:db8::/32"),
    "ipv4interface": ("192.0.2.1/24", "192.0.2.2/24"),
    "ipv6interface": ("2001:db8::1/64", "2001:db8::2/64"),
    "ipvanyinterface": ("192.0.2.1/24", "2001:db8::1/64"),
    "json": ('{{"note": "{word}"}}', '{{"note": "{word} 2"}}'),
    "json-string": ('{{"note": "{word}"}}', '{{"note": "{word} 2"}}'),
    "path": ("{word}.txt", "{word}-2.txt"),
    "file-path": ("/etc/hosts", "/etc/passwd"),
    "directory-path": ("/", "/tmp"),  # noqa: S108 - never written to from here
    "new-path": ("/tmp/{word}", "/tmp/{word}-2"),  # noqa: S108 - never written to from here
    "regex": ("^[a-z]+$", "^[0-9]+$"),
    "fraction": ("1/2", "1/3"),
    "color": ("#3366ff", "#ff6633"),
    "phone": ("+4915112345678", "+4915187654321"),
    "mac-address": ("00:00:5e:00:53:01", "00:00:5e:00:53:02"),
    "password": ("Str0ng-{word}!", "Str0ng-{word}!2"),
    "payment-card-number": ("4242424242424242", "4012888888881881"),
    "card-number": ("4242424242424242", "4012888888881881"),
    "json-pointer": ("/{word}", "/{word}/2"),
    "uri-template": ("/{word}/{{id}}", "/{word}/2/{{id}}"),
}


def formatted(kind: str, name: str, filling: Filling) -> str | None:
    """Return a text in a format, or None for a format that is not known.

    Args:
        kind: The format.
        name: What the text is called.
        filling: Whose text it is.
    """
    if kind in _MOMENTS:
        return moment(kind, name, filling.when(name), filling.index)
    if kind in _UUIDS:
        return _uuid(f"{filling.marker}{filling.index}", kind)
    if kind in _URIS:
        template = hinted(name) or ""
        if "://" not in template:
            template = "https://example.com/{word}"
        return template.format(word=filling.distinct, distinct=filling.distinct)
    if kind in ("base64", "base64url"):
        return base64.urlsafe_b64encode(filling.line.encode()).decode()
    if kind in _PAIRS:
        return _PAIRS[kind][0].format(word=filling.word)
    return None


def other_formatted(kind: str, value: str) -> list[str]:
    """Return other texts in a format, or nothing for one that is not known or holds moments."""
    if kind in _UUIDS:
        return [_uuid(value, kind)]
    if kind in _URIS:
        return [f"{value}-2" if "?" not in value else f"{value}&again=2"]
    if kind in ("base64", "base64url"):
        return [base64.urlsafe_b64encode(f"once more {value}".encode()).decode()]
    return [each.format(word="another") for each in _PAIRS.get(kind, ())]


def is_known(kind: str) -> bool:
    """Tell whether a format says more than that it is a text."""
    known = {*_MOMENTS, *_UUIDS, *_URIS, *_PAIRS, "base64", "base64url"}
    return kind in known - {"password"}


def _uuid(text: str, kind: str) -> str:
    """Return a UUID of the version that a format names (RFC 9562)."""
    number = uuid5(NAMESPACE_URL, text).int
    version = _UUIDS[kind]
    number = number & ~(0xF << 76) | version << 76
    return str(UUID(int=number))
