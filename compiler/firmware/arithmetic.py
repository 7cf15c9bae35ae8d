"""What firmware text may compute: Python's operators on small numbers and strings.

The results are Python's, the limits ours: integers of at most 64 bits, strings of at most
MAX_STRING characters, no operator that could take long on small operands. Anything else is an
ArithmeticFault, which the interpreter turns into an error with its place.
"""

from __future__ import annotations

import operator
from collections.abc import Callable

MAX_BITS = 64
MAX_STRING = 10_000
MAX_RANGE = 65_536

Number = int | float


class ArithmeticFault(Exception):
    """An operation firmware may not do; the message says which."""


_BINARY: dict[str, Callable[[Number, Number], Number]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "//": operator.floordiv,
    "%": operator.mod,
}

_BITWISE: dict[str, Callable[[int, int], int]] = {
    "&": operator.and_,
    "|": operator.or_,
    "^": operator.xor,
    "<<": operator.lshift,
    ">>": operator.rshift,
}

_ORDER: dict[str, Callable[[Number, Number], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def truth(value: object) -> bool:
    if value is None or isinstance(value, (bool, int, float, str, tuple, range)):
        return bool(value)
    raise ArithmeticFault("a condition must be a number, a string or None")


def unary(op: str, value: object) -> object:
    if op == "not":
        return not truth(value)
    number = _number(value, op)
    return _bounded(-number if op == "-" else +number)


def binary(op: str, left: object, right: object) -> object:
    if op == "+" and isinstance(left, str) and isinstance(right, str):
        if len(left) + len(right) > MAX_STRING:
            raise ArithmeticFault(f"a string longer than {MAX_STRING} characters")
        return left + right
    a, b = _number(left, op), _number(right, op)
    if op in _BITWISE:
        if not isinstance(a, int) or not isinstance(b, int):
            raise ArithmeticFault(f"'{op}' needs integers")
        if op in ("<<", ">>") and not 0 <= b <= MAX_BITS:
            raise ArithmeticFault(f"a shift by {b}")
        return _bounded(_BITWISE[op](a, b))
    if op == "**":
        return _power(a, b)
    try:
        return _bounded(_BINARY[op](a, b))
    except ZeroDivisionError:
        raise ArithmeticFault("division by zero") from None
    except OverflowError:
        raise ArithmeticFault(f"the result of '{op}' is out of range") from None


def compare(op: str, left: object, right: object) -> bool:
    match op:
        case "==" | "is":
            return _comparable(left) == _comparable(right)
        case "!=" | "is not":
            return _comparable(left) != _comparable(right)
        case "in" | "not in":
            if isinstance(right, str) and isinstance(left, str):
                return (left in right) is (op == "in")
            if not isinstance(right, (tuple, range)):
                raise ArithmeticFault(f"'{op}' needs a list or a range on its right")
            return (left in right) is (op == "in")
    if isinstance(left, str) and isinstance(right, str):
        return bool(_ORDER[op](left, right))  # type: ignore[arg-type]
    return _ORDER[op](_number(left, op), _number(right, op))


def _comparable(value: object) -> object:
    if value is None or isinstance(value, (int, float, str, tuple)):
        return value
    raise ArithmeticFault("only numbers, strings, lists and None can be compared")


def _power(a: Number, b: Number) -> Number:
    if isinstance(a, int) and isinstance(b, int) and b >= 0 and abs(a) > 1 and b > MAX_BITS:
        raise ArithmeticFault(f"an integer of more than {MAX_BITS} bits")
    try:
        result = a**b
    except (ZeroDivisionError, OverflowError):
        raise ArithmeticFault(f"{a} ** {b} is not a number") from None
    if isinstance(result, complex):
        raise ArithmeticFault(f"{a} ** {b} is not a real number")
    return _bounded(result)


def _number(value: object, op: str) -> Number:
    if isinstance(value, (bool, int, float)):
        return value
    what = "a string" if isinstance(value, str) else "something that is not a number"
    raise ArithmeticFault(f"'{op}' on {what}")


def _bounded(value: Number) -> Number:
    if isinstance(value, int) and value.bit_length() > MAX_BITS:
        raise ArithmeticFault(f"an integer of more than {MAX_BITS} bits")
    return value


# The functions firmware text may call


def _int(value: object = 0) -> int:
    try:
        if isinstance(value, str):
            result = int(value[:80], 0)
        else:
            result = int(_number(value, "int"))
    except (ValueError, OverflowError):
        raise ArithmeticFault(f"int() of {str(value)[:40]!r}") from None
    _bounded(result)
    return result


def _range(*bounds: object) -> range:
    if not 1 <= len(bounds) <= 3:
        raise ArithmeticFault("range takes 1 to 3 arguments")
    numbers = []
    for bound in bounds:
        if isinstance(bound, float) or not isinstance(bound, int):
            raise ArithmeticFault("range takes integers (use // or int())")
        numbers.append(bound)
    if len(numbers) == 3 and numbers[2] == 0:
        raise ArithmeticFault("range with a step of 0")
    rounds = range(*numbers)
    first, last = rounds.start, rounds.stop
    if abs(last - first) // abs(rounds.step) > MAX_RANGE and bool(rounds):
        raise ArithmeticFault(
            f"a range of {(abs(last - first) - 1) // abs(rounds.step) + 1} rounds: "
            f"firmware is unrolled, limit {MAX_RANGE}"
        )
    return rounds


def _extreme(name: str, choose: Callable[..., Number]) -> Callable[..., Number]:
    def function(*values: object) -> Number:
        items = values[0] if len(values) == 1 and isinstance(values[0], tuple) else values
        assert isinstance(items, tuple)
        if not items:
            raise ArithmeticFault(f"{name} of nothing")
        return choose(_number(item, name) for item in items)

    return function


def _one(name: str, function: Callable[[Number], Number]) -> Callable[..., Number]:
    def checked(*values: object) -> Number:
        if len(values) != 1:
            raise ArithmeticFault(f"{name} takes one argument")
        return _bounded(function(_number(values[0], name)))

    return checked


def _round(value: Number) -> int:
    try:
        return round(value)
    except (ValueError, OverflowError):
        raise ArithmeticFault(f"round({value}) is not an integer") from None


def _len(*values: object) -> int:
    if len(values) != 1 or not isinstance(values[0], (tuple, str, range)):
        raise ArithmeticFault("len takes one list or string")
    return len(values[0])


def _str(*values: object) -> str:
    if len(values) != 1 or not isinstance(values[0], (bool, int, float, str, type(None))):
        raise ArithmeticFault("str takes one number or string")
    return str(values[0])


def _integer(*values: object) -> int:
    if len(values) > 1:
        raise ArithmeticFault("int takes one argument")
    return _int(*values)


FUNCTIONS: dict[str, Callable[..., object]] = {
    "abs": _one("abs", abs),
    "int": _integer,
    "len": _len,
    "max": _extreme("max", max),
    "min": _extreme("min", min),
    "range": _range,
    "round": _one("round", _round),
    "str": _str,
}
