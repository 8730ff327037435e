"""README, CONTRIBUTING and the pages in docs/ say what is so."""

import re
import shlex
from pathlib import Path

import pytest

from agent.cli import app
from tests.agent.command_line import PROGRAM, CommandLine
from validators.rules import all_rules

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
README = PAGES[0].read_text()

# A path of this repository between backticks, without gaps to fill in.
FOLDERS = "agent|benchmarks|docs|fixtures|prompts|tests|validators|\\.ci"
FILE = re.compile(rf"`((?:{FOLDERS})/[\w./-]*)`")
LINK = re.compile(r"\]\((?!https?:)([^)#]+)(?:#[^)]*)?\)")
COMMAND = re.compile(r"^ {4,}(?:\$ )?(backendpro .*)$", re.MULTILINE)
SECONDS = re.compile(r"\d+\.\d+ s\b")

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


@pytest.fixture
def shell(tmp_path: Path) -> CommandLine:
    for name in ("home", "here"):
        (tmp_path / name).mkdir()
    return CommandLine(tmp_path / "home", tmp_path / "here")


def block(title: str, start: str) -> str:
    """Return an indented block of the README: of this section, from the line with this start."""
    section = README.split(f"\n## {title}\n")[1].split("\n## ")[0]
    lines = section[section.index(f"    {start}") :].splitlines()
    length = next(
        (number for number, line in enumerate(lines) if line and not line.startswith("    ")),
        len(lines),
    )
    return "\n".join(line[4:] for line in lines[:length]).strip() + "\n"


@each_page
def test_every_link_leads_somewhere(page: Path) -> None:
    for link in LINK.findall(page.read_text()):
        assert (page.parent / link).exists(), link


@each_page
def test_every_file_that_is_named_exists(page: Path) -> None:
    for name in FILE.findall(page.read_text()):
        assert (ROOT / name).exists(), name


@each_page
def test_every_rule_that_is_named_exists(page: Path) -> None:
    named = set(re.findall(r"\bBP\d{3}\b", page.read_text()))
    assert named <= {rule.code for rule in all_rules().values()}


@each_page
def test_every_make_target_that_is_named_exists(page: Path) -> None:
    named = set(re.findall(r"^ {4}make (\w+)|`make (\w+)`", page.read_text(), re.MULTILINE))
    targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert {first or second for first, second in named} <= set(targets)


@each_page
def test_every_command_that_is_shown_is_one(page: Path) -> None:
    for line in COMMAND.findall(page.read_text()):
        _, name, *arguments = shlex.split(line, comments=True)
        if name == "COMMAND":
            continue
        options = {option for parameter in app.commands[name].params for option in parameter.opts}
        assert {word for word in arguments if word.startswith("--")} <= options, line


def test_the_readme_lists_every_page() -> None:
    listed = set(re.findall(r"\]\(docs/([\w-]+\.md)\)", README))
    assert listed == {page.name for page in PAGES if page.parent.name == "docs"}


def test_the_readme_shows_what_the_demo_prints_and_its_commands_work(shell: CommandLine) -> None:
    recipe = re.search(
        r"^\t\$\(BIN\)/(backendpro build .*)$", (ROOT / "Makefile").read_text(), re.M
    )
    assert recipe is not None
    # As after `make demo`: nothing of the installation is on the PATH.
    done = shell.run(*shlex.split(recipe[1])[1:], environment={"PATH": "/usr/bin:/bin"})
    printed = (done.stderr + done.stdout).replace(f"{PROGRAM.parent}/", ".venv/bin/")
    expected = block("Try it", "Building into")
    assert SECONDS.sub("- s", printed) == SECONDS.sub("- s", expected)

    commands = [line for line in block("Use it", ". .venv").splitlines() if "backendpro " in line]
    for line in commands:
        if not line.startswith("."):
            used = shell.run(*shlex.split(line, comments=True)[1:])
            assert used.returncode == 0, (line, used.stderr)
