"""The instrumentation units beside a process: what `hcc_tap` in a program sends its values to.

A unit belongs to the process, not to a CPU: engines and ISAs come and go while it stays, and a
snapshot carries its state as the bytes that the unit itself makes of it.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Self

from hcc.emulator.lebug import InstrumentationUnit, Mode
from hcc.emulator.memory import Memory
from hcc.isa.errors import FormatError, HccError
from hcc.isa.lebug import Firmware
from hcc.isa.lebug.tap import FRAME_MASK, TYPE_MASK, TYPE_SHIFT, ElementType

# More than any vector has; a wrong length is caught before so much memory is read.
MAX_ELEMENTS = 1 << 24


class Instruments:
    """Units by the number that programs give them."""

    def __init__(self, units: Mapping[int, InstrumentationUnit]) -> None:
        self.units = dict(units)

    @classmethod
    def of(cls, firmware: Mapping[int, Firmware], mode: Mode) -> Self:
        """Fresh units, one for each firmware."""
        return cls({n: InstrumentationUnit(f, mode) for n, f in firmware.items()})

    def tap(self, memory: Memory, number: int, addr: int, count: int, flags: int) -> None:
        """Send `count` elements in guest memory to a unit; nothing happens where there is none.

        HccError names the unit for what it cannot take, MemoryFault is the caller's.
        """
        unit = self.units.get(number)
        if unit is None:
            return
        kind = flags >> TYPE_SHIFT & TYPE_MASK
        if kind > max(ElementType):
            raise HccError(f"hcc_tap: unit {number}: no such element type: {kind}")
        if count > MAX_ELEMENTS:
            raise HccError(f"hcc_tap: unit {number}: a vector of {count} elements")
        element = ElementType(kind)
        content = memory.read(addr, count * element.size)
        try:
            unit.tap_bytes(content, element, flags & FRAME_MASK)
        except HccError as error:
            raise HccError(f"hcc_tap: unit {number}: {error}") from error

    def state(self) -> dict[str, str]:
        """All units' states, as a snapshot keeps them; the inverse is `restored`."""
        return {
            str(number): base64.b64encode(unit.snapshot()).decode()
            for number, unit in self.units.items()
        }

    @classmethod
    def restored(cls, state: Mapping[str, str], source: str = "snapshot") -> Self:
        """The units of a state; FormatError if it is not one."""
        units = {}
        for number, text in state.items():
            place = f"{source}: unit {number}"
            try:
                content = base64.b64decode(text, validate=True)
            except (binascii.Error, ValueError, TypeError) as error:
                raise FormatError(f"{place}: {error}") from error
            units[int(number)] = InstrumentationUnit.restore(content, place)
        return cls(units)
