"""Loads and stores of general and SIMD registers (Arm ARM, C3.2).

Guest threads do not run at the same time, so an acquire or a release is a plain access and an
exclusive store always succeeds. Both must be aligned; other accesses need not be.
"""

from __future__ import annotations

from typing import Any

from hcc.isa.aarch64.access import (
    address,
    lane_type,
    register,
    set_lane,
    set_vector,
    splat_of,
    vector,
    write,
    write_back,
)
from hcc.isa.aarch64.operands import lanes, mem, reg
from hcc.isa.arch import Insn, Reg, Semantics
from hcc.isa.builder import Builder, Trap
from hcc.isa.values import I32, int_type

# ---- one register, or a pair ----


def _load(bits: int | None = None, signed: bool = False) -> Semantics:
    """A load of `bits` bits, by default as many as the register has."""

    def semantics(m: Builder, insn: Insn) -> None:
        target = reg(insn, 0)
        addr, moved = address(m, insn.operands[-1])
        value = m.load(addr, bits or target.bits)
        write_back(m, moved)
        write(m, target, m.sext(value, target.bits) if signed else value)

    return semantics


def _store(bits: int | None = None) -> Semantics:
    def semantics(m: Builder, insn: Insn) -> None:
        source = reg(insn, 0)
        addr, moved = address(m, insn.operands[-1])
        m.store(addr, register(m, source.name, bits or source.bits))
        write_back(m, moved)

    return semantics


def _load_pair(bits: int | None = None) -> Semantics:
    """ldp and its kin; with `bits`, ldpsw."""

    def semantics(m: Builder, insn: Insn) -> None:
        first, second = reg(insn, 0), reg(insn, 1)
        size = bits or first.bits
        addr, moved = address(m, insn.operands[-1])
        values = [m.load(a, size) for a in (addr, m.add(addr, m.i64(size // 8)))]
        write_back(m, moved)
        for target, value in zip((first, second), values, strict=True):
            write(m, target, m.sext(value, target.bits))

    return semantics


def _store_pair(m: Builder, insn: Insn) -> None:
    addr, moved = address(m, insn.operands[-1])
    for source in (reg(insn, 0), reg(insn, 1)):
        m.store(addr, register(m, source.name, source.bits))
        addr = m.add(addr, m.i64(source.bits // 8))
    write_back(m, moved)


# ---- exclusives, acquire and release: [xn] only, and aligned ----


def _aligned(m: Builder, insn: Insn, size: int) -> Any:
    """The address in the last operand; it must be a multiple of the whole access's size."""
    addr, _ = address(m, insn.operands[-1])
    m.trap_if(m.ne(m.and_(addr, m.i64(size - 1)), m.i64(0)), Trap.ALIGN)
    return addr


def _load_ordered(bits: int | None = None) -> Semantics:
    """ldar, ldxr, ldaxr; ldxp and ldaxp for two registers."""

    def semantics(m: Builder, insn: Insn) -> None:
        targets = _registers(insn, 0)
        size = bits or targets[0].bits
        addr = _aligned(m, insn, len(targets) * size // 8)
        values = [m.load(m.add(addr, m.i64(i * size // 8)), size) for i in range(len(targets))]
        for target, value in zip(targets, values, strict=True):
            write(m, target, value)

    return semantics


def _store_ordered(bits: int | None = None, exclusive: bool = False) -> Semantics:
    """stlr rt, [xn]; stxr and stlxr ws, rt, [xn], stxp and stlxp for two: always successful."""

    def semantics(m: Builder, insn: Insn) -> None:
        sources = _registers(insn, 1 if exclusive else 0)
        size = bits or sources[0].bits
        addr = _aligned(m, insn, len(sources) * size // 8)
        for i, source in enumerate(sources):
            m.store(m.add(addr, m.i64(i * size // 8)), register(m, source.name, size))
        if exclusive:
            write(m, reg(insn, 0), m.const(I32, 0))

    return semantics


def _registers(insn: Insn, first: int) -> tuple[Reg, ...]:
    """The register operands from `first` on, before the memory operand."""
    return tuple(reg(insn, i) for i in range(first, len(insn.operands) - 1))


# ---- structures: ld1 to ld4, st1 to st4 ----


def _addresses(m: Builder, addr: Any, count: int, size: int) -> list[Any]:
    return [m.add(addr, m.i64(i * size)) for i in range(count)]


def _pick(m: Builder, sources: list[Any], places: list[tuple[int, int]]) -> Any:
    """The vector of the given (source, lane) pairs."""
    if len(sources) == 2:
        count = sources[0].ty.lanes
        a, b = sources
        return m.shuffle(a, b, [source * count + lane for source, lane in places])
    return m.build([m.extract(sources[source], lane) for source, lane in places])


def _load_structures(step: int) -> Semantics:
    """Element i of register r is element i * step + r in memory; ld1 fills one after the other."""

    def semantics(m: Builder, insn: Insn) -> None:
        targets = _registers(insn, 0)
        view, bits = lanes(targets[0]), targets[0].bits
        addr, moved = address(m, mem(insn))
        if view.index is not None:
            _load_lanes(m, targets, addr)
        else:
            places = _addresses(m, addr, len(targets), bits // 8)
            parts = [m.bitcast(m.load(a, bits), lane_type(targets[0])) for a in places]
            if step > 1:
                order = [divmod(i, view.count) for i in range(step * view.count)]
                parts = [_pick(m, parts, order[r::step]) for r in range(step)]
            for target, value in zip(targets, parts, strict=True):
                set_vector(m, target, value)
        write_back(m, moved)

    return semantics


def _load_lanes(m: Builder, targets: tuple[Reg, ...], addr: Any) -> None:
    bits = lanes(targets[0]).bits
    values = [m.load(a, bits) for a in _addresses(m, addr, len(targets), bits // 8)]
    for target, value in zip(targets, values, strict=True):
        set_lane(m, target, value)


def _load_and_replicate(m: Builder, insn: Insn) -> None:
    """ld1r to ld4r: one element in all lanes."""
    targets = _registers(insn, 0)
    view = lanes(targets[0])
    addr, moved = address(m, mem(insn))
    values = [m.load(a, view.bits) for a in _addresses(m, addr, len(targets), view.bits // 8)]
    for target, value in zip(targets, values, strict=True):
        set_vector(m, target, splat_of(m, value, view.count))
    write_back(m, moved)


def _store_structures(step: int) -> Semantics:
    def semantics(m: Builder, insn: Insn) -> None:
        sources = _registers(insn, 0)
        view, bits = lanes(sources[0]), sources[0].bits
        addr, moved = address(m, mem(insn))
        values = [vector(m, source) for source in sources]
        if view.index is None and step > 1:
            order = [divmod(i, step)[::-1] for i in range(step * view.count)]
            values = [
                _pick(m, values, order[i : i + view.count])
                for i in range(0, len(order), view.count)
            ]
        places = _addresses(m, addr, len(sources), bits // 8)
        for place, value in zip(places, values, strict=True):
            m.store(place, m.bitcast(value, int_type(bits)))
        write_back(m, moved)

    return semantics


TABLE: dict[str, Semantics] = {}
for _suffix, _bits in (("", None), ("b", 8), ("h", 16)):
    for _name in ("ldr", "ldur", "ldtr"):
        TABLE[_name + _suffix] = _load(_bits)
    for _name in ("str", "stur", "sttr"):
        TABLE[_name + _suffix] = _store(_bits)
    for _name in ("ldar", "ldxr", "ldaxr"):
        TABLE[_name + _suffix] = _load_ordered(_bits)
    for _name in ("stxr", "stlxr"):
        TABLE[_name + _suffix] = _store_ordered(_bits, exclusive=True)
    TABLE["stlr" + _suffix] = _store_ordered(_bits)
for _suffix, _wide in (("b", 8), ("h", 16), ("w", 32)):
    for _name in ("ldrs", "ldurs", "ldtrs"):
        TABLE[_name + _suffix] = _load(_wide, signed=True)
for _step in (1, 2, 3, 4):
    TABLE[f"ld{_step}"] = _load_structures(_step)
    TABLE[f"st{_step}"] = _store_structures(_step)
    TABLE[f"ld{_step}r"] = _load_and_replicate
TABLE |= {
    "ldp": _load_pair(),
    "ldnp": _load_pair(),
    "ldpsw": _load_pair(32),
    "ldxp": _load_ordered(),
    "ldaxp": _load_ordered(),
    "stp": _store_pair,
    "stnp": _store_pair,
    "stxp": _store_ordered(exclusive=True),
    "stlxp": _store_ordered(exclusive=True),
}
