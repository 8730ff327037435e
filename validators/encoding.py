"""Whether Python would decode a source file as the checks do, which is as UTF-8.

A file may declare another encoding in its first two lines (PEP 263). Under `utf-7`, say, what
the checks read as a comment is code when Python runs it.
"""

import codecs
import io
import tokenize

_UTF8 = frozenset({"utf-8", "utf-8-sig"})
# Plain ASCII reads the same under these.
_SUPERSETS_OF_ASCII = frozenset({"ascii", "cp1252", "iso8859-1", "iso8859-15"})


def foreign_encoding(raw: bytes) -> tuple[str, int] | None:
    """Return the encoding under which Python would read a file otherwise, and its line.

    Args:
        raw: The file's bytes, which are UTF-8.

    Returns:
        The declared name and the line from 1, or None where Python reads what the checks read.
    """
    lines = io.BytesIO(raw.replace(b"\r\n", b"\n").replace(b"\r", b"\n"))
    try:
        declared, read = tokenize.detect_encoding(lines.readline)
    except SyntaxError:
        return "an encoding that Python does not know", 1
    name = codecs.lookup(declared).name
    if name in _UTF8 or (name in _SUPERSETS_OF_ASCII and raw.isascii()):
        return None
    return declared, max(len(read), 1)
