"""What a host sends to a PIM memory: one burst read or written, in order.

A stream is what the compiler plans, what the memory's controller turns into DRAM commands, and
what the units take as triggers. Data to be written is named, not held: `operand` and `index`
choose a burst of an array that is bound when the stream runs, which may differ between
pseudo-channels although the addresses do not. A request with `barrier` is a fence: nothing
younger may be served before it.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum

from attrs import define, field, frozen

from .encoding import encode
from .instructions import CRF_LENGTH, NOP, Instruction
from .modes import (
    CONTROL_COLUMN,
    CONTROL_ROW,
    CRF_COLUMN,
    ENTER_BANKS,
    ENTER_ROW,
    LEAVE_BANKS,
    LEAVE_ROW,
    MODE_COLUMN,
)


class Purpose(Enum):
    """Why a request is made; what its cycles are booked under."""

    MODE = "mode switch"
    PROGRAM = "program"
    OPERAND = "operand transfer"
    TRIGGER = "work"
    DATA = "data"


@frozen
class Access:
    """One burst, in every channel the stream is for."""

    is_write: bool
    bank: int
    row: int
    column: int
    barrier: bool = False
    tag: str = ""
    purpose: Purpose = Purpose.TRIGGER
    operand: str = ""
    index: int = 0


@define
class Stream:
    """Requests being put together, with the constant bursts they write."""

    bursts_per_row: int = 32
    accesses: list[Access] = field(factory=list)
    constants: dict[str, list[bytes]] = field(factory=dict)

    def add(
        self, is_write: bool, bank: int, row: int, column: int, count: int = 1, *,
        barrier: bool = False, tag: str = "", purpose: Purpose = Purpose.TRIGGER,
        operand: str = "", index: int = 0,
    ) -> None:  # fmt: skip
        """`count` successive bursts, over row ends; the barrier goes to the last."""
        for step in range(count):
            at = column + step
            self.accesses.append(
                Access(
                    is_write, bank, row + at // self.bursts_per_row, at % self.bursts_per_row,
                    barrier and step == count - 1, tag, purpose, operand, index + step,
                )
            )  # fmt: skip

    def read(self, bank: int, row: int, column: int, count: int = 1, *, barrier: bool = False,
             tag: str = "") -> None:  # fmt: skip
        """Triggers by RD."""
        self.add(False, bank, row, column, count, barrier=barrier, tag=tag)

    def write(self, bank: int, row: int, column: int, count: int = 1, *, barrier: bool = False,
              tag: str = "") -> None:  # fmt: skip
        """Triggers by WR, whose data nobody takes."""
        self.add(True, bank, row, column, count, barrier=barrier, tag=tag)

    def constant(self, name: str, burst: bytes) -> int:
        """The index under which `burst` can be written as operand `name`."""
        known = self.constants.setdefault(name, [])
        if burst not in known:
            known.append(burst)
        return known.index(burst)

    def control(self, bank: int, burst: bytes, *, barrier: bool = False, tag: str = "PIM") -> None:
        """Write the control register."""
        index = self.constant("#control", burst)
        self.add(
            True, bank, CONTROL_ROW, CONTROL_COLUMN, barrier=barrier, tag=tag,
            purpose=Purpose.MODE, operand="#control", index=index,
        )  # fmt: skip

    def program(
        self, bank: int, instructions: Sequence[Instruction], *, barrier: bool = False
    ) -> None:
        """Write the command file, as many bursts as the program needs."""
        words = [encode(instruction) for instruction in instructions]
        words += [encode(NOP)] * (-len(words) % 8)
        assert len(words) <= CRF_LENGTH
        for first in range(0, len(words), 8):
            burst = b"".join(word.to_bytes(4, "little") for word in words[first : first + 8])
            self.add(
                True, bank, CONTROL_ROW, CRF_COLUMN + first // 8,
                barrier=barrier and first + 8 >= len(words), tag="PROGRAM_CRF",
                purpose=Purpose.PROGRAM, operand="#crf", index=self.constant("#crf", burst),
            )  # fmt: skip

    def enter(self, banks: Sequence[int] = ENTER_BANKS, *, barrier: bool = False) -> None:
        """SB to HAB."""
        for position, bank in enumerate(banks):
            last = position == len(banks) - 1
            self.add(True, bank, ENTER_ROW, MODE_COLUMN, barrier=barrier and last,
                     tag="SB_TO_HAB", purpose=Purpose.MODE)  # fmt: skip

    def leave(self, *, is_write: bool = False, barrier: bool = False) -> None:
        """HAB to SB."""
        for position, bank in enumerate(LEAVE_BANKS):
            last = position == len(LEAVE_BANKS) - 1
            self.add(is_write, bank, LEAVE_ROW, MODE_COLUMN, barrier=barrier and last,
                     tag="HAB_TO_SB", purpose=Purpose.MODE)  # fmt: skip

    def barrier(self) -> None:
        """Fence off what came so far."""
        if self.accesses:
            last = self.accesses[-1]
            self.accesses[-1] = Access(
                last.is_write, last.bank, last.row, last.column, True, last.tag, last.purpose,
                last.operand, last.index,
            )  # fmt: skip
