"""Expression graphs: what they simplify keeps its meaning, and flags become comparisons again."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

import pytest

from hcc.emulator import comparisons
from hcc.emulator.jit.builder import BlockBuilder, Branch, Votes
from hcc.emulator.jit.host import truncation
from hcc.emulator.jit.nodes import (
    REG,
    Node,
    bitcast,
    constant,
    half,
    inserted,
    low_bit,
    made,
    operation,
    register,
)
from hcc.isa import architecture
from hcc.isa.builder import Op
from hcc.isa.values import F32, F64, I1, I8, I32, I64, I128, vec

ORDERS = (Op.ULT, Op.ULE, Op.SLT, Op.SLE)
COMPARISONS = {*ORDERS, Op.EQ, Op.NE}
NUMBERS = (0, 1, 2, 0x7F, 0x80, 0x81, 0xFE, 0xFF)


def signed(value: int) -> int:
    return value - 256 if value > 127 else value


def meaning(op: Op, a: int, b: int) -> int:
    match op:
        case Op.AND:
            return a & b
        case Op.OR:
            return a | b
        case Op.XOR:
            return a ^ b
        case Op.EQ | Op.NE:
            return (a == b) is (op is Op.EQ)
        case Op.ULT | Op.SLT:
            return signed(a) < signed(b) if op is Op.SLT else a < b
        case Op.ULE | Op.SLE:
            return signed(a) <= signed(b) if op is Op.SLE else a <= b
    raise AssertionError(op)


def value(node: Node, registers: tuple[int, ...]) -> int:
    if node.const is not None:
        return node.const
    if node.op == REG:
        return registers[node.attr]
    assert isinstance(node.op, Op)
    a, b = (value(arg, registers) for arg in node.args)
    return int(meaning(node.op, a, b))


@pytest.mark.parametrize("joint", [Op.AND, Op.OR, Op.XOR])
def test_two_comparisons_in_one_mean_the_same(joint: Op) -> None:
    x, y, number = register(I8, 0), register(I8, 1), constant(I8, 0x80)
    for first, second in product(COMPARISONS, COMPARISONS):
        for left in ((x, y), (y, x), (x, number), (number, x)):
            for right in ((x, y), (y, x), (x, constant(I8, 0x80))):
                a, b = operation(first, I1, left), operation(second, I1, right)
                joined = operation(joint, I1, (a, b))
                inverse = operation(Op.XOR, I1, (joined, constant(I1, 1)))
                for registers in product(NUMBERS, NUMBERS):
                    want = meaning(joint, value(a, registers), value(b, registers))
                    assert value(joined, registers) == want
                    assert value(inverse, registers) == 1 - want


def test_a_value_cancels_itself() -> None:
    x, y = (operation(Op.EQ, I1, (register(I8, i), constant(I8, 0))) for i in range(2))
    for both in (operation(Op.XOR, I1, (x, y)), operation(Op.XOR, I1, (y, x))):
        assert operation(Op.XOR, I1, (x, both)) is y
        assert operation(Op.XOR, I1, (both, x)) is y


def test_a_byte_of_what_it_was_written_to_is_the_byte() -> None:
    whole, byte = register(I64, 0), operation(Op.TRUNC, I8, (register(I64, 1),))
    above = operation(Op.AND, I64, (whole, constant(I64, ~0xFF)))
    merged = operation(Op.OR, I64, (above, operation(Op.ZEXT, I64, (byte,))))
    assert operation(Op.TRUNC, I8, (merged,)) is byte
    part = operation(Op.AND, I64, (whole, constant(I64, ~0x7F)))
    overlap = operation(Op.OR, I64, (part, operation(Op.ZEXT, I64, (byte,))))
    assert operation(Op.TRUNC, I8, (overlap,)).op is Op.TRUNC


def branched(isa: str, code: bytes) -> Node:
    """The condition of the branch that two instructions make."""
    arch = architecture(isa)
    builder: Any = BlockBuilder(arch.registers, 0, Votes())
    addr = 0
    while builder.end is None:
        insn = arch.decode(code[addr:], addr)
        builder.begin(addr, insn.next_addr)
        arch.semantics[insn.mnemonic](builder, insn)
        addr = insn.next_addr
    assert isinstance(builder.end, Branch)
    return builder.end.condition


X86_CONDITIONS = {0x2: "b", 0x3: "ae", 0x4: "e", 0x5: "ne", 0x6: "be", 0x7: "a", 0xC: "l",
                  0xD: "ge", 0xE: "le", 0xF: "g"}  # fmt: skip
AARCH64_CONDITIONS = {0: "eq", 1: "ne", 2: "hs", 3: "lo", 8: "hi", 9: "ls", 10: "ge", 11: "lt",
                      12: "gt", 13: "le"}  # fmt: skip


@pytest.mark.parametrize("number", X86_CONDITIONS, ids=X86_CONDITIONS.get)
@pytest.mark.parametrize("compare", [b"\x48\x39\xd8", b"\x39\xd8", b"\x38\xd8", b"\x3c\x2d"])
def test_comparing_and_jumping_is_one_comparison_on_x86_64(compare: bytes, number: int) -> None:
    condition = branched("x86_64", compare + bytes((0x70 + number, 0x10)))
    assert condition.op in COMPARISONS


@pytest.mark.parametrize("number", AARCH64_CONDITIONS, ids=AARCH64_CONDITIONS.get)
@pytest.mark.parametrize("compare", [0xEB01001F, 0x6B01001F, 0xF100401F, 0x7100B41F])
def test_comparing_and_branching_is_one_comparison_on_aarch64(compare: int, number: int) -> None:
    words = compare, 0x54000000 | 8 << 5 | number
    condition = branched("aarch64", b"".join(word.to_bytes(4, "little") for word in words))
    assert condition.op in COMPARISONS


def test_what_is_no_comparison_has_no_inverse() -> None:
    bit = operation(Op.TRUNC, I1, (register(I64, 0),))
    assert comparisons.inverse(bit) is None
    opposite = operation(Op.XOR, I1, (bit, constant(I1, 1)))
    assert comparisons.negated(opposite) is bit
    assert operation(Op.XOR, I1, (opposite, constant(I1, 1))) is bit


# What AArch64's conditions say of `a` and `b` after fcmp (the manual, "Condition code
# suffixes", floating point).
FLOAT_CONDITIONS: dict[int, Callable[[float, float], bool]] = {
    0: lambda a, b: a == b,
    1: lambda a, b: a != b,
    2: lambda a, b: not a < b,
    3: lambda a, b: a < b,
    4: lambda a, b: a < b,
    5: lambda a, b: not a < b,
    6: lambda a, b: a != a or b != b,
    7: lambda a, b: a == a and b == b,
    8: lambda a, b: not a <= b,
    9: lambda a, b: a <= b,
    10: lambda a, b: a >= b,
    11: lambda a, b: not a >= b,
    12: lambda a, b: a > b,
    13: lambda a, b: not a > b,
}


def holds(node: Node, numbers: dict[int, float]) -> bool:
    """A condition on floats that registers hold."""
    if node.const is not None:
        return bool(node.const)
    if node.op in (Op.AND, Op.OR, Op.XOR):
        a, b = (holds(arg, numbers) for arg in node.args)
        return {Op.AND: a and b, Op.OR: a or b, Op.XOR: a is not b}[node.op]
    x, y = (numbers[next(bit for bit in numbers if arg.deps & bit)] for arg in node.args)
    return {Op.FEQ: x == y, Op.FLT: x < y, Op.FLE: x <= y, Op.FUNO: x != x or y != y}[node.op]


@pytest.mark.parametrize("number", FLOAT_CONDITIONS)
def test_comparing_floats_and_branching_on_aarch64(number: int) -> None:
    words = 0x1E612000, 0x54000000 | 8 << 5 | number  # fcmp d0, d1
    condition = branched("aarch64", b"".join(word.to_bytes(4, "little") for word in words))
    index = architecture("aarch64").registers.index
    bits = [low_bit(index[name]) for name in ("v0", "v1")]
    values = (0.0, 1.0, -1.0, float("inf"), float("nan"))
    for a, b in product(values, values):
        numbers = dict(zip(bits, (a, b), strict=True))
        assert holds(condition, numbers) is FLOAT_CONDITIONS[number](a, b)
    tested = comparisons.negated(condition) or condition
    assert tested.op in (Op.FEQ, Op.FLT, Op.FLE, Op.FUNO)


@pytest.mark.parametrize("code", [
    b"\xf2\x0f\x2c\xc0", b"\xf2\x48\x0f\x2c\xc0", b"\xf3\x0f\x2c\xc0", b"\xf3\x48\x0f\x2c\xc0",
    b"\xf2\x0f\x2d\xc0", b"\xf3\x48\x0f\x2d\xc0",
], ids=["cvttsd2si", "cvttsd2si 64", "cvttss2si", "cvttss2si 64", "cvtsd2si", "cvtss2si 64"],
)  # fmt: skip
def test_converting_to_an_integer_is_the_hosts_instruction_on_x86_64(code: bytes) -> None:
    arch = architecture("x86_64")
    builder: Any = BlockBuilder(arch.registers, 0, Votes())
    builder.begin(0, len(code))
    arch.semantics[arch.decode(code, 0).mnemonic](builder, arch.decode(code, 0))
    result = made(builder.block.sets[arch.registers.index["rax"]])
    choice = result.args[0] if result.op is Op.ZEXT else result
    assert choice.op is Op.SELECT
    found = truncation(choice)
    assert found is not None
    name, value = found
    assert ("ss2si" in name) is (value.ty is F32)
    assert name.endswith("64") is (choice.ty is I64)


def test_other_choices_are_none_of_the_hosts() -> None:
    value = operation(Op.BITCAST, F64, (register(I64, 0),))
    beyond = operation(Op.BITCAST, F64, (constant(I64, 0x41E0000000000000),))  # 2.0**31
    fits = operation(Op.FLT, I1, (value, beyond))
    whole = operation(Op.FPTOSI, I32, (value,))
    misfit = constant(I32, 1 << 31)
    assert truncation(operation(Op.SELECT, I32, (fits, whole, misfit))) is not None
    less = operation(Op.BITCAST, F64, (constant(I64, 0x41D0000000000000),))
    for wrong in (
        (operation(Op.FLE, I1, (value, beyond)), whole, misfit),
        (operation(Op.FLT, I1, (value, less)), whole, misfit),
        (operation(Op.FLT, I1, (beyond, value)), whole, misfit),
        (fits, operation(Op.FPTOUI, I32, (value,)), misfit),
        (fits, operation(Op.FPTOSI, I32, (beyond,)), misfit),
        (fits, whole, constant(I32, 0)),
        (fits, operation(Op.FPTOSI, I64, (value,)), constant(I64, 1 << 63)),
    ):
        assert truncation(operation(Op.SELECT, wrong[1].ty, wrong)) is None


@pytest.mark.parametrize("lane", [0, 1])
def test_half_of_a_vector_of_floats_is_a_lane_of_it(lane: int) -> None:
    pair = vec(F64, 2)
    floats = operation(Op.FADD, pair, (register(pair, 0), register(pair, 1)))
    bits = half(floats, lane)
    number = bitcast(bits, F64)

    assert (Op.EXTRACT, lane, floats) == (number.op, number.attr, number.args[0])
    assert (I64, bits.op, bits.attr) == (bitcast(number, I64).ty, Op.EXTRACT, lane)
    other = inserted(floats, 1 - lane, constant(F64, 0))
    assert floats is bitcast(half(other, lane), F64).args[0]


def test_halves_of_a_value_used_over_and_over_are_found_once() -> None:
    value, mask = register(I128, 0), register(I128, 1)
    for _ in range(100):
        value = operation(Op.XOR, I128, (value, operation(Op.AND, I128, (value, mask))))

    found = half(value, 1)
    assert found.ty is I64
    assert found.deps == half(register(I128, 0), 1).deps | half(mask, 1).deps
