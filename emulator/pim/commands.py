"""DRAM commands as they go over the bus of a pseudo-channel, and how long they took."""

from __future__ import annotations

from enum import Enum

from attrs import frozen


class Kind(Enum):
    """DRAM commands."""

    ACT = "ACT"
    PRE = "PRE"
    RD = "RD"
    WR = "WR"
    REF = "REF"


COLUMN_KINDS = (Kind.RD, Kind.WR)


@frozen
class Command:
    """A command on the bus. `request` is the index of the access it serves, -1 for none."""

    cycle: int
    kind: Kind
    bank: int
    row: int
    column: int
    request: int
    rank: int = 0
