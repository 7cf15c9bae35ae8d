"""Operations as Python source: how the interpreter spells each pure operation of the builder.

Values are Python ints in [0, 2^bits) and floats (an f32 is the double of the same value). Most
operations are one expression; the ones whose corner cases Python words differently (it raises
where IEEE 754 gives infinity, say) are the functions below, which generated code calls by name.
The fused multiply-add is the C library's: IEEE 754 arithmetic of Python's own has none.
"""

from __future__ import annotations

import ctypes
import math
import struct
from collections.abc import Callable
from typing import Any

from hcc.isa.builder import Op, Rounding
from hcc.isa.values import F32, F64, Ty

_INF = math.inf

PI, PQ = struct.Struct("<I").pack, struct.Struct("<Q").pack
PF, PD = struct.Struct("<f").pack, struct.Struct("<d").pack
UI, UQ = struct.Struct("<I").unpack, struct.Struct("<Q").unpack
UF, UD = struct.Struct("<f").unpack, struct.Struct("<d").unpack


def f32(x: float) -> float:
    """The single nearest to a double. Exact for + - * / sqrt of singles (53 >= 2 * 24 + 2)."""
    try:
        return UF(PF(x))[0]  # type: ignore[no-any-return]
    except OverflowError:
        return math.copysign(_INF, x)


def fdiv(a: float, b: float) -> float:
    if b:
        return a / b
    if not a or a != a or b != b:
        return a + b if a != a or b != b else math.nan
    return math.copysign(_INF, a) * math.copysign(1.0, b)


def fsqrt(a: float) -> float:
    return math.sqrt(a) if a >= 0 or a != a else math.nan


_libm = ctypes.CDLL(None)
fma64, fma32 = _libm.fma, _libm.fmaf
fma64.restype, fma64.argtypes = ctypes.c_double, (ctypes.c_double,) * 3
fma32.restype, fma32.argtypes = ctypes.c_float, (ctypes.c_float,) * 3


def uitofp(value: int, ty: Ty) -> float:
    """The nearest f32 or f64 to a Python int, rounded once."""
    if ty.bits == 64:
        return float(value)
    # What a double has no room for is put together in its last bit: the second rounding sees it.
    size = abs(value)
    extra = max(size.bit_length() - 53, 0)
    rest = size & (1 << extra) - 1
    single = f32(math.ldexp(size >> extra | (rest != 0), extra))
    return -single if value < 0 else single


def sitofp(value: int, sign: int, ty: Ty) -> float:
    return uitofp((value ^ sign) - sign, ty)


def fptosi(a: float, bits: int) -> int:
    """Toward zero, saturating, NaN gives 0; the result is the unsigned reading."""
    if a != a:
        return 0
    limit = 1 << (bits - 1)
    if a >= limit:
        return limit - 1
    if a <= -limit:
        return limit
    return int(a) & ((1 << bits) - 1)


def fptoui(a: float, bits: int) -> int:
    """Toward zero, saturating, NaN gives 0."""
    if not a > 0:
        return 0
    limit = 1 << bits
    return limit - 1 if a >= limit else int(a)


def fround(a: float, mode: Rounding) -> float:
    """To an integral value; zeros keep the sign of the argument."""
    if not math.isfinite(a) or abs(a) >= 4503599627370496.0:
        return a
    match mode:
        case Rounding.NEAREST_EVEN:
            whole = round(a)
        case Rounding.NEAREST_AWAY:
            size = abs(a)
            whole = int(size)
            whole += size - whole >= 0.5
        case Rounding.TOWARD_ZERO:
            whole = int(a)
        case Rounding.DOWN:
            whole = math.floor(a)
        case Rounding.UP:
            whole = math.ceil(a)
    return math.copysign(float(abs(whole)), a)


def sdiv(a: int, b: int, bits: int) -> int:
    sign = 1 << (bits - 1)
    a, b = (a ^ sign) - sign, (b ^ sign) - sign
    quotient = abs(a) // abs(b)
    return (quotient if (a < 0) == (b < 0) else -quotient) & ((1 << bits) - 1)


def srem(a: int, b: int, bits: int) -> int:
    sign = 1 << (bits - 1)
    a, b = (a ^ sign) - sign, (b ^ sign) - sign
    remainder = abs(a) % abs(b)
    return (-remainder if a < 0 else remainder) & ((1 << bits) - 1)


def cttz(a: int, bits: int) -> int:
    return (a & -a).bit_length() - 1 if a else bits


def bswap(a: int, bits: int) -> int:
    return int.from_bytes(a.to_bytes(bits // 8, "little"), "big")


def bitreverse(a: int, bits: int) -> int:
    return int(f"{a:0{bits}b}"[::-1], 2)


NAMESPACE: dict[str, Any] = {
    name: globals()[name]
    for name in (
        "PI", "PQ", "PF", "PD", "UI", "UQ", "UF", "UD",
        "f32", "fdiv", "fsqrt", "fma32", "fma64", "sitofp", "uitofp", "fptosi", "fptoui", "fround",
        "sdiv", "srem", "cttz", "bswap", "bitreverse",
    )
}  # fmt: skip
NAMESPACE |= {f"ROUND_{mode.value}": mode for mode in Rounding}
NAMESPACE |= {"TY32": F32, "TY64": F64}

# The spelling of an operation: result type, operand texts, operand types, attribute -> expression.
Spelling = Callable[[Ty, list[str], list[Ty], Any], str]


def _signed(text: str, ty: Ty) -> str:
    sign = 1 << (ty.bits - 1)
    return f"({(int(text) ^ sign) - sign})" if text.isdigit() else f"(({text} ^ {sign}) - {sign})"


def _biased(text: str, ty: Ty) -> str:
    """The value with its sign bit turned, in which signed order is unsigned order."""
    sign = 1 << (ty.bits - 1)
    return str(int(text) ^ sign) if text.isdigit() else f"({text} ^ {sign})"


def _plus(ty: Ty, a: str, b: str) -> str:
    """The sum; a constant from the upper half is subtracted, so that the result stays small."""
    if b.isdigit() and int(b) >> (ty.bits - 1):
        return f"{a} - {(1 << ty.bits) - int(b)}"
    return f"{a} + {b}"


def _sext(ty: Ty, args: list[str], types: list[Ty], attr: Any) -> str:
    if types[0].bits == 1:
        return f"(-{args[0]} & {ty.mask})"
    return f"({_signed(args[0], types[0])} & {ty.mask})"


def _bitcast(ty: Ty, args: list[str], types: list[Ty], attr: Any) -> str:
    """A number that is known; `through` has the ones that are not."""
    whole, number = {32: ("I", "F"), 64: ("Q", "D")}[ty.bits]
    pack, unpack = (whole, number) if ty.is_float else (number, whole)
    text = f"U{unpack}(P{pack}({args[0]}))[0]"
    if ty.is_float and args[0].isdigit():
        value = eval(text, NAMESPACE)
        if math.isfinite(value):
            return f"({value!r})"
    return text


SPELLINGS: dict[Op, Spelling] = {
    Op.ADD: lambda ty, a, t, x: f"({_plus(ty, *a)} & {ty.mask})",
    Op.SUB: lambda ty, a, t, x: f"({a[0]} - {a[1]} & {ty.mask})",
    Op.MUL: lambda ty, a, t, x: f"({a[0]} * {a[1]} & {ty.mask})",
    Op.UDIV: lambda ty, a, t, x: f"({a[0]} // {a[1]})",
    Op.UREM: lambda ty, a, t, x: f"({a[0]} % {a[1]})",
    Op.SDIV: lambda ty, a, t, x: f"sdiv({a[0]}, {a[1]}, {ty.bits})",
    Op.SREM: lambda ty, a, t, x: f"srem({a[0]}, {a[1]}, {ty.bits})",
    Op.AND: lambda ty, a, t, x: f"({a[0]} & {a[1]})",
    Op.OR: lambda ty, a, t, x: f"({a[0]} | {a[1]})",
    Op.XOR: lambda ty, a, t, x: f"({a[0]} ^ {a[1]})",
    Op.SHL: lambda ty, a, t, x: f"({a[0]} << {a[1]} & {ty.mask})",
    Op.LSHR: lambda ty, a, t, x: f"({a[0]} >> {a[1]})",
    Op.ASHR: lambda ty, a, t, x: f"({_signed(a[0], ty)} >> {a[1]} & {ty.mask})",
    Op.CTLZ: lambda ty, a, t, x: f"({ty.bits} - ({a[0]}).bit_length())",
    Op.CTTZ: lambda ty, a, t, x: f"cttz({a[0]}, {ty.bits})",
    Op.CTPOP: lambda ty, a, t, x: f"({a[0]}).bit_count()",
    Op.BSWAP: lambda ty, a, t, x: f"bswap({a[0]}, {ty.bits})",
    Op.BITREVERSE: lambda ty, a, t, x: f"bitreverse({a[0]}, {ty.bits})",
    Op.EQ: lambda ty, a, t, x: f"({a[0]} == {a[1]})",
    Op.NE: lambda ty, a, t, x: f"({a[0]} != {a[1]})",
    Op.ULT: lambda ty, a, t, x: f"({a[0]} < {a[1]})",
    Op.ULE: lambda ty, a, t, x: f"({a[0]} <= {a[1]})",
    Op.SLT: lambda ty, a, t, x: f"({_biased(a[0], t[0])} < {_biased(a[1], t[1])})",
    Op.SLE: lambda ty, a, t, x: f"({_biased(a[0], t[0])} <= {_biased(a[1], t[1])})",
    Op.FEQ: lambda ty, a, t, x: f"({a[0]} == {a[1]})",
    Op.FLT: lambda ty, a, t, x: f"({a[0]} < {a[1]})",
    Op.FLE: lambda ty, a, t, x: f"({a[0]} <= {a[1]})",
    Op.FUNO: lambda ty, a, t, x: f"(({a[0]}) != ({a[0]}) or ({a[1]}) != ({a[1]}))",
    Op.SELECT: lambda ty, a, t, x: f"({a[1]} if {a[0]} else {a[2]})",
    Op.ZEXT: lambda ty, a, t, x: f"(+{a[0]})" if t[0].bits == 1 else a[0],
    Op.SEXT: _sext,
    Op.TRUNC: lambda ty, a, t, x: f"({a[0]} & {ty.mask})",
    Op.BITCAST: _bitcast,
    Op.FADD: lambda ty, a, t, x: f"({a[0]} + {a[1]})",
    Op.FSUB: lambda ty, a, t, x: f"({a[0]} - {a[1]})",
    Op.FMUL: lambda ty, a, t, x: f"({a[0]} * {a[1]})",
    Op.FDIV: lambda ty, a, t, x: f"fdiv({a[0]}, {a[1]})",
    Op.FSQRT: lambda ty, a, t, x: f"fsqrt({a[0]})",
    Op.FMA: lambda ty, a, t, x: f"fma{ty.bits}({a[0]}, {a[1]}, {a[2]})",
    Op.FPEXT: lambda ty, a, t, x: a[0],
    Op.FPTRUNC: lambda ty, a, t, x: a[0],
    Op.SITOFP: lambda ty, a, t, x: f"sitofp({a[0]}, {1 << (t[0].bits - 1)}, TY{ty.bits})",
    Op.UITOFP: lambda ty, a, t, x: f"uitofp({a[0]}, TY{ty.bits})",
    Op.FPTOSI: lambda ty, a, t, x: f"fptosi({a[0]}, {ty.bits})",
    Op.FPTOUI: lambda ty, a, t, x: f"fptoui({a[0]}, {ty.bits})",
    Op.FROUND: lambda ty, a, t, x: f"fround({a[0]}, ROUND_{x.value})",
}


def through(op: Op, ty: Ty, source: Ty) -> tuple[str, str] | None:
    """The views of the scratch cell that a value is written to and read from, if it needs to be.

    A float that becomes its bits or the other way, and a single computed in double precision,
    which is rounded by writing it as a single. (A cell beats a call of `struct` by far.)
    """
    if op is Op.BITCAST and source.is_float is not ty.is_float:
        return _CELLS[source.is_float, ty.bits], _CELLS[ty.is_float, ty.bits]
    if ty.bits == 32 and op in _ROUNDED:
        return "cell_f4", "cell_f4"
    return None


_ROUNDED = frozenset((Op.FADD, Op.FSUB, Op.FMUL, Op.FDIV, Op.FSQRT, Op.FPTRUNC))
_CELLS = {
    (True, 32): "cell_f4",
    (True, 64): "cell_f8",
    (False, 32): "cell_u4",
    (False, 64): "cell_u8",
}


def scratch_cell() -> dict[str, Any]:
    """The views of eight bytes that generated code converts through, by name."""
    view = memoryview(bytearray(8))
    return {
        name: view.cast(letter)  # type: ignore[call-overload]
        for name, letter in zip(_CELLS.values(), "fdIQ", strict=True)
    }


# Operations whose spelling names an operand twice.
REPEATS = frozenset((Op.FUNO,))

# Spellings without the final mask: right modulo the width, for whoever masks anyway.
LOOSE: dict[Op, Spelling] = {
    Op.ADD: lambda ty, a, t, x: f"({_plus(ty, *a)})",
    Op.SUB: lambda ty, a, t, x: f"({a[0]} - {a[1]})",
    Op.MUL: lambda ty, a, t, x: f"({a[0]} * {a[1]})",
    Op.SHL: lambda ty, a, t, x: f"({a[0]} << {a[1]})",
    Op.TRUNC: lambda ty, a, t, x: a[0],
    Op.SEXT: lambda ty, a, t, x: f"(-{a[0]})" if t[0].bits == 1 else _signed(a[0], t[0]),
}
