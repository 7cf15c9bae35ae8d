"""The mathematical functions against mpmath: errors in units of the last place, and special cases.

The bounds are what docs/libhcc.md promises.
"""

from __future__ import annotations

import ctypes
import math
import random
from collections.abc import Callable
from typing import Any

import pytest

from tests.libhcc import floats

mpmath = pytest.importorskip("mpmath")
mp = mpmath.mp.clone()
mp.prec = 200

Sample = Callable[[random.Random], Any]


def uniform(low: float, high: float) -> Sample:
    return lambda rng: rng.uniform(low, high)


def scale(low: float, high: float) -> Sample:
    return lambda rng: floats.magnitude(rng, low, high)


def near(centre: float, low: float, high: float) -> Sample:
    return lambda rng: centre + floats.magnitude(rng, low, high)


def positive(sample: Sample) -> Sample:
    return lambda rng: abs(sample(rng))


def both(x: Sample, y: Sample) -> Sample:
    return lambda rng: (x(rng), y(rng))


def multiples_of_half_pi(rng: random.Random) -> float:
    return rng.randrange(1, 10**6) * (math.pi / 2)


def inside_one(rng: random.Random) -> float:
    return math.copysign(1 - abs(floats.magnitude(rng, -50, -1)), rng.choice([1, -1]))


def above_one(rng: random.Random) -> float:
    return 1 + abs(floats.magnitude(rng, -50, 900))


def real_cbrt(x: Any) -> Any:
    return mp.cbrt(x) if x > 0 else -mp.cbrt(-x)


def log_gamma(x: Any) -> Any:
    return mp.log(abs(mp.gamma(x)))


EVERY = floats.any_finite
ANGLES = [EVERY, uniform(-10, 10), uniform(-1e6, 1e6), multiples_of_half_pi, uniform(-0.8, 0.8)]
LOGS = [positive(EVERY), uniform(0.5, 2), uniform(0.95, 1.05), near(1, -50, -2)]

# function: the bound in units of the last place, the exact function, samples
CASES: dict[str, tuple[float, Callable[..., Any], list[Sample]]] = {
    "exp": (
        0.55,
        mp.exp,
        [uniform(-745, 709.78), uniform(-1, 1), scale(-60, 9), uniform(-746, -700)],
    ),
    "exp2": (
        0.55,
        lambda x: mp.mpf(2) ** x,
        [uniform(-1075, 1024), uniform(-1, 1), uniform(-1075, -1020)],
    ),
    "expm1": (
        0.65,
        mp.expm1,
        [uniform(-50, 709), uniform(-1, 1), scale(-60, 5), uniform(-0.2, 0.2)],
    ),
    "log": (0.6, mp.log, LOGS),
    "log2": (0.55, lambda x: mp.log(x) / mp.log(2), LOGS),
    "log10": (0.55, lambda x: mp.log(x) / mp.log(10), LOGS),
    "log1p": (
        0.55,
        mp.log1p,
        [positive(EVERY), uniform(-1, 2), scale(-60, -1), uniform(-0.1, 0.1)],
    ),
    "sin": (0.85, mp.sin, ANGLES),
    "cos": (0.85, mp.cos, ANGLES),
    "tan": (0.95, mp.tan, ANGLES),
    "asin": (0.65, mp.asin, [uniform(-1, 1), scale(-60, 0), inside_one]),
    "acos": (0.65, mp.acos, [uniform(-1, 1), scale(-60, 0), inside_one]),
    "atan": (0.6, mp.atan, [EVERY, uniform(-1, 1), uniform(-20, 20), uniform(-0.1, 0.1)]),
    "sinh": (0.55, mp.sinh, [uniform(-710, 710), uniform(-1, 1), scale(-60, 9)]),
    "cosh": (0.55, mp.cosh, [uniform(-710, 710), uniform(-1, 1), scale(-60, 9)]),
    "tanh": (0.55, mp.tanh, [uniform(-22, 22), uniform(-1, 1), scale(-60, 9)]),
    "asinh": (0.6, mp.asinh, [EVERY, uniform(-1, 1), uniform(-100, 100), scale(-60, 9)]),
    "acosh": (0.6, mp.acosh, [uniform(1, 2), uniform(1, 100), above_one]),
    "atanh": (0.6, mp.atanh, [uniform(-1, 1), scale(-60, -0.001), uniform(-0.1, 0.1)]),
    "cbrt": (0.55, real_cbrt, [EVERY, uniform(-10, 10)]),
    "erf": (0.85, mp.erf, [uniform(-6, 6), uniform(-1, 1), scale(-60, 2.5)]),
    "erfc": (0.95, mp.erfc, [uniform(-6, 27), uniform(-1, 1), scale(-60, 4.7), uniform(0, 5)]),
    "tgamma": (
        0.95,
        mp.gamma,
        [uniform(-170, 171.6), uniform(-5, 5), scale(-60, 7), uniform(0.5, 3)],
    ),
    "lgamma": (
        1.0,
        log_gamma,
        [uniform(0, 20), uniform(0, 5), positive(scale(-60, 60)), uniform(0.5, 3)],
    ),
    "pow": (
        0.55,
        mp.power,
        [
            both(positive(EVERY), uniform(-1, 1)),
            both(uniform(0, 10), uniform(-300, 300)),
            both(near(1, -40, -3), scale(0, 30)),
            both(uniform(0.9, 1.1), uniform(-7000, 7000)),
        ],
    ),
    "atan2": (
        0.6,
        mp.atan2,
        [
            both(EVERY, EVERY),
            both(uniform(-1, 1), uniform(-1, 1)),
            both(scale(-30, 30), scale(-30, 30)),
        ],
    ),
    "hypot": (
        0.55,
        mp.hypot,
        [
            both(scale(-1000, 1000), scale(-1000, 1000)),
            both(uniform(-1, 1), uniform(-1, 1)),
            both(scale(-10, 10), scale(-10, 10)),
            both(scale(-1074, -1020), scale(-1074, -1020)),
        ],
    ),
}
TWO_ARGUMENTS = {"pow", "atan2", "hypot", "fmod", "remainder", "fmin", "fmax", "fdim", "nextafter",
                 "copysign"}  # fmt: skip


def function(lib: ctypes.CDLL, name: str, single: bool = False) -> Any:
    f = getattr(lib, name + ("f" if single else ""))
    kind = ctypes.c_float if single else ctypes.c_double
    f.restype = kind
    f.argtypes = [kind] * (2 if name in TWO_ARGUMENTS else 1)
    return f


def error(got: float, exact: Any) -> float:
    """In units of the last place of the double the exact value rounds to."""
    largest = mp.mpf(1.7976931348623157e308) + mp.mpf(2) ** 970
    if abs(exact) >= largest:
        return 0.0 if math.isinf(got) else math.inf
    if not math.isfinite(got):
        return math.inf
    rounded = float(exact)
    unit = math.ulp(rounded) if math.isfinite(rounded) else 2.0**971
    return float(abs(mp.mpf(got) - exact) / mp.mpf(unit))


def worst_error(lib: ctypes.CDLL, name: str, count: int, rng: random.Random) -> tuple[float, Any]:
    _, exact, samples = CASES[name]
    f = function(lib, name)
    worst: tuple[float, Any] = (0.0, None)
    for sample in samples:
        for _ in range(count):
            point = sample(rng)
            args = point if isinstance(point, tuple) else (point,)
            e = error(f(*args), exact(*map(mp.mpf, args)))
            if e > worst[0]:
                worst = e, args
    return worst


@pytest.mark.parametrize("name", CASES)
def test_error_is_within_the_bound(name: str, ours: ctypes.CDLL, rng: random.Random) -> None:
    worst, where = worst_error(ours, name, 150, rng)

    assert worst <= CASES[name][0], where


@pytest.mark.long
@pytest.mark.parametrize("name", CASES)
def test_error_is_within_the_bound_on_many_points(
    name: str, ours: ctypes.CDLL, rng: random.Random
) -> None:
    worst, where = worst_error(ours, name, 5000, rng)
    print(f"{name}: {worst:.4f} at {where}")

    assert worst <= CASES[name][0], where


EXACT = ["sqrt", "floor", "ceil", "trunc", "round", "rint", "nearbyint", "fabs", "fmod",
         "remainder", "fmin", "fmax", "fdim", "nextafter", "copysign", "logb"]  # fmt: skip


@pytest.fixture
def libm() -> ctypes.CDLL:
    return ctypes.CDLL("libm.so.6")


def points(rng: random.Random) -> list[float]:
    return [*floats.SPECIAL, *(floats.any_finite(rng) for _ in range(40))]


def argument_lists(name: str, rng: random.Random) -> list[tuple[float, ...]]:
    xs = points(rng)
    if name in TWO_ARGUMENTS:
        return [(x, y) for x in xs for y in xs]
    return [(x,) for x in xs]


@pytest.mark.parametrize("name", EXACT)
def test_exact_functions_are_glibcs(
    name: str, ours: ctypes.CDLL, libm: ctypes.CDLL, rng: random.Random
) -> None:
    expected, actual = function(libm, name), function(ours, name)
    for args in argument_lists(name, rng):
        a, b = expected(*args), actual(*args)
        if a == b == 0.0 and (name in ("fmin", "fmax") or name == "remainder"):
            continue  # signs of zero: free, and glibc's remainder errs there
        assert floats.same(a, b), args


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("single", [False, True], ids=["double", "single"])
def test_special_values_are_those_of_c99(
    name: str, single: bool, ours: ctypes.CDLL, libm: ctypes.CDLL, rng: random.Random
) -> None:
    expected, actual = function(libm, name, single), function(ours, name, single)
    for args in argument_lists(name, rng):
        a, b = expected(*args), actual(*args)
        if a != a or b != b or math.isinf(a) or math.isinf(b) or a == 0.0 or b == 0.0:
            assert floats.same(a, b), args
        else:
            unit = max(abs(a) * 2.0**-23, 2.0**-149) if single else math.ulp(a)
            assert abs(a - b) <= (2 if single else 8) * unit, args


def test_remainder_of_zero_has_the_sign_of_the_dividend(ours: ctypes.CDLL) -> None:
    f = function(ours, "remainder")

    assert math.copysign(1, f(6.0, -3.0)) == 1.0
    assert math.copysign(1, f(-6.0, 3.0)) == -1.0


def test_numbers_are_taken_apart_and_put_together(
    ours: ctypes.CDLL, libm: ctypes.CDLL, rng: random.Random
) -> None:
    for lib in (ours, libm):
        for name in ("frexp", "modf", "scalbn", "ldexp", "remquo"):
            getattr(lib, name).restype = ctypes.c_double
    for x in points(rng):
        value = ctypes.c_double(x)
        n, m = ctypes.c_int(0), ctypes.c_int(0)
        whole, part = ctypes.c_double(), ctypes.c_double()

        assert floats.same(libm.frexp(value, ctypes.byref(n)), ours.frexp(value, ctypes.byref(m)))
        assert n.value == m.value or not math.isfinite(x)
        assert floats.same(
            libm.modf(value, ctypes.byref(whole)), ours.modf(value, ctypes.byref(part))
        )
        assert floats.same(whole.value, part.value)
        for k in (0, 1, -1, 52, -52, -1022, -1075, 2000, -5000, 2**31 - 1, -(2**31)):
            assert floats.same(libm.scalbn(value, k), ours.scalbn(value, k)), (x, k)
        for y in points(rng):
            divisor = ctypes.c_double(y)
            expected = libm.remquo(value, divisor, ctypes.byref(n))
            actual = ours.remquo(value, divisor, ctypes.byref(m))

            assert expected == actual or (expected != expected and actual != actual)
            assert expected != expected or n.value & 7 == m.value & 7, (x, y)


@pytest.mark.parametrize("name", ["ilogb", "lrint", "lround", "llrint", "llround"])
def test_whole_results(name: str, ours: ctypes.CDLL, libm: ctypes.CDLL, rng: random.Random) -> None:
    for lib in (ours, libm):
        getattr(lib, name).restype = ctypes.c_int if name == "ilogb" else ctypes.c_long
        getattr(lib, name).argtypes = [ctypes.c_double]
    for x in points(rng):
        if name == "ilogb" or abs(x) < 2.0**62:
            assert getattr(libm, name)(x) == getattr(ours, name)(x), x


def test_fma_rounds_once(ours: ctypes.CDLL, libm: ctypes.CDLL, rng: random.Random) -> None:
    for lib in (ours, libm):
        lib.fma.restype = ctypes.c_double
        lib.fma.argtypes = [ctypes.c_double] * 3

    def some() -> float:
        if rng.random() < 0.2:
            return rng.choice(floats.SPECIAL)
        m = rng.getrandbits(rng.choice([3, 20, 53])) * rng.choice([1, -1])
        return math.ldexp(
            m, rng.randrange(-1100, 900) if rng.random() < 0.5 else rng.randrange(-60, 9)
        )

    for _ in range(20000):
        x, y = some(), some()
        z = rng.choice([some(), -x * y, -x * y * (1 + 2**-52), -x * y + 5e-324])

        assert floats.same(libm.fma(x, y, z), ours.fma(x, y, z)), (x.hex(), y.hex(), z.hex())


def test_fmaf_rounds_once(ours: ctypes.CDLL, libm: ctypes.CDLL, rng: random.Random) -> None:
    for lib in (ours, libm):
        lib.fmaf.restype = ctypes.c_float
        lib.fmaf.argtypes = [ctypes.c_float] * 3
    for _ in range(20000):
        x, y, z = (
            math.ldexp(rng.getrandbits(24) * rng.choice([1, -1]), rng.randrange(-50, 20))
            for _ in range(3)
        )

        assert floats.same(libm.fmaf(x, y, z), ours.fmaf(x, y, z)), (x, y, z)
