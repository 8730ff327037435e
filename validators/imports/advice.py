"""What to do about an import that fails: the nearest name, or the distribution to install."""

import re
from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path

from validators.imports.library import Library

# Distributions whose name on the package index is not the name that is imported.
_DISTRIBUTIONS = {
    "agents": "openai-agents",
    "argon2": "argon2-cffi",
    "bs4": "beautifulsoup4",
    "cv2": "opencv-python",
    "dateutil": "python-dateutil",
    "decouple": "python-decouple",
    "dotenv": "python-dotenv",
    "email_validator": "email-validator",
    "fastapi_limiter": "fastapi-limiter",
    "fastapi_users": "fastapi-users",
    "google": "google-api-python-client",
    "jose": "python-jose[cryptography]",
    "jwt": "pyjwt[crypto]",
    "magic": "python-magic",
    "multipart": "python-multipart",
    "nacl": "pynacl",
    "PIL": "pillow",
    "psycopg": "psycopg[binary]",
    "psycopg2": "psycopg2-binary",
    "pydantic_settings": "pydantic-settings",
    "pythonjsonlogger": "python-json-logger",
    "sentry_sdk": "sentry-sdk",
    "sklearn": "scikit-learn",
    "slugify": "python-slugify",
    "socketio": "python-socketio",
    "yaml": "pyyaml",
}
# What does the same and may be installed: import name and how people call it.
_ALTERNATIVES = {
    "authlib": (("jwt", "PyJWT"),),
    "jose": (("jwt", "PyJWT"),),
    "joserfc": (("jwt", "PyJWT"),),
    "passlib": (("argon2", "argon2-cffi"), ("bcrypt", "bcrypt")),
    "psycopg2": (("psycopg", "psycopg 3"),),
    "pytz": (("zoneinfo", "the standard library's zoneinfo"),),
    "requests": (("httpx", "httpx"),),
    "toml": (("tomllib", "the standard library's tomllib"),),
    "ujson": (("json", "the standard library's json"),),
}
_REQUIREMENTS = ("requirements*.txt", "requirements/*.txt", "pyproject.toml", "Pipfile")


def nearest(name: str, known: Iterable[str], likeness: float = 0.75) -> str | None:
    """Return the known name that this one is probably meant to be, or None.

    Args:
        name: The name that is not there.
        known: The names that are.
        likeness: How alike the two must be, from 0 to 1.
    """
    candidates = sorted(set(known) - {name})
    by_case = {candidate.lower(): candidate for candidate in candidates}
    if name.lower() in by_case:
        return by_case[name.lower()]
    return next(iter(get_close_matches(name, candidates, n=1, cutoff=likeness)), None)


def did_you_mean(name: str, known: Iterable[str], package: str = "") -> str:
    """Return ` Did you mean …?` with the nearest known name, or nothing.

    Args:
        name: The name that is not there.
        known: The names that are.
        package: The package of both, where the message names it too.
    """
    near = nearest(name, known)
    return f" Did you mean `{f'{package}.{near}'.lstrip('.')}`?" if near else ""


def is_known(package: str) -> bool:
    """Tell whether a package is known to exist, so that its name is no slip of the pen."""
    return package in _DISTRIBUTIONS or package in _ALTERNATIVES


def how_to_install(package: str, library: Library, root: Path) -> str:
    """Return what to do about a package that is not installed."""
    distribution = _DISTRIBUTIONS.get(package, package.replace("_", "-"))
    instead = _installed_alternative(package, library)
    if _is_required(distribution, root):
        fix = (
            f"Install {distribution}, which the backend's requirements name, or let --python "
            "name the interpreter that has it"
        )
    else:
        fix = f"Add {distribution} to the backend's requirements and install it"
    if instead:
        return f"{fix}; or use {instead}, which is installed."
    return f"{fix}."


def _installed_alternative(package: str, library: Library) -> str | None:
    for name, title in _ALTERNATIVES.get(package, ()):
        if library.find(name) is not None:
            return f"`{name}` ({title})" if title != name else f"`{name}`"
    return None


def _is_required(distribution: str, root: Path) -> bool:
    plain = distribution.partition("[")[0]
    name = "[-_.]".join(re.escape(word) for word in plain.split("-"))
    # A line of its own in requirements.txt, a quoted text in pyproject.toml, a key in a Pipfile.
    pattern = re.compile(rf"(?im)(^|[\"']){name}\s*($|[\[\"'=<>~!;,])")
    files = (
        path
        for folder in (root, root.parent)
        for glob in _REQUIREMENTS
        for path in sorted(folder.glob(glob))
    )
    return any(pattern.search(_text(path)) for path in files)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
    except OSError:
        return ""
