"""Guest memory: one flat 4 GiB reservation with a permission byte a page.

The reservation is an anonymous mapping without swap reserve, so untouched pages cost nothing and
an address is an offset. Inaccessible zones lie before and behind it, so that compiled code may add
an index of 32 bits times eight to an address that it has checked. Permissions are kept twice: in
`pages`, a byte for each 4 KiB page that the interpreter looks at before each access, and in the
host's page tables (mprotect), where compiled code meets them. Pages of a device belong to an object
with `read` and `write`; they carry no permission bits, so every engine reaches them by its slow
path.
"""

from __future__ import annotations

import ctypes
import gc
import mmap
import re
from collections.abc import Iterator
from typing import Protocol
from weakref import finalize

from attrs import frozen

from hcc.emulator.faults import FaultKind, MemoryFault
from hcc.isa.errors import HccError

PAGE_SIZE = 4096
PAGE_BITS = 12
SPACE_SIZE = 1 << 32
GUARD_SIZE = 1 << 38

READ = 1
WRITE = 2

_libc = ctypes.CDLL(None, use_errno=True)
_libc.mprotect.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
_libc.mmap.restype = ctypes.c_void_p
_libc.mmap.argtypes = (
    ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long,
)  # fmt: skip
_libc.munmap.argtypes = (ctypes.c_void_p, ctypes.c_size_t)
_MAP_NORESERVE = 0x4000
_MAP_FIXED_NOREPLACE = 0x100000
_MAP_FAILED = (1 << 64) - 1
_FLAGS = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | _MAP_NORESERVE
_HOST_ACCESS = {
    0: 0,
    READ: mmap.PROT_READ,
    WRITE: mmap.PROT_READ | mmap.PROT_WRITE,
    READ | WRITE: mmap.PROT_READ | mmap.PROT_WRITE,
}
_RUNS = [re.compile(bytes([access]) + b"*") for access in (0, READ, WRITE, READ | WRITE)]


class Device(Protocol):
    """What answers on an address range instead of memory. Offsets count from its start."""

    def read(self, offset: int, size: int) -> int:
        """The little-endian integer of `size` bytes at `offset`."""

    def write(self, offset: int, size: int, value: int) -> None:
        """Take the little-endian integer of `size` bytes at `offset`."""


@frozen
class DeviceRange:
    """A device and the page-aligned addresses it answers on."""

    start: int
    end: int
    device: Device


def page_floor(addr: int) -> int:
    return addr & -PAGE_SIZE


def page_ceil(addr: int) -> int:
    return (addr + PAGE_SIZE - 1) & -PAGE_SIZE


def _reserve(guard: int) -> tuple[mmap.mmap, int]:
    """Inaccessible memory of 4 GiB between zones of some size, and its host address; OSError if the
    host refuses that.

    Python's mmap takes no address, so the zone before it is put there afterwards; if something
    else lies there, another place is tried.
    """
    refused = []
    for _ in range(16):
        data = mmap.mmap(-1, SPACE_SIZE + guard, flags=_FLAGS)
        address = ctypes.addressof(ctypes.c_char.from_buffer(data))
        if _libc.mprotect(address, SPACE_SIZE + guard, 0):
            raise OSError(ctypes.get_errno(), "mprotect failed")
        if not guard:
            return data, address
        flags = _FLAGS | _MAP_FIXED_NOREPLACE
        below = address - guard
        zone = _libc.mmap(below, guard, 0, flags, -1, 0)
        if zone == below:
            return data, address
        if zone != _MAP_FAILED:  # a kernel before 4.17
            _libc.munmap(zone, guard)
        refused.append(data)
    raise OSError("no room")


def _reserved_with_zones() -> tuple[mmap.mmap, int]:
    """The same with zones of the usual size; there is room for some 250 at a time, so what nobody
    uses any more must be given back."""
    try:
        return _reserve(GUARD_SIZE)
    except OSError:
        gc.collect()
        return _reserve(GUARD_SIZE)


class Memory:
    """The memory of one address space. Accesses are little-endian.

    Where the host grants too little address space for the zones (`ulimit -v`), there are none, and
    no compiled code can run in it.
    """

    def __init__(self) -> None:
        self.has_zones = True
        try:
            self.data, self.host_addr = _reserved_with_zones()
            below = self.host_addr - GUARD_SIZE
            # Not at exit: a guest's thread may be running still.
            finalize(self, _libc.munmap, below, GUARD_SIZE).atexit = False
        except OSError:
            self.has_zones = False
            try:
                self.data, self.host_addr = _reserve(0)
            except OSError as error:
                raise HccError(f"the host refuses 4 GiB of address space: {error}") from None
        self.pages = bytearray(SPACE_SIZE >> PAGE_BITS)
        self.devices: list[DeviceRange] = []

    def protect(self, start: int, size: int, access: int) -> None:
        """Give the pages of a page-aligned range the access READ, READ | WRITE or 0 (none)."""
        if start % PAGE_SIZE or size % PAGE_SIZE or start < 0 or start + size > SPACE_SIZE:
            raise HccError(f"guest range {start:#x}+{size:#x} is not made of pages below 4 GiB")
        first, count = start >> PAGE_BITS, size >> PAGE_BITS
        self.pages[first : first + count] = bytes([access]) * count
        self._protect_host(start, size, access)

    def _protect_host(self, start: int, size: int, access: int) -> None:
        if _libc.mprotect(self.host_addr + start, size, _HOST_ACCESS[access]):
            raise HccError(f"mprotect of {size} bytes failed: errno {ctypes.get_errno()}")

    def map_device(self, start: int, size: int, device: Device) -> None:
        """Let `device` answer on a page-aligned range."""
        self.protect(start, size, 0)
        self.devices.append(DeviceRange(start, start + size, device))

    def mapped_ranges(self) -> Iterator[tuple[int, int, int]]:
        """(start, end, access) of each run of pages with one access other than none."""
        pages, position, total = self.pages, 0, len(self.pages)
        while position < total:
            access = pages[position]
            run = _RUNS[access].match(pages, position)
            end = run.end() if run else total
            if access:
                yield position << PAGE_BITS, end << PAGE_BITS, access
            position = end

    # ---- access by the host: checked, any size ----

    def check(self, addr: int, size: int, access: int) -> None:
        """Raise MemoryFault unless all bytes of the range have the access."""
        end = addr + max(size, 1)
        kind = FaultKind.WRITE if access & WRITE else FaultKind.READ
        if addr < 0 or end > SPACE_SIZE:
            raise MemoryFault(kind, addr, size)
        for page in self.pages[addr >> PAGE_BITS : ((end - 1) >> PAGE_BITS) + 1]:
            if not page & access:
                raise MemoryFault(kind, addr, size)

    def read(self, addr: int, size: int) -> bytes:
        """`size` bytes from readable pages."""
        self.check(addr, size, READ)
        return self.data[addr : addr + size]

    def writable(self, addr: int, size: int) -> memoryview:
        """As many of `size` bytes from an address on as are writable, to be filled at once and not
        kept; a fault if there are none."""
        pages, first = self.pages, addr >> PAGE_BITS
        last = (min(addr + size, SPACE_SIZE) - 1) >> PAGE_BITS
        if addr >= SPACE_SIZE or not pages[first] & WRITE:
            raise MemoryFault(FaultKind.WRITE, addr, size)
        page = first + 1
        while page <= last and pages[page] & WRITE:
            page += 1
        return memoryview(self.data)[addr : min(addr + size, page << PAGE_BITS)]

    def write(self, addr: int, content: bytes) -> None:
        """Put bytes into writable pages."""
        self.check(addr, len(content), WRITE)
        self.data[addr : addr + len(content)] = content

    def fill(self, addr: int, content: bytes) -> None:
        """Put bytes into mapped pages whatever their access: for loaders."""
        self.check(addr, len(content), READ | WRITE)
        if not content:
            return
        start, end = page_floor(addr), page_ceil(addr + len(content))
        pages = self.pages[start >> PAGE_BITS : end >> PAGE_BITS]
        read_only = [i for i, access in enumerate(pages) if not access & WRITE]
        if read_only:
            self._protect_host(start, end - start, READ | WRITE)
        self.data[addr : addr + len(content)] = content
        for i in read_only:
            self._protect_host(start + (i << PAGE_BITS), PAGE_SIZE, pages[i])

    def read_string(self, addr: int, limit: int = 1 << 20) -> bytes:
        """The NUL-terminated string at `addr`, without its NUL."""
        end = addr
        while True:
            self.check(end, 1, READ)
            stop = page_floor(end) + PAGE_SIZE
            found = self.data.find(b"\0", end, stop)
            if found >= 0:
                return self.data[addr:found]
            end = stop
            if end - addr > limit:
                raise MemoryFault(FaultKind.READ, addr, limit)

    # ---- access by guest instructions: whatever is not a plain aligned access to one page ----

    def load(self, addr: int, size: int) -> int:
        """The integer that an instruction loads; devices and page-crossing accesses included."""
        device = self._device_at(addr) if self.devices else None
        if device:
            return device.device.read(addr - device.start, size)
        return int.from_bytes(self.read(addr, size), "little")

    def store(self, addr: int, size: int, value: int) -> None:
        """The counterpart of `load`."""
        device = self._device_at(addr) if self.devices else None
        if device:
            device.device.write(addr - device.start, size, value)
        else:
            self.write(addr, value.to_bytes(size, "little"))

    def _device_at(self, addr: int) -> DeviceRange | None:
        for device in self.devices:
            if device.start <= addr < device.end:
                return device
        return None
