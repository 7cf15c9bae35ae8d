"""Where the members of a struct or union lie: the System V rules, bit-fields and packing included.

A bit-field of declared type T goes into the next free bits unless it would then cross a boundary
of T's size, in which case it starts at that boundary; a width of 0 moves on to it. A named
bit-field lends the record T's alignment. In a packed record nothing is aligned and bit-fields
follow each other without gaps. All three psABIs agree on this for what C programs can see
(AArch64 lets unnamed bit-fields raise the alignment too; hcc follows x86-64 and RISC-V there).
"""

from __future__ import annotations

from hcc.compiler.kernelc.types import CONST, ArrayType, Member, Record, RecordType, all_quals


def align_up(value: int, align: int) -> int:
    return (value + align - 1) // align * align


def lay_out(record: Record, members: list[Member], aligns: list[int], min_align: int) -> None:
    """Give the members their offsets and complete the record. `aligns` has for each member the
    alignment an attribute asks for (0: none), `min_align` that of the whole record."""
    end = 0  # in bits
    align = 1
    for member, asked in zip(members, aligns, strict=True):
        natural = max(1 if member.packed else member.type.align, asked)
        if record.is_union:
            end_before, end = end, 0
        if member.width is not None:
            end = _place_bit_field(member, end, asked)
            if member.name:
                align = max(align, natural)
        else:
            end = align_up(end, natural * 8)
            member.offset = end // 8
            end += member.type.size * 8
            align = max(align, natural)
        if record.is_union:
            end = max(end_before, end)
        _publish(record, member)
    record.members = [m for m in members if m.name or m.type.is_record]
    record.align = max(align, min_align)
    record.size = align_up(align_up(end, 8) // 8, record.align)
    record.has_const = any(_is_const(m) for m in members)
    last = members[-1].type if members else None
    record.has_flexible_array = isinstance(last, ArrayType) and not last.complete
    record.complete = True


def _place_bit_field(member: Member, end: int, asked: int) -> int:
    """Place a bit-field at or after bit `end`; return the bit after it."""
    width = member.width
    assert width is not None
    unit = member.type.size * 8
    if width == 0:
        return align_up(end, max(unit, asked * 8))
    if asked:
        end = align_up(end, asked * 8)
    if not member.packed and end % unit + width > unit:
        end = align_up(end, unit)
    member.bit = end
    member.offset = end // 8
    return end + width


def _publish(record: Record, member: Member) -> None:
    """Make a member's name known, and those of an anonymous record's members."""
    if member.name:
        record.by_name[member.name] = (member,)
    elif isinstance(member.type, RecordType) and member.width is None:
        for name, path in member.type.record.by_name.items():
            record.by_name[name] = (member, *path)


def _is_const(member: Member) -> bool:
    if all_quals(member.type) & CONST:
        return True
    type_ = member.type
    while isinstance(type_, ArrayType):
        type_ = type_.element
    return isinstance(type_, RecordType) and type_.record.has_const
