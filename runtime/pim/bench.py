"""One kernel run with values and cycles: what `hcc pim bench` and `hcc bench pim` measure."""

from __future__ import annotations

import time

import numpy as np
from attrs import field, frozen
from numpy.typing import NDArray

from hcc.compiler.pim import matvec, vendor
from hcc.compiler.pim.elementwise import compile_expression
from hcc.compiler.pim.expressions import Add, Array, Expr, Mul, Relu
from hcc.emulator.pim.machine import Machine, Schedule, Timing
from hcc.emulator.pim.specification import SAMSUNG_HBM2, MemorySpec
from hcc.isa.errors import HccError
from hcc.isa.numerals import whole
from hcc.isa.pim.plan import Plan
from hcc.runtime.pim import model

Half = NDArray[np.float16]

KERNELS = ("gemv", "add", "mul", "relu")
# The reference's memory of 32 GiB: 64 channels of two ranks of 256 MiB.
_TWO_RANKS_FROM = 64
_EXPRESSIONS: dict[str, Expr] = {
    "add": Add(Array("a"), Array("b")),
    "mul": Mul(Array("a"), Array("b")),
    "relu": Relu(Array("a")),
}


@frozen
class Outcome:
    """A kernel's run. `seconds` is the host's time for packing-free emulation: the timing and
    the values of all channels. `checked` is None if the values were not compared."""

    plan: Plan
    timing: Timing
    values: Half = field(repr=False)
    seconds: float
    checked: bool | None = None


def parse_shape(kernel: str, text: str) -> tuple[int, ...]:
    """`4096x4096` for gemv, a number of elements for the others."""
    sizes = [whole(part) for part in text.lower().split("x")]
    shape = tuple(size for size in sizes if size is not None and size > 0)
    wanted = 2 if kernel == "gemv" else 1
    if len(sizes) != wanted or len(shape) != wanted:
        form = "OUTPUTSxINPUTS such as 4096x4096" if wanted == 2 else "a number of elements"
        raise HccError(f"'{text[:40]}' is no shape of {kernel}, which takes {form}")
    return shape


def make_plan(kernel: str, shape: tuple[int, ...], channels: int, schedule: Schedule) -> Plan:
    """The vendor's plan for the reference schedule, the compiler's for hcc's."""
    if channels < 1:
        raise HccError(f"{channels} channels")
    if schedule is Schedule.REFERENCE:
        if kernel == "gemv":
            return vendor.gemv(shape[0], shape[1], channels)
        return vendor.elementwise(kernel, shape[0], channels)
    if kernel == "gemv":
        return matvec.gemv(shape[0], shape[1], channels)
    return compile_expression(_EXPRESSIONS[kernel], shape[0], channels, name=kernel)


def default_ranks(channels: int) -> int:
    """The ranks of a channel in the reference's figures for so many channels."""
    return 2 if channels >= _TWO_RANKS_FROM else 1


def inputs(kernel: str, shape: tuple[int, ...], seed: int) -> dict[str, Half]:
    """Operands, made from a seed."""
    rng = np.random.default_rng(seed)

    def make(*dimensions: int) -> Half:
        return (rng.standard_normal(dimensions, np.float32) / 2).astype(np.float16)

    if kernel == "gemv":
        return {"w": make(*shape), "x": make(shape[1])}
    return {name: make(*shape) for name in ("a", "b")[: 1 if kernel == "relu" else 2]}


def run(
    kernel: str, shape: tuple[int, ...], channels: int, schedule: Schedule, *,
    ranks: int | None = None, spec: MemorySpec = SAMSUNG_HBM2, seed: int = 1, check: bool = True,
) -> Outcome:  # fmt: skip
    """Run a kernel on random operands; every channel computes, one channel's timing is all's."""
    if kernel not in KERNELS:
        raise HccError(f"no kernel is called '{kernel}'; there are {', '.join(KERNELS)}")
    plan = make_plan(kernel, shape, channels, schedule)
    try:
        values = inputs(kernel, shape, seed)
        packed = plan.pack(values)
    except MemoryError:
        raise HccError(f"the operands of {kernel} do not fit this machine's memory") from None
    machine = Machine(plan.channels, schedule, spec, default_ranks(channels) if ranks is None
                      else ranks)  # fmt: skip
    machine.load(packed.rows)
    begin = time.perf_counter()
    timing = machine.run(plan.accesses, plan.constants, packed.streams)
    result = plan.unpack(machine.device.banks.row)
    seconds = time.perf_counter() - begin
    checked = agrees(kernel, values, result, schedule, channels) if check else None
    return Outcome(plan, timing, result, seconds, checked)


def agrees(
    kernel: str, values: dict[str, Half], result: Half, schedule: Schedule, channels: int
) -> bool:
    """Whether the values are, bit for bit, what numpy computes."""
    if kernel == "gemv":
        w, x = values["w"], values["x"]
        if schedule is Schedule.REFERENCE:
            want = model.accumulate(w, x, model.reference_order(w.shape[1]))
        else:
            want = model.product(w, x, matvec.choose(w.shape[0], w.shape[1], channels))
    else:
        want = model.elementwise(kernel, values["a"], values.get("b"))
    return same(want, result)


def same(want: Half, got: Half) -> bool:
    """Equal bits; any NaN equals any other."""
    if want.shape != got.shape:
        return False
    equal = want.view(np.uint16) == got.view(np.uint16)
    return bool(np.all(equal | (np.isnan(want) & np.isnan(got))))
