"""How large each function's frame is at each call, and where it keeps its return address.

Stack maps give a frame's size, but on x86-64 without the arguments that were pushed for the call,
and not where the return address is saved: on AArch64 and RISC-V the prologue stores the link
register. The call-frame information in `.eh_frame` says both (DWARF 5, 6.4): the CFA's distance
from the stack pointer at every instruction, and the register's slot relative to the CFA. Only the
instructions that LLVM emits are understood; others are refused.
"""

from __future__ import annotations

from attrs import define

from hcc.compiler.link.unit import ObjectReloc, RawSection
from hcc.isa.errors import UnsupportedError

# DWARF number of the register that holds the return address in a callee.
_LINK_REGISTER = {"aarch64": 30, "riscv64": 1}


@define
class _Bytes:
    """A cursor over call-frame bytes."""

    content: bytes
    at: int = 0

    def byte(self) -> int:
        self.at += 1
        return self.content[self.at - 1]

    def uint(self, size: int) -> int:
        self.at += size
        return int.from_bytes(self.content[self.at - size : self.at], "little")

    def uleb(self) -> int:
        result = shift = 0
        while True:
            byte = self.byte()
            result |= (byte & 0x7F) << shift
            shift += 7
            if not byte & 0x80:
                return result

    def skip_block(self) -> None:
        """Pass over a length and as many bytes."""
        length = self.uleb()
        self.at += length

    def sleb(self) -> int:
        start = self.at
        result = self.uleb()
        bits = 7 * (self.at - start)
        return result - (1 << bits) if result >> (bits - 1) else result


@define
class FrameRules:
    """The call-frame information of one function.

    `rows` are (offset of the instruction, CFA minus stack pointer) in ascending order;
    `link_offset` is where the return address is, relative to the CFA, or None where it stays in
    the link register.
    """

    rows: list[tuple[int, int]]
    link_offset: int | None

    def cfa_offset(self, at: int) -> int:
        """The CFA's distance from the stack pointer just before the offset `at`."""
        return next(offset for start, offset in reversed(self.rows) if start < at)


def read_frames(section: RawSection | None, arch: str) -> dict[str, FrameRules]:
    """The rules of every function of an object, by section name."""
    if section is None:
        return {}
    starts: dict[int, ObjectReloc] = {}
    for reloc in section.relocs:
        starts.setdefault(reloc.offset, reloc)
    data = _Bytes(section.content)
    cies: dict[int, _Cie] = {}
    result: dict[str, FrameRules] = {}
    while data.at + 4 <= len(section.content):
        entry = data.at
        length = data.uint(4)
        if length == 0:
            break
        end = data.at + length
        pointer_at = data.at
        pointer = data.uint(4)
        if pointer == 0:
            cies[entry] = _read_cie(data, end, arch)
        else:
            place = starts[data.at].place
            data.at += 8  # pc_begin and pc_range, both 32-bit
            data.skip_block()  # augmentation data
            rules = _Rows(cies[pointer_at - pointer], _LINK_REGISTER.get(arch))
            rules.run(data, end)
            link = -8 if arch == "x86_64" else rules.link_offset
            result[place.section or place.symbol] = FrameRules(rules.rows, link)
        data.at = end
    return result


@define
class _Cie:
    """What all functions of an object share."""

    code_factor: int
    data_factor: int
    cfa_offset: int


def _read_cie(data: _Bytes, end: int, arch: str) -> _Cie:
    version = data.byte()
    stop = data.content.index(b"\0", data.at)
    augmentation = data.content[data.at : stop]
    data.at = stop + 1
    cie = _Cie(data.uleb(), data.sleb(), 0)
    if version != 1 or augmentation != b"zR":
        raise UnsupportedError(f".eh_frame with CIE version {version}, {augmentation!r}")
    data.uleb()  # return-address register
    data.skip_block()  # augmentation data
    rows = _Rows(cie, None)
    rows.run(data, end)
    cie.cfa_offset = rows.rows[-1][1]
    return cie


class _Rows:
    """Executes call-frame instructions, keeping the CFA offset and where one register is saved."""

    def __init__(self, cie: _Cie, register: int | None) -> None:
        self.cie = cie
        self.register = register
        self.location = 0
        self.rows = [(-1, cie.cfa_offset)]
        self.saved: list[int] = []
        self.link_offset: int | None = None

    def set_cfa(self, offset: int) -> None:
        self.rows.append((self.location, offset))

    def run(self, data: _Bytes, end: int) -> None:
        while data.at < end:
            opcode = data.byte()
            high, low = opcode & 0xC0, opcode & 0x3F
            if high == 0x40:  # advance_loc
                self.location += low * self.cie.code_factor
            elif high == 0x80:  # offset
                self.save(low, data.uleb())
            elif high == 0x00:
                self.extended(opcode, data)

    def save(self, register: int, offset: int) -> None:
        if register == self.register:
            self.link_offset = offset * self.cie.data_factor

    def extended(self, opcode: int, data: _Bytes) -> None:
        match opcode:
            case 0x00 | 0x2D:  # nop, negate_ra_state
                pass
            case 0x02 | 0x03 | 0x04:  # advance_loc1, 2, 4
                self.location += data.uint(1 << (opcode - 2)) * self.cie.code_factor
            case 0x05:  # offset_extended
                self.save(data.uleb(), data.uleb())
            case 0x06 | 0x07 | 0x08 | 0x0D:  # restore_extended, undefined, same_value, cfa register
                data.uleb()
            case 0x0A:  # remember_state
                self.saved.append(self.rows[-1][1])
            case 0x0B:  # restore_state
                self.set_cfa(self.saved.pop())
            case 0x0C:  # def_cfa
                data.uleb()
                self.set_cfa(data.uleb())
            case 0x0E:  # def_cfa_offset
                self.set_cfa(data.uleb())
            case 0x10 | 0x16:  # expression, val_expression: other registers' slots
                data.uleb()
                data.skip_block()
            case 0x2E:  # GNU_args_size
                data.uleb()
            case _:
                raise UnsupportedError(f"call-frame instruction {opcode:#x}")
