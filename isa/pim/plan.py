"""A kernel ready to run: its program, its requests, and where its operands lie.

The compiler makes a `Plan`; the runtime packs the operands' values by it, hands the requests to
the emulated memory, and unpacks the results. `Packed` is what packing gives: whole rows of the
banks, and the bursts the host sends while the kernel runs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

import numpy as np
from attrs import field, frozen
from numpy.typing import NDArray

from .instructions import Dialect, Instruction
from .requests import Access

Bits = NDArray[np.uint16]
Half = NDArray[np.float16]


@frozen
class Packed:
    """Values in the memory's shape.

    `rows` are [channel, bank, burst, lane] by row number; `streams` [channel or 1, burst, lane]
    by operand name. All are bit patterns of binary16.
    """

    rows: Mapping[int, Bits] = field(factory=dict, repr=False)
    streams: Mapping[str, Bits] = field(factory=dict, repr=False)


@frozen
class Place:
    """Where an operand lies, for a reader: name, shape, and the rule in words."""

    name: str
    shape: tuple[int, ...]
    rule: str


class RowReader(Protocol):
    """How results are fetched: the bits of a row, [channel, bank, burst, lane]."""

    def __call__(self, row: int, /) -> Bits: ...


@frozen
class Plan:
    """One kernel for `channels` pseudo-channels that take the same requests.

    `pack` turns named input arrays into memory contents; `unpack` computes the results from rows
    read back, doing what the host does (adding partial sums, cutting padding).
    """

    kernel: str
    dialect: Dialect
    channels: int
    program: tuple[Instruction, ...]
    accesses: tuple[Access, ...] = field(repr=False)
    constants: Mapping[str, list[bytes]] = field(repr=False)
    places: tuple[Place, ...]
    pack: Callable[[Mapping[str, Half]], Packed] = field(repr=False)
    unpack: Callable[[RowReader], Half] = field(repr=False)
    work: int = 0  # triggers that compute, per channel
    note: str = ""
