"""The endpoint of the tests hangs up on every client, whenever it is cut."""

import gc
import socket
from contextlib import ExitStack
from pathlib import Path

from tests.e2e.endpoint import Certificate, endpoint

ROUNDS = 50
AT_ONCE = 8


def test_lines_that_are_cut_before_they_began_are_hung_up(tmp_path: Path) -> None:
    with endpoint(Certificate.make(tmp_path), target=1) as front:
        for _ in range(ROUNDS):
            with ExitStack() as clients:
                lines = [
                    clients.enter_context(socket.create_connection(("127.0.0.1", front.port), 10))
                    for _ in range(AT_ONCE)
                ]
                front.cut()
                front.shut()
                assert all(map(hears_nothing, lines))
                front.open()
    gc.collect()  # A socket that nobody closed warns now, which fails the test.


def hears_nothing(line: socket.socket) -> bool:
    """Tell whether the other side has hung up; it did so roughly where it never took the line."""
    try:
        return line.recv(1) == b""
    except ConnectionResetError:
        return True
