"""Kernels in the pimsys dialect: element-wise expressions and matrix-vector products.

A unit serves two banks (`shared`), eight units a pseudo-channel; a request to an even bank reaches
all even banks. Every instruction runs once a request, so element-wise kernels compute one burst of
eight banks at a time (128 elements a channel) and loop; blocks alternate between even and odd
banks. Scalars are fetched by MOV from bursts that every bank has a copy of.

A product is the published one: MOV fetches eight bursts of the vector, of which every bank has a
copy; MAC(AAM) runs through the matrix, the column of the request choosing both registers; FILL
stores sixteen partial sums of each output; EXIT takes a dummy read and clears the registers. Up to
eight outputs of a unit are computed in one run, which is 8, then 8 a time as many; inputs beyond
128 and outputs beyond that take further runs of the same program. The host adds the partial sums
in float32, in order, and rounds once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from attrs import frozen

from hcc.isa.errors import HccError
from hcc.isa.pim import CRF_LENGTH, EXIT, LANES, Dialect, File, Instruction, Op, Operand
from hcc.isa.pim.plan import Bits, Half, Packed, Place, Plan, RowReader
from hcc.isa.pim.requests import Purpose, Stream

from .expressions import Expr, Relu, arrays, normalise, to_text
from .select import DoesNotFit, Numbered, Selection, number_scalars, singles

UNITS = 8
BANKS = 16
BURSTS_PER_ROW = 32
CHUNKS = 8  # bursts of the vector in GRF_A
_ROWS = 1 << 16
_MOST_JUMPS = (1 << 16) - 1
_BANK = Operand(File.EVEN_BANK)


def _loop(body: Sequence[Instruction], times: int) -> tuple[Instruction, ...]:
    if times == 1:
        return tuple(body)
    return (*body, Instruction(Op.JUMP, offset=-len(body), count=times - 1))


def _end(stream: Stream, bank: int, row: int) -> None:
    stream.add(False, bank, row, 0, tag="EXIT", purpose=Purpose.MODE)


@frozen
class _Blocks:
    """Where bursts lie: block b of tile t, tiles taking turns at even and odd banks."""

    names: tuple[str, ...]  # arrays, then the result
    channels: int
    tiles: int

    @property
    def per_row(self) -> int:
        return BURSTS_PER_ROW // len(self.names)

    @property
    def rows(self) -> int:
        return -(-((self.tiles + 1) // 2) // self.per_row)

    def place(self, block: int, tile: int) -> tuple[int, int, int]:
        """Bank, row and column."""
        row, slot = divmod(tile // 2, self.per_row)
        return tile % 2, row, slot * len(self.names) + block


def compile_expression(
    expr: Expr, size: int, channels: int, *, name: str = "", result: str = "y"
) -> Plan:
    """The plan of result[i] = expr for `size` elements; DoesNotFit says why there is none."""
    if size < 1:
        raise HccError(f"{name or 'kernel'}: {size} elements")
    expr = normalise(expr)
    on_host = isinstance(expr, Relu)
    inner = expr.operand if isinstance(expr, Relu) else expr
    if not arrays(inner):
        raise DoesNotFit(f"{to_text(expr)} reads no array")
    numbers = number_scalars(inner)
    selection = singles(inner, numbers, Dialect.PIMSYS)
    names = (*arrays(inner), "#result")
    if len(names) > BURSTS_PER_ROW:
        raise DoesNotFit(f"{len(names)} arrays; a row has {BURSTS_PER_ROW} bursts")
    used = min(channels, -(-size // (UNITS * LANES)))
    layout = _Blocks(names, used, -(-size // (UNITS * LANES * used)))
    if layout.rows >= _ROWS or layout.tiles > _MOST_JUMPS:
        raise HccError(f"{size} elements do not fit {channels} channels")
    program, scalars = _program(selection, numbers, layout.tiles)
    stream = Stream()
    for index in range(scalars):
        stream.read(0, layout.rows, index, tag="MOV")
    for tile in range(layout.tiles):
        last = layout.place(0, tile)
        for step in selection.even:
            if step.array:
                last = layout.place(names.index(step.array), tile)
            stream.read(*last, tag=step.instruction.op.name)
        stream.write(*layout.place(len(names) - 1, tile), tag="FILL")
    _end(stream, 0, layout.rows)
    note = "one burst at a time" + "; the host applies ReLU" * on_host
    return Plan(
        name or to_text(expr), Dialect.PIMSYS, used, program, tuple(stream.accesses), {},
        _places(layout, result, size),
        pack=lambda values: _pack(layout, numbers, values),
        unpack=lambda reader: _unpack(layout, reader, size, on_host),
        work=layout.tiles * len(selection.even), note=note,
    )  # fmt: skip


def _program(
    selection: Selection, numbers: Numbered, tiles: int
) -> tuple[tuple[Instruction, ...], int]:
    """The program, and how many scalars it fetches first."""
    movs = [
        Instruction(Op.MOV, Operand(file, at), _BANK)
        for file, scalars in ((File.SRF_M, numbers.multipliers), (File.SRF_A, numbers.addends))
        for at, scalar in enumerate(scalars)
        if scalar is not None
    ]
    fill = Instruction(Op.FILL, _BANK, Operand(File.GRF_A))
    body = [*(step.instruction for step in selection.even), fill]
    program = (*movs, *_loop(body, tiles), EXIT)
    if len(program) > CRF_LENGTH:
        raise DoesNotFit(f"{len(program)} instructions; the command file holds {CRF_LENGTH}")
    return program, len(movs)


def _places(layout: _Blocks, result: str, size: int) -> tuple[Place, ...]:
    rule = (
        f"one burst a tile of {UNITS * LANES * layout.channels} elements, tiles taking turns at "
        f"even and odd banks, {layout.per_row} tiles a row, from row 0 column "
    )
    return tuple(
        Place(result if name == "#result" else name, (size,), f"{rule}{block}")
        for block, name in enumerate(layout.names)
    )


def _pack(layout: _Blocks, numbers: Numbered, values: Mapping[str, Half]) -> Packed:
    rows: dict[int, Bits] = {}
    shape = (layout.channels, BANKS, BURSTS_PER_ROW, LANES)

    def row_of(number: int) -> Bits:
        if number not in rows:
            rows[number] = np.zeros(shape, np.uint16)
        return rows[number]

    for block, name in enumerate(layout.names[:-1]):
        bits = np.ascontiguousarray(values[name], dtype=np.float16).view(np.uint16)
        padded = np.zeros(layout.tiles * layout.channels * UNITS * LANES, np.uint16)
        padded[: bits.size] = bits
        tiles = padded.reshape(layout.tiles, layout.channels, UNITS, LANES)
        for tile, content in enumerate(tiles):
            parity, row, column = layout.place(block, tile)
            row_of(row)[:, parity::2, column] = content
    wanted = [s for s in (*numbers.multipliers, *numbers.addends) if s is not None]
    for index, scalar in enumerate(wanted):
        value = scalar.value if scalar.value is not None else values[scalar.name]
        row_of(layout.rows)[:, :, index] = np.float16(value).view(np.uint16)
    return Packed(rows)


def _unpack(layout: _Blocks, reader: RowReader, size: int, relu: bool) -> Half:
    out = np.empty((layout.tiles, layout.channels, UNITS, LANES), np.uint16)
    for tile in range(layout.tiles):
        parity, row, column = layout.place(len(layout.names) - 1, tile)
        out[tile] = reader(row)[:, parity::2, column]
    result = out.reshape(-1)[:size].view(np.float16)
    return np.where(np.signbit(result), np.float16(0), result) if relu else result


# Matrix times vector


@frozen
class Runs:
    """How a product is split: `width` outputs of a unit a run, passes x tiles runs."""

    channels: int
    width: int
    passes: int
    tiles: int

    @property
    def outputs(self) -> int:
        return self.passes * self.channels * UNITS * self.width

    @property
    def inputs(self) -> int:
        return self.tiles * CHUNKS * LANES

    @property
    def vector_row(self) -> int:
        """The first row of the vector; the matrix lies before it, a run in two rows."""
        return 2 * -(-self.passes * self.tiles // 2)

    @property
    def result_row(self) -> int:
        return self.vector_row + -(-self.tiles * CHUNKS // BURSTS_PER_ROW)

    def result_place(self, serial: int) -> tuple[int, int]:
        """Row and column of the results of a run."""
        per_row = BURSTS_PER_ROW // self.width
        row, slot = divmod(serial // 2, per_row)
        return self.result_row + row, slot * self.width


def split(outputs: int, inputs: int, channels: int) -> Runs:
    """As few passes as there can be, and no wider than they need."""
    if outputs < 1 or inputs < 1:
        raise HccError(f"a matrix of {outputs} by {inputs} has no product")
    blocks = -(-outputs // UNITS)
    used = min(channels, blocks)
    width = min(8, -(-blocks // used))
    runs = Runs(used, width, -(-blocks // (used * width)), -(-inputs // (CHUNKS * LANES)))
    if runs.result_place(runs.passes * runs.tiles)[0] >= _ROWS:
        raise HccError(f"a matrix of {outputs} by {inputs} does not fit {channels} channels")
    return runs


def gemv_program(width: int) -> tuple[Instruction, ...]:
    """The program of a run."""
    movs = [Instruction(Op.MOV, Operand(File.GRF_A, at), _BANK) for at in range(CHUNKS)]
    mac = Instruction(Op.MAC, Operand(File.GRF_B), _BANK, Operand(File.GRF_A), aam=True)
    fills = [Instruction(Op.FILL, _BANK, Operand(File.GRF_B, at)) for at in range(width)]
    return (*movs, *_loop([mac], CHUNKS * width), *fills, EXIT)


def gemv(
    outputs: int, inputs: int, channels: int, *, name: str = "gemv",
    operands: tuple[str, str, str] = ("w", "x", "y"),
) -> Plan:  # fmt: skip
    """result = matrix · vector for any size, on at most `channels` channels."""
    runs = split(outputs, inputs, channels)
    stream = Stream()
    for serial in range(runs.passes * runs.tiles):
        bank, pair = serial % 2, serial // 2
        vector = (serial % runs.tiles) * CHUNKS
        stream.read(bank, runs.vector_row, vector, CHUNKS, tag="MOV")
        stream.read(bank, 2 * pair, 0, CHUNKS * runs.width, tag="MAC")
        stream.write(bank, *runs.result_place(serial), runs.width, tag="FILL")
        _end(stream, bank, runs.result_place(serial)[0])
    matrix, x, result = operands
    places = (
        Place(matrix, (outputs, inputs), "burst 8j + c of a run: output j of the unit, input burst "
              "c; runs take turns at even and odd banks, two rows each, from row 0"),
        Place(x, (inputs,), f"a copy in every bank, from row {runs.vector_row}"),
        Place(result, (outputs,), f"sixteen partial sums an output, from row {runs.result_row}"),
    )  # fmt: skip
    return Plan(
        f"{name} {outputs}x{inputs}", Dialect.PIMSYS, runs.channels, gemv_program(runs.width),
        tuple(stream.accesses), {}, places,
        pack=lambda values: _pack_gemv(runs, values[matrix], values[x]),
        unpack=lambda reader: _reduce(runs, reader)[:outputs],
        work=runs.passes * runs.tiles * CHUNKS * runs.width,
        note=f"{runs.passes} x {runs.tiles} runs; the host adds the partial sums",
    )  # fmt: skip


def _pack_gemv(runs: Runs, w: Half, x: Half) -> Packed:
    padded = np.zeros((runs.outputs, runs.inputs), np.float16)
    padded[: w.shape[0], : w.shape[1]] = w
    # pass, channel, unit, output | tile, chunk, lane
    shaped = padded.view(np.uint16).reshape(
        runs.passes, runs.channels, UNITS, runs.width, runs.tiles, CHUNKS, LANES
    )
    # pass, tile | channel, unit | output, chunk | lane
    ordered = shaped.transpose(0, 4, 1, 2, 3, 5, 6)
    ordered = ordered.reshape(-1, runs.channels, UNITS, CHUNKS * runs.width, LANES)
    shape = (runs.channels, BANKS, BURSTS_PER_ROW, LANES)
    rows: dict[int, Bits] = {}
    for serial, content in enumerate(ordered):
        for half in range(-(-CHUNKS * runs.width // BURSTS_PER_ROW)):
            part = content[:, :, half * BURSTS_PER_ROW : (half + 1) * BURSTS_PER_ROW]
            row = rows.setdefault(2 * (serial // 2) + half, np.zeros(shape, np.uint16))
            row[:, serial % 2 :: 2, : part.shape[2]] = part
    vector = np.zeros(runs.inputs, np.float16)
    vector[: x.size] = x
    for at, burst in enumerate(vector.view(np.uint16).reshape(-1, LANES)):
        number = runs.vector_row + at // BURSTS_PER_ROW
        row = rows.setdefault(number, np.zeros(shape, np.uint16))
        row[:, :, at % BURSTS_PER_ROW] = burst
    return Packed(rows)


def _reduce(runs: Runs, reader: RowReader) -> Half:
    """The host's part: tiles and lanes of each output added in order."""
    shape = (runs.passes, runs.tiles, runs.channels, UNITS, runs.width, LANES)
    sums = np.empty(shape, np.uint16)
    for serial in range(runs.passes * runs.tiles):
        row, column = runs.result_place(serial)
        read = reader(row)[:, serial % 2 :: 2, column : column + runs.width]
        sums[serial // runs.tiles, serial % runs.tiles] = read
    ordered = np.ascontiguousarray(sums.transpose(0, 2, 3, 4, 1, 5)).view(np.float16)
    flat = ordered.reshape(-1, runs.tiles * LANES).astype(np.float32)
    total = np.zeros(len(flat), np.float32)
    with np.errstate(over="ignore", invalid="ignore"):
        for part in flat.T:
            total += part
        return total.astype(np.float16)
