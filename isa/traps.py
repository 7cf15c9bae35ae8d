"""Why compiled code stops by itself: the codes it passes to `__hcc_trap`.

The arguments are a code, with the kind in the low byte and the source line above it, and the
address of the function, so that the report can name both whether or not the program carries debug
information and however it was inlined.
"""

from __future__ import annotations

from enum import Enum

SYMBOL = "__hcc_trap"
LINE_SHIFT = 8


class TrapCode(Enum):
    """Kind of trap: code, the Linux signal it stands for, what the report says."""

    DIVIDE = (1, 8, "division by zero")
    OVERFLOW = (2, 8, "overflow in signed division")
    ABORT = (3, 4, "trap")
    UNREACHABLE = (5, 4, "reached code marked unreachable")
    RESUME = (4, 4, "activation record with an unknown site")

    def __init__(self, code: int, signal: int, text: str) -> None:
        self.code = code
        self.signal = signal
        self.text = text

    def argument(self, line: int) -> int:
        """What generated code passes for a trap of this kind on a source line."""
        return self.code | (line << LINE_SHIFT)


BY_CODE = {trap.code: trap for trap in TrapCode}
BY_NAME = {trap.name.lower(): trap for trap in TrapCode}
