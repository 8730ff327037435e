"""Takes rights away from this process before the backend's code is loaded.

Sources: landlock(7) and linux/landlock.h (ABI 1 to 7), prctl(2), capset(2),
setrlimit(2).
"""

import ctypes
import os
import resource
import struct
import sys
from collections.abc import Iterable

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_ASK_FOR_VERSION = 1
_PATH_BENEATH, _TCP_PORT = 1, 2
_BIND_TCP, _CONNECT_TCP = 1 << 0, 1 << 1
_FIRST_WITH_TCP = 4
_SET_NO_NEW_PRIVILEGES = 38
_CAPABILITY_VERSION = 0x20080522

_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
_ALL_OF_FIRST_ABI = (1 << 13) - 1
_REFER, _TRUNCATE, _IOCTL = 1 << 13, 1 << 14, 1 << 15
_FILE_ONLY = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | _IOCTL
_READ = _EXECUTE | _READ_FILE | _READ_DIR
_NO_ABSTRACT_SOCKETS, _NO_SIGNALS = 1 << 0, 1 << 1

# What a Python program with a database driver opens beside its own files.
_READABLE = (
    "/usr", "/lib", "/lib64", "/bin", "/sbin", "/opt", "/nix", "/System", "/Library",
    "/etc/ld.so.cache", "/etc/localtime", "/etc/timezone", "/etc/ssl", "/etc/pki",
    "/etc/ca-certificates", "/etc/crypto-policies", "/etc/gnutls", "/etc/passwd", "/etc/group",
    "/etc/nsswitch.conf", "/etc/hosts", "/etc/host.conf", "/etc/resolv.conf", "/etc/services",
    "/etc/protocols", "/etc/mime.types", "/etc/apache2/mime.types", "/etc/os-release",
    "/etc/debian_version", "/etc/gai.conf", "/etc/alternatives",
    "/sys/devices/system/cpu", "/sys/fs/cgroup",
    "/dev/zero", "/dev/random", "/dev/urandom", "/dev/full",
)  # fmt: skip
_DEVICES = ("/dev/null", "/dev/full", "/dev/zero")


def limit_resources(limits: dict[str, int]) -> None:
    """Set the process's limits; a limit that the system refuses is left as it is."""
    wanted = {
        resource.RLIMIT_AS: limits["address_space"],
        resource.RLIMIT_CPU: limits["cpu_seconds"],
        resource.RLIMIT_FSIZE: limits["file"],
        resource.RLIMIT_NOFILE: limits["open_files"],
        resource.RLIMIT_CORE: 0,
    }
    if limits["threads"]:
        wanted[resource.RLIMIT_NPROC] = limits["threads"]
    for kind, value in wanted.items():
        hard = resource.getrlimit(kind)[1]
        bounded = value if hard == resource.RLIM_INFINITY else min(value, hard)
        try:
            resource.setrlimit(kind, (bounded, bounded))
        except (OSError, ValueError):
            continue


def forbid_new_privileges() -> bool:
    """Make sure that no program started from here gains rights; tell whether that worked."""
    if sys.platform != "linux":
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    return bool(libc.prctl(_SET_NO_NEW_PRIVILEGES, 1, 0, 0, 0) == 0)


def drop_capabilities() -> bool:
    """Give up every capability, those of root included; tell whether that worked.

    Programs that are started from here gain none either, as they gain no privileges.
    """
    if sys.platform != "linux":
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    header = struct.pack("=Ii", _CAPABILITY_VERSION, 0)
    # Effective, permitted and inheritable ones, in two words each.
    return bool(libc.capset(header, bytes(24)) == 0)


def restrict_files(writable: Iterable[str], readable: Iterable[str], owns_proc: bool) -> bool:  # noqa: FBT001
    """Let this process see the system's and Python's files only, and write to few folders.

    Args:
        writable: Folders that may be read and written.
        readable: Folders and files that may be read, beside those every program needs.
        owns_proc: Whether /proc shows the sandbox's own processes only.

    Returns:
        Whether the kernel enforces it (Landlock).
    """
    if sys.platform != "linux":
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    version = libc.syscall(_CREATE_RULESET, None, 0, _ASK_FOR_VERSION)
    if version < 1:
        return False
    handled = _handled_rights(version)
    ruleset = libc.syscall(_CREATE_RULESET, *_ruleset_attributes(version, handled), 0)
    if ruleset < 0:
        return False
    own_proc = ("/proc",) if owns_proc else ("/proc/self", "/proc/cpuinfo", "/proc/meminfo")
    for path in {*_READABLE, *own_proc, *readable}:
        _allow(libc, ruleset, path, _READ & handled)
    for path in _DEVICES:
        _allow(libc, ruleset, path, (_READ_FILE | _WRITE_FILE) & handled)
    for path in writable:
        _allow(libc, ruleset, path, handled)
    enforced = libc.syscall(_RESTRICT_SELF, ruleset, 0) == 0
    os.close(ruleset)
    return bool(enforced)


def restrict_tcp(port: int) -> bool:
    """Let this process open no TCP connection but to one port, where it shares a network.

    Args:
        port: The port; 0 for none.

    Returns:
        Whether the kernel enforces it (Landlock, ABI 4). Other protocols are not restricted.
    """
    if sys.platform != "linux":
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.syscall(_CREATE_RULESET, None, 0, _ASK_FOR_VERSION) < _FIRST_WITH_TCP:
        return False
    attributes = struct.pack("QQ", 0, _BIND_TCP | _CONNECT_TCP)
    ruleset = libc.syscall(_CREATE_RULESET, attributes, len(attributes), 0)
    if ruleset < 0:
        return False
    if port:
        rule = struct.pack("=QQ", _CONNECT_TCP, port)
        libc.syscall(_ADD_RULE, ruleset, _TCP_PORT, rule, 0)
    enforced = libc.syscall(_RESTRICT_SELF, ruleset, 0) == 0
    os.close(ruleset)
    return bool(enforced)


def _handled_rights(version: int) -> int:
    added = {2: _REFER, 3: _TRUNCATE, 5: _IOCTL}
    return _ALL_OF_FIRST_ABI | sum(right for since, right in added.items() if version >= since)


def _ruleset_attributes(version: int, handled: int) -> tuple[bytes, int]:
    if version < _FIRST_WITH_TCP:
        attributes = struct.pack("Q", handled)
    elif version < 6:  # noqa: PLR2004 - the ABI that added scopes
        attributes = struct.pack("QQ", handled, 0)
    else:
        attributes = struct.pack("QQQ", handled, 0, _NO_ABSTRACT_SOCKETS | _NO_SIGNALS)
    return attributes, len(attributes)


def _allow(libc: ctypes.CDLL, ruleset: int, path: str, rights: int) -> None:
    try:
        target = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    if not os.path.isdir(path):  # noqa: PTH112 - pathlib would be the child's slowest import
        rights &= _FILE_ONLY
    rule = struct.pack("=Qi", rights, target)
    libc.syscall(_ADD_RULE, ruleset, _PATH_BENEATH, rule, 0)
    os.close(target)
