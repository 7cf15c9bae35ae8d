"""RISC-V relocations against GNU ld, their limits and their refusals; the start-up stubs."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from hcc.emulator.interpreter import CodeSpace, Interpreter, StopReason
from hcc.emulator.memory import Memory
from hcc.isa.errors import HccError, UnsupportedError
from hcc.isa.relocation import Relocation
from hcc.isa.riscv64.architecture import ARCH
from hcc.isa.riscv64.relocations import NAMES, relocate
from hcc.isa.riscv64.startup import MIGRATE, SYSCALL, start
from tests.isa.linking import Binutils, check_against_ld, supported

BINUTILS = Binutils("riscv64-linux-gnu-", ("-march=rv64gc", "-mabi=lp64d"), ("--no-relax",))
NUMBERS = {name: number for number, name in NAMES.items()}

# Every relocation of the table that GNU as and ld 2.40 know, on the operand shapes it patches.
SOURCE = """
    .option norelax
    .section .code, "ax"
first:
    lui a0, %hi(far+0x7ff)
    addi a0, a0, %lo(far+0x7ff)
    lui a1, %hi(far+0x800)
    lw a2, %lo(far+0x800)(a1)
    sd a3, %lo(far+0x800)(a1)
    fsw fa3, %lo(far-4)(a1)
label:
    auipc a4, %pcrel_hi(far-20)
    addi a4, a4, %pcrel_lo(label)
    sw a5, %pcrel_lo(label)(a4)
back:
    auipc a4, %pcrel_hi(first)
    ld a4, %pcrel_lo(back)(a4)
    call far
    call near
    tail first
    .reloc ., R_RISCV_CALL, near
    auipc ra, 0
    jalr ra, ra
    .reloc ., R_RISCV_JAL, near+8
    jal ra, .
    .reloc ., R_RISCV_JAL, first
    jal x0, .
    .reloc ., R_RISCV_BRANCH, near
    bne a0, a1, .
    .reloc ., R_RISCV_BRANCH, first
    bgeu a0, a1, .
    .reloc ., R_RISCV_RVC_BRANCH, label
    c.beqz a0, .
    .reloc ., R_RISCV_RVC_BRANCH, near
    c.bnez a0, .
    .reloc ., R_RISCV_RVC_JUMP, first
    c.j .
    .reloc ., R_RISCV_RVC_JUMP, near+2
    c.j .
    .reloc ., R_RISCV_RELAX, 0
    .reloc ., R_RISCV_NONE, 0
    nop
near:
    ret

    .section .facts, "aw"
    .quad far+5
    .quad first-1
    .word far
    .reloc ., R_RISCV_32_PCREL, near+4
    .word 0
"""
# SUB without an addend: ld adds it where the psABI (and lld) subtract it.
for _size, _directive in ((8, ".byte 0x9a"), (16, ".half 0x89ab"), (32, ".word 0xfedcba98")):
    for _what in ("ADD", "SUB", "SET"):
        _target = "near" if _what == "SUB" else "near+77"
        SOURCE += f" .reloc ., R_RISCV_{_what}{_size}, {_target}\n {_directive}\n"
SOURCE += """
    .reloc ., R_RISCV_ADD64, far
    .reloc ., R_RISCV_SUB64, first
    .quad 0x123456789abcdef0
    .reloc ., R_RISCV_SET6, near
    .reloc ., R_RISCV_SUB6, first
    .byte 0xc7
    .reloc ., R_RISCV_SET6, first+33
    .byte 0x41
"""
SCRIPT = """
SECTIONS {
  .code 0x12345678 : { *(.code) }
  .facts 0x40000120 : { *(.facts) }
  far = 0x6f00dabc;
  /DISCARD/ : { *(*) }
}
"""


def test_relocated_sections_are_what_gnu_ld_makes(tmp_path: Path) -> None:
    if shutil.which(BINUTILS.prefix + "ld") is None:
        pytest.skip(f"{BINUTILS.prefix}ld is not installed")
    BINUTILS.link(tmp_path, SOURCE, SCRIPT)
    seen = check_against_ld(tmp_path, relocate)

    assert {NAMES[number] for number in supported(relocate, tuple(NAMES)) - seen} == {
        # not known to these binutils
        "R_RISCV_PLT32", "R_RISCV_SET_ULEB128", "R_RISCV_SUB_ULEB128",
    }  # fmt: skip


def test_uleb128_difference_keeps_its_length() -> None:
    content = bytearray(b"\x11\x80\x80\x00\x22")
    relocate(
        content,
        0x1000,
        [
            Relocation(1, NUMBERS["R_RISCV_SET_ULEB128"], "b", 0x5000, 3),
            Relocation(1, NUMBERS["R_RISCV_SUB_ULEB128"], "a", 0x4F00, 0),
        ],
    )

    assert bytes(content) == b"\x11\x83\x82\x00\x22"


def test_plt32_is_a_distance() -> None:
    content = bytearray(4)
    relocate(content, 0x2000, [Relocation(0, NUMBERS["R_RISCV_PLT32"], "f", 0x1000, 0)])

    assert int.from_bytes(content, "little", signed=True) == -0x1000


def _one(name: str, value: int, base: int = 0x1000_0000) -> None:
    relocate(bytearray(8), base, [Relocation(0, NUMBERS["R_RISCV_" + name], "there", value, 0)])


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [
        ("BRANCH", -(1 << 12), (1 << 12) - 2),
        ("JAL", -(1 << 20), (1 << 20) - 2),
        ("RVC_BRANCH", -(1 << 8), (1 << 8) - 2),
        ("RVC_JUMP", -(1 << 11), (1 << 11) - 2),
        ("CALL_PLT", -(1 << 31) - 0x800, (1 << 31) - 0x802),
        ("PCREL_HI20", -(1 << 31) - 0x800, (1 << 31) - 0x802),
        ("32_PCREL", -(1 << 31), (1 << 31) - 2),
    ],
)
def test_distance_beyond_the_reach_is_refused_with_its_figures(
    name: str, low: int, high: int
) -> None:
    base = 0x9000_0000
    _one(name, base + low, base)
    _one(name, base + high, base)
    with pytest.raises(
        HccError, match=rf"R_RISCV_{name} at 0x90000000 to there .*{high + 2} bytes"
    ):
        _one(name, base + high + 2, base)
    with pytest.raises(HccError, match=f"target is {low - 2} bytes away, limit {low}"):
        _one(name, base + low - 2, base)


def test_address_beyond_medlow_is_refused() -> None:
    _one("HI20", (1 << 31) - 0x801)
    with pytest.raises(HccError, match=r"R_RISCV_HI20 .* to there out of range"):
        _one("HI20", (1 << 31) - 0x800)
    with pytest.raises(HccError, match=r"R_RISCV_32 .* out of range"):
        _one("32", 1 << 32)


def test_odd_target_is_refused() -> None:
    with pytest.raises(HccError, match=r"R_RISCV_JAL .* misaligned: target is 7 bytes away"):
        _one("JAL", 0x1000_0007)


def test_low_part_without_its_high_part_is_refused() -> None:
    with pytest.raises(HccError, match="no R_RISCV_PCREL_HI20 at 0x1234"):
        _one("PCREL_LO12_I", 0x1234)


def test_place_outside_the_section_is_refused() -> None:
    with pytest.raises(HccError, match="outside its section of 8 bytes"):
        relocate(bytearray(8), 0, [Relocation(5, NUMBERS["R_RISCV_32"], "s", 0, 0)])


@pytest.mark.parametrize("name", ["ALIGN", "GOT_HI20", "TPREL_HI20", "COPY"])
def test_what_static_code_does_not_have_is_refused_by_name(name: str) -> None:
    with pytest.raises(UnsupportedError, match=f"R_RISCV_{name} .* is not supported"):
        _one(name, 0)


def test_unknown_type_is_refused_by_number() -> None:
    with pytest.raises(UnsupportedError, match="type 250"):
        relocate(bytearray(8), 0, [Relocation(0, 250, "s", 0, 0)])


# ---- start-up ----


def _run(code: bytes, addr: int, **registers: int) -> tuple[Interpreter, StopReason]:
    cpu = Interpreter(ARCH, Memory(), CodeSpace([(addr, code)]))
    cpu.state.pc = addr
    for name, value in registers.items():
        cpu.state.set(name, value)
    return cpu, cpu.run(100).reason


def _listing(code: bytes) -> list[str]:
    addr, texts = 0, []
    while addr < len(code):
        insn = ARCH.decode(code[addr : addr + 4], addr)
        texts.append(insn.text)
        addr = insn.next_addr
    return texts


@pytest.mark.parametrize("thread", [0, 0x7FF, 0x800, 0x1234_5FFF, 0x7FFF_F7FF, 0x7FFF_FFFF])
def test_start_sets_thread_and_argument_and_aligns_the_stack(thread: int) -> None:
    entry = 0x7FFF_F7FE
    code = start(0x10000, thread, entry)
    cpu, reason = _run(code, 0x10000, x2=0x5008)

    assert reason is StopReason.FAULT  # there is no code at `entry`
    assert entry == cpu.state.pc
    assert thread == cpu.state.get("x4")
    assert cpu.state.get("x10") == 0x5008
    assert cpu.state.get("x2") == 0x5000
    assert ARCH.decode(code[-4:], 0).mnemonic == "unimp"
    assert cpu.state.get("x1") == 0x10000 + len(code) - 4


def test_start_is_as_long_for_any_arguments() -> None:
    assert len(start(0, 0, 0)) == len(start(0x10000, 0x7FFF_FFFF, 0x7FFF_FFFE))
    with pytest.raises(HccError, match="0x80000000 is not below 2 GiB"):
        start(0, 1 << 31, 0)


def test_stubs_disassemble_to_their_comments() -> None:
    assert _listing(start(0, 0x12345678, 0x10000)) == [
        "lui tp, 0x12345", "addiw tp, tp, 0x678", "lui t0, 0x10", "sext.w t0, t0",
        "mv a0, sp", "andi sp, sp, -0x10", "jalr t0", "unimp",
    ]  # fmt: skip
    assert _listing(SYSCALL) == [
        "mv a7, a0", "mv a0, a1", "mv a1, a2", "mv a2, a3", "mv a3, a4", "mv a4, a5", "mv a5, a6",
        "ecall", "ret",
    ]  # fmt: skip
    assert _listing(MIGRATE) == ["lui a7, 5", "addiw a7, a7, -0x800", "ecall", "ret"]


def test_syscall_stub_shifts_its_arguments() -> None:
    arguments = {f"x{10 + i}": 100 + i for i in range(7)}
    cpu, reason = _run(SYSCALL, 0x2000, x1=0x3000, **arguments)

    assert reason is StopReason.SYSCALL
    assert cpu.state.get("x17") == 100
    assert [cpu.state.get(f"x{10 + i}") for i in range(6)] == [101, 102, 103, 104, 105, 106]
    cpu.run(cpu.count + 1)
    assert cpu.state.pc == 0x3000


def test_migrate_stub_touches_only_the_call_number() -> None:
    before = {f"x{i}": i << 32 | 5 for i in range(1, 32)} | {"x1": 0x3000}
    cpu, reason = _run(MIGRATE, 0x2000, **before)

    assert reason is StopReason.SYSCALL
    assert cpu.state.get("x17") == 0x4800
    assert {k: v for k, v in before.items() if k != "x17"} == {
        k: cpu.state.get(k) for k in before if k != "x17"
    }
