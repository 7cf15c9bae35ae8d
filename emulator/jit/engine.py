"""The JIT as a CPU: runs guest code interpreted at first, then compiled, optimised where it is hot.

`JitCpu` has the interface of the `Interpreter` and contains one. A short program is interpreted
alone. In a longer one, the function that the interpreter is found in at the end of a slice gets
quick code at once, which is entered through the interpreter's own table of blocks, where it looks
like any block; and so does from then on each function that compiled code calls, or returns to
twice. Quick code counts how often it passes, and what is hot is optimised in the background
(`background`). A callee that cannot be compiled comes back here and is interpreted until it
returns, within the host call.

Three kinds of host frames alternate on the stack: the interpreter's loop, `hcc_enter`, and these
callbacks. Whatever ends the run (a fault, the program's end, a move to another ISA) is left in
`_pending`, and each of them returns at once until the outermost `run` takes it.

What is exact: memory, always; registers at every stop but a memory fault or an interruption in
compiled code, where only the PC is. The instruction count is exact where `count` is asked for; else
it covers interpreted instructions only.
"""

from __future__ import annotations

import ctypes
import signal
import threading
from collections.abc import Callable, Sequence

from hcc.emulator.faults import Fault, FaultKind
from hcc.emulator.interpreter import Block, CodeSpace, Stop, StopReason
from hcc.emulator.jit import faults, layout, stacks
from hcc.emulator.jit.background import Background
from hcc.emulator.jit.functions import Functions
from hcc.emulator.jit.options import CodeSpan, Options
from hcc.emulator.jit.slices import CodeReader, Returned, SlicedInterpreter, SliceEnd
from hcc.emulator.jit.state import NativeState, SharedState
from hcc.emulator.jit.support import INTERRUPT_SIGNAL, Entry, host_is_supported
from hcc.emulator.jit.translator import Translator
from hcc.emulator.memory import GUARD_SIZE, SPACE_SIZE, Memory
from hcc.isa.arch import Arch, Insn
from hcc.isa.builder import Trap
from hcc.isa.errors import HccError, UnsupportedError

SLICE = 10_000
"""Instructions that are interpreted between two looks at the PC."""
WARM_UP = 30_000
"""Instructions that are interpreted before LLVM is loaded ..."""
WARM_UP_STEPS = 5000
"""or stepped through, or ..."""
WARM_UP_BLOCKS = 50
"""blocks that are translated for the interpreter, which takes about as long."""
HOT_ARRIVALS = 20
"""Calls from compiled code to an address without code, and returns to it, after which it gets some
in any case ..."""
HOT_ARRIVALS_AT_FIRST = 200
"""and before a program has run long, with code from the cache: LLVM would have to be loaded."""
NESTING = 40
"""How many times compiled code may call interpreted code that calls compiled code ..."""
NEST_ROOM = 1 << 21
"""Host stack in bytes that must be left for one more such level."""

_TRAPS = tuple(Trap)


class Interrupted(HccError):
    """The guest was stopped from outside."""


class JitCpu:
    """One CPU of one ISA with both engines.

    `functions` are (address, size) of the guest's functions, as far as known. `on_syscall`, if
    set, is called for a system call with the PC behind it and the state in `state`; it returns
    whether to go on right there. Without it, or where it says no, `run` returns.
    """

    def __init__(
        self,
        arch: Arch,
        memory: Memory,
        code: CodeSpace,
        functions: Sequence[tuple[int, int]] = (),
        options: Options | None = None,
        cached: bool = True,
    ) -> None:
        if not host_is_supported():
            raise UnsupportedError("compiled code needs Linux on x86-64; use --engine interp")
        if not memory.has_zones:
            raise UnsupportedError(
                f"compiled code needs {(SPACE_SIZE + 2 * GUARD_SIZE) >> 30} GiB of address space "
                "(not of memory), which the host refuses (ulimit -v, vm.overcommit_memory); "
                "use --engine interp"
            )
        self.arch = arch
        self.memory = memory
        self.code = code
        self.options = options or Options()
        self.on_syscall: Callable[[], bool] | None = None
        known = Functions(functions, CodeSpan.of(code.ranges, arch.insn_align))
        self._interp = SlicedInterpreter(arch, memory, code, cached, self._compiled_block, known)
        self._native = NativeState(layout.Layout(arch.registers))
        self.state = SharedState(self._interp.state, self._native)
        reader = CodeReader(self._interp)
        self.translator = Translator(
            reader, code.ranges, memory, self._native, known, self.options, cached
        )
        self.background = Background(self.translator, self._installed)
        self._stub = Entry(self._on_stub)
        self._syscall = Entry(self._on_system_call)
        self._hot = Entry(self._on_hot)
        for offset, callback in (
            (layout.ON_STUB, self._stub),
            (layout.ON_SYSCALL, self._syscall),
            (layout.ON_HOT, self._hot),
        ):
            self._native.set_word(offset, ctypes.cast(callback, ctypes.c_void_p).value or 0)
        number = arch.registers.index[arch.convention.syscall_number]
        self._native.set_word(layout.NUMBER_AT, self._native.layout.offsets[number])
        self._enter_native = self.translator.support.enter
        self._slot: int | None = None
        self._executed = 0
        self._pending: Stop | None = None
        self._error: BaseException | None = None
        self._nesting = 0
        self._until: tuple[int, int] | None = None
        self._guards: dict[int, Callable[[list[int]], int]] = {}
        self._arrivals: dict[int, int] = {}
        self._flags_checked: set[int] = set()
        self._flags_kept: int | None = None
        self._stopping = False
        self._thread = 0
        self._loaded = False
        self.compiling = True
        """Whether hot code is compiled; what is compiled already runs in any case."""

    # ---- the interface of a CPU ----

    @property
    def count(self) -> int:
        """Guest instructions executed."""
        return self._executed + self._native.word(layout.COUNT)

    @property
    def breakpoints(self) -> frozenset[int]:
        return self._interp.breakpoints

    @breakpoints.setter
    def breakpoints(self, addrs: frozenset[int]) -> None:
        self._interp.breakpoints = addrs

    def insn_at(self, pc: int) -> Insn:
        """The decoded instruction at an address; HccError where there is none."""
        return self._interp.insn_at(pc)

    def run(self, limit: int | None = None) -> Stop:
        """Run until something stops the CPU, or until `count` has reached `limit`.

        With a limit or breakpoints everything is interpreted, as both are about single
        instructions.
        """
        if limit is not None or self.breakpoints:
            return self._interpret(limit)
        if stacks.is_large():
            return self._run()
        return stacks.call(self._run, self.stop)

    def pass_calls(self, number: int, count: int) -> int:
        """Have the next `count` system calls with a number do nothing, without `on_syscall`, which
        compiled code counts by itself; how many were left of those asked for before."""
        left = self._native.word(layout.PASSING)
        self._native.set_word(layout.PASSING, count)
        self._native.set_word(layout.PASSING_NUMBER, number)
        return left

    def step(self) -> Stop | None:
        """Run one instruction; None if nothing stopped the CPU."""
        stop = self._interpret(self.count + 1)
        return None if stop.reason is StopReason.LIMIT else stop

    def stop(self) -> None:
        """Make `run`, on another thread, raise Interrupted soon."""
        self._stopping = True
        thread = self._thread
        if thread:
            signal.pthread_kill(thread, INTERRUPT_SIGNAL)

    def close(self) -> None:
        """End the compiling thread, keep what it made for later runs, and free its memory."""
        self.background.close()
        self.translator.save()
        self._interp.close()
        if not self._thread:  # else a guest is stuck in the host, with code of ours below it
            if self._slot is not None:
                self.translator.support.forget(self._slot)
                self._slot = None
            self._drop_blocks()
            self.translator.give_back()

    # ---- running ----

    def _interpret(self, limit: int | None) -> Stop:
        """Run by the interpreter alone, stopping exactly at the limit."""
        interp = self._interp
        self.state.to_list()
        self._drop_blocks()
        interp.slicing = False
        before = interp.count
        bound = None if limit is None else before + max(limit - self.count, 0)
        try:
            stop = interp.run(bound)
            while stop.reason is StopReason.SYSCALL and self._passes_call():
                stop = interp.run(bound)
            return stop
        finally:
            self._executed += interp.count - before
            self._enter_blocks()

    def _drop_blocks(self) -> None:
        for pc in self.translator.compiled | self._guards.keys():
            self._interp.drop_block(pc)

    def _enter_blocks(self) -> None:
        self._guards.clear()
        self._installed(list(self.translator.compiled))

    def _run(self) -> Stop:
        """Run on this thread, which has a large stack."""
        if not self._loaded:
            self._loaded = True
            self._installed(self.translator.load())
        if self._slot is None:
            self._slot = self.translator.support.register(self._native.address)
        outer = self._thread
        self._thread = threading.get_ident()
        self._native.set_word(layout.STACK_LIMIT, stacks.limit_of_thread())
        try:
            stop = self._drive()
        finally:
            self._thread = outer
        assert stop is not None
        return stop

    def _drive(self) -> Stop | None:
        """Interpret and enter compiled code until something stops the run; None when the
        function in `_until` has returned."""
        interp = self._interp
        while True:
            self.state.to_list()
            before = interp.count
            interp.slicing = True
            stop = None
            try:
                stop = interp.run(before + SLICE)
            except SliceEnd:
                pass
            except Returned:
                return None
            finally:
                self._executed += interp.count - before
            self._raise_errors()
            if self._pending is not None:
                stop = self._pending
                if self._nesting == 0:
                    self._pending = None
                return stop
            if stop is None or stop.reason is StopReason.LIMIT:
                self._sample(self.state.pc)
            elif stop.reason is StopReason.SYSCALL:
                if not self._handle_syscall():
                    return self._pending_or(stop)
            else:
                return self._pending_or(stop)

    def _pending_or(self, stop: Stop) -> Stop:
        """Remember a stop for the frames further out, if there are any."""
        if self._nesting:
            self._pending = stop
        return stop

    def _raise_errors(self) -> None:
        if self.background.error is not None:
            raise self.background.error
        error = self._error
        if error is None and self._stopping:
            error = Interrupted("interrupted")
        if error is not None:
            if self._nesting == 0:
                self._error, self._stopping = None, False
            raise error

    def _handle_syscall(self) -> bool:
        """Let the operating system act, if it wants to act in place; whether it did."""
        return self._passes_call() or (self.on_syscall is not None and self.on_syscall())

    def _passes_call(self) -> bool:
        """Whether a system call is one of those that do nothing, see `pass_calls`."""
        left = self._native.word(layout.PASSING)
        if not left:
            return False
        number = self.state.get(self.arch.convention.syscall_number)
        if number != self._native.word(layout.PASSING_NUMBER):
            return False
        self._native.set_word(layout.PASSING, left - 1)
        return True

    # ---- one region at a time, for `lockstep` ----

    def interruption(self) -> Interrupted:
        """What `run` raises when it has been stopped."""
        return Interrupted("interrupted")

    def has_code(self, pc: int) -> bool:
        """Whether there is compiled code for an address, which is made now if need be."""
        translator = self.translator
        if pc not in translator.compiled and pc not in translator.generator.refused:
            draft = translator.generator.translate([pc])
            if pc in draft.starts:
                translator.compile(draft, translator.doubted)
        return pc in translator.compiled

    def run_region(self, pc: int) -> tuple[int, Stop | None]:
        """Run the compiled region at `pc` (more often if it jumps to itself): how many
        instructions it executed, and what stopped it. Needs options `count` and no `nest`."""
        if self._slot is None:
            self._slot = self.translator.support.register(self._native.address)
        self._native.set_word(layout.STACK_LIMIT, stacks.limit_of_thread())
        self._native.set_word(layout.COUNT, 0)
        with self.translator.only(pc):
            after = self._enter(pc)
        count = self._native.word(layout.COUNT)
        self._native.set_word(layout.COUNT, 0)
        stop, self._pending = self._pending, None
        if self._error is not None:
            error, self._error = self._error, None
            raise error
        self.state.pc = ~after if after < 0 else after
        return count, stop

    # ---- entering compiled code ----

    def _installed(self, starts: list[int]) -> None:
        """Let the interpreter enter compiled code at some addresses."""
        for start in starts:
            if start not in self._guards:
                self._interp.put_block(start, self._entry(start))

    def _entry(self, pc: int) -> Callable[[list[int]], int]:
        def enter(regs: list[int]) -> int:
            return self._enter(pc)

        return enter

    def _enter(self, pc: int) -> int:
        """Run compiled code from `pc`; the next PC, or its complement when the run is over."""
        state, native = self.state, self._native
        state.to_native()
        native.set_word(layout.REASON, 0)
        result: int = self._enter_native(native.address, pc)  # type: ignore[operator]
        if result == layout.LEAVE and self._has_left():
            return ~self._leave()
        state.to_list()
        if result == pc:
            # Too little of the host stack is left to begin.
            self._raise_errors()
            function, size = self._interp.translated(pc)
            self._executed += size
            return function(state.regs)
        self._note_return(result)
        if result not in self._flags_checked and result != self._flags_kept:
            self._check_flags(result)
        return result

    def _note_return(self, pc: int) -> None:
        """Compiled code went on to an address that has none."""
        if self._arrives_hot(pc):
            self._quicken(pc)

    def _arrives_hot(self, pc: int) -> bool:
        """Compiled code comes to an address without code; whether it should have some now."""
        arrivals = self._arrivals[pc] = self._arrivals.get(pc, 0) + 1
        if self._is_long():
            return arrivals >= HOT_ARRIVALS or self._interp.is_tried(pc)
        return arrivals >= HOT_ARRIVALS_AT_FIRST

    def _quicken(self, pc: int) -> int:
        """Have quick code made for an address and the function around; host address of the code
        there is then, 0 if there is none."""
        if self.compiling:
            self._installed(self.translator.quicken(pc))
        return self.translator.code_at(pc)

    def _has_left(self) -> bool:
        """Whether the answer LEAVE means that: a guest may jump to the address of that value."""
        told = self._native.word(layout.REASON)
        return bool(told) or self._pending is not None or self._error is not None

    def _leave(self) -> int:
        """Find out why compiled code left; the guest PC."""
        state, native = self.state, self._native
        if self._pending is not None or self._error is not None:
            state.to_list()
            return state.pc
        reason = native.word(layout.REASON)
        state.to_list()
        match reason:
            case layout.REASON_TRAP:
                kind = FaultKind[_TRAPS[native.word(layout.DETAIL)].name]
                fault = Fault(kind, native.word(layout.WHERE))
            case layout.REASON_WILD:
                access = faults.access_of_column(
                    native.word(layout.WHERE), native.word(layout.FAULT_ADDR)
                )
                fault = _memory_fault(access, native.word(layout.DETAIL))
            case layout.REASON_FAULT:
                fault = self._host_fault()
            case layout.REASON_INTERRUPT:
                self._error = Interrupted("interrupted")
                return self._guest_pc(native.word(layout.FAULT_PC))
            case _:
                raise AssertionError(f"compiled code left for reason {reason}")
        self._pending = Stop(StopReason.FAULT, fault)
        return fault.pc

    def _host_fault(self) -> Fault:
        native = self._native
        host_pc = native.word(layout.FAULT_PC)
        found = self.translator.placed_at(host_pc)
        assert found is not None
        placed, offset = found
        access = faults.access_at(placed.content, offset)
        if access is None:
            raise AssertionError(f"no guest access at host address {host_pc:#x}")
        addr = native.word(layout.FAULT_ADDR) - self.memory.host_addr
        if addr % 4096 == 0:
            frame = [native.word(layout.HOST_REGISTERS + 8 * i) for i in range(16)]
            registers = faults.by_number(frame)
            code = placed.image.content[offset : offset + 32]
            began = faults.operand_address(code, registers, access.size)
            if began is not None and 0 < native.word(layout.FAULT_ADDR) - began < access.size:
                addr = began - self.memory.host_addr
        return _memory_fault(access, addr & (1 << 64) - 1)

    def _guest_pc(self, host_pc: int) -> int:
        """About where the guest is, for a host address in its code."""
        found = self.translator.placed_at(host_pc)
        if found is None:
            return self.state.pc
        placed, offset = found
        return faults.position_at(placed.content, offset)[0] or self.state.pc

    # ---- calls back from compiled code ----

    def _on_stub(self, address: int, pc: int) -> int:
        """Compiled code calls or jumps to code that is not compiled."""
        try:
            code = self._quicken(pc) if self._arrives_hot(pc) else self.translator.code_at(pc)
            if self._stopping:
                raise Interrupted("interrupted")
            if code:
                self._native.set_word(layout.AGAIN, code)
                return 0
            return self._interpret_call(pc)
        except BaseException as error:  # noqa: BLE001  (raised again by `_drive`)
            self._error = error
            return layout.LEAVE

    def _interpret_call(self, pc: int) -> int:
        native = self._native
        room = native.word(layout.STACK_POINTER) - native.word(layout.STACK_LIMIT)
        if not self.translator.functions.is_function(pc):
            # The rest of a function whose beginning was compiled: flags are valid there.
            self._flags_kept = pc
            return pc
        if self._nesting >= NESTING or room < NEST_ROOM:
            return pc
        state = self.state
        state.is_native = True
        state.to_list()
        convention = self.arch.convention
        sp = state.get(convention.stack_pointer)
        if convention.return_addr_register is None:
            back = self.memory.load(sp, 8)
            sp += 8
        else:
            back = state.get(convention.return_addr_register)
        self._guard(back)
        outer, self._until = self._until, (back, sp)
        self._nesting += 1
        state.pc = pc
        try:
            stop = self._drive()
        finally:
            self._nesting -= 1
            self._until = outer
        if stop is not None:
            return layout.LEAVE
        state.to_native()
        return back

    def _guard(self, back: int) -> None:
        """Notice when the interpreter comes to a return address."""
        if back in self._guards:
            return
        interp = self._interp
        index = self.arch.registers.index[self.arch.convention.stack_pointer]

        def guard(regs: list[int]) -> int:
            if self._until == (back, regs[index]):
                raise Returned
            if back in self.translator.compiled:
                return self._enter(back)
            function, size = interp.translated(back)
            self._executed += size
            return function(regs)

        self._guards[back] = guard
        interp.put_block(back, guard)

    def _on_system_call(self, address: int, pc: int) -> int:
        """Compiled code makes a system call; `pc` is behind it."""
        state = self.state
        state.is_native = True
        state.pc = pc
        try:
            if self._stopping:
                raise Interrupted("interrupted")
            if self._handle_syscall():
                state.to_native()
                return pc
            self._pending = Stop(StopReason.SYSCALL)
        except BaseException as error:  # noqa: BLE001  (raised again by `_drive`)
            self._error = error
        return layout.LEAVE

    # ---- what is hot ----

    def _on_hot(self, address: int, pc: int) -> int:
        """Quick code has passed `pc` many times, or optimised code has left for it; or it doubts
        what it has assumed. Host address of the code to go on with."""
        try:
            doubted = self._native.word(layout.DOUBTED)
            self._native.set_word(layout.DOUBTED, 0)
            if self._stopping:
                raise Interrupted("interrupted")
            self.translator.heat.cool(pc)
            if doubted:
                self._doubt(doubted)
                code = self.translator.code_at(pc) or self._quicken(pc)
                return code or self.translator.support.stub
            if self.compiling:
                self.background.request(pc)
            return self.translator.code_at(pc) or self.translator.support.stub
        except BaseException as error:  # noqa: BLE001  (raised again by `_drive`)
            self._error = error
            self.state.pc = pc
        return self.translator.support.leave

    def _doubt(self, start: int) -> None:
        """Have other code run in place of a region that has assumed too much."""
        if not self.translator.doubt(start) and not self._quicken(start):
            self._interp.drop_block(start)

    def _is_long(self) -> bool:
        """Whether the program has run long enough for compiling to pay."""
        interp = self._interp
        return (
            self._executed >= WARM_UP
            or interp.stepped_count >= WARM_UP_STEPS
            or interp.translated_count >= WARM_UP_BLOCKS
        )

    def _is_tried(self, pc: int) -> bool:
        """Whether compiling pays for the function around an address."""
        return self._is_long() and self._interp.is_tried(pc)

    def _sample(self, pc: int) -> None:
        """The interpreter was found at `pc` at the end of a slice."""
        if self._is_long():
            self._quicken(pc)
        self.background.let_translate()

    def _compiled_block(self, pc: int) -> Block | None:
        """The interpreter comes to new code: compiled code to run instead, if there is to be."""
        if pc in self.translator.compiled or (self._is_tried(pc) and self._quicken(pc)):
            return self._entry(pc), 0
        return None

    def _check_flags(self, pc: int) -> None:
        """Make sure that the code returned to does not read flags, which are not carried over."""
        self._flags_checked.add(pc)
        if self.options.nest and self._interp.flags_used_at(pc):  # else `lockstep` compares them
            raise UnsupportedError(
                f"code at {pc:#x} reads condition flags that a function left; "
                "only --engine interp runs it"
            )


def _memory_fault(access: faults.Access, addr: int) -> Fault:
    kind = FaultKind.WRITE if access.writes else FaultKind.READ
    return Fault(kind, access.pc, addr, access.size)
