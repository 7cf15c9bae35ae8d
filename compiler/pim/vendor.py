"""The vendor's library kernels, request by request: what other schedules are measured against.

ADD, MUL, RELU, GEMV and the tree GEMV of PIMSimulator, with its programs, its placement of the
operands, its barriers and its order. The library takes only sizes that fill its tiles; others
are refused here with the rule they break.

Element-wise: burst x of an operand lies in channel x mod n, bank (x / n) mod 16, and burst
x / 16n of the bank; operands begin in rows 0 and 128, the result in row 256. Eight bursts at a
time go through GRF_A (even banks) and GRF_B (odd banks).

GEMV: a tile is 8 inputs bursts by 8 outputs of each of 8 units. Even input tiles lie in even
banks, odd ones in odd banks, burst 8 · input + output within the tile; the host writes the inputs
to GRF_A, each output's sixteen partial sums end up in the odd bank behind the weights.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from hcc.isa.errors import HccError
from hcc.isa.pim import EXIT, LANES, Dialect, File, Instruction, Op, Operand
from hcc.isa.pim.modes import (
    CONTROL_ROW,
    GRF_A_COLUMN,
    PARK_ROW,
    ROW_MASK,
    control_burst,
)
from hcc.isa.pim.plan import Bits, Half, Packed, Place, Plan, RowReader
from hcc.isa.pim.requests import Purpose, Stream

UNITS = 8
BANKS = 16
WINDOW = 8
BURSTS_PER_ROW = 32
INPUT_ROWS = (0, 128)
RESULT_ROW = 256
_ZERO_ROW = 1000

ELEMENTWISE = ("add", "mul", "relu")

_A, _B = Operand(File.GRF_A), Operand(File.GRF_B)
_EVEN, _ODD = Operand(File.EVEN_BANK), Operand(File.ODD_BANK)
_NOP_8 = Instruction(Op.NOP, count=7)


def _jump(back: int, times: int) -> Instruction:
    return Instruction(Op.JUMP, offset=1 - back, count=times)


def elementwise_program(kernel: str, tiles: int) -> tuple[Instruction, ...]:
    """The program of an element-wise kernel."""
    body: list[Instruction] = []
    for register, bank in ((_A, _EVEN), (_B, _ODD)):
        body.append(Instruction(Op.FILL, register, bank, relu=kernel == "relu"))
        if kernel != "relu":
            body.append(Instruction(Op[kernel.upper()], register, register, bank, aam=True))
        body.append(_NOP_8)
    if tiles > 1:
        body.append(_jump(len(body) + 1, tiles - 1))
    return (*body, EXIT)


def gemv_program(input_tiles: int) -> tuple[Instruction, ...]:
    """The program of GEMV for so many input tiles."""
    even = 8 * -(-input_tiles // 2) - 1
    odd = 8 * (input_tiles // 2) - 1
    return (
        Instruction(Op.MAC, _B, _A, _EVEN, aam=True), _jump(2, even),
        Instruction(Op.MAC, _B, _A, _ODD, aam=True), _jump(2, odd), _NOP_8, EXIT,
    )  # fmt: skip


def tree_program(input_tiles: int) -> tuple[Instruction, ...]:
    """The program of the tree GEMV, whose loops nest: the host simply stops sending."""
    body = []
    for bank in (_EVEN, _ODD):
        body += [
            Instruction(Op.MAC, _B, _A, bank, aam=True), _jump(2, 7), _NOP_8,
            Instruction(Op.MUL, _B, _B, _EVEN, aam=True),
        ]  # fmt: skip
    return (*body, _jump(9, -(-input_tiles // 2) - 1), EXIT)


def _park(stream: Stream, tag: str) -> None:
    for bank in range(4):
        for group in range(4):
            stream.add(False, bank + 4 * group, PARK_ROW, 0, tag=tag, purpose=Purpose.MODE)
    stream.barrier()


def _begin(stream: Stream, program: Sequence[Instruction]) -> None:
    _park(stream, "PARK_IN")
    stream.enter((0, 1, 8, 9), barrier=True)
    stream.program(1, program, barrier=True)


def _end(stream: Stream) -> None:
    stream.leave(is_write=True, barrier=True)
    _park(stream, "PARK_OUT")


def elementwise(kernel: str, size: int, channels: int) -> Plan:
    """The vendor's ADD, MUL or RELU of `size` elements over `channels` channels."""
    tile = BANKS * channels * WINDOW * LANES
    if size < tile or size % tile:
        raise HccError(
            f"the reference's {kernel} takes multiples of {tile} elements on {channels} "
            f"channel{'s' * (channels > 1)}, not {size}"
        )
    tiles = size // tile
    if tiles * WINDOW > (INPUT_ROWS[1] - INPUT_ROWS[0]) * BURSTS_PER_ROW:
        raise HccError(f"the reference's operands are 128 rows apart: {size} elements overlap")
    program = elementwise_program(kernel, tiles)
    stream = Stream()
    _begin(stream, program)
    stream.control(0, control_burst(pim=True), barrier=True)
    inputs = INPUT_ROWS[: 1 if kernel == "relu" else 2]
    for number in range(tiles):
        for bank in (0, 1):
            for row in inputs:
                stream.read(bank, row, WINDOW * number, WINDOW, barrier=True)
            stream.write(bank, RESULT_ROW, WINDOW * number, WINDOW, barrier=True, tag="RESULT")
    stream.control(0, control_burst(pim=False), barrier=True)
    _end(stream)
    rule = f"burst x in channel x mod {channels}, bank (x / {channels}) mod 16, from row "
    names = ("a", "b")[: len(inputs)]
    places = [Place(n, (size,), rule + str(row)) for n, row in zip(names, inputs, strict=True)]
    return Plan(
        f"{kernel} {size}", Dialect.SAMSUNG, channels, program, tuple(stream.accesses),
        stream.constants, (*places, Place("y", (size,), rule + str(RESULT_ROW))),
        pack=lambda values: Packed(_interleave(values, names, channels)),
        unpack=lambda reader: _deinterleave(reader, size, channels),
        work=tiles * 2 * (len(inputs) + 1) * WINDOW,
    )  # fmt: skip


def _interleave(values: Mapping[str, Half], names: Sequence[str], channels: int) -> dict[int, Bits]:
    rows: dict[int, Bits] = {}
    for name, first in zip(names, INPUT_ROWS, strict=False):
        bits = np.ascontiguousarray(values[name], dtype=np.float16).view(np.uint16)
        per_row = channels * BANKS * BURSTS_PER_ROW * LANES
        padded = np.zeros(-(-bits.size // per_row) * per_row, np.uint16)
        padded[: bits.size] = bits
        shaped = padded.reshape(-1, BURSTS_PER_ROW, BANKS, channels, LANES)
        for number, row in enumerate(shaped):
            rows[first + number] = np.ascontiguousarray(row.transpose(2, 1, 0, 3))
    return rows


def _deinterleave(reader: RowReader, size: int, channels: int) -> Half:
    count = -(-size // (channels * BANKS * BURSTS_PER_ROW * LANES))
    rows = [reader(RESULT_ROW + number).transpose(2, 1, 0, 3) for number in range(count)]
    return np.concatenate([row.reshape(-1) for row in rows])[:size].view(np.float16)


def _tiles(outputs: int, inputs: int, channels: int) -> tuple[int, int]:
    per_pass = UNITS * WINDOW * channels
    if outputs < per_pass or outputs % per_pass:
        raise HccError(
            f"the reference's gemv takes multiples of {per_pass} outputs on {channels} "
            f"channel{'s' * (channels > 1)}, not {outputs}"
        )
    if inputs < 2 * WINDOW * LANES or inputs % (2 * WINDOW * LANES):
        raise HccError(f"the reference's gemv takes multiples of 256 inputs, not {inputs}")
    return outputs // per_pass, inputs // (WINDOW * LANES)


def gemv(outputs: int, inputs: int, channels: int, *, tree: bool = False) -> Plan:
    """The vendor's GEMV, `outputs` rows by `inputs` columns; with `tree`, its tree variant."""
    passes, tiles = _tiles(outputs, inputs, channels)
    bursts = passes * tiles // 2 * WINDOW * WINDOW + passes * (tiles if tree else 1) * WINDOW
    if bursts > (_ZERO_ROW if tree else ROW_MASK + 1) * BURSTS_PER_ROW:
        raise HccError(
            f"a matrix of {outputs} by {inputs} does not fit the banks of {channels} "
            f"channel{'s' * (channels > 1)}"
        )
    program = tree_program(tiles) if tree else gemv_program(tiles)
    stream = Stream()
    if tree:
        for group in range(4):
            for bank in range(4):
                stream.add(True, bank + 4 * group, _ZERO_ROW, 0, WINDOW, purpose=Purpose.DATA)
        stream.barrier()
    _begin(stream, program)
    first_result = passes * tiles // 2 * WINDOW * WINDOW
    for number in range(passes):
        stream.control(0, control_burst(pim=True, zero_b=True), barrier=True)
        column = first_result + number * WINDOW
        if tree:
            for tile in range(tiles):
                _compute(stream, tile, number, tiles)
                stream.write(1, 0, column, WINDOW, barrier=True, tag="RESULT")
                stream.read(0, _ZERO_ROW, 0, WINDOW, barrier=True, tag="RESET_GRF_B")
                column += WINDOW
        else:
            for tile in (*range(0, tiles, 2), *range(1, tiles, 2)):
                _compute(stream, tile, number, tiles)
            stream.write(1, 0, column, WINDOW, barrier=True, tag="RESULT")
        stream.control(0, bytes(32), barrier=True)
    _end(stream)
    results = tiles if tree else 1
    return Plan(
        f"gemv{'_tree' * tree} {outputs}x{inputs}", Dialect.SAMSUNG, channels, program,
        tuple(stream.accesses), stream.constants,
        (
            Place("w", (outputs, inputs), "tiles of 8 input bursts x 8 outputs a unit, even tiles "
                  "in even banks, from row 0"),
            Place("x", (inputs,), "sent to GRF_A, eight bursts a tile"),
            Place("y", (outputs, LANES), f"odd banks from burst {first_result} of row 0"),
        ),
        pack=lambda values: _pack_gemv(values, passes, tiles, channels),
        unpack=lambda reader: _partial_sums(reader, first_result, passes, results, channels),
        work=passes * tiles * WINDOW * WINDOW,
        note="results are sixteen partial sums of each output",
    )  # fmt: skip


def _compute(stream: Stream, tile: int, number: int, tiles: int) -> None:
    stream.add(
        True, 1, CONTROL_ROW, GRF_A_COLUMN, WINDOW, barrier=True, tag="WRIO_TO_GRF",
        purpose=Purpose.OPERAND, operand="x", index=WINDOW * tile,
    )  # fmt: skip
    column = WINDOW * WINDOW * (tile // 2 + number * tiles // 2)
    for step in range(WINDOW):
        stream.read(tile % 2, 0, column + WINDOW * step, WINDOW, barrier=True, tag="MAC")


def _pack_gemv(values: Mapping[str, Half], passes: int, tiles: int, channels: int) -> Packed:
    bits = np.ascontiguousarray(values["w"], dtype=np.float16).view(np.uint16)
    # pass, channel, unit, output | pair of tiles, parity, input burst, lane
    shaped = bits.reshape(passes, channels, UNITS, WINDOW, tiles // 2, 2, WINDOW, LANES)
    # channel, unit, parity | pass, pair, input burst, output, lane
    ordered = shaped.transpose(1, 2, 5, 0, 4, 6, 3, 7)
    bursts = passes * tiles // 2 * WINDOW * WINDOW
    flat = ordered.reshape(channels, BANKS, bursts, LANES)
    rows = {
        number: flat[:, :, number * BURSTS_PER_ROW : (number + 1) * BURSTS_PER_ROW]
        for number in range(bursts // BURSTS_PER_ROW)
    }
    x = np.ascontiguousarray(values["x"], dtype=np.float16).view(np.uint16)
    return Packed(rows, {"x": x.reshape(1, -1, LANES)})


def _partial_sums(reader: RowReader, first: int, passes: int, results: int, channels: int) -> Half:
    """[output, lane], or [tile, output, lane] of the tree variant."""
    sums = np.empty((results, passes, channels, UNITS, WINDOW, LANES), np.uint16)
    for number in range(passes):
        for result in range(results):
            row, column = divmod(first + (number + result) * WINDOW, BURSTS_PER_ROW)
            sums[result, number] = reader(row)[:, 1::2, column : column + WINDOW]
    shape = (results, -1, LANES) if results > 1 else (-1, LANES)
    return sums.reshape(shape).view(np.float16)
