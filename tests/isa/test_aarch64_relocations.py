"""AArch64 relocations against GNU ld, their limits and their refusals; the start-up stubs."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from hcc.emulator.interpreter import CodeSpace, Interpreter, StopReason
from hcc.emulator.memory import Memory
from hcc.isa.aarch64.architecture import ARCH
from hcc.isa.aarch64.relocations import NAMES, relocate
from hcc.isa.aarch64.startup import MIGRATE, SYSCALL, start
from hcc.isa.errors import HccError, UnsupportedError
from hcc.isa.relocation import Relocation
from tests.isa.linking import Binutils, check_against_ld, supported

BINUTILS = Binutils("aarch64-linux-gnu-")
NUMBERS = {name: number for number, name in NAMES.items()}

# Every relocation of the table that GNU as and ld 2.40 know, on the operand shapes it patches.
SOURCE = """
    .section .code, "ax"
first:
    adrp x0, far
    add x0, x0, :lo12:far
    adrp x1, :pg_hi21_nc:far+0x1800
    ldrb w2, [x1, :lo12:far+3]
    strh w3, [x1, :lo12:far+6]
    ldr w4, [x1, :lo12:far+12]
    ldr d5, [x1, :lo12:far+16]
    str q6, [x1, :lo12:far+64]
    adrp x7, first-4096
    adr x8, near-3
    adr x9, behind+1
    ldr x10, near
    ldr q11, behind
    tbz x12, #33, near
    tbnz w13, #3, near-4096
    b.ne near
    cbz x14, near-4096
    b close
    bl near-4096
    bl close
    movz x15, #:abs_g0:small
    movz x15, #:abs_g1:middle
    movk x15, #:abs_g0_nc:wide
    movk x15, #:abs_g1_nc:wide
    movk x15, #:abs_g2_nc:wide
    movz x15, #:abs_g2:high
    movz x15, #:abs_g3:wide
    mrs x16, tpidr_el0
    add x16, x16, :tprel_hi12:local
    add x16, x16, :tprel_lo12_nc:local
    add x17, x16, :tprel_lo12:tiny
    .reloc ., R_AARCH64_NONE, 0
    nop

    .section .other, "ax"
    .word 0
near:
    ret
    .skip 4092 - 8
behind:
    ret

    .section .facts, "aw"
    .quad far+5
    .quad first-1
    .word far
    .word 7
    .hword small
    .hword 0
    .quad near - .
    .word first+8 - .
    .hword close16 - .

    .section .more, "aw"
    .quad 0
close16:
    .quad 0

    .section .tdata, "awT"
tiny:
    .skip 0x3458
local:
    .quad 1
"""
for _bits in (8, 16, 32, 64):
    _register = "x18" if _bits == 64 else "w18"
    _load = {8: "ldrb", 16: "ldrh"}.get(_bits, "ldr")
    SOURCE += f"""
    .section .code
    {_load} {_register}, [x16, :tprel_lo12_nc:local]
    {_load} {_register}, [x16, :tprel_lo12:tiny]
"""
SCRIPT = """
PHDRS { code PT_LOAD; thread PT_TLS; }
SECTIONS {
  .code 0x12345678 : { *(.code) } : code
  .other 0x12345a00 : { *(.other) } : code
  .facts 0x17000120 : { *(.facts) } : code
  .more 0x17003458 : { *(.more) } : code
  .tdata 0x18000000 : { *(.tdata) } : code : thread
  far = 0x6f00da40;
  close = 0x12345678 - 0x7fff000;
  small = 0x1234;
  middle = 0xfedcba98;
  high = 0x765412345678;
  wide = 0x123456789abcdef0;
  /DISCARD/ : { *(*) }
}
"""
# The TLS block starts 16 bytes above the thread pointer (variant 1).
TLS_START = 16


def test_relocated_sections_are_what_gnu_ld_makes(tmp_path: Path) -> None:
    if shutil.which(BINUTILS.prefix + "ld") is None:
        pytest.skip(f"{BINUTILS.prefix}ld is not installed")
    BINUTILS.link(tmp_path, SOURCE, SCRIPT)
    seen = check_against_ld(tmp_path, relocate, TLS_START)

    assert {NAMES[number] for number in supported(relocate, tuple(NAMES)) - seen} == {
        "R_AARCH64_PLT32",  # not known to these binutils
    }


def test_plt32_is_a_distance() -> None:
    content = bytearray(4)
    relocate(content, 0x2000, [Relocation(0, NUMBERS["R_AARCH64_PLT32"], "f", 0x1000, 0)])

    assert int.from_bytes(content, "little", signed=True) == -0x1000


def _one(name: str, value: int, base: int = 0x1000_0000) -> None:
    relocate(bytearray(8), base, [Relocation(0, NUMBERS["R_AARCH64_" + name], "there", value, 0)])


@pytest.mark.parametrize(
    ("name", "reach", "unit"),
    [
        ("TSTBR14", 1 << 15, 4),
        ("CONDBR19", 1 << 20, 4),
        ("LD_PREL_LO19", 1 << 20, 4),
        ("ADR_PREL_LO21", 1 << 20, 1),
        ("JUMP26", 1 << 27, 4),
        ("CALL26", 1 << 27, 4),
        ("ADR_PREL_PG_HI21", 1 << 32, 4096),
        ("PLT32", 1 << 31, 1),
    ],
)
def test_distance_beyond_the_reach_is_refused_with_its_figures(
    name: str, reach: int, unit: int
) -> None:
    base = 0x2_0000_0000
    _one(name, base - reach, base)
    _one(name, base + reach - unit, base)
    where = f"R_AARCH64_{name} at 0x200000000 to there out of range: target is "
    with pytest.raises(HccError, match=rf"{where}{reach} .*, limit {reach}"):
        _one(name, base + reach, base)
    with pytest.raises(HccError, match=rf"{where}{-reach - unit} .*, limit {-reach}"):
        _one(name, base - reach - unit, base)


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("ABS32", 1 << 32, "0x100000000"),
        ("ABS32", -(1 << 31) - 1, "-0x80000001"),
        ("ABS16", 1 << 16, "0x10000"),
        ("MOVW_UABS_G0", 1 << 16, "0x10000"),
        ("MOVW_UABS_G1", 1 << 32, "0x100000000"),
        ("MOVW_UABS_G2", 1 << 48, "0x1000000000000"),
        ("TLSLE_ADD_TPREL_HI12", 1 << 24, "0x1000000"),
        ("TLSLE_ADD_TPREL_LO12", 1 << 12, "0x1000"),
    ],
)
def test_address_too_big_for_its_field_is_refused(name: str, value: int, shown: str) -> None:
    _one(name, value + (1 if value < 0 else -1))
    with pytest.raises(HccError, match=rf"{name} .* out of range: target is {shown} "):
        _one(name, value)


@pytest.mark.parametrize(
    ("name", "offset", "unit"),
    [
        ("CALL26", 2, 4),
        ("CONDBR19", 1, 4),
        ("LDST64_ABS_LO12_NC", 4, 8),
        ("LDST128_ABS_LO12_NC", 8, 16),
    ],
)
def test_misaligned_target_is_refused(name: str, offset: int, unit: int) -> None:
    with pytest.raises(HccError, match=rf"{name} .* misaligned: .* not a multiple of {unit}"):
        _one(name, 0x1000_0000 + offset)


def test_place_outside_the_section_is_refused() -> None:
    with pytest.raises(HccError, match="outside its section of 8 bytes"):
        relocate(bytearray(8), 0, [Relocation(5, NUMBERS["R_AARCH64_ABS32"], "s", 0, 0)])


@pytest.mark.parametrize("name", ["ADR_GOT_PAGE", "LD64_GOT_LO12_NC", "TLSDESC_CALL"])
def test_what_static_code_does_not_have_is_refused_by_name(name: str) -> None:
    with pytest.raises(UnsupportedError, match=f"R_AARCH64_{name} .* to there is not supported"):
        _one(name, 0)


def test_unknown_type_is_refused_by_number() -> None:
    with pytest.raises(UnsupportedError, match="type 999"):
        relocate(bytearray(8), 0, [Relocation(0, 999, "s", 0, 0)])


# ---- start-up ----


def _run(code: bytes, addr: int, **registers: int) -> tuple[Interpreter, StopReason]:
    cpu = Interpreter(ARCH, Memory(), CodeSpace([(addr, code)]))
    cpu.state.pc = addr
    for name, value in registers.items():
        cpu.state.set(name, value)
    return cpu, cpu.run(100).reason


def _listing(code: bytes) -> list[str]:
    return [ARCH.decode(code[i : i + 4], i).text for i in range(0, len(code), 4)]


@pytest.mark.parametrize("thread", [0, 0xFFFF, 0x1_0000, 0x1234_5678, 0x7FFF_FFFF])
def test_start_sets_thread_and_argument_and_aligns_the_stack(thread: int) -> None:
    entry = 0x7FFF_F7FC
    code = start(0x10000, thread, entry)
    cpu, reason = _run(code, 0x10000, sp=0x5008, x29=5, x30=6)

    assert reason is StopReason.FAULT  # there is no code at `entry`
    assert entry == cpu.state.pc
    assert thread == cpu.state.get("tpidr_el0")
    assert (cpu.state.get("x0"), cpu.state.get("sp")) == (0x5008, 0x5000)
    assert cpu.state.get("x29") == 0
    assert ARCH.decode(code[-4:], 0).mnemonic == "brk"
    assert cpu.state.get("x30") == 0x10000 + len(code) - 4


def test_start_is_as_long_for_any_arguments() -> None:
    assert len(start(0, 0, 0)) == len(start(0x10000, 0x7FFF_FFFF, 0xFFFF_FFFC))
    with pytest.raises(HccError, match="0x100000000 is not below 4 GiB"):
        start(0, 1 << 32, 0)


def test_stubs_disassemble_to_their_comments() -> None:
    assert _listing(start(0, 0x1234_5678, 0x1_0000)) == [
        "mov x1, #0x5678", "movk x1, #0x1234, lsl #16", "msr tpidr_el0, x1",
        "mov x0, sp", "and sp, x0, #0xfffffffffffffff0", "mov x29, #0", "mov x30, #0",
        "mov x16, #0", "movk x16, #1, lsl #16", "blr x16", "brk #1",
    ]  # fmt: skip
    assert _listing(SYSCALL) == [
        "mov x8, x0", "mov x0, x1", "mov x1, x2", "mov x2, x3", "mov x3, x4", "mov x4, x5",
        "mov x5, x6", "svc #0", "ret",
    ]  # fmt: skip
    assert _listing(MIGRATE) == ["mov x8, #0x4800", "svc #0", "ret"]


def test_syscall_stub_shifts_its_arguments() -> None:
    arguments = {f"x{i}": 100 + i for i in range(7)}
    cpu, reason = _run(SYSCALL, 0x2000, x30=0x3000, **arguments)

    assert reason is StopReason.SYSCALL
    assert cpu.state.get("x8") == 100
    assert [cpu.state.get(f"x{i}") for i in range(6)] == [101, 102, 103, 104, 105, 106]
    cpu.run(cpu.count + 1)
    assert cpu.state.pc == 0x3000


def test_migrate_stub_touches_only_the_call_number() -> None:
    before = {f"x{i}": i << 32 | 5 for i in range(31)} | {"x30": 0x3000}
    cpu, reason = _run(MIGRATE, 0x2000, **before)

    assert reason is StopReason.SYSCALL
    assert cpu.state.get("x8") == 0x4800
    assert {k: v for k, v in before.items() if k != "x8"} == {
        k: cpu.state.get(k) for k in before if k != "x8"
    }
