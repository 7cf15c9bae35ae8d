"""An estimate of the energy of a stream.

Per-bit and per-activation energies of HBM2 are those of O'Connor et al., "Fine-Grained DRAM"
(MICRO 2017): 909 pJ for a row activation, 1.51 pJ/bit from the row buffer to the global sense
amplifiers, 1.17 pJ/bit on to the edge of the die, 0.80 pJ/bit of I/O. A PIM trigger moves a burst
only as far as its unit, in eight units at a time; arithmetic is put at 1.1 pJ a lane and operation
(binary16 in a logic process; a DRAM process may take more). Standby power is left out, so
figures are to be compared with each other, not with a meter.
"""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen

from hcc.isa.pim import BURST_SIZE, LANES, modes
from hcc.isa.pim.requests import Access, Purpose

from .commands import COLUMN_KINDS, Command, Kind
from .specification import MemorySpec

ACTIVATION_PJ = 909.0
ARRAY_PJ_PER_BIT = 1.51
DIE_PJ_PER_BIT = 1.17
IO_PJ_PER_BIT = 0.80
LANE_PJ = 1.1
REFRESH_ROWS = 8  # rows of every bank that one REF restores
_BURST_BITS = 8 * BURST_SIZE


@frozen
class Energy:
    """Picojoules of all channels, by where they go."""

    activation: float = 0.0
    array: float = 0.0
    transfer: float = 0.0
    arithmetic: float = 0.0
    refresh: float = 0.0

    @property
    def total(self) -> float:
        return self.activation + self.array + self.transfer + self.arithmetic + self.refresh


def estimate(
    commands: Sequence[Command],
    accesses: Sequence[Access],
    spec: MemorySpec,
    cycles: int,
    channels: int,
) -> Energy:
    """The energy of a stream's commands in all channels."""
    activations = arrays = transfers = lanes = refreshes = 0
    half = spec.banks // 2
    for command in commands:
        if command.kind is Kind.REF:
            refreshes += 1
        elif command.kind is Kind.ACT:
            purpose = accesses[command.request].purpose
            all_banks = purpose is Purpose.TRIGGER and not command.row & modes.RESERVED_BIT
            activations += half if all_banks else 1
        elif command.kind in COLUMN_KINDS:
            access = accesses[command.request]
            if access.purpose is Purpose.TRIGGER:
                arrays += half
                lanes += 0 if access.is_write else half * LANES
            else:
                arrays += 1
                transfers += 1
    return Energy(
        activation=channels * activations * ACTIVATION_PJ,
        array=channels * arrays * _BURST_BITS * ARRAY_PJ_PER_BIT,
        transfer=channels * transfers * _BURST_BITS * (DIE_PJ_PER_BIT + IO_PJ_PER_BIT),
        arithmetic=channels * lanes * LANE_PJ,
        refresh=channels * refreshes * spec.banks * REFRESH_ROWS * ACTIVATION_PJ,
    )


def host_energy(bytes_moved: int, activations: int) -> float:
    """Picojoules of a host that streams so many bytes over the bus instead."""
    per_bit = ARRAY_PJ_PER_BIT + DIE_PJ_PER_BIT + IO_PJ_PER_BIT
    return bytes_moved * 8 * per_bit + activations * ACTIVATION_PJ
