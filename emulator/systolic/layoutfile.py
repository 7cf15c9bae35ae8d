"""Layout files of SCALE-Sim 3: how an operand lies in the lines of a banked SRAM.

A row has a name and 20 numbers: six factors (how many of each dimension share a line), then the
orders in which dimensions run inside a line and between lines, for the input (3 dimensions) and
the filters (4). The product of an operand's factors is a line. SCALE-Sim 3.0.0 reads all rows and
then uses the first one for every layer; so does this.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from attrs import frozen

from hcc.isa.errors import FormatError

from .config import read_text
from .operands import Ints
from .topology import Layer, cell_number, split_row

_NUMBERS = 20


@frozen
class Layout:
    """One row: factors and axis orders as numpy's transpose takes them."""

    ifmap_factors: tuple[int, ...]
    ifmap_order: tuple[int, ...]
    filter_factors: tuple[int, ...]
    filter_order: tuple[int, ...]


def _order(path: str, line: int, what: str, axes: list[int]) -> tuple[int, ...]:
    if sorted(axes) != list(range(len(axes))):
        raise FormatError(
            f"{path}:{line}:1: the {what} orders {axes} do not name each of 0..{len(axes) - 1} once"
        )
    return tuple(axes)


def parse_layout(path: str, text: str) -> tuple[Layout, ...]:
    """The rows of a layout file; the first line is a header."""
    lines = text.lstrip("\ufeff").splitlines()
    if not any(line.strip() for line in lines):
        raise FormatError(f"{path}:1:1: the file is empty")
    rows = []
    for number, raw in enumerate(lines[1:], 2):
        if not raw.strip():
            continue
        cells = split_row(number, raw)
        if len(cells) != _NUMBERS + 1:
            raise FormatError(
                f"{path}:{number}:1: a layout row has a name and {_NUMBERS} numbers,"
                f" not {len(cells) - 1}"
            )
        values = [
            cell_number(path, cell, f"layout column {at}", 1 if at < 7 else 0)
            for at, cell in enumerate(cells[1:], 1)
        ]
        ifmap_h, ifmap_w, filter_h, filter_w, channel, filters = values[:6]
        rows.append(
            Layout(
                (ifmap_h, ifmap_w, channel),
                _order(path, number, "ifmap", values[9:12] + values[6:9]),
                (filters, channel, filter_h, filter_w),
                _order(path, number, "filter", values[16:20] + values[12:16]),
            )
        )
    if not rows:
        raise FormatError(f"{path}:{len(lines)}:1: no row after the header line")
    return tuple(rows)


def read_layout(path: Path | str) -> tuple[Layout, ...]:
    """Read a layout file."""
    return parse_layout(str(path), read_text(path))


def _tiled(shape: tuple[int, ...], factors: tuple[int, ...], order: tuple[int, ...]) -> Ints:
    """Element numbers of an array cut into tiles of the factors, its axes (tile counts, then
    places in a tile) in the given order; -1 where a tile runs over the edge."""
    numbers = np.arange(int(np.prod(shape)), dtype=np.int64).reshape(shape)
    pads = [(0, -size % factor) for size, factor in zip(shape, factors, strict=True)]
    padded = np.pad(numbers, pads, constant_values=-1)
    split = [
        part
        for size, factor in zip(padded.shape, factors, strict=True)
        for part in (size // factor, factor)
    ]
    tiles = padded.reshape(split)
    axes = [*range(0, len(split), 2), *range(1, len(split), 2)]
    return tiles.transpose(axes).transpose(order).reshape(-1)


def ifmap_order(layer: Layer, layout: Layout, bandwidth: int) -> Ints:
    """The prefetch order of an input with a custom layout, as addresses from 0."""
    line = int(np.prod(layout.ifmap_factors))
    if line > bandwidth:
        raise FormatError(
            f"the layout puts {line} input words into a line; IfmapSRAMBankBandwidth is {bandwidth}"
        )
    shape = (layer.ifmap_h, layer.ifmap_w, layer.channels)
    return _tiled(shape, layout.ifmap_factors, layout.ifmap_order)


def filter_order(layer: Layer, layout: Layout, bandwidth: int, offset: int) -> Ints:
    """The prefetch order of filters with a custom layout, as addresses."""
    line = int(np.prod(layout.filter_factors))
    if line != bandwidth:
        raise FormatError(
            f"the layout puts {line} filter words into a line;"
            f" FilterSRAMBankBandwidth is {bandwidth}"
        )
    shape = (layer.filters, layer.channels, layer.filter_h, layer.filter_w)
    order = _tiled(shape, layout.filter_factors, layout.filter_order)
    return np.where(order < 0, -1, order + offset)
