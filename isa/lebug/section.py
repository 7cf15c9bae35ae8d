"""The section `.hcc.lebug` of a fat binary: the firmware of each unit, by unit number.

    4s "HLSE" · u16 version · u16 count · then for each unit: u32 number · u32 size · bytecode

Each bytecode container carries its own version and checksum.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping

from ..errors import FormatError, HccError
from .bytecode import SECTION, decode, encode
from .chain import Firmware

MAGIC = b"HLSE"
VERSION = 1

_HEAD = struct.Struct("<4sHH")
_ENTRY = struct.Struct("<II")


def pack_section(units: Mapping[int, Firmware]) -> bytes:
    """The section's bytes, units in ascending order."""
    if len(units) > 0xFFFF or not all(0 <= unit < 1 << 32 for unit in units):
        raise HccError(f"{SECTION}: units are numbered 0 to 2^32 - 1, at most 65535 of them")
    parts = [_HEAD.pack(MAGIC, VERSION, len(units))]
    for unit, firmware in sorted(units.items()):
        data = encode(firmware)
        parts += [_ENTRY.pack(unit, len(data)), data]
    return b"".join(parts)


def unpack_section(data: bytes, source: str = SECTION) -> dict[int, Firmware]:
    """Unit numbers and their firmware; FormatError for anything but a whole section."""
    if len(data) < _HEAD.size or data[:4] != MAGIC:
        raise FormatError(f"{source}: not a section of LeBug firmware")
    _, version, count = _HEAD.unpack_from(data)
    if version != VERSION:
        raise FormatError(f"{source}: section version {version}; this hcc reads {VERSION}")
    units: dict[int, Firmware] = {}
    at = _HEAD.size
    for _ in range(count):
        if at + _ENTRY.size > len(data):
            raise FormatError(f"{source}: truncated after {len(units)} of {count} units")
        unit, size = _ENTRY.unpack_from(data, at)
        at += _ENTRY.size
        if unit in units:
            raise FormatError(f"{source}: unit {unit} appears twice")
        units[unit] = decode(data[at : at + size], f"{source}: unit {unit}")
        at += size
    if at != len(data):
        raise FormatError(f"{source}: {len(data) - at} bytes after the last unit")
    return units
