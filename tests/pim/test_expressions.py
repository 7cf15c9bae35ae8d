"""Random element-wise expressions: whatever a microkernel is found for agrees with numpy."""

from __future__ import annotations

import random
from collections.abc import Mapping

import numpy as np
import pytest
from numpy.typing import NDArray

from hcc.compiler.pim import elementwise, pimsys
from hcc.compiler.pim.expressions import Add, Array, Expr, Mul, Relu, Scalar, subtract
from hcc.compiler.pim.select import DoesNotFit
from hcc.isa.pim import Dialect, check
from hcc.runtime.pim.bench import same
from hcc.runtime.pim.plan import run_plan

Half = NDArray[np.float16]
Value = Half | np.float16


def evaluate(expr: Expr, values: Mapping[str, Half]) -> Value:
    """An expression in numpy's float16, operation by operation."""
    match expr:
        case Array(name):
            return values[name]
        case Scalar(name, value):
            return values[name] if value is None else np.float16(value)
        case Add(left, right):
            return evaluate(left, values) + evaluate(right, values)
        case Mul(left, right):
            return evaluate(left, values) * evaluate(right, values)
        case Relu(operand):
            inner = evaluate(operand, values)
            return np.where(np.signbit(inner), np.float16(0), inner)


def random_leaf(rng: random.Random) -> Expr:
    if rng.random() < 0.3:
        if rng.random() < 0.4:
            return Scalar(value=rng.choice([0.5, -2.0, 3.0]))
        return Scalar(rng.choice("st"))
    return Array(rng.choice("abcd"))


def random_expression(rng: random.Random, depth: int) -> Expr:
    if depth == 0 or rng.random() < 0.15:
        return random_leaf(rng)
    left, right = random_expression(rng, depth - 1), random_expression(rng, depth - 1)
    match rng.randrange(6):
        case 0:
            return Relu(left)
        case 1:
            return subtract(left, right)
        case 2 | 3:
            return Add(left, right)
    return Mul(left, right)


def compare(rounds: int) -> dict[Dialect, int]:
    """Compile and run so many expressions; how many found a microkernel."""
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    rng, numbers = random.Random(seed), np.random.default_rng(seed)
    found = dict.fromkeys(Dialect, 0)
    for _ in range(rounds):
        expr = random_expression(rng, rng.randrange(1, 5))
        size = rng.choice([1, 130, 2048, 3000])
        values = {name: numbers.standard_normal(size).astype(np.float16) for name in "abcd"}
        values |= {name: np.float16(numbers.standard_normal()) for name in "st"}
        for dialect, compiler in (
            (Dialect.SAMSUNG, elementwise.compile_expression),
            (Dialect.PIMSYS, pimsys.compile_expression),
        ):
            try:
                plan = compiler(expr, size, rng.randrange(1, 4))
            except DoesNotFit:
                continue
            found[dialect] += 1
            assert [] == check(plan.program, dialect)
            with np.errstate(all="ignore"):
                want = np.asarray(evaluate(expr, values), np.float16)
            assert same(want, run_plan(plan, values)[0]), expr
    return found


def test_random_expressions_agree_with_numpy() -> None:
    found = compare(60)

    assert all(count > 20 for count in found.values())


@pytest.mark.long
def test_many_random_expressions_agree_with_numpy() -> None:
    compare(1500)
