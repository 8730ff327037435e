"""Findings of the probes as a pytest file that does the same requests against any server.

A finding whose experiment shows rows that reach the wrong user becomes a test that fails as long as
they do. It needs pytest and httpx, and nothing of ours.
"""

import json
from collections.abc import Iterable, Iterator

from validators.report import Call, Finding

_HEAD = '''"""Does again what the probes of BackendPro did, against a server of yours.

    BASE_URL=http://localhost:8000 OWNER_TOKEN=... INTRUDER_TOKEN=... BYSTANDER_TOKEN=... \\\\
        python -m pytest {name}

The tokens belong to different users without any rows. `OTHERS` holds what differs from user to
user.
"""

import json
import os
import re

import httpx

BASE_URL = os.environ.get("BASE_URL", "http://localhost:8000")
OTHERS = {{"owner@example.com": os.environ.get("OWNER_EMAIL", "owner@example.com"),
          "bystander@example.com": os.environ.get("BYSTANDER_EMAIL", "bystander@example.com")}}


def token(actor):
    return os.environ.get(actor.upper() + "_TOKEN")


def fill(value, known):
    """Put what the server has made up into a request, for the names that stand there."""
    if isinstance(value, dict):
        return {{key: fill(item, known) for key, item in value.items()}}
    if isinstance(value, list):
        return [fill(item, known) for item in value]
    if not isinstance(value, str):
        return value
    whole = re.fullmatch("\\u27e6([^\\u27e7]+)\\u27e7", value)
    if whole:
        return known[whole.group(1)]
    value = re.sub("\\u27e6([^\\u27e7]+)\\u27e7", lambda found: str(known[found.group(1)]), value)
    for text, own in OTHERS.items():
        value = value.replace(text, own)
    return value


def at(data, path):
    """Return what stands at a place of an answer."""
    for part in path.split("."):
        data = data[int(part)] if isinstance(data, list) else data[part]
    return data


def values(data, parts):
    """Return all values at a place, where `[]` stands for each item of a list."""
    if not parts:
        return [data]
    if isinstance(data, list):
        if parts[0] == "length":
            return [len(data)]
        return [value for item in data for value in values(item, parts)]
    return values(data[parts[0]], parts[1:]) if isinstance(data, dict) and parts[0] in data else []


def said(answer, place):
    """Return what an answer says at a place, as texts."""
    if place == "status":
        return [str(answer.status_code)]
    if place.startswith("header "):
        return [answer.headers.get(place.removeprefix("header "), "")]
    found = values(answer.json(), place.replace("[]", "").split(".")[1:])
    return sorted(value if isinstance(value, str) else json.dumps(value) for value in found)


def do(calls):
    """Send requests one behind the other; return the last answer."""
    known, answer = {{}}, None
    for actor, method, path, query, headers, body, form, files, captures in calls:
        sent = dict(headers)
        if actor != "nobody" and token(actor):
            sent["Authorization"] = "Bearer " + token(actor)
        params = [(name, fill(value, known)) for name, value in query]
        arguments = {{"params": params, "headers": sent}}
        if body is not None:
            arguments["json"] = fill(json.loads(body), known)
        if form or files:
            arguments["data"] = {{name: fill(value, known) for name, value in form}}
        if files:
            content = b"%PDF-1.4 x"
            arguments["files"] = [(field, (name, content, kind)) for field, name, kind in files]
        answer = httpx.request(method, BASE_URL + fill(path, known), timeout=30, **arguments)
        for name, place in captures:
            known[name] = at(answer.json(), place)
    return answer
'''


def reproduction(findings: Iterable[Finding], name: str) -> str | None:
    """Write a pytest file for all findings that hold an experiment.

    Args:
        findings: Those of a report.
        name: The file's name, for its own instructions.

    Returns:
        The text, or None where no finding holds an experiment.
    """
    tests = [
        "\n".join(_test(finding, number))
        for number, finding in enumerate(findings, 1)
        if finding.experiment
    ]
    return "\n\n".join([_HEAD.format(name=name).rstrip("\n") + "\n", *tests]) if tests else None


def _test(finding: Finding, number: int) -> Iterator[str]:
    yield f"def test_{finding.name.replace('-', '_')}_{number}():"
    yield f"    # {finding.code} on {finding.route}: {_one_line(finding.message)}"
    yield "    answer = do(["
    for call in finding.experiment:
        yield f"        {_call(call)},"
    yield "    ])"
    compared = [(place, value) for place, value in finding.expected if _is_fixed(place, value)]
    if finding.expected:
        for place, value in compared or [("status", str(finding.experiment[-1].status))]:
            wanted = value.split(", ")
            yield f"    assert said(answer, {place!r}) == {wanted!r}  # as without others"
    else:
        yield "    assert answer.status_code >= 400, answer.text"


def _is_fixed(place: str, value: str) -> bool:
    """Tell whether a value is the same on another server."""
    is_of_body = place.startswith("body.") and " order" not in place
    is_of_body |= place == "status" or place.startswith("header ")
    return is_of_body and not any(sign in value for sign in ("<", "a time", "a UUID", "a date"))


def _call(call: Call) -> str:
    parts = (
        call.actor, call.method, call.path, list(call.query), list(call.headers), call.body,
        list(call.form), list(call.files), list(call.captures),
    )  # fmt: skip
    return "(" + ", ".join(repr(part) for part in parts) + ")"


def _one_line(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)[1:-1]
