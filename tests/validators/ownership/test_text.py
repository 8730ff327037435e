"""Texts of SQL that need no parser."""

from pathlib import Path

import pytest

from validators.ownership.interpreter import Interpreter
from validators.ownership.machine import ProofOptions
from validators.ownership.program import Program
from validators.ownership.schema import Schema
from validators.ownership.sql import read_sql
from validators.ownership.text import computed, placeholders
from validators.source import Project


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1",
        " select  1 ; ",
        "SELECT version()",
        "SELECT pg_advisory_xact_lock(:lock)",
        "select pg_advisory_xact_lock(%s)",
        "SELECT set_config('app.user_id', :user_id, true);",
        "SELECT count(*)",
        "SELECT coalesce(a, b, 0)",
    ],
)
def test_a_text_that_reads_no_table_is_what_the_parser_says(sql: str) -> None:
    machine = Interpreter(Program(Project(Path(), {})), Schema(), ProofOptions())
    assert computed(sql, 3) == read_sql(machine, placeholders(sql), 3, {})


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM task",
        "SELECT id",
        "SELECT 1 FROM task",
        "SELECT 1, owner",
        "SELECT exists(SELECT 1 FROM task)",
        "SELECT exists(TABLE task)",
        "SELECT query_to_xml('select * from task', true, true, '')",
        "SELECT f(g(1))",
        "SELECT 1; DELETE FROM task",
        "SELECT 1 UNION TABLE task",
        "TABLE task",
        "DELETE FROM task",
        "SET LOCAL app.user_id = 1",
        "",
    ],
)
def test_any_other_text_is_parsed(sql: str) -> None:
    assert computed(sql, 3) is None
