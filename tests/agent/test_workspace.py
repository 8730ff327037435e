"""A backend on disk with changes on top: where it lies, what is read, staged, shown, applied."""

import os
import stat
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.disk import names_in
from agent.errors import InputError
from agent.journal import KEPT_BUILDS
from agent.reply import SourceFile
from agent.workspace import Workspace, undo
from tests.agent.workspace_folders import build, reply_files, snapshot, write

MAIN = SourceFile("backend/main.py", "MAIN = 1\n")
TASKS = SourceFile("backend/routes/tasks.py", "TASKS = 1\n")


class TestPlace:
    def test_a_new_project_gets_a_folder_backend(self, tmp_path: Path) -> None:
        assert Workspace.open(tmp_path / "new").backend == tmp_path / "new" / "backend"

    def test_a_project_with_other_folders_gets_one_too(self, tmp_path: Path) -> None:
        write(tmp_path / "frontend", build="")
        assert Workspace.open(tmp_path).backend == tmp_path / "backend"

    def test_a_folder_with_main_is_the_backend(self, tmp_path: Path) -> None:
        write(tmp_path, main="")
        assert Workspace.open(tmp_path).backend == tmp_path

    def test_a_folder_named_backend_is_the_backend(self, tmp_path: Path) -> None:
        assert Workspace.open(tmp_path / "backend").backend == tmp_path / "backend"

    def test_a_backend_inside_wins(self, tmp_path: Path) -> None:
        write(tmp_path, main="", backend__main="")
        assert Workspace.open(tmp_path).backend == tmp_path / "backend"

    def test_a_relative_folder_is_fine(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        assert Workspace.open(Path()).backend == tmp_path / "backend"

    def test_a_build_can_be_undone_from_the_project_and_from_the_backend(
        self, tmp_path: Path
    ) -> None:
        build(tmp_path, MAIN)
        assert undo(tmp_path / "backend").removed == (MAIN.path,)
        build(tmp_path / "backend", MAIN)
        assert undo(tmp_path).removed == (MAIN.path,)

    @pytest.mark.parametrize("name", ["file", "file/below", "file/backend"])
    def test_a_file_is_no_folder(self, tmp_path: Path, name: str) -> None:
        (tmp_path / "file").write_text("")
        with pytest.raises(InputError, match="is not a folder"):
            Workspace.open(tmp_path / name)

    def test_a_file_named_backend_is_no_backend(self, tmp_path: Path) -> None:
        (tmp_path / "backend").write_text("")
        with pytest.raises(InputError, match="is not a folder"):
            Workspace.open(tmp_path)

    @pytest.mark.parametrize("name", ["a\0b", "x" * 300])
    def test_an_impossible_name_is_told(self, tmp_path: Path, name: str) -> None:
        with pytest.raises(InputError, match="cannot be used"):
            Workspace.open(tmp_path / name)

    def test_a_circle_of_links_is_told(self, tmp_path: Path) -> None:
        (tmp_path / "a").symlink_to(tmp_path / "b")
        (tmp_path / "b").symlink_to(tmp_path / "a")
        with pytest.raises(InputError, match="cannot be used"):
            Workspace.open(tmp_path / "a")

    def test_a_backend_that_is_a_link_out_of_the_project_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "elsewhere").mkdir()
        (tmp_path / "project").mkdir()
        (tmp_path / "project" / "backend").symlink_to(tmp_path / "elsewhere")
        with pytest.raises(InputError, match="leads out of"):
            Workspace.open(tmp_path / "project")


class TestReading:
    def test_gives_the_python_files_as_a_reply_names_them(self, tmp_path: Path) -> None:
        write(tmp_path / "backend", routes__tasks="T\n", main="M\r\n")
        assert Workspace.open(tmp_path).files == (
            SourceFile("backend/main.py", "M\r\n"),
            SourceFile("backend/routes/tasks.py", "T\n"),
        )

    def test_leaves_out_what_is_no_code_of_the_backend(self, tmp_path: Path) -> None:
        write(
            tmp_path,
            main="",
            **dict.fromkeys(("venv__a", "my__lib__b", ".git__c", "__pycache__/d", "odd x"), ""),
        )
        (tmp_path / "my" / "pyvenv.cfg").write_text("")
        (tmp_path / "latin.py").write_bytes(b"# \xe9\n")
        (tmp_path / "readme.md").write_text("")
        (tmp_path / "link.py").symlink_to("main.py")
        os.mkfifo(tmp_path / "pipe.py")
        assert [file.path for file in Workspace.open(tmp_path).files] == ["backend/main.py"]

    def test_opening_writes_nothing(self, tmp_path: Path) -> None:
        Workspace.open(tmp_path / "new")
        Workspace.open(tmp_path)
        assert list(tmp_path.iterdir()) == []


class TestStaging:
    def test_later_files_replace_earlier_ones(self, tmp_path: Path) -> None:
        workspace = Workspace.open(tmp_path)
        assert workspace.stage([TASKS, MAIN]) == ()
        newer = SourceFile(MAIN.path, "MAIN = 2\n")
        assert workspace.stage([newer]) == ()
        assert workspace.staged == (newer, TASKS)

    def test_writes_nothing(self, tmp_path: Path) -> None:
        Workspace.open(tmp_path).stage([MAIN])
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize("path", ["main.py", "backend/../x.py", "/x.py", "backend/.git/x.py"])
    def test_a_path_that_a_reply_may_not_name_is_a_finding(self, tmp_path: Path, path: str) -> None:
        workspace = Workspace.open(tmp_path)
        findings = workspace.stage([SourceFile(path, ""), MAIN])
        assert [finding.code for finding in findings] == ["BP102"]
        assert workspace.staged == (MAIN,)

    def test_half_a_character_is_a_finding(self, tmp_path: Path) -> None:
        findings = Workspace.open(tmp_path).stage([SourceFile("backend/a.py", "'\ud800'")])
        assert [finding.code for finding in findings] == ["BP109"]

    @pytest.mark.parametrize(
        ("present", "path"),
        [
            ("main", "backend/Main.py"),
            ("routes__x", "backend/Routes/y.py"),
            ("caf\u00e9", "backend/cafe\u0301.py"),
        ],
    )
    def test_a_path_that_some_systems_confuse_with_a_present_one_is_a_finding(
        self, tmp_path: Path, present: str, path: str
    ) -> None:
        write(tmp_path / "backend", **{present: ""})
        findings = Workspace.open(tmp_path).stage([SourceFile(path, "x\n")])
        assert [(finding.code, finding.path) for finding in findings] == [("BP105", path)]

    def test_so_is_one_of_an_earlier_reply(self, tmp_path: Path) -> None:
        workspace = Workspace.open(tmp_path)
        workspace.stage([TASKS])
        findings = workspace.stage([SourceFile("backend/Routes/notes.py", "x\n")])
        assert [finding.code for finding in findings] == ["BP105"]

    def test_a_folder_in_a_files_place_is_a_finding(self, tmp_path: Path) -> None:
        (tmp_path / "backend" / "main.py").mkdir(parents=True)
        findings = Workspace.open(tmp_path).stage([MAIN])
        assert [finding.message for finding in findings] == [
            "backend/main.py cannot be written: backend/main.py is not a regular file."
        ]

    def test_a_file_in_a_folders_place_is_a_finding(self, tmp_path: Path) -> None:
        (tmp_path / "backend").mkdir()
        (tmp_path / "backend" / "routes").write_text("")
        findings = Workspace.open(tmp_path).stage([TASKS])
        assert [finding.message for finding in findings] == [
            "backend/routes/tasks.py cannot be written: backend/routes is not a folder."
        ]

    def test_nothing_is_staged_into_a_virtual_environment(self, tmp_path: Path) -> None:
        (tmp_path / "backend" / "my").mkdir(parents=True)
        (tmp_path / "backend" / "my" / "pyvenv.cfg").write_text("")
        findings = Workspace.open(tmp_path).stage([SourceFile("backend/my/x.py", "x\n")])
        assert [finding.code for finding in findings] == ["BP102"]


class TestDiff:
    def test_shows_what_would_change(self, tmp_path: Path) -> None:
        write(tmp_path, main="a\nb", same="s\n")
        workspace = Workspace.open(tmp_path)
        workspace.stage(
            [
                TASKS,
                SourceFile("backend/main.py", "a\nc\x0cd\n"),
                SourceFile("backend/same.py", "s\n"),
            ]
        )
        assert workspace.diff() == (
            "--- a/backend/main.py\n+++ b/backend/main.py\n@@ -1,2 +1,2 @@\n a\n-b\n"
            "\\ No newline at end of file\n+c\x0cd\n"
            "--- /dev/null\n+++ b/backend/routes/tasks.py\n@@ -0,0 +1 @@\n+TASKS = 1\n"
        )

    def test_is_empty_without_changes(self, tmp_path: Path) -> None:
        assert Workspace.open(tmp_path).diff() == ""


class TestMaterializing:
    def test_gives_the_backend_with_the_changes_on_top(self, tmp_path: Path) -> None:
        write(tmp_path / "backend", main="old\n", models="M\n")
        (tmp_path / "backend" / "data.json").write_text("{}")
        workspace = Workspace.open(tmp_path)
        workspace.stage([MAIN, TASKS])
        before = snapshot(tmp_path)
        with workspace.materialized() as folder:
            found = {
                path.relative_to(folder).as_posix(): path.read_text()
                for path in folder.rglob("*.*")
            }
            assert folder.name == "backend"
            assert list(folder.parent.iterdir()) == [folder]
        assert found == {
            "main.py": "MAIN = 1\n",
            "models.py": "M\n",
            "data.json": "{}",
            "routes/tasks.py": "TASKS = 1\n",
        }
        assert not folder.exists()
        assert snapshot(tmp_path) == before

    def test_leaves_secrets_environments_and_caches_behind(self, tmp_path: Path) -> None:
        write(
            tmp_path,
            main="",
            **dict.fromkeys(
                (".git__x", "venv__x", "my__x", "node_modules__x", "__pycache__/x"), ""
            ),
        )
        (tmp_path / ".env").write_text("SECRET=1")
        (tmp_path / ".env.local").write_text("SECRET=1")
        (tmp_path / "my" / "pyvenv.cfg").write_text("")
        (tmp_path / "open.txt").symlink_to(".env")
        os.mkfifo(tmp_path / "pipe")
        with Workspace.open(tmp_path).materialized() as folder:
            assert names_in(folder) == ["main.py"]

    def test_keeps_links_inside_and_leaves_links_that_lead_out(self, tmp_path: Path) -> None:
        (tmp_path / "secret.txt").write_text("secret")
        root = tmp_path / "backend"
        write(root, main="M", lib__a="A")
        (root / "inside").symlink_to(root / "lib")
        (root / "out").symlink_to(tmp_path)
        (root / "out.txt").symlink_to("../secret.txt")
        (root / "round").symlink_to("round")
        with Workspace.open(tmp_path).materialized() as folder:
            assert names_in(folder) == ["inside", "lib", "main.py"]
            assert (folder / "inside").resolve() == folder / "lib"

    def test_a_backend_that_does_not_exist_yet_is_empty(self, tmp_path: Path) -> None:
        with Workspace.open(tmp_path).materialized() as folder:
            assert list(folder.iterdir()) == []


class TestApplying:
    def test_writes_the_staged_files_and_says_which(self, tmp_path: Path) -> None:
        write(tmp_path / "backend", main="old\n")
        applied = build(tmp_path, MAIN, TASKS)
        assert (applied.backend, applied.created, applied.changed) == (
            tmp_path / "backend",
            (TASKS.path,),
            (MAIN.path,),
        )
        assert (tmp_path / "backend" / "main.py").read_text() == "MAIN = 1\n"
        assert (tmp_path / "backend" / "routes" / "tasks.py").read_text() == "TASKS = 1\n"

    @settings(
        deadline=None,
        max_examples=25,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
    )
    @given(before=st.text(), after=st.text())
    def test_any_text_is_written_as_it_is_and_taken_back(
        self, tmp_path_factory: pytest.TempPathFactory, before: str, after: str
    ) -> None:
        into = tmp_path_factory.mktemp("app")
        (into / "main.py").write_bytes(before.encode())
        applied = build(into, SourceFile("backend/main.py", after))
        assert (into / "main.py").read_bytes() == after.encode()
        if applied.changed:
            undo(into)
        assert (into / "main.py").read_bytes() == before.encode()

    def test_what_stays_the_same_is_not_written(self, tmp_path: Path) -> None:
        write(tmp_path, main=MAIN.code)
        applied = build(tmp_path, MAIN)
        assert (applied.created, applied.changed) == ((), ())
        assert names_in(tmp_path) == ["main.py"]

    def test_modes_are_kept_and_new_files_get_the_usual_one(self, tmp_path: Path) -> None:
        write(tmp_path, main="old\n", usual="")
        (tmp_path / "main.py").chmod(0o750)
        build(tmp_path, MAIN, TASKS)
        assert stat.S_IMODE((tmp_path / "main.py").stat().st_mode) == 0o750
        usual = (tmp_path / "usual.py").stat().st_mode
        assert (tmp_path / "routes" / "tasks.py").stat().st_mode == usual

    def test_a_hard_link_elsewhere_keeps_its_content(self, tmp_path: Path) -> None:
        write(tmp_path / "app", main="old\n")
        (tmp_path / "copy").hardlink_to(tmp_path / "app" / "main.py")
        build(tmp_path / "app", MAIN)
        assert (tmp_path / "copy").read_text() == "old\n"

    def test_the_journal_is_kept_out_of_version_control(self, tmp_path: Path) -> None:
        build(tmp_path, MAIN)
        assert (tmp_path / ".backendpro" / ".gitignore").read_text() == "*\n"

    def test_afterwards_the_workspace_is_what_is_on_disk(self, tmp_path: Path) -> None:
        workspace = Workspace.open(tmp_path)
        workspace.stage([MAIN])
        workspace.apply()
        assert (workspace.files, workspace.staged, workspace.diff()) == ((MAIN,), (), "")
        workspace.stage([SourceFile(MAIN.path, "MAIN = 2\n")])
        assert workspace.apply().changed == (MAIN.path,)


class TestConflicts:
    @pytest.mark.parametrize("edit", ["edited\n", None])
    def test_a_file_edited_since_it_was_read_stops_everything(
        self, tmp_path: Path, edit: str | None
    ) -> None:
        write(tmp_path, main="old\n")
        workspace = Workspace.open(tmp_path)
        workspace.stage([MAIN, TASKS])
        if edit is None:
            (tmp_path / "main.py").unlink()
        else:
            (tmp_path / "main.py").write_text(edit)
        before = snapshot(tmp_path)
        with pytest.raises(InputError, match=r"changed since they were read: backend/main\.py\."):
            workspace.apply()
        assert snapshot(tmp_path) == before

    def test_so_does_a_file_that_has_appeared(self, tmp_path: Path) -> None:
        workspace = Workspace.open(tmp_path)
        workspace.stage([MAIN, TASKS])
        write(tmp_path / "backend", routes__tasks="mine\n")
        before = snapshot(tmp_path)
        with pytest.raises(InputError, match=r"backend/routes/tasks\.py"):
            workspace.apply()
        assert snapshot(tmp_path) == before

    def test_and_a_file_where_a_folder_is_needed(self, tmp_path: Path) -> None:
        workspace = Workspace.open(tmp_path)
        workspace.stage([MAIN, TASKS])
        (tmp_path / "backend").mkdir()
        (tmp_path / "backend" / "routes").write_text("")
        before = snapshot(tmp_path)
        with pytest.raises(InputError, match="cannot be read: not a directory"):
            workspace.apply()
        assert snapshot(tmp_path) == before

    def test_an_edit_elsewhere_does_not_matter(self, tmp_path: Path) -> None:
        write(tmp_path, main="old\n", models="old\n")
        workspace = Workspace.open(tmp_path)
        workspace.stage([MAIN])
        (tmp_path / "models.py").write_text("edited\n")
        assert workspace.apply().changed == (MAIN.path,)


class TestUndo:
    def test_brings_back_what_was_there(self, tmp_path: Path) -> None:
        write(tmp_path / "backend", main="old\n", kept="k\n")
        (tmp_path / "backend" / "main.py").chmod(0o600)
        before = snapshot(tmp_path)
        time = (tmp_path / "backend" / "main.py").stat().st_mtime_ns
        build(tmp_path, MAIN, TASKS)
        undone = undo(tmp_path)
        assert (undone.restored, undone.removed) == ((MAIN.path,), (TASKS.path,))
        assert snapshot(tmp_path) == before
        assert (tmp_path / "backend" / "main.py").stat().st_mtime_ns == time

    def test_walks_back_build_by_build(self, tmp_path: Path) -> None:
        states = [snapshot(tmp_path)]
        for name in ("d01-task-crud", "d04-comments", "d05-agent-due-date", "d06-tags"):
            build(tmp_path, *reply_files(name))
            states.append(snapshot(tmp_path))
        while len(states) > 1:
            assert snapshot(tmp_path) == states.pop()
            undo(tmp_path)
        assert snapshot(tmp_path) == states.pop()
        with pytest.raises(InputError, match="There is no build to take back"):
            undo(tmp_path)

    def test_leaves_nothing_behind(self, tmp_path: Path) -> None:
        build(tmp_path, MAIN, TASKS)
        undo(tmp_path)
        assert names_in(tmp_path) == []

    def test_refuses_where_an_edit_would_be_lost(self, tmp_path: Path) -> None:
        build(tmp_path, MAIN, TASKS)
        write(tmp_path / "backend", routes__tasks="edited\n")
        before = snapshot(tmp_path)
        with pytest.raises(InputError, match=r"edits would be lost: backend/routes/tasks\.py\."):
            undo(tmp_path)
        assert snapshot(tmp_path) == before

    @pytest.mark.parametrize("text", ["old\n", None])
    def test_works_where_the_edit_already_did_it(self, tmp_path: Path, text: str | None) -> None:
        write(tmp_path, main="old\n")
        before = snapshot(tmp_path)
        build(tmp_path, MAIN, TASKS)
        (tmp_path / "routes" / "tasks.py").unlink()
        if text is None:
            (tmp_path / "main.py").unlink()
        else:
            write(tmp_path, main=text)
        undo(tmp_path)
        assert snapshot(tmp_path) == before

    def test_keeps_what_others_put_into_new_folders(self, tmp_path: Path) -> None:
        build(tmp_path, MAIN, TASKS)
        write(tmp_path / "backend", routes__mine="mine\n")
        undo(tmp_path)
        assert [name for name, entry in snapshot(tmp_path).items() if entry[1]] == [
            "backend/routes/mine.py"
        ]

    def test_removes_caches_with_the_folders_it_made(self, tmp_path: Path) -> None:
        build(tmp_path, MAIN, TASKS)
        cache = tmp_path / "backend" / "routes" / "__pycache__"
        cache.mkdir()
        (cache / "tasks.cpython-311.pyc").write_bytes(b"")
        undo(tmp_path)
        assert snapshot(tmp_path) == {}

    def test_history_is_bounded(self, tmp_path: Path) -> None:
        for number in range(KEPT_BUILDS + 3):
            build(tmp_path, SourceFile("backend/main.py", f"MAIN = {number}\n"))
        for _ in range(KEPT_BUILDS):
            undo(tmp_path)
        assert (tmp_path / "backend" / "main.py").read_text() == "MAIN = 2\n"
        with pytest.raises(InputError, match="There is no build"):
            undo(tmp_path)

    def test_without_a_build_says_so_and_writes_nothing(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match="There is no build to take back"):
            undo(tmp_path)
        assert names_in(tmp_path) == []

    def test_without_a_folder_says_so_and_makes_none(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match="none does not exist"):
            undo(tmp_path / "none")
        assert names_in(tmp_path) == []
