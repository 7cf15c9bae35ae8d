"""The OS personality: Linux system calls as a guest program sees them, on every ISA alike.

The CPU engines know nothing of it: they stop at a system call, and `Personality.call` does what
the kernel would, on host files (`file_calls`) and the guest's memory. Results are negative errno
values, as in the kernel. What a snapshot must keep (heap end, open files and their positions) is
in `state`.
"""

from __future__ import annotations

import errno
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from attrs import define, field

from hcc.emulator.faults import MemoryFault
from hcc.emulator.memory import READ, WRITE, page_ceil
from hcc.runtime import network
from hcc.runtime.address_space import HEAP_LIMIT
from hcc.runtime.endings import Exited, Killed
from hcc.runtime.file_calls import FileCalls, check_files_state, signed32

if TYPE_CHECKING:
    from hcc.runtime.instruments import Instruments
    from hcc.runtime.pim.range import PimRange

PROCESS_ID = 1
LAST_SIGNAL = 64


@define(eq=False)
class Personality(FileCalls):
    """System calls of one process."""

    heap_start: int
    heap_end: int = field(init=False)
    instruments: Instruments | None = None
    """Where `hcc_tap` sends its values; without it they are dropped."""
    pim: PimRange | None = None
    """The memory of `hcc run --pim`."""

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        self.heap_end = self.heap_start

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
        return network.send(signed32(node), self.memory.read(addr, size))

    def sys_hcc_recv(self, sender: int, addr: int, size: int, *_: int) -> int:
        self.memory.check(addr, size, WRITE)
        node, message = network.receive()
        self.memory.store(sender, 4, node & 0xFFFF_FFFF)
        self.memory.write(addr, message[:size])
        return len(message)

    # ---- snapshots ----

    def state(self) -> dict[str, Any]:
        """What a snapshot keeps; the inverse is `restore`."""
        return {
            "heap_start": self.heap_start,
            "heap_end": self.heap_end,
            **self.files_state(),
            "instruments": self.instruments.state() if self.instruments else {},
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Take over a state."""
        self.heap_start, self.heap_end = state["heap_start"], state["heap_end"]
        if state["instruments"]:
            from hcc.runtime.instruments import Instruments

            self.instruments = Instruments.restored(state["instruments"])
        self.restore_files(state)


def check_state(state: dict[str, Any]) -> None:
    """ValueError (or KeyError, TypeError) unless `restore` can take the state over."""
    numbers = [state["heap_start"], state["heap_end"]]
    check_files_state(state)
    if not isinstance(state["instruments"], dict):
        raise ValueError("its instruments are no table")
    for number, content in state["instruments"].items():
        numbers.append(int(number))
        if not isinstance(content, str):
            raise ValueError(f"an instrumentation unit described by {content!r}")
    if not all(isinstance(n, int) and 0 <= n < 1 << 63 for n in numbers):
        raise ValueError("its heap is described by something else than numbers")
    if state["heap_end"] > HEAP_LIMIT:
        raise ValueError("its heap is out of range")
