"""The offline model's words: nouns, tokens, kinds told by names, and what a backend has."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.models.offline.blueprint import FieldKind
from agent.models.offline.defaults import USUAL, kind_by_name
from agent.models.offline.inventory import take_inventory
from agent.models.offline.nouns import plural, plural_name, singular, singular_name
from agent.models.offline.tokens import sentences
from agent.models.offline.usual import usual_statements
from agent.reply import SourceFile


@pytest.mark.parametrize(
    ("one", "many"),
    [
        ("task", "tasks"),
        ("category", "categories"),
        ("day", "days"),
        ("box", "boxes"),
        ("bus", "buses"),
        ("address", "addresses"),
        ("expense", "expenses"),
        ("house", "houses"),
        ("status", "statuses"),
        ("person", "people"),
        ("child", "children"),
        ("knife", "knives"),
        ("recipe", "recipes"),
        ("quiz", "quizzes"),
        ("movie", "movies"),
        ("hero", "heroes"),
        ("photo", "photos"),
        ("batch", "batches"),
        ("series", "series"),
        ("analysis", "analyses"),
        ("course", "courses"),
        ("database", "databases"),
        ("cache", "caches"),
        ("class", "classes"),
        ("lens", "lenses"),
        ("cookie", "cookies"),
        ("size", "sizes"),
        ("tie", "ties"),
    ],
)
def test_nouns_have_one_singular_and_one_plural(one: str, many: str) -> None:
    assert plural(one) == many
    assert singular(many) == one
    assert singular(one) == one


def test_names_of_several_words_change_their_last_one() -> None:
    assert singular_name(("blog", "posts")) == "blog_post"
    assert plural_name(("shopping", "list", "item")) == "shopping_list_items"


def test_a_noun_without_plural_gets_a_name_for_many() -> None:
    assert plural_name(("equipment",)) == "equipment_items"


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("due_date", FieldKind.DATE),
        ("published_at", FieldKind.DATETIME),
        ("is_active", FieldKind.BOOLEAN),
        ("number_of_pages", FieldKind.INTEGER),
        ("date_of_birth", FieldKind.DATE),
        ("phone_number", FieldKind.TEXT),
        ("source_url", FieldKind.URL),
        ("contact_email", FieldKind.EMAIL),
        ("unit_price", FieldKind.MONEY),
        ("tags", FieldKind.TEXT_LIST),
        ("long_description", FieldKind.LONG_TEXT),
        ("xylophone", None),
    ],
)
def test_a_name_tells_its_kind(name: str, kind: FieldKind | None) -> None:
    assert kind_by_name(name) is kind


@pytest.mark.parametrize("fields", sorted(set(USUAL.values())))
def test_the_usual_fields_of_every_known_noun_can_be_read(fields: str) -> None:
    assert len(usual_statements(fields)) == len(_outside_brackets(fields))


def _outside_brackets(fields: str) -> list[str]:
    parts, depth = [""], 0
    for letter in fields:
        depth += (letter == "(") - (letter == ")")
        parts[-1] += letter
        if letter == "," and not depth:
            parts.append("")
    return [part.strip(", !") for part in parts]


@given(st.text(max_size=200))
def test_every_word_token_knows_its_place(text: str) -> None:
    for sentence in sentences(text):
        for token in sentence:
            assert 0 <= token.start <= token.end <= len(text)


def test_nested_bullets_belong_to_the_bullet_above() -> None:
    first, second = sentences("- tasks\n  - title\n- notes")
    assert [token.norm for token in first] == ["•", "tasks", ":", "•", "title"]
    assert [token.norm for token in second] == ["•", "notes"]


def test_numbers_in_words_are_numbers() -> None:
    (sentence,) = sentences("between one and two hundred characters")
    assert [token.norm for token in sentence] == ["between", "1", "and", "200", "characters"]


MODELS = """
class User(SQLModel, table=True):
    __tablename__ = "user"
    id: str

class TaskBase(SQLModel):
    title: str

class ToDoList(TaskBase, table=True):
    __tablename__ = "lists"
    id: int
    user_id: str
"""
ROUTES = """
router = APIRouter()

@router.post("/api/agents/suggest-due-date")
def suggest(): ...

@router.get("/api/me")
def get_me(): ...
"""


def test_an_inventory_finds_table_models_with_inherited_columns() -> None:
    found = take_inventory((SourceFile("backend/models.py", MODELS),)).resources
    assert list(found) == ["to_do_list"]
    assert found["to_do_list"].table == "lists"
    assert found["to_do_list"].columns == {"title", "id", "user_id"}
    assert found["to_do_list"].has_owner


def test_an_inventory_finds_agents_and_the_own_profile() -> None:
    found = take_inventory((SourceFile("backend/routes/agents.py", ROUTES),))
    assert found.agents == {"suggest-due-date"}
    assert found.has_me
    assert not found.has_auth


def test_files_that_are_no_python_are_passed_over() -> None:
    assert not take_inventory((SourceFile("backend/models.py", "class :"),)).resources
