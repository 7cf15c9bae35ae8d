"""Jumps, calls, the stack, string instructions and the like (SDM vol. 2).

A repeated string instruction does one element each time it is executed and then jumps to
itself, as the CPU does between elements: so it can be interrupted, faults in the middle leave
the registers pointing at the element that failed, and a JIT finds an ordinary loop.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from attrs import evolve

from hcc.isa.arch import Imm, Insn, Mem, Operand, Reg, Semantics
from hcc.isa.builder import Builder, JumpKind, Trap
from hcc.isa.x86_64.operands import (
    CONDITIONS,
    bits_of,
    condition,
    is_zero,
    merged,
    read,
    set_flags,
    set_sub_flags,
    write,
)


def _nothing(m: Builder, insn: Insn) -> None:
    """nop, hints, fences: one thread sees its own accesses in order."""


# ---- transfers ----


def _target(m: Builder, operand: Operand) -> Any:
    return m.i64(operand.value) if isinstance(operand, Imm) else read(m, operand, 64)


def _jmp(m: Builder, insn: Insn) -> None:
    m.jump(_target(m, insn.operands[0]))


def _jcc(code: str) -> Semantics:
    def semantics(m: Builder, insn: Insn) -> None:
        (target,) = insn.operands
        assert isinstance(target, Imm)
        m.branch(condition(m, code), target.value)

    return semantics


def _jump_if_zero(bits: int) -> Semantics:
    """jrcxz, jecxz."""

    def semantics(m: Builder, insn: Insn) -> None:
        (target,) = insn.operands
        assert isinstance(target, Imm)
        m.branch(is_zero(m, m.trunc(m.get("rcx"), bits)), target.value)

    return semantics


def _push_value(m: Builder, value: Any) -> None:
    top = m.sub(m.get("rsp"), m.i64(value.ty.bits // 8))
    m.store(top, value)
    m.set("rsp", top)


def _call(m: Builder, insn: Insn) -> None:
    target = _target(m, insn.operands[0])
    _push_value(m, m.i64(m.next_pc))
    m.jump(target, JumpKind.CALL)


def _ret(m: Builder, insn: Insn) -> None:
    top = m.get("rsp")
    target = m.load(top, 64)
    released = 8 + (insn.operands[0].value if insn.operands else 0)  # type: ignore[union-attr]
    m.set("rsp", m.add(top, m.i64(released)))
    m.jump(target, JumpKind.RETURN)


# ---- stack ----


def _push(m: Builder, insn: Insn) -> None:
    (src,) = insn.operands
    _push_value(m, read(m, src, 64 if isinstance(src, Imm) else bits_of(src)))


def _pop(m: Builder, insn: Insn) -> None:
    (dst,) = insn.operands
    size = bits_of(dst) // 8
    top = m.get("rsp")
    value = m.load(top, 8 * size)
    if isinstance(dst, Mem):
        # The address is that of after the increment.
        if dst.base == "rsp":
            dst = evolve(dst, disp=dst.disp + size)
        write(m, dst, value)
        m.set("rsp", m.add(top, m.i64(size)))
    else:
        m.set("rsp", m.add(top, m.i64(size)))
        write(m, dst, value)


def _leave(m: Builder, insn: Insn) -> None:
    frame = m.get("rbp")
    saved = m.load(frame, 64)
    m.set("rsp", m.add(frame, m.i64(8)))
    m.set("rbp", saved)


# ---- system ----


_RFLAGS = {"cf": 0, "pf": 2, "af": 4, "zf": 6, "sf": 7, "df": 10, "of": 11}


def _syscall(m: Builder, insn: Insn) -> None:
    # rcx and r11 get the return address and RFLAGS; bit 1 of RFLAGS is always set, bit 9 (IF)
    # in every program.
    image = m.i64(0x202)
    for name, bit in _RFLAGS.items():
        image = m.or_(image, m.shl(m.zext(m.get(name), 64), m.i64(bit)))
    m.set("rcx", m.i64(m.next_pc))
    m.set("r11", image)
    m.syscall()


def _trap(kind: Trap) -> Semantics:
    def semantics(m: Builder, insn: Insn) -> None:
        m.trap(kind)

    return semantics


def _set_flag(name: str, value: int) -> Semantics:
    def semantics(m: Builder, insn: Insn) -> None:
        set_flags(m, **{name: value})

    return semantics


def _cmc(m: Builder, insn: Insn) -> None:
    m.set("cf", m.xor(m.get("cf"), m.same(m.get("cf"), 1)))


# ---- strings ----


def _string(element: Callable[[Builder, int], dict[str, Any]], compares: bool = False) -> Semantics:
    """A string instruction: `element` does the memory accesses and flags of one element.

    It returns the registers to change, which here are joined by rcx where it is repeated. `rep`
    before a comparison goes on while the elements are equal, `repne` while they differ.
    """

    def semantics(m: Builder, insn: Insn) -> None:
        bits = bits_of(insn.operands[0])
        repeated = insn.extra is not None
        if repeated:
            m.exit_if(is_zero(m, m.get("rcx")), m.next_pc)
        for name, value in element(m, bits).items():
            m.set(name, value)
        if repeated:
            left = m.sub(m.get("rcx"), m.i64(1))
            m.set("rcx", left)
            again = m.ne(left, m.i64(0))
            if compares:
                wanted = m.get("zf")
                if insn.extra == "repne":
                    wanted = m.xor(wanted, m.same(wanted, 1))
                again = m.and_(again, wanted)
            m.branch(again, m.pc)

    return semantics


def _advanced(m: Builder, register: str, bits: int) -> Any:
    step = m.select(m.get("df"), m.i64(-bits // 8), m.i64(bits // 8))
    return m.add(m.get(register), step)


def _movs(m: Builder, bits: int) -> dict[str, Any]:
    m.store(m.get("rdi"), m.load(m.get("rsi"), bits))
    return {name: _advanced(m, name, bits) for name in ("rsi", "rdi")}


def _stos(m: Builder, bits: int) -> dict[str, Any]:
    m.store(m.get("rdi"), m.trunc(m.get("rax"), bits))
    return {"rdi": _advanced(m, "rdi", bits)}


def _lods(m: Builder, bits: int) -> dict[str, Any]:
    value = m.load(m.get("rsi"), bits)
    return {"rsi": _advanced(m, "rsi", bits), "rax": merged(m, Reg("rax", bits), value)}


def _scas(m: Builder, bits: int) -> dict[str, Any]:
    a, b = m.trunc(m.get("rax"), bits), m.load(m.get("rdi"), bits)
    set_sub_flags(m, a, b, m.sub(a, b))
    return {"rdi": _advanced(m, "rdi", bits)}


def _cmps(m: Builder, bits: int) -> dict[str, Any]:
    a, b = m.load(m.get("rsi"), bits), m.load(m.get("rdi"), bits)
    set_sub_flags(m, a, b, m.sub(a, b))
    return {name: _advanced(m, name, bits) for name in ("rsi", "rdi")}


_HINTS = (
    "nop", "endbr64", "pause", "lfence", "mfence", "sfence",
    "prefetch", "prefetchw", "prefetchnta", "prefetcht0", "prefetcht1", "prefetcht2",
)  # fmt: skip

TABLE: dict[str, Semantics] = {
    **dict.fromkeys(_HINTS, _nothing),
    "jmp": _jmp,
    **{f"j{code}": _jcc(code) for code in CONDITIONS},
    "jrcxz": _jump_if_zero(64),
    "jecxz": _jump_if_zero(32),
    "call": _call,
    "ret": _ret,
    "push": _push,
    "pop": _pop,
    "leave": _leave,
    "syscall": _syscall,
    "ud2": _trap(Trap.ILLEGAL),
    "int3": _trap(Trap.BREAKPOINT),
    "cld": _set_flag("df", 0),
    "std": _set_flag("df", 1),
    "clc": _set_flag("cf", 0),
    "stc": _set_flag("cf", 1),
    "cmc": _cmc,
    "movs": _string(_movs),
    "stos": _string(_stos),
    "lods": _string(_lods),
    "scas": _string(_scas, compares=True),
    "cmps": _string(_cmps, compares=True),
}
