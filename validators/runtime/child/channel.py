"""Length-framed JSON over one socket, as both sides of the check speak it."""

import json
import socket
import struct
from typing import Any

Message = dict[str, Any]

HEADER = struct.Struct("!I")


def encode(message: Message) -> bytes:
    """Return a message as one frame: four bytes of length, then JSON."""
    body = json.dumps(message, separators=(",", ":")).encode()
    return HEADER.pack(len(body)) + body


def send(sock: socket.socket, message: Message) -> None:
    """Send one message; blocks until it is with the kernel."""
    sock.sendall(encode(message))


def receive(sock: socket.socket) -> Message | None:
    """Receive one message; None where the other side has closed."""
    header = exactly(sock, HEADER.size)
    if header is None:
        return None
    body = exactly(sock, HEADER.unpack(header)[0])
    if body is None:
        return None
    message: Message = json.loads(body)
    return message


def exactly(sock: socket.socket, size: int) -> bytes | None:
    """Receive so many bytes; None where the other side closes before."""
    parts = []
    while size:
        part = sock.recv(min(size, 65536))
        if not part:
            return None
        parts.append(part)
        size -= len(part)
    return b"".join(parts)
