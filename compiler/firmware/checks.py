"""What can be known to go wrong before a firmware runs.

LeBug checks almost nothing; its emulator fails late or wedges, and its hardware differs from
its emulator in ways nothing reports. The checks here say all of it beforehand. Errors are what
cannot run at all:

    address       a filter or cache row the machine does not have, or over one byte
    no-chains     no chain at all

Warnings are what runs and probably disappoints, in the emulator or on the published RTL:

    order             calls in another order than the hardware's blocks: the order has no effect
    repeated          an instruction twice in one chain: the last address wins, conditions add up
    no-block          an instruction for a block this machine leaves out: no effect
    never             a condition that can never hold
    packer-overflow   commits that do not add up to whole rows: the emulator never emits again,
                      the RTL emits misaligned rows
    cache-condition   a condition on v_cache: the RTL ignores it and always writes
    two-conditions    conditions on both frame signals: the RTL keeps the first one only
    hazard            a cache row read one slot after it was written, at another cache_addr: the
                      RTL reads the old row; or the forwarding path feeding a row not written
    axis-unfiltered   m_reduce without vv_filter: the RTL passes the vector through
    filter-unreduced  vv_filter without m_reduce: the RTL counts over all M ranges
    edge-group        a row's last upper edge: the RTL extrapolates it inside the row
    edge-sign         a range from below zero to zero or above: the RTL compares unsigned
    edge-infinite     an infinite edge: the RTL has no such word
    max-unsigned      vv_max of integers: the RTL compares unsigned
    one-lane          v_reduce with N = 1: the RTL's adder tree has no such size

Notes are facts to know: edges-unknown (filters used, edges not given), residue (rows may stay
partly filled, and are never flushed). Nothing here changes the firmware.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from hcc.isa.lebug.chain import Axis, Chain, Firmware, Op, condition_names, truth_table
from hcc.isa.lebug.fixedpoint import encode_value
from hcc.isa.lebug.instructions import INSTRUCTIONS
from hcc.isa.lebug.machine import Block, DataType, Machine

from .assemble import Compilation, Use
from .diagnostics import Diagnostic, FirmwareError, Severity, Span
from .packing import packer_findings

_ERROR, _WARNING, _NOTE = Severity.ERROR, Severity.WARNING, Severity.NOTE


def check(compilation: Compilation) -> list[Diagnostic]:
    """Everything found, in chain order; the list is empty for a firmware with nothing to say."""
    firmware = compilation.firmware
    found: list[Diagnostic] = []
    if not firmware.chains:
        found.append(
            Diagnostic(_ERROR, "no-chains", 0, "the firmware has no chain: it cannot be run")
        )
    for index, chain in enumerate(firmware.chains):
        uses = compilation.uses[index] if index < len(compilation.uses) else ()
        spans = {use.name: use.span for use in uses}
        found += _check_addresses(index + 1, chain, firmware.machine, spans)
        found += _check_calls(index + 1, uses, firmware.machine)
        found += _check_conditions(index + 1, chain, spans)
        found += _check_filter(index + 1, chain, firmware, spans)
        found += _check_numbers(index + 1, chain, firmware.machine, spans)
        found += _check_hazard(index, firmware.chains, spans)
    found += packer_findings(firmware, compilation.uses)
    if firmware.edges is None and any(chain.filter for chain in firmware.chains):
        message = "filter edges are not given: ranges cannot be checked against the hardware's"
        found.append(Diagnostic(_NOTE, "edges-unknown", 0, message))
    return sorted(found, key=lambda d: d.chain or len(firmware.chains) + 1)


def require(found: Sequence[Diagnostic]) -> None:
    """Raise FirmwareError for the first error among findings."""
    for diagnostic in found:
        if diagnostic.severity is _ERROR:
            chain = f"chain {diagnostic.chain}: " if diagnostic.chain else ""
            raise FirmwareError(f"{chain}{diagnostic.message}", diagnostic.span)


Spans = dict[str, Span | None]

_ALU_NAMES = {Op.ADD: "vv_add", Op.MUL: "vv_mul", Op.SUB: "vv_sub", Op.MAX: "vv_max"}


def _check_addresses(
    number: int, chain: Chain, machine: Machine, spans: Spans
) -> Iterator[Diagnostic]:
    for name, used, address, rows, memory in (
        ("vv_filter", chain.filter, chain.filter_addr, machine.fuvrf_size, "FUVRF_SIZE"),
        (
            _ALU_NAMES.get(chain.op, ""),
            chain.op is not Op.PASS,
            chain.addr,
            machine.vvvrf_size,
            "VVVRF_SIZE",
        ),
        ("v_cache", chain.cache, chain.cache_addr, machine.vvvrf_size, "VVVRF_SIZE"),
    ):
        if not used:
            continue
        if not 0 <= address < rows:
            message = f"{name} uses row {address}, and {memory} is {rows} (rows 0 to {rows - 1})"
            yield Diagnostic(_ERROR, "address", number, message, spans.get(name))
        elif address > 255:
            message = f"{name} uses row {address}: the hardware's address field is one byte"
            yield Diagnostic(_ERROR, "address", number, message, spans.get(name))


def _check_calls(number: int, uses: Sequence[Use], machine: Machine) -> Iterator[Diagnostic]:
    order = {block: position for position, block in enumerate(machine.blocks)}
    names = ", ".join(block.value for block in machine.blocks)
    furthest: Use | None = None
    seen: set[str] = set()
    group: dict[Block, str] = {}
    for use in uses:
        block = INSTRUCTIONS[use.name].block
        if block not in order:
            message = f"{use.name} has no effect: the machine has no {block.value}"
            yield Diagnostic(_WARNING, "no-block", number, message, use.span)
            continue
        if furthest is not None:
            before = INSTRUCTIONS[furthest.name].block
            if order[block] < order[before]:
                message = (
                    f"{use.name} is called after {furthest.name}, but the hardware runs it "
                    f"before (order: {names}); the order of calls has no effect"
                )
                yield Diagnostic(_WARNING, "order", number, message, use.span)
                continue
        furthest = use
        is_alu = use.name in _ALU_NAMES.values()
        if use.name in seen or (is_alu and block in group):
            earlier = group.get(block, use.name) if is_alu else use.name
            message = (
                f"{use.name} after {earlier} in one chain: the last call's operation and operand "
                "win, conditions of all of them are required"
            )
            yield Diagnostic(_WARNING, "repeated", number, message, use.span)
        seen.add(use.name)
        if is_alu:
            group[block] = use.name


def _check_conditions(number: int, chain: Chain, spans: Spans) -> Iterator[Diagnostic]:
    alu = _ALU_NAMES.get(chain.op, "")
    for name, bits in ((alu, chain.cond), ("v_cache", chain.cache_cond),
                       ("v_commit", chain.commit_cond)):  # fmt: skip
        names = condition_names(bits)
        if not bits or not name:
            continue
        if truth_table(bits) == 0:
            message = f"{name}: {' and '.join(names)} can never hold together"
            yield Diagnostic(_WARNING, "never", number, message, spans.get(name))
        if name == "v_cache":
            message = (
                f"v_cache under {' and '.join(names)}: the published RTL ignores the condition "
                "of a cache write and always writes"
            )
            yield Diagnostic(_WARNING, "cache-condition", number, message, spans.get(name))
        elif len(names) > 1:
            message = (
                f"{name} under {' and '.join(names)}: the published RTL keeps one condition, "
                f"{names[0]}, and drops {' and '.join(names[1:])}"
            )
            yield Diagnostic(_WARNING, "two-conditions", number, message, spans.get(name))


def _check_filter(
    number: int, chain: Chain, firmware: Firmware, spans: Spans
) -> Iterator[Diagnostic]:
    if chain.axis is not Axis.NONE and not chain.filter:
        message = (
            f"m_reduce('{chain.axis.name}') without vv_filter: the published RTL ignores the "
            "axis and passes the vector through"
        )
        yield Diagnostic(_WARNING, "axis-unfiltered", number, message, spans.get("m_reduce"))
    if not chain.filter:
        return
    span = spans.get("vv_filter")
    if chain.axis is Axis.NONE:
        message = (
            "vv_filter without m_reduce gives the indicator of the row's first range; the "
            "published RTL counts each lane over all M ranges, as m_reduce('N') does"
        )
        yield Diagnostic(_WARNING, "filter-unreduced", number, message, span)
    machine, edges = firmware.machine, firmware.edges
    if edges is None or chain.filter_addr >= machine.fuvrf_size:
        return
    yield from _check_edges(number, chain.filter_addr, machine, edges, span)


def _check_edges(
    number: int, row: int, machine: Machine, edges: Sequence[float], span: Span | None
) -> Iterator[Diagnostic]:
    m, base = machine.m, row * machine.m
    low = [edges[base + j] for j in range(m)]
    with np.errstate(invalid="ignore"):
        values = np.array([*edges, 0.0])
        values[-1] = values[-2] + (values[-2] - values[-3 if len(edges) > 1 else -2])
    high = [float(values[base + j + 1]) for j in range(m)]
    infinite = [edge for edge in low if np.isinf(edge)]
    if infinite:
        message = (
            f"filter row {row} has the edge {infinite[0]:g}: the hardware's largest value "
            "stands for it"
        )
        yield Diagnostic(_WARNING, "edge-infinite", number, message, span)
    step = 1 / (1 << machine.data_width // 2)
    lsb = 1.0 if machine.data_type is DataType.INT else step
    with np.errstate(invalid="ignore"):
        taken = low[0] + lsb if m == 1 else float(np.float64(low[-1]) + low[1] - low[0])
    if taken != high[-1] and not infinite:
        rule = "its own lower edge + 1 unit" if m == 1 else "its own row's first step"
        message = (
            f"the last range of filter row {row} ends at {high[-1]:g}; the published RTL takes "
            f"{rule} and ends it at {taken:g}"
        )
        yield Diagnostic(_WARNING, "edge-group", number, message, span)
    for lower, upper in zip(low, high, strict=True):
        if lower < 0 <= upper and encode_value(lower, machine.data_width) > 0:
            message = (
                f"filter row {row} has the range ({lower:g}, {upper:g}]: the published RTL "
                "compares unsigned, and a range from below zero to zero or above never matches"
            )
            yield Diagnostic(_WARNING, "edge-sign", number, message, span)
            return


def _check_numbers(
    number: int, chain: Chain, machine: Machine, spans: Spans
) -> Iterator[Diagnostic]:
    if chain.op is Op.MAX and machine.data_type is DataType.INT:
        message = "vv_max of integers: the published RTL compares unsigned (-1 is the largest)"
        yield Diagnostic(_WARNING, "max-unsigned", number, message, spans.get("vv_max"))
    if chain.reduce and machine.n == 1:
        message = "v_reduce with N = 1: the published RTL's adder tree needs two lanes or more"
        yield Diagnostic(_WARNING, "one-lane", number, message, spans.get("v_reduce"))


def _check_hazard(index: int, chains: Sequence[Chain], spans: Spans) -> Iterator[Diagnostic]:
    """The slot before a chain is the chain before it; before the first, the last one's."""
    chain, before = chains[index], chains[index - 1]
    if chain.op is Op.PASS or not before.cache:
        return
    previous = (index - 1) % len(chains) + 1
    name = _ALU_NAMES[chain.op]
    forwarded = before.cache_addr == chain.cache_addr
    if before.cache_addr == chain.addr and not forwarded:
        message = (
            f"{name} reads cache row {chain.addr}, which chain {previous} wrote one slot before: "
            f"the published RTL reads the old row, as this chain's own cache address is "
            f"{chain.cache_addr}"
        )
    elif before.cache_addr != chain.addr and forwarded:
        message = (
            f"{name} reads cache row {chain.addr}, but the published RTL forwards row "
            f"{before.cache_addr}, which chain {previous} wrote one slot before, because this "
            f"chain's own cache address is {chain.cache_addr} too"
        )
    else:
        return
    yield Diagnostic(_WARNING, "hazard", index + 1, message, spans.get(name))
