"""The interpreter: runs guest instructions one at a time, or a block at a time with the same result.

`Interpreter.run` is the loop: look up the block at the PC, translate it if it is new, call it,
take the next PC from it. It stops at system calls, faults, breakpoints and instruction limits,
and tells which by a `Stop`. Instruction counts are exact, also when a block is left by a fault.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from enum import Enum
from types import TracebackType
from typing import Any

from attrs import define, field, frozen

from hcc.emulator.faults import Fault, FaultKind, MemoryFault, TrapRaised
from hcc.emulator.memory import Memory
from hcc.emulator.pybuilder import PyBuilder
from hcc.emulator.pyops import NAMESPACE
from hcc.isa.arch import Arch, Insn
from hcc.isa.builder import Trap
from hcc.isa.errors import HccError

# A block ends after this many instructions even where nothing transfers control.
MAX_BLOCK = 64
# How far ahead of a block's end to look for instructions that overwrite the flags.
FLAG_DEPTH = 3
FLAG_WINDOW = 6


class StopReason(Enum):
    """Why `run` returned."""

    SYSCALL = "system call"
    FAULT = "fault"
    BREAKPOINT = "breakpoint"
    LIMIT = "instruction limit"


@frozen
class Stop:
    """The end of a `run`; `fault` is set for FAULT."""

    reason: StopReason
    fault: Fault | None = None


@define
class CodeSpace:
    """The executable bytes of one ISA: what instruction fetch sees."""

    ranges: list[tuple[int, bytes]] = field(factory=list)

    def fetch(self, addr: int, size: int) -> bytes:
        """Up to `size` bytes of code at `addr`; empty where there is none."""
        for start, content in self.ranges:
            offset = addr - start
            if 0 <= offset < len(content):
                return content[offset : offset + size]
        return b""


@define
class CpuState:
    """The architectural state: one integer per register of the register file, and the PC."""

    arch: Arch
    regs: list[int] = field(init=False)
    pc: int = 0

    @regs.default
    def _zeros(self) -> list[int]:
        return [0] * len(self.arch.registers.registers)

    def get(self, register: str) -> int:
        return self.regs[self.arch.registers.index[register]]

    def set(self, register: str, value: int) -> None:
        index = self.arch.registers.index[register]
        self.regs[index] = value & ((1 << self.arch.registers.registers[index].bits) - 1)


_TRAP_FAULTS = {
    Trap.DIVIDE: FaultKind.DIVIDE,
    Trap.ILLEGAL: FaultKind.ILLEGAL,
    Trap.BREAKPOINT: FaultKind.BREAKPOINT,
    Trap.ABORT: FaultKind.ABORT,
    Trap.ALIGN: FaultKind.ALIGN,
}

Block = tuple[Callable[[list[int]], int], int]


class Interpreter:
    """One CPU: a state that runs code over a memory."""

    def __init__(self, arch: Arch, memory: Memory, code: CodeSpace) -> None:
        self.arch = arch
        self.memory = memory
        self.code = code
        self.state = CpuState(arch)
        self.count = 0
        """Instructions executed so far."""
        self._breakpoints: frozenset[int] = frozenset()
        self._blocks: dict[int, Block] = {}
        self._singles: dict[int, Block] = {}
        self._lines: dict[Any, tuple[list[int], list[int]]] = {}
        self._insns: dict[int, Insn] = {}
        self._flag_reads: dict[int, frozenset[int]] = {}
        self._flags = frozenset(i for i, r in enumerate(arch.registers.registers) if r.flag)
        self._namespace = dict(NAMESPACE) | {
            "mem": memory.data,
            "pages": memory.pages,
            "load": memory.load,
            "store": memory.store,
            "Trapped": TrapRaised,
            "U2": struct.Struct("<H").unpack_from,
            "U4": struct.Struct("<I").unpack_from,
            "U8": struct.Struct("<Q").unpack_from,
            "UQ2": struct.Struct("<QQ").unpack_from,
            "P2": struct.Struct("<H").pack_into,
            "P4": struct.Struct("<I").pack_into,
            "P8": struct.Struct("<Q").pack_into,
            "P16": struct.Struct("<QQ").pack_into,
        }
        self._namespace |= {f"TRAP_{kind.name}": fault for kind, fault in _TRAP_FAULTS.items()}

    # ---- control ----

    @property
    def breakpoints(self) -> frozenset[int]:
        return self._breakpoints

    @breakpoints.setter
    def breakpoints(self, addrs: frozenset[int]) -> None:
        self._breakpoints = addrs
        self._blocks.clear()

    def run(self, limit: int | None = None) -> Stop:
        """Run until something stops the CPU, or until `count` has reached `limit`."""
        state, blocks = self.state, self._blocks
        regs, pc, count = state.regs, state.pc, self.count
        bound = limit if limit is not None else float("inf")
        breakpoints = self._breakpoints
        first = True
        try:
            while True:
                try:
                    function, size = blocks[pc]
                except KeyError:
                    if count >= bound:
                        return Stop(StopReason.LIMIT)
                    function, size = self._translate_block(pc)
                if breakpoints and pc in breakpoints and not first:
                    return Stop(StopReason.BREAKPOINT)
                first = False
                if count + size > bound:
                    if count >= bound:
                        return Stop(StopReason.LIMIT)
                    function, size = self._single(pc)
                count += size
                next_pc = function(regs)
                if next_pc < 0:
                    pc = ~next_pc
                    return Stop(StopReason.SYSCALL)
                pc = next_pc
        except (MemoryFault, TrapRaised, IndexError) as error:
            done, pc = self._where(error.__traceback__)
            count += done - size
            return Stop(StopReason.FAULT, self._fault(error, pc))
        except _BadFetch as error:
            return Stop(StopReason.FAULT, error.fault)
        finally:
            state.pc, self.count = pc, count

    def step(self) -> Stop | None:
        """Run one instruction; None if nothing stopped the CPU."""
        stop = self.run(self.count + 1)
        return None if stop.reason is StopReason.LIMIT else stop

    def insn_at(self, pc: int) -> Insn:
        """The decoded instruction at an address; raises HccError where there is none."""
        insn = self._insns.get(pc)
        if insn is None:
            raw = self.code.fetch(pc, self.arch.max_insn_size)
            if not raw or pc % self.arch.insn_align:
                raise _BadFetch(Fault(FaultKind.FETCH, pc, pc))
            try:
                insn = self.arch.decode(raw, pc)
            except HccError as error:
                raise _BadFetch(Fault(FaultKind.ILLEGAL, pc)) from error
            self._insns[pc] = insn
        return insn

    # ---- translation ----

    def _single(self, pc: int, checked: bool = False) -> Block:
        if checked or pc not in self._singles:
            block = self._compile(pc, [self.insn_at(pc)], self._flags, checked)
            if checked:
                return block
            self._singles[pc] = block
        return self._singles[pc]

    def _translate_block(self, start: int) -> Block:
        block = self._compile(start, None, None, False)
        self._blocks[start] = block
        return block

    def _compile(
        self, start: int, insns: list[Insn] | None, live: frozenset[int] | None, checked: bool
    ) -> Block:
        """Translate from `start`: the instructions given, or as far as a block goes."""
        builder = PyBuilder(self.arch.registers, checked)
        pc, addrs = start, []
        while True:
            if insns is not None and len(addrs) == len(insns):
                break
            if insns is None and addrs and (len(addrs) == MAX_BLOCK or pc in self._breakpoints):
                break
            try:
                insn = self.insn_at(pc)
            except _BadFetch:
                if not addrs:
                    raise
                break
            semantics = self.arch.semantics.get(insn.mnemonic)
            if semantics is None:
                if not addrs:
                    raise _BadFetch(Fault(FaultKind.ILLEGAL, pc))
                break
            builder.pc, builder.next_pc = pc, insn.next_addr
            semantics(builder, insn)
            addrs.append(pc)
            pc = insn.next_addr
            if builder.ends or builder.left:
                break
        if live is None:
            live = self._live_flags(builder.successors())
        text, line_pcs = builder.source("block", live)
        exec(compile(text, f"<guest {start:#x}>", "exec"), self._namespace)
        function = self._namespace["block"]
        self._lines[function.__code__] = (line_pcs, addrs)
        return function, len(addrs)

    def _live_flags(self, successors: list[int] | None) -> frozenset[int]:
        """The flags that some successor may read; all where a successor is unknown."""
        if not self._flags:
            return self._flags
        if successors is None:
            return self._flags
        live: frozenset[int] = frozenset()
        for successor in successors:
            live |= self._flags_read_at(successor, FLAG_DEPTH)
        return live

    def _flags_read_at(self, pc: int, depth: int) -> frozenset[int]:
        """Flags that may be read at or after `pc` before they are written."""
        known = self._flag_reads.get(pc)
        if known is not None:
            return known
        start = pc
        reads: set[int] = set()
        open_flags = set(self._flags)
        for _ in range(FLAG_WINDOW):
            try:
                insn = self.insn_at(pc)
            except _BadFetch:
                break
            semantics = self.arch.semantics.get(insn.mnemonic)
            if semantics is None:
                break
            probe = PyBuilder(self.arch.registers)
            probe.pc, probe.next_pc = pc, insn.next_addr
            semantics(probe, insn)
            used, written = probe.flag_effects(self._flags)
            reads |= used & open_flags
            open_flags -= written
            if not open_flags:
                break
            if probe.ends or probe.left:
                successors = probe.successors()
                if successors is not None and depth:
                    for successor in successors:
                        reads |= self._flags_read_at(successor, depth - 1) & open_flags
                    open_flags = set()
                break
            pc = insn.next_addr
        result = frozenset(reads | open_flags)
        if depth == FLAG_DEPTH:
            self._flag_reads[start] = result
        return result

    # ---- faults ----

    def _where(self, trace: TracebackType | None) -> tuple[int, int]:
        """How many instructions of the block were completed, and the PC of the one that was not."""
        while trace is not None:
            known = self._lines.get(trace.tb_frame.f_code)
            if known is not None:
                line_pcs, addrs = known
                pc = line_pcs[trace.tb_lineno - 1]
                return addrs.index(pc), pc
            trace = trace.tb_next
        raise AssertionError("a fault outside translated code")

    def _fault(self, error: Exception, pc: int) -> Fault:
        if isinstance(error, IndexError):
            # An address beyond the page table: run the instruction again by the checked path,
            # which names the address.
            try:
                self._single(pc, checked=True)[0](self.state.regs)
            except MemoryFault as precise:
                error = precise
            else:
                raise AssertionError("an address beyond 4 GiB was not caught") from error
        if isinstance(error, MemoryFault):
            return Fault(error.kind, pc, error.addr, error.size)
        assert isinstance(error, TrapRaised)
        return Fault(error.kind, pc)


class _BadFetch(HccError):
    """No instruction at the PC; carries the fault to report."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(str(fault))
        self.fault = fault
