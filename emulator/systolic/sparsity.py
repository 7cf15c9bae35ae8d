"""N:M sparse filters as SCALE-Sim 3 models them.

*Layer-wise*: the first N of every M window words are kept in all filters. Filters shrink to the
kept words; input columns whose weight is gone are dropped; in ws every input read is counted
M/N times (a block of inputs is shared by M/N rows). *Row-wise* (ws only): every filter keeps a
random N of 1..M/2 words of each block of M = BlockSize; two blocks are packed into one, so that
K halves, and every cell row is fed a whole block of inputs.

Addresses of removed weights are 0 in SCALE-Sim's matrices, which it then takes for "nothing
there"; a filter at offset 0 therefore loses its first word. That is kept.
"""

from __future__ import annotations

import math

import numpy as np
from attrs import frozen

from hcc.isa.errors import UnsupportedError

from .config import Config, Sparsity
from .dataflows import Dataflow
from .operands import Dim, Ints, operands
from .streams import Plan
from .topology import Layer, gemm_layer


@frozen
class Storage:
    """Filter storage of a sparse layer, in words."""

    original: int
    compressed: float
    metadata: float


@frozen(eq=False)
class SparseLayer:
    """A compressed layer: the plan of its product, the address of every element of its operands
    (ifmap M x K', filter K' x N), and what the reports need."""

    plan: Plan
    ifmap: Ints
    filter: Ints
    storage: Storage
    ifmap_reads: float
    mapping_efficiency: float | None
    row_wise: bool


def _dense(layer: Layer, offsets: tuple[int, int, int]) -> tuple[Ints, Ints]:
    """The address matrices of ifmap and filters."""
    ifmap, filter_, _ = operands(layer, offsets)
    a = ifmap.real(ifmap.axis(Dim.M)[:, None] + ifmap.axis(Dim.K))
    b = filter_.real(filter_.axis(Dim.K)[:, None] + filter_.axis(Dim.N))
    return a, b


def _layer_wise(layer: Layer, filters: Ints) -> tuple[Ints, Ints]:
    """(kept pattern K x N, compressed addresses K' x N)."""
    keep, block = layer.sparsity
    words = layer.k
    kept = (np.arange(words) % block < keep).astype(np.int64)
    pattern = np.repeat(kept[:, None], layer.n, axis=1)
    masked = filters * pattern
    blocks = -(-words // block)
    packed = np.zeros((blocks * keep, layer.n), dtype=np.int64)
    for column in range(layer.n):
        for index in range(blocks):
            part = masked[index * block : (index + 1) * block, column]
            part = part[part != 0]
            packed[index * keep : index * keep + len(part), column] = part
    while len(packed) and not packed[-1].any():
        packed = packed[:-1]
    return pattern, packed


def _row_wise(layer: Layer, sparsity: Sparsity, filters: Ints, offset: int) -> tuple[Ints, Ints]:
    """(kept pattern K x N, packed addresses K' x N with -1 for nothing)."""
    block = sparsity.block_size
    half = block // 2
    random = np.random.RandomState(sparsity.seed)
    place = np.arange(layer.k) % block
    pattern = np.empty((layer.k, layer.n), dtype=np.int64)
    for column in range(layer.n):
        pattern[:, column] = place < random.randint(1, half + 1)
    masked = filters * pattern
    padded = np.pad(masked, ((0, -layer.k % (2 * block)), (0, 0)))
    packed = np.zeros((len(padded) // 2, layer.n), dtype=np.int64)
    for index in range(len(padded) // block):
        for column in range(layer.n):
            part = padded[index * block : (index + 1) * block, column]
            part = part[part != 0][:half]
            packed[index * half : index * half + len(part), column] = part
    first = packed[0, 0]
    packed[packed == 0] = -1
    if offset == 0 and first == 0:
        packed[0, 0] = 0
    return pattern, packed


def _storage(representation: str, pattern: Ints, packed: Ints, block: int) -> Storage:
    rows, cols = pattern.shape
    kept = int(np.count_nonzero(pattern))
    if representation == "ellpack_block":
        bits = packed.size * math.ceil(math.log2(block))
        return Storage(rows * cols, packed.size + bits / 32, bits / 32)
    pointers = (rows if representation == "csr" else cols) + 1
    return Storage(rows * cols, 2 * kept + pointers, kept + pointers)


def compress(config: Config, layer: Layer, flow: Dataflow) -> SparseLayer:
    """The layer with its filters compressed, laid onto the array."""
    sparsity = config.sparsity
    assert sparsity is not None
    offsets = (config.ifmap_offset, config.filter_offset, config.ofmap_offset)
    ifmap, filters = _dense(layer, offsets)
    if sparsity.row_wise:
        if flow.name != "ws":
            raise UnsupportedError(
                f"row-wise sparsity (OptimizedMapping) is modelled for ws only, not {flow.name}"
            )
        if sparsity.block_size % 2 or 2 * config.rows % sparsity.block_size:
            raise UnsupportedError(
                f"row-wise sparsity wants an even BlockSize that divides twice the array rows"
                f" ({config.rows}), not {sparsity.block_size}"
            )
        pattern, packed = _row_wise(layer, sparsity, filters, config.filter_offset)
    else:
        pattern, packed = _layer_wise(layer, filters)
        ifmap = ifmap * pattern[:, 0]
        columns = (ifmap != 0).any(axis=0)
        if len(ifmap) == 1 and config.ifmap_offset == 0:
            columns[0] = True
        ifmap = ifmap[:, columns]
        if ifmap.shape[1] != len(packed):
            raise UnsupportedError(
                f"layer '{layer.name}': {ifmap.shape[1]} input columns meet {len(packed)}"
                " filter rows after compression (an operand at offset 0)"
            )
    proxy = gemm_layer(layer.name, layer.m, layer.n, len(packed))
    plan = flow.plan(proxy, config.rows, config.cols, offsets)
    return SparseLayer(
        plan,
        ifmap,
        packed,
        _storage(sparsity.representation, pattern, packed, layer.sparsity[1]),
        _ifmap_reads(config, layer, plan, flow),
        _mapping(plan, packed) if sparsity.row_wise else None,
        sparsity.row_wise,
    )


def _ifmap_reads(config: Config, layer: Layer, plan: Plan, flow: Dataflow) -> float:
    """SRAM reads of the input as SCALE-Sim counts them, fold after fold."""
    array = plan.array
    sparsity = config.sparsity
    assert sparsity is not None
    if sparsity.row_wise:
        words = (layer.m + array.rows - 1) * array.rows * sparsity.block_size
        return words * array.folds
    first, second = plan.ifmap.operand.sizes.values()
    passes = array.col_folds if flow.name in ("os", "ws") else 1
    if flow.name != "ws":
        return first * second * passes
    keep, block = layer.sparsity
    reads: float = 0
    for fold in range(array.folds):
        reads += plan.ifmap.fold_words(fold) * (block / keep)
    return reads


def _mapping(plan: Plan, packed: Ints) -> float:
    """Mapping efficiency in percent: cells with a weight, mean over the folds."""
    array = plan.array
    cells = array.rows * array.cols
    shares = []
    for col_fold in range(array.col_folds):
        for row_fold in range(array.row_folds):
            tile = packed[
                row_fold * array.rows : (row_fold + 1) * array.rows,
                col_fold * array.cols : (col_fold + 1) * array.cols,
            ]
            shares.append(int(np.count_nonzero(tile != -1)) / cells)
    return float(np.cumsum(shares)[-1] / array.folds * 100)


@frozen
class BlockDemand:
    """The input demand of row-wise sparsity: every cell row is fed a block of inputs, each block
    repeated for half a block of rows, block j a line later than block j - 1."""

    addresses_of: Ints
    plan: Plan
    block: int

    @property
    def width(self) -> int:
        """Cells in a line: a block a row."""
        return self.plan.array.rows * self.block

    def addresses(self, fold: int, start: int, stop: int) -> Ints:
        """Addresses of a fold's lines start..stop."""
        rows, block = self.plan.array.rows, self.block
        left = fold % self.plan.array.row_folds * 2 * rows
        part = self.addresses_of[:, left : left + 2 * rows]
        part = np.pad(part, ((0, 0), (0, 2 * rows - part.shape[1])), constant_values=-1)
        fed = np.repeat(part.reshape(len(part), -1, block), block // 2, axis=1)
        time = np.arange(start, stop)[:, None] - rows - np.arange(rows)
        inside = (time >= 0) & (time < len(part))
        words = fed[np.clip(time, 0, len(part) - 1), np.arange(rows)]
        result: Ints = np.where(inside[:, :, None], words, -1).reshape(stop - start, -1)
        return result
