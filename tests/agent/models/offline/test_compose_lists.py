"""The order and the size of a composed list where a request names none."""

import ast

import pytest

from agent.models.offline.blueprint import Blueprint, FieldKind, FieldSpec, Resource
from agent.models.offline.compose import compose

TITLE = FieldSpec(name="title", kind=FieldKind.TEXT, is_required=True)


def query_defaults(resource: Resource) -> dict[str, str]:
    """Return the defaults of the list's query parameters, as source text."""
    files = {file.path: file.code for file in compose(Blueprint(resources=(resource,)), ())}
    for node in ast.walk(ast.parse(files["backend/schemas/song.py"])):
        if isinstance(node, ast.ClassDef) and node.name == "SongQuery":
            return {
                ast.unparse(item.target): ast.unparse(item.value)
                for item in node.body
                if isinstance(item, ast.AnnAssign) and item.value is not None
            }
    return {}


@pytest.mark.parametrize(
    ("default_sort", "expected"),
    [("", "'-created_at'"), ("title", "'title'"), ("-title", "'-title'")],
)
def test_a_list_comes_in_its_default_order(default_sort: str, expected: str) -> None:
    song = Resource(
        singular="song",
        plural="songs",
        fields=(TITLE,),
        sort_by=("title",),
        default_sort=default_sort,
    )
    assert query_defaults(song)["sort"] == expected


def test_a_page_has_the_size_that_was_asked_for() -> None:
    song = Resource(
        singular="song", plural="songs", fields=(TITLE,), is_paginated=True, page_size=20
    )
    assert query_defaults(song)["limit"] == "Field(default=20, ge=1, le=100)"


def test_a_list_without_a_size_of_its_own_keeps_that_of_all_lists() -> None:
    song = Resource(singular="song", plural="songs", fields=(TITLE,), is_paginated=True)
    assert "limit" not in query_defaults(song)
