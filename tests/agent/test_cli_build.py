"""`backendpro build` from the request to files on disk, in a child process."""

import json
from pathlib import Path

import pytest

from agent.reply import parse
from tests.agent.command_line import CommandLine
from tests.agent.models.messages_server import Failure, Stream, serve
from tests.agent.scripted import reply, sound_files

ROUTES = "backend/routes/tasks.py"
BROKEN = "def get_task(:\n"


@pytest.fixture
def shell(tmp_path: Path) -> CommandLine:
    for name in ("home", "here"):
        (tmp_path / name).mkdir()
    return CommandLine(tmp_path / "home", tmp_path / "here")


@pytest.fixture
def sound(shell: CommandLine) -> str:
    """The name of a model that answers with the sound backend."""
    (shell.home / "sound.md").write_text(reply(sound_files()))
    return f"recorded:{shell.home / 'sound.md'}"


@pytest.fixture
def broken(shell: CommandLine) -> str:
    """The name of a model that answers with a file that does not parse."""
    (shell.home / "broken.md").write_text(reply(sound_files() | {ROUTES: BROKEN}))
    return f"recorded:{shell.home / 'broken.md'}"


def written(folder: Path) -> dict[str, str]:
    """Return the Python files below a folder by their paths."""
    return {
        path.relative_to(folder).as_posix(): path.read_text()
        for path in sorted(folder.rglob("*.py"))
    }


def logs(shell: CommandLine) -> list[list[dict[str, object]]]:
    """Return the logs of all builds, the oldest first."""
    files = sorted((shell.home / ".local/state/backendpro/builds").glob("*.jsonl"))
    return [[json.loads(line) for line in file.read_text().splitlines()] for file in files]


def test_what_is_added_keeps_how_users_are_known(shell: CommandLine) -> None:
    first = shell.run("build", "add CRUD for tasks", "--auth", "own")
    assert first.returncode == 0, first.stderr
    assert "POST /api/auth/sign-in" in first.stderr
    assert "AUTH_SECRET=" in first.stdout
    assert "BETTER_AUTH" not in first.stdout
    before = written(shell.here)

    refused = shell.run("build", "add tags", "--auth", "better-auth-jwks")
    assert refused.returncode == 2
    assert "(`own`); `better-auth-jwks` contradicts that." in refused.stderr
    assert written(shell.here) == before

    second = shell.run("build", "add tags", "--auth", "own", "--dry-run")
    assert second.returncode == 0, second.stderr


def test_a_request_becomes_a_verified_backend_and_can_be_taken_back(shell: CommandLine) -> None:
    first = shell.run("build", "add CRUD for tasks", "--into", "demo-app")
    assert first.returncode == 0, first.stderr
    assert first.stderr.startswith("Building into demo-app/backend with offline\n")
    assert "  + routes/tasks.py " in first.stderr
    assert "  ✓ boot " in first.stderr
    assert "\nPassed.\n" in f"\n{first.stdout}"
    assert "uvicorn --app-dir demo-app/backend main:app\n" in first.stdout
    assert "in demo-app/backend/.env:\n    DATABASE_URL=postgresql://" in first.stdout
    assert "backendpro undo --into demo-app/backend\n" in first.stdout
    files = written(shell.here)
    assert {"demo-app/backend/main.py", "demo-app/backend/routes/tasks.py"} <= set(files)

    # The same request again has nothing to add, and loses nothing.
    mark = shell.here / "demo-app/backend/notes.txt"
    mark.write_text("mine")
    again = shell.run("build", "add CRUD for tasks", "--into", "demo-app")
    assert again.returncode in (0, 2)
    assert "nothing was written" in again.stdout or "already" in again.stderr
    assert written(shell.here) == files

    undone = shell.run("undo", "--into", "demo-app")
    assert undone.returncode == 0
    assert "removed backend/routes/tasks.py" in undone.stdout
    assert written(shell.here) == {}
    assert mark.read_text() == "mine"


@pytest.mark.parametrize(("user_id", "annotation"), [("int", "int"), ("uuid", "UUID")])
def test_users_with_other_ids_are_built_for_and_probed(
    shell: CommandLine, user_id: str, annotation: str
) -> None:
    done = shell.run("build", "add CRUD for tasks", "--user-id", user_id)
    assert done.returncode == 0, done.stdout
    assert " 0 failed, 0 inconclusive" in done.stdout
    assert f"user_id: {annotation} = " in written(shell.here)["backend/models.py"]


def test_a_bad_reply_is_repaired_and_nothing_else_is_touched(
    shell: CommandLine, broken: str, sound: str
) -> None:
    backend = shell.here / "backend"
    (backend / "tools").mkdir(parents=True)
    (backend / ".env").write_text("DATABASE_URL=mine\n")
    (backend / "tools" / "backup.py").write_text('"""Mine."""\n')
    (shell.here / "package.json").write_text("{}")
    model = f"{broken},{sound.removeprefix('recorded:')}"
    done = shell.run("build", "add CRUD for tasks", "--model", model)
    assert done.returncode == 0, done.stdout
    assert "1 finding to send back (round 1)" in done.stderr
    assert written(shell.here) == sound_files() | {"backend/tools/backup.py": '"""Mine."""\n'}
    assert (backend / ".env").read_text() == "DATABASE_URL=mine\n"
    assert (shell.here / "package.json").read_text() == "{}"
    (log,) = logs(shell)
    assert [entry["event"] for entry in log] == [
        "started", "asked", "replied", "checked", "sent back",
        "asked", "replied", "checked", "finished",
    ]  # fmt: skip
    assert (log[0]["schema"], log[0]["request"]) == (1, "add CRUD for tasks")
    assert log[2]["text"] == reply(sound_files() | {ROUTES: BROKEN})
    assert log[-1]["ending"] == "applied"


def test_what_cannot_be_repaired_is_not_written(shell: CommandLine, broken: str) -> None:
    done = shell.run("build", "add CRUD for tasks", "--model", broken)
    assert done.returncode == 1
    assert "routes/tasks.py:1:" in done.stdout
    assert "error BP201 syntax-error" in done.stdout
    assert "def get_task(:" in done.stdout
    assert "to send back" not in done.stderr
    assert "Gave up." in done.stderr
    assert "Nothing was written." in done.stderr
    assert list(shell.here.iterdir()) == []
    assert logs(shell)[0][-1]["ending"] == "gave up"


def test_what_the_model_disputes_is_shown_and_kept_in_the_log(shell: CommandLine) -> None:
    answer = Stream(texts=(reply({ROUTES: BROKEN}),))
    reason = "Python can read it."
    given = {"code": "BP201", "place": ROUTES, "reason": reason}
    dispute = Stream(texts=(), calls=(given,), stop_reason="tool_use")
    with serve(answer, dispute, answer) as server:
        environment = {"ANTHROPIC_BASE_URL": server.url, "ANTHROPIC_API_KEY": "test-key"}
        arguments = ("build", "add tasks", "--model", "claude-test", "--rounds", "1")
        done = shell.run(*arguments, environment=environment)
    assert done.returncode == 1, done.stderr
    assert "The model disputes 1 finding; that changes no verdict:" in done.stderr
    assert f"    BP201 routes/tasks.py:1: {reason} (round 1)" in done.stderr
    (log,) = logs(shell)
    (entry,) = [entry for entry in log if entry["event"] == "disputed"]
    assert (entry["code"], entry["reason"], entry["round"]) == ("BP201", reason, 1)


def test_a_dry_run_shows_the_diff_and_writes_nothing(shell: CommandLine, sound: str) -> None:
    backend = shell.here / "backend"
    backend.mkdir()
    (backend / "main.py").write_text("# old\n")
    done = shell.run("build", "add CRUD for tasks", "--model", sound, "--dry-run")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("--- ")
    assert "\n-# old\n" in done.stdout
    assert "+++ b/backend/routes/tasks.py\n" in done.stdout
    assert "Passed." in done.stderr
    assert written(shell.here) == {"backend/main.py": "# old\n"}
    assert [path.name for path in shell.here.iterdir()] == ["backend"]


def test_a_model_that_fails_in_a_repair_still_leaves_the_findings(shell: CommandLine) -> None:
    broken = Stream(texts=(reply({ROUTES: BROKEN}),))
    with serve(broken, Failure(401)) as server:
        environment = {"ANTHROPIC_BASE_URL": server.url, "ANTHROPIC_API_KEY": "test-key"}
        done = shell.run("build", "add CRUD for tasks", environment=environment)
    assert (done.returncode, done.stdout) == (3, "")
    assert "  10 tokens in, 42 out" in done.stderr
    assert "routes/tasks.py:1:" in done.stderr
    assert "BP201" in done.stderr
    assert "Claude does not accept the API key." in done.stderr
    complaint = server.requests[1]["messages"][-1]["content"][0]["text"]
    assert "BP201 syntax-error" in complaint


def test_to_standard_output_goes_the_reply_format_and_nothing_else(
    shell: CommandLine, sound: str
) -> None:
    done = shell.run("build", "add CRUD for tasks", "--model", sound, "--stdout")
    assert done.returncode == 0, done.stderr
    parsed = parse(done.stdout)
    assert parsed.findings == ()
    assert {file.path: file.code for file in parsed.files} == sound_files()
    assert list(shell.here.iterdir()) == []


def test_what_is_not_proven_does_not_go_to_standard_output(shell: CommandLine, broken: str) -> None:
    done = shell.run("build", "add CRUD for tasks", "--model", broken, "--stdout")
    assert (done.returncode, done.stdout) == (1, "")
    assert "BP201" in done.stderr


def test_what_the_offline_model_does_not_understand_it_names(shell: CommandLine) -> None:
    done = shell.run("build", "make me a video game about dragons")
    assert (done.returncode, done.stdout) == (2, "")
    assert "dragons" in done.stderr
    assert list(shell.here.iterdir()) == []


def test_a_model_that_fails_is_told(shell: CommandLine) -> None:
    with serve(Failure(401)) as server:
        done = shell.run(
            "build",
            "add CRUD for tasks",
            "--into",
            "app",
            environment={"ANTHROPIC_BASE_URL": server.url, "ANTHROPIC_API_KEY": "wrong-key"},
        )
    # With a key in the environment, Claude is the default.
    assert server.requests[0]["model"].startswith("claude-sonnet-")
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.splitlines()[1:] == [
        "error: Claude does not accept the API key.",
        "Check ANTHROPIC_API_KEY.",
    ]
    assert list(shell.here.iterdir()) == []
    assert "wrong-key" not in json.dumps(logs(shell))
