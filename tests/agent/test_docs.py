"""The pages about commands and models name everything that there is."""

import json
from pathlib import Path

import pytest

from agent.cli import app
from agent.given import PREFIX
from agent.models.claude import ALIASES
from agent.settings import Settings
from validators.report import Finding, Probe, Query, Report

DOCS = Path(__file__).parents[2] / "docs"
COMMANDS = (DOCS / "commands.md").read_text()
MODELS = (DOCS / "models.md").read_text()


def commands() -> dict[str, list[str]]:
    """Return the options of each command."""
    return {
        name: [option for parameter in command.params for option in parameter.opts]
        for name, command in app.commands.items()
    }


@pytest.mark.parametrize("command", commands())
def test_every_command_has_a_section_with_its_options(command: str) -> None:
    section = COMMANDS.split(f"\n## {command}\n")[1].split("\n## ")[0]
    for option in commands()[command]:
        if option.startswith("--"):
            assert f"{option} " in section or f"{option}`" in section


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_is_in_the_table(name: str) -> None:
    assert f"\n| `{name}` | `{PREFIX}{name.upper()}` |" in COMMANDS


@pytest.mark.parametrize("alias", ALIASES)
def test_every_alias_is_named(alias: str) -> None:
    assert f"`{alias}`" in MODELS


def test_the_report_is_documented_with_its_keys() -> None:
    documented = json.loads(COMMANDS.split("```json\n")[1].split("```")[0])
    finding = Finding(
        code="", name="", severity="error", path="", line=1, column=1, message="", fix=""
    )
    query = Query(
        path="", line=1, function="", kind="", table_models=(), verdict="leak", proof="", routes=()
    )
    probe = Probe(name="", route="", outcome="passed", detail="")
    report = Report(findings=(finding,), queries=(query,), probes=(probe,))
    written = report.document()
    assert list(documented) == list(written)
    for part in ("findings", "queries", "probes"):
        assert list(documented[part][0]) == list(written[part][0])
