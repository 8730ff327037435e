"""How agent endpoints are asked for, and how the offline model helps where a word is missing."""

import re

import pytest

from agent.errors import InputError, RequestNotUnderstoodError
from agent.models.offline.blueprint import AgentEndpoint, FieldKind
from agent.models.offline.compose import compose
from agent.models.offline.understand import understand
from tests.agent.models.offline.test_understand import sound_backend


def refusal(request: str) -> RequestNotUnderstoodError:
    """Return the refusal of a request."""
    with pytest.raises(RequestNotUnderstoodError) as refused:
        understand(request, ())
    return refused.value


@pytest.mark.parametrize(
    ("request_", "ability", "calls"),
    [
        (
            "add CRUD for tasks with an agent endpoint that suggests priorities, rate limited",
            "suggest-priority",
            10,
        ),
        (
            "add CRUD for tasks and an agent endpoint that suggests due dates, rate limited",
            "suggest-due-date",
            10,
        ),
        (
            "add CRUD for tasks and an agent endpoint that summarizes them, "
            "at most 5 calls per minute per user",
            "summarize",
            5,
        ),
        (
            "add CRUD for tasks with an agent endpoint that summarizes them, "
            "at most 5 calls per minute per user",
            "summarize",
            5,
        ),
        (
            "add CRUD for tasks and an agent endpoint that summarizes them "
            "with a rate limit of 20 requests per minute",
            "summarize",
            20,
        ),
        (
            "add CRUD for tasks with title and priority (low, high), and an agent endpoint that "
            "suggests a priority with rate limiting",
            "suggest-priority",
            10,
        ),
        ("add CRUD for tasks and a rate-limited agent endpoint that summarizes them",
         "summarize", 10),
        ("CRUD for tasks, plus an agent endpoint to summarize tasks", "summarize", 10),
    ],
)  # fmt: skip
def test_an_agent_endpoint_is_asked_for_in_the_same_breath(
    request_: str, ability: str, calls: int
) -> None:
    blueprint = understand(request_, ())
    assert [one.singular for one in blueprint.resources] == ["task"]
    assert blueprint.agents == (
        AgentEndpoint.model_validate(
            {
                "name": ability,
                "ability": ability,
                "resource": "task",
                "calls_per_minute": calls,
            }
        ),
    )


@pytest.mark.parametrize(
    "request_",
    [
        "add CRUD for tasks and an agent endpoint with a rate limit of 10 requests per minute",
        "add CRUD for tasks with an agent endpoint",
        "add CRUD for tasks. Add an agent endpoint, limited to 5 calls per minute.",
        "add an agent endpoint",
    ],
)
def test_an_agent_endpoint_without_an_ability_is_refused_with_the_abilities(request_: str) -> None:
    refused = refusal(request_)
    assert re.search(r"suggest-due-date, suggest-priority or summarize", refused.message)
    assert "Only agent endpoints" not in f"{refused.message} {refused.hint}"


def test_an_unknown_ability_is_refused_with_the_abilities_and_without_a_wrong_hint() -> None:
    refused = refusal(
        "add CRUD for tasks and an agent endpoint that writes poems, at most 5 calls per minute"
    )
    assert "writes poems" in refused.message
    assert "suggest-due-date, suggest-priority or summarize" in refused.hint
    assert "Only agent endpoints" not in f"{refused.message} {refused.hint}"


def test_only_agent_endpoints_are_limited_to_a_number_of_calls() -> None:
    refused = refusal("add CRUD for tasks, at most 5 calls per minute per user")
    assert "Only agent endpoints" in refused.message


@pytest.mark.parametrize(
    ("wish", "field", "kind"),
    [
        ("looks at my open tasks and suggests a due date", "due_date", FieldKind.DATE),
        ("suggests a priority", "priority", FieldKind.CHOICE),
    ],
)
def test_what_an_ability_needs_is_assumed_where_all_fields_are(
    wish: str, field: str, kind: FieldKind
) -> None:
    blueprint = understand(f"add CRUD for tasks. Add an agent endpoint that {wish}.", ())
    found = {spec.name: spec for spec in blueprint.resources[0].fields}
    assert found[field].kind == kind
    assert not found[field].is_required
    said = [sentence for sentence in blueprint.understood if "is assumed" in sentence]
    assert len(said) == 1
    assert field.replace("_", " ") in said[0]
    assert compose(blueprint, ())


def test_what_an_ability_needs_is_not_assumed_where_the_fields_were_given() -> None:
    request = "add CRUD for tasks with title. Add an agent endpoint that suggests a due date."
    with pytest.raises(InputError) as refused:
        compose(understand(request, ()), ())
    assert refused.value.message == 'The agent endpoint "suggest-due-date" needs tasks with a date.'


def test_real_agents_can_be_rows_all_the_same() -> None:
    blueprint = understand("add CRUD for agents with name and phone", ())
    assert [one.singular for one in blueprint.resources] == ["agent"]


def test_a_resource_that_exists_is_refused_once() -> None:
    with pytest.raises(RequestNotUnderstoodError) as refused:
        understand("add CRUD for tasks with name", sound_backend())
    assert refused.value.message == (
        '"tasks" exists in this backend already; only new resources can be added to it.'
    )


def test_one_character_is_told_in_the_singular() -> None:
    blueprint = understand("comments with body (long text, required), code (text, max 1)", ())
    (told,) = (one for one in blueprint.understood if one.startswith("Comments have"))
    assert "at least 1 character)" in told
    assert "at most 1 character)" in told


def test_what_is_required_does_not_read_like_a_choice() -> None:
    blueprint = understand("moods with level (low, high, required)", ())
    assert "Moods have level (one of low, high; required)." in blueprint.understood


def test_a_refusal_shows_by_an_example_how_to_ask() -> None:
    hint = refusal("add a flibber").hint
    assert "docs/" not in hint
    (example,) = re.findall(r'"(add CRUD .*?)"', hint)
    assert understand(example, ()).resources
