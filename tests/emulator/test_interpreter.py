"""The interpreter's control: faults, counts, limits, breakpoints, memory accesses, flags."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest

from hcc.emulator.faults import Fault, FaultKind
from hcc.emulator.interpreter import MAX_BLOCK, Interpreter, StopReason
from hcc.emulator.memory import PAGE_SIZE
from hcc.isa.builder import Trap
from hcc.isa.errors import HccError
from tests.emulator import toy
from tests.emulator.toy import CODE, RAM, RAM_SIZE, STEPS, TRANSLATES, Step

READ_ONLY = RAM + PAGE_SIZE

pytestmark = pytest.mark.usefixtures("patience")


@pytest.fixture(params=[TRANSLATES, STEPS, 1], ids=["translates", "steps", "both"])
def patience(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test is run on translated code, by steps, and by steps at first."""
    monkeypatch.setattr(toy, "patience", request.param)


def machine(
    steps: Sequence[Step | None], registers: Mapping[str, int] | None = None
) -> Interpreter:
    return toy.machine(steps, registers, toy.patience)



def inc(m: Any) -> None:
    m.set("r0", m.add(m.get("r0"), m.i64(1)))


def end(m: Any) -> None:
    m.syscall()


def loop(m: Any) -> None:
    """Back to the start while r0 is below r1."""
    m.branch(m.ult(m.get("r0"), m.get("r1")), CODE)


def load(bits: int, to: str = "r2") -> Step:
    return lambda m: m.set(to, m.zext(m.load(m.get("r1"), bits), 128 if to[0] == "w" else 64))


def store(bits: int) -> Step:
    return lambda m: m.store(m.get("r1"), m.trunc(m.get("w0"), bits))


def run_until(cpu: Interpreter, reason: StopReason) -> None:
    assert cpu.run().reason is reason


# ---- counting, limits, stepping ----


def test_run_stops_behind_a_system_call_and_counts_it() -> None:
    cpu = machine([inc, inc, end, inc, end])

    run_until(cpu, StopReason.SYSCALL)
    assert (cpu.state.pc, cpu.count, cpu.state.get("r0")) == (CODE + 3, 3, 2)
    run_until(cpu, StopReason.SYSCALL)
    assert (cpu.state.pc, cpu.count, cpu.state.get("r0")) == (CODE + 5, 5, 3)


@pytest.mark.parametrize("limit", range(13))
def test_limit_is_exact_within_blocks_and_loops(limit: int) -> None:
    cpu = machine([inc, inc, inc, loop], {"r1": 1 << 60})

    assert cpu.run(limit).reason is StopReason.LIMIT
    assert cpu.count == limit
    assert cpu.state.pc == CODE + limit % 4
    assert cpu.state.get("r0") == limit - limit // 4


def test_limit_already_reached_runs_nothing() -> None:
    cpu = machine([inc, inc])
    cpu.run(2)

    for limit in (2, 1, 0):
        assert cpu.run(limit).reason is StopReason.LIMIT
        assert (cpu.count, cpu.state.get("r0")) == (2, 2)


def test_limit_comes_before_a_bad_address() -> None:
    cpu = machine([lambda m: m.jump(m.i64(0x9999_0000))])

    assert cpu.run(1).reason is StopReason.LIMIT
    assert cpu.state.pc == 0x9999_0000


def test_step_runs_one_instruction_and_tells_only_of_stops() -> None:
    cpu = machine([inc, inc, end])

    assert cpu.step() is None
    assert cpu.step() is None
    stop = cpu.step()
    assert stop is not None
    assert stop.reason is StopReason.SYSCALL
    assert (cpu.count, cpu.state.get("r0")) == (3, 2)


def test_blocks_longer_than_the_maximum_are_whole() -> None:
    length = 2 * MAX_BLOCK + 5
    cpu = machine([inc] * length + [end])
    run_until(cpu, StopReason.SYSCALL)

    assert (cpu.count, cpu.state.get("r0")) == (length + 1, length)


def test_stepping_and_running_agree_at_every_instruction() -> None:
    seed = random.SystemRandom().getrandbits(32)
    rng = random.Random(seed)

    def mix(m: Any, k: int) -> None:
        a, b = m.get(f"r{k % 4}"), m.get(f"r{k * 5 % 7}")
        m.set("cf", m.ult(a, b))
        m.set(f"r{k * 3 % 6}", m.select(m.get("zf"), m.add(a, b), m.xor(a, m.i64(k))))
        m.set("zf", m.eq(m.and_(a, m.i64(1)), m.i64(0)))

    steps: list[Step] = [lambda m, k=k: mix(m, k) for k in range(40)]
    steps[17] = lambda m: m.branch(m.get("cf"), CODE + 3)
    steps[33] = lambda m: m.branch(m.get("zf"), CODE + 10)
    steps.append(lambda m: m.jump(m.i64(CODE)))
    start = {f"r{i}": rng.getrandbits(64) for i in range(7)}
    running, stepping = machine(steps, start), machine(steps, start)
    while running.count < 3000:
        running.run(running.count + rng.randint(1, 100))
        while stepping.count < running.count:
            stepping.step()

        assert running.state.pc == stepping.state.pc, f"seed {seed}"
        assert running.state.regs[:12] == stepping.state.regs[:12], f"seed {seed}"


# ---- breakpoints ----


def test_breakpoint_stops_before_its_instruction() -> None:
    cpu = machine([inc, inc, inc, end])
    cpu.breakpoints = frozenset([CODE + 2])

    run_until(cpu, StopReason.BREAKPOINT)
    assert (cpu.state.pc, cpu.count, cpu.state.get("r0")) == (CODE + 2, 2, 2)
    run_until(cpu, StopReason.SYSCALL)
    assert cpu.count == 4


def test_breakpoint_at_the_start_of_a_run_is_passed_once() -> None:
    cpu = machine([inc, loop, end], {"r1": 3})
    cpu.breakpoints = frozenset([CODE])

    run_until(cpu, StopReason.BREAKPOINT)
    assert (cpu.count, cpu.state.get("r0")) == (2, 1)
    run_until(cpu, StopReason.BREAKPOINT)
    assert (cpu.count, cpu.state.get("r0")) == (4, 2)
    run_until(cpu, StopReason.SYSCALL)


def test_breakpoint_set_and_removed_after_translation() -> None:
    cpu = machine([inc, inc, loop, end], {"r1": 100})
    cpu.run(30)
    cpu.breakpoints = frozenset([CODE + 1])
    run_until(cpu, StopReason.BREAKPOINT)
    assert cpu.state.pc == CODE + 1
    cpu.breakpoints = frozenset()

    run_until(cpu, StopReason.SYSCALL)
    assert (cpu.count, cpu.state.get("r0")) == (151, 100)


def test_breakpoint_where_there_is_no_code_stops_before_the_fault() -> None:
    cpu = machine([lambda m: m.jump(m.i64(0x5000))])
    cpu.breakpoints = frozenset([0x5000])

    run_until(cpu, StopReason.BREAKPOINT)
    run_until(cpu, StopReason.FAULT)


# ---- faults ----


def fault_of(cpu: Interpreter) -> Fault:
    stop = cpu.run()
    assert stop.reason is StopReason.FAULT
    assert stop.fault is not None
    assert stop.fault.pc == cpu.state.pc
    return stop.fault


@pytest.mark.parametrize(
    "addr",
    [
        0, 8, RAM - 8, RAM + RAM_SIZE, RAM + RAM_SIZE - 4,
        (1 << 32) - 8, 1 << 32, (1 << 64) - 8, 1 << 63,
    ],
)  # fmt: skip
@pytest.mark.parametrize(
    ("access", "kind"), [(load(64), FaultKind.READ), (store(64), FaultKind.WRITE)]
)
def test_bad_access_is_a_fault_at_its_instruction(access: Step, kind: FaultKind, addr: int) -> None:
    cpu = machine([inc, inc, access, inc, end], {"r1": addr, "r2": 77})

    assert fault_of(cpu) == Fault(kind, CODE + 2, addr, 8)
    assert (cpu.count, cpu.state.get("r0"), cpu.state.get("r2")) == (2, 2, 77)


def test_faulting_instruction_may_be_run_again() -> None:
    cpu = machine([inc, load(32), inc, end], {"r1": 0})
    fault_of(cpu)
    cpu.state.set("r1", RAM)

    run_until(cpu, StopReason.SYSCALL)
    assert (cpu.count, cpu.state.get("r0")) == (4, 2)


def test_write_to_a_read_only_page_faults_and_a_read_does_not() -> None:
    assert machine([load(64), end], {"r1": READ_ONLY}).run().fault is None
    for addr in (READ_ONLY, READ_ONLY - 4, READ_ONLY + PAGE_SIZE - 1):
        cpu = machine([store(64), end], {"r1": addr})

        assert fault_of(cpu) == Fault(FaultKind.WRITE, CODE, addr, 8)
        assert cpu.memory.read(RAM, 0x3000) == bytes(0x3000)


def test_equal_code_at_two_addresses_faults_at_its_own() -> None:
    """The two blocks translate to the same text."""
    jump: Step = lambda m: m.jump(m.get("r3"))  # noqa: E731
    cpu = machine([inc, load(8), jump, inc, load(8), jump], {"r1": 0})
    for start in (CODE, CODE + 3, CODE):
        cpu.state.pc = start

        assert fault_of(cpu).pc == start + 1


def test_fault_in_a_loop_counts_what_came_before() -> None:
    back: Step = lambda m: m.set("r1", m.sub(m.get("r1"), m.i64(8)))  # noqa: E731
    cpu = machine([back, load(64), lambda m: m.jump(m.i64(CODE))], {"r1": RAM + 800})

    assert fault_of(cpu) == Fault(FaultKind.READ, CODE + 1, RAM - 8, 8)
    assert cpu.count == 3 * 100 + 1


@pytest.mark.parametrize("kind", Trap)
def test_trap_stops_at_its_instruction_with_its_reason(kind: Trap) -> None:
    cpu = machine([inc, lambda m: m.trap(kind), end])

    assert fault_of(cpu).kind.value == kind.value
    assert (cpu.state.pc, cpu.count) == (CODE + 1, 1)


def test_conditional_trap_only_if_its_condition_holds() -> None:
    def step(m: Any) -> None:
        m.trap_if(m.eq(m.get("r1"), m.i64(0)), Trap.DIVIDE)
        m.set("r2", m.i64(5))

    quiet, loud = machine([step, end], {"r1": 1}), machine([step, end], {"r1": 0, "r2": 9})

    run_until(quiet, StopReason.SYSCALL)
    assert quiet.state.get("r2") == 5
    assert fault_of(loud).kind is FaultKind.DIVIDE
    assert (loud.count, loud.state.get("r2")) == (0, 9)


def test_address_without_code_is_a_bad_jump() -> None:
    cpu = machine([inc])

    assert fault_of(cpu) == Fault(FaultKind.FETCH, CODE + 1, CODE + 1)
    assert str(fault_of(cpu)) == f"bad jump to {CODE + 1:#x}"
    assert cpu.count == 1


def test_undecodable_bytes_fault_only_when_they_are_reached() -> None:
    cpu = machine([inc, lambda m: m.branch(m.eq(m.get("r0"), m.i64(1)), CODE + 3), None, end])
    run_until(cpu, StopReason.SYSCALL)
    cpu.state.pc = CODE

    fault = fault_of(cpu)
    assert (fault.kind, fault.pc) == (FaultKind.ILLEGAL, CODE + 2)
    assert str(fault) == f"illegal instruction: no instruction at {CODE + 2:#x}"


def test_instruction_that_semantics_refuse_is_illegal_where_it_stands() -> None:
    """Whatever the refused instruction had asked for before does not happen."""

    def refused(m: Any) -> None:
        m.set("r0", m.i64(99))
        raise HccError("rounding mode of frob")

    cpu = machine([inc, inc, refused, end])

    fault = fault_of(cpu)
    assert str(fault) == "illegal instruction: rounding mode of frob"
    assert (cpu.state.pc, cpu.count, cpu.state.get("r0")) == (CODE + 2, 2, 2)


def test_unknown_mnemonic_is_named() -> None:
    cpu = machine([inc, end])
    del cpu.arch.semantics["step1"]  # type: ignore[attr-defined]

    assert str(fault_of(cpu)) == "illegal instruction: step1 is not supported"


# ---- memory ----


@pytest.mark.parametrize("bits", [8, 16, 32, 64, 128])
def test_every_width_at_every_offset_about_a_page_boundary(bits: int) -> None:
    size = bits // 8
    to = "w1" if bits == 128 else "r2"
    reader, writer = machine([load(bits, to), end]), machine([store(bits), end])
    content = bytes(i * 7 % 256 for i in range(RAM_SIZE))
    reader.memory.fill(RAM, content)
    writer.memory.protect(RAM, RAM_SIZE, 3)
    value = 0x1122_3344_5566_7788_99AA_BBCC_DDEE_FF00 % (1 << bits)
    for offset in (*range(24), *range(PAGE_SIZE - 20, PAGE_SIZE + 20)):
        reader.state.pc = writer.state.pc = CODE
        reader.state.set("r1", RAM + offset)
        run_until(reader, StopReason.SYSCALL)

        assert int.from_bytes(content[offset : offset + size], "little") == reader.state.get(to)

        before = bytearray(content)
        writer.memory.write(RAM, content)
        writer.state.set("r1", RAM + offset)
        writer.state.set("w0", value)
        run_until(writer, StopReason.SYSCALL)

        before[offset : offset + size] = value.to_bytes(size, "little")
        assert bytes(before) == writer.memory.read(RAM, RAM_SIZE)


def test_access_at_the_end_of_the_address_space() -> None:
    cpu = machine([load(64), end], {"r1": (1 << 32) - 8})
    cpu.memory.protect((1 << 32) - PAGE_SIZE, PAGE_SIZE, 1)
    run_until(cpu, StopReason.SYSCALL)
    cpu.state.pc = CODE
    cpu.state.set("r1", (1 << 32) - 4)

    assert fault_of(cpu) == Fault(FaultKind.READ, CODE, (1 << 32) - 4, 8)


class Echo:
    """A device that remembers its accesses and returns the offset."""

    def __init__(self) -> None:
        self.log: list[tuple[Any, ...]] = []

    def read(self, offset: int, size: int) -> int:
        self.log.append(("read", offset, size))
        return offset

    def write(self, offset: int, size: int, value: int) -> None:
        self.log.append(("write", offset, size, value))


def test_device_answers_on_its_range_and_in_order() -> None:
    device = Echo()
    cpu = machine(
        [load(32), store(16), lambda m: m.set("r1", m.add(m.get("r1"), m.i64(3))), store(64), end],
        {"r1": 0x50_0010, "w0": 0xABCDEF},
    )
    cpu.memory.map_device(0x50_0000, PAGE_SIZE, device)
    run_until(cpu, StopReason.SYSCALL)

    assert device.log == [("read", 16, 4), ("write", 16, 2, 0xCDEF), ("write", 19, 8, 0xABCDEF)]
    assert cpu.state.get("r2") == 16


def test_error_of_a_device_leaves_the_state_at_its_instruction() -> None:
    class Broken(Echo):
        def read(self, offset: int, size: int) -> int:
            raise HccError("input file ended")

    cpu = machine([inc, inc, load(8), inc, end], {"r1": 0x50_0000})
    cpu.memory.map_device(0x50_0000, PAGE_SIZE, Broken())
    with pytest.raises(HccError, match="input file ended"):
        cpu.run()

    assert (cpu.state.pc, cpu.count, cpu.state.get("r0")) == (CODE + 2, 2, 2)


def test_interrupt_leaves_a_state_to_go_on_from() -> None:
    class Impatient(Echo):
        def read(self, offset: int, size: int) -> int:
            if len(self.log) == 3:
                self.log.append(("interrupted",))
                raise KeyboardInterrupt
            return super().read(offset, size)

    cpu = machine([load(8), inc, loop, end], {"r1": 0x50_0000, "r0": 0x50_0000 - 10})
    cpu.memory.map_device(0x50_0000, PAGE_SIZE, Impatient())
    with pytest.raises(KeyboardInterrupt):
        cpu.run()
    assert (cpu.state.pc, cpu.count) == (CODE, 9)

    run_until(cpu, StopReason.SYSCALL)
    assert cpu.count == 31


# ---- leaving an instruction early ----


def test_exit_leaves_the_rest_of_its_instruction_undone() -> None:
    def repeat(m: Any) -> None:
        """Store a byte and come back while the counter is not zero."""
        left = m.get("r2")
        m.exit_if(m.eq(left, m.i64(0)), CODE + 2)
        m.store(m.get("r1"), m.const(m.get("small").ty, 0x55))
        m.set("r1", m.add(m.get("r1"), m.i64(1)))
        m.set("r2", m.sub(left, m.i64(1)))
        m.exit_if(m.eq(left, left), CODE + 1)

    cpu = machine([inc, repeat, end], {"r1": RAM, "r2": 10})
    run_until(cpu, StopReason.SYSCALL)

    assert cpu.memory.read(RAM, 12) == b"\x55" * 10 + bytes(2)
    assert cpu.count == 1 + 11 + 1


# ---- flags ----


def compare(m: Any) -> None:
    m.set("zf", m.eq(m.get("r0"), m.get("r1")))
    m.set("cf", m.ult(m.get("r0"), m.get("r1")))


FLAG_USERS: dict[str, Callable[[Any], None]] = {
    "branch": lambda m: m.branch(m.get("cf"), CODE),
    "value": lambda m: m.set("r5", m.zext(m.get("zf"), 64)),
    "jump": lambda m: m.jump(m.get("r6")),
    "call": lambda m: m.syscall(),
}


@pytest.mark.parametrize("filler", range(9))
def test_flag_lives_across_blocks_to_its_reader(filler: int) -> None:
    """However far away the reader is, beyond any window of the look-ahead."""
    jump: Step = lambda m: m.jump(m.i64(m.pc + 1))  # noqa: E731
    steps = [compare, *[step for _ in range(filler) for step in (jump, inc)]]
    steps += [FLAG_USERS["value"], end]
    cpu = machine(steps, {"r0": 4, "r1": 4})
    run_until(cpu, StopReason.SYSCALL)

    assert cpu.state.get("r5") == 1


def test_flags_are_kept_for_system_calls_and_unknown_successors() -> None:
    for user in ("call", "jump"):
        cpu = machine([compare, FLAG_USERS[user], end], {"r0": 4, "r1": 5, "r6": CODE + 2})
        run_until(cpu, StopReason.SYSCALL)

        assert (cpu.state.get("cf"), cpu.state.get("zf")) == (1, 0)


def test_flag_read_by_only_one_of_two_successors_is_kept() -> None:
    steps: list[Step] = [
        compare,
        lambda m: m.branch(m.eq(m.get("r2"), m.i64(0)), CODE + 4),
        compare,
        end,
        FLAG_USERS["value"],
        end,
    ]
    cpu = machine(steps, {"r0": 4, "r1": 4})
    run_until(cpu, StopReason.SYSCALL)

    assert cpu.state.get("r5") == 1


def test_flags_outlive_an_instruction_that_may_exit_before_it_writes_them() -> None:
    """As a repeated comparison of x86-64 does that has nothing to compare."""

    def compare_unless_zero(m: Any) -> None:
        m.exit_if(m.eq(m.get("r2"), m.i64(0)), m.next_pc)
        m.set("zf", m.eq(m.get("r0"), m.get("r3")))
        m.set("cf", m.ult(m.get("r0"), m.get("r3")))

    jump: Step = lambda m: m.jump(m.i64(m.pc + 1))  # noqa: E731
    for r2, expected in ((0, 1), (1, 0)):
        steps = [compare, jump, compare_unless_zero, FLAG_USERS["value"], end]
        cpu = machine(steps, {"r0": 4, "r1": 4, "r2": r2})
        run_until(cpu, StopReason.SYSCALL)

        assert expected == cpu.state.get("r5")


def test_flag_put_off_is_that_of_the_operands_at_its_instruction() -> None:
    made: list[int] = []

    def below(m: Any, a: Any, b: Any) -> Any:
        made.append(m.pc)
        return m.ult(a, b)

    def put_off(m: Any) -> None:
        m.set_later("cf", below, m.get("r0"), m.get("r1"))

    read: Step = lambda m: m.set("r5", m.zext(m.get("cf"), 64))  # noqa: E731
    cpu = machine([put_off, inc, inc, read, put_off, put_off, end], {"r0": 3, "r1": 4})
    run_until(cpu, StopReason.SYSCALL)

    assert (cpu.state.get("r5"), cpu.state.get("cf")) == (1, 0)
    if toy.patience == STEPS:
        assert len(made) == 2  # at the reader and at the end: what was overwritten never was


def test_fault_undoes_the_flag_its_instruction_put_off() -> None:
    def put_off_and_fault(m: Any) -> None:
        m.set_later("cf", lambda m, a: m.eq(a, a), m.get("r0"))
        m.load(m.i64(0), 64)

    cpu = machine([compare, put_off_and_fault, end], {"r0": 4, "r1": 4})
    stop = cpu.run()

    assert stop.reason is StopReason.FAULT
    assert cpu.state.pc == CODE + 1
    if toy.patience:  # translated code writes flags where the semantics do
        assert (cpu.state.get("cf"), cpu.state.get("zf")) == (0, 1)
