"""Layers of SCALE-Sim 3 that no closed form describes: sparse filters and custom layouts.

The product is laid onto the array like any other; only what its elements' addresses are, in which
order they are prefetched and how SRAM banks conflict differs. So demands and orders are made
explicit (explicit.py) and the rest, writes and cycles, is the common path.
"""

from __future__ import annotations

from attrs import frozen

from hcc.isa.errors import FormatError

from .config import Banks, Compat, Config, Interface
from .dataflows import DATAFLOWS, Dataflow
from .explicit import (
    Demand,
    Sets,
    StreamDemand,
    bank_penalties,
    count_explicit_fetches,
    cut_sets,
    find_explicit_misses,
    line_span,
    prefetch_order,
)
from .layer import (
    Buffers,
    LayerResult,
    Simulation,
    calc_span,
    fold_means,
    ofmap_span,
    read_span,
    sizes_in_words,
    sram_counts,
    sram_spans,
)
from .layoutfile import Layout, filter_order, ifmap_order
from .operands import Ints
from .replay import ReadTimes, replay, replay_writes
from .sparsity import BlockDemand, SparseLayer, compress
from .streams import Plan
from .topology import Layer, gemm_layer
from .window import Fetch
from .writebuffer import WriteBuffer


@frozen(eq=False)
class Side:
    """One read buffer: its demand, its prefetch order, and the banks of a custom layout."""

    demand: Demand
    order: Ints
    banks: Banks | None


def _sides(
    config: Config,
    layer: Layer,
    plan: Plan,
    sparse: SparseLayer | None,
    flow: Dataflow,
    layouts: tuple[Layout, ...] | None,
) -> tuple[Side, Side]:
    ifmap: Demand
    filter_: Demand
    if sparse is None:
        ifmap, filter_ = StreamDemand(plan.ifmap), StreamDemand(plan.filter)
        orders = [prefetch_order(plan.ifmap), prefetch_order(plan.filter)]
    else:
        tables = sparse.ifmap.reshape(-1), sparse.filter.T.reshape(-1)
        filter_ = StreamDemand(plan.filter, tables[1])
        filter_prefetch = prefetch_order(plan.filter, tables[1])
        if sparse.row_wise:
            assert config.sparsity is not None
            ifmap = BlockDemand(sparse.ifmap, plan, config.sparsity.block_size)
            whole = gemm_layer(layer.name, layer.m, layer.n, layer.k)
            dense = flow.plan(whole, config.rows, config.cols, (0, 0, 0))
            orders = [prefetch_order(dense.ifmap, tables[0]), filter_prefetch]
        else:
            ifmap = StreamDemand(plan.ifmap, tables[0])
            orders = [prefetch_order(plan.ifmap, tables[0]), filter_prefetch]
    banks = [
        side if side is not None and side.custom else None
        for side in (config.ifmap_banks, config.filter_banks)
    ]
    if any(banks) and not layouts:
        raise FormatError("a custom layout is asked for and no layout file given (--layout)")
    if config.interface is Interface.CALC:
        # SCALE-Sim's CALC buffers know no layout.
        banks = [None, None]
    if banks[0] is not None and layouts:
        orders[0] = ifmap_order(layer, layouts[0], banks[0].bandwidth)
    if banks[1] is not None and layouts:
        orders[1] = filter_order(layer, layouts[0], banks[1].bandwidth, config.filter_offset)
    return Side(ifmap, orders[0], banks[0]), Side(filter_, orders[1], banks[1])


def _sets(side: Side, fetch: Fetch) -> Sets:
    return cut_sets(side.order, side.banks.bandwidth if side.banks else fetch.set_words)


def _run_buffers(
    config: Config,
    plan: Plan,
    sides: tuple[Side, Side],
    lines: tuple[int, int],
    writer: WriteBuffer,
) -> Buffers:
    compat = Compat.V3
    sizes = sizes_in_words(config)[:2]
    if config.interface is Interface.CALC:
        time = replay_writes(plan, writer, compat)
        fetched = (
            count_explicit_fetches(sides[0].demand, plan, sizes[0]),
            count_explicit_fetches(sides[1].demand, plan, sizes[1]),
        )
        dram = (
            calc_span(fetched[0], sizes[0], time, lines[0]),
            calc_span(fetched[1], sizes[1], time, lines[1]),
        )
        return Buffers(time, dram, fetched=fetched)
    times, misses, penalties = [], [], []
    for side, size, width in zip(sides, sizes, config.read_bandwidths(compat), strict=True):
        fetch = Fetch(size, width)
        sets = _sets(side, fetch)
        misses.append(find_explicit_misses(side.demand, plan, sets, fetch))
        times.append(
            ReadTimes(
                fetch,
                compat,
                fetch.first_lines(len(side.order)),
                strict_waits=side.banks is not None,
            )
        )
        penalties.append(bank_penalties(side.demand, plan, sets, side.banks) if side.banks else {})
    missed, reads = (misses[0], misses[1]), (times[0], times[1])
    time = replay(plan, missed, reads, writer, compat, (penalties[0], penalties[1]))
    return Buffers(time, (read_span(times[0]), read_span(times[1])), reads, missed)


def simulate_irregular(
    config: Config,
    layer: Layer,
    layouts: tuple[Layout, ...] | None = None,
    dataflow: Dataflow | None = None,
) -> Simulation:
    """Run one layer with sparsity or custom layouts, by the rules of SCALE-Sim 3."""
    flow = dataflow or DATAFLOWS[config.dataflow]
    offsets = (config.ifmap_offset, config.filter_offset, config.ofmap_offset)
    sparse = compress(config, layer, flow) if config.sparsity is not None else None
    plan = sparse.plan if sparse else flow.plan(layer, config.rows, config.cols, offsets)
    sides = _sides(config, layer, plan, sparse, flow, layouts)
    lines = line_span(sides[0].demand, plan), line_span(sides[1].demand, plan)
    writer = WriteBuffer(plan, sizes_in_words(config)[2], config.write_bandwidth())
    buffers = _run_buffers(config, plan, sides, (lines[0][0], lines[1][0]), writer)
    time = buffers.time
    mapping, compute = fold_means(plan)
    counts: tuple[float, float, float] = sram_counts(plan)
    if sparse is not None:
        counts = (sparse.ifmap_reads, counts[1], counts[2])
        if sparse.mapping_efficiency is not None:
            mapping = sparse.mapping_efficiency
    sram = sram_spans(plan, time, lines, counts)
    result = LayerResult(
        name=layer.name,
        compat=Compat.V3,
        macs=layer.macs,
        cells=config.rows * config.cols,
        total_cycles=time.last_ofmap_cycle,
        stall_cycles=time.stalls,
        mapping_efficiency=mapping,
        compute_utilisation=compute,
        sram_ifmap=sram[0],
        sram_filter=sram[1],
        sram_ofmap=sram[2],
        dram_ifmap=buffers.dram[0],
        dram_filter=buffers.dram[1],
        dram_ofmap=ofmap_span(writer, Compat.V3),
        storage=sparse.storage if sparse else None,
    )
    return Simulation(
        result,
        plan,
        buffers,
        writer,
        (sides[0].demand, sides[1].demand),
        (sides[0].order, sides[1].order),
    )
