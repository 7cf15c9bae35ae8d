"""The `State` that compiled code works on: one block of host memory for each CPU.

First come words that connect code and engine, at fixed offsets, then the guest's registers: 64-bit
ones and flags in 8 bytes each, 128-bit ones in 16, aligned. A register of fewer bits is kept
zero-extended.
"""

from __future__ import annotations

import struct

from attrs import field, frozen

from hcc.isa.arch import RegisterFile

# Words, each 8 bytes.
MEMORY = 0  # host address of guest address 0
TABLE = 8  # function table: host address of the code for each guest instruction address
STACK_LIMIT = 16  # compiled code must not call with the host stack below this
COUNT = 24  # guest instructions executed, where they are counted
REASON = 32  # why compiled code left, see `Reason`
WHERE = 40  # the guest PC that `reason` is about
DETAIL = 48  # an address or trap number
ON_STUB = 56  # Python function called for code that is not compiled
ON_SYSCALL = 64  # Python function called for system calls
RUNNING = 72  # 1 while compiled code runs on the thread
THREAD = 80  # that thread
JUMP_BUFFER = 88  # where a fault goes back to
GUARD_START = 96  # host addresses between which a fault is the guest's
GUARD_END = 104
FAULT_ADDR = 112  # host address of a faulting access
FAULT_PC = 120  # host address of the instruction that did it
LIMIT = 144  # 4 GiB: compiled code compares addresses with it
BASE = 152  # the function table: first guest address, number of entries,
ENTRIES = 160
SHIFT = 168  # logarithm of the bytes that each entry stands for
STACK_POINTER = 176  # of the host, when Python is called
AGAIN = 184  # set by `ON_STUB`: host code that the stub is to go on with; else 0
COUNTERS = 192  # 32 bits for each entry of the table: passes until quick code calls `ON_HOT`
ON_HOT = 200  # Python function that is called then; it returns the code to go on with
DOUBTED = 208  # the region in whose loop an address was not what had been assumed; else 0
PASSED = 216  # a byte for each entry of the table: whether quick code has passed the block
PASSING = 224  # so many of the system calls with the number in
PASSING_NUMBER = 232  # here are still to do nothing, without `ON_SYSCALL`
NUMBER_AT = 240  # offset of the register that a system call has its number in
HOST_REGISTERS = 256  # at a fault, in the order of the signal frame
REGISTERS = 384

# Values of `REASON`.
REASON_TRAP = 1  # an instruction trapped; `DETAIL` is its number
REASON_WILD = 2  # an address beyond guest memory, in `DETAIL`; the access in `FAULT_ADDR`
REASON_FAULT = 3  # the host refused an access
REASON_INTERRUPT = 4  # the engine asked for it

LEAVE = (1 << 64) - 1
"""What a region returns instead of a guest address for "leave to the engine"."""


@frozen
class Layout:
    """Where the registers of a CPU are in its state."""

    registers: RegisterFile
    offsets: tuple[int, ...] = field(init=False)
    size: int = field(init=False)
    _wide: tuple[int, ...] = field(init=False, repr=False)
    _format: struct.Struct = field(init=False, repr=False)

    @offsets.default
    def _place(self) -> tuple[int, ...]:
        wide = [i for i, r in enumerate(self.registers.registers) if r.bits > 64]
        offsets = [0] * len(self.registers.registers)
        at = REGISTERS
        for i in wide:
            offsets[i] = at
            at += 16
        for i, register in enumerate(self.registers.registers):
            if register.bits <= 64:
                offsets[i] = at
                at += 8
        return tuple(offsets)

    @size.default
    def _size(self) -> int:
        return max(self.offsets) + 16

    @_wide.default
    def _find_wide(self) -> tuple[int, ...]:
        return tuple(i for i, r in enumerate(self.registers.registers) if r.bits > 64)

    @_format.default
    def _words(self) -> struct.Struct:
        count = len(self.registers.registers) + len(self._wide)
        return struct.Struct(f"<{count}Q")

    def pack(self, regs: list[int], state: bytearray | memoryview) -> None:
        """Write all registers into a state."""
        words = []
        for i in self._wide:
            value = regs[i]
            words.append(value & 0xFFFF_FFFF_FFFF_FFFF)
            words.append(value >> 64)
        if self._wide:
            words += [v for v, r in zip(regs, self.registers.registers, strict=True) if r.bits < 65]
        else:
            words = regs
        self._format.pack_into(state, REGISTERS, *words)

    def unpack(self, regs: list[int], state: bytearray | memoryview) -> None:
        """Read all registers of a state into a list."""
        words = self._format.unpack_from(state, REGISTERS)
        wide = len(self._wide)
        if not wide:
            regs[:] = words
            return
        values = [words[2 * i] | words[2 * i + 1] << 64 for i in range(wide)]
        narrow = iter(words[2 * wide :])
        first = self._wide[0]
        last = self._wide[-1]
        if last - first + 1 == wide:
            rest = list(narrow)
            regs[:] = rest[:first] + values + rest[first:]
            return
        wides = iter(values)
        regs[:] = [next(wides) if r.bits > 64 else next(narrow) for r in self.registers.registers]
