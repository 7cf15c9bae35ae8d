"""From a recognised `__pim` function and the values of its sizes to plans, one a loop."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from attrs import evolve, frozen

from hcc.isa.errors import HccError
from hcc.isa.pim import Dialect
from hcc.isa.pim.plan import Half, Plan, RowReader

from . import elementwise, matvec, pimsys
from .expressions import arrays
from .recognise import ElementLoop, PimFunction, ProductLoop, Size


@frozen
class Step:
    """One loop planned: which array it makes out of which."""

    plan: Plan
    result: str
    operands: tuple[str, ...]


def steps(
    function: PimFunction, sizes: Mapping[str, int], channels: int, dialect: Dialect
) -> list[Step]:
    """The plans of a function's loops, in order; DoesNotFit or HccError says why there are none.
    Loops that run to 0 are left out."""

    def value(size: Size) -> int:
        return sizes[size.name] if size.name else size.value

    missing = [name for name in function.sizes if name not in sizes]
    if missing:
        raise HccError(f"'{function.name}': the size '{missing[0]}' has no value")
    found = []
    for loop in function.loops:
        if isinstance(loop, ElementLoop):
            if value(loop.size):
                plan = _elementwise(loop, value(loop.size), channels, dialect)
                found.append(Step(plan, loop.result, tuple(arrays(loop.expr))))
        elif value(loop.outputs) and value(loop.inputs):
            plan = _product(loop, value(loop.outputs), value(loop.inputs), channels, dialect)
            found.append(Step(plan, loop.result, (loop.matrix, loop.vector)))
    return found


def _elementwise(loop: ElementLoop, size: int, channels: int, dialect: Dialect) -> Plan:
    if dialect is Dialect.SAMSUNG:
        return elementwise.compile_expression(loop.expr, size, channels, result=loop.result)
    return pimsys.compile_expression(loop.expr, size, channels, result=loop.result)


def _product(loop: ProductLoop, outputs: int, inputs: int, channels: int, dialect: Dialect) -> Plan:
    operands = (loop.matrix, loop.vector, loop.result)
    if dialect is Dialect.SAMSUNG:
        plan = matvec.gemv(outputs, inputs, channels, operands=operands)
    else:
        plan = pimsys.gemv(outputs, inputs, channels, operands=operands)
    if not loop.relu:
        return plan
    unpack = plan.unpack

    def with_relu(reader: RowReader) -> Half:
        result = unpack(reader)
        return np.where(np.signbit(result), np.float16(0), result)

    return evolve(plan, unpack=with_relu, note=plan.note + " and applies ReLU")
