"""The OS personality: Linux system calls as a guest program sees them, on every ISA alike.

The CPU engines know nothing of it: they stop at a system call, and `Personality.call` does what
the kernel would, on host files and the guest's memory. Results are negative errno values, as in
the kernel. What a snapshot must keep (heap end, open files and their positions) is in `state`.
"""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable
from contextlib import suppress
from signal import SIGPIPE
from typing import TYPE_CHECKING, Any

from attrs import define, field

from hcc.emulator.faults import MemoryFault
from hcc.emulator.memory import PAGE_BITS, PAGE_SIZE, READ, SPACE_SIZE, WRITE, Memory, page_ceil
from hcc.isa.errors import FormatError, HccError
from hcc.runtime import network
from hcc.runtime.address_space import HEAP_LIMIT

if TYPE_CHECKING:
    from hcc.runtime.instruments import Instruments
    from hcc.runtime.pim.range import PimRange

AT_FDCWD = -100
AT_REMOVEDIR = 0x200
MOST_AT_ONCE = 1 << 24
"""Bytes that one read or write takes at most."""
PROCESS_ID = 1
LAST_SIGNAL = 64
_OPEN_FLAGS = os.O_ACCMODE | os.O_CREAT | os.O_EXCL | os.O_TRUNC | os.O_APPEND | os.O_NONBLOCK


class Exited(Exception):
    """The program ended by exit."""

    def __init__(self, status: int) -> None:
        super().__init__(f"exit status {status}")
        self.status = status


class Killed(Exception):
    """The program ended by a signal it sent itself."""

    def __init__(self, signal: int) -> None:
        super().__init__(f"signal {signal}")
        self.signal = signal


@define
class OpenFile:
    """A guest file descriptor. `host` is the host's; `path` is None for the standard streams."""

    host: int
    path: str | None
    flags: int


@define(eq=False)
class Personality:
    """System calls of one process."""

    memory: Memory
    heap_start: int
    heap_end: int = field(init=False)
    files: dict[int, OpenFile] = field(init=False)
    stdin_read: int = 0
    """Bytes taken from standard input so far."""
    instruments: Instruments | None = None
    """Where `hcc_tap` sends its values; without it they are dropped."""
    pim: PimRange | None = None
    """The memory of `hcc run --pim`."""

    def __attrs_post_init__(self) -> None:
        self.heap_end = self.heap_start
        self.files = {fd: OpenFile(fd, None, 0) for fd in range(3)}

    def call(self, name: str, args: list[int]) -> int:
        """Do a system call; the result is a signed 64-bit value."""
        handler: Callable[..., int] | None = getattr(self, "sys_" + name, None)
        if handler is None:
            return -errno.ENOSYS
        try:
            return handler(*args)
        except MemoryFault:
            return -errno.EFAULT
        except OverflowError:  # a number that does not fit the host's call
            return -errno.EINVAL
        except OSError as error:
            return -(error.errno or errno.EIO)

    def close_all(self) -> None:
        """Close the host files that the guest left open."""
        for file in self.files.values():
            if file.path is not None:
                os.close(file.host)
        self.files.clear()

    def _file(self, fd: int) -> OpenFile:
        file = self.files.get(_signed32(fd))
        if file is None:
            raise OSError(errno.EBADF, "bad file descriptor")
        return file

    # ---- files ----

    def sys_read(self, fd: int, addr: int, size: int, *_: int) -> int:
        file = self._file(fd)
        content = os.read(file.host, self._room(addr, min(size, MOST_AT_ONCE)))
        if content:
            self.memory.write(addr, content)
        if file.path is None and fd == 0:
            self.stdin_read += len(content)
        return len(content)

    def sys_write(self, fd: int, addr: int, size: int, *_: int) -> int:
        file = self._file(fd)
        content = self.memory.read(addr, min(size, MOST_AT_ONCE)) if size else b""
        try:
            return os.write(file.host, content)
        except BrokenPipeError as error:
            # Python ignores SIGPIPE for itself; the program has not asked for that.
            raise Killed(SIGPIPE) from error

    def _room(self, addr: int, size: int) -> int:
        """How many of so many bytes from an address on can be written; a fault if none can."""
        if size == 0:
            return 0
        self.memory.check(addr, 1, WRITE)
        end, most = page_ceil(addr + 1), min(addr + size, SPACE_SIZE)
        while end < most and self.memory.pages[end >> PAGE_BITS] & WRITE:
            end += PAGE_SIZE
        return min(size, end - addr)

    def sys_writev(self, fd: int, vector: int, count: int, *_: int) -> int:
        total = 0
        for i in range(count):
            addr = self.memory.load(vector + 16 * i, 8)
            total += self.sys_write(fd, addr, self.memory.load(vector + 16 * i + 8, 8))
        return total

    def sys_openat(self, directory: int, path: int, flags: int, mode: int, *_: int) -> int:
        if _signed32(directory) != AT_FDCWD:
            return -errno.EINVAL
        name = os.fsdecode(self.memory.read_string(path))
        flags &= _OPEN_FLAGS
        host = os.open(name, flags | os.O_CLOEXEC, mode & 0o7777)
        fd = next(i for i in range(len(self.files) + 1) if i not in self.files)
        self.files[fd] = OpenFile(host, os.path.abspath(name), flags)  # noqa: PTH100
        return fd

    def sys_close(self, fd: int, *_: int) -> int:
        file = self._file(fd)
        if file.path is not None:
            os.close(file.host)
        del self.files[_signed32(fd)]
        return 0

    def sys_lseek(self, fd: int, offset: int, whence: int, *_: int) -> int:
        return os.lseek(self._file(fd).host, _signed64(offset), whence)

    def sys_unlinkat(self, directory: int, path: int, flags: int, *_: int) -> int:
        if _signed32(directory) != AT_FDCWD or flags & 0xFFFF_FFFF & ~AT_REMOVEDIR:
            return -errno.EINVAL
        name = self.memory.read_string(path)
        if flags & AT_REMOVEDIR:
            os.rmdir(name)  # noqa: PTH106
        else:
            os.unlink(name)  # noqa: PTH108
        return 0

    def sys_renameat2(self, of: int, old: int, to: int, new: int, flags: int, *_: int) -> int:
        if (_signed32(of), _signed32(to), flags) != (AT_FDCWD, AT_FDCWD, 0):
            return -errno.EINVAL
        os.rename(self.memory.read_string(old), self.memory.read_string(new))  # noqa: PTH104
        return 0

    # ---- memory ----

    def sys_brk(self, addr: int, *_: int) -> int:
        if self.heap_start <= addr <= HEAP_LIMIT:
            old, new = page_ceil(self.heap_end), page_ceil(addr)
            if new > old:
                self.memory.protect(old, new - old, READ | WRITE)
            elif new < old:
                # What is given back reads as zero when it is taken again.
                self.memory.write(new, bytes(old - new))
                self.memory.protect(new, old - new, 0)
            self.heap_end = addr
        return self.heap_end

    # ---- process and time ----

    def sys_exit(self, status: int, *_: int) -> int:
        raise Exited(status & 0xFF)

    sys_exit_group = sys_exit

    def sys_getpid(self, *_: int) -> int:
        return PROCESS_ID

    sys_gettid = sys_getpid

    def sys_kill(self, pid: int, signal: int, *_: int) -> int:
        if pid != PROCESS_ID:
            return -errno.ESRCH
        if signal > LAST_SIGNAL:
            return -errno.EINVAL
        if signal:
            raise Killed(signal)
        return 0

    def sys_tgkill(self, group: int, thread: int, signal: int, *_: int) -> int:
        return self.sys_kill(thread, signal)

    def sys_clock_gettime(self, clock: int, addr: int, *_: int) -> int:
        now = time.clock_gettime_ns(clock)
        self.memory.store(addr, 8, now // 10**9)
        self.memory.store(addr + 8, 8, now % 10**9)
        return 0

    def sys_gettimeofday(self, addr: int, zone: int, *_: int) -> int:
        now = time.time_ns()
        if addr:
            self.memory.store(addr, 8, now // 10**9)
            self.memory.store(addr + 8, 8, now % 10**9 // 1000)
        return 0

    def sys_sched_yield(self, *_: int) -> int:
        return 0

    def sys_nanosleep(self, request: int, remain: int, *_: int) -> int:
        seconds, nanoseconds = self.memory.load(request, 8), self.memory.load(request + 8, 8)
        if seconds >> 63 or nanoseconds >= 10**9:
            return -errno.EINVAL
        time.sleep(seconds + nanoseconds / 1e9)
        return 0

    # ---- devices ----

    def sys_hcc_tap(self, unit: int, addr: int, count: int, flags: int, *_: int) -> int:
        if self.instruments is not None:
            self.instruments.tap(self.memory, unit & 0xFFFF_FFFF, addr, count, flags)
        return 0

    def sys_hcc_pim(self, question: int, addr: int, value: int, content: int, *_: int) -> int:
        if self.pim is None:
            return -errno.ENOSYS
        return self.pim.call(question, addr, value, content)

    def sys_hcc_stats(self, operation: int, *_: int) -> int:
        return 0 if self.pim is None else self.pim.statistics(operation)

    # ---- messages between nodes ----

    def sys_hcc_send(self, node: int, addr: int, size: int, *_: int) -> int:
        if size > network.LONGEST_MESSAGE:
            return -errno.EMSGSIZE
        return network.send(_signed32(node), self.memory.read(addr, size))

    def sys_hcc_recv(self, sender: int, addr: int, size: int, *_: int) -> int:
        self.memory.check(addr, size, WRITE)
        node, message = network.receive()
        self.memory.store(sender, 4, node & 0xFFFF_FFFF)
        self.memory.write(addr, message[:size])
        return len(message)

    # ---- snapshots ----

    def state(self) -> dict[str, Any]:
        """What a snapshot keeps; the inverse is `restore`."""
        files = [
            [fd, _path_of(f.host, f.path), f.flags, os.lseek(f.host, 0, os.SEEK_CUR)]
            for fd, f in sorted(self.files.items())
            if f.path is not None
        ]
        standard = [fd for fd, f in self.files.items() if f.path is None]
        return {
            "heap_start": self.heap_start,
            "heap_end": self.heap_end,
            "files": files,
            "standard": standard,
            "stdin_read": self.stdin_read,
            "instruments": self.instruments.state() if self.instruments else {},
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Take over a state: reopen the files at their positions."""
        self.heap_start, self.heap_end = state["heap_start"], state["heap_end"]
        self.stdin_read = state["stdin_read"]
        if state["instruments"]:
            from hcc.runtime.instruments import Instruments

            self.instruments = Instruments.restored(state["instruments"])
        self.files = {fd: OpenFile(fd, None, 0) for fd in state["standard"]}
        for fd, path, flags, position in state["files"]:
            once = os.O_CREAT | os.O_EXCL | os.O_TRUNC
            try:
                host = os.open(path, flags & ~once | os.O_CLOEXEC)
                self.files[fd] = OpenFile(host, path, flags)
                os.lseek(host, position, os.SEEK_SET)
            except OSError as error:
                raise FormatError(f"{path}: cannot be reopened: {error.strerror}") from error


def _path_of(host: int, path: str) -> str:
    """Where an open file is now; HccError if it could not be opened there again."""
    try:
        os.lseek(host, 0, os.SEEK_CUR)
    except OSError as error:
        fact = f"{path}: is open and has no positions: a snapshot cannot keep it"
        raise HccError(fact) from error
    now = path
    with suppress(OSError):  # where there is no /proc, a renamed file is refused, too
        now = os.readlink(f"/proc/self/fd/{host}")  # noqa: PTH115
    try:
        same = os.path.samestat(os.stat(now), os.fstat(host))  # noqa: PTH116
    except OSError:
        same = False
    if not same:
        raise HccError(f"{path}: is open and has been removed: a snapshot cannot keep it")
    return now


def check_state(state: dict[str, Any]) -> None:
    """ValueError (or KeyError, TypeError) unless `restore` can take the state over."""
    numbers = [state["heap_start"], state["heap_end"], state["stdin_read"], *state["standard"]]
    for fd, path, flags, position in state["files"]:
        numbers += [fd, flags, position]
        if not isinstance(path, str) or b"\0" in os.fsencode(path) or flags & ~_OPEN_FLAGS:
            raise ValueError(f"an open file with the path {path!r} and the flags {flags}")
    if not isinstance(state["instruments"], dict):
        raise ValueError("its instruments are no table")
    for number, content in state["instruments"].items():
        numbers.append(int(number))
        if not isinstance(content, str):
            raise ValueError(f"an instrumentation unit described by {content!r}")
    if not all(isinstance(n, int) and 0 <= n < 1 << 63 for n in numbers):
        raise ValueError("its open files or heap are described by something else than numbers")
    if not set(state["standard"]) <= {0, 1, 2} or state["heap_end"] > HEAP_LIMIT:
        raise ValueError("its standard streams or heap are out of range")


def _signed32(value: int) -> int:
    value &= 0xFFFF_FFFF
    return value - (1 << 32) if value >> 31 else value


def _signed64(value: int) -> int:
    return value - (1 << 64) if value >> 63 else value
