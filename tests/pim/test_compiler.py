"""`__pim` functions of any size against numpy's float16, in both dialects; what is refused."""

from __future__ import annotations

import random
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from hcc.compiler.diagnostics import CompileError
from hcc.compiler.kernelc import FrontEndOptions
from hcc.compiler.pim import pimsys
from hcc.compiler.pim.functions import steps
from hcc.compiler.pim.recognise import PimFunction
from hcc.compiler.pim.select import DoesNotFit
from hcc.compiler.pim.sources import pim_functions
from hcc.isa.pim import Dialect, check, format_instruction
from hcc.runtime.pim.bench import same
from hcc.runtime.pim.plan import run_steps

from .golden import golden

Half = NDArray[np.float16]

SOURCE = """
#include <hcc/pim.h>
typedef _Float16 half;
__pim void add(int n, const half *a, const half *b, half *y)
{ for (int i = 0; i < n; i++) y[i] = a[i] + b[i]; }
__pim void sub(long n, const half *a, const half *b, half *y)
{ for (long i = 0; i < n; ++i) { y[i] = a[i]; y[i] -= b[i]; } }
__pim void mul(unsigned n, const half *a, const half *b, half *y)
{ for (unsigned i = 0; n > i; i += 1) y[i] = (float)a[i] * (float)b[i]; }
__pim void axpy(int n, float s, const half *a, const half *b, half *y)
{ for (int i = 0; i < n; i++) y[i] = (half)s * a[i] + b[i]; }
__pim void relu(int n, const half *a, half *y)
{ for (int i = 0; i < n; i++) y[i] = 0 < a[i] ? a[i] : 0; }
__pim void affine(int n, half s, half t, const half *a, half *y)
{ for (int i = 0; i < n; i++) y[i] = s * a[i] + t; }
__pim void mixed(int n, half s, half t, const half *a, const half *b, const half *c, half *y)
{ for (int i = 0; i < n; i++) { half u = a[i] * b[i] + c[i]; y[i] = u * s + t - (a[i] - c[i]) * b[i]; } }
__pim void deep(int n, half s, const half *a, const half *b, const half *c, half *y)
{ for (int i = 0; i < n; i++)
    y[i] = (a[i] + b[i]) * (b[i] + c[i]) * ((a[i] + c[i]) * (a[i] * b[i] + 2)) * s; }
__pim void clamp(int n, half s, const half *a, const half *b, half *y)
{ for (int i = 0; i < n; i++) y[i] = hcc_relu(hcc_relu(a[i] - b[i]) * s + b[i]); }
__pim void gemv(int m, int n, const half *w, const half *x, half *y)
{ for (int r = 0; r < m; r++) { half s = 0; for (int c = 0; c < n; c++) s += w[r * n + c] * x[c]; y[r] = s; } }
"""  # noqa: E501

NETWORK = """
#include <hcc/pim.h>
__pim void layer(int m, int n, const _Float16 *w, const _Float16 *x, _Float16 *y)
{
    for (int r = 0; r < m; r++) {
        float sum = 0;
        for (int c = 0; c < n; c++)
            sum += (float)w[n * r + c] * x[c];
        y[r] = sum > 0 ? sum : 0;
    }
}
"""


def functions(text: str, folder: Path) -> dict[str, PimFunction]:
    path = folder / "kernels.c"
    path.write_text(text)
    return {f.name: f for f in pim_functions(path, FrontEndOptions())}


def expected(name: str, v: dict[str, Half]) -> Half:
    """The kernels of SOURCE in numpy's float16."""
    zero = np.float16(0)

    def relu(x: Half) -> Half:
        return np.where(np.signbit(x), zero, x)

    a, b, c, s, t = (v[n] for n in "abcst")
    match name:
        case "add":
            return a + b
        case "sub":
            return a - b
        case "mul":
            return a * b
        case "axpy":
            return s * a + b
        case "relu":
            return relu(a)
        case "affine":
            return s * a + t
        case "mixed":
            return (a * b + c) * s + t - (a - c) * b
        case "deep":
            return (a + b) * (b + c) * ((a + c) * (a * b + np.float16(2))) * s
    return relu(relu(a - b) * s + b)


ELEMENTWISE = ["add", "sub", "mul", "axpy", "relu", "affine", "mixed", "deep", "clamp"]


def check_kernel(
    function: PimFunction, dialect: Dialect, size: int, channels: int, rng: np.random.Generator
) -> None:
    values: dict[str, Half] = {n: rng.standard_normal(size).astype(np.float16) for n in "abcy"}
    values |= {n: np.float16(rng.standard_normal()) for n in "st"}
    made = steps(function, {"n": size}, channels, dialect)
    for step in made:
        assert [] == check(step.plan.program, dialect)
    want = expected(function.name, values)

    assert same(want, run_steps(made, values).arrays["y"]), f"{size} elements, {channels} channels"


def check_product(
    function: PimFunction, dialect: Dialect, shape: tuple[int, int], channels: int,
    rng: np.random.Generator,
) -> None:  # fmt: skip
    """Small integers, whose sums are exact in any order."""
    w = rng.integers(-2, 3, shape).astype(np.float16)
    x = rng.integers(-2, 3, shape[1]).astype(np.float16)
    made = steps(function, {"m": shape[0], "n": shape[1]}, channels, dialect)
    for step in made:
        assert [] == check(step.plan.program, dialect)
    want = (w.astype(np.float64) @ x.astype(np.float64)).astype(np.float16)

    got = run_steps(made, {"w": w, "x": x}).arrays["y"]
    assert np.array_equal(want, got), f"{shape}, {channels} channels"


@pytest.mark.parametrize("dialect", list(Dialect))
def test_every_kernel_at_awkward_sizes(dialect: Dialect, tmp_path: Path) -> None:
    known = functions(SOURCE, tmp_path)
    rng = np.random.default_rng(6)
    for name in ELEMENTWISE:
        if (name, dialect) == ("clamp", Dialect.PIMSYS):
            continue  # ReLU inside an expression
        for size, channels in ((1, 1), (16, 3), (2049, 1), (4097, 2)):
            check_kernel(known[name], dialect, size, channels, rng)
    for shape, channels in (((1, 1), 1), ((64, 128), 1), ((65, 129), 2), ((17, 400), 4)):
        check_product(known["gemv"], dialect, shape, channels, rng)


@pytest.mark.long
@pytest.mark.parametrize("dialect", list(Dialect))
def test_random_sizes_agree_with_numpy(dialect: Dialect, tmp_path: Path) -> None:
    known = functions(SOURCE, tmp_path)
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    rng = np.random.default_rng(seed)
    for _ in range(20):
        for name in ELEMENTWISE:
            if (name, dialect) == ("clamp", Dialect.PIMSYS):
                continue
            size, channels = int(rng.integers(1, 5001)), int(rng.integers(1, 9))
            check_kernel(known[name], dialect, size, channels, rng)
        for _ in range(2):
            shape = (int(rng.integers(1, 1500)), int(rng.integers(1, 1500)))
            check_product(known["gemv"], dialect, shape, int(rng.integers(1, 9)), rng)


@pytest.mark.parametrize("dialect", list(Dialect))
@pytest.mark.parametrize("size", [(5000, 40), (30, 5000)])
def test_products_with_a_side_of_5000(
    dialect: Dialect, size: tuple[int, int], tmp_path: Path
) -> None:
    known = functions(SOURCE, tmp_path)
    check_product(known["gemv"], dialect, size, 4, np.random.default_rng(6))


@pytest.mark.parametrize("dialect", list(Dialect))
def test_five_layer_network_agrees_with_its_model(dialect: Dialect, tmp_path: Path) -> None:
    layer = functions(NETWORK, tmp_path)["layer"]
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    rng = np.random.default_rng(seed)
    widths = [int(n) for n in rng.integers(20, 300, 6)]
    x = rng.integers(0, 3, widths[0]).astype(np.float16)
    want = x
    for inputs, outputs in pairwise(widths):
        # Weights that keep every sum a small multiple of 1/4, exact in any order.
        w = np.zeros((outputs, inputs), np.float16)
        for row in w:
            row[rng.integers(0, inputs, 4)] = rng.choice([-0.5, 0.5, 1.0], 4)
        made = steps(layer, {"m": outputs, "n": inputs}, 2, dialect)
        x = run_steps(made, {"w": w, "x": x}).arrays["y"]
        sums = w.astype(np.float64) @ want.astype(np.float64)
        want = np.maximum(sums, 0).astype(np.float16)

        assert np.array_equal(want, x)


def test_published_gemv_microkernel() -> None:
    plan = pimsys.gemv(16, 128, 2)
    published = golden()["thesis_gemv"]
    written = [format_instruction(i, Dialect.PIMSYS).replace(" #0", "") for i in plan.program]

    assert [line.replace(" #0", "") for line in published["asm"]] == written
    assert published["triggers_per_pch"] == len(plan.accesses)
    assert published["total_memory_requests"] == len(plan.accesses) * plan.channels


REFUSALS = [
    ("for (int i = 0; i < n; i++) y[i] = a[i + 1];", "indexed by something else"),
    ("for (int i = 0; i < n; i++) y[i] = a[i] / b[i];", "do not compute '/'"),
    ("for (int i = 0; i < n; i++) y[i] = a[i] * 0.1;", "0.1 is no _Float16"),
    ("for (int i = 0; i < n; i++) y[i] = (float)a[i] * b[i] + b[i];", "without rounding"),
    ("for (int i = 1; i < n; i++) y[i] = a[i];", "starts at 0"),
    ("for (int i = 0; i < n; i += 2) y[i] = a[i];", "counts up by 1"),
    ("for (int i = 0; i <= n; i++) y[i] = a[i];", "while its counter is below"),
    ("for (int i = 0; i < n; i++) y[i] = a[i] > 1 ? a[i] : 0;", "ReLU only"),
    ("for (int i = 0; i < n; i++) y[i] = a[i] >= 0 ? a[i] : 0;", "write x > 0 ? x : 0 or x <= 0"),
    ("for (int i = 0; i < n; i++) y[i] = a[i] < 0 ? 0 : a[i];", "leaves -0.0 as it is"),
    ("for (int i = 0; i < n; i++) y[i] = 0 <= a[i] ? a[i] : 0;", "leaves -0.0 as it is"),
    ("for (int i = 0; i < n; i++) y[i] = 0 > a[i] ? 0 : a[i];", "leaves -0.0 as it is"),
    ("for (int i = 0; i < n; i++) y[i] = a[i] > 0 ? a[i] : (_Float16)-0.0;", "ReLU only"),
    ("for (int i = 0; i < n; i++) if (n) y[i] = a[i];", "consists of assignments"),
    ("while (n) n--;", "written 'for"),
    ("n = 3;", "only counted loops"),
    (";", "has no loop"),
    ("for (int i = 0; i < n; i++) for (int j = 0; j < n; j++) y[i] += a[i * 7 + j] * b[j];",
     "set to zero before"),
    ("for (int i = 0; i < n; i++) { _Float16 s = 0; for (int j = 0; j < n; j++) "
     "s += a[i * 7 + j] * b[j]; y[i] = s; }", "a matrix whose rows have n elements"),
]  # fmt: skip


@pytest.mark.parametrize(("body", "said"), REFUSALS)
def test_refusals_name_place_and_reason(body: str, said: str, tmp_path: Path) -> None:
    head = "void f(int n, _Float16 *a, _Float16 *b, _Float16 *y)"
    with pytest.raises(CompileError, match=r"kernels.c:1:\d+: error: __pim: ") as refused:
        functions(f"__pim {head} {{ {body} }}", tmp_path)
    assert said in str(refused.value)


@pytest.mark.parametrize(
    "value",
    [
        "a[i] > 0 ? a[i] : 0",
        "a[i] <= 0 ? 0 : a[i]",
        "0 < a[i] ? a[i] : 0",
        "0 >= a[i] ? 0 : a[i]",
    ],
)
def test_every_way_to_write_relu(value: str, tmp_path: Path) -> None:
    head = "__pim void relu(int n, const _Float16 *a, _Float16 *y)"
    loop = f"for (int i = 0; i < n; i++) y[i] = {value};"
    function = functions(f"{head} {{ {loop} }}", tmp_path)["relu"]
    a = np.array([-0.0, 0.0, -1.5, 1.5, -6e-8, 6e-8, -np.inf, np.inf], np.float16)
    made = steps(function, {"n": a.size}, 1, Dialect.SAMSUNG)
    got = run_steps(made, {"a": a, "y": a}).arrays["y"]

    assert expected("relu", dict.fromkeys("abcst", a)).tobytes() == got.tobytes()


def test_what_does_not_fit_the_registers_is_refused(tmp_path: Path) -> None:
    terms = " + ".join(f"(a[i] + {n}) * (b[i] + {n})" for n in range(1, 12))
    text = (
        "__pim void f(int n, _Float16 *a, _Float16 *b, _Float16 *y)"
        f"{{ for (int i = 0; i < n; i++) y[i] = {terms}; }}"
    )
    function = functions(text, tmp_path)["f"]
    for dialect in Dialect:
        with pytest.raises(DoesNotFit, match="the command file holds 32"):
            steps(function, {"n": 100}, 1, dialect)


def test_sizes_beyond_the_memory_are_refused(tmp_path: Path) -> None:
    from hcc.isa.errors import HccError

    known = functions(SOURCE, tmp_path)
    with pytest.raises(HccError, match="units reach 4096"):
        steps(known["add"], {"n": 1 << 24}, 1, Dialect.SAMSUNG)
    with pytest.raises(HccError, match="does not fit the banks of 1 channel"):
        steps(known["gemv"], {"m": 10000, "n": 10000}, 1, Dialect.SAMSUNG)
