"""From bytes to `Insn`, by capstone.

Capstone's Python objects cost several times what the disassembly itself does, so the C functions
are called directly and the operands read from the raw detail record in one `struct` pass; where
its fields lie is asked of capstone's own ctypes declarations.

What is put right or made uniform here, so that no semantics need know of it:

* Mnemonics are one word: `movabs` is `mov`, the prefixes lock, bnd, notrack and repz that capstone
  writes before a mnemonic are dropped, and string instructions lose their size suffix (`movsd`
  the string move would else be `movsd` the scalar one) and carry "rep" or "repne" in `extra`.
* rip-relative operands become absolute: `next_addr + disp` in `disp`, without base.
* Segments other than fs and gs, whose base is zero in 64-bit mode, are dropped.
* An address-size prefix (67) makes addresses of 32 bits: `Mem.extra` is 32.
* comisd and comiss have their memory operand's size (capstone says 128 bits).
"""

from __future__ import annotations

import ctypes
import struct
from functools import cache
from typing import Any

import capstone
from attrs import define
from capstone import x86 as cx86
from capstone import x86_const as cx

from hcc.isa.arch import Imm, Insn, Mem, Operand, Reg
from hcc.isa.errors import HccError, UnsupportedError
from hcc.isa.x86_64.registers import GENERAL, VECTOR

_MOST_BYTES = 15  # SDM vol. 2, 2.3.11

_STRING = {
    f"{name}{suffix}": name
    for name in ("movs", "stos", "lods", "scas", "cmps")
    for suffix in "bwdq"
}
_REPEATS = {"rep": "rep", "repe": "rep", "repz": "rep", "repne": "repne", "repnz": "repne"}
_IGNORED_PREFIXES = frozenset({"lock", "bnd", "notrack", "data16"} | set(_REPEATS))

# Sizes of memory operands that capstone 5 gets wrong.
_SIZES = {b"comiss": 32, b"comisd": 64}

# struct cs_x86_op: type; then reg, imm or mem (segment, base, index, scale, disp); size
_REG_OP = struct.Struct("<I")
_IMM_OP = struct.Struct("<q")
_MEM_OP = struct.Struct("<IIIiq")
_OP_SIZE = ctypes.sizeof(cx86.X86Op)
_VALUE = cx86.X86Op.value.offset
_BYTES = cx86.X86Op.size.offset
_OPERANDS = cx86.CsX86.operands.offset
_COUNT = cx86.CsX86.op_count.offset
_RECORD = _OPERANDS + 4 * _OP_SIZE  # no instruction of ours has more than four operands


def _register_names() -> dict[str, Reg]:
    """Every register name that may appear as an operand, as what part of which register it is."""
    table = {name: Reg(name, 128) for name in VECTOR}
    for n, name in enumerate(GENERAL):
        parts: tuple[str, ...]
        if n < 8:
            short = name[1:]
            low = short[0] + "l" if short.endswith("x") else short + "l"
            parts = (low, short, "e" + short, name)
            if short.endswith("x"):
                table[short[0] + "h"] = Reg(name, 8, high=True)
        else:
            parts = (name + "b", name + "w", name + "d", name)
        for part, bits in zip(parts, (8, 16, 32, 64), strict=True):
            table[part] = Reg(name, bits)
    return table


@define
class _Decoder:
    """Capstone's handle and what its numbers mean to us."""

    engine: capstone.Cs
    disassemble: Any
    free: Any
    registers: dict[int, Reg]
    mnemonics: dict[bytes, tuple[str, str | None]]


@cache
def _decoder() -> _Decoder:
    engine = capstone.Cs(capstone.CS_ARCH_X86, capstone.CS_MODE_64)
    engine.detail = True
    names = _register_names()
    numbers = {n: engine.reg_name(n) for n in range(1, cx.X86_REG_ENDING)}
    registers = {n: names[name] for n, name in numbers.items() if name in names}
    return _Decoder(engine, capstone._cs.cs_disasm, capstone._cs.cs_free, registers, {})


_InsnPointer = ctypes.POINTER(capstone._cs_insn)


def decode(raw: bytes, addr: int) -> Insn:
    """The instruction that `raw` begins with, at `addr`.

    Raises HccError where there is none, UnsupportedError where it has operands that the register
    file lacks (x87, AVX, control registers).
    """
    decoder = _decoder()
    code = raw[:_MOST_BYTES]
    result = _InsnPointer()
    if not decoder.disassemble(decoder.engine.csh, code, len(code), addr, 1, ctypes.byref(result)):
        raise HccError(f"no x86-64 instruction at {addr:#x}: bytes {code.hex(' ')}")
    found = result[0]
    mnemonic, op_str, size = found.mnemonic, found.op_str, found.size
    record = ctypes.string_at(ctypes.addressof(found.detail.contents.arch), _RECORD)
    decoder.free(result, 1)
    text = f"{mnemonic.decode()} {op_str.decode()}".rstrip()
    operands = []
    for at in range(_OPERANDS, _OPERANDS + record[_COUNT] * _OP_SIZE, _OP_SIZE):
        operand = _operand(record, at, addr + size, _SIZES.get(mnemonic), decoder.registers)
        if operand is None:
            raise UnsupportedError(
                f"operand of '{text}' at {addr:#x} is not supported: bytes {code[:size].hex(' ')}"
            )
        operands.append(operand)
    known = decoder.mnemonics.get(mnemonic)
    if known is None:
        known = decoder.mnemonics[mnemonic] = _split_mnemonic(mnemonic.decode())
    name, repeat = known
    if name in _STRING and not any(_is_vector(operand) for operand in operands):
        if any(isinstance(operand, Mem) and operand.extra == 32 for operand in operands):
            raise UnsupportedError(f"'{text}' at {addr:#x}: 32-bit addresses are not supported")
        return Insn(addr, size, _STRING[name], tuple(operands), text, repeat)
    return Insn(addr, size, name, tuple(operands), text)


def _is_vector(operand: Operand) -> bool:
    """Whether this operand makes `movsd` the SSE2 instruction, not the string move."""
    return isinstance(operand, Reg) and operand.bits == 128


def _split_mnemonic(text: str) -> tuple[str, str | None]:
    """The instruction's name and its repeat prefix."""
    *prefixes, name = text.split()
    repeat = None
    for prefix in prefixes:
        if prefix not in _IGNORED_PREFIXES:
            raise UnsupportedError(f"prefix of '{text}' is not supported")
        repeat = _REPEATS.get(prefix, repeat)
    return ("mov" if name == "movabs" else name), repeat


def _operand(
    record: bytes, at: int, next_addr: int, size: int | None, registers: dict[int, Reg]
) -> Operand | None:
    """The operand at an offset of the detail record; None where it names a foreign register.

    `size` is the size in bits of a memory operand where capstone's is wrong.
    """
    match record[at]:
        case cx.X86_OP_REG:
            return registers.get(_REG_OP.unpack_from(record, at + _VALUE)[0])
        case cx.X86_OP_IMM:
            return Imm(_IMM_OP.unpack_from(record, at + _VALUE)[0])
    segment, base, index, scale, disp = _MEM_OP.unpack_from(record, at + _VALUE)
    bits = size or 8 * record[at + _BYTES]
    segment_base = None
    if segment == cx.X86_REG_FS:
        segment_base = "fs_base"
    elif segment == cx.X86_REG_GS:
        segment_base = "gs_base"
    if base == cx.X86_REG_RIP:
        return Mem(None, disp + next_addr, None, 1, bits, segment_base)
    narrow = None
    base_name = index_name = None
    if base:
        register = registers.get(base)
        if register is None:
            return None
        base_name, narrow = register.name, register.bits
    if index and index not in (cx.X86_REG_RIZ, cx.X86_REG_EIZ):
        register = registers.get(index)
        if register is None:
            return None
        index_name, narrow = register.name, register.bits
    return Mem(base_name, disp, index_name, scale, bits, segment_base, 32 if narrow == 32 else None)
