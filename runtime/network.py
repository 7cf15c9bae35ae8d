"""A process's end of the simulated network: messages as frames on a stream of the launcher's.

A frame is its length, a node's number (the receiver's on the way out, the sender's on the way
in; both 32 bits, little-endian) and the message. `libhcc/message.c` speaks the same where there
is no emulator between the program and the kernel. The launcher leaves the stream open and its
number in the environment; without it there is no network. A length below 0 says that nobody is
left who could send.
"""

from __future__ import annotations

import errno
import os
import struct

STREAM_VARIABLE = "HCC_NETWORK_FD"
HEADER = struct.Struct("<ii")
LONGEST_MESSAGE = 16 << 20


def _stream() -> int:
    text = os.environ.get(STREAM_VARIABLE)
    if text is None or not text.isdecimal():
        raise OSError(errno.ENOTCONN, "no network")
    return int(text)


def send(node: int, message: bytes) -> int:
    """Send a message; the length of it."""
    if len(message) > LONGEST_MESSAGE:
        raise OSError(errno.EMSGSIZE, "message too long")
    frame = memoryview(HEADER.pack(len(message), node) + message)
    stream = _stream()
    while frame:
        try:
            frame = frame[os.write(stream, frame) :]
        except BrokenPipeError as error:
            raise OSError(errno.EPIPE, "the network is gone") from error
    return len(message)


def receive() -> tuple[int, bytes]:
    """Wait for the next message: its sender, and the whole of it. EPIPE when nobody is left."""
    stream = _stream()
    size, node = HEADER.unpack(_read(stream, HEADER.size))
    if size < 0:
        raise OSError(errno.EPIPE, "nobody is left")
    return node, _read(stream, size)


def _read(stream: int, size: int) -> bytes:
    parts = []
    while size:
        part = os.read(stream, min(size, 1 << 20))
        if not part:
            raise OSError(errno.EPIPE, "nobody is left")
        parts.append(part)
        size -= len(part)
    return b"".join(parts)
