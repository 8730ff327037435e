"""Files to upload: small, of the kinds that backends ask for, each with a user's marker in it.

Sources: RFC 7578 (multipart/form-data), the PNG specification (chunks).
"""

import json
import struct
import zlib
from collections.abc import Iterator, Mapping
from typing import Any

from validators.probes.operations import Document, Schema
from validators.runtime.app import File

KINDS = ("text/plain", "image/png", "application/pdf", "text/csv", "application/json")
_ENDINGS = ("txt", "png", "pdf", "csv", "json")
_ONE_PIXEL = struct.pack("!IIBBBBB", 1, 1, 8, 0, 0, 0, 0)


def make_file(field: str, text: str, kind: int, table: str = "") -> File:
    """Return a file with a text in it.

    Args:
        field: The form's field that it goes into.
        text: What must be found again where its content leaks.
        kind: Number of one of `KINDS`.
        table: What a file of comma-separated values holds; a title alone where it is empty.
    """
    contents = {
        "text/plain": f"{text}\n".encode(),
        "image/png": _png(text),
        "application/pdf": f"%PDF-1.4\n% {text}\ntrailer <<>>\n%%EOF\n".encode(),
        "text/csv": (table if table.strip() else f"title\n{text}\n").encode(),
        "application/json": json.dumps({"title": text}).encode(),
    }
    name = f"{text.rsplit(maxsplit=1)[-1]}.{_ENDINGS[kind]}"
    return File(field, name, KINDS[kind], contents[KINDS[kind]])


def file_fields(document: Document, schema: Schema) -> Iterator[str]:
    """Yield the properties of a form that hold a file or several."""
    for name, item, _ in document.properties(schema):
        options = item.get("anyOf") if isinstance(item.get("anyOf"), list) else [item]
        for option in map(document.resolve, options or ()):
            inner = document.resolve(option.get("items") or option)
            if _is_binary(inner):
                yield name
                break


def _is_binary(schema: Mapping[str, Any]) -> bool:
    return schema.get("type") == "string" and (
        schema.get("format") == "binary"
        or schema.get("contentMediaType") == "application/octet-stream"
    )


def _png(text: str) -> bytes:
    pixel = zlib.compress(b"\x00\x00")
    chunks = ((b"IHDR", _ONE_PIXEL), (b"tEXt", f"Title\0{text}".encode()), (b"IDAT", pixel))
    parts = [_chunk(kind, data) for kind, data in (*chunks, (b"IEND", b""))]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack("!I", len(data)) + kind + data + struct.pack("!I", zlib.crc32(kind + data))
