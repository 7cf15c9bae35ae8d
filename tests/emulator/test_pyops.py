"""Every operation of the builder, as the interpreter computes it, against an independent model.

Integers against Python's own arithmetic on signed numbers and numpy; floats against numpy and the
C library. NaNs are compared as NaNs: their payload is not the builder's promise.
"""

from __future__ import annotations

import ctypes
import math
import operator
import random
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from hcc.isa.builder import Rounding
from hcc.isa.values import F32, F64, I1, I128, Ty, int_type, vec
from tests.emulator.toy import compute

WIDTHS = (8, 16, 32, 64, 128)
LIBM = ctypes.CDLL(None)


@pytest.fixture
def rng() -> random.Random:
    seed = random.SystemRandom().getrandbits(32)
    print(f"seed {seed}")
    return random.Random(seed)


def integers(rng: random.Random, bits: int, count: int = 24) -> list[int]:
    """Corners of a width and random numbers of all sizes."""
    top = 1 << bits
    corners = [0, 1, 2, top - 1, top - 2, top // 2, top // 2 - 1, top // 2 + 1, 0x55 % top]
    return corners + [rng.getrandbits(rng.randint(1, bits)) for _ in range(count - len(corners))]


def signed(value: int, bits: int) -> int:
    return value - (1 << bits) if value >> (bits - 1) else value


def pairs(rng: random.Random, bits: int) -> list[tuple[int, int]]:
    values = integers(rng, bits)
    return [(a, b) for a in values for b in rng.sample(values, 6)]


# ---- integers ----

BINARY: dict[str, Callable[[int, int, int], int]] = {
    "add": lambda a, b, n: a + b,
    "sub": lambda a, b, n: a - b,
    "mul": lambda a, b, n: a * b,
    "and_": lambda a, b, n: a & b,
    "or_": lambda a, b, n: a | b,
    "xor": lambda a, b, n: a ^ b,
    "eq": lambda a, b, n: a == b,
    "ne": lambda a, b, n: a != b,
    "ult": lambda a, b, n: a < b,
    "ule": lambda a, b, n: a <= b,
    "slt": lambda a, b, n: signed(a, n) < signed(b, n),
    "sle": lambda a, b, n: signed(a, n) <= signed(b, n),
}


@pytest.mark.parametrize("bits", WIDTHS)
@pytest.mark.parametrize("name", BINARY)
def test_integer_operation(name: str, bits: int, rng: random.Random) -> None:
    ty, operands = int_type(bits), pairs(rng, bits)
    results = compute(lambda m, a, b: getattr(m, name)(a, b), (ty, ty), operands)

    assert [int(BINARY[name](a, b, bits)) % (1 << bits) for a, b in operands] == results


DIVISIONS: dict[str, Callable[[int, int, int], int]] = {
    "udiv": lambda a, b, n: a // b,
    "urem": lambda a, b, n: a % b,
    "sdiv": lambda a, b, n: math.trunc(Fraction(signed(a, n), signed(b, n))),
    "srem": lambda a, b, n: int(signed(a, n) - signed(b, n) * DIVISIONS["sdiv"](a, b, n)),
}


@pytest.mark.parametrize("bits", WIDTHS)
@pytest.mark.parametrize("name", DIVISIONS)
def test_division(name: str, bits: int, rng: random.Random) -> None:
    least, minus_one = 1 << (bits - 1), (1 << bits) - 1
    operands = [
        (a, b) for a, b in pairs(rng, bits)
        if b and not (name[0] == "s" and a == least and b == minus_one)
    ]  # fmt: skip
    ty = int_type(bits)
    results = compute(lambda m, a, b: getattr(m, name)(a, b), (ty, ty), operands)

    assert [DIVISIONS[name](a, b, bits) % (1 << bits) for a, b in operands] == results


SHIFTS: dict[str, Callable[[int, int, int], int]] = {
    "shl": lambda a, b, n: a << b,
    "lshr": lambda a, b, n: a >> b,
    "ashr": lambda a, b, n: signed(a, n) >> b,
}


@pytest.mark.parametrize("bits", WIDTHS)
@pytest.mark.parametrize("name", SHIFTS)
def test_shift(name: str, bits: int, rng: random.Random) -> None:
    counts = [0, 1, bits - 1, bits // 2, rng.randrange(bits)]
    operands = [(a, b) for a in integers(rng, bits) for b in counts]
    ty = int_type(bits)
    results = compute(lambda m, a, b: getattr(m, name)(a, b), (ty, ty), operands)

    assert [SHIFTS[name](a, b, bits) % (1 << bits) for a, b in operands] == results


UNARY: dict[str, Callable[[int, int], int]] = {
    "ctlz": lambda a, n: f"{a:0{n}b}".find("1") if a else n,
    "cttz": lambda a, n: f"{a:0{n}b}"[::-1].find("1") if a else n,
    "ctpop": lambda a, n: f"{a:b}".count("1"),
    "bitreverse": lambda a, n: sum((a >> i & 1) << (n - 1 - i) for i in range(n)),
    "not_": lambda a, n: ~a,
    "neg": lambda a, n: -a,
}


@pytest.mark.parametrize("bits", WIDTHS)
@pytest.mark.parametrize("name", UNARY)
def test_integer_operation_of_one_operand(name: str, bits: int, rng: random.Random) -> None:
    operands = [(a,) for a in integers(rng, bits)]
    results = compute(lambda m, a: getattr(m, name)(a), (int_type(bits),), operands)

    assert [UNARY[name](a, bits) % (1 << bits) for (a,) in operands] == results


@pytest.mark.parametrize("bits", [16, 32, 64, 128])
def test_byte_swap(bits: int, rng: random.Random) -> None:
    operands = [(a,) for a in integers(rng, bits)]
    results = compute(lambda m, a: m.bswap(a), (int_type(bits),), operands)

    assert [
        sum((a >> i & 255) << (bits - 8 - i) for i in range(0, bits, 8)) for (a,) in operands
    ] == results


@pytest.mark.parametrize(
    ("narrow", "wide"), [(n, w) for n in (1, 8, 16, 32, 64) for w in WIDTHS if n < w]
)
def test_change_of_width(narrow: int, wide: int, rng: random.Random) -> None:
    large = int_type(wide)
    values = [a % (1 << narrow) for a in integers(rng, max(narrow, 8))]
    operands = [(a,) for a in values]

    assert values == compute(lambda m, a: m.zext(m.trunc(a, narrow), wide), (large,), operands)
    assert [signed(a, narrow) % (1 << wide) for a in values] == compute(
        lambda m, a: m.sext(m.trunc(a, narrow), wide), (large,), operands
    )
    operands = [(a,) for a in integers(rng, wide)]
    assert [a % (1 << narrow) for (a,) in operands] == compute(
        lambda m, a: m.trunc(a, narrow), (large,), operands
    )


def test_select_takes_the_arm_its_condition_names(rng: random.Random) -> None:
    ty = int_type(64)
    operands = pairs(rng, 64)
    results = compute(lambda m, a, b: m.select(m.ult(a, b), a, b), (ty, ty), operands)

    assert [min(pair) for pair in operands] == results


def test_bits_of_one_are_numbers() -> None:
    """i1 values go through logic, select, widening and vectors as 0 and 1."""

    def formula(m: Any, a: Any, b: Any) -> Any:
        less, equal = m.ult(a, b), m.eq(a, b)
        lanes = m.build([less, equal, m.not_(less), m.select(less, equal, less)])
        return m.add(m.zext(m.bitcast(lanes, int_type(4)), 8), m.sext(less, 8))

    ty = int_type(8)
    assert compute(formula, (ty, ty), [(1, 2), (2, 1), (2, 2)]) == [0, 0b0100, 0b0110]


# ---- floats ----

FLOATS = {32: (F32, np.float32, np.uint32), 64: (F64, np.float64, np.uint64)}
CORNERS = {
    32: [
        0, 1 << 31, 0x3F800000, 0xBF800000, 0x7F800000, 0xFF800000, 0x7FC00000, 0xFFC00001,
        0x7F800001, 1, 0x80000001, 0x007FFFFF, 0x00800000, 0x7F7FFFFF, 0x3F000000, 0xBF000000,
        0x3EFFFFFF, 0x4B7FFFFF, 0x4B000001, 0x4F000000, 0xCF000000, 0x4F800000, 0x5F000000,
        0x3FC00000, 0x40200000, 0xC0200000, 0x33800000, 0x1F800000,
    ],
    64: [
        0, 1 << 63, 0x3FF << 52, 0xBFF << 52, 0x7FF << 52, 0xFFF << 52, 0x7FF8 << 48,
        0x7FF0000000000001, 1, (1 << 63) + 1, (1 << 52) - 1, 1 << 52, 0x7FEFFFFFFFFFFFFF,
        0x3FE << 52, 0xBFE << 52, 0x3FDFFFFFFFFFFFFF, 0x4330000000000001, 0x432FFFFFFFFFFFFF,
        0x41DFFFFFFFC00000, 0x41E << 52, 0xC1E << 52, 0x43E << 52, 0xC3E << 52, 0x43F << 52,
        0x3FF8 << 48, 0x4004 << 48, 0xC004 << 48, 0x47EFFFFFE0000000, 0x47EFFFFFF0000000,
        0x3690 << 48, 0x36A0000000000001, 0x380FFFFFE0000000, 0x3CA << 52,
    ],
}  # fmt: skip


def floats(rng: random.Random, bits: int, count: int = 30) -> list[int]:
    mantissa = 23 if bits == 32 else 52
    bias = (1 << (bits - mantissa - 2)) - 1
    near_one = [
        (bias + rng.randint(-70, 70)) << mantissa | rng.getrandbits(mantissa) for _ in range(count)
    ]
    wild = [rng.getrandbits(bits) for _ in range(count)]
    return CORNERS[bits] + near_one + wild


def as_float(bits: int, width: int) -> Any:
    _, kind, unsigned = FLOATS[width]
    return unsigned(bits).view(kind)


def as_bits(value: Any, width: int) -> int:
    _, kind, unsigned = FLOATS[width]
    return int(kind(value).view(unsigned))


def check_floats(expected: Sequence[Any], results: Sequence[int], width: int) -> None:
    """Same bits, or both NaN."""
    for i, (want, got) in enumerate(zip(expected, results, strict=True)):
        if want != want:
            assert as_float(got, width) != as_float(got, width), f"case {i}"
        else:
            assert f"{as_bits(want, width):#x}" == f"{got:#x}", f"case {i}"


ARITHMETIC = {
    "fadd": operator.add,
    "fsub": operator.sub,
    "fmul": operator.mul,
    "fdiv": operator.truediv,
}


@pytest.mark.parametrize("width", FLOATS)
@pytest.mark.parametrize("name", ARITHMETIC)
def test_float_arithmetic(name: str, width: int, rng: random.Random) -> None:
    values, ty = floats(rng, width), FLOATS[width][0]
    operands = [(a, b) for a in values for b in rng.sample(values, 12)]
    with np.errstate(all="ignore"):
        expected = [ARITHMETIC[name](*(as_float(x, width) for x in pair)) for pair in operands]
    results = compute(lambda m, a, b: getattr(m, name)(a, b), (ty, ty), operands)

    check_floats(expected, results, width)


@pytest.mark.parametrize("width", FLOATS)
def test_square_root(width: int, rng: random.Random) -> None:
    operands = [(a,) for a in floats(rng, width)]
    with np.errstate(all="ignore"):
        expected = [np.sqrt(as_float(a, width)) for (a,) in operands]

    check_floats(expected, compute(lambda m, a: m.fsqrt(a), (FLOATS[width][0],), operands), width)


def exactly(value: Fraction, width: int) -> Any:
    """The float nearest to a rational, ties to even: by search among neighbours."""
    kind = FLOATS[width][1]
    largest = Fraction(float(np.finfo(kind).max))
    half_step = Fraction(2) ** (104 if width == 32 else 971) / 2
    if abs(value) >= largest + half_step:
        return kind(math.inf if value > 0 else -math.inf)
    low, high = 0, as_bits(np.finfo(kind).max, width)
    while low < high:  # the largest pattern not above |value|
        middle = (low + high + 1) // 2
        if Fraction(float(as_float(middle, width))) <= abs(value):
            low = middle
        else:
            high = middle - 1
    below = Fraction(float(as_float(low, width)))
    if low == as_bits(np.finfo(kind).max, width):
        above = largest + 2 * half_step
    else:
        above = Fraction(float(as_float(low + 1, width)))
    rest = 2 * (abs(value) - below) - (above - below)
    pattern = low + 1 if rest > 0 or (rest == 0 and low & 1) else low
    magnitude = as_float(pattern, width)
    return magnitude if value >= 0 else -magnitude


def fused(a: float, b: float, c: float, width: int) -> Any:
    """a * b + c by IEEE 754, from rational arithmetic."""
    if not (math.isfinite(a) and math.isfinite(b)):
        return a * b + c
    if not math.isfinite(c):
        return c
    exact = Fraction(a) * Fraction(b) + Fraction(c)
    if exact:
        return exactly(exact, width)
    if a and b:
        return 0.0  # an exact cancellation
    return a * b + c  # zeros, by the signs


@pytest.mark.parametrize("width", FLOATS)
def test_fused_multiply_add_rounds_once(width: int, rng: random.Random) -> None:
    values, ty = floats(rng, width, 12), FLOATS[width][0]
    operands = [tuple(rng.sample(values, 3)) for _ in range(300)]
    # Products that cancel: c near -(a * b).
    for _ in range(100):
        a, b = rng.choice(values), rng.choice(values)
        with np.errstate(all="ignore"):
            product = as_bits(-(as_float(a, width) * as_float(b, width)), width)
        operands.append((a, b, product))
    expected = [fused(*(float(as_float(x, width)) for x in bits), width) for bits in operands]
    results = compute(lambda m, a, b, c: m.fma(a, b, c), (ty, ty, ty), operands)

    check_floats(expected, results, width)


@pytest.mark.parametrize("width", FLOATS)
def test_float_comparison(width: int, rng: random.Random) -> None:
    values, ty = floats(rng, width), FLOATS[width][0]
    operands = [(a, b) for a in values for b in rng.sample(values, 8)] + [(a, a) for a in values]
    decoded = [(as_float(a, width), as_float(b, width)) for a, b in operands]
    models: dict[str, Callable[[Any, Any], bool]] = {
        "feq": operator.eq,
        "flt": operator.lt,
        "fle": operator.le,
        "funo": lambda a, b: bool(np.isnan(a) or np.isnan(b)),
    }
    for name, model in models.items():
        results = compute(lambda m, a, b, n=name: getattr(m, n)(a, b), (ty, ty), operands)

        assert [int(model(a, b)) for a, b in decoded] == results, name


def test_narrowing_and_widening_of_floats(rng: random.Random) -> None:
    doubles, singles = floats(rng, 64), floats(rng, 32)
    doubles += [as_bits(float(as_float(s, 32)), 64) + d for s in singles for d in (-1, 0, 1)]
    doubles = [d % (1 << 64) for d in doubles]
    with np.errstate(all="ignore"):
        narrow = [np.float32(as_float(a, 64)) for a in doubles]
        wide = [np.float64(as_float(a, 32)) for a in singles]

    check_floats(narrow, compute(lambda m, a: m.fptrunc(a), (F64,), [(a,) for a in doubles]), 32)
    check_floats(wide, compute(lambda m, a: m.fpext(a), (F32,), [(a,) for a in singles]), 64)


@pytest.mark.parametrize("bits", [8, 16, 32, 64, 128])
@pytest.mark.parametrize("width", FLOATS)
def test_integer_to_float(bits: int, width: int, rng: random.Random) -> None:
    ty = FLOATS[width][0]
    values = integers(rng, bits, 60)
    digits = 24 if width == 32 else 53
    if bits > digits:  # ties and near-ties
        for _ in range(60):
            shift = rng.randint(1, bits - digits)
            base = (rng.getrandbits(digits) | 1 << (digits - 1)) << shift
            values.append((base + (1 << (shift - 1)) + rng.randint(-1, 1)) % (1 << bits))
    operands = [(a,) for a in values]
    unsigned = compute(lambda m, a: m.uitofp(a, ty), (int_type(bits),), operands)
    check_floats([exactly(Fraction(a), width) for a in values], unsigned, width)
    with_sign = compute(lambda m, a: m.sitofp(a, ty), (int_type(bits),), operands)
    check_floats([exactly(Fraction(signed(a, bits)), width) for a in values], with_sign, width)


@pytest.mark.parametrize("bits", [8, 16, 32, 64])
@pytest.mark.parametrize("width", FLOATS)
def test_float_to_integer_saturates_and_nan_is_zero(
    bits: int, width: int, rng: random.Random
) -> None:
    ty, values = FLOATS[width][0], floats(rng, width)
    for limit in (1 << (bits - 1), 1 << bits, -(1 << (bits - 1)), -1, 0):
        exact = as_bits(float(limit), width)
        values += [exact + d for d in (-1, 0, 1) if 0 <= exact + d < 1 << width]

    def model(bits_in: int, low: int, high: int) -> int:
        a = float(as_float(bits_in, width))
        if math.isnan(a):
            return 0
        whole = a if math.isinf(a) else math.trunc(Fraction(a))
        return int(max(low, min(high, whole)))

    operands = [(a,) for a in values]
    top = 1 << bits
    assert [model(a, -top // 2, top // 2 - 1) % top for a in values] == compute(
        lambda m, a: m.fptosi(a, bits), (ty,), operands
    )
    assert [model(a, 0, top - 1) for a in values] == compute(
        lambda m, a: m.fptoui(a, bits), (ty,), operands
    )


@pytest.mark.parametrize("width", FLOATS)
@pytest.mark.parametrize(
    ("mode", "function"),
    [
        (Rounding.NEAREST_EVEN, "rint"),
        (Rounding.NEAREST_AWAY, "round"),
        (Rounding.TOWARD_ZERO, "trunc"),
        (Rounding.DOWN, "floor"),
        (Rounding.UP, "ceil"),
    ],
)
def test_rounding_is_the_c_librarys(
    mode: Rounding, function: str, width: int, rng: random.Random
) -> None:
    model = getattr(LIBM, function + ("f" if width == 32 else ""))
    kind = ctypes.c_float if width == 32 else ctypes.c_double
    model.restype, model.argtypes = kind, (kind,)
    values = floats(rng, width) + [as_bits(k / 2, width) for k in range(-9, 10)]
    values += [as_bits(k / 2, width) + d for k in range(1, 10) for d in (-1, 1)]
    expected = [model(float(as_float(a, width))) for a in values]
    results = compute(lambda m, a: m.fround(a, mode), (FLOATS[width][0],), [(a,) for a in values])

    check_floats(expected, results, width)


def test_float_bits_are_the_bits_or_the_given_nan(rng: random.Random) -> None:
    def formula(m: Any, a: Any, b: Any) -> Any:
        bits = m.float_bits(m.fadd(a, b), m.i64(0xFFF8_0000_0000_0042))
        return m.add(bits, m.bitcast(m.fmul(m.bitcast(bits, F64), b), int_type(64)))

    operands = [(0x3FF0 << 48, 0x4000 << 48), (0x7FF0 << 48, 0x3FF0 << 48)]
    three, six = as_bits(3.0, 64), as_bits(6.0, 64)
    infinite = 0x7FF0 << 48
    assert compute(formula, (F64, F64), operands) == [
        (three + six) % (1 << 64),
        (infinite + infinite) % (1 << 64),
    ]
    nan = compute(
        lambda m, a: m.float_bits(m.fsub(a, a), m.i64(0xFFF8_0000_0000_0042)), (F64,), [(infinite,)]
    )
    assert nan == [0xFFF8_0000_0000_0042]


# ---- vectors ----

LANES = [(8, 16), (16, 8), (32, 4), (64, 2), (8, 8), (32, 2)]


def lanes_of(value: int, bits: int, count: int) -> list[int]:
    return [value >> i * bits & (1 << bits) - 1 for i in range(count)]


def joined(lanes: Sequence[int], bits: int) -> int:
    return sum((lane % (1 << bits)) << i * bits for i, lane in enumerate(lanes))


@pytest.mark.parametrize(("bits", "count"), LANES)
@pytest.mark.parametrize("name", BINARY)
def test_lane_wise_operation(name: str, bits: int, count: int, rng: random.Random) -> None:
    ty = vec(int_type(bits), count)
    operands = [
        (joined(rng.choices(integers(rng, bits), k=count), bits), rng.getrandbits(bits * count))
        for _ in range(12)
    ]
    operands += [(a, a) for a, _ in operands[:3]]

    def formula(m: Any, a: Any, b: Any) -> Any:
        result = getattr(m, name)(a, b)
        return m.zext(result, bits) if result.ty.element is I1 else result

    assert [
        joined(
            [
                int(BINARY[name](x, y, bits))
                for x, y in zip(lanes_of(a, bits, count), lanes_of(b, bits, count), strict=True)
            ],
            bits,
        )
        for a, b in operands
    ] == compute(formula, (ty, ty), operands)


@pytest.mark.parametrize(("bits", "count"), LANES)
def test_lanes_are_taken_out_put_in_and_shuffled(bits: int, count: int, rng: random.Random) -> None:
    element = int_type(bits)
    ty = vec(element, count)
    operands = [(rng.getrandbits(bits * count), rng.getrandbits(bits * count)) for _ in range(4)]
    order = [rng.randrange(2 * count) for _ in range(count)]
    at = rng.randrange(count)

    def expected(f: Callable[[list[int], list[int]], list[int]]) -> list[int]:
        return [
            joined(f(lanes_of(a, bits, count), lanes_of(b, bits, count)), bits) for a, b in operands
        ]

    def run(f: Callable[..., Any]) -> list[int]:
        return compute(f, (ty, ty), operands)

    assert expected(lambda a, b: [(a + b)[i] for i in order]) == run(
        lambda m, a, b: m.shuffle(a, b, order)
    )
    assert expected(lambda a, b: [a[at]]) == run(lambda m, a, b: m.extract(a, at))
    assert expected(lambda a, b: [*a[:at], b[0], *a[at + 1 :]]) == run(
        lambda m, a, b: m.insert(a, at, m.extract(b, 0))
    )
    assert expected(lambda a, b: [b[at]] * count) == run(
        lambda m, a, b: m.splat(m.extract(b, at), count)
    )
    assert expected(lambda a, b: [x if x < y else y for x, y in zip(a, b, strict=True)]) == run(
        lambda m, a, b: m.select(m.ult(a, b), a, b)
    )


CASTS = [vec(int_type(b), n) for b, n in ((8, 16), (16, 8), (32, 4), (64, 2))]
CASTS += [I128, vec(F32, 4), vec(F64, 2)]


@pytest.mark.parametrize("ty", CASTS, ids=str)
@pytest.mark.parametrize("via", CASTS, ids=str)
def test_bitcast_keeps_every_bit(via: Ty, ty: Ty, rng: random.Random) -> None:
    quiet = 0x4059_0000_3F80_0000_C0E1_2345_4100_0001  # no NaN in any reading
    values = [quiet, 0, *(quiet & rng.getrandbits(128) for _ in range(5))]

    def formula(m: Any, a: Any) -> Any:
        return m.bitcast(m.bitcast(m.add(a, m.const(I128, 0)), via), ty)

    assert values == compute(formula, (I128,), [(a,) for a in values])


def test_lane_wise_floats_round_like_scalars(rng: random.Random) -> None:
    ty = vec(F32, 4)
    operands = [(rng.getrandbits(128), rng.getrandbits(128)) for _ in range(60)]
    for name in ("fadd", "fmul", "fdiv"):
        results = compute(lambda m, a, b, n=name: getattr(m, n)(a, b), (ty, ty), operands)
        for (a, b), result in zip(operands, results, strict=True):
            with np.errstate(all="ignore"):
                expected = [
                    ARITHMETIC[name](as_float(x, 32), as_float(y, 32))
                    for x, y in zip(lanes_of(a, 32, 4), lanes_of(b, 32, 4), strict=True)
                ]
            check_floats(expected, lanes_of(result, 32, 4), 32)
