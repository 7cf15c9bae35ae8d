"""The vendor's magic rows: how plain commands enter and leave the PIM modes.

Rows of a bank are numbered in 14 bits. Rows with bit 12 set hold no data. Activating row
ENTER_ROW in banks 0, 1, 8 and 9 makes the memory take each command for all even or all odd banks
(*half all bank*, HAB); precharging banks 0 and 1 with row LEAVE_ROW open goes back to *single
bank* (SB). In HAB, a WR to CONTROL_ROW column 0 switches PIM operation on or off: from then on
(HAB_PIM) a column command to a row without bit 12 makes every unit take one slot of its program.
"""

from __future__ import annotations

from enum import Enum

ENTER_ROW = 0x17FF
LEAVE_ROW = 0x1FFF
CONTROL_ROW = 0x3FFF
PARK_ROW = 0x1000
RESERVED_BIT = 1 << 12
ROW_MASK = RESERVED_BIT - 1

ENTER_BANKS = (0, 8, 1, 9)
LEAVE_BANKS = (0, 1)
MODE_COLUMN = 0x1F

# Columns of CONTROL_ROW, in bursts.
CONTROL_COLUMN = 0
SRF_COLUMN = 1
CRF_COLUMN = 4  # to 7: eight instructions each
GRF_A_COLUMN = 8  # to 15
GRF_B_COLUMN = 24  # to 31

# Bytes of the control burst.
PIM_ON_BYTE = 0
ALL_GRF_BYTE = 10
TRIGGER_BYTE = 16  # bit 0 masks even banks, bit 1 odd banks, bit 2 lets reserved rows trigger
ZERO_GRF_A_BYTE = 20
ZERO_GRF_B_BYTE = 21


class Mode(Enum):
    """How the memory takes commands."""

    SB = "SB"
    HAB = "HAB"
    HAB_PIM = "HAB_PIM"


def control_burst(
    *,
    pim: bool,
    zero_a: bool = False,
    zero_b: bool = False,
    all_grf: bool = False,
    trigger: int = 0,
) -> bytes:
    """The 32 bytes written to CONTROL_ROW column 0."""
    burst = bytearray(32)
    burst[PIM_ON_BYTE] = pim
    burst[ALL_GRF_BYTE] = all_grf
    burst[TRIGGER_BYTE] = trigger
    burst[ZERO_GRF_A_BYTE] = zero_a
    burst[ZERO_GRF_B_BYTE] = zero_b
    return bytes(burst)
