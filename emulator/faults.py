"""What can go wrong in a guest, as data that every engine reports alike."""

from __future__ import annotations

from enum import Enum

from attrs import frozen


class FaultKind(Enum):
    """Why the guest stopped; the value is the word used in reports."""

    READ = "bad read"
    WRITE = "bad write"
    FETCH = "bad jump"
    DIVIDE = "division by zero or overflow in division"
    ILLEGAL = "illegal instruction"
    BREAKPOINT = "breakpoint instruction"
    ABORT = "trap"
    ALIGN = "misaligned atomic access"


# Linux signal numbers, generic to the three ISAs.
SIGNALS = {
    FaultKind.READ: 11,
    FaultKind.WRITE: 11,
    FaultKind.FETCH: 11,
    FaultKind.DIVIDE: 8,
    FaultKind.ILLEGAL: 4,
    FaultKind.BREAKPOINT: 5,
    FaultKind.ABORT: 6,
    FaultKind.ALIGN: 7,
}


@frozen
class Fault:
    """A guest fault: `addr` is the data or jump address concerned, `size` the bytes accessed.

    `detail` says what the instruction was that is not supported.
    """

    kind: FaultKind
    pc: int
    addr: int | None = None
    size: int = 0
    detail: str = ""

    @property
    def signal(self) -> int:
        return SIGNALS[self.kind]

    def __str__(self) -> str:
        if self.addr is None:
            return f"{self.kind.value}: {self.detail}" if self.detail else self.kind.value
        if self.size:
            return f"{self.kind.value} of {self.size} bytes at {self.addr:#x}"
        return f"{self.kind.value} to {self.addr:#x}"


class MemoryFault(Exception):
    """Raised by `Memory` for an access that the page table forbids; engines add the PC."""

    def __init__(self, kind: FaultKind, addr: int, size: int) -> None:
        super().__init__(f"{kind.value} of {size} bytes at {addr:#x}")
        self.kind = kind
        self.addr = addr
        self.size = size


class TrapRaised(Exception):
    """Raised by translated code for an instruction that traps."""

    def __init__(self, kind: FaultKind) -> None:
        super().__init__(kind.value)
        self.kind = kind
