"""Reads LLVM's stack maps (`.llvm_stackmaps`, version 3: "Stack maps and patch points").

LLVM writes one record per call with a deopt bundle. Its first three locations are of the call
itself (calling convention, flags, number of deopt values); then come the bundles of the virtual
frames, outermost first, each led by function id, site id and count.
"""

from __future__ import annotations

import struct

from attrs import frozen

from hcc.compiler.link.unit import TEXT_PREFIX, ObjectRecord, RawSection
from hcc.isa.errors import UnsupportedError
from hcc.isa.sites import Slot, VirtualFrame

# Kinds of location.
_IN_MEMORY, _SMALL_CONSTANT, _POOL_CONSTANT = 3, 4, 5
_STACK_POINTERS = {"x86_64": 7, "aarch64": 31, "riscv64": 2}
_LOCATION = struct.Struct("<BxHHxxi")


@frozen
class _Function:
    """A function of the stack map: its section, where it starts there, frame and records."""

    section: str
    start: int
    frame_size: int
    records: int


def read_records(
    section: RawSection | None, return_slots: dict[tuple[str, int], int], arch: str
) -> tuple[ObjectRecord, ...]:
    """The records of an object; `return_slots` comes from `frames`."""
    if section is None:
        return ()
    data = section.content
    version, functions, constants, _ = struct.unpack_from("<BxxxIII", data)
    if version != 3:
        raise UnsupportedError(f"stack maps of version {version}")
    targets = {r.offset: r for r in section.relocs}
    at = 16
    heads = []
    for _ in range(functions):
        _, size, count = struct.unpack_from("<QQQ", data, at)
        place, addend = targets[at].place, targets[at].addend
        name = place.section or TEXT_PREFIX + place.symbol
        if size >= 1 << 63:
            raise UnsupportedError(f"'{name}' has a frame of dynamic size")
        heads.append(_Function(name, place.offset + addend, size, count))
        at += 24
    pool = struct.unpack_from(f"<{constants}Q", data, at)
    at += 8 * constants
    result = []
    for head in heads:
        # The call instruction of x86-64 pushed the return address above the frame.
        slot = head.frame_size
        if arch != "x86_64" and head.records:
            slot += return_slots[head.section, head.start]
        name = head.section.removeprefix(TEXT_PREFIX)
        for _ in range(head.records):
            _, offset, _, count = struct.unpack_from("<QIHH", data, at)
            at += 16
            places = [_LOCATION.unpack_from(data, at + 12 * i) for i in range(count)]
            at += 12 * count
            at = -(-at // 8) * 8
            (live_outs,) = struct.unpack_from("<xxH", data, at)
            at = -(-(at + 4 + 4 * live_outs) // 8) * 8
            frames = _virtual_frames([_slot(p, pool, arch, name) for p in places[3:]])
            offset += head.start
            result.append(ObjectRecord(name, offset, head.frame_size, slot, frames))
    return tuple(result)


def _slot(place: tuple[int, ...], pool: tuple[int, ...], arch: str, function: str) -> Slot:
    kind, size, register, value = place
    if kind == _SMALL_CONSTANT:
        return Slot(False, value & 0xFFFF_FFFF_FFFF_FFFF, size)
    if kind == _POOL_CONSTANT:
        return Slot(False, pool[value], size)
    if kind == _IN_MEMORY and register == _STACK_POINTERS[arch]:
        return Slot(True, value, size)
    raise UnsupportedError(
        f"'{function}' on {arch}: a live value in a location of kind {kind}, register {register}"
    )


def _virtual_frames(slots: list[Slot]) -> tuple[VirtualFrame, ...]:
    frames = []
    at = 0
    while at < len(slots):
        function, site, count = (slot.value for slot in slots[at : at + 3])
        frames.append(VirtualFrame(function, site, tuple(slots[at + 3 : at + 3 + count])))
        at += 3 + count
    return tuple(frames)
