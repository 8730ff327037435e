"""Runs something so that nothing of it survives, in namespaces of its own where possible.

A part of the child, and also a script, started as `python -I -S guard.py CONFIG`: it imports
nothing of ours. It outlives neither its parent nor what it runs: when standard input closes (the
parent ended or was killed) or the run ends, every process of the run is killed and its folder is
removed.

Sources: user_namespaces(7), pid_namespaces(7), prctl(2), proc(5).
"""

import contextlib
import ctypes
import errno
import fcntl
import itertools
import json
import os
import select
import signal
import socket
import struct
import sys
import time
from collections.abc import Callable
from typing import Any, NoReturn

_NEWNS, _NEWIPC, _NEWUSER = 0x00020000, 0x08000000, 0x10000000
_NEWPID, _NEWNET = 0x20000000, 0x40000000
_SET_DEATH_SIGNAL, _SET_CHILD_SUBREAPER = 1, 36
_MS_NOSUID, _MS_NODEV, _MS_NOEXEC, _MS_REC, _MS_PRIVATE = 2, 4, 8, 0x4000, 0x40000
_SET_INTERFACE_FLAGS, _INTERFACE_UP = 0x8914, 1
_NOBODY = 65534
_MOST_DESCRIPTORS = 1024
# The kernel gives out all numbers up to `pid_max` once, and then only those above the reserved.
_RESERVED_PIDS, _ROOM_FOR_THREADS = 300, 256
_MOST_PIDS = 30_000
_POLL_SECONDS = 0.02
_PAGE = os.sysconf("SC_PAGE_SIZE")
_ROUNDS_PER_LOOK = 10
_UNLIMITED = 2**62
_BLOCK, _SMALLEST = 512, 4096  # what st_blocks counts, and what a file takes at least

_ON_LINUX = sys.platform == "linux"
_libc = ctypes.CDLL(None, use_errno=True)

Config = dict[str, Any]


def guard(config: Config, run: Callable[[], None]) -> None:
    """Run a function in a guarded process, and return when nothing of it is left.

    Args:
        config: `status_fd`, where the guard reports; `folder` to remove once the parent lets go,
            or "", and its `lock_fd`, or -1; `cwd`; `user` to become where root has no
            namespaces, or None; `network`; and the limits `seconds`, `memory` and `disk` (bytes)
            and `processes`.
        run: What to run, in a process of its own.
    """
    _report(config, {"pid": os.getpid()})
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, signal.SIG_IGN)
    layers = _enter_namespaces(config) if _ON_LINUX else []
    is_own_tree = "process namespace" in layers
    if not is_own_tree and _ON_LINUX:
        _libc.prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    ended_read, ended_write = os.pipe()
    keeper = os.fork()
    if keeper == 0:
        os.close(ended_read)
        if config["lock_fd"] >= 0:
            os.close(config["lock_fd"])
        os.setsid()
        _die_with_parent()
        _keep(config, layers, run)
    os.close(ended_write)
    ready, _, _ = select.select([0, ended_read], [], [])
    _kill_tree(keeper, is_own_tree)
    if not config["folder"]:
        return
    if 0 not in ready:
        # The run ended by itself. Its parent learns of that as all its descriptors close.
        os.closerange(1, config["lock_fd"])
        os.closerange(config["lock_fd"] + 1, _MOST_DESCRIPTORS)
        select.select([0], [], [])
    # This process holds the lock, as its parent did.
    remove_tree(config["folder"], "lock")


def remove_tree(top: str, last: str = "") -> None:
    """Remove a folder that hostile code may have filled; what cannot be removed is left.

    One folder is open at a time, and the way back is `..`: folders may lie deeper than Python can
    recurse, than a path can say and than there are descriptors. No symbolic link is followed.

    Args:
        top: The folder.
        last: Name of a file in it that goes last, and stays where something else does.
    """
    with contextlib.suppress(OSError):
        here = _open_folder(top)
        # The folders below, from the top one on, each with those beside it that still wait.
        way: list[tuple[str, list[str]]] = [("", _remove_files(here, last))]
        while way:
            waiting = way[-1][1]
            if waiting:
                name = waiting.pop()
                with contextlib.suppress(OSError):
                    below = _open_folder(name, here)
                    os.close(here)
                    here = below
                    way.append((name, _remove_files(here)))
                continue
            name, _ = way.pop()
            if way:
                above = _open_folder("..", here)
                os.close(here)
                here = above
                _try(os.rmdir, name, dir_fd=here)
        os.close(here)
    with contextlib.suppress(OSError):
        if os.listdir(top) == [last]:  # noqa: PTH208 - pathlib takes 15 ms to import
            os.unlink(f"{top}/{last}")  # noqa: PTH108
        os.rmdir(top)  # noqa: PTH106


def _open_folder(name: str, above: int | None = None) -> int:
    if name != "..":
        _try(os.chmod, name, 0o700, dir_fd=above)
    return os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=above)


def _remove_files(folder: int, kept: str = "") -> list[str]:
    """Remove what is no folder from an open folder, and return the names of those that are."""
    folders = []
    for entry in _entries(folder):
        if entry.is_dir(follow_symlinks=False):
            folders.append(entry.name)
        elif entry.name != kept:
            _try(os.unlink, entry.name, dir_fd=folder)
    return folders


def _entries(folder: "str | int") -> "list[os.DirEntry[str]]":
    with os.scandir(folder) as found:
        return list(found)


def _try(action: Callable[..., None], *arguments: Any, **named: Any) -> None:  # noqa: ANN401
    with contextlib.suppress(OSError):
        action(*arguments, **named)


def _enter_namespaces(config: Config) -> list[str]:
    """Enter new namespaces and return the names of the layers that the kernel granted."""
    uid, gid = os.geteuid(), os.getegid()
    if _libc.unshare(_NEWUSER) != 0:
        return []
    # A server such as PostgreSQL refuses to run as root; inside, root is nobody.
    _write("/proc/self/setgroups", "deny")
    _write("/proc/self/uid_map", f"{uid or _NOBODY} {uid} 1")
    _write("/proc/self/gid_map", f"{gid or _NOBODY} {gid} 1")
    wanted = {"process namespace": _NEWPID, "mount namespace": _NEWNS, "IPC namespace": _NEWIPC}
    if not config["network"]:
        wanted["network namespace"] = _NEWNET
    granted = [name for name, flag in wanted.items() if _libc.unshare(flag) == 0]
    return ["user namespace", *granted]


def _keep(config: Config, layers: list[str], run: Callable[[], None]) -> NoReturn:
    """Start the run, watch over it, report how it ended, and exit."""
    if "mount namespace" in layers and _mount_proc():
        layers.append("own /proc")
    if "network namespace" in layers:
        _bring_loopback_up()
    if "process namespace" in layers:
        with contextlib.suppress(OSError):  # per namespace since Linux 6.14
            most = _RESERVED_PIDS + _ROOM_FOR_THREADS + min(config["processes"], _MOST_PIDS)
            _write("/proc/sys/kernel/pid_max", str(most))
    _report(config, {"layers": layers})
    command = os.fork()
    if command == 0:
        _start(config, run)
    _report(config, _watch(config, command, _list_own if "own /proc" in layers else _list_below))
    os._exit(0)


def _start(config: Config, run: Callable[[], None]) -> NoReturn:
    try:
        if config["user"] is not None and os.geteuid() == 0:
            _become(config["user"], config["cwd"])
        for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(name, signal.SIG_DFL)
        if _ON_LINUX:
            # A session of its own, and a lower rank: a thousand forks must not starve the keeper.
            os.setsid()
            os.nice(5)
        null = os.open(os.devnull, os.O_RDONLY)
        os.dup2(null, 0)
        os.close(config["status_fd"])
        os.chdir(config["cwd"])
        run()
    except OSError as error:
        os.write(2, f"{error.filename}: {error.strerror}\n".encode())
        os._exit(127)
    os._exit(0)


def _become(user: int, folder: str) -> None:
    """Stop being root, where there is no user namespace to do that in."""
    for path, names, files in os.walk(folder):
        for name in (".", *names, *files):
            os.chown(f"{path}/{name}", user, user, follow_symlinks=False)
    os.setgroups([])
    os.setgid(user)
    os.setuid(user)


def _watch(config: Config, command: int, list_all: Callable[[], list[int]]) -> dict[str, Any]:
    """Wait for the command; stop it where its processes use more than they may."""
    deadline = time.monotonic() + config["seconds"]
    # Every fork shares this much with the others, and it counts once for each of them.
    inherited = _resident(command)
    # A program of our own, such as PostgreSQL, is only waited for.
    is_bounded = min(config["memory"], config["disk"]) < _UNLIMITED
    if is_bounded:
        # What lies there beforehand, such as the backend's own files, is not counted.
        laid_out = _written(config["folder"], [], _UNLIMITED)
        config = {**config, "disk": config["disk"] + laid_out}
    for number in itertools.count():
        ended = _reap(command)
        if ended is not None:
            return ended
        if time.monotonic() > deadline:
            return {"stopped": "time"}
        limit = _find_exceeded(config, list_all(), inherited, number) if is_bounded else ""
        if limit:
            return {"stopped": limit}
        time.sleep(_POLL_SECONDS)
    raise AssertionError


def _find_exceeded(config: Config, pids: list[int], inherited: int, number: int) -> str:
    """Return the limit that is exceeded, or nothing; not every look is at the files."""
    if len(pids) > config["processes"]:
        return "processes"
    if sum(max(0, _resident(pid) - inherited) for pid in pids) > config["memory"]:
        return "memory"
    most = config["disk"]
    if number % _ROUNDS_PER_LOOK == 0 and _written(config["folder"], pids, most) > most:
        return "disk"
    return ""


def _written(folder: str, pids: list[int], most: int) -> int:
    """Return how many bytes lie below a folder, or in files that have no name any more.

    An empty file counts as a block; beyond `most` there is no need to count.
    """
    total, waiting = 0, [folder] if folder else []
    while waiting and total <= most:
        with contextlib.suppress(OSError):
            for entry in _entries(waiting.pop()):
                blocks = entry.stat(follow_symlinks=False).st_blocks
                total += max(blocks * _BLOCK, _SMALLEST)
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)
    nameless: dict[tuple[int, int], int] = {}
    for pid in pids:
        with contextlib.suppress(OSError):
            for entry in _entries(f"/proc/{pid}/fd"):
                status = _status(entry.path)
                if status is not None and status.st_nlink == 0:
                    nameless[status.st_dev, status.st_ino] = status.st_blocks * _BLOCK
    return total + sum(nameless.values())


def _status(path: str) -> os.stat_result | None:
    try:
        return os.stat(path)  # noqa: PTH116 - pathlib takes 15 ms to import
    except OSError:
        return None


def _reap(command: int) -> dict[str, Any] | None:
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return {"exit": 0}
        if pid == 0:
            return None
        if pid == command:
            code = os.waitstatus_to_exitcode(status)
            return {"signal": -code} if code < 0 else {"exit": code}


def _list_own() -> list[int]:
    """Return the processes of a namespace: one look, as a thousand forks leave time for no more."""
    return [int(name) for name in os.listdir("/proc") if name.isdigit() and name != "1"]  # noqa: PTH208


def _list_below() -> list[int]:
    return _descendants(os.getpid())


def _descendants(root: int) -> list[int]:
    """Return the processes below one, from /proc; none where there is no /proc."""
    parents: dict[int, int] = {}
    try:
        names = os.listdir("/proc")  # noqa: PTH208 - pathlib takes 15 ms to import
    except OSError:
        return []
    for name in filter(str.isdigit, names):
        fields = _read(f"/proc/{name}/stat").rpartition(")")[2].split()
        if len(fields) > 1:
            parents[int(name)] = int(fields[1])
    found, waiting = [], [root]
    while waiting:
        parent = waiting.pop()
        children = [pid for pid, above in parents.items() if above == parent]
        found += children
        waiting += children
    return found


def _resident(pid: int) -> int:
    fields = _read(f"/proc/{pid}/statm").split()
    return int(fields[1]) * _PAGE if len(fields) > 1 else 0


def _kill_tree(keeper: int, is_own_tree: bool) -> None:  # noqa: FBT001
    # With a process namespace, the kernel kills everything in it when its first process ends.
    doomed = [] if is_own_tree else _descendants(os.getpid())
    _kill(keeper)
    while doomed:
        for pid in doomed:
            _kill(pid)
        doomed = _descendants(os.getpid())
        _reap_all()
    with contextlib.suppress(ChildProcessError):
        os.waitpid(keeper, 0)


def _reap_all() -> None:
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _kill(pid: int) -> None:
    for kill in (os.killpg, os.kill):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            kill(pid, signal.SIGKILL)


def _die_with_parent() -> None:
    if _ON_LINUX:
        _libc.prctl(_SET_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)
        os.close(0)


def _mount_proc() -> bool:
    if _libc.mount(b"none", b"/", None, _MS_REC | _MS_PRIVATE, None) != 0:
        return False
    flags = _MS_NOSUID | _MS_NODEV | _MS_NOEXEC
    return bool(_libc.mount(b"proc", b"/proc", b"proc", flags, None) == 0)


def _bring_loopback_up() -> None:
    with (
        contextlib.suppress(OSError),
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket,
    ):
        fcntl.ioctl(any_socket, _SET_INTERFACE_FLAGS, struct.pack("16sh", b"lo", _INTERFACE_UP))


def _report(config: Config, message: dict[str, Any]) -> None:
    with contextlib.suppress(OSError):
        os.write(config["status_fd"], json.dumps(message).encode() + b"\n")


def _write(path: str, text: str) -> None:
    with open(path, "w", encoding="ascii") as file:  # noqa: PTH123 - pathlib is slow to import
        file.write(text)


def _read(path: str) -> str:
    try:
        with open(path, encoding="ascii", errors="replace") as file:  # noqa: PTH123
            return file.read()
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ESRCH, errno.EACCES, errno.EPERM):
            return ""
        raise


def _main() -> None:
    config: Config = json.loads(sys.argv[1])
    command, env = config["command"], config["env"]
    guard(config, lambda: os.execve(command[0], command, env))  # noqa: S606


if __name__ == "__main__":
    _main()
