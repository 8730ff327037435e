"""Boots a backend in the sandbox on a database of its own, and says what keeps it from booting."""

import contextlib
import re
import secrets
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import psycopg

from validators.errors import CheckUnavailableError
from validators.location import AppLocation
from validators.report import Finding
from validators.rules import boot as rules
from validators.runtime import better_auth
from validators.runtime.app import RunningApp
from validators.runtime.causes import explain_end, explain_fault
from validators.runtime.cluster import Database, shared_cluster
from validators.runtime.documents import merge_documents, read_paths, read_websockets
from validators.runtime.environment import (
    Variable,
    Verification,
    build_environment,
    read_variables,
    read_verifications,
)
from validators.runtime.faults import Frame, Origin, read_dump, read_fault, read_frames
from validators.runtime.keys import AUTH_URL, PORT, KeyServer
from validators.runtime.limits import MEGABYTE, Limits
from validators.runtime.process import BackendEndedError, BackendProcess, Ended
from validators.runtime.sandbox import Sandbox
from validators.runtime.template import Template, shared_template
from validators.source import Project

# Layers that the child takes itself, before it imports anything of the backend.
CHILD_LAYERS = ("no new privileges", "no capabilities", "file view")
LAYERS = (
    "user namespace",
    "process namespace",
    "mount namespace",
    "IPC namespace",
    "network namespace",
    "own /proc",
    *CHILD_LAYERS,
)

_PASSWORD_COLUMN = re.compile(
    r"^\s+(hashed_password|password_hash|hashed_pw|encrypted_password|passwd_hash)\s*[:=]",
    re.MULTILINE,
)
# What makes hashes of passwords: of the standard library, argon2-cffi, bcrypt, passlib and pwdlib.
_PASSWORD_HASHING = re.compile(
    r"\b(PasswordHasher|CryptContext|PasswordHash|bcrypt\.hashpw|pbkdf2_hmac|hashlib\.scrypt)\b"
)
_MOST_BOOTS = 4
_WORLDS = 2
_OWN_NAMES = ("agent", "validators", "prompts", "tests", "fixtures", "benchmarks")
_OWN_FOLDER = Path(__file__).resolve().parents[2]


Booted = tuple[RunningApp | None, list[Finding]]


@dataclass
class Booting:
    """A backend that is about to be booted.

    Attributes:
        project: Its source.
        location: Where its app is.
        template: Forks the process that boots it.
        limits: What it may use.
        closing: Ends what is started here.
        user_id: Type of the user table's key.
        filled: Variables that get a harmless value, although the code has an answer without one.
    """

    project: Project
    location: AppLocation
    template: Template
    limits: Limits
    closing: ExitStack
    user_id: better_auth.UserId = "text"
    filled: set[str] = field(default_factory=set)
    # A thread for each sandbox, and one for each boot.
    _aside: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(2 * _WORLDS))
    _sandboxes: list[Future[Sandbox]] = field(default_factory=list)
    _laid_out: list[Sandbox] = field(default_factory=list)
    _is_given_up: bool = False
    _first: Future[Booted] | None = None
    _second: Future[Booted] | None = None

    @cached_property
    def verifications(self) -> tuple[Verification, ...]:
        """How the backend can verify tokens, as far as its code tells."""
        return read_verifications(self.project)

    @cached_property
    def variables(self) -> Mapping[str, Variable]:
        """The environment variables that its code reads."""
        return read_variables(self.project)

    @cached_property
    def users(self) -> tuple[better_auth.User, ...]:
        """The users of the probes, the same in each world."""
        return better_auth.disguise(better_auth.users(self.user_id), self.user_id)

    def lay_out_ahead(self) -> None:
        """Lay out the sandboxes of both worlds beside what is done now."""
        self._sandboxes = [self._aside.submit(self._lay_out) for _ in range(_WORLDS)]

    def _lay_out(self) -> Sandbox:
        sandbox = Sandbox.lay_out(self.project.root, self.template, self.limits)
        self.closing.callback(sandbox.leave)
        self._laid_out.append(sandbox)
        if self._is_given_up:
            sandbox.let_go()
        return sandbox

    def _take_sandbox(self) -> Sandbox:
        try:
            sandbox = self._sandboxes.pop().result()
        except IndexError:
            return self._lay_out()
        # The child's time has been running since then.
        if time.monotonic() - sandbox.made_at < self.limits.boot_seconds:
            return sandbox
        sandbox.leave()
        return self._lay_out()

    def start_ahead(self) -> None:
        """Boot the backend in both worlds beside what is done now, for `await_first`."""
        second = next(iter(self.verifications[1:]), self.verifications[0])
        _ = self.users, self.variables  # drawn and read here, and not by both at once
        self._first = self._aside.submit(self.start)
        self._second = self._aside.submit(self._boot, second, is_described=False)

    def await_first(self) -> Booted:
        """Wait for the first boot, and return as `start` does; the second is for `boot_again`."""
        booted = self._first.result() if self._first else self.start()
        shared_cluster().refill()
        return booted

    def boot_again(self, verification: Verification | None = None) -> Booted:
        """Boot the backend once more, unless that was done ahead; its routes are not said again."""
        second, self._second = self._second, None
        app, findings = second.result() if second else (None, [])
        if app is not None and app.verification == (verification or self.verifications[0]):
            return app, findings
        return self.start(verification, is_described=False)

    def finish(self) -> None:
        """Wait for the boots that go on beside."""
        self._aside.shutdown()

    def give_up(self) -> None:
        """End what is being booted, so that nobody waits for it."""
        self._is_given_up = True
        for sandbox in self._laid_out:
            sandbox.let_go()

    def start(
        self, verification: Verification | None = None, *, is_described: bool = True
    ) -> Booted:
        """Boot the backend on a fresh database.

        Args:
            verification: How it is set up to verify tokens; the first that its code knows where
                None.
            is_described: Whether it says what its routes are.

        Returns:
            The running app, or None and why there is none. A backend that stops with the name
            of a variable that its code reads is booted again, with a harmless value for it.
        """
        for _ in range(_MOST_BOOTS):
            wanted = verification or self.verifications[0]
            app, findings = self._boot(wanted, is_described=is_described)
            missed = {
                name
                for name in self.variables.keys() - self.filled
                if any(re.search(rf"\b{name}\b", finding.message) for finding in findings)
            }
            if app is not None or not missed or self._is_given_up:
                break
            self.filled |= missed
        return app, findings

    def _boot(self, verification: Verification, *, is_described: bool) -> Booted:
        user_id = None if _keeps_own_users(self.project) else self.user_id
        database = self.closing.enter_context(shared_cluster().database(user_id))
        if user_id is not None:
            renaming = better_auth.rename_script(better_auth.users(user_id), self.users, user_id)
            database.connection.execute(renaming)
        sandbox = self._take_sandbox()
        secret = secrets.token_hex(32)
        environment = build_environment(
            self.variables,
            database.url,
            secret,
            sandbox.home,
            self.filled,
            None if verification == "secret" else AUTH_URL,
        )
        keys = KeyServer() if "published keys" in self.verifications else None
        boot = _Boot(self, sandbox, database, secret, verification, keys, environment)
        boot.is_described = is_described
        return boot.run()


@dataclass
class _Boot:
    """One boot, from the order to the first request."""

    booting: Booting
    sandbox: Sandbox
    database: Database
    secret: str
    verification: Verification
    keys: KeyServer | None
    environment: Mapping[str, str]
    is_described: bool = True
    stage: str = "import"
    layers: list[str] = field(default_factory=list)
    auth_tables: list[tuple[Any, ...]] = field(default_factory=list)
    last_frames: tuple[Frame, ...] = ()

    @property
    def process(self) -> BackendProcess:
        return self.sandbox.process

    @property
    def origin(self) -> Origin:
        return Origin(self.sandbox.copy, self.booting.project.modules.keys())

    def run(self) -> Booted:
        project, limits = self.booting.project, self.booting.limits
        try:
            self.auth_tables = self.database.describe_auth_tables()
            self.layers = list(self.process.guarded.await_layers())
            refused = [layer for layer in self._missing() if layer not in CHILD_LAYERS]
            if limits.requires_layers and refused:
                self.process.close()
                return None, self._refused_layers()
            self._prepare_keys()
            self.process.order(self._order())
            outcome = self._follow()
        except BackendEndedError as error:
            frames = self.last_frames or read_dump(self.process.output, self.origin)
            return None, [explain_end(error.ended, self.stage, frames, limits)]
        if outcome["kind"] == "refused":
            self.process.close()
            return None, self._refused_layers()
        if outcome["kind"] == "failed":
            fault = read_fault(outcome.get("fault"), self.origin)
            self.process.close()
            return None, [explain_fault(self.stage, fault, project)]
        app = RunningApp(
            process=self.process,
            database=self.database,
            project=project,
            origin=self.origin,
            secret=self.secret,
            users=self.booting.users,
            openapi=merge_documents(_mapping(outcome.get("openapi")), outcome.get("documents")),
            websockets=read_websockets(outcome.get("websockets")),
            mounts=read_paths(outcome.get("mounts")),
            boot_again=self.booting.boot_again,
            verification=self.verification,
            other_verifications=self.booting.verifications[1:],
            keys=self.keys,
            missing_layers=self._missing(),
        )
        return app, [*self._changed_auth_tables(), *self._refused_layers()]

    def _prepare_keys(self) -> None:
        """Without a network namespace there is no listener of the child's own: have one here."""
        if self.keys is None:
            return
        self.booting.closing.callback(self.keys.close)
        if "network namespace" not in self.layers:
            listener = socket.create_server(("127.0.0.1", 0))
            self.keys.base_url = f"http://localhost:{listener.getsockname()[1]}"
            self.keys.serve(listener)

    def _whole_environment(self) -> dict[str, str]:
        """Return the environment; the keys may have another address than was thought."""
        url = self.keys.base_url if self.keys else AUTH_URL
        return {
            name: value.replace(AUTH_URL, url) if value.startswith(AUTH_URL) else value
            for name, value in self.environment.items()
        }

    def _missing(self) -> tuple[str, ...]:
        return tuple(layer for layer in LAYERS if layer not in self.layers)

    def _refused_layers(self) -> list[Finding]:
        names = ", ".join(self._missing())
        if not names:
            return []
        text = f"The system refuses layers of the sandbox: {names}."
        if not self.booting.limits.requires_layers:
            return [rules.SANDBOX.finding(text)]
        return [rules.SANDBOX.finding(f"{text} The app was not started.", severity="error")]

    def _changed_auth_tables(self) -> list[Finding]:
        # A backend with users of its own may have a table of the same name.
        after = self.database.describe_auth_tables() if self.auth_tables else []
        changed = {row[0] for row in set(self.auth_tables) ^ set(after)}
        return [
            rules.USER_TABLE.finding(f"The app changes Better Auth's table {name!r} at its start.")
            for name in sorted(changed)
        ]

    def _follow(self) -> dict[str, Any]:
        """Follow the boot to its end and return the last message."""
        deadline = time.monotonic() + self.booting.limits.boot_seconds
        while True:
            message = self.process.receive(deadline - time.monotonic())
            match message.get("kind"):
                case "hardened":
                    granted = message.get("layers")
                    self.layers += granted if isinstance(granted, list) else []
                    if self.keys is not None and self.process.listener is not None:
                        self.keys.serve(self.process.listener)
                case "stage":
                    self.stage = str(message.get("stage"))
                case "exit" | "waiting":
                    self.last_frames = read_frames(message.get("frames"), self.origin)
                case "failed" | "booted" | "refused":
                    return message
                case _:
                    self.process.close()
                    raise BackendEndedError(Ended("protocol"))

    def _order(self) -> dict[str, Any]:
        limits, location = self.booting.limits, self.booting.location
        return {
            "import_root": str(self.sandbox.copy / location.import_root),
            "module": location.module,
            "attribute": location.attribute,
            "is_factory": location.is_factory,
            "is_described": self.is_described,
            "hidden_folder": str(_OWN_FOLDER),
            "hidden_names": _OWN_NAMES,
            "environment": self._whole_environment(),
            "listener_port": PORT if self.keys and self.keys.base_url == AUTH_URL else 0,
            "writable": [str(self.sandbox.copy), str(self.sandbox.home)],
            "readable": [],
            "required_layers": CHILD_LAYERS if limits.requires_layers else (),
            "owns_proc": "own /proc" in self.layers,
            "owns_network": "network namespace" in self.layers,
            "keys_port": self.keys.port if self.keys else 0,
            "trace_after": limits.boot_seconds * 0.9,
            "request_seconds": limits.request_seconds,
            "limits": {
                "address_space": limits.address_space_mb * MEGABYTE,
                "cpu_seconds": limits.cpu_seconds,
                "file": limits.file_mb * MEGABYTE,
                "open_files": limits.open_files,
                # Elsewhere, the user's other processes would count.
                "threads": limits.threads if "user namespace" in self.layers else 0,
            },
        }


def _mapping(data: Any) -> Mapping[str, Any]:  # noqa: ANN401 - comes from untrusted code
    return data if isinstance(data, dict) else {}


def _keeps_own_users(project: Project) -> bool:
    """Tell whether a backend stores passwords, and so keeps users in a table of its own."""
    texts = [module.text for module in project.modules.values()]
    return any(_PASSWORD_COLUMN.search(t) or _PASSWORD_HASHING.search(t) for t in texts)


def warm_up(python: Path | None = None, checks_ahead: int = 0) -> None:
    """Start in the background what a boot needs, while something else is done.

    What cannot be started is tried again, and reported, by `prepare`.

    Args:
        python: Interpreter that boots the backends; our own where None.
        checks_ahead: For how many checks databases are to be made while others go on.
    """
    with contextlib.suppress(CheckUnavailableError):
        shared_template(python)
    threading.Thread(target=_start_cluster, args=(checks_ahead,), daemon=True).start()


def _start_cluster(checks_ahead: int) -> None:
    with contextlib.suppress(CheckUnavailableError, psycopg.Error):
        cluster = shared_cluster()
        cluster.ahead = max(cluster.ahead, checks_ahead * _WORLDS)
        cluster.make_ready(_WORLDS)


@contextmanager
def prepare(
    project: Project,
    location: AppLocation,
    python: Path | None = None,
    limits: Limits | None = None,
    user_id: better_auth.UserId = "text",
) -> Iterator[Booting]:
    """Start what a boot needs, and end and remove all of it afterwards.

    Args:
        project: The backend's source.
        location: Where its app is.
        python: Interpreter that boots it; our own where None.
        limits: What it may use.
        user_id: Type of the user table's key in the database.

    Raises:
        CheckUnavailableError: PostgreSQL or the interpreter cannot be started here.
    """
    template = shared_template(python)
    with ExitStack() as closing:
        booting = Booting(project, location, template, limits or Limits(), closing, user_id)
        try:
            yield booting
        except BaseException:
            booting.give_up()
            raise
        finally:
            booting.finish()
