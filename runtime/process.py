"""A process: a program in memory, a CPU of some ISA running it, and an OS personality beside it.

`run` drives the CPU from stop to stop: system calls go to the personality, migration points to
the plan, faults end the process with a report. Moving it means reading the stack on one ISA and
resuming it on another; memory, files and standard streams stay what they are.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from attrs import define, field

from hcc.emulator.interpreter import Interpreter, Stop, StopReason
from hcc.emulator.memory import Memory
from hcc.isa import thread_block
from hcc.isa.errors import HccError, UnsupportedError
from hcc.isa.fatbinary import Program
from hcc.isa.linux import MIGRATE
from hcc.runtime import death
from hcc.runtime.address_space import load, write_arguments
from hcc.runtime.breakpoints import Breakpoints
from hcc.runtime.death import Death
from hcc.runtime.endings import Exited, Killed
from hcc.runtime.engines import Cell, Cpu, make_cpu
from hcc.runtime.migrate import Plan, RingPlan, poison_stack, start_resumption, write_records
from hcc.runtime.personality import Personality
from hcc.runtime.symbols import Symbolizer
from hcc.runtime.unwind import Activation, StackReader

if TYPE_CHECKING:
    from hcc.emulator.jit.engine import JitCpu


@define
class Statistics:
    """What `--stats` reports."""

    instructions: dict[str, int] = field(factory=dict)
    points: int = 0
    migrations: int = 0
    frames_moved: int = 0
    deepest_stack: int = 0
    migration_seconds: float = 0.0


class CheckpointReached(Exception):
    """Raised out of `run` when the point asked for is reached."""


class TimedOut(HccError):
    """The time given to `Process.run` is over."""


# Instructions between two looks at the clock.
_BETWEEN_LOOKS = 1_000_000
_ANY_POINTS = 1 << 62
"""More than there will ever be."""


class Process:
    """One running program. `isa` is the ISA it is on now."""

    def __init__(
        self,
        program: Program,
        isa: str,
        argv: Sequence[str],
        env: Sequence[str] = (),
        engine: str = "interp",
        count: bool = True,
    ) -> None:
        """`count` asks for exact instruction counts of engines that do without otherwise."""
        self._prepare(program, isa, engine, count)
        load(program, self.memory)
        sp = write_arguments(
            self.memory, [os.fsencode(a) for a in argv], [os.fsencode(e) for e in env]
        )
        self.personality = Personality(self.memory, program.image_end)
        cpu = self.cpu
        cpu.state.pc = program.entry
        cpu.state.set(cpu.arch.convention.stack_pointer, sp)
        for i, register in enumerate(cpu.arch.registers.registers):
            if register.fixed is not None:
                cpu.state.regs[i] = register.fixed

    @classmethod
    def resumed(
        cls,
        program: Program,
        isa: str,
        ranges: Sequence[tuple[int, int, int]],
        pages: Mapping[int, bytes],
        personality: dict[str, Any],
        activations: list[Activation],
        engine: str = "interp",
        count: bool = True,
    ) -> Process:
        """A process made from a snapshot's parts, about to go on on `isa`."""
        process = cls.__new__(cls)
        process._prepare(program, isa, engine, count)
        memory = process.memory
        load(program, memory)
        for start, end, access in ranges:
            memory.protect(start, end - start, access)
        for addr, content in pages.items():
            memory.fill(addr, content)
        process.personality = Personality(memory, program.image_end)
        process.personality.restore(personality)
        process.resume(isa, activations)
        return process

    def _prepare(self, program: Program, isa: str, engine: str, count: bool) -> None:
        if isa not in program.isas:
            raise HccError(
                f"the program has no code for '{isa}': it was compiled for "
                f"{', '.join(program.isas)}"
            )
        self.program = program
        self.isa = isa
        self.engine = engine
        self._first_engine = engine
        self.counts = count or engine == "interp"
        self.memory = Memory()
        self.symbols = Symbolizer(program)
        self.statistics = Statistics()
        self.plan: Plan | None = None
        self.poison = False
        self.checkpoint_at: int | None = None
        self.counts_points = False
        self.trace: Callable[[Process], None] | None = None
        self.breakpoints: Breakpoints | None = None
        self._moved = False
        self._waiting: Cell | None = None
        self._deadline: float | None = None
        self._interrupted = False
        self._cpus: dict[tuple[str, str], Cpu] = {}
        self._readers: dict[str, StackReader] = {}

    @property
    def cpu(self) -> Cpu:
        """The CPU of the current ISA and engine."""
        cpu = self._cpus.get((self.isa, self.engine))
        if cpu is None:
            cpu = self._cpus[self.isa, self.engine] = make_cpu(
                self.engine, self.program, self.isa, self.memory, self._call_in_place, self.counts
            )
            if self.breakpoints is not None:
                self.breakpoints.arm(cpu)
        return cpu

    @property
    def instructions(self) -> int:
        """Instructions executed on all ISAs together."""
        return sum(cpu.count for cpu in self._cpus.values())

    # ---- running ----

    def watch_points(self, plan: Plan | None, checkpoint_at: int | None = None) -> None:
        """Stop at migration points from now on: for a plan, a checkpoint, or to count them."""
        if not self.program.movable:
            raise UnsupportedError(
                "the program was compiled with --points none: it has no migration points"
            )
        self.plan = plan
        self.checkpoint_at = checkpoint_at
        self.counts_points = True
        thread = self.program.symbol(thread_block.SYMBOL)
        assert thread is not None
        self.memory.store(thread.addr + thread_block.MIGRATION_FLAG, 4, 1)

    def stop_at(self, breakpoints: Breakpoints) -> None:
        """Report breakpoints from now on; the engine must be `interp`."""
        self.breakpoints = breakpoints
        for cpu in self._cpus.values():
            breakpoints.arm(cpu)

    def stop_watching(self) -> None:
        """Run past migration points without stopping."""
        thread = self.program.symbol(thread_block.SYMBOL)
        assert thread is not None
        self.memory.store(thread.addr + thread_block.MIGRATION_FLAG, 4, 0)
        self.plan, self.checkpoint_at = None, None

    def run(self, timeout: float | None = None) -> int | Death:
        """Run to the end: the exit status, or the signal that ended the process.

        TimedOut is raised after `timeout` seconds.
        """
        self._interrupted = False
        if not self.compiles():
            self._deadline = None if timeout is None else time.monotonic() + timeout
            if timeout is None:
                return self._run()
        from hcc.emulator.jit import stacks
        from hcc.emulator.jit.engine import Interrupted

        try:
            return stacks.call(self._run, self._stop, timeout)
        except (Interrupted, TimeoutError) as error:
            raise self._timed_out() from error

    def compiles(self) -> bool:
        """Whether compiled code may run: now, or after a move of the plan."""
        ring = self.plan.ring if isinstance(self.plan, RingPlan) else ()
        return self.engine != "interp" or any(cell.engine == "jit" for cell in ring)

    def _stop(self) -> None:
        """Make `_run`, on another thread, raise Interrupted soon."""
        self._interrupted = True
        for cpu in list(self._cpus.values()):
            if not isinstance(cpu, Interpreter):
                cpu.stop()  # type: ignore[attr-defined]

    def whereabouts(self) -> str:
        """Where the process is, in words; about where, if compiled code was interrupted."""
        pc = self.cpu.state.pc
        return f"pc {pc:#x} in {self.symbols.describe(pc, self.isa)} on {self.isa}"

    def _timed_out(self) -> TimedOut:
        return TimedOut(f"timed out: {self.whereabouts()}")

    def _run(self) -> int | Death:
        self._moved = False
        try:
            while True:
                stop = self._run_cpu()
                match stop.reason:
                    case StopReason.SYSCALL:
                        if not self._moved:  # else it was done in place
                            self._system_call()
                        self._moved = False
                    case StopReason.FAULT:
                        assert stop.fault is not None
                        return death.of_fault(self, stop.fault)
                    case StopReason.BREAKPOINT if self.breakpoints is not None:
                        self.breakpoints.reached(self)
                    case _:
                        raise AssertionError(f"stopped by {stop.reason}")
        except Exited as end:
            return end.status
        except Killed as end:
            return death.of_signal(self, end.signal)
        except _Trapped as end:
            return end.death
        finally:
            self._uncount_points()
            if self.counts:
                counts = dict.fromkeys((isa for isa, _ in self._cpus), 0)
                for (isa, _), cpu in self._cpus.items():
                    counts[isa] += cpu.count
                self.statistics.instructions = counts

    def close(self) -> None:
        """Let go of the host's files and end what runs beside the CPUs."""
        for cpu in self._cpus.values():
            cpu.close()
        self.personality.close_all()

    def _run_cpu(self) -> Stop:
        alone = self._deadline is None and not self.compiles()
        if self.trace is None and (alone or not isinstance(self.cpu, Interpreter)):
            return self.cpu.run()
        while True:
            if self._deadline is not None and time.monotonic() > self._deadline:
                raise self._timed_out()
            if self._interrupted:
                from hcc.emulator.jit.engine import Interrupted

                raise Interrupted("interrupted")
            if self.trace is None:
                stop = self.cpu.run(self.cpu.count + _BETWEEN_LOOKS)
                if stop.reason is not StopReason.LIMIT:
                    return stop
                continue
            self.trace(self)
            step = self.cpu.step()
            if step is not None:
                return step

    def _call_in_place(self) -> bool:
        """A system call out of compiled code; whether the CPU is to go on."""
        self._moved = False
        self._system_call()
        return not self._moved

    def _system_call(self) -> None:
        cpu = self.cpu
        state, convention = cpu.state, cpu.arch.convention
        number = state.get(convention.syscall_number)
        args = [state.get(r) for r in convention.syscall_arguments]
        name = cpu.arch.syscalls.get(number, "")
        if name == "hcc_migrate":
            self._migration_point()
            return
        if name == "hcc_trap":
            raise _Trapped(death.of_trap(self, args[0], args[1]))
        if name == "arch_prctl":
            state.set("fs_base", args[1])
            result = 0
        else:
            result = self.personality.call(name, args)
        state.set(convention.syscall_result, result)

    # ---- migration ----

    def _migration_point(self) -> None:
        self.statistics.points += 1
        if self.checkpoint_at == self.statistics.points:
            raise CheckpointReached
        target = self.plan.next_cell(self.isa, self.engine) if self.plan else None
        target = target or self._waiting
        if target is None:
            self._pass_points()
            return
        if self.personality.pim is not None and self.personality.pim.busy:
            self._waiting = target  # until the memory has finished its kernel
            return
        self._waiting = None
        self.move_to(target.isa, target.engine or self._first_engine)

    def _pass_points(self) -> None:
        """Let compiled code pass the points to come at which nothing is to be done: it takes a
        hundredth of the time that calling the plan at each takes. They are counted at once."""
        if self.engine != "jit":
            return
        count = _ANY_POINTS
        if self.checkpoint_at is not None:
            count = max(self.checkpoint_at - self.statistics.points - 1, 0)
        if self.plan is not None:
            count = self.plan.pass_points(count)
        cast("JitCpu", self.cpu).pass_calls(MIGRATE, count)
        self.statistics.points += count

    def _uncount_points(self) -> None:
        """Count only those of the points to be passed that have been."""
        for (_, engine), cpu in self._cpus.items():
            if engine == "jit":
                self.statistics.points -= cast("JitCpu", cpu).pass_calls(MIGRATE, 0)

    def activations(self) -> list[Activation]:
        """The activation records of the process, which must be at a migration point."""
        if self.isa not in self._readers:
            self._readers[self.isa] = StackReader(self.program, self.isa)
        return self._readers[self.isa].activations(self.cpu.state, self.memory)

    def move_to(self, isa: str, engine: str | None = None) -> None:
        """Go on with the process, which must be at a migration point, on another ISA, and on
        another engine if one is given."""
        begin = time.perf_counter()
        activations = self.activations()
        source = self.cpu
        if self.poison:
            poison_stack(self.memory, source.state.get(source.arch.convention.stack_pointer))
        self.engine = engine or self.engine
        self.resume(isa, activations)
        s = self.statistics
        s.migrations += 1
        s.frames_moved += len(activations)
        s.deepest_stack = max(s.deepest_stack, len(activations))
        s.migration_seconds += time.perf_counter() - begin

    def resume(self, isa: str, activations: list[Activation]) -> None:
        """Set the CPU of an ISA up to rebuild the given stack and go on."""
        self.isa = isa
        self._moved = True
        resumption = write_records(self.program, self.memory, activations)
        start_resumption(self.cpu.state, self.program, self.memory, resumption, self.poison)


class _Trapped(Exception):
    def __init__(self, death: Death) -> None:
        super().__init__(death.message)
        self.death = death
