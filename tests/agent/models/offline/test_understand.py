"""What the offline model understands, and how it refuses what it does not."""

import json
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from agent.errors import RequestNotUnderstoodError
from agent.models.offline.blueprint import Resource
from agent.models.offline.understand import understand
from agent.reply import SourceFile

FIXTURES = Path(__file__).parents[4] / "fixtures"
ACCEPTED = json.loads((FIXTURES / "requests" / "accepted.json").read_text())
REFUSED = json.loads((FIXTURES / "requests" / "refused.json").read_text())


def sound_backend() -> tuple[SourceFile, ...]:
    """Return the tasks backend that requests with `existing` build on."""
    root = FIXTURES / "backends" / "sound"
    paths = sorted(root.rglob("*.py"))
    return tuple(
        SourceFile(f"backend/{path.relative_to(root).as_posix()}", path.read_text())
        for path in paths
    )


def essentials(resource: Resource, wanted: dict[str, Any]) -> dict[str, Any]:
    """Return of a resource what a fixture says about it, in the fixture's words."""
    fields = {spec.name: spec for spec in resource.fields}
    told: dict[str, Any] = {
        "name": resource.singular,
        "fields": {name: spec.kind.value for name, spec in fields.items()},
        "parents": [parent.resource for parent in resource.parents],
        "optional_parents": [one.resource for one in resource.parents if not one.is_required],
        "filter_by": list(resource.filter_by),
        "search_in": list(resource.search_in),
        "sort_by": list(resource.sort_by),
        "default_sort": resource.default_sort,
        "page_size": resource.page_size,
        "is_paginated": resource.is_paginated,
        "required": [name for name, spec in fields.items() if spec.is_required],
        "choices": {name: list(spec.choices) for name, spec in fields.items() if spec.choices},
        "defaults": {name: fields[name].default for name in wanted.get("defaults", {})},
        "limits": {
            name: [_number(fields[name].minimum), _number(fields[name].maximum)]
            for name in wanted.get("limits", {})
        },
    }
    always = {"name", "fields"} | _UNSAID.keys()
    return {key: value for key, value in told.items() if key in always | wanted.keys()}


# What a fixture leaves out is not there.
_UNSAID: dict[str, Any] = {
    "parents": [],
    "filter_by": [],
    "search_in": [],
    "sort_by": [],
    "default_sort": "",
    "page_size": None,
    "is_paginated": False,
}


def _number(value: Decimal | None) -> int | None:
    return None if value is None else int(value)


def completed(wanted: dict[str, Any]) -> dict[str, Any]:
    """Return a fixture's resource with what it leaves out."""
    return _UNSAID | wanted


@pytest.mark.parametrize("case", ACCEPTED, ids=[case["request"][:60] for case in ACCEPTED])
def test_a_request_within_the_range_becomes_the_blueprint_written_by_hand(
    case: dict[str, Any],
) -> None:
    blueprint = understand(case["request"], sound_backend() if case["existing"] else ())
    wanted = {each["name"]: completed(each) for each in case.get("resources", [])}
    got = {
        each.singular: essentials(each, wanted.get(each.singular, {}))
        for each in blueprint.resources
    }
    assert got == wanted
    agents = [agent.model_dump() for agent in blueprint.agents]
    assert agents == case.get("agents", [])
    assert blueprint.has_me == case.get("has_me", False)


@pytest.mark.parametrize("case", REFUSED, ids=[case["request"][:60] for case in REFUSED])
def test_a_request_outside_the_range_is_refused_with_its_words(case: dict[str, Any]) -> None:
    with pytest.raises(RequestNotUnderstoodError) as refusal:
        understand(case["request"], ())
    missing = [word for word in case["words"] if word not in refusal.value.message]
    assert not missing, refusal.value.message
    assert refusal.value.hint


@pytest.mark.parametrize("case", ACCEPTED, ids=[case["request"][:60] for case in ACCEPTED])
def test_no_word_put_into_an_accepted_request_is_lost(case: dict[str, Any]) -> None:
    existing = sound_backend() if case["existing"] else ()
    request = case["request"]
    lost = []
    for gap in re.finditer(r"\s+", request):
        changed = f"{request[: gap.start()]} flibber{request[gap.start() :]}"
        try:
            built = understand(changed, existing).model_dump_json()
        except RequestNotUnderstoodError:
            continue
        lost += [] if "flibber" in built else [changed]
    assert not lost
