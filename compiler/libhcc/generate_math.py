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
ERFCX_FIRST = -1  # the table covers [2^-1, 2^5) in eighths of octaves
ERFCX_OCTAVES = 6
ERFCX_PIECES = 8
GAMMA_PIECES = 16  # to one
LGAMMA_FIRST = 8  # in sixteenths, as the last
LGAMMA_LAST = 48


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


def erf_rest(z: mpf) -> mpf:
    two = 2 / mp.sqrt(mp.pi)
    return series(lambda n: two * (-1) ** n / (mp.factorial(n) * (2 * n + 1)), 1, z)


def stirling_rest(z: mpf) -> mpf:
    if z < mpf(10) ** -20:
        return mpf(1) / 12 - z / 360
    x = 1 / mp.sqrt(z)
    return (mp.loggamma(x) - (x - mpf(1) / 2) * mp.log(x) + x - mp.log(2 * mp.pi) / 2) * x


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
        Polynomial(
            "sin",
            "(sin x / x - 1) / z, z = x^2",
            odd_rest(mp.sin, mpf(-1) / 6),
            zero,
            quarter_pi**2,
            6,
        ),
        Polynomial("cos", "(cos x - 1 + z/2) / z^2, z = x^2", cosine_rest, zero, quarter_pi**2, 5),
        Polynomial("exp", "(exp r - 1 - r - r^2/2) / r^3", exp_rest, -half_step, half_step, 3),
        Polynomial("expm1", "(exp x - 1 - x - x^2/2) / x^3", exp_rest, -eighth, eighth, 8),
        Polynomial("log", "(log(1 + r) - r + r^2/2) / r^3", log_rest, -small_r, small_r, 5),
        Polynomial("log_dd", "(log(1 + r) - r + r^2/2) / r^3", log_rest, -small_r, small_r, 7),
        Polynomial("log_near", "(log(1 + r) - r + r^2/2) / r^3", log_rest, -near, near, 9),
        Polynomial(
            "sinh",
            "(sinh x / x - 1) / z, z = x^2",
            odd_rest(mp.sinh, mpf(1) / 6),
            zero,
            eighth**2,
            4,
        ),
        Polynomial(
            "tanh",
            "(tanh x / x - 1) / z, z = x^2",
            odd_rest(mp.tanh, mpf(-1) / 3),
            zero,
            eighth**2,
            6,
        ),
        Polynomial(
            "atan", "(atan t / t - 1) / z, z = t^2", odd_rest(mp.atan, mpf(-1) / 3), zero, atan_z, 2
        ),
        Polynomial(
            "atan_small",
            "(atan x / x - 1) / z, z = x^2",
            odd_rest(mp.atan, mpf(-1) / 3),
            zero,
            mpf(1) / 256,
            6,
        ),
        Polynomial(
            "asin",
            "(asin x / x - 1) / z, z = x^2",
            odd_rest(mp.asin, mpf(1) / 6),
            zero,
            mpf("0.2501"),
            13,
        ),
        Polynomial("erf", "(erf x / x - 2/sqrt(pi)) / z, z = x^2", erf_rest, zero, mpf("0.25"), 7),
        Polynomial(
            "stirling",
            "(log gamma x - (x - 1/2) log x + x - log(2 pi)/2) x, z = 1/x^2",
            stirling_rest,
            zero,
            mpf(1) / 256,
            5,
        ),
        Polynomial("cbrt", "the cube root of x", lambda x: mp.cbrt(x), mpf(1), mpf(2), 4),
    ]


@frozen
class Pieces:
    """A function by its values and polynomials around several centres, of one degree."""

    name: str
    what: str
    function: Real
    centres: list[tuple[mpf, mpf]]
    """Centre and the largest distance from it."""
    degree: int


def pieces() -> list[Pieces]:
    def erfcx(x: mpf) -> mpf:
        return mp.exp(x * x) * mp.erfc(x)

    eighth = mpf(1) / (2 * ERFCX_PIECES)
    octaves = range(ERFCX_FIRST, ERFCX_FIRST + ERFCX_OCTAVES)
    erfcx_centres = [
        (mpf(2) ** e * (1 + (2 * i + 1) * eighth), mpf(2) ** e * eighth)
        for e in octaves
        for i in range(ERFCX_PIECES)
    ]
    half = mpf(1) / (2 * GAMMA_PIECES)
    gamma_centres = [((2 * i + 1) * half, half) for i in range(GAMMA_PIECES)]
    lgamma_centres = [(mpf(i) / 16, mpf(1) / 32) for i in range(LGAMMA_FIRST, LGAMMA_LAST + 1)]
    return [
        Pieces("erfcx", "exp(x^2) erfc x", erfcx, erfcx_centres, 10),
        Pieces("gamma", "gamma(1 + f)", lambda f: mp.gamma(1 + f), gamma_centres, 10),
        Pieces("lgamma", "log gamma(x)", mp.loggamma, lgamma_centres, 10),
    ]


def interpolate(f: Real, low: mpf, high: mpf, count: int) -> list[mpf]:
    """The coefficients, lowest first, of the polynomial through f at `count` Chebyshev points."""
    angles = [mp.pi * (k + mpf(1) / 2) / count for k in range(count)]
    middle, half = (low + high) / 2, (high - low) / 2
    values = [f(middle + half * mp.cos(angle)) for angle in angles]
    weights = [
        sum(v * mp.cos(j * a) for v, a in zip(values, angles, strict=True)) * 2 / count
        for j in range(count)
    ]
    weights[0] /= 2
    # T_(j+1) = 2 t T_j - T_(j-1), with t = (x - middle) / half, each in powers of x
    slope, offset = 1 / half, -middle / half
    before = [mpf(0)] * count
    current = [mpf(1)] + [mpf(0)] * (count - 1)
    total = [weights[0] * c for c in current]
    for j in range(1, count):
        by_t = [offset * c + (slope * current[i - 1] if i else 0) for i, c in enumerate(current)]
        factor = 1 if j == 1 else 2
        before, current = current, [factor * c - b for c, b in zip(by_t, before, strict=True)]
        total = [t + weights[j] * c for t, c in zip(total, current, strict=True)]
    return total


def piece_row(p: Pieces, centre: mpf, reach: mpf) -> tuple[float, ...]:
    """f(c) as hi + lo, then the coefficients of (f(c + u) - f(c)) / u, the first as hi + lo."""
    value = p.function(centre)

    def slope(u: mpf) -> mpf:
        if abs(u) < mpf(10) ** -30:
            return mp.diff(p.function, centre)
        return (p.function(centre + u) - value) / u

    coefficients = interpolate(slope, -reach, reach, p.degree)
    hi, lo = double_double(value)
    first, rest = double_double(coefficients[0])
    return (hi, lo, first, rest, *(float(c) for c in coefficients[1:]))


def evaluate(coefficients: list[float], x: mpf) -> mpf:
    total = mpf(0)
    for c in reversed(coefficients):
        total = total * x + mpf(c)
    return total


def fit(p: Polynomial) -> tuple[list[float], mpf]:
    """The coefficients, lowest first, as doubles, and the largest error seen with them."""
    doubles = [float(c) for c in interpolate(p.function, p.low, p.high, p.degree + 1)]
    worst = mpf(0)
    for i in range(401):
        x = p.low + (p.high - p.low) * i / 400
        value = evaluate(doubles, x)
        worst = max(worst, abs(value - p.function(x)))
    return doubles, worst


def horner(coefficients: list[float], variable: str) -> str:
    text = repr(coefficients[-1])
    for c in reversed(coefficients[:-1]):
        sign = "-" if c < 0 else "+"
        text = (
            f"({text}) * {variable} {sign} {abs(c)!r}"
            if " " in text
            else (f"{text} * {variable} {sign} {abs(c)!r}")
        )
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
        f"/* {p.what},",
        f"   on [{mp.nstr(p.low, 5)}, {mp.nstr(p.high, 5)}]: within {mp.nstr(worst, 2)}. */",
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
        ("TWO_OVER_SQRT_PI", 2 / mp.sqrt(mp.pi)),
        ("HALF_LN_TWO_PI", mp.log(2 * mp.pi) / 2),
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

/* A function around a centre c: value + u (slope + u (c[0] + u (...))), u = x - c. */
#define PIECE_COEFFICIENTS {max(p.degree for p in pieces()) - 1}
struct piece {{
    double hi;
    double lo;
    double slope_hi;
    double slope_lo;
    double c[PIECE_COEFFICIENTS];
}};

/* exp(x^2) erfc(x) in eighths of octaves from 2^ERFCX_FIRST on. */
#define ERFCX_FIRST ({ERFCX_FIRST})
#define ERFCX_OCTAVES {ERFCX_OCTAVES}
#define ERFCX_BITS {ERFCX_PIECES.bit_length() - 1}
extern const struct piece __hcc_erfcx_pieces[ERFCX_OCTAVES << ERFCX_BITS];

/* gamma(1 + f) for f in [0, 1): piece i about (i + 1/2)/GAMMA_PIECES. */
#define GAMMA_PIECES {GAMMA_PIECES}
extern const struct piece __hcc_gamma_pieces[GAMMA_PIECES];

/* log gamma(x): piece i about (i + LGAMMA_FIRST)/16. */
#define LGAMMA_FIRST {LGAMMA_FIRST}
#define LGAMMA_PIECES {LGAMMA_LAST - LGAMMA_FIRST + 1}
extern const struct piece __hcc_lgamma_pieces[LGAMMA_PIECES];

/* The bits of 2/pi behind the point, most significant word first. */
#define TWO_OVER_PI_WORDS {TWO_OVER_PI_WORDS}
extern const uint32_t __hcc_two_over_pi[TWO_OVER_PI_WORDS];

#endif
""")
    return "\n".join(out)


def tables_source() -> str:
    def rows(table: list[tuple[float, ...]]) -> str:
        return "\n".join("    {" + ", ".join(repr(v) for v in row) + "}," for row in table)

    def piece_rows(p: Pieces) -> str:
        out = []
        for centre, reach in p.centres:
            hi, lo, first, rest, *others = (repr(v) for v in piece_row(p, centre, reach))
            out.append("    {" + f"{hi}, {lo}, {first}, {rest},")
            out.append(wrap("{" + ", ".join(others) + "}},", "     "))
        return "\n".join(out)

    def piece_table(p: Pieces) -> str:
        head = f"/* {p.what} */\nconst struct piece __hcc_{p.name}_pieces[{len(p.centres)}] = {{"
        return f"{head}\n{piece_rows(p)}\n}};"

    tables = "\n\n".join(piece_table(p) for p in pieces())
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

{tables}

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
