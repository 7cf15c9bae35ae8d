"""Bytes to instructions: capstone names them, the tables below read their operands.

capstone 5 knows which of RV64GC's encodings are instructions and what they are called, but its
operand lists are those of the assembly text: `blez a1` has lost x0, `ret` has no operand at all,
`c.ld` gives displacement and base apart where `ld` gives a memory operand, and dynamic rounding
is not told from none. The fields of the encoding are regular, so operands are read from them
(unprivileged ISA, 2.3 and 16), and a compressed instruction becomes the instruction
that the manual says it expands to: the semantics know no compressed instructions.

Branch and jump targets are absolute `Imm`s; `Insn.extra` is the static rounding mode of an
instruction that has one and None where the mode is dynamic.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import capstone

from hcc.isa.arch import Imm, Insn, Mem, Operand, Reg
from hcc.isa.builder import Rounding
from hcc.isa.errors import HccError, UnsupportedError
from hcc.isa.riscv64.registers import F, X

# Operand fields of each 32-bit instruction, in the order of the manual's assembly.
_FORMATS_TEXT = """
xd x1 x2: add sub sll slt sltu xor srl sra or and addw subw sllw srlw sraw
xd x1 x2: mul mulh mulhsu mulhu mulw div divu divw divuw rem remu remw remuw
xd x1 imm: addi slti sltiu xori ori andi addiw jalr
xd x1 shamt: slli srli srai slliw srliw sraiw
xd upper: lui auipc
xd jump: jal
x1 x2 branch: beq bne blt bge bltu bgeu
xd m8: lb lbu
xd m16: lh lhu
xd m32: lw lwu
xd m64: ld
x2 s8: sb
x2 s16: sh
x2 s32: sw
x2 s64: sd
: fence fence.tso fence.i ecall ebreak unimp
xd csr x1: csrrw csrrs csrrc
xd csr zimm: csrrwi csrrsi csrrci
xd a32: lr.w
xd a64: lr.d
xd x2 a32: sc.w amoswap.w amoadd.w amoxor.w amoand.w amoor.w amomin.w amomax.w amominu.w amomaxu.w
xd x2 a64: sc.d amoswap.d amoadd.d amoxor.d amoand.d amoor.d amomin.d amomax.d amominu.d amomaxu.d
sd m32: flw
dd m64: fld
s2 s32: fsw
d2 s64: fsd
sd s1 s2: fadd.s fsub.s fmul.s fdiv.s fmin.s fmax.s fsgnj.s fsgnjn.s fsgnjx.s
dd d1 d2: fadd.d fsub.d fmul.d fdiv.d fmin.d fmax.d fsgnj.d fsgnjn.d fsgnjx.d
sd s1 s2 s3: fmadd.s fmsub.s fnmsub.s fnmadd.s
dd d1 d2 d3: fmadd.d fmsub.d fnmsub.d fnmadd.d
sd s1: fsqrt.s
dd d1: fsqrt.d
xd s1 s2: feq.s flt.s fle.s
xd d1 d2: feq.d flt.d fle.d
xd s1: fclass.s fmv.x.w fcvt.w.s fcvt.wu.s fcvt.l.s fcvt.lu.s
xd d1: fclass.d fmv.x.d fcvt.w.d fcvt.wu.d fcvt.l.d fcvt.lu.d
sd x1: fmv.w.x fcvt.s.w fcvt.s.wu fcvt.s.l fcvt.s.lu
dd x1: fmv.d.x fcvt.d.w fcvt.d.wu fcvt.d.l fcvt.d.lu
sd d1: fcvt.s.d
dd s1: fcvt.d.s
"""

# Compressed instructions: what each expands to (16), and where its operands are.
_COMPRESSED_TEXT = """
c.addi4spn: addi xd' sp imm4spn
c.fld: fld dd' m64'
c.lw: lw xd' m32'
c.ld: ld xd' m64'
c.fsd: fsd dd' m64'
c.sw: sw xd' m32'
c.sd: sd xd' m64'
c.nop: addi zero zero imm6
c.addi: addi xd xd imm6
c.addiw: addiw xd xd imm6
c.li: addi xd zero imm6
c.addi16sp: addi sp sp imm16sp
c.lui: lui xd upper6
c.srli: srli x1' x1' shamt6
c.srai: srai x1' x1' shamt6
c.andi: andi x1' x1' imm6
c.sub: sub x1' x1' xd'
c.xor: xor x1' x1' xd'
c.or: or x1' x1' xd'
c.and: and x1' x1' xd'
c.subw: subw x1' x1' xd'
c.addw: addw x1' x1' xd'
c.j: jal zero jump11
c.beqz: beq x1' zero branch8
c.bnez: bne x1' zero branch8
c.slli: slli xd xd shamt6
c.fldsp: fld dd m64sp
c.lwsp: lw xd m32sp
c.ldsp: ld xd m64sp
c.jr: jalr zero xd none
c.mv: add xd zero x2c
c.ebreak: ebreak
c.jalr: jalr ra xd none
c.add: add xd xd x2c
c.fsdsp: fsd d2c s64sp
c.swsp: sw x2c s32sp
c.sdsp: sd x2c s64sp
c.unimp: unimp
"""

_X = tuple(Reg(name, 64) for name in X)
_S = tuple(Reg(name, 32) for name in F)
_D = tuple(Reg(name, 64) for name in F)
_BASES = (None, *X[1:])
_ZERO_IMM = Imm(0)


def _signed(value: int, bits: int) -> int:
    sign = 1 << (bits - 1)
    return (value ^ sign) - sign


def _bits(word: int, *parts: tuple[int, int, int]) -> int:
    """The sum of fields `(high, low, at)`: bits high..low of the word, placed at bit `at`."""
    return sum(((word >> low) & ((1 << (high - low + 1)) - 1)) << at for high, low, at in parts)


def _jump(w: int, addr: int) -> Imm:
    offset = _bits(w, (31, 31, 20), (30, 21, 1), (20, 20, 11), (19, 12, 12))
    return Imm(_wrap(addr + _signed(offset, 21)))


def _branch(w: int, addr: int) -> Imm:
    offset = _bits(w, (31, 31, 12), (30, 25, 5), (11, 8, 1), (7, 7, 11))
    return Imm(_wrap(addr + _signed(offset, 13)))


def _jump11(w: int, addr: int) -> Imm:
    parts = (12, 12, 11), (11, 11, 4), (10, 9, 8), (8, 8, 10), (7, 7, 6), (6, 6, 7), (5, 3, 1)
    return Imm(_wrap(addr + _signed(_bits(w, *parts, (2, 2, 5)), 12)))


def _branch8(w: int, addr: int) -> Imm:
    offset = _bits(w, (12, 12, 8), (11, 10, 3), (6, 5, 6), (4, 3, 1), (2, 2, 5))
    return Imm(_wrap(addr + _signed(offset, 9)))


def _wrap(addr: int) -> int:
    return addr & 0xFFFF_FFFF_FFFF_FFFF


def _imm6(w: int) -> int:
    return _signed(_bits(w, (12, 12, 5), (6, 2, 0)), 6)


def _imm16sp(w: int, addr: int) -> Imm:
    parts = (12, 12, 9), (6, 6, 4), (5, 5, 6), (4, 3, 7), (2, 2, 5)
    return Imm(_signed(_bits(w, *parts), 10))


def _imm4spn(w: int, addr: int) -> Imm:
    return Imm(_bits(w, (12, 11, 4), (10, 7, 6), (6, 6, 2), (5, 5, 3)))


def _csr(w: int, addr: int) -> Imm:
    number = w >> 20
    if number not in (1, 2, 3):
        raise UnsupportedError(f"control and status register {number:#x} at {addr:#x}")
    return Imm(number)


Field = Callable[[int, int], Operand]


def _loads(bits: int) -> Field:
    return lambda w, addr: Mem(_BASES[w >> 15 & 31], _signed(w >> 20, 12), bits=bits)


def _stores(bits: int) -> Field:
    def store(w: int, addr: int) -> Mem:
        return Mem(_BASES[w >> 15 & 31], _signed(w >> 25 << 5 | w >> 7 & 31, 12), bits=bits)

    return store


def _atomic(bits: int) -> Field:
    return lambda w, addr: Mem(_BASES[w >> 15 & 31], bits=bits)


def _sp_mem(bits: int, *parts: tuple[int, int, int]) -> Field:
    return lambda w, addr: Mem("x2", _bits(w, *parts), bits=bits)


_FIELDS: dict[str, Field] = {
    "xd": lambda w, addr: _X[w >> 7 & 31],
    "x1": lambda w, addr: _X[w >> 15 & 31],
    "x2": lambda w, addr: _X[w >> 20 & 31],
    "sd": lambda w, addr: _S[w >> 7 & 31],
    "s1": lambda w, addr: _S[w >> 15 & 31],
    "s2": lambda w, addr: _S[w >> 20 & 31],
    "s3": lambda w, addr: _S[w >> 27],
    "dd": lambda w, addr: _D[w >> 7 & 31],
    "d1": lambda w, addr: _D[w >> 15 & 31],
    "d2": lambda w, addr: _D[w >> 20 & 31],
    "d3": lambda w, addr: _D[w >> 27],
    "imm": lambda w, addr: Imm(_signed(w >> 20, 12)),
    "shamt": lambda w, addr: Imm(w >> 20 & 63),
    "zimm": lambda w, addr: Imm(w >> 15 & 31),
    "upper": lambda w, addr: Imm(_signed(w & 0xFFFFF000, 32)),
    "csr": _csr,
    "jump": _jump,
    "branch": _branch,
    **{f"m{bits}": _loads(bits) for bits in (8, 16, 32, 64)},
    **{f"s{bits}": _stores(bits) for bits in (8, 16, 32, 64)},
    **{f"a{bits}": _atomic(bits) for bits in (32, 64)},
    # compressed: three-bit register fields name x8..x15 and f8..f15
    "zero": lambda w, addr: _X[0],
    "ra": lambda w, addr: _X[1],
    "sp": lambda w, addr: _X[2],
    "none": lambda w, addr: _ZERO_IMM,
    "xd'": lambda w, addr: _X[8 + (w >> 2 & 7)],
    "x1'": lambda w, addr: _X[8 + (w >> 7 & 7)],
    "dd'": lambda w, addr: _D[8 + (w >> 2 & 7)],
    "x2c": lambda w, addr: _X[w >> 2 & 31],
    "d2c": lambda w, addr: _D[w >> 2 & 31],
    "imm6": lambda w, addr: Imm(_imm6(w)),
    "upper6": lambda w, addr: Imm(_imm6(w) << 12),
    "shamt6": lambda w, addr: Imm(w >> 7 & 32 | w >> 2 & 31),
    "imm16sp": _imm16sp,
    "imm4spn": _imm4spn,
    "jump11": _jump11,
    "branch8": _branch8,
    "m32'": lambda w, addr: Mem(
        X[8 + (w >> 7 & 7)], _bits(w, (12, 10, 3), (6, 6, 2), (5, 5, 6)), bits=32
    ),
    "m64'": lambda w, addr: Mem(X[8 + (w >> 7 & 7)], _bits(w, (12, 10, 3), (6, 5, 6)), bits=64),
    "m32sp": _sp_mem(32, (12, 12, 5), (6, 4, 2), (3, 2, 6)),
    "m64sp": _sp_mem(64, (12, 12, 5), (6, 5, 3), (4, 2, 6)),
    "s32sp": _sp_mem(32, (12, 9, 2), (8, 7, 6)),
    "s64sp": _sp_mem(64, (12, 10, 3), (9, 7, 6)),
}


def _fields(names: str) -> tuple[Field, ...]:
    return tuple(_FIELDS[name] for name in names.split())


def _tables() -> dict[str, tuple[str, tuple[Field, ...]]]:
    """capstone's name of an instruction -> our mnemonic and its operand fields."""
    table = {}
    for line in _FORMATS_TEXT.strip().splitlines():
        names, _, mnemonics = line.partition(":")
        for mnemonic in mnemonics.split():
            table[mnemonic] = (mnemonic, _fields(names))
            if mnemonic.startswith(("lr.", "sc.", "amo")):
                # One hart: the ordering bits aq and rl have nothing to order.
                for order in ("aq", "rl", "aqrl"):
                    table[f"{mnemonic}.{order}"] = table[mnemonic]
    for line in _COMPRESSED_TEXT.strip().splitlines():
        name, _, expansion = line.partition(": ")
        mnemonic, _, names = expansion.partition(" ")
        table[name] = (mnemonic, _fields(names))
    return table


_TABLE = _tables()

_ROUNDINGS = {
    0: Rounding.NEAREST_EVEN,
    1: Rounding.TOWARD_ZERO,
    2: Rounding.DOWN,
    3: Rounding.UP,
    4: Rounding.NEAREST_AWAY,
    7: None,  # dynamic: by fcsr.frm, which only ever holds the default
}
# Instructions whose bits 14..12 are a rounding mode; those of arithmetic must be the default.
_CONVERSIONS = frozenset(name for name in _TABLE if name.startswith("fcvt."))
_ARITHMETIC = frozenset(
    f"f{name}.{width}"
    for name in ("add", "sub", "mul", "div", "sqrt", "madd", "msub", "nmsub", "nmadd")
    for width in "sd"
)
_TARGETS = frozenset(("jal", "beq", "bne", "blt", "bge", "bltu", "bgeu"))


@cache
def _disassembler() -> tuple[Any, dict[int, str]]:
    """capstone for RV64GC, and the names of the instruction ids seen so far."""
    mode = capstone.CS_MODE_RISCV64 | capstone.CS_MODE_RISCVC
    return capstone.Cs(capstone.CS_ARCH_RISCV, mode), {}


def decode(raw: bytes, addr: int) -> Insn:
    """The instruction that starts `raw`; HccError if RV64GC has none there."""
    size = 4 if raw and raw[0] & 3 == 3 else 2
    content = raw[:size]
    if len(content) < size:
        raise HccError(f"truncated instruction {content.hex(' ')} at {addr:#x}")
    disassembler, names = _disassembler()
    for found in disassembler.disasm(content, addr, 1):
        name = names.get(found.id)
        if name is None:
            name = names[found.id] = disassembler.insn_name(found.id)
        entry = _TABLE.get(name)
        if entry is None:
            raise UnsupportedError(f"{name} ({content.hex(' ')}) at {addr:#x}")
        break
    else:
        raise HccError(f"no instruction: {content.hex(' ')} at {addr:#x}")
    mnemonic, fields = entry
    word = int.from_bytes(content, "little")
    operands = tuple([read(word, addr) for read in fields])
    text = f"{found.mnemonic} {found.op_str}" if found.op_str else found.mnemonic
    if mnemonic in _TARGETS:
        # capstone prints the distance; every other ISA's disassembly prints the address.
        target = operands[-1]
        assert isinstance(target, Imm)
        text = f"{text.rpartition(' ')[0]} {target.value:#x}"
    extra = None
    if mnemonic in _CONVERSIONS or mnemonic in _ARITHMETIC:
        field = word >> 12 & 7
        if field not in _ROUNDINGS:
            raise HccError(f"reserved rounding mode in {text} ({content.hex(' ')}) at {addr:#x}")
        if field not in (0, 7) and mnemonic in _ARITHMETIC:
            raise UnsupportedError(f"rounding mode of {text} ({content.hex(' ')}) at {addr:#x}")
        extra = _ROUNDINGS[field]
    return Insn(addr, size, mnemonic, operands, text, extra)
