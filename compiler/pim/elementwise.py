"""Element-wise kernels of any size in the samsung dialect.

Operands and result of a tile lie side by side in the same row (four windows of eight bursts fit
one), so a tile opens one row where the vendor's placement opens three; tiles of even and odd
banks take turns, and when neither side needs both register files all reads come before all
writes, which turns the bus around half as often. A tile is 8 bursts x 16 banks x 16 lanes = 2048
elements a channel; sizes are filled up with zeros.

An expression that two register files cannot hold is computed one burst at a time, in the even
banks only: 128 elements a tile.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from attrs import frozen

from hcc.isa.errors import HccError
from hcc.isa.pim import CRF_LENGTH, EXIT, LANES, Dialect, Instruction, Op
from hcc.isa.pim.modes import CONTROL_ROW, ROW_MASK, SRF_COLUMN, control_burst
from hcc.isa.pim.plan import Bits, Half, Packed, Place, Plan, RowReader
from hcc.isa.pim.requests import Purpose, Stream

from .expressions import Expr, arrays, normalise, to_text
from .select import DoesNotFit, Numbered, Selection, Step, number_scalars, singles, windows

UNITS = 8
BANKS = 16
BURSTS_PER_ROW = 32
_ROWS = ROW_MASK + 1
_RESULT = "#result"
_MOST_JUMPS = (1 << 17) - 1
_SPACING = 8  # bursts from block to block: a store takes the register of its column's last bits


@frozen
class Layout:
    """Where blocks lie: block b of tile t, `window` bursts of every bank in use."""

    window: int
    blocks: tuple[str, ...]  # arrays, then the result
    banks: int  # 16, or 8 when only even banks are used
    channels: int
    tiles: int

    @property
    def tile_elements(self) -> int:
        return self.window * self.banks * self.channels * LANES

    @property
    def per_row(self) -> int:
        """Blocks of a row."""
        return BURSTS_PER_ROW // _SPACING

    @property
    def tiles_per_row(self) -> int:
        return max(1, self.per_row // len(self.blocks))

    @property
    def rows_per_tile(self) -> int:
        return -(-len(self.blocks) // self.per_row)

    @property
    def rows(self) -> int:
        if self.rows_per_tile > 1:
            return self.tiles * self.rows_per_tile
        return -(-self.tiles // self.tiles_per_row)

    def place(self, block: int, tile: int) -> tuple[int, int]:
        """Row and column."""
        if self.rows_per_tile > 1:
            row = tile * self.rows_per_tile + block // self.per_row
            return row, block % self.per_row * _SPACING
        row, slot = divmod(tile, self.tiles_per_row)
        return row, (slot * len(self.blocks) + block) * _SPACING


def compile_expression(
    expr: Expr, size: int, channels: int, *, name: str = "", result: str = "y"
) -> Plan:
    """The plan of y[i] = expr for `size` elements; DoesNotFit says why there is none."""
    if size < 1:
        raise HccError(f"{name or 'kernel'}: {size} elements")
    expr = normalise(expr)
    if not arrays(expr):
        raise DoesNotFit(f"{to_text(expr)} reads no array")
    numbers = number_scalars(expr)
    selection = select(expr, numbers)
    layout = _layout(selection, arrays(expr), size, channels)
    if layout.rows > _ROWS or layout.tiles - 1 > _MOST_JUMPS:
        raise HccError(
            f"{size} elements of {len(layout.blocks)} arrays take {layout.rows} rows of "
            f"{channels} channels; units reach {_ROWS}"
        )
    program = _program(selection, layout)
    stream = Stream()
    stream.enter()
    stream.program(1, program)
    if numbers.multipliers:
        stream.add(True, 1, CONTROL_ROW, SRF_COLUMN, tag="SCALARS", purpose=Purpose.OPERAND,
                   operand="#scalars")  # fmt: skip
    stream.control(1, control_burst(pim=True))
    for tile in range(layout.tiles):
        _requests(stream, selection, layout, tile)
    stream.control(0, control_burst(pim=False))
    stream.leave()
    places = _places(layout, result, size)
    work = layout.tiles * sum(
        step.instruction.slots(Dialect.SAMSUNG) for step in (*selection.even, *selection.odd)
    )
    return Plan(
        name or to_text(expr), Dialect.SAMSUNG, layout.channels, program, tuple(stream.accesses),
        stream.constants, places,
        pack=lambda values: _pack(layout, numbers, values),
        unpack=lambda reader: _unpack(layout, reader, size),
        work=work,
        note="eight bursts at a time" if selection.window > 1 else "one burst at a time",
    )  # fmt: skip


def select(expr: Expr, numbers: Numbered) -> Selection:
    """Instructions for an expression, eight bursts at a time if that fits."""
    try:
        selection = windows(expr, numbers)
        length = len(selection.even) + len(selection.odd) + 2 * selection.shared + 3
        if length <= CRF_LENGTH:
            return selection
        reason = f"{length} instructions; the command file holds {CRF_LENGTH}"
    except DoesNotFit as error:
        reason = str(error)
    selection = singles(expr, numbers, Dialect.SAMSUNG)
    length = len(selection.even) + 3
    if length > CRF_LENGTH:
        raise DoesNotFit(
            f"{to_text(expr)}: {reason}; one burst at a time it takes {length} instructions, "
            f"and the command file holds {CRF_LENGTH}"
        )
    return selection


def _layout(selection: Selection, names: Sequence[str], size: int, channels: int) -> Layout:
    blocks = layout_blocks(names)
    banks = BANKS if selection.odd else UNITS
    per_channel = selection.window * banks * LANES
    used = min(channels, -(-size // per_channel))
    tiles = -(-size // (per_channel * used))
    return Layout(selection.window, blocks, banks, used, tiles)


def layout_blocks(names: Sequence[str]) -> tuple[str, ...]:
    """The blocks of a tile: its arrays, then the result."""
    return (*names, _RESULT)


def body_of(selection: Selection) -> tuple[Instruction, ...]:
    """The instructions of one tile."""
    body = [step.instruction for step in selection.even]
    if selection.odd:
        if selection.shared:
            body.append(Instruction(Op.NOP, count=selection.window - 1))
        body += [step.instruction for step in selection.odd]
        stores = selection.window * (1 if selection.shared else 2)
        body.append(Instruction(Op.NOP, count=stores - 1))
    else:
        body.append(Instruction(Op.NOP))
    return tuple(body)


def _program(selection: Selection, layout: Layout) -> tuple[Instruction, ...]:
    body = body_of(selection)
    if layout.tiles > 1:
        body = (*body, Instruction(Op.JUMP, offset=-len(body), count=layout.tiles - 1))
    return (*body, EXIT)


def _requests(stream: Stream, selection: Selection, layout: Layout, tile: int) -> None:
    result = layout.place(len(layout.blocks) - 1, tile)

    def reads(steps: Sequence[Step], bank: int) -> None:
        last = layout.place(0, tile)
        for step in steps:
            if step.array:
                last = layout.place(layout.blocks.index(step.array), tile)
            stream.read(bank, *last, selection.window, tag=step.instruction.op.name)

    def stores(bank: int) -> None:
        stream.write(bank, *result, selection.window, tag="RESULT")

    reads(selection.even, 0)
    if selection.odd:
        if selection.shared:
            stores(0)
        reads(selection.odd, 1)
        if not selection.shared:
            stores(0)
        stores(1)
    else:
        stores(0)


def _places(layout: Layout, result: str, size: int) -> tuple[Place, ...]:
    found = []
    for block, name in enumerate(layout.blocks):
        row, column = layout.place(block, 0)
        used = "" if layout.banks == BANKS else "even "
        found.append(
            Place(
                result if name == _RESULT else name, (size,),
                f"{layout.window} burst{'s' * (layout.window > 1)} of {used}banks a tile of "
                f"{layout.tile_elements}, from row {row} column {column}; "
                f"{layout.tiles_per_row} tiles a row",
            )
        )  # fmt: skip
    return tuple(found)


def _blocks(layout: Layout) -> tuple[slice, tuple[int, ...]]:
    banks = slice(None) if layout.banks == BANKS else slice(None, None, 2)
    # element order: tile, channel, bank, burst, lane
    return banks, (layout.tiles, layout.channels, layout.banks, layout.window, LANES)


def _pack(layout: Layout, numbers: Numbered, values: Mapping[str, Half]) -> Packed:
    rows: dict[int, Bits] = {}
    banks, shape = _blocks(layout)
    whole = (layout.channels, BANKS, BURSTS_PER_ROW, LANES)
    for block, name in enumerate(layout.blocks[:-1]):
        bits = np.ascontiguousarray(values[name], dtype=np.float16).view(np.uint16)
        padded = np.zeros(layout.tiles * layout.tile_elements, np.uint16)
        padded[: bits.size] = bits
        for tile, content in enumerate(padded.reshape(shape)):
            row, column = layout.place(block, tile)
            if row not in rows:
                rows[row] = np.zeros(whole, np.uint16)
            rows[row][:, banks, column : column + layout.window] = content
    burst = np.zeros(LANES, np.float16)
    for first, file in ((0, numbers.multipliers), (8, numbers.addends)):
        for at, scalar in enumerate(file):
            if scalar is not None:
                value = scalar.value if scalar.value is not None else values[scalar.name]
                burst[first + at] = np.float16(value)
    return Packed(rows, {"#scalars": burst.view(np.uint16).reshape(1, 1, LANES)})


def _unpack(layout: Layout, reader: RowReader, size: int) -> Half:
    banks, shape = _blocks(layout)
    out = np.empty(shape, np.uint16)
    block = len(layout.blocks) - 1
    for tile in range(layout.tiles):
        row, column = layout.place(block, tile)
        out[tile] = reader(row)[:, banks, column : column + layout.window]
    return out.reshape(-1)[:size].view(np.float16)
