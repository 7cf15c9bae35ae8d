"""Arithmetic on constants, with the meaning the running program has: hcc's one meaning.

Integers wrap, shift counts are taken modulo the width, floats are rounded to their type after
every operation. What would trap (division by zero, the least value divided by -1) is not folded:
it traps when it is reached.
"""

from __future__ import annotations

import math

from hcc.compiler.kernelc.constants import round_to
from hcc.compiler.kernelc.types import CType, IntegerType


def fold_int(op: str, a: int, b: int, type_: IntegerType) -> int | None:
    """`a op b` in an integer type, or None if that is not a value."""
    match op:
        case "+":
            value = a + b
        case "-":
            value = a - b
        case "*":
            value = a * b
        case "&":
            value = a & b
        case "|":
            value = a | b
        case "^":
            value = a ^ b
        case "<<":
            value = a << (b & (type_.bits - 1))
        case ">>":
            value = a >> (b & (type_.bits - 1))
        case _:
            if b == 0 or (b == -1 and a == type_.low):
                return None
            quotient = abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)
            value = quotient if op == "/" else a - b * quotient
    return type_.wrap(value)


def fold_float(op: str, a: float, b: float, type_: CType) -> float:
    """`a op b` in a floating type."""
    match op:
        case "+":
            value = a + b
        case "-":
            value = a - b
        case "*":
            value = a * b
        case _:
            if b != 0:
                value = a / b
            elif a == 0 or math.isnan(a):
                value = math.nan
            else:
                value = math.copysign(math.inf, a) * math.copysign(1.0, b)
    return round_to(value, type_)


def fold_compare(op: str, a: float, b: float) -> int:
    """`a op b` as an int."""
    match op:
        case "==":
            return int(a == b)
        case "!=":
            return int(a != b)
        case "<":
            return int(a < b)
        case "<=":
            return int(a <= b)
        case ">":
            return int(a > b)
    return int(a >= b)


def float_to_int(value: float, type_: IntegerType) -> int:
    """Conversion as the program does it: towards zero, saturating, NaN to 0. Types narrower
    than int go through int or unsigned int."""
    if math.isnan(value):
        return 0
    if type_.is_bool:
        return int(value != 0)
    bits = max(type_.bits, 32)
    low = -(1 << (bits - 1)) if type_.signed or type_.bits < 32 else 0
    high = (1 << (bits - (low < 0))) - 1
    if math.isinf(value):
        whole = high if value > 0 else low
    else:
        whole = min(max(math.trunc(value), low), high)
    return type_.wrap(whole)
