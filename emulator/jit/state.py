"""The registers of a CPU that has two engines: a Python list or native memory, one of them valid.

The interpreter wants a list of integers, compiled code words at fixed offsets. `SharedState` looks
like the interpreter's `CpuState` and knows which of the two holds the truth, so that system calls
out of compiled code read the few registers they need and copy nothing.
"""

from __future__ import annotations

import ctypes

from hcc.emulator.interpreter import CpuState
from hcc.emulator.jit.layout import Layout


class NativeState:
    """A `State` in host memory, aligned to a cache line."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self._buffer = (ctypes.c_uint8 * (layout.size + 64))()
        self.address = -(-ctypes.addressof(self._buffer) // 64) * 64
        window = (ctypes.c_uint8 * layout.size).from_address(self.address)
        self.view = memoryview(window).cast("B")
        self.words = self.view.cast("Q")

    def word(self, offset: int) -> int:
        """The 8 bytes at an offset that is a multiple of 8."""
        return self.words[offset >> 3]

    def set_word(self, offset: int, value: int) -> None:
        self.words[offset >> 3] = value


class SharedState(CpuState):
    """The architectural state of a CPU with both engines; `listed` is the interpreter's."""

    def __init__(self, listed: CpuState, native: NativeState) -> None:
        self.arch = listed.arch
        self.listed = listed
        self.native = native
        self.is_native = False
        registers, offsets = self.arch.registers.registers, native.layout.offsets
        self._places = {
            r.name: (offset >> 3, r.bits) for r, offset in zip(registers, offsets, strict=True)
        }
        """Which word each register begins with, and its bits."""

    @property
    def regs(self) -> list[int]:
        """All registers, to read and to change."""
        self.to_list()
        return self.listed.regs

    @regs.setter
    def regs(self, values: list[int]) -> None:
        self.is_native = False
        self.listed.regs[:] = values

    @property
    def pc(self) -> int:
        return self.listed.pc

    @pc.setter
    def pc(self, value: int) -> None:
        self.listed.pc = value

    def to_list(self) -> None:
        """Make the list valid."""
        if self.is_native:
            self.native.layout.unpack(self.listed.regs, self.native.view)
            self.is_native = False

    def to_native(self) -> None:
        """Make the native memory valid."""
        if not self.is_native:
            self.native.layout.pack(self.listed.regs, self.native.view)
            self.is_native = True

    def get(self, register: str) -> int:
        if not self.is_native:
            return self.listed.get(register)
        place, bits = self._places[register]
        words = self.native.words
        return words[place] if bits <= 64 else words[place] | words[place + 1] << 64

    def set(self, register: str, value: int) -> None:
        if not self.is_native:
            self.listed.set(register, value)
            return
        place, bits = self._places[register]
        value &= (1 << bits) - 1
        self.native.words[place] = value & (1 << 64) - 1
        if bits > 64:
            self.native.words[place + 1] = value >> 64
