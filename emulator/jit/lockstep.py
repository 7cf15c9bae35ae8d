"""Both engines side by side: compiled code against the interpreter, region by region.

Compiled code works on the process's memory, the interpreter on a copy. A region runs until it
calls, returns or leaves, counting its instructions; the interpreter then executes as many; then PC,
registers and memory must agree. The first difference ends the run with both states.

Condition flags are compared where something may still read them. Memory is compared page by page
as far as the host has pages for it: at every system call and after every so many regions, so a
difference there is reported up to that many regions late.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence

from hcc.emulator.faults import Fault
from hcc.emulator.interpreter import CodeSpace, CpuState, Interpreter, Stop, StopReason
from hcc.emulator.jit import layout
from hcc.emulator.jit.engine import JitCpu
from hcc.emulator.jit.flow import Flow
from hcc.emulator.jit.options import Options
from hcc.emulator.memory import PAGE_BITS, PAGE_SIZE, SPACE_SIZE, Memory
from hcc.isa.arch import Arch, Insn
from hcc.isa.errors import HccError

REGIONS_BETWEEN_MEMORY = 1000
WARM = 2
"""Code is compiled when execution comes to it for this time; before, both sides interpret it."""

_libc = ctypes.CDLL(None, use_errno=True)
_libc.mincore.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_void_p)


class Difference(HccError):
    """The engines disagree; the message shows how."""


class LockstepCpu:
    """A CPU that checks itself. Its state and memory are those of compiled code."""

    def __init__(
        self,
        arch: Arch,
        memory: Memory,
        code: CodeSpace,
        functions: Sequence[tuple[int, int]] = (),
    ) -> None:
        self.arch = arch
        self.memory = memory
        self.code = code
        self._cpu = JitCpu(
            arch, memory, code, functions, Options(count=True, nest=False), cached=False
        )
        self._twin_memory = Memory()
        self._twin = Interpreter(arch, self._twin_memory, code)
        self._arrivals: dict[int, int] = {}
        self._live_flags: dict[int, int] = {}
        self._regions = 0
        self._checked_at = 0
        self._stopping = False

    # ---- the interface of a CPU ----

    @property
    def state(self) -> CpuState:
        return self._cpu.state

    @property
    def count(self) -> int:
        return self._twin.count

    def insn_at(self, pc: int) -> Insn:
        """The decoded instruction at an address; HccError where there is none."""
        return self._cpu.insn_at(pc)

    def run(self, limit: int | None = None) -> Stop:
        """Run until something stops both sides, or until `count` has reached `limit`."""
        self._copy_memory()
        self._twin.state.regs[:] = self._cpu.state.regs
        self._twin.state.pc = self._cpu.state.pc
        while limit is None or self.count < limit:
            if self._stopping:
                self._stopping = False
                raise self._cpu.interruption()
            stop = self._one_region(limit)
            if stop is not None:
                self._compare_memory()
                return stop
        return Stop(StopReason.LIMIT)

    def step(self) -> Stop | None:
        """Run one instruction, or one region; None if nothing stopped the CPU."""
        stop = self.run(self.count + 1)
        return None if stop.reason is StopReason.LIMIT else stop

    def stop(self) -> None:
        """Make `run`, on another thread, raise Interrupted soon."""
        self._stopping = True

    def close(self) -> None:
        """End what runs beside."""
        self._cpu.close()

    # ---- one region ----

    def _one_region(self, limit: int | None) -> Stop | None:
        pc = self._cpu.state.pc
        arrivals = self._arrivals[pc] = self._arrivals.get(pc, 0) + 1
        before = self._twin.count
        if limit is None and arrivals >= WARM and self._cpu.has_code(pc):
            count, stop = self._cpu.run_region(pc)
        else:
            count, stop = 1, self._cpu.step()
        twin_stop: Stop | None = self._twin.run(before + count)
        if twin_stop is not None and twin_stop.reason is StopReason.LIMIT:
            twin_stop = None
        self._regions += 1
        self._compare(pc, stop, twin_stop)
        if self._regions - self._checked_at >= REGIONS_BETWEEN_MEMORY:
            self._compare_memory()
        return stop

    # ---- comparing ----

    def _compare(self, start: int, stop: Stop | None, twin_stop: Stop | None) -> None:
        mine, other = self._cpu.state, self._twin.state
        faulted = stop is not None and stop.reason is StopReason.FAULT
        called = stop is not None and stop.reason is StopReason.SYSCALL
        if stop != twin_stop:
            raise self._difference(start, f"{_told(stop)} against {_told(twin_stop)}")
        if faulted:
            return  # registers are not exact at a fault of compiled code
        if mine.pc != other.pc:
            raise self._difference(start, f"pc {mine.pc:#x} against {other.pc:#x}")
        left, right = mine.regs, other.regs
        if left != right:
            for i, register in enumerate(self.arch.registers.registers):
                if left[i] != right[i]:
                    loose = register.flag and not self._flags_at(mine.pc) >> (2 * i) & 1
                    if called and register.name == self.arch.flags_copy:
                        loose = True  # flags are not carried over calls within the region either
                    if not loose:
                        raise self._difference(
                            start, f"{register.name} {left[i]:#x} against {right[i]:#x}"
                        )
                    left[i] = right[i]

    def _flags_at(self, pc: int) -> int:
        """The flags that the code at an address may read, as `Node.deps` has them."""
        known = self._live_flags.get(pc)
        if known is None:
            region = self._cpu.translator.generator.region(pc)
            flow = Flow(region, self.arch.registers)
            known = self._live_flags[pc] = flow.blocks[pc].busy_in & flow.flags
        return known

    def _difference(self, start: int, what: str) -> Difference:
        lines = [
            f"compiled and interpreted code differ after the region at {start:#x}, within "
            f"{self._twin.count} instructions: {what}",
            f"  {'':10} {'compiled':>34} {'interpreted':>34}",
        ]
        mine, other = self._cpu.state, self._twin.state
        rows = [("pc", mine.pc, other.pc)]
        names = [register.name for register in self.arch.registers.registers]
        rows += zip(names, mine.regs, other.regs, strict=True)
        for name, left, right in rows:
            mark = "" if left == right else "  <"
            lines.append(f"  {name:10} {left:#34x} {right:#34x}{mark}")
        return Difference("\n".join(lines))

    # ---- memory ----

    def _resident(self, memory: Memory) -> set[int]:
        """The pages of a memory that the host has given space to."""
        pages = set()
        for start, end, _ in memory.mapped_ranges():
            count = (end - start) >> PAGE_BITS
            flags = ctypes.create_string_buffer(count)
            _libc.mincore(memory.host_addr + start, end - start, flags)
            first = start >> PAGE_BITS
            pages |= {first + i for i, flag in enumerate(flags.raw) if flag & 1}
        return pages

    def _copy_memory(self) -> None:
        """Make the twin's memory equal: the operating system has acted, or nothing has yet."""
        mine, twin = self.memory, self._twin_memory
        if mine.pages != twin.pages:
            twin.protect(0, SPACE_SIZE, 0)
            for start, end, access in mine.mapped_ranges():
                twin.protect(start, end - start, access)
        twin.devices = mine.devices
        for page in self._resident(mine):
            at = page << PAGE_BITS
            content = mine.data[at : at + PAGE_SIZE]
            if twin.data[at : at + PAGE_SIZE] != content:
                twin.fill(at, content)

    def _compare_memory(self) -> None:
        self._checked_at = self._regions
        mine, twin = self.memory, self._twin_memory
        for page in sorted(self._resident(mine) | self._resident(twin)):
            at = page << PAGE_BITS
            left, right = mine.data[at : at + PAGE_SIZE], twin.data[at : at + PAGE_SIZE]
            if left != right:
                place = next(i for i in range(PAGE_SIZE) if left[i] != right[i])
                raise self._difference(
                    self._cpu.state.pc,
                    f"memory at {at + place:#x}: {left[place]:#04x} against {right[place]:#04x}",
                )


def _told(stop: Stop | None) -> str:
    if stop is None:
        return "no stop"
    fault: Fault | None = stop.fault
    return f"{fault} at {fault.pc:#x}" if fault is not None else stop.reason.value


__all__ = ["Difference", "LockstepCpu", "layout"]
