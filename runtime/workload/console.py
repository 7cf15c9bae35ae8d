"""What comes over a machine's serial line: the kernel's words, a program's output, framed files.

`guest/init.c` describes the frames; each begins on a line with the mark of the run. A log keeps
two lines of fixed words in the frames' place, by which the program's own output can be found
again, byte for byte.
"""

from __future__ import annotations

import base64
import binascii
import re
import zlib

from attrs import field, frozen

from hcc.isa.errors import FormatError

BEGIN = b"hcc: the program begins\n"
END = b"\nhcc: the program has ended\n"


@frozen
class Console:
    """A run as its console tells it: the log, how the program ended (None if it is not said) and
    the files sent, folders being None."""

    log: bytes
    status: int | None
    files: dict[str, bytes | None] = field(factory=dict)
    missing: tuple[str, ...] = ()


def decode(content: bytes, mark: str) -> Console:
    """Take a console's bytes apart; FormatError if a file did not arrive whole."""
    word = mark.encode()
    begin = b"\n" + word + b" begin\n"
    at = content.find(begin)
    if at < 0:
        return Console(content, None)
    head, rest = content[: at + 1], content[at + len(begin) :]
    end = re.search(rb"\n" + re.escape(word) + rb" (exit|signal) (\d+)\r?\n", rest)
    if end is None:
        return Console(head + BEGIN + rest, None)
    status = int(end[2]) + (128 if end[1] == b"signal" else 0)
    tail = rest[end.end() :]
    files, missing, behind = _files(tail, word)
    log = head + BEGIN + rest[: end.start()] + END + behind
    return Console(log, status, files, missing)


def _files(tail: bytes, word: bytes) -> tuple[dict[str, bytes | None], tuple[str, ...], bytes]:
    files: dict[str, bytes | None] = {}
    missing: list[str] = []
    parts = (b"\n" + tail).split(b"\n" + word + b" ")
    for part in parts[1:]:
        line, _, body = part.partition(b"\n")
        kind, _, rest = line.rstrip(b"\r").decode(errors="surrogateescape").partition(" ")
        match kind:
            case "dir":
                files[rest] = None
            case "missing":
                missing.append(rest)
            case "file":
                size, _, path = rest.partition(" ")
                files[path] = last = _content(body, int(size), path)
                pending = (path, last)
            case "sum":
                if int(rest) != zlib.crc32(pending[1]):
                    raise FormatError(f"{pending[0]}: damaged on its way out of the machine")
            case "off":
                return files, tuple(missing), body
    raise FormatError("the machine went off before it had sent its files")


def _content(body: bytes, size: int, path: str) -> bytes:
    try:
        content = base64.b64decode(body.replace(b"\n", b"").replace(b"\r", b""), validate=True)
    except binascii.Error as error:
        raise FormatError(f"{path}: damaged on its way out of the machine") from error
    if len(content) != size:
        raise FormatError(f"{path}: {len(content)} of {size} bytes came out of the machine")
    return content


def program_part(log: bytes) -> bytes:
    """What the program printed, out of a log of any level."""
    begin, end = log.find(BEGIN), log.rfind(END)
    if begin < 0:
        return log
    return log[begin + len(BEGIN) : end if end >= 0 else len(log)]
