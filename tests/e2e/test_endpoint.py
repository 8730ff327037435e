"""The endpoint of the tests hangs up on every client, whenever it is cut."""

import asyncio
import contextlib
import gc
import socket
from contextlib import ExitStack
from pathlib import Path

from tests.e2e.endpoint import Certificate, endpoint, pass_on

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


def test_a_line_that_is_cut_twice_is_hung_up() -> None:
    asyncio.run(cut_twice())


async def cut_twice() -> None:
    accepted: asyncio.Queue[asyncio.StreamWriter] = asyncio.Queue()
    server = await asyncio.start_server(
        lambda _, writer: accepted.put_nowait(writer), "127.0.0.1", 0
    )
    port = server.sockets[0].getsockname()[1]
    client, database = [await asyncio.open_connection("127.0.0.1", port) for _ in range(2)]
    writers = [await accepted.get() for _ in range(2)]
    line = asyncio.create_task(pass_on(client, database))
    for _ in range(2):
        await asyncio.sleep(0)
        line.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await line
    assert database[1].transport.is_closing()
    server.close()
    for writer in (client[1], *writers):
        writer.close()
        await writer.wait_closed()


def hears_nothing(line: socket.socket) -> bool:
    """Tell whether the other side has hung up; it did so roughly where it never took the line."""
    try:
        return line.recv(1) == b""
    except ConnectionResetError:
        return True
