"""Nothing is written outside the backend, and failures and rivals cost nothing."""

import subprocess
import sys
from pathlib import Path

import pytest

from agent.errors import InputError
from agent.reply import SourceFile, parse
from agent.workspace import Workspace, undo
from tests.agent.workspace_folders import CHILD, build, child, snapshot, write

MAIN = SourceFile("backend/main.py", "MAIN = 1\n")
TASKS = SourceFile("backend/routes/tasks.py", "TASKS = 1\n")

HOSTILE = [
    "../outside/x.py",
    "backend/../../outside/x.py",
    "backend/routes/../../../outside/x.py",
    "/tmp/backendpro-outside.py",  # noqa: S108  # never written
    "backend\\..\\..\\outside\\x.py",
    "backend/.git/hooks/pre-commit.py",
    "backend/.github/workflows/x.py",
    "backend/.env",
    "backend/.env.py",
    "backend/.backendpro/builds/x.py",
    ".backendpro/x.py",
    "backend/x.py\x00.txt",
    "backend/x.sh",
    "backend/venv/lib/x.py",
    "C:/outside/x.py",
]


class TestHostileReplies:
    @pytest.mark.parametrize("path", HOSTILE)
    def test_nothing_is_written(self, tmp_path: Path, path: str) -> None:
        app = tmp_path / "app"
        write(app / "backend", main="")
        (app / "backend" / ".env").write_text("SECRET=1")
        before = snapshot(tmp_path)
        parsed = parse(f"{path}\n```python\nx = 1\n```\n")
        assert any(finding.severity == "error" for finding in parsed.findings)
        workspace = Workspace.open(app)
        workspace.stage(parsed.files)
        assert workspace.stage([SourceFile(path, "x = 1\n")]) != ()
        workspace.apply()
        assert snapshot(tmp_path) == before


class TestLinks:
    @pytest.mark.parametrize("link", ["routes", "routes/tasks.py", "routes/deep"])
    @pytest.mark.parametrize("goal", ["outside", "app/backend/inside", "nowhere"])
    def test_a_link_on_the_way_is_a_finding(self, tmp_path: Path, link: str, goal: str) -> None:
        backend = tmp_path / "app" / "backend"
        write(backend / "inside", deep__x="", tasks="old\n")
        write(tmp_path / "outside", deep__x="", tasks="old\n")
        (backend / link).parent.mkdir(exist_ok=True)
        (backend / link).symlink_to(tmp_path / goal)
        before = snapshot(tmp_path)
        workspace = Workspace.open(tmp_path / "app")
        path = "backend/routes/deep/x.py" if link == "routes/deep" else TASKS.path
        findings = workspace.stage([SourceFile(path, "new\n")])
        assert [(finding.code, finding.path) for finding in findings] == [("BP102", path)]
        assert f"backend/{link} is a symbolic link" in findings[0].message
        workspace.apply()
        assert snapshot(tmp_path) == before

    def test_a_folder_swapped_for_a_link_before_the_build_is_refused(self, tmp_path: Path) -> None:
        write(tmp_path / "app" / "backend", routes__x="")
        (tmp_path / "outside").mkdir()
        workspace = Workspace.open(tmp_path / "app")
        assert workspace.stage([MAIN, TASKS]) == ()
        (tmp_path / "app" / "backend" / "routes").rename(tmp_path / "moved")
        (tmp_path / "app" / "backend" / "routes").symlink_to(tmp_path / "outside")
        before = snapshot(tmp_path)
        with pytest.raises(InputError, match=r"routes/tasks\.py cannot be read"):
            workspace.apply()
        assert snapshot(tmp_path) == before

    @pytest.mark.parametrize("present", [{"routes__tasks": "old\n"}, {}], ids=["old", "new"])
    def test_a_folder_swapped_for_a_link_during_the_build_leads_nowhere(
        self, tmp_path: Path, present: dict[str, str]
    ) -> None:
        template, cases = tmp_path / "template", tmp_path / "cases"
        write(template / "app" / "backend", main="old\n", **present)
        blocks = [
            f"{path}\n```python\nnew\n```\n"
            for path in ("backend/main.py", "backend/routes/notes.py", "backend/routes/tasks.py")
        ]
        (template / "reply.md").write_text("\n".join(blocks))
        cases.mkdir()
        output = child("swap", template, cases)
        swapped = [case for case in cases.iterdir() if (case / "outside").exists()]
        assert len(swapped) > 20
        complete = 0
        for case in swapped:
            assert list((case / "outside").iterdir()) == []
            builds = case / "app" / ".backendpro" / "builds"
            assert not [path.name for path in builds.glob("*") if path.suffix != ".applied"]
            if (case / "app" / "backend" / "main.py").read_text() == "new\n":
                complete += 1
                moved = {path.name: path.read_text() for path in (case / "moved").iterdir()}
                assert moved == {"notes.py": "new\n", "tasks.py": "new\n"}
        assert output.count("Nothing was written") == len(swapped) - complete

    def test_a_journal_that_is_a_link_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "outside").mkdir()
        (tmp_path / "app").mkdir()
        (tmp_path / "app" / ".backendpro").symlink_to(tmp_path / "outside")
        workspace = Workspace.open(tmp_path / "app")
        workspace.stage([MAIN])
        before = snapshot(tmp_path)
        with pytest.raises(InputError, match="cannot be written"):
            workspace.apply()
        assert snapshot(tmp_path) == before


class TestForeignJournals:
    @pytest.mark.parametrize(
        "change",
        [
            ("backend/routes/tasks.py", "backend/../../outside/x.py"),
            ("backend/routes/tasks.py", "/etc/x.py"),
            ("backend/routes/tasks.py", "backend/.git/x.py"),
            ('"root": "backend"', '"root": "../outside"'),
            ('"version": 1', '"version": 2'),
            ("{", "["),
        ],
    )
    def test_a_record_that_is_not_ours_is_refused(
        self, tmp_path: Path, change: tuple[str, str]
    ) -> None:
        build(tmp_path, MAIN, TASKS)
        record = next((tmp_path / ".backendpro" / "builds").glob("*/journal.json"))
        text = record.read_text()
        assert change[0] in text
        record.write_text(text.replace(*change))
        before = snapshot(tmp_path)
        with pytest.raises(InputError, match="record of an earlier build cannot be read"):
            undo(tmp_path)
        assert snapshot(tmp_path) == before

    def test_a_backup_that_was_changed_is_refused(self, tmp_path: Path) -> None:
        write(tmp_path / "backend", main="old\n")
        build(tmp_path, MAIN)
        backup = next((tmp_path / ".backendpro" / "builds").glob("*/before/0"))
        backup.write_text("planted\n")
        before = snapshot(tmp_path)
        with pytest.raises(InputError, match="journal is damaged"):
            undo(tmp_path)
        assert snapshot(tmp_path) == before


class TestFailures:
    def test_a_file_that_does_not_fit_costs_nothing(self, tmp_path: Path) -> None:
        write(tmp_path / "app" / "backend", main="old\n")
        code = "x = 1\n" * 1000
        (tmp_path / "reply.md").write_text(
            f"backend/main.py\n```python\nnew\n```\n\nbackend/big.py\n```python\n{code}```\n"
        )
        before = snapshot(tmp_path)
        assert child("limit", tmp_path / "app") == "Nothing was written: file too large.\n"
        assert snapshot(tmp_path) == before
        assert not (tmp_path / "app" / ".backendpro").exists()

    @pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs Linux's /proc")
    def test_a_folder_where_nothing_can_be_made_is_told(self) -> None:
        workspace = Workspace.open(Path("/proc/self/app"))
        workspace.stage([MAIN])
        with pytest.raises(InputError, match="cannot be written"):
            workspace.apply()


class TestRivals:
    def test_a_second_build_is_refused_until_the_first_is_gone(self, tmp_path: Path) -> None:
        build(tmp_path, TASKS)
        workspace = Workspace.open(tmp_path)
        workspace.stage([MAIN])
        with subprocess.Popen(
            [sys.executable, str(CHILD), "hold", str(tmp_path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as rival:
            assert rival.stdout is not None
            assert rival.stdout.readline() == "held\n"
            with pytest.raises(InputError, match="Another build is at work"):
                workspace.apply()
            with pytest.raises(InputError, match="Another build is at work"):
                undo(tmp_path)
            with pytest.raises(InputError, match="Another build"), workspace.reserved():
                pass
            rival.kill()
        assert workspace.apply().created == (MAIN.path,)

    def test_reserving_twice_is_once(self, tmp_path: Path) -> None:
        workspace = Workspace.open(tmp_path / "new" / "app")
        workspace.stage([MAIN])
        with workspace.reserved(), workspace.reserved():
            workspace.apply()
        assert undo(tmp_path / "new" / "app").removed == (MAIN.path,)

    def test_reserving_without_building_leaves_nothing(self, tmp_path: Path) -> None:
        with Workspace.open(tmp_path / "new" / "app").reserved():
            assert (tmp_path / "new" / "app").is_dir()
        assert list(tmp_path.iterdir()) == []
