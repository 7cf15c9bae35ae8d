"""Topology files: one layer a row, as convolutions or as matrix products.

SCALE-Sim always skips the first line, skips blank lines and throws away whatever follows the last
comma of a row, so that a row without its trailing comma silently loses its last number. Here such
a row keeps its number and the reader warns. A convolution's 9th column is either a second stride
(a number, version 2) or a sparsity ratio `N:M` (version 3). A name with `DP` in it is a depthwise
convolution: one layer of one channel for each channel.
"""

from __future__ import annotations

import re
from pathlib import Path

from attrs import evolve, field, frozen

from hcc.isa.errors import FormatError
from hcc.isa.numerals import whole

from .config import MOST, read_text

# Products of a row's numbers are addresses and counts, which have 64 bits.
_MOST_CONV = 1 << 20
_MOST_MACS = 10**18


@frozen
class Layer:
    """One convolution; a matrix product M x K by K x N is a 1 x K filter over an M x K input."""

    name: str
    ifmap_h: int
    ifmap_w: int
    filter_h: int
    filter_w: int
    channels: int
    filters: int
    stride_h: int = 1
    stride_w: int = 1
    sparsity: tuple[int, int] = (1, 1)

    @property
    def ofmap_h(self) -> int:
        """Output rows; where the stride does not divide, the last window runs off the edge."""
        return -(-(self.ifmap_h - self.filter_h + self.stride_h) // self.stride_h)

    @property
    def ofmap_w(self) -> int:
        """Output columns, rounded up like the rows."""
        return -(-(self.ifmap_w - self.filter_w + self.stride_w) // self.stride_w)

    @property
    def m(self) -> int:
        """Output pixels a filter."""
        return self.ofmap_h * self.ofmap_w

    @property
    def n(self) -> int:
        """Filters."""
        return self.filters

    @property
    def k(self) -> int:
        """Words of one window."""
        return self.filter_h * self.filter_w * self.channels

    def unnamed(self) -> Layer:
        """The layer's shape alone."""
        return evolve(self, name="")

    @property
    def macs(self) -> int:
        """Multiply-accumulates, windows over the edge counted in full as SCALE-Sim does."""
        return self.m * self.n * self.k


def gemm_layer(name: str, m: int, n: int, k: int, sparsity: tuple[int, int] = (1, 1)) -> Layer:
    """The layer that multiplies an M x K by a K x N matrix."""
    return Layer(name, m, k, 1, k, 1, n, 1, 1, sparsity)


@frozen
class Topology:
    """The layers of a network, in order, and what the reader had to repair."""

    name: str
    layers: tuple[Layer, ...]
    warnings: tuple[str, ...] = field(default=(), eq=False)


@frozen
class Cell:
    """One field of a row with its place."""

    text: str
    line: int
    column: int


_CONV_COLUMNS = (
    "IFMAP Height",
    "IFMAP Width",
    "Filter Height",
    "Filter Width",
    "Channels",
    "Num Filter",
    "Strides",
)


def split_row(line: int, raw: str) -> list[Cell]:
    """The fields of a row without blanks around them; an empty field after the last comma goes."""
    cells = []
    column = 1
    for part in raw.split(","):
        lead = len(part) - len(part.lstrip())
        cells.append(Cell(part.strip(), line, column + lead))
        column += len(part) + 1
    if not cells[-1].text:
        cells.pop()
    return cells


def cell_number(path: str, cell: Cell, what: str, least: int = 1, most: int = MOST) -> int:
    """The field as a whole number from `least` to `most`."""
    place = f"{path}:{cell.line}:{cell.column}: {what}"
    value = whole(cell.text)
    if value is None:
        raise FormatError(f"{place} wants a whole number up to {most}, not '{cell.text[:40]}'")
    if value < least:
        raise FormatError(f"{place} is {value}; the least is {least}")
    if value > most:
        raise FormatError(f"{place} is {value}; the most is {most}")
    return value


def _ratio(path: str, cell: Cell) -> tuple[int, int]:
    left, _, right = cell.text.partition(":")
    kept, block = whole(left.rstrip()), whole(right.lstrip())
    if kept is None or block is None or not 0 < kept <= block <= MOST:
        raise FormatError(
            f"{path}:{cell.line}:{cell.column}: sparsity wants N:M with N up to M and M up to"
            f" {MOST}, not '{cell.text[:40]}'"
        )
    return kept, block


def _missing(path: str, cells: list[Cell], names: tuple[str, ...]) -> FormatError:
    last = cells[-1]
    wanted = names[len(cells) - 1]
    return FormatError(
        f"{path}:{last.line}:{last.column + len(last.text)}: the row ends before '{wanted}'"
    )


def _gemm_row(path: str, cells: list[Cell]) -> list[Layer]:
    if len(cells) < 4:
        raise _missing(path, cells, ("M", "N", "K"))
    if len(cells) > 5:
        extra = cells[5]
        raise FormatError(f"{path}:{extra.line}:{extra.column}: more fields than M, N, K, N:M")
    m, n, k = (cell_number(path, cell, what) for cell, what in zip(cells[1:4], "MNK", strict=True))
    ratio = _ratio(path, cells[4]) if len(cells) > 4 else (1, 1)
    return [gemm_layer(cells[0].text, m, n, k, ratio)]


def _conv_row(path: str, cells: list[Cell], header: list[Cell]) -> list[Layer]:
    if len(cells) < 8:
        raise _missing(path, cells, _CONV_COLUMNS)
    numbers = [
        cell_number(path, cell, what, most=_MOST_CONV)
        for cell, what in zip(cells[1:8], _CONV_COLUMNS, strict=True)
    ]
    height, width, filter_h, filter_w, channels, filters, stride = numbers
    for axis, size, extent, cell in (
        ("height", filter_h, height, cells[3]),
        ("width", filter_w, width, cells[4]),
    ):
        if size > extent:
            raise FormatError(
                f"{path}:{cell.line}:{cell.column}: filter {axis} {size} is larger than"
                f" its input's {extent}"
            )
    stride_w, ratio = stride, (1, 1)
    rest = cells[8:]
    if rest and ":" not in rest[0].text:
        if len(header) > 8 and "batch" in header[8].text.lower():
            if cell_number(path, rest[0], "Batch Size") != 1:
                raise FormatError(
                    f"{path}:{rest[0].line}:{rest[0].column}: a batch of {rest[0].text};"
                    " only 1 is modelled"
                )
        else:
            stride_w = cell_number(path, rest[0], "column stride", most=_MOST_CONV)
        rest = rest[1:]
    if rest:
        ratio = _ratio(path, rest[0])
        rest = rest[1:]
    if rest:
        raise FormatError(f"{path}:{rest[0].line}:{rest[0].column}: more fields than a layer has")
    layer = Layer(
        cells[0].text,
        height,
        width,
        filter_h,
        filter_w,
        channels,
        filters,
        stride,
        stride_w,
        ratio,
    )
    if "DP" not in layer.name:
        return [layer]
    return [
        evolve(layer, name=f"{layer.name}Channel_{channel}", channels=1)
        for channel in range(channels)
    ]


def parse_topology(path: str, text: str, gemm: bool = False) -> Topology:
    """The network a file describes; `path` gives the name and serves for messages."""
    lines = text.lstrip("\ufeff").splitlines()
    if not any(line.strip() for line in lines):
        raise FormatError(f"{path}:1:1: the file is empty")
    header = split_row(1, lines[0])
    warnings = []
    if len(header) > 3 and all(re.fullmatch(r"\d+", cell.text) for cell in header[1:4]):
        warnings.append(f"{path}:1:1: the first line is the header and is skipped")
    layers: list[Layer] = []
    for number, raw in enumerate(lines[1:], 2):
        if not raw.strip():
            continue
        cells = split_row(number, raw)
        if raw.strip()[-1] != ",":
            last = cells[-1]
            end = last.column + len(last.text)
            warnings.append(f"{path}:{number}:{end}: no comma at the end of the row, added")
        if not cells or not cells[0].text:
            raise FormatError(f"{path}:{number}:1: a layer without a name")
        found = _gemm_row(path, cells) if gemm else _conv_row(path, cells, header)
        if found[0].macs > _MOST_MACS:
            raise FormatError(
                f"{path}:{number}:1: layer '{cells[0].text}' takes {found[0].macs:g}"
                f" multiply-accumulates; the most is {_MOST_MACS:g}"
            )
        layers += found
    if not layers:
        raise FormatError(f"{path}:{len(lines)}:1: no layer after the header line")
    return Topology(Path(path).stem, tuple(layers), tuple(warnings))


def read_topology(path: Path | str, gemm: bool = False) -> Topology:
    """Read a topology file; `gemm` for rows of M, N, K."""
    return parse_topology(str(path), read_text(path), gemm)
