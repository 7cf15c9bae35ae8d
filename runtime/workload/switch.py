"""The network between the jobs of one launch: a switch that passes frames from stream to stream.

Each job has one end of a stream (`hcc.runtime.network`, `libhcc/message.c`), or its machine has
(a serial line that QEMU connects to a socket). The switch holds what a receiver has not taken
yet, so no sender waits. What is sent to a node that has ended or takes no part is dropped; when
all others have ended, a node reads the end of its stream instead of waiting for ever.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import socket
import threading
from collections.abc import Iterable
from pathlib import Path

from attrs import define, field

from hcc.runtime.network import HEADER, LONGEST_MESSAGE

_PIECE = 1 << 16
_READY = -1  # the receiver in the frame by which a machine says that its line is open


@define(eq=False)
class _Port:
    """A node's place at the switch. `speaking` until its stream has come to an end; `ready` when it
    can be spoken to, which a machine is only after it has said so."""

    node: int
    stream: socket.socket | None = None
    received: bytearray = field(factory=bytearray)
    to_send: bytearray = field(factory=bytearray)
    speaking: bool = True
    ready: bool = True
    told: bool = False
    hung_up: bool = False


class Switch:
    """Connects nodes by number; runs on a thread of its own from `start` to `close`."""

    def __init__(self, nodes: Iterable[int]) -> None:
        """`nodes` are those that take part."""
        self._selector = selectors.DefaultSelector()
        self._ports = {node: _Port(node) for node in nodes}
        self._listeners: dict[int, socket.socket] = {}
        self._wake_in, self._wake_out = os.pipe()
        self._selector.register(self._wake_in, selectors.EVENT_READ)
        self._lock = threading.Lock()
        self._closing = False
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def start(self) -> None:
        """Begin to pass messages."""
        self._thread.start()

    def connect(self, node: int) -> socket.socket:
        """The end of a node's stream, for a child process; it is the caller's to close."""
        ours, theirs = socket.socketpair()
        self._attach(node, ours)
        return theirs

    def listen(self, node: int, path: Path) -> None:
        """Wait at a path for a machine that is the node."""
        listener = socket.socket(socket.AF_UNIX)
        folder = os.open(path.parent, os.O_PATH)
        try:
            # An address has room for a hundred characters, which a path may exceed.
            listener.bind(f"/proc/self/fd/{folder}/{path.name}")
        finally:
            os.close(folder)
        listener.listen(1)
        with self._lock:
            self._listeners[node] = listener
            self._ports[node].ready = False
            self._selector.register(listener, selectors.EVENT_READ, node)
        self._wake()

    def ended(self, node: int) -> None:
        """Say that a node's job is over, in case it never had a stream."""
        with self._lock:
            port = self._ports[node]
            if port.stream is None:
                port.speaking = False
                port.to_send.clear()
        self._wake()

    def close(self) -> None:
        """Stop and let go of all streams."""
        self._closing = True
        self._wake()
        if self._thread.is_alive():
            self._thread.join()
        for port in self._ports.values():
            if port.stream is not None:
                port.stream.close()
        for listener in self._listeners.values():
            listener.close()
        self._selector.close()
        os.close(self._wake_in)
        os.close(self._wake_out)

    def _wake(self) -> None:
        with contextlib.suppress(OSError):
            os.write(self._wake_out, b".")

    def _attach(self, node: int, stream: socket.socket) -> None:
        stream.setblocking(False)
        port = self._ports[node]
        with self._lock:
            port.stream = stream
        self._watch(port)
        self._wake()

    def _serve(self) -> None:
        while not self._closing:
            self._hang_up()
            for key, events in self._selector.select():
                if key.fd == self._wake_in:
                    os.read(self._wake_in, 4096)
                elif isinstance(key.data, int):
                    self._accept(key.data)
                else:
                    self._serve_port(key.data, events)

    def _accept(self, node: int) -> None:
        with self._lock:
            listener = self._listeners[node]
            self._selector.unregister(listener)
        stream, _ = listener.accept()
        self._attach(node, stream)

    def _serve_port(self, port: _Port, events: int) -> None:
        assert port.stream is not None
        try:
            if events & selectors.EVENT_READ:
                piece = port.stream.recv(_PIECE)
                if piece:
                    port.received += piece
                    self._pass_on(port)
                else:
                    port.speaking = False
            if events & selectors.EVENT_WRITE and port.to_send:
                done = port.stream.send(port.to_send[:_PIECE])
                del port.to_send[:done]
        except (BlockingIOError, InterruptedError):
            pass
        except OSError:
            port.speaking = False
            port.to_send.clear()
        self._watch(port)

    def _watch(self, port: _Port) -> None:
        """Have the selector look for what a port waits for."""
        if port.stream is None:
            return
        wanted = selectors.EVENT_READ if port.speaking else 0
        if port.to_send and port.ready:
            wanted |= selectors.EVENT_WRITE
        with self._lock:
            watched = port.stream.fileno() in self._selector.get_map()
            if wanted and watched:
                self._selector.modify(port.stream, wanted, port)
            elif wanted:
                self._selector.register(port.stream, wanted, port)
            elif watched:
                self._selector.unregister(port.stream)

    def _pass_on(self, port: _Port) -> None:
        """Move the whole frames that a port has sent to their receivers."""
        data = port.received
        while len(data) >= HEADER.size:
            size, node = HEADER.unpack_from(data)
            if not 0 <= size <= LONGEST_MESSAGE:  # no frame: whoever it is does not speak this
                port.speaking = False
                data.clear()
                return
            end = HEADER.size + size
            if len(data) < end:
                return
            if node == _READY:
                port.ready = True
                del data[:end]
                continue
            receiver = self._ports.get(node)
            if receiver is not None and receiver.speaking:
                receiver.to_send += HEADER.pack(size, port.node) + data[HEADER.size : end]
                self._watch(receiver)
            del data[:end]

    def _hang_up(self) -> None:
        """Tell nodes that nobody can send to any more, then end their streams."""
        for port in self._ports.values():
            alone = not any(p.speaking for p in self._ports.values() if p is not port)
            if not alone or port.stream is None or port.to_send:
                continue
            if not port.told:
                port.told = True
                port.to_send += HEADER.pack(-1, -1)
                self._watch(port)
            elif not port.hung_up:
                port.hung_up = True
                with contextlib.suppress(OSError):
                    port.stream.shutdown(socket.SHUT_WR)
