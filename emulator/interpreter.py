"""The interpreter: runs guest instructions, a block at a time with the effect of one at a time.

`Interpreter.run` is the loop: look up the block at the PC, call it, take the next PC from it.
Where there is no block, the `Stepper` executes instruction by instruction, until the place has come
up often enough for translating to pay. `run` stops at system calls, faults, breakpoints and
instruction limits, and tells which by a `Stop`. Instruction counts are exact, also when a block is
left by a fault.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from types import CodeType, FunctionType, TracebackType
from typing import Any

from attrs import define, field, frozen

from hcc.emulator.faults import Fault, FaultKind, MemoryFault, TrapRaised
from hcc.emulator.memory import Memory
from hcc.emulator.pybuilder import PyBuilder
from hcc.emulator.pyops import NAMESPACE, scratch_cell
from hcc.emulator.stepper import Stepper
from hcc.emulator.translations import Translation, Translations
from hcc.isa.arch import Arch, Imm, Insn, Semantics
from hcc.isa.builder import Trap
from hcc.isa.errors import HccError

# A block ends after this many instructions even where nothing transfers control.
MAX_BLOCK = 64
# How far ahead of a block's end to look for instructions that overwrite the flags.
FLAG_DEPTH = 3
FLAG_WINDOW = 16
# How often a block is stepped through before it is translated.
PATIENCE = 12
# Blocks stepped through in a run for which it is noted, so that the next one translates more.
MANY_VISITS = 1000


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
"""A translated block, which takes the registers and returns the next PC (its complement for a
system call), and how many instructions it executes."""

_UNLIMITED = 1 << 62


@frozen
class _FlagEffects:
    """Flags that an instruction reads before it writes them, flags it writes, where it goes on."""

    reads: frozenset[int]
    writes: frozenset[int]
    transfers: bool
    successors: list[int] | None
    next_pc: int


def _namespace(memory: Memory) -> dict[str, Any]:
    """The names that translated code uses."""
    view = memoryview(memory.data)
    plain = {"mem": memory.data, "mem2": view.cast("H"), "mem4": view.cast("I")}
    other = {"mem8": view.cast("Q"), "pages": memory.pages, "Trapped": TrapRaised}
    slow = {"load": memory.load, "store": memory.store}
    traps = {f"TRAP_{kind.name}": fault for kind, fault in _TRAP_FAULTS.items()}
    return NAMESPACE | scratch_cell() | plain | other | slow | traps


class Interpreter:
    """One CPU: a state that runs code over a memory.

    `kept` are translations of the same code by earlier runs, to which `close` adds this one's.
    What has not come up more than `patience` times is stepped through, not translated. After one
    run that stepped through much it is half of that, after two a third, and so on: code gets
    translated when it has come up about as often in all runs together.
    """

    def __init__(
        self,
        arch: Arch,
        memory: Memory,
        code: CodeSpace,
        kept: Translations | None = None,
        patience: int = PATIENCE,
    ) -> None:
        self.arch = arch
        self.memory = memory
        self.code = code
        self.state = CpuState(arch)
        self.count = 0
        """Instructions executed so far."""
        self._breakpoints: frozenset[int] = frozenset()
        self._blocks: dict[int, Block] = {}
        self._singles: dict[int, Block] = {}
        self._kept = kept
        self._origins: dict[str, Translation] = {}
        self._insns: dict[int, Insn] = {}
        self._effects: dict[int, _FlagEffects] = {}
        self._plain_effects: dict[tuple[Any, ...], tuple[frozenset[int], frozenset[int]]] = {}
        self._flag_reads: dict[tuple[int, int], frozenset[int]] = {}
        self._flags = frozenset(i for i, r in enumerate(arch.registers.registers) if r.flag)
        self._namespace = _namespace(memory)
        self._stepper = Stepper(arch.registers, self.state.regs, memory, _TRAP_FAULTS)
        self._patience = patience if kept is None else patience // (1 + kept.runs)
        self._visits: dict[int, int] = {}
        self._steps: dict[int, tuple[Insn, Semantics]] = {}
        self._walked: tuple[int, int] | None = None

    # ---- control ----

    @property
    def breakpoints(self) -> frozenset[int]:
        return self._breakpoints

    @breakpoints.setter
    def breakpoints(self, addrs: frozenset[int]) -> None:
        self._breakpoints = addrs
        self._blocks.clear()

    def run(self, limit: int | None = None) -> Stop:
        """Run until something stops the CPU, or until `count` has reached `limit`.

        A breakpoint at the PC where the run starts does not stop it. An exception of the host's
        (an interrupt from the keyboard, an error of a device) leaves the state at an instruction.
        """
        state, blocks, breakpoints = self.state, self._blocks, self._breakpoints
        regs, pc, size = state.regs, state.pc, 0
        bound = _UNLIMITED if limit is None else limit
        left = bound - self.count  # instructions that may still be executed
        armed = breakpoints - {pc}
        try:
            while True:
                if breakpoints:
                    if pc in armed:
                        return Stop(StopReason.BREAKPOINT)
                    armed = breakpoints
                try:
                    function, size = blocks[pc]
                except KeyError:
                    if left <= 0:
                        return Stop(StopReason.LIMIT)
                    block = self._block_at(pc)
                    if block is None:
                        size = 0
                        pc, done = self._walk(pc, left)
                        left -= done
                        if pc < 0:
                            pc = ~pc
                            return Stop(StopReason.SYSCALL)
                        continue
                    function, size = blocks[pc] = block
                left -= size
                if left < 0:
                    left += size
                    if left <= 0:
                        return Stop(StopReason.LIMIT)
                    function, size = self._single(pc)
                    left -= size
                pc = function(regs)
                if pc < 0:
                    pc = ~pc
                    return Stop(StopReason.SYSCALL)
        except _NoInstruction as error:
            if self._walked is not None:
                done, pc = self._walked
                left -= done
            return Stop(StopReason.FAULT, error.fault)
        except BaseException as error:
            place = self._place_of(error.__traceback__) or self._walked
            if place is not None:
                done, pc = place
                left += size - done
                fault = self._fault(error, pc)
                if fault is not None:
                    return Stop(StopReason.FAULT, fault)
            raise
        finally:
            self._walked = None
            state.pc, self.count = pc, bound - left

    def step(self) -> Stop | None:
        """Run one instruction; None if nothing stopped the CPU."""
        stop = self.run(self.count + 1)
        return None if stop.reason is StopReason.LIMIT else stop

    def close(self) -> None:
        """Keep what has been translated for later runs."""
        if self._kept is not None:
            much = self._patience and sum(self._visits.values()) >= MANY_VISITS
            self._kept.save(again=bool(much))

    def insn_at(self, pc: int) -> Insn:
        """The decoded instruction at an address; raises HccError where there is none."""
        insn = self._insns.get(pc)
        if insn is None and self._kept is not None:
            insn = self._kept.insns.get(pc)
        if insn is None:
            raw = self.code.fetch(pc, self.arch.max_insn_size)
            if not raw or pc % self.arch.insn_align:
                raise _NoInstruction(Fault(FaultKind.FETCH, pc, pc))
            try:
                insn = self.arch.decode(raw, pc)
            except HccError as error:
                raise _NoInstruction(Fault(FaultKind.ILLEGAL, pc, detail=str(error))) from error
            self._insns[pc] = insn
        return insn

    # ---- stepping ----

    def _block_at(self, pc: int) -> Block | None:
        """The block to run at an address that has none so far; None to step through it."""
        if not self._breakpoints and (self._kept is None or pc not in self._kept.known):
            visits = self._visits[pc] = self._visits.get(pc, 0) + 1
            if visits <= self._patience:
                return None
        return self._translate(pc)

    def _walk(self, pc: int, most: int) -> tuple[int, int]:
        """Step through at most `most` instructions until one transfers control: the next PC, or
        its complement for a system call, and how many were executed."""
        execute, steps = self._stepper.execute, self._steps
        try:
            for done in range(min(most, MAX_BLOCK)):
                self._walked = done, pc
                insn, meaning = steps.get(pc) or self._step_at(pc)
                try:
                    target = execute(insn, meaning)
                except HccError:
                    # The semantics refuse the instruction, or a device does what it asks for.
                    self._add(PyBuilder(self.arch.registers), pc)
                    raise
                if target is not None:
                    self._walked = None
                    return target, done + 1
                pc = insn.next_addr
        finally:
            self._stepper.settle()
        self._walked = None
        return pc, done + 1

    def _step_at(self, pc: int) -> tuple[Insn, Semantics]:
        """The instruction at an address, which later runs may step through too, and its meaning."""
        insn = self.insn_at(pc)
        meaning = self._meaning_of(insn)
        if self._kept is not None and pc not in self._kept.insns:
            self._kept.add_insn(insn)
        step = self._steps[pc] = insn, meaning
        return step

    def _meaning_of(self, insn: Insn) -> Semantics:
        meaning = self.arch.semantics.get(insn.mnemonic)
        if meaning is None:
            detail = f"{insn.text or insn.mnemonic} is not supported"
            raise _NoInstruction(Fault(FaultKind.ILLEGAL, insn.addr, detail=detail))
        return meaning

    # ---- translation ----

    def _single(self, pc: int) -> Block:
        """The block of one instruction that computes all flags."""
        block = self._singles.get(pc)
        if block is None:
            translation = self._translation(pc, 1, self._flags)
            block = self._singles[pc] = self._block(pc, translation)
        return block

    def _translate(self, start: int) -> Block:
        """The block at an address, which an earlier run may have translated."""
        if self._kept is None or self._breakpoints:
            return self._block(start, self._translation(start))
        translation = self._kept.known.get(start)
        if translation is None:
            translation = self._translation(start)
            self._kept.add(start, translation)
        return self._block(start, translation)

    def _block(self, start: int, translation: Translation) -> Block:
        name = f"<guest {start:#x} #{len(self._origins)}>"
        self._origins[name] = translation
        code = translation.code.replace(co_filename=name)
        return FunctionType(code, self._namespace), len(translation.addrs)

    def _translation(
        self,
        start: int,
        most: int = MAX_BLOCK,
        live: frozenset[int] | None = None,
        checked: bool = False,
    ) -> Translation:
        """Translate at most `most` instructions from `start`."""
        builder, addrs = self._built(start, most, checked)
        if live is None:
            live = self._live_flags(builder.successors())
        text, line_pcs = builder.source("block", live)
        (code,) = (c for c in compile(text, "", "exec").co_consts if isinstance(c, CodeType))
        return Translation(code, line_pcs, addrs)

    def _built(
        self, start: int, most: int, checked: bool = False
    ) -> tuple[PyBuilder, list[int]]:
        """At most `most` instructions from `start`, and their addresses."""
        builder = PyBuilder(self.arch.registers, checked)
        pc, addrs = start, list[int]()
        while not (builder.ends or builder.left or len(addrs) == most):
            if addrs and pc in self._breakpoints:
                break
            try:
                next_pc = self._add(builder, pc)
            except _NoInstruction:
                if not addrs:
                    raise
                # What was begun of the instruction must go; it is refused when it is reached.
                return self._built(start, len(addrs), checked)
            addrs.append(pc)
            pc = next_pc
        return builder, addrs

    def _add(self, builder: PyBuilder, pc: int) -> int:
        """Translate one instruction; returns the address after it."""
        insn = self.insn_at(pc)
        semantics = self._meaning_of(insn)
        builder.pc, builder.next_pc = pc, insn.next_addr
        try:
            semantics(builder, insn)
        except HccError as error:
            raise _NoInstruction(Fault(FaultKind.ILLEGAL, pc, detail=str(error))) from error
        return insn.next_addr

    # ---- flags ----

    def _live_flags(self, successors: list[int] | None) -> frozenset[int]:
        """The flags that some successor may read; all where a successor is unknown."""
        if not self._flags or successors is None:
            return self._flags
        return frozenset().union(*(self._flags_read_at(pc, FLAG_DEPTH) for pc in successors))

    def _flags_read_at(self, start: int, depth: int) -> frozenset[int]:
        """Flags that may be read at or after `start` before they are written."""
        known = self._flag_reads.get((start, depth))
        if known is not None:
            return known
        pc, reads, unwritten = start, set[int](), set(self._flags)
        for _ in range(FLAG_WINDOW):
            try:
                effects = self._flag_effects(pc)
            except _NoInstruction:
                break
            reads |= effects.reads & unwritten
            unwritten -= effects.writes
            if not unwritten:
                break
            if effects.transfers:
                if effects.successors is not None and depth:
                    for successor in effects.successors:
                        reads |= self._flags_read_at(successor, depth - 1) & unwritten
                    unwritten.clear()
                break
            pc = effects.next_pc
        result = self._flag_reads[start, depth] = frozenset(reads | unwritten)
        return result

    def flags_used_at(self, pc: int, depth: int = FLAG_DEPTH) -> frozenset[int]:
        """Flags whose values matter to the code at an address, as far as direct jumps lead and the
        window reaches; calls and returns carry none."""
        try:
            builder, _ = self._built(pc, FLAG_WINDOW)
        except _NoInstruction:
            return frozenset()
        flags = frozenset(i for i in self._flags if self.arch.registers.registers[i].fixed is None)
        _, writes = builder.flag_effects(flags)
        after = frozenset[int]()
        if depth and not builder.calls and writes != flags:
            for successor in builder.successors() or ():
                after |= self.flags_used_at(successor, depth - 1)
        return builder.flags_used(flags, after)

    def _flag_effects(self, pc: int) -> _FlagEffects:
        """What the instruction at `pc` does with flags."""
        known = self._effects.get(pc)
        if known is None:
            insn = self.insn_at(pc)
            shape = _shape(insn)
            plain = self._plain_effects.get(shape)
            if plain is not None:
                known = _FlagEffects(*plain, False, None, insn.next_addr)
            else:
                probe = PyBuilder(self.arch.registers)
                next_pc = self._add(probe, pc)
                reads, writes = probe.flag_effects(self._flags)
                transfers = probe.ends or probe.left
                if not transfers:
                    self._plain_effects[shape] = reads, writes
                known = _FlagEffects(reads, writes, transfers, probe.successors(), next_pc)
            self._effects[pc] = known
        return known

    # ---- faults ----

    def _place_of(self, trace: TracebackType | None) -> tuple[int, int] | None:
        """For an error in translated code: how many instructions of its block were completed,
        and the PC of the one that was not."""
        while trace is not None:
            origin = self._origins.get(trace.tb_frame.f_code.co_filename)
            if origin is not None:
                pc = origin.line_pcs[trace.tb_lineno - 1]
                return origin.addrs.index(pc), pc
            trace = trace.tb_next
        return None

    def _fault(self, error: BaseException, pc: int) -> Fault | None:
        """The guest's fault behind an error in translated code; None if it is not the guest's."""
        match error:
            case MemoryFault():
                return Fault(error.kind, pc, error.addr, error.size)
            case TrapRaised():
                return Fault(error.kind, pc)
            case IndexError():
                # An address beyond the page table: run the instruction again by the checked path,
                # which names the address.
                function, _ = self._block(pc, self._translation(pc, 1, self._flags, checked=True))
                try:
                    function(self.state.regs)
                except MemoryFault as precise:
                    return self._fault(precise, pc)
        return None


def _shape(insn: Insn) -> tuple[Any, ...]:
    """What decides which flags an instruction reads and writes: all but which registers and
    addresses it names."""
    parts = [op.value if isinstance(op, Imm) else op.bits for op in insn.operands]
    return insn.mnemonic, insn.extra, *map(type, insn.operands), *parts


class _NoInstruction(HccError):
    """Nothing to execute at the PC; carries the fault to report."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(str(fault))
        self.fault = fault
