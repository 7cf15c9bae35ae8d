"""Bytes to instructions: capstone disassembles, this module reads its text.

Capstone gives operands as text and as a structure (`detail`). The text is printed by tables
generated from Arm's own description and is complete: every field of every instruction that hcc
knows shows in it. The structure is filled by hand-written code, costs ten times as much to fetch
from Python, and lacks what the text has (arrangement of scalars, lists, some aliases). So the text
is parsed; the registers it may name are made once.

The mnemonic of an `Insn` is the manual's, with these changes, each to give one key one meaning:

* the SIMD form of an instruction that exists for general registers too has " (vector)" added, as
  in the manual's headings;
* the aliases `mov` to, from and between lanes go back to `ins`, `umov` and `dup`;
* `b.eq` ... `b.nv` are all `b.cond`.

`extra` holds what is not an operand: the condition, the system register, the shift of an immediate.
"""

from __future__ import annotations

import re
import struct
from functools import cache

import capstone

from hcc.isa.aarch64.operands import (
    ZERO_REGISTER,
    Addressing,
    Lanes,
    Modifier,
    WriteBack,
    is_simd,
    lanes,
)
from hcc.isa.arch import Imm, Insn, Mem, Operand, Reg
from hcc.isa.errors import HccError

# Mnemonics that name an instruction on general registers and another on SIMD registers.
TWINS = frozenset((
    "add", "and", "bic", "clz", "cls", "eor", "mov", "mul", "mvn", "neg", "orn", "orr", "rbit",
    "rev16", "rev32", "smull", "sub", "umull",
))  # fmt: skip

_MODIFIERS = frozenset((
    "lsl", "lsr", "asr", "ror", "msl", "uxtb", "uxth", "uxtw", "uxtx", "sxtb", "sxth", "sxtw",
    "sxtx",
))  # fmt: skip
_SCALAR_BITS = {"b": 8, "h": 16, "s": 32, "d": 64, "q": 128}
_TOKEN = re.compile(r"\[[^]]*\]!?|\{[^}]*\}(?:\[\w+\])?|[^,\s][^,]*")
_VECTOR = re.compile(r"v(\d+)\.(\d*)([bhsdq])(?:\[(\w+)\])?")


def _registers() -> dict[str, Reg]:
    """Every general and scalar register by its assembly name."""
    table = {
        "sp": Reg("sp", 64),
        "wsp": Reg("sp", 32),
        "xzr": Reg(ZERO_REGISTER, 64),
        "wzr": Reg(ZERO_REGISTER, 32),
    }
    for i in range(31):
        table[f"x{i}"] = Reg(f"x{i}", 64)
        table[f"w{i}"] = Reg(f"x{i}", 32)
    for i in range(32):
        for letter, bits in _SCALAR_BITS.items():
            table[f"{letter}{i}"] = Reg(f"v{i}", bits, extra=Lanes(bits, 1))
    return table


_REGISTERS = _registers()


@cache
def _vector(token: str) -> Reg | None:
    """`v3.4s` or `v3.s[1]`."""
    match = _VECTOR.fullmatch(token)
    if match is None:
        return None
    number, count, letter, index = match.groups()
    bits = _SCALAR_BITS[letter]
    if index is not None:
        return Reg(f"v{number}", bits, extra=Lanes(bits, 128 // bits, int(index, 0)))
    lanes = int(count) if count else 128 // bits
    return Reg(f"v{number}", bits * lanes, extra=Lanes(bits, lanes))


@cache
def _vector_list(token: str) -> tuple[Reg, ...]:
    """`{v0.4s, v1.4s}` or `{v0.s, v1.s}[2]`."""
    inside, _, index = token[1:].partition("}")
    vectors = [_vector(part.strip() + index) for part in inside.split(",")]
    return tuple(v for v in vectors if v is not None)


@cache
def _modified(register: Reg, token: str) -> Reg:
    kind, _, amount = token.partition(" #")
    return Reg(register.name, register.bits, extra=Modifier(kind, int(amount or "0", 0)))


@cache
def _memory(token: str) -> Mem:
    """`[x0, #8]!`, `[x0, w1, sxtw #2]` ..."""
    writeback = WriteBack.PRE if token.endswith("!") else WriteBack.NONE
    parts = [part.strip() for part in token.rstrip("!")[1:-1].split(",")]
    base = _REGISTERS[parts[0]].name
    if len(parts) == 1:
        return Mem(base)
    if parts[1].startswith("#"):
        addressing = Addressing(writeback) if writeback is WriteBack.PRE else None
        return Mem(base, int(parts[1][1:], 0), extra=addressing)
    index = _REGISTERS[parts[1]]
    kind, _, amount = parts[2].partition(" #") if len(parts) == 3 else ("lsl", "", "0")
    extend = kind if index.bits == 32 else None
    return Mem(
        base,
        index=index.name,
        scale=1 << int(amount or "0", 0),
        extra=Addressing(extend=extend) if extend else None,
    )


def _immediate(text: str) -> int:
    """An integer, or the bits of the double for a floating-point immediate."""
    if "." in text:
        bits: int = struct.unpack("<Q", struct.pack("<d", float(text)))[0]
        return bits
    return int(text, 0)


@cache
def _engine() -> capstone.Cs:
    return capstone.Cs(capstone.CS_ARCH_ARM64, capstone.CS_MODE_LITTLE_ENDIAN)


def _operands(op_str: str) -> tuple[list[Operand], object]:
    operands: list[Operand] = []
    extra: object = None
    for token in _TOKEN.findall(op_str):
        register = _REGISTERS.get(token)
        if register is not None:
            _append(operands, register)
        elif token[0] == "#":
            _append(operands, Imm(_immediate(token[1:])))
        elif token[0] == "[":
            operands.append(_memory(token))
        elif token[0] == "{":
            operands += _vector_list(token)
        elif (register := _vector(token)) is not None:
            operands.append(register)
        elif token.partition(" ")[0] in _MODIFIERS:
            last = operands[-1]
            if isinstance(last, Reg):
                operands[-1] = _modified(last, token)
            else:
                assert isinstance(last, Imm)
                kind, _, amount = token.partition(" #")
                extra = Modifier(kind, int(amount, 0))
                ones = (1 << extra.amount) - 1 if kind == "msl" else 0
                operands[-1] = Imm(last.value << extra.amount | ones)
        else:
            extra = token
    return operands, extra


def _append(operands: list[Operand], operand: Reg | Imm) -> None:
    """Add an operand; one behind a memory operand is the amount of post-indexing."""
    last = operands[-1] if operands else None
    if not isinstance(last, Mem):
        operands.append(operand)
    elif isinstance(operand, Imm):
        # capstone prints some negative ones as unsigned 64-bit numbers
        disp = operand.value - (1 << 64) if operand.value >> 63 == 1 else operand.value
        operands[-1] = Mem(last.base, disp, extra=Addressing(WriteBack.POST))
    else:
        operands[-1] = Mem(last.base, index=operand.name, extra=Addressing(WriteBack.POST))


def _key(mnemonic: str, operands: list[Operand], extra: object) -> tuple[str, object]:
    """The key of the semantics table, and `extra`."""
    if mnemonic.startswith("b."):
        return "b.cond", mnemonic[2:]
    if mnemonic == "mov":
        target, source = operands
        if not is_simd(target):
            return ("umov" if is_simd(source) else "mov"), extra
        if target.extra.index is not None:
            return "ins", extra
        return ("mov (vector)" if target.extra.count > 1 else "dup"), extra
    if mnemonic in TWINS and is_simd(operands[0]):
        return f"{mnemonic} (vector)", extra
    return mnemonic, extra


def _computes_in_half_precision(mnemonic: str, operands: list[Operand]) -> bool:
    """FEAT_FP16, which hcc does not have; conversions from and to half are of Armv8.0."""
    if mnemonic[0] != "f" and not mnemonic.endswith("cvtf"):
        return False
    halves = any(is_simd(operand) and lanes(operand).bits == 16 for operand in operands)
    return halves and mnemonic.rstrip("2") not in ("fcvt", "fcvtl", "fcvtn")


def decode(raw: bytes, addr: int) -> Insn:
    """The instruction in the first four bytes; HccError if they are none that hcc decodes."""
    word = raw[:4]
    if len(word) == 4 and not word[3] & 0b0001_1000 and word[2:] != b"\0\0":
        # op0 (bits 28 to 25) of 00x0 and 00x1: reserved, SVE and SME (C4.1).
        raise HccError(f"unallocated or scalable-vector encoding: {_place(word, addr)}")
    for _, size, mnemonic, op_str in _engine().disasm_lite(word, addr, 1):
        operands, extra = _operands(op_str)
        if _computes_in_half_precision(mnemonic, operands):
            raise HccError(f"half-precision arithmetic ({mnemonic}): {_place(word, addr)}")
        key, extra = _key(mnemonic, operands, extra)
        text = f"{mnemonic} {op_str}" if op_str else mnemonic
        return Insn(addr, size, key, tuple(operands), text, extra)
    raise HccError(f"no AArch64 instruction: {_place(word, addr)}")


def _place(word: bytes, addr: int) -> str:
    return f"bytes {word.hex(' ')} at {addr:#x}"
