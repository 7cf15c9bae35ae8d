"""Operand matrices by address: A (M x K, the unfolded input), B (K x N, the filters), O (M x N).

A layer is the product O = A B. Every operand's address is a sum of one term for each axis:
A[m, k] = pixel(m) + tap(k), B[k, n] = k + n*K, O[m, n] = m*N + n. For A that holds in the *padded*
image, the input extended to the right and below until the last window fits; a window that runs
off the edge (stride does not divide) then has an address in the padding, which stands for "no
access". Sums instead of matrices are what lets the model run without building any matrix.

Ifmap addresses are channel-last; k counts (filter row, filter column, channel).
"""

from __future__ import annotations

import abc
import enum
from functools import cached_property

import numpy as np
import numpy.typing as npt
from attrs import define, field

from .topology import Layer

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


class Dim(enum.Enum):
    """The three axes of the product."""

    M = "M"
    N = "N"
    K = "K"


@define(slots=False)
class Operand(abc.ABC):
    """One operand: its two axes, their lengths, and the address as a sum over the axes."""

    name: str
    sizes: dict[Dim, int]
    offset: int

    @abc.abstractmethod
    def axis(self, dim: Dim) -> Ints:
        """The address term of every index along `dim`, without the offset."""

    @property
    def space(self) -> int:
        """One more than the largest sum of terms."""
        first, second = self.sizes.values()
        return first * second

    @property
    def unique(self) -> bool:
        """True if no two elements share an address."""
        return True

    @property
    def has_nulls(self) -> bool:
        """True if some element lies off the edge of the input."""
        return False

    def real(self, sums: Ints) -> Ints:
        """Addresses as SCALE-Sim numbers them: offset added, -1 where there is no access."""
        return np.where(sums < self.space, sums + self.offset, -1)


@define(slots=False)
class Filters(Operand):
    """B[k, n] at n*K + k."""

    def axis(self, dim: Dim) -> Ints:
        """Address terms along K or N."""
        terms = np.arange(self.sizes[dim], dtype=np.int64)
        return terms if dim is Dim.K else terms * self.sizes[Dim.K]


@define(slots=False)
class Outputs(Operand):
    """O[m, n] at m*N + n."""

    def axis(self, dim: Dim) -> Ints:
        """Address terms along M or N."""
        terms = np.arange(self.sizes[dim], dtype=np.int64)
        return terms if dim is Dim.N else terms * self.sizes[Dim.N]


@define(slots=False)
class Unfolded(Operand):
    """A[m, k]: the windows of an input image, in the padded image's coordinates."""

    layer: Layer = field(kw_only=True)

    @cached_property
    def height(self) -> int:
        """Rows of the padded image."""
        layer = self.layer
        return max(layer.ifmap_h, (layer.ofmap_h - 1) * layer.stride_h + layer.filter_h)

    @cached_property
    def width(self) -> int:
        """Columns of the padded image."""
        layer = self.layer
        return max(layer.ifmap_w, (layer.ofmap_w - 1) * layer.stride_w + layer.filter_w)

    @property
    def space(self) -> int:
        """Words of the padded image."""
        return self.height * self.width * self.layer.channels

    @cached_property
    def unique(self) -> bool:
        """True if windows do not overlap."""
        layer = self.layer
        rows_apart = layer.ofmap_h == 1 or layer.stride_h >= layer.filter_h
        cols_apart = layer.ofmap_w == 1 or layer.stride_w >= layer.filter_w
        return rows_apart and cols_apart

    @cached_property
    def has_nulls(self) -> bool:
        """True if the last windows run off the edge."""
        return self.height > self.layer.ifmap_h or self.width > self.layer.ifmap_w

    def axis(self, dim: Dim) -> Ints:
        """Address terms along M (pixels) or K (taps) in the padded image."""
        layer = self.layer
        depth = layer.channels
        if dim is Dim.M:
            rows = np.arange(layer.ofmap_h, dtype=np.int64) * (layer.stride_h * self.width * depth)
            cols = np.arange(layer.ofmap_w, dtype=np.int64) * (layer.stride_w * depth)
            return (rows[:, None] + cols).reshape(-1)
        rows = np.arange(layer.filter_h, dtype=np.int64) * (self.width * depth)
        cols = np.arange(layer.filter_w * depth, dtype=np.int64)
        return (rows[:, None] + cols).reshape(-1)

    def padding(self) -> Bools:
        """For every padded address, whether it lies outside the real image."""
        layer = self.layer
        mask = np.zeros((self.height, self.width, layer.channels), dtype=np.bool_)
        mask[layer.ifmap_h :] = True
        mask[:, layer.ifmap_w :] = True
        return mask.reshape(-1)

    def real(self, sums: Ints) -> Ints:
        """Addresses in the real image, -1 off its edge."""
        layer = self.layer
        pixel, channel = np.divmod(sums, layer.channels)
        row, col = np.divmod(pixel, self.width)
        addresses = (row * layer.ifmap_w + col) * layer.channels + channel + self.offset
        return np.where((row < layer.ifmap_h) & (col < layer.ifmap_w), addresses, -1)

    def null_elements(self) -> tuple[Ints, Ints]:
        """All (m, k) off the edge. Only the last output row and column can be."""
        layer = self.layer
        m = np.arange(layer.m, dtype=np.int64).reshape(layer.ofmap_h, layer.ofmap_w)
        k = np.arange(layer.k, dtype=np.int64).reshape(layer.filter_h, -1)
        low_rows = layer.ifmap_h - (layer.ofmap_h - 1) * layer.stride_h
        low_cols = (layer.ifmap_w - (layer.ofmap_w - 1) * layer.stride_w) * layer.channels
        below = _pairs(m[-1], k[max(low_rows, 0) :].reshape(-1))
        right = _pairs(m[:-1, -1], k[:, max(low_cols, 0) :].reshape(-1))
        # The corner's windows are in the last row; only their upper part is still to come.
        corner = _pairs(m[-1, -1:], k[: max(low_rows, 0), max(low_cols, 0) :].reshape(-1))
        parts = (below, right, corner)
        return (
            np.concatenate([part[0] for part in parts]),
            np.concatenate([part[1] for part in parts]),
        )

    def sharers(self, m: int, k: int) -> list[tuple[int, int]]:
        """All (m, k) with the address of the given one, itself included."""
        layer = self.layer
        out_cols, depth = layer.ofmap_w, layer.channels
        stride_h, stride_w, taps = layer.stride_h, layer.stride_w, layer.filter_w
        out_row, out_col = divmod(m, out_cols)
        tap_row, rest = divmod(k, taps * depth)
        tap_col, channel = divmod(rest, depth)
        row = out_row * stride_h + tap_row
        col = out_col * stride_w + tap_col
        rows = _windows(row, stride_h, layer.filter_h, layer.ofmap_h)
        cols = _windows(col, stride_w, taps, out_cols)
        return [
            (
                r * out_cols + c,
                ((row - r * stride_h) * taps + col - c * stride_w) * depth + channel,
            )
            for r in rows
            for c in cols
        ]


def _pairs(first: Ints, second: Ints) -> tuple[Ints, Ints]:
    return np.repeat(first, len(second)), np.tile(second, len(first))


def _windows(place: int, stride: int, size: int, count: int) -> range:
    """The windows along one axis that cover `place`."""
    return range(max(0, -(-(place - size + 1) // stride)), min(count - 1, place // stride) + 1)


def operands(layer: Layer, offsets: tuple[int, int, int]) -> tuple[Unfolded, Filters, Outputs]:
    """The three operands of a layer."""
    m, n, k = layer.m, layer.n, layer.k
    return (
        Unfolded("ifmap", {Dim.M: m, Dim.K: k}, offsets[0], layer=layer),
        Filters("filter", {Dim.K: k, Dim.N: n}, offsets[1]),
        Outputs("ofmap", {Dim.M: m, Dim.N: n}, offsets[2]),
    )
