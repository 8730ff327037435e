"""Hostile and broken backends: each ends in one clear finding, quickly, and leaves nothing."""

import socket
import uuid
from pathlib import Path

import pytest

from tests.validators.runtime.backends import (
    SMALL,
    boot_findings,
    booted,
    plain,
    processes_with,
    running_children,
    still_running,
)
from tests.validators.trees import Files
from validators.runtime import BackendEndedError, Limits, Request

ENDLESS = "while True: pass"
# Name, code before the app, rule, and a part of the message. The line to blame ends in `# here`.
AT_IMPORT = [
    ("hangs", f"import time\n{ENDLESS}  # here", "BP505", "hangs while it is imported"),
    ("sleeps", "import time\ntime.sleep(600)  # here", "BP505", "stopped after"),
    ("exits", "import sys\nsys.exit(3)  # here", "BP504", "ends its process"),
    ("exits with a sentence", "raise SystemExit('REGION is not set')  # here", "BP504", "REGION"),
    ("exits at once", "import os\nos._exit(0)  # here", "BP504", "with exit code 0"),
    ("aborts", "import os\nos.abort()", "BP504", "signal 6"),
    ("crashes", "import ctypes\nctypes.string_at(0)", "BP504", "signal 11"),
    ("eats memory at once", "held = bytearray(16 * 1024**3)  # here", "BP506", "more memory"),
    (
        "eats memory bit by bit",
        "held = []\nwhile True:\n    held.append(b'x' * 10_000_000)",
        "BP506",
        "more than 400 MB of memory",
    ),
    ("forks without end", "import os\nwhile True:\n    os.fork()", "BP506", "processes"),
    (
        "prints for ever",
        "while True:\n    print('x' * 100_000)",
        "BP506",
        "prints more than 4 MB",
    ),
    (
        "fills the disk",
        "with open('large', 'wb') as file:\n    while True:\n"
        "        file.write(b'x' * 1_000_000)  # here",
        "BP506",
        "larger file",
    ),
    (
        "ignores signals",
        "import signal\nfor number in (1, 2, 15):\n    signal.signal(number, signal.SIG_IGN)\n"
        f"{ENDLESS}  # here",
        "BP505",
        "hangs",
    ),
    ("raises", "STEPS = int('many')  # here", "BP503", "ValueError: invalid literal"),
    ("is not installed", "import surely_not_there  # here", "BP501", "No module named"),
    ("needs a variable", "import os\nos.environ['AN' + 'Y']  # here", "BP502", "variable ANY"),
    (
        "talks to a service",
        "import urllib.request\nurllib.request.urlopen('http://127.0.0.1:6379')  # here",
        "BP510",
        "service",
    ),
]


def line_to_blame(files: Files) -> int | None:
    lines = enumerate(files["main.py"].splitlines(), start=1)
    return next((number for number, line in lines if line.endswith("# here")), None)


@pytest.mark.parametrize(
    ("code", "rule", "part"),
    [case[1:] for case in AT_IMPORT],
    ids=[case[0] for case in AT_IMPORT],
)
def test_one_finding_says_what_keeps_a_backend_from_booting(
    code: str, rule: str, part: str, tmp_path: Path
) -> None:
    files = plain(before=code)
    limits = Limits(boot_seconds=4, memory_mb=400, output_mb=4, processes=40)
    findings = boot_findings(tmp_path, files, limits)
    assert [finding.code for finding in findings] == [rule]
    assert part in findings[0].message
    blamed = line_to_blame(files)
    if blamed is not None:
        assert (findings[0].path, findings[0].line) == ("main.py", blamed)
    assert running_children() == []


def test_a_start_up_that_waits_is_reported_where_it_waits(tmp_path: Path) -> None:
    files = {
        "main.py": """import asyncio
from contextlib import asynccontextmanager

from fastapi import FastAPI


@asynccontextmanager
async def lifespan(app):
    await asyncio.Event().wait()  # here
    yield


app = FastAPI(lifespan=lifespan)
"""
    }
    (finding,) = boot_findings(tmp_path, files, Limits(boot_seconds=4))
    assert (finding.code, finding.line) == ("BP505", line_to_blame(files))


def test_a_start_up_that_fails_is_reported_where_it_fails(tmp_path: Path) -> None:
    files = {
        "main.py": """from contextlib import asynccontextmanager

from fastapi import FastAPI


@asynccontextmanager
async def lifespan(app):
    {}["cache"].warm_up()  # here
    yield


app = FastAPI(lifespan=lifespan)
"""
    }
    (finding,) = boot_findings(tmp_path, files)
    assert (finding.code, finding.line) == ("BP509", line_to_blame(files))


def test_a_daemon_does_not_survive(tmp_path: Path) -> None:
    name = uuid.uuid4().hex
    code = f"""import os, sys
# Its end is closed once the daemon runs its program.
read, write = os.pipe()
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.execv(sys.executable, [sys.executable, "-c", "import time; time.sleep(600)", "{name}"])
    os._exit(0)
os.close(write)
os.read(read, 1)
"""
    with booted(tmp_path, plain(before=code)) as (app, findings):
        assert app is not None, findings
        daemons = processes_with(name)
        assert len(daemons) == 1
    assert still_running(daemons) == []


def test_a_backend_that_kills_its_parents_harms_nobody_else(tmp_path: Path) -> None:
    code = """import os, signal
for number in (os.getppid(), -1):
    try:
        os.kill(number, signal.SIGKILL)
    except OSError:
        pass
"""
    with booted(tmp_path, plain(before=code)) as (app, findings):
        assert app is not None or [finding.code for finding in findings] == ["BP504"]


def test_no_secret_of_the_developer_can_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = uuid.uuid4().hex
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", secret)
    home_file = tmp_path / "id_ed25519"
    home_file.write_text(secret)
    code = f"""import glob, os
seen = [str(os.environ)]
for path in [{str(home_file)!r}, ".env", *glob.glob("/proc/[0-9]*/environ")]:
    try:
        with open(path, errors="replace") as file:
            seen.append(file.read())
    except OSError:
        pass
FOUND = {secret!r} in "".join(seen)
"""
    files = plain(
        before=code, after='\n\n@app.get("/found")\ndef found() -> bool:\n    return FOUND'
    )
    files[".env"] = f"TOKEN={secret}\n"
    with booted(tmp_path, files) as (app, findings):
        assert app is not None, findings
        assert app.send(Request("GET", "/found")).json() is False


def test_nothing_outside_the_own_folder_can_be_written(tmp_path: Path) -> None:
    target = tmp_path / "outside"
    code = f"open({str(target)!r}, 'w')  # here"
    (finding,) = boot_findings(tmp_path, plain(before=code))
    assert (finding.code, finding.line) == ("BP503", 3)
    assert "PermissionError" in finding.message
    assert not target.exists()


def test_nothing_can_be_reached_over_the_network(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        code = f"import socket\nsocket.create_connection(('127.0.0.1', {port}), 2)  # here"
        (finding,) = boot_findings(tmp_path, plain(before=code))
        server.settimeout(0)
        with pytest.raises(BlockingIOError):
            server.accept()
    assert finding.code == "BP510"


def test_a_forged_message_is_no_boot(tmp_path: Path) -> None:
    code = """import os
for number in range(3, 256):
    try:
        os.write(number, b'\\x00\\x00\\x00\\x02[]')
    except OSError:
        pass
"""
    (finding,) = boot_findings(tmp_path, plain(before=code))
    assert finding.code == "BP512"


def test_a_request_that_hangs_is_late_and_the_next_one_is_answered(tmp_path: Path) -> None:
    slow = """
import asyncio


@app.get("/slow")
async def slow() -> None:
    await asyncio.sleep(600)
"""
    with booted(tmp_path, plain(after=slow), Limits(request_seconds=0.5)) as (app, findings):
        assert app is not None, findings
        assert app.send(Request("GET", "/slow")).is_late
        assert app.send(Request("GET", "/health")).json() == {"status": "ok"}


def test_a_request_that_blocks_the_event_loop_ends_the_process(tmp_path: Path) -> None:
    slow = '\n\n@app.get("/slow")\nasync def slow() -> None:\n    while True:\n        pass\n'
    with booted(tmp_path, plain(after=slow), Limits(request_seconds=0.5)) as (app, findings):
        assert app is not None, findings
        with pytest.raises(BackendEndedError) as error:
            app.send(Request("GET", "/slow"))
        assert error.value.ended.cause == "time"


def test_a_request_that_ends_the_process_is_told_from_an_answer(tmp_path: Path) -> None:
    leave = '\n\n@app.get("/leave")\ndef leave() -> None:\n    import os\n    os._exit(0)\n'
    with booted(tmp_path, plain(after=leave)) as (app, findings):
        assert app is not None, findings
        with pytest.raises(BackendEndedError):
            app.send(Request("GET", "/leave"))


def test_a_large_body_is_cut(tmp_path: Path) -> None:
    large = '\n\n@app.get("/large")\ndef large() -> str:\n    return "x" * 30_000_000\n'
    with booted(tmp_path, plain(after=large), SMALL) as (app, findings):
        assert app is not None, findings
        assert len(app.send(Request("GET", "/large")).body) == 2 * 1024 * 1024


def test_a_backend_may_have_packages_named_like_ours(tmp_path: Path) -> None:
    code = "from agent.tools import ANSWER\nfrom validators import check"
    files = plain(
        before=code, after='\n\n@app.get("/answer")\ndef answer() -> int:\n    return ANSWER'
    )
    files |= {"agent/tools.py": "ANSWER = 42\n", "validators.py": "check = None\n"}
    with booted(tmp_path, files) as (app, findings):
        assert app is not None, findings
        assert app.send(Request("GET", "/answer")).json() == 42


def test_our_packages_cannot_be_imported(tmp_path: Path) -> None:
    (finding,) = boot_findings(tmp_path, plain(before="import validators.check  # here"))
    assert finding.code == "BP501"


def test_no_file_of_the_backend_is_changed(tmp_path: Path) -> None:
    code = "import os\nopen('left.txt', 'w').close()\nos.remove('main.py')"
    with booted(tmp_path, plain(before=code)) as (app, findings):
        assert app is not None, findings
    assert [path.name for path in (tmp_path / "backend").iterdir()] == ["main.py"]


def test_a_backend_has_no_capability_and_its_programs_gain_none(tmp_path: Path) -> None:
    code = """import subprocess
STATUS = open("/proc/self/status").read()
STATUS += subprocess.run(["cat", "/proc/self/status"], capture_output=True, text=True).stdout
"""
    route = '\n\n@app.get("/status")\ndef status() -> str:\n    return STATUS\n'
    with booted(tmp_path, plain(before=code, after=route)) as (app, findings):
        assert app is not None, findings
        lines = app.send(Request("GET", "/status")).json().splitlines()
    held = [line.split()[1] for line in lines if line.startswith(("CapEff", "CapPrm", "CapInh"))]
    assert held == ["0" * 16] * 6
