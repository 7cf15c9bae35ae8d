"""Matrix-vector products in the samsung dialect: two ways to lay out a matrix, the faster taken.

*Dot*: sixteen lanes hold sixteen inputs. The host writes eight bursts of the vector to GRF_A, and
eight accumulators in GRF_B take one output each of every unit: 64 triggers per 128 inputs and 64
outputs. This is what the vendor's library does; but here a tile's first half lies in the even and
its second half in the odd banks, so that the next row is open before it is needed, and the rows
are chosen so that the row number's last bit, which selects half of GRF_A, comes out right.

*Column*: sixteen lanes hold sixteen outputs. One burst to the SRF brings sixteen inputs, each of
which is multiplied into eight registers of all units: 128 triggers per 16 inputs and 1024
outputs. A sixteenth of the transfers, and so of the turnarounds of the bus, but only matrices with
many outputs fill it.

Either way the outputs are split over groups of channels and the inputs over the channels of a
group. The partial sums (of lanes, of channels) are added by the host in float32 in order and
rounded once. `choose` estimates each way and split with the costs below, which are those of the
schedule in steady state.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from attrs import frozen

from hcc.isa.errors import HccError
from hcc.isa.pim import EXIT, LANES, Dialect, File, Instruction, Op, Operand
from hcc.isa.pim.modes import CONTROL_ROW, GRF_A_COLUMN, ROW_MASK, SRF_COLUMN, control_burst
from hcc.isa.pim.plan import Bits, Half, Packed, Place, Plan, RowReader
from hcc.isa.pim.requests import Purpose, Stream

UNITS = 8
BANKS = 16
WINDOW = 8
BURSTS_PER_ROW = 32
DOT_OUTPUTS, DOT_INPUTS = UNITS * WINDOW, WINDOW * LANES
COLUMN_OUTPUTS, COLUMN_INPUTS = UNITS * WINDOW * LANES, 16

# Cycles in steady state, for the estimate: a tile, a pass over an output tile, entry and exit.
_DOT_TILE, _COLUMN_TILE, _PASS, _FIXED = 328, 554, 90, 190
_ROWS = ROW_MASK + 1


@frozen
class Split:
    """How a product is laid out. Channel = group · slices + slice."""

    way: str  # "dot" or "column"
    groups: int
    slices: int
    passes: int  # output tiles of a channel
    tiles: int  # input tiles of a channel

    @property
    def channels(self) -> int:
        return self.groups * self.slices

    @property
    def tile_outputs(self) -> int:
        return DOT_OUTPUTS if self.way == "dot" else COLUMN_OUTPUTS

    @property
    def tile_inputs(self) -> int:
        return DOT_INPUTS if self.way == "dot" else COLUMN_INPUTS

    @property
    def outputs(self) -> int:
        """Outputs with padding."""
        return self.groups * self.passes * self.tile_outputs

    @property
    def inputs(self) -> int:
        """Inputs with padding."""
        return self.slices * self.tiles * self.tile_inputs

    @property
    def cycles(self) -> int:
        tile = _DOT_TILE if self.way == "dot" else _COLUMN_TILE
        return _FIXED + self.passes * (_PASS + self.tiles * tile)

    @property
    def weight_rows(self) -> int:
        tiles = self.passes * self.tiles
        return 2 * -(-tiles // 2) if self.way == "dot" else 2 * tiles

    @property
    def rows(self) -> int:
        return self.weight_rows + -(-self.passes * WINDOW // BURSTS_PER_ROW)


def splits(outputs: int, inputs: int, channels: int) -> Iterator[Split]:
    """Every way to lay out a product over at most `channels` channels."""
    for way, tile_outputs, tile_inputs in (
        ("dot", DOT_OUTPUTS, DOT_INPUTS),
        ("column", COLUMN_OUTPUTS, COLUMN_INPUTS),
    ):
        output_tiles, input_tiles = -(-outputs // tile_outputs), -(-inputs // tile_inputs)
        for slices in range(1, min(channels, input_tiles) + 1):
            groups = min(channels // slices, output_tiles)
            passes, tiles = -(-output_tiles // groups), -(-input_tiles // slices)
            if slices > 1 and -(-input_tiles // tiles) < slices:
                continue  # fewer slices do as well
            yield Split(way, -(-output_tiles // passes), slices, passes, tiles)


def choose(outputs: int, inputs: int, channels: int) -> Split:
    """The split of fewest estimated cycles, then of fewest channels."""
    if outputs < 1 or inputs < 1:
        raise HccError(f"a matrix of {outputs} by {inputs} has no product")
    fitting = [s for s in splits(outputs, inputs, channels) if s.rows <= _ROWS]
    if not fitting:
        raise HccError(
            f"a matrix of {outputs} by {inputs} does not fit the banks of {channels} "
            f"channel{'s' * (channels > 1)}"
        )
    return min(fitting, key=lambda s: (s.cycles, s.channels))


def program(split: Split) -> tuple[Instruction, ...]:
    """The microkernel of one output tile; the host starts it anew for each."""
    even, odd = Operand(File.EVEN_BANK), Operand(File.ODD_BANK)
    sum_, x = Operand(File.GRF_B), Operand(File.GRF_A)
    if split.way == "dot":
        body = [Instruction(Op.MAC, sum_, x, bank, aam=True)
                for bank in (even, odd) for _ in range(4)]  # fmt: skip
    else:
        scalars = [Operand(f, i) for f in (File.SRF_M, File.SRF_A) for i in range(8)]
        body = [
            Instruction(Op.MAC, sum_, odd if number // 4 % 2 else even, scalar, aam=True)
            for number, scalar in enumerate(scalars)
        ]
    if split.tiles > 1:
        body.append(Instruction(Op.JUMP, offset=-len(body), count=split.tiles - 1))
    return (*body, Instruction(Op.NOP, count=WINDOW - 1), EXIT)


def gemv(
    outputs: int, inputs: int, channels: int, *, operands: tuple[str, str, str] = ("w", "x", "y")
) -> Plan:
    """result = matrix · vector for any size, on at most `channels` channels."""
    return plan(choose(outputs, inputs, channels), outputs, inputs, operands)


def plan(
    split: Split, outputs: int, inputs: int, operands: tuple[str, str, str] = ("w", "x", "y")
) -> Plan:
    """The product as `split` lays it out."""
    microkernel = program(split)
    stream = Stream()
    stream.enter()
    stream.program(1, microkernel)
    for number in range(split.passes):
        stream.control(1, control_burst(pim=True, zero_b=True))
        for tile in range(split.tiles):
            if split.way == "dot":
                _dot_tile(stream, number * split.tiles + tile, tile)
            else:
                _column_tile(stream, number * split.tiles + tile, tile)
        row, column = _result_place(split, number)
        stream.write(1, row, column, WINDOW, tag="RESULT")
    stream.control(0, control_burst(pim=False))
    stream.leave()
    return Plan(
        f"gemv {outputs}x{inputs}", Dialect.SAMSUNG, split.channels, microkernel,
        tuple(stream.accesses), stream.constants, _places(split, outputs, inputs, operands),
        pack=lambda values: _pack(split, values[operands[0]], values[operands[1]]),
        unpack=lambda reader: reduce_partial(partial_sums(split, reader), split)[:outputs],
        work=split.passes * split.tiles * (64 if split.way == "dot" else 128),
        note=f"{split.way} layout, {split.groups} groups of outputs x {split.slices} slices of "
        "inputs; the host adds the partial sums",
    )  # fmt: skip


def _dot_tile(stream: Stream, serial: int, tile: int) -> None:
    stream.add(
        True, 1, CONTROL_ROW, GRF_A_COLUMN, WINDOW, tag="X", purpose=Purpose.OPERAND, operand="x",
        index=tile * WINDOW,
    )  # fmt: skip
    for bank in (0, 1):
        stream.read(bank, _dot_row(serial, bank), 0, BURSTS_PER_ROW, tag="MAC")


def _dot_row(serial: int, bank: int) -> int:
    """Tiles take turns at the halves, so that neither bank leaves every other row empty."""
    return 2 * (serial // 2) + (serial + bank) % 2


def _column_tile(stream: Stream, serial: int, tile: int) -> None:
    stream.add(True, 1, CONTROL_ROW, SRF_COLUMN, tag="X", purpose=Purpose.OPERAND, operand="x",
               index=tile)  # fmt: skip
    for quarter in range(4):
        stream.read(quarter % 2, 2 * serial + quarter // 2, 0, BURSTS_PER_ROW, tag="MAC")


def _result_place(split: Split, number: int) -> tuple[int, int]:
    per_row = BURSTS_PER_ROW // WINDOW
    return split.weight_rows + number // per_row, number % per_row * WINDOW


def _places(
    split: Split, outputs: int, inputs: int, operands: tuple[str, str, str]
) -> tuple[Place, ...]:
    last = split.weight_rows - 1
    if split.way == "dot":
        weights = (
            "burst 8c + j of a row: input burst c (or c + 4), output j of the unit; tiles of "
            f"64 outputs x 128 inputs in rows 0 to {last}, half in even and half in odd banks"
        )
        vector = "sent to GRF_A, eight bursts a tile"
        result = "sixteen partial sums an output"
    else:
        weights = (
            "burst 8i + j of a row: input i of four, outputs 128 j + 16 unit + lane; tiles of "
            f"1024 outputs x 16 inputs in rows 0 to {last}, taking turns in even and odd banks"
        )
        vector = "sent to the SRF, sixteen inputs a burst"
        result = "sixteen outputs a burst"
    return (
        Place(operands[0], (outputs, inputs), weights),
        Place(operands[1], (inputs,), vector),
        Place(operands[2], (outputs,), f"odd banks from row {split.weight_rows}, {result}"),
    )


def _pack(split: Split, matrix: Half, x: Half) -> Packed:
    w = np.asarray(matrix, dtype=np.float16)
    if w.shape != (split.outputs, split.inputs):
        padded = np.zeros((split.outputs, split.inputs), np.float16)
        padded[: w.shape[0], : w.shape[1]] = w
        w = padded
    vector = np.zeros(split.inputs, np.float16)
    vector[: x.size] = x
    sliced = vector.view(np.uint16).reshape(split.slices, -1, LANES)
    streams = {"x": np.ascontiguousarray(np.tile(sliced, (split.groups, 1, 1)))}
    bits = np.ascontiguousarray(w).view(np.uint16)
    rows = _dot_rows(split, bits) if split.way == "dot" else _column_rows(split, bits)
    return Packed(rows, streams)


def _dot_rows(split: Split, bits: Bits) -> dict[int, Bits]:
    s = split
    # group, pass, unit, output | slice, tile, half, input burst, lane
    shaped = bits.reshape(s.groups, s.passes, UNITS, WINDOW, s.slices, s.tiles, 2, 4, LANES)
    # pass, tile | group, slice | unit, half | input burst, output | lane
    ordered = shaped.transpose(1, 5, 0, 4, 2, 6, 7, 3, 8)
    ordered = ordered.reshape(s.passes * s.tiles, s.channels, UNITS, 2, BURSTS_PER_ROW, LANES)
    shape = (s.channels, BANKS, BURSTS_PER_ROW, LANES)
    rows = {number: np.zeros(shape, np.uint16) for number in range(s.weight_rows)}
    for serial, halves in enumerate(ordered):
        for bank in (0, 1):
            row = _dot_row(serial, bank)
            rows[row][:, bank::2] = halves[:, :, row & 1]
    return rows


def _column_rows(split: Split, bits: Bits) -> dict[int, Bits]:
    s = split
    # group, pass, register, unit, lane | slice, tile, row, parity, input
    shaped = bits.reshape(s.groups, s.passes, WINDOW, UNITS, LANES, s.slices, s.tiles, 2, 2, 4)
    # pass, tile, row | group, slice | unit, parity | input, register | lane
    ordered = shaped.transpose(1, 6, 7, 0, 5, 3, 8, 9, 2, 4)
    flat = ordered.reshape(s.weight_rows, s.channels, BANKS, BURSTS_PER_ROW, LANES)
    return dict(enumerate(flat))


def partial_sums(split: Split, reader: RowReader) -> Half:
    """What the units left: [group, pass, ..., slice and lane last], ready to be reduced.

    Dot: [group, pass, unit, output, slice, lane]; column: [group, pass, register, unit, lane,
    slice].
    """
    s = split
    sums = np.empty((s.passes, s.groups, s.slices, UNITS, WINDOW, LANES), np.uint16)
    for number in range(s.passes):
        row, column = _result_place(s, number)
        read = reader(row)[:, 1::2, column : column + WINDOW]
        sums[number] = read.reshape(s.groups, s.slices, UNITS, WINDOW, LANES)
    if s.way == "dot":
        ordered = sums.transpose(1, 0, 3, 4, 2, 5)
    else:
        ordered = sums.transpose(1, 0, 4, 3, 5, 2)
    return np.ascontiguousarray(ordered).view(np.float16)


def reduce_partial(sums: Half, split: Split) -> Half:
    """The host's part: add slices and lanes in order in float32, round once."""
    count = split.slices * (LANES if split.way == "dot" else 1)
    flat = sums.reshape(-1, count).astype(np.float32)
    total = np.zeros(len(flat), np.float32)
    for part in range(count):
        total += flat[:, part]
    with np.errstate(over="ignore", invalid="ignore"):
        return total.astype(np.float16)
