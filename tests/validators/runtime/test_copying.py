"""What of a backend gets into the sandbox."""

from pathlib import Path

from tests.validators.trees import lay_out
from validators.runtime.copying import copy_backend


def copied(tmp_path: Path, source: Path) -> set[str]:
    target = tmp_path / "copy"
    copy_backend(source, target)
    return {path.relative_to(target).as_posix() for path in target.rglob("*") if path.is_file()}


def test_code_and_data_are_copied_and_secrets_and_caches_are_not(tmp_path: Path) -> None:
    source = lay_out(
        tmp_path / "backend",
        {
            "main.py": "",
            "data/words.txt": "",
            ".env.example": "",
            ".env": "",
            ".env.local": "",
            "prod.env": "",
            "keys/private.pem": "",
            ".git/config": "",
            "venv/lib/x.py": "",
            "own-env/pyvenv.cfg": "",
            "own-env/lib/x.py": "",
            "node_modules/x/index.js": "",
            "routes/__pycache__/tasks.pyc": "",
        },
    )
    assert copied(tmp_path, source) == {"main.py", "data/words.txt", ".env.example"}


def test_a_symbolic_link_does_not_lead_outside(tmp_path: Path) -> None:
    outside = lay_out(tmp_path / "outside", {"secret.txt": "", "inner/secret.txt": ""})
    source = lay_out(tmp_path / "backend", {"main.py": ""})
    (source / "link.txt").symlink_to(outside / "secret.txt")
    (source / "folder").symlink_to(outside)
    assert copied(tmp_path, source) == {"main.py"}
