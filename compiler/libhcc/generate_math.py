"""Makes the mathematical library's constants: math_poly.h, math_tables.h and math_tables.c.

Every function of libhcc's mathematics is reduced to a small interval, there to a polynomial.
The polynomials are Chebyshev interpolants, worked out here to 60 digits and rounded
to doubles: within a small factor of the best possible, and no secret of where they come from.
What is fitted is always the part behind exact leading terms, so that the error of
the fit, stated beside each polynomial, is small against the rounding of the sum.

    python generate_math.py        writes the three files beside itself
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from attrs import frozen
from mpmath import mp, mpf

mp.prec = 300

Real = Callable[[mpf], mpf]

EXP_BITS = 7
LOG_BITS = 7
LOG_OFFSET = 0x3FE6000000000000  # the table covers [0.6875, 1.375)
ATAN_STEPS = 128
TWO_OVER_PI_WORDS = 40


@frozen
class Polynomial:
    """One polynomial to be fitted: function on [low, high], to a degree."""

    name: str
    what: str
    function: Real
    low: mpf
    high: mpf
    degree: int


def series(terms: Callable[[int], mpf], start: int, z: mpf) -> mpf:
    """The sum of terms(n) z^(n - start) from n = start on: for functions that cancel near 0."""
    total = mpf(0)
    power = mpf(1)
    for n in range(start, start + 200):
        total += terms(n) * power
        power *= z
    return total


def odd_rest(f: Real, third: mpf) -> Real:
    """(f(x)/x - 1) / x^2 as a function of z = x^2, for an odd f with f'(0) = 1."""

    def rest(z: mpf) -> mpf:
        if z < mpf(10) ** -30:
            return third
        x = mp.sqrt(z)
        return (f(x) / x - 1) / z

    return rest


def cosine_rest(z: mpf) -> mpf:
    return series(lambda n: (-1) ** n / mp.factorial(2 * n), 2, z)


def exp_rest(x: mpf) -> mpf:
    return series(lambda n: 1 / mp.factorial(n), 3, x)


def log_rest(r: mpf) -> mpf:
    return series(lambda n: mpf((-1) ** (n + 1)) / n, 3, r)


def polynomials() -> list[Polynomial]:
    ln2 = mp.log(2)
    quarter_pi = mp.pi / 4 * mpf("1.0001")
    small_r = mpf("0.0079")  # |r| of the logarithm's table, with room
    near = mpf(1) / 32
    eighth = mpf(1) / 8
    atan_z = (mpf("0.51") / ATAN_STEPS) ** 2
    half_step = ln2 / 2 ** (EXP_BITS + 1) * mpf("1.001")
    zero = mpf(0)
    return [
        Polynomial("sin", "(sin x / x - 1) / z, z = x^2", odd_rest(mp.sin, mpf(-1) / 6), zero,
                   quarter_pi**2, 6),
        Polynomial("cos", "(cos x - 1 + z/2) / z^2, z = x^2", cosine_rest, zero,
                   quarter_pi**2, 5),
        Polynomial("exp", "(exp r - 1 - r - r^2/2) / r^3", exp_rest, -half_step, half_step, 3),
        Polynomial("expm1", "(exp x - 1 - x - x^2/2) / x^3", exp_rest, -eighth, eighth, 8),
        Polynomial("log", "(log(1 + r) - r + r^2/2) / r^3", log_rest, -small_r, small_r, 5),
        Polynomial("log_dd", "(log(1 + r) - r + r^2/2) / r^3", log_rest, -small_r, small_r, 7),
        Polynomial("log_near", "(log(1 + r) - r + r^2/2) / r^3", log_rest, -near, near, 9),
        Polynomial("sinh", "(sinh x / x - 1) / z, z = x^2", odd_rest(mp.sinh, mpf(1) / 6), zero,
                   eighth**2, 4),
        Polynomial("tanh", "(tanh x / x - 1) / z, z = x^2", odd_rest(mp.tanh, mpf(-1) / 3), zero,
                   eighth**2, 6),
        Polynomial("atan", "(atan t / t - 1) / z, z = t^2", odd_rest(mp.atan, mpf(-1) / 3), zero,
                   atan_z, 2),
        Polynomial("atan_small", "(atan x / x - 1) / z, z = x^2", odd_rest(mp.atan, mpf(-1) / 3),
                   zero, mpf(1) / 256, 6),
        Polynomial("asin", "(asin x / x - 1) / z, z = x^2", odd_rest(mp.asin, mpf(1) / 6), zero,
                   mpf("0.2501"), 13),
        Polynomial("cbrt", "the cube root of x", lambda x: mp.cbrt(x), mpf(1), mpf(2), 4),
    ]


def fit(p: Polynomial) -> tuple[list[float], mpf]:
    """The coefficients, lowest first, as doubles, and the largest error seen with them."""
    coefficients = mp.chebyfit(p.function, [p.low, p.high], p.degree + 1)
    doubles = [float(c) for c in reversed(coefficients)]
    worst = mpf(0)
    for i in range(401):
        x = p.low + (p.high - p.low) * i / 400
        value = mp.polyval([mpf(c) for c in reversed(doubles)], x)
        worst = max(worst, abs(value - p.function(x)))
    return doubles, worst


def horner(coefficients: list[float], variable: str) -> str:
    text = repr(coefficients[-1])
    for c in reversed(coefficients[:-1]):
        sign = "-" if c < 0 else "+"
        text = f"({text}) * {variable} {sign} {abs(c)!r}" if " " in text else (
            f"{text} * {variable} {sign} {abs(c)!r}")
    return text


def wrap(text: str, indent: str) -> str:
    """Breaks a long expression after operators, at 96 columns."""
    lines = [indent]
    for word in text.split(" "):
        if len(lines[-1]) + len(word) > 96:
            lines.append(indent + "    ")
        lines[-1] += word if lines[-1].strip() == "" else " " + word
    return "\n".join(line.rstrip() for line in lines)


def polynomial_function(p: Polynomial) -> str:
    """C for one polynomial; a long one as even part + x * odd part, which halves the chain."""
    coefficients, worst = fit(p)
    head = [
        f"/* {p.what}, on [{mp.nstr(p.low, 5)}, {mp.nstr(p.high, 5)}]: "
        f"within {mp.nstr(worst, 2)}. */",
        f"static inline __HCC_LEAF double poly_{p.name}(double x)",
        "{",
    ]
    if len(coefficients) <= 4:
        body = [wrap(f"return {horner(coefficients, 'x')};", "    ")]
    else:
        body = [
            "    double s = x * x;",
            wrap(f"double even = {horner(coefficients[0::2], 's')};", "    "),
            wrap(f"double odd = {horner(coefficients[1::2], 's')};", "    "),
            "    return even + x * odd;",
        ]
    return "\n".join([*head, *body, "}", ""])


def split(value: mpf, bits: int) -> tuple[float, float]:
    """value as hi + lo, hi a multiple of 2^-bits."""
    hi = mp.nint(value * mpf(2) ** bits) / mpf(2) ** bits
    return float(hi), float(value - hi)


def double_double(value: mpf) -> tuple[float, float]:
    hi = float(value)
    return hi, float(value - mpf(hi))


def exp_table() -> list[tuple[float, float]]:
    return [double_double(mpf(2) ** (mpf(i) / 2**EXP_BITS)) for i in range(2**EXP_BITS)]


def log_table() -> list[tuple[float, float, float]]:
    """1/c to 10 bits, for c near the middle of each interval, and -log(1/c) as hi + lo.

    The hi parts are multiples of 2^-42, so that k ln2_hi + hi is exact for every exponent k.
    """
    rows = []
    first = 0x6000000000000 >> (52 - LOG_BITS)
    for i in range(2**LOG_BITS):
        step = first + i
        exponent = -1 if step < 2**LOG_BITS else 0
        middle = mpf(2) ** exponent * (1 + mpf(step % 2**LOG_BITS + mpf(1) / 2) / 2**LOG_BITS)
        if step in (2**LOG_BITS - 1, 2**LOG_BITS):
            inverse = mpf(1)  # next to 1 nothing may be lost: log(1) = 0 exactly
        else:
            inverse = mp.nint(512 / middle) / 512
        hi, lo = split(-mp.log(inverse), 42)
        rows.append((float(inverse), hi, lo))
    return rows


def atan_table() -> list[tuple[float, float]]:
    return [double_double(mp.atan(mpf(i) / ATAN_STEPS)) for i in range(ATAN_STEPS + 1)]


def two_over_pi() -> list[int]:
    bits = 32 * TWO_OVER_PI_WORDS
    with mp.workprec(bits + 100):
        digits = int(mp.floor(2 / mp.pi * mpf(2) ** bits))
    return [digits >> (32 * i) & 0xFFFFFFFF for i in reversed(range(TWO_OVER_PI_WORDS))]


def pi_parts() -> list[float]:
    """pi/2 in three parts of 33 bits and the rest, for reduction by up to 2^20 of it."""
    rest = mp.pi / 2
    parts = []
    for bits in (32, 66, 100):
        hi = mp.floor(rest * mpf(2) ** bits) / mpf(2) ** bits
        parts.append(float(hi))
        rest -= hi
    return [*parts, float(rest)]


def constants() -> list[tuple[str, float]]:
    ln2 = mp.log(2)
    step_hi, step_lo = split(ln2 / 2**EXP_BITS, 42)
    log_hi, log_lo = split(ln2, 42)
    pairs: list[tuple[str, float]] = [
        ("EXP_STEPS_PER_ONE", float(2**EXP_BITS / ln2)),
        ("EXP_STEP_HI", step_hi),
        ("EXP_STEP_LO", step_lo),
        ("LN2_HI", log_hi),
        ("LN2_LO", log_lo),
    ]
    for name, value in (
        ("INV_LN2", 1 / ln2),
        ("INV_LN10", 1 / mp.log(10)),
        ("LOG10_2", mp.log10(2)),
        ("PI", mp.pi),
        ("HALF_PI", mp.pi / 2),
        ("LN2_DD", ln2),
    ):
        hi, lo = double_double(value)
        pairs += [(f"{name}_H", hi), (f"{name}_L", lo)]
    pairs += [(f"HALF_PI_{i + 1}", part) for i, part in enumerate(pi_parts())]
    pairs.append(("TWO_OVER_PI", float(2 / mp.pi)))
    return pairs


BANNER = "/* Made by generate_math.py: change that, not this. */\n"


def poly_header() -> str:
    out = [BANNER, "#ifndef MATH_POLY_H\n#define MATH_POLY_H\n", "#include <hcc/abi.h>\n"]
    out += [polynomial_function(p) for p in polynomials()]
    return "\n".join([*out, "#endif\n"])


def tables_header() -> str:
    out = [BANNER, "#ifndef MATH_TABLES_H\n#define MATH_TABLES_H\n", "#include <stdint.h>\n"]
    for name, value in constants():
        out.append(f"#define {name} {value!r}" if value >= 0 else f"#define {name} ({value!r})")
    out.append(f"""
/* 2^(i/N) as hi + lo. */
#define EXP_BITS {EXP_BITS}
#define EXP_STEPS {2**EXP_BITS}
struct exp_entry {{
    double hi;
    double lo;
}};
extern const struct exp_entry __hcc_exp_table[EXP_STEPS];

/* For z in [0.6875, 1.375), by the leading bits of its representation above
   LOG_OFFSET: 1/c to 10 bits, with c near z, and log(c) as hi + lo. */
#define LOG_BITS {LOG_BITS}
#define LOG_STEPS {2**LOG_BITS}
#define LOG_OFFSET UINT64_C({LOG_OFFSET:#x})
struct log_entry {{
    double inverse;
    double hi;
    double lo;
}};
extern const struct log_entry __hcc_log_table[LOG_STEPS];

/* atan(i/N) as hi + lo. */
#define ATAN_STEPS {ATAN_STEPS}
struct atan_entry {{
    double hi;
    double lo;
}};
extern const struct atan_entry __hcc_atan_table[ATAN_STEPS + 1];

/* The bits of 2/pi behind the point, most significant word first. */
#define TWO_OVER_PI_WORDS {TWO_OVER_PI_WORDS}
extern const uint32_t __hcc_two_over_pi[TWO_OVER_PI_WORDS];

#endif
""")
    return "\n".join(out)


def tables_source() -> str:
    def rows(table: list[tuple[float, ...]]) -> str:
        return "\n".join("    {" + ", ".join(repr(v) for v in row) + "}," for row in table)

    words = [f"0x{w:08x}" for w in two_over_pi()]
    lines = "\n".join("    " + ", ".join(words[i : i + 8]) + "," for i in range(0, len(words), 8))
    exp_rows: list[tuple[float, ...]] = [*exp_table()]
    log_rows: list[tuple[float, ...]] = [*log_table()]
    atan_rows: list[tuple[float, ...]] = [*atan_table()]
    return f"""{BANNER}
#include "math_tables.h"

const struct exp_entry __hcc_exp_table[EXP_STEPS] = {{
{rows(exp_rows)}
}};

const struct log_entry __hcc_log_table[LOG_STEPS] = {{
{rows(log_rows)}
}};

const struct atan_entry __hcc_atan_table[ATAN_STEPS + 1] = {{
{rows(atan_rows)}
}};

const uint32_t __hcc_two_over_pi[TWO_OVER_PI_WORDS] = {{
{lines}
}};
"""


def generated() -> dict[str, str]:
    """The files' names and texts."""
    return {
        "math_poly.h": poly_header(),
        "math_tables.h": tables_header(),
        "math_tables.c": tables_source(),
    }


if __name__ == "__main__":
    for name, text in generated().items():
        (Path(__file__).parent / name).write_text(text)
