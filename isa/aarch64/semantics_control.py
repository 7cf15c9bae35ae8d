"""Branches, system calls, traps, system registers, barriers and hints (Arm ARM, C3.1, C3.2)."""

from __future__ import annotations

from hcc.isa.aarch64.access import condition, read, register, set_flags, write
from hcc.isa.aarch64.operands import imm, reg
from hcc.isa.arch import Insn, Semantics
from hcc.isa.builder import Builder, JumpKind, Trap
from hcc.isa.values import I32


def _b(m: Builder, insn: Insn) -> None:
    m.jump(m.i64(imm(insn, 0)))


def _bl(m: Builder, insn: Insn) -> None:
    m.set("x30", m.i64(insn.next_addr))
    m.jump(m.i64(imm(insn, 0)), JumpKind.CALL)


def _br(m: Builder, insn: Insn) -> None:
    m.jump(read(m, insn.operands[0]))


def _blr(m: Builder, insn: Insn) -> None:
    target = read(m, insn.operands[0])
    m.set("x30", m.i64(insn.next_addr))
    m.jump(target, JumpKind.CALL)


def _ret(m: Builder, insn: Insn) -> None:
    target = read(m, insn.operands[0]) if insn.operands else m.get("x30")
    m.jump(target, JumpKind.RETURN)


def _b_cond(m: Builder, insn: Insn) -> None:
    m.branch(condition(m, insn.extra), imm(insn, 0))


def _compare_and_branch(nonzero: bool) -> Semantics:
    def semantics(m: Builder, insn: Insn) -> None:
        value = read(m, insn.operands[0])
        zero = m.same(value, 0)
        m.branch(m.ne(value, zero) if nonzero else m.eq(value, zero), imm(insn, 1))

    return semantics


def _test_and_branch(nonzero: bool) -> Semantics:
    def semantics(m: Builder, insn: Insn) -> None:
        value = read(m, insn.operands[0])
        bit, zero = m.and_(value, m.same(value, 1 << imm(insn, 1))), m.same(value, 0)
        m.branch(m.ne(bit, zero) if nonzero else m.eq(bit, zero), imm(insn, 2))

    return semantics


def _svc(m: Builder, insn: Insn) -> None:
    m.syscall()


def _brk(m: Builder, insn: Insn) -> None:
    m.trap(Trap.BREAKPOINT)


def _udf(m: Builder, insn: Insn) -> None:
    m.trap(Trap.ILLEGAL)


def _nothing(m: Builder, insn: Insn) -> None:
    """Hints, and barriers, which a single thread in program order does not notice."""


# ---- system registers; the ones hcc does not have trap, as those of EL1 do at EL0 ----

_NZCV = (("nf", 31), ("zf", 30), ("cf", 29), ("vf", 28))


def _mrs(m: Builder, insn: Insn) -> None:
    match insn.extra:
        case "tpidr_el0":
            value = m.get("tpidr_el0")
        case "fpcr" | "fpsr":
            value = m.zext(m.get(insn.extra), 64)
        case "nzcv":
            value = m.i64(0)
            for flag, bit in _NZCV:
                value = m.or_(value, m.shl(m.zext(m.get(flag), 64), m.i64(bit)))
        case _:
            m.trap(Trap.ILLEGAL)
            return
    write(m, reg(insn, 0), value)


def _msr(m: Builder, insn: Insn) -> None:
    value = register(m, reg(insn, 0).name, 64) if insn.operands else None
    match insn.extra:
        case "tpidr_el0":
            m.set("tpidr_el0", value)
        case "fpcr":
            # Rounding to nearest, denormals kept, NaNs propagated: all that hcc does.
            m.trap_if(m.ne(m.trunc(value, 32), m.const(I32, 0)), Trap.ILLEGAL)
            m.set("fpcr", m.trunc(value, 32))
        case "fpsr":
            m.set("fpsr", m.trunc(value, 32))
        case "nzcv":
            bits = [m.trunc(m.lshr(value, m.i64(bit)), 1) for _, bit in _NZCV]
            set_flags(m, *bits)
        case _:
            m.trap(Trap.ILLEGAL)


TABLE: dict[str, Semantics] = {
    "b": _b,
    "bl": _bl,
    "br": _br,
    "blr": _blr,
    "ret": _ret,
    "b.cond": _b_cond,
    "cbz": _compare_and_branch(nonzero=False),
    "cbnz": _compare_and_branch(nonzero=True),
    "tbz": _test_and_branch(nonzero=False),
    "tbnz": _test_and_branch(nonzero=True),
    "svc": _svc,
    "brk": _brk,
    "udf": _udf,
    "mrs": _mrs,
    "msr": _msr,
} | dict.fromkeys(
    (
        "nop", "hint", "yield", "wfe", "wfi", "sev", "sevl", "bti", "csdb", "esb",
        "paciasp", "autiasp", "pacibsp", "autibsp", "paciaz", "autiaz", "pacibz", "autibz",
        "dmb", "dsb", "isb", "clrex", "prfm", "prfum",
    ),
    _nothing,
)  # fmt: skip
