"""Host memory for compiled code: one reservation, so that branches reach and faults are told apart.

Pages are writable only while code is being put there. What a CPU no longer needs is given back as a
whole, and its place used again for images of the same number of pages.
"""

from __future__ import annotations

import ctypes
import mmap
from threading import Lock

from hcc.emulator.jit.objects import Image
from hcc.isa.errors import HccError

SIZE = 1 << 30
PAGE = 4096
_PROT_NONE, _PROT_RW, _PROT_RX = 0, mmap.PROT_READ | mmap.PROT_WRITE, mmap.PROT_READ | 4
_MAP_NORESERVE = 0x4000

_libc = ctypes.CDLL(None, use_errno=True)
_libc.mmap.restype = ctypes.c_void_p
_libc.mmap.argtypes = (
    ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long,
)  # fmt: skip
_libc.mprotect.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)


def _pages(size: int) -> int:
    return -(-max(size, 1) // PAGE)


class Arena:
    """Where images are put; `names` are the addresses that images may refer to."""

    def __init__(self) -> None:
        flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | _MAP_NORESERVE
        address = _libc.mmap(None, SIZE, _PROT_NONE, flags, -1, 0)
        if address is None or address == (1 << 64) - 1:
            raise HccError(f"no memory for compiled code: errno {ctypes.get_errno()}")
        self.start: int = address
        self.end = self.start + SIZE
        self.names: dict[str, int] = {}
        self._used = self.start
        self._free: dict[int, list[int]] = {}
        self._lock = Lock()

    def reserve_data(self, size: int) -> int:
        """The address of fresh zeroed memory within reach of the code, writable for good."""
        with self._lock:
            address = self._take(size)
            self._protect(address, size, _PROT_RW)
        return address

    def place(self, image: Image) -> int:
        """Put an image into memory, ready to run; returns its address."""
        with self._lock:
            unknown = image.outside() - self.names.keys()
            for name in sorted(unknown):
                self.names[name] = self._thunk(name)
            address = self._take(len(image.content))
            self._fill(address, image.at(address, self.names))
        return address

    def give_back(self, address: int, image: Image) -> None:
        """Forget an image, which nothing runs any more."""
        with self._lock:
            self._free.setdefault(_pages(len(image.content)), []).append(address)

    def _take(self, size: int) -> int:
        pages = _pages(size)
        free = self._free.get(pages)
        if free:
            return free.pop()
        address: int = self._used
        self._used += pages * PAGE
        if self._used > self.end:
            raise HccError("the memory for compiled code is full")
        return address

    def _fill(self, address: int, content: bytes) -> None:
        self._protect(address, len(content), _PROT_RW)
        ctypes.memmove(address, content, len(content))
        self._protect(address, len(content), _PROT_RX)

    def _protect(self, address: int, size: int, access: int) -> None:
        if _libc.mprotect(address, -(-size // PAGE) * PAGE, access):
            raise HccError(f"mprotect of compiled code failed: errno {ctypes.get_errno()}")

    def _thunk(self, name: str) -> int:
        """A jump to a function of the C library, which is too far away for a direct call."""
        function = getattr(_libc, name, None)
        if function is None:
            raise HccError(f"compiled code needs '{name}', which the host does not have")
        target = ctypes.cast(function, ctypes.c_void_p).value or 0
        address = self._take(16)
        self._fill(address, b"\xff\x25\x00\x00\x00\x00" + target.to_bytes(8, "little"))
        return address
