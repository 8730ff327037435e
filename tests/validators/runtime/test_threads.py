"""Threads that have ended leave their place to others."""

from pathlib import Path

from tests.validators.runtime.backends import booted
from validators.runtime import Limits, Request

APP = """import threading

import argon2
from fastapi import FastAPI

app = FastAPI()


@app.get("/threads")
def threads() -> int:
    for _ in range(1500):
        thread = threading.Thread(target=int)
        thread.start()
        thread.join()
    return 1500


@app.get("/passwords")
def passwords() -> bool:
    hasher = argon2.PasswordHasher(time_cost=3, memory_cost=1024, parallelism=4)
    stored = hasher.hash("x")
    return all(hasher.verify(stored, "x") for _ in range(20))
"""


def test_many_threads_one_behind_the_other_are_no_more_than_one(tmp_path: Path) -> None:
    with booted(tmp_path, {"main.py": APP}, Limits()) as (app, findings):
        assert app is not None, findings
        answers = app.send_all([Request("GET", "/threads"), Request("GET", "/passwords")])
        assert [(answer.status, answer.text) for answer in answers] == [
            (200, "1500"),
            (200, "true"),
        ]
