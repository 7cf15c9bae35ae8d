"""Random expression graphs through the builder, its simplifications and its printer.

Each graph is built twice in the same words: with the interpreter's builder, which shares, folds,
simplifies and drops masks, and with a builder that computes each operation at once on numbers.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from hcc.emulator.pybuilder import PyBuilder
from hcc.isa.builder import Builder, JumpKind, Op, Trap
from hcc.isa.values import F64, I1, Ty, int_type
from tests.emulator.toy import REGISTERS, Step, machine


class Number:
    """A value of the calculator: its bits."""

    def __init__(self, ty: Ty, bits: int) -> None:
        self.ty = ty
        self.bits = bits & ty.mask
        self.const: int | None = None

    @property
    def signed(self) -> int:
        return self.bits - (1 << self.ty.bits) if self.bits >> (self.ty.bits - 1) else self.bits


_MODELS: dict[Op, Callable[[Number, Number], int]] = {
    Op.ADD: lambda a, b: a.bits + b.bits,
    Op.SUB: lambda a, b: a.bits - b.bits,
    Op.MUL: lambda a, b: a.bits * b.bits,
    Op.AND: lambda a, b: a.bits & b.bits,
    Op.OR: lambda a, b: a.bits | b.bits,
    Op.XOR: lambda a, b: a.bits ^ b.bits,
    Op.SHL: lambda a, b: a.bits << b.bits,
    Op.LSHR: lambda a, b: a.bits >> b.bits,
    Op.ASHR: lambda a, b: a.signed >> b.bits,
    Op.EQ: lambda a, b: a.bits == b.bits,
    Op.NE: lambda a, b: a.bits != b.bits,
    Op.ULT: lambda a, b: a.bits < b.bits,
    Op.ULE: lambda a, b: a.bits <= b.bits,
    Op.SLT: lambda a, b: a.signed < b.signed,
    Op.SLE: lambda a, b: a.signed <= b.signed,
}


class Calculator(Builder):
    """Computes scalar integer operations one by one."""

    def __init__(self, registers: dict[str, int]) -> None:
        self.registers = registers

    def emit(self, op: Op, ty: Ty, args: Sequence[Any], attr: Any = None) -> Number:
        first = args[0]
        match op:
            case Op.ZEXT | Op.TRUNC | Op.BITCAST:
                return Number(ty, first.bits)
            case Op.SEXT:
                return Number(ty, first.signed)
            case Op.SELECT:
                return Number(ty, args[1].bits if first.bits else args[2].bits)
        return Number(ty, int(_MODELS[op](*args)))

    def const(self, ty: Ty, value: int) -> Number:
        return Number(ty, value)

    def get(self, register: str) -> Number:
        index = REGISTERS.index[register]
        return Number(int_type(REGISTERS.registers[index].bits), self.registers[register])

    def set(self, register: str, value: Any) -> None:
        self.registers[register] = value.bits

    def load(self, addr: Any, bits: int) -> Any:
        raise AssertionError

    def store(self, addr: Any, value: Any) -> None:
        raise AssertionError

    def jump(self, target: Any, kind: JumpKind = JumpKind.PLAIN) -> None:
        raise AssertionError

    def branch(self, condition: Any, target: int) -> None:
        raise AssertionError

    def exit_if(self, condition: Any, target: int) -> None:
        raise AssertionError

    def syscall(self) -> None:
        raise AssertionError

    def trap(self, kind: Trap) -> None:
        raise AssertionError

    def trap_if(self, condition: Any, kind: Trap) -> None:
        raise AssertionError


_BINARY = (
    "add", "add", "sub", "mul", "and_", "or_", "xor", "eq", "ne", "ult", "ule", "slt", "sle",
)  # fmt: skip
_INPUTS = ("r0", "r1", "r2", "r3", "w0", "w1", "small", "cf")
_OUTPUTS = ("r0", "r4", "r5", "w2", "w0", "small", "zf", "cf")


def _random_step(seed: int) -> Step:
    """An instruction of random operations; the same for the same seed, whatever the builder."""

    def step(m: Any) -> None:
        rng = random.Random(seed)
        values = [m.get(name) for name in rng.sample(_INPUTS, 5)]
        for _ in range(rng.randint(2, 25)):
            values.append(_random_operation(m, rng, values))
        for name in rng.sample(_OUTPUTS, 3):
            bits = REGISTERS.registers[REGISTERS.index[name]].bits
            m.set(name, _at_width(m, rng, rng.choice(values[-6:]), bits))

    return step


def _at_width(m: Any, rng: random.Random, value: Any, bits: int) -> Any:
    if value.ty.bits > bits:
        return m.trunc(value, bits)
    return rng.choice((m.zext, m.sext))(value, bits)


def _random_operation(m: Any, rng: random.Random, values: Sequence[Any]) -> Any:
    a, b, c = (rng.choice(values) for _ in range(3))
    match rng.randrange(8):
        case 0 | 1 | 2:
            return getattr(m, rng.choice(_BINARY))(a, _at_width(m, rng, b, a.ty.bits))
        case 3:
            number = rng.choice((0, 1, -1, 255, 1 << 31, rng.getrandbits(64)))
            operands = [a, m.same(a, number)]
            if rng.random() < 0.3:
                operands.reverse()
            return getattr(m, rng.choice(_BINARY))(*operands)
        case 4 if a.ty is not I1:
            shift = rng.choice((m.shl, m.lshr, m.ashr))
            if rng.random() < 0.5:
                return shift(a, m.same(a, rng.randrange(a.ty.bits)))
            count = m.and_(_at_width(m, rng, b, a.ty.bits), m.same(a, a.ty.bits - 1))
            return shift(a, count)
        case 5:
            return m.select(m.ult(a, m.not_(a)), a, _at_width(m, rng, c, a.ty.bits))
        case 6:
            return _at_width(m, rng, a, rng.choice((8, 16, 32, 64, 128)))
    return rng.choice((m.not_, m.neg))(a)


@pytest.mark.parametrize("rounds", [120, pytest.param(2500, marks=pytest.mark.long)])
def test_random_graphs_compute_what_each_operation_says(rounds: int) -> None:
    start = random.SystemRandom().getrandbits(32)
    for seed in range(start, start + rounds):
        rng = random.Random(seed)
        steps = [_random_step(rng.getrandbits(32)) for _ in range(rng.randint(1, 6))]
        before = {
            r.name: rng.choice((0, 1, rng.getrandbits(128), rng.getrandbits(r.bits)))
            % (1 << r.bits)
            for r in REGISTERS.registers
        }
        calculator = Calculator(dict(before))
        for step in steps:
            step(calculator)

        # Whole, so that shared nodes and dead writes span instructions; then one at a time.
        for size in (len(steps), 1):
            cpu = machine([*steps, lambda m: m.syscall()], before)
            while cpu.count < len(steps):
                cpu.run(cpu.count + size)
            cpu.run()
            after = {name: cpu.state.get(name) for name in before}

            assert calculator.registers == after, f"seed {seed}, {size} at a time"


def test_long_chain_within_one_instruction_is_printed() -> None:
    """Deeper than Python's parser takes in one expression."""

    def step(m: Any) -> None:
        value = m.get("r0")
        for i in range(1, 400):
            value = m.xor(m.mul(value, m.i64(3)), m.i64(i))
        m.set("r0", value)

    expected = 5
    for i in range(1, 400):
        expected = expected * 3 % (1 << 64) ^ i
    cpu = machine([step, lambda m: m.syscall()], {"r0": 5})
    cpu.run()

    assert expected == cpu.state.get("r0")


def test_long_chain_through_instructions_is_printed() -> None:
    """Registers that are overwritten leave one expression for the whole block."""

    def step(m: Any) -> None:
        value = m.get("r0")
        for i in range(8):
            value = m.add(m.lshr(m.sub(value, m.get("r1")), m.i64(i % 3)), m.xor(value, m.i64(i)))
        m.set("r0", value)

    after = []
    for size in (1, 64):
        cpu = machine([step] * 64 + [lambda m: m.syscall()], {"r0": 5, "r1": 1 << 62})
        while cpu.count < 64:
            cpu.run(cpu.count + size)
        after.append(cpu.state.get("r0"))

    assert after[0] == after[1]


def test_flags_that_are_overwritten_unread_are_not_computed() -> None:
    builder = PyBuilder(REGISTERS)
    builder.set("zf", builder.eq(builder.get("r0"), builder.get("r1")))
    builder.set("r2", builder.i64(7))
    builder.set("zf", builder.ult(builder.get("r0"), builder.get("r1")))
    text, _ = builder.source("block", frozenset([REGISTERS.index["zf"]]))

    assert "==" not in text
    assert "<" in text


def test_flags_nobody_reads_later_are_not_computed() -> None:
    builder = PyBuilder(REGISTERS)
    builder.set("zf", builder.eq(builder.get("r0"), builder.get("r1")))
    text, _ = builder.source("block", frozenset())

    assert "==" not in text


def test_number_read_back_from_its_bits_stays_a_number() -> None:
    """A chain of floating-point instructions does not go through bits in between."""
    builder = PyBuilder(REGISTERS)
    for _ in range(3):
        value = builder.bitcast(builder.get("r0"), F64)
        builder.set("r0", builder.float_bits(builder.fadd(value, value), builder.i64(0x7FF8 << 48)))
    text, _ = builder.source("block", frozenset())

    assert text.count("= cell_f8[0]") == 1


def test_operands_of_two_types_are_refused() -> None:
    builder = PyBuilder(REGISTERS)
    with pytest.raises(TypeError, match="add: operands of types i64 and i128"):
        builder.add(builder.get("r0"), builder.get("w0"))
    with pytest.raises(TypeError, match="select: arms of types i64 and i8"):
        builder.select(builder.get("zf"), builder.get("r0"), builder.get("small"))
    with pytest.raises(TypeError, match="r0 has 64 bits, not i8"):
        builder.set("r0", builder.get("small"))
    with pytest.raises(TypeError, match="bitcast: i64 to i128"):
        builder.bitcast(builder.get("r0"), int_type(128))
