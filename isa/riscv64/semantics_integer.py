"""RV64I, M, A and Zicsr: what the integer instructions mean (unprivileged ISA, 2, 5, 7, 8, 9).

`a` and `b` below are the two source values at the width of the operation.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hcc.isa.arch import Imm, Insn, Mem, Operand, Reg, Semantics
from hcc.isa.builder import Builder, JumpKind, Trap
from hcc.isa.riscv64.operands import address, read, write
from hcc.isa.values import int_type

Binary = Callable[[Builder, Any, Any], Any]


def _binary(f: Binary, bits: int = 64) -> Semantics:
    """rd = f(rs1, rs2 or immediate) on `bits` bits."""

    def semantics(m: Builder, insn: Insn) -> None:
        rd, a, b = insn.operands
        write(m, rd, f(m, read(m, a, bits), read(m, b, bits)))

    return semantics


def _shift(name: str) -> Binary:
    """The count is the low 5 or 6 bits of the second operand."""

    def shift(m: Builder, a: Any, b: Any) -> Any:
        return getattr(m, name)(a, m.and_(b, m.same(b, a.ty.bits - 1)))

    return shift


def _set_if(name: str) -> Binary:
    return lambda m, a, b: m.zext(getattr(m, name)(a, b), 64)


def _high(signed_a: bool, signed_b: bool) -> Binary:
    """The upper 64 bits of a 128-bit product."""

    def high(m: Builder, a: Any, b: Any) -> Any:
        wide_a = m.sext(a, 128) if signed_a else m.zext(a, 128)
        wide_b = m.sext(b, 128) if signed_b else m.zext(b, 128)
        product = m.mul(wide_a, wide_b)
        return m.trunc(m.lshr(product, m.same(product, 64)), 64)

    return high


def _divide(signed: bool, remainder: bool) -> Binary:
    """Division never traps: x / 0 = -1, x % 0 = x, INT_MIN / -1 = INT_MIN, INT_MIN % -1 = 0 (7.2).

    A divisor of 1 stands in where the operation itself would not do; it gives three of the four.
    """

    def divide(m: Builder, a: Any, b: Any) -> Any:
        by_zero = m.eq(b, m.same(b, 0))
        unusable = by_zero
        if signed:
            least = m.eq(a, m.same(a, 1 << (a.ty.bits - 1)))
            unusable = m.or_(by_zero, m.and_(least, m.eq(b, m.same(b, -1))))
        divisor = m.select(unusable, m.same(b, 1), b)
        if remainder:
            result = (m.srem if signed else m.urem)(a, divisor)
            return m.select(by_zero, a, result)
        result = (m.sdiv if signed else m.udiv)(a, divisor)
        return m.select(by_zero, m.same(a, -1), result)

    return divide


def _lui(m: Builder, insn: Insn) -> None:
    rd, upper = insn.operands
    write(m, rd, read(m, upper))


def _auipc(m: Builder, insn: Insn) -> None:
    rd, upper = insn.operands
    write(m, rd, m.add(m.i64(insn.addr), read(m, upper)))


_LINKS = ("x1", "x5")  # the registers that mark calls and returns (2.5)


def _is_link(operand: Operand) -> bool:
    return isinstance(operand, Reg) and operand.name in _LINKS


def _jal(m: Builder, insn: Insn) -> None:
    rd, target = insn.operands
    write(m, rd, m.i64(insn.next_addr))
    m.jump(read(m, target), JumpKind.CALL if _is_link(rd) else JumpKind.PLAIN)


def _jalr(m: Builder, insn: Insn) -> None:
    rd, base, offset = insn.operands
    target = m.and_(m.add(read(m, base), read(m, offset)), m.i64(-2))
    write(m, rd, m.i64(insn.next_addr))
    if _is_link(rd):
        kind = JumpKind.CALL
    else:
        kind = JumpKind.RETURN if _is_link(base) else JumpKind.PLAIN
    m.jump(target, kind)


def _branch(condition: Callable[[Builder, Any, Any], Any]) -> Semantics:
    def semantics(m: Builder, insn: Insn) -> None:
        a, b, target = insn.operands
        assert isinstance(target, Imm)
        m.branch(condition(m, read(m, a), read(m, b)), target.value)

    return semantics


def _load(signed: bool) -> Semantics:
    """A load into x0 still accesses memory."""

    def semantics(m: Builder, insn: Insn) -> None:
        rd, mem = insn.operands
        assert isinstance(mem, Mem)
        value = m.load(address(m, mem), mem.bits)
        write(m, rd, value if signed else m.zext(value, 64))

    return semantics


def _store(m: Builder, insn: Insn) -> None:
    rs2, mem = insn.operands
    assert isinstance(mem, Mem)
    m.store(address(m, mem), read(m, rs2, mem.bits))


def _fence(m: Builder, insn: Insn) -> None:
    """One hart and no self-modifying code: nothing to order."""


def _atomic_address(m: Builder, operand: Operand) -> Any:
    """Atomics must be aligned to their size (8.2, 8.4)."""
    assert isinstance(operand, Mem)
    addr = address(m, operand)
    low = m.and_(addr, m.i64(operand.bits // 8 - 1))
    m.trap_if(m.ne(low, m.i64(0)), Trap.ALIGN)
    return addr


def _lr(m: Builder, insn: Insn) -> None:
    rd, mem = insn.operands
    assert isinstance(mem, Mem)
    write(m, rd, m.load(_atomic_address(m, mem), mem.bits))


def _sc(m: Builder, insn: Insn) -> None:
    """Succeeds always: a single hart never loses its reservation."""
    rd, rs2, mem = insn.operands
    assert isinstance(mem, Mem)
    m.store(_atomic_address(m, mem), read(m, rs2, mem.bits))
    write(m, rd, m.i64(0))


def _amo(f: Binary) -> Semantics:
    def semantics(m: Builder, insn: Insn) -> None:
        rd, rs2, mem = insn.operands
        assert isinstance(mem, Mem)
        addr = _atomic_address(m, mem)
        old = m.load(addr, mem.bits)
        m.store(addr, f(m, old, read(m, rs2, mem.bits)))
        write(m, rd, old)

    return semantics


def _csr(f: Binary) -> Semantics:
    """fflags, frm and fcsr; a rounding mode other than nearest-even is refused (11.2).

    The exception flags hold what was written to them; operations do not raise them.
    """

    def semantics(m: Builder, insn: Insn) -> None:
        rd, csr, source = insn.operands
        assert isinstance(csr, Imm)
        low, bits = {1: (0, 5), 2: (5, 3), 3: (0, 8)}[csr.value]
        fcsr = m.get("fcsr")
        i32 = int_type(32)
        mask = m.const(i32, (1 << bits) - 1)
        old = m.and_(m.lshr(fcsr, m.const(i32, low)), mask)
        unchanged = source.value == 0 if isinstance(source, Imm) else source == Reg("x0", 64)
        if unchanged and f is not _csr_write:  # csrrs and csrrc with nothing to set or clear
            write(m, rd, m.zext(old, 64))
            return
        new = m.and_(f(m, old, read(m, source, 32)), mask)
        others = m.and_(fcsr, m.const(i32, ~(((1 << bits) - 1) << low)))
        value = m.or_(others, m.shl(new, m.const(i32, low)))
        m.trap_if(m.ne(m.and_(value, m.const(i32, 0xE0)), m.const(i32, 0)), Trap.ILLEGAL)
        m.set("fcsr", value)
        write(m, rd, m.zext(old, 64))

    return semantics


def _csr_write(m: Builder, old: Any, source: Any) -> Any:
    return source


def _minimum(name: str, larger: bool) -> Binary:
    def choose(m: Builder, a: Any, b: Any) -> Any:
        less = getattr(m, name)(a, b)
        return m.select(less, b, a) if larger else m.select(less, a, b)

    return choose


_ARITHMETIC: dict[str, Binary] = {
    "add": lambda m, a, b: m.add(a, b),
    "sub": lambda m, a, b: m.sub(a, b),
    "and": lambda m, a, b: m.and_(a, b),
    "or": lambda m, a, b: m.or_(a, b),
    "xor": lambda m, a, b: m.xor(a, b),
    "sll": _shift("shl"),
    "srl": _shift("lshr"),
    "sra": _shift("ashr"),
    "slt": _set_if("slt"),
    "sltu": _set_if("ult"),
    "mul": lambda m, a, b: m.mul(a, b),
    "mulh": _high(True, True),
    "mulhsu": _high(True, False),
    "mulhu": _high(False, False),
    "div": _divide(signed=True, remainder=False),
    "divu": _divide(signed=False, remainder=False),
    "rem": _divide(signed=True, remainder=True),
    "remu": _divide(signed=False, remainder=True),
}
_IMMEDIATES = {
    "addi": "add", "andi": "and", "ori": "or", "xori": "xor", "slti": "slt", "sltiu": "sltu",
    "slli": "sll", "srli": "srl", "srai": "sra",
}  # fmt: skip
_WORDS = {
    "addw": "add", "subw": "sub", "sllw": "sll", "srlw": "srl", "sraw": "sra", "mulw": "mul",
    "divw": "div", "divuw": "divu", "remw": "rem", "remuw": "remu",
    "addiw": "add", "slliw": "sll", "srliw": "srl", "sraiw": "sra",
}  # fmt: skip
_ATOMICS: dict[str, Binary] = {
    "swap": lambda m, old, new: new,
    "min": _minimum("slt", larger=False),
    "max": _minimum("slt", larger=True),
    "minu": _minimum("ult", larger=False),
    "maxu": _minimum("ult", larger=True),
    **{name: _ARITHMETIC[name] for name in ("add", "xor", "and", "or")},
}

TABLE: dict[str, Semantics] = {
    **{name: _binary(f) for name, f in _ARITHMETIC.items()},
    **{name: _binary(_ARITHMETIC[base]) for name, base in _IMMEDIATES.items()},
    **{name: _binary(_ARITHMETIC[base], bits=32) for name, base in _WORDS.items()},
    "lui": _lui,
    "auipc": _auipc,
    "jal": _jal,
    "jalr": _jalr,
    "beq": _branch(lambda m, a, b: m.eq(a, b)),
    "bne": _branch(lambda m, a, b: m.ne(a, b)),
    "blt": _branch(lambda m, a, b: m.slt(a, b)),
    "bge": _branch(lambda m, a, b: m.sle(b, a)),
    "bltu": _branch(lambda m, a, b: m.ult(a, b)),
    "bgeu": _branch(lambda m, a, b: m.ule(b, a)),
    **{name: _load(signed=True) for name in ("lb", "lh", "lw", "ld")},
    **{name: _load(signed=False) for name in ("lbu", "lhu", "lwu")},
    **dict.fromkeys(("sb", "sh", "sw", "sd"), _store),
    **dict.fromkeys(("fence", "fence.tso", "fence.i"), _fence),
    "ecall": lambda m, insn: m.syscall(),
    "ebreak": lambda m, insn: m.trap(Trap.BREAKPOINT),
    "unimp": lambda m, insn: m.trap(Trap.ILLEGAL),
    **{f"lr.{size}": _lr for size in "wd"},
    **{f"sc.{size}": _sc for size in "wd"},
    **{f"amo{name}.{size}": _amo(f) for name, f in _ATOMICS.items() for size in "wd"},
    **{f"csrrw{i}": _csr(_csr_write) for i in ("", "i")},
    **{f"csrrs{i}": _csr(lambda m, old, s: m.or_(old, s)) for i in ("", "i")},
    **{f"csrrc{i}": _csr(lambda m, old, s: m.and_(old, m.not_(s))) for i in ("", "i")},
}
