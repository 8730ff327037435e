"""Sandbox, embedded PostgreSQL, and the child process that boots the app."""

from validators.errors import CheckUnavailableError
from validators.runtime.app import Request, Response, RunningApp
from validators.runtime.booting import Booting, prepare, warm_up
from validators.runtime.keeping import kept
from validators.runtime.limits import Limits
from validators.runtime.process import BackendEndedError
from validators.runtime.template import adopt

__all__ = [
    "BackendEndedError",
    "Booting",
    "CheckUnavailableError",
    "Limits",
    "Request",
    "Response",
    "RunningApp",
    "adopt",
    "kept",
    "prepare",
    "warm_up",
]
