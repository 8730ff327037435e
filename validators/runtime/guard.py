"""Runs one command so that nothing of it survives, in namespaces of its own where possible.

A script, started as `python -I -S guard.py CONFIG`. It imports nothing of ours, and it outlives
neither its parent nor its command: when standard input closes (the parent ended or was killed)
or the command ends, every process of the command is killed and the run's folder is removed.

Sources: user_namespaces(7), pid_namespaces(7), prctl(2), proc(5).
"""

import contextlib
import ctypes
import errno
import fcntl
import json
import os
import select
import shutil
import signal
import socket
import struct
import sys
import time
from typing import Any, NoReturn

_NEWNS, _NEWIPC, _NEWUSER = 0x00020000, 0x08000000, 0x10000000
_NEWPID, _NEWNET = 0x20000000, 0x40000000
_SET_DEATH_SIGNAL, _SET_CHILD_SUBREAPER = 1, 36
_MS_NOSUID, _MS_NODEV, _MS_NOEXEC, _MS_REC, _MS_PRIVATE = 2, 4, 8, 0x4000, 0x40000
_SET_INTERFACE_FLAGS, _INTERFACE_UP = 0x8914, 1
_NOBODY = 65534
_LOWEST_PID_MAX = 301  # the kernel's own lower bound
_POLL_SECONDS = 0.05
_PAGE = os.sysconf("SC_PAGE_SIZE")

_ON_LINUX = sys.platform == "linux"
_libc = ctypes.CDLL(None, use_errno=True)

Config = dict[str, Any]


def main() -> None:
    """Run the command of the configuration in the first argument."""
    config: Config = json.loads(sys.argv[1])
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
        os.setsid()
        _die_with_parent()
        _keep(config, layers)
    os.close(ended_write)
    select.select([sys.stdin.fileno(), ended_read], [], [])
    _kill_tree(keeper, is_own_tree)
    if config["folder"]:
        shutil.rmtree(config["folder"], ignore_errors=True)


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


def _keep(config: Config, layers: list[str]) -> NoReturn:
    """Start the command, watch over it, report how it ended, and exit."""
    if "mount namespace" in layers and _mount_proc():
        layers.append("own /proc")
    if "network namespace" in layers:
        _bring_loopback_up()
    if "process namespace" in layers:
        with contextlib.suppress(OSError):  # per namespace since Linux 6.14
            _write("/proc/sys/kernel/pid_max", str(max(config["processes"], _LOWEST_PID_MAX)))
    _report(config, {"layers": layers})
    command = os.fork()
    if command == 0:
        _run(config)
    _report(config, _watch(config, command))
    os._exit(0)


def _run(config: Config) -> NoReturn:
    try:
        if "user" in config and os.geteuid() == 0:
            _become(config["user"], config["cwd"])
        for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(name, signal.SIG_DFL)
        null = os.open(os.devnull, os.O_RDONLY)
        os.dup2(null, 0)
        os.close(config["status_fd"])
        os.chdir(config["cwd"])
        os.execve(config["command"][0], config["command"], config["env"])  # noqa: S606
    except OSError as error:
        os.write(2, f"{config['command'][0]}: {error.strerror}\n".encode())
    os._exit(127)


def _become(user: int, folder: str) -> None:
    """Stop being root, where there is no user namespace to do that in."""
    for path, names, files in os.walk(folder):
        for name in (".", *names, *files):
            os.chown(f"{path}/{name}", user, user, follow_symlinks=False)
    os.setgroups([])
    os.setgid(user)
    os.setuid(user)


def _watch(config: Config, command: int) -> dict[str, Any]:
    """Wait for the command; stop it where its processes use more than they may."""
    deadline = time.monotonic() + config["seconds"]
    while time.monotonic() < deadline:
        ended = _reap(command)
        if ended is not None:
            return ended
        pids = _descendants(os.getpid())
        if len(pids) > config["processes"]:
            return {"stopped": "processes"}
        # Pages that forks share count once for each of them, so that a second look is needed.
        most = config["memory"]
        if sum(map(_resident, pids)) > most and sum(map(_proportional, pids)) > most:
            return {"stopped": "memory"}
        time.sleep(_POLL_SECONDS)
    return {"stopped": "time"}


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


def _proportional(pid: int) -> int:
    """Return a process's memory in bytes, each shared page divided among those that share it."""
    for line in _read(f"/proc/{pid}/smaps_rollup").splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    return _resident(pid)


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


if __name__ == "__main__":
    main()
