"""An endpoint in front of a database that behaves as Neon's: TLS, SCRAM, sleep and cut lines.

It speaks as much of PostgreSQL's protocol (PostgreSQL documentation, chapter "Frontend/Backend
Protocol", sections "SSL Session Encryption" and "SASL Authentication") as it takes to let a client
in with SCRAM-SHA-256-PLUS; from then on it passes bytes in both directions.
"""

import asyncio
import contextlib
import datetime as dt
import functools
import socket
import ssl
import struct
import threading
from collections.abc import Coroutine, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.e2e import scram
from tests.e2e.processes import free_port
from tests.e2e.scram import RefusedError

PASSWORD = "a password that only the endpoint knows"
_SSL_REQUEST = struct.Struct("!ii")
_SSL_REQUEST_CODE = 80877103

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass(frozen=True)
class Certificate:
    """A self-signed certificate of this machine.

    Attributes:
        context: For the server side of TLS.
        fingerprint: Its SHA-256 hash, to which SCRAM binds the channel (RFC 5929).
    """

    context: ssl.SSLContext
    fingerprint: bytes

    @classmethod
    def make(cls, folder: Path) -> "Certificate":
        """Make one, and put it into a folder."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
        now = dt.datetime.now(dt.UTC)
        made = (
            x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(days=1))
            .not_valid_after(now + dt.timedelta(days=1))
            .sign(key, hashes.SHA256())
        )
        pem = folder / "endpoint.pem"
        pem.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
            + made.public_bytes(serialization.Encoding.PEM)
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pem)
        return cls(context, made.fingerprint(hashes.SHA256()))


@dataclass
class Endpoint:
    """The endpoint, in a thread of its own.

    Attributes:
        certificate: What it shows to clients.
        target: Port of the loopback address where the database listens.
        port: Where the endpoint itself listens.
        entered: How many clients were let in so far.
    """

    certificate: Certificate
    target: int
    port: int = field(default_factory=free_port)
    entered: int = 0
    _loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)
    _accepting: asyncio.Task[None] | None = None
    _lines: set[asyncio.Task[None]] = field(default_factory=set)
    _wakes_at: float = 0.0

    def url(self, role: str) -> str:
        """Return the URL as Neon writes it, of a role and the database of the same name."""
        address = f"{role}:{PASSWORD.replace(' ', '%20')}@127.0.0.1:{self.port}/{role}"
        return f"postgresql://{address}?sslmode=require&channel_binding=require"

    def cut(self) -> None:
        """Cut all connections."""
        self._do(self._cut())

    def sleep(self, seconds: float) -> None:
        """Cut all connections, and let those that come wait until the database is awake."""
        self._do(self._sleep(seconds))

    def shut(self) -> None:
        """Cut all connections and refuse new ones."""
        self._do(self._shut())

    def open(self) -> None:
        """Accept connections."""
        self._do(self._open())

    def open_after(self, seconds: float) -> threading.Timer:
        """Accept connections after some time; return the timer, started."""
        timer = threading.Timer(seconds, self.open)
        timer.start()
        return timer

    def _do(self, action: Coroutine[None, None, None]) -> None:
        asyncio.run_coroutine_threadsafe(action, self._loop).result(10)

    async def _open(self) -> None:
        listener = socket.create_server(("127.0.0.1", self.port), backlog=100)
        listener.settimeout(0)
        self._accepting = asyncio.create_task(self._accept(listener))

    async def _accept(self, listener: socket.socket) -> None:
        with listener:
            while True:
                client, _ = await self._loop.sock_accept(listener)
                line = asyncio.create_task(self._serve(client))
                self._lines.add(line)
                line.add_done_callback(functools.partial(self._hang_up, client))

    def _hang_up(self, client: socket.socket, line: asyncio.Task[None]) -> None:
        """End a line. One that is cut before it began could not do so itself."""
        self._lines.discard(line)
        # TLS that has not begun either keeps a copy of the socket, and must hear of the end.
        with contextlib.suppress(OSError):
            client.shutdown(socket.SHUT_RDWR)
        client.close()

    async def _shut(self) -> None:
        if self._accepting is not None:
            await _cancel([self._accepting])
        await self._cut()

    async def _cut(self) -> None:
        await _cancel(list(self._lines))

    async def _sleep(self, seconds: float) -> None:
        self._wakes_at = self._loop.time() + seconds
        await self._cut()

    async def _serve(self, client: socket.socket) -> None:
        """Let a client in, and pass on what it and the database say until one of them ends."""
        with contextlib.suppress(RefusedError, OSError, asyncio.IncompleteReadError):
            await asyncio.sleep(self._wakes_at - self._loop.time())
            reader, writer = await self._encrypt(client)
            try:
                start = await self._let_in(reader, writer)
                self.entered += 1
                inner = await asyncio.open_connection("127.0.0.1", self.target)
                inner[1].write(start)
                await pass_on((reader, writer), inner)
            finally:
                writer.transport.abort()

    async def _encrypt(self, client: socket.socket) -> Streams:
        """Do what a client asks for first, which is TLS."""
        asked = b""
        while len(asked) < _SSL_REQUEST.size:
            received = await self._loop.sock_recv(client, _SSL_REQUEST.size - len(asked))
            if not received:
                raise RefusedError
            asked += received
        if _SSL_REQUEST.unpack(asked) != (_SSL_REQUEST.size, _SSL_REQUEST_CODE):
            raise RefusedError
        await self._loop.sock_sendall(client, b"S")
        reader = asyncio.StreamReader()
        protocol = asyncio.StreamReaderProtocol(reader)
        transport, _ = await self._loop.connect_accepted_socket(
            lambda: protocol, client.dup(), ssl=self.certificate.context
        )
        return reader, asyncio.StreamWriter(transport, protocol, reader, self._loop)

    async def _let_in(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        """Return the message with which a client starts, once it has shown who it is."""
        head = await reader.readexactly(4)
        start = head + await reader.readexactly(int.from_bytes(head) - len(head))
        server = scram.Server(PASSWORD, self.certificate.fingerprint)
        writer.write(_authentication(10, f"{scram.MECHANISM}\0\0"))
        chosen, _, first = (await _read_message(reader)).partition("\0")
        if chosen != scram.MECHANISM:
            raise RefusedError
        # Four bytes of length come before the client's first words.
        writer.write(_authentication(11, server.answer_first(first[4:])))
        writer.write(_authentication(12, server.answer_final(await _read_message(reader))))
        return start


def _authentication(kind: int, content: str) -> bytes:
    return b"R" + struct.pack("!ii", 8 + len(content), kind) + content.encode()


async def _read_message(reader: asyncio.StreamReader) -> str:
    kind, length = struct.unpack("!ci", await reader.readexactly(5))
    if kind != b"p":
        raise RefusedError
    return (await reader.readexactly(length - 4)).decode("latin-1")


async def pass_on(client: Streams, database: Streams) -> None:
    """Pass bytes in both directions until one side ends."""
    pumps = [
        asyncio.create_task(_pump(client[0], database[1])),
        asyncio.create_task(_pump(database[0], client[1])),
    ]
    try:
        await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
    finally:
        # At once: a line may be cut while its pumps end.
        database[1].transport.abort()
        await _cancel(pumps)


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while chunk := await reader.read(65536):
        writer.write(chunk)
        await writer.drain()


async def _cancel(tasks: Sequence[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


@contextmanager
def endpoint(certificate: Certificate, target: int) -> Iterator[Endpoint]:
    """Run an endpoint until the end of the block."""
    made = Endpoint(certificate, target)
    thread = threading.Thread(target=made._loop.run_forever)
    thread.start()
    try:
        made.open()
        yield made
    finally:
        made.shut()
        made._loop.call_soon_threadsafe(made._loop.stop)
        thread.join()
        made._loop.close()
