"""Whatever the request, the offline model answers with a sound blueprint or a refusal."""

import keyword
import subprocess
import sys

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.errors import RequestNotUnderstoodError
from agent.models.offline.blueprint import Blueprint, FieldKind, FieldSpec, Resource
from agent.models.offline.understand import MAX_REQUEST, understand

# Words that the grammar has rules for, so that random requests get deep into it.
WORDS = st.sampled_from(
    """a the each all and or with for of to in on by from is are has have that which where it they
    add create build need i users can please CRUD API endpoint endpoints resource model app tasks
    task projects project comments notes books title description priority status due date done
    rating price amount tags email url required optional default defaults one low medium high true
    between at least most up 1 5 200 characters filter sort search paginate pagination total belong
    belongs many agent suggest limit per minute user auth JWT GET /api/tasks /api/me ( ) , . : ;
    - / ? csv share websockets not only without unique newest first order class metadata id
    whole number text money yes no list boolean decimal""".split()  # noqa: SIM905
)
REQUESTS = st.one_of(
    st.text(max_size=300),
    st.lists(WORDS, max_size=40).map(" ".join),
    st.lists(WORDS, max_size=30).map("\n- ".join),
)
NUMBERS = {FieldKind.INTEGER, FieldKind.DECIMAL, FieldKind.MONEY}
TEXTS = {FieldKind.TEXT, FieldKind.LONG_TEXT}
RESERVED = {"id", "user_id", "created_at", "updated_at", "metadata", "schema"}


def check_field(spec: FieldSpec) -> None:
    """Check the contract that `blueprint.py` states for a field."""
    assert spec.name.isidentifier()
    assert not keyword.iskeyword(spec.name)
    assert spec.name not in RESERVED
    assert (spec.kind is FieldKind.CHOICE) == bool(spec.choices)
    assert len(set(spec.choices)) == len(spec.choices)
    assert not (spec.is_required and spec.default is not None)
    if spec.kind in {FieldKind.BOOLEAN, FieldKind.TEXT_LIST} and not spec.is_required:
        assert spec.default is not None
    if spec.kind not in NUMBERS | TEXTS:
        assert spec.minimum is None
        assert spec.maximum is None
    if spec.minimum is not None and spec.maximum is not None:
        assert spec.minimum <= spec.maximum
    if spec.kind is FieldKind.CHOICE and spec.default is not None:
        assert spec.default in spec.choices


def check_resource(resource: Resource, before: set[str]) -> None:
    """Check a resource; `before` are those that it may belong to."""
    assert resource.singular.isidentifier()
    assert resource.singular != resource.plural
    assert resource.fields
    names = [spec.name for spec in resource.fields]
    keys = [f"{parent.name}_id" for parent in resource.parents]
    assert len(set(names + keys)) == len(names + keys)
    assert {parent.resource for parent in resource.parents} <= before
    times = {"created_at", "updated_at"}
    assert set(resource.filter_by) <= set(names) | set(keys) | times
    assert set(resource.search_in) <= set(names)
    assert set(resource.sort_by) <= set(names) | times
    for spec in resource.fields:
        check_field(spec)


def check_blueprint(blueprint: Blueprint) -> None:
    """Check that a blueprint can be composed."""
    known: set[str] = set()
    for resource in blueprint.resources:
        check_resource(resource, known)
        known.add(resource.singular)
    assert len(known) == len(blueprint.resources)
    assert {agent.resource for agent in blueprint.agents} <= known
    assert blueprint.resources or blueprint.agents or blueprint.has_me
    assert blueprint.understood


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(REQUESTS)
def test_any_text_gives_a_sound_blueprint_or_a_refusal(request: str) -> None:
    outcome = _outcome(request)
    assert outcome
    if isinstance(outcome, Blueprint):
        check_blueprint(outcome)


@given(st.lists(WORDS, max_size=25).map(" ".join))
def test_the_same_request_always_means_the_same(request: str) -> None:
    assert _outcome(request) == _outcome(request)


def _outcome(request: str) -> Blueprint | str:
    try:
        return understand(request, ())
    except RequestNotUnderstoodError as refusal:
        return f"{refusal.message} {refusal.hint}"


NAMES = st.sampled_from("mood colour score nickname headline city streetname barcode".split())  # noqa: SIM905


@given(st.lists(NAMES, min_size=1, max_size=5, unique=True))
def test_every_field_of_a_plain_list_is_built(names: list[str]) -> None:
    (resource,) = understand(f"Add tasks with {', '.join(names)}", ()).resources
    assert [spec.name for spec in resource.fields] == names


@given(st.text(alphabet="bcdfghjklmnpqrstvwxz", min_size=4, max_size=12))
def test_an_unknown_clause_is_always_named(word: str) -> None:
    with pytest.raises(RequestNotUnderstoodError, match=word):
        understand(f"Add CRUD for tasks, and {word} the {word} whenever", ())


def test_a_request_that_is_too_long_is_refused_with_its_length() -> None:
    request = "tasks and " * MAX_REQUEST
    with pytest.raises(RequestNotUnderstoodError, match=str(len(request))):
        understand(request, ())


def test_importing_the_language_half_loads_nothing_of_the_stack() -> None:
    code = (
        "import sys, agent.models.offline.grammar, agent.models.offline.meaning\n"
        "heavy = {'fastapi', 'sqlmodel', 'sqlalchemy', 'anthropic', 'psycopg', 'jinja2'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "[]"
