"""x86-64 relocations against GNU ld, their limits and refusals; start-up code and numbers."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from hcc.emulator.faults import FaultKind
from hcc.emulator.interpreter import CodeSpace, Interpreter, Stop, StopReason
from hcc.emulator.memory import READ, WRITE, Memory
from hcc.isa.arch import Insn
from hcc.isa.errors import HccError, UnsupportedError
from hcc.isa.relocation import Relocation
from hcc.isa.x86_64.architecture import ARCH
from hcc.isa.x86_64.decode import decode
from hcc.isa.x86_64.relocations import NAMES, relocate
from hcc.isa.x86_64.startup import MIGRATE, SYSCALL, start
from tests.isa.linking import Binutils, check_against_ld, supported

NUMBERS = {name: number for number, name in NAMES.items()}

# Every relocation of a static link, on what assemblers and compilers attach it to.
SOURCE = """
    .section .code, "ax"
first:
    call far
    call far@PLT
    jmp last
    mov $far, %eax
    movabs $far+5, %rax
    mov far(,%rax,8), %rcx
    lea far-16(%rip), %rdx
    movl $1, far(%rip)
    addq $-1, last(%rip)
    .reloc ., R_X86_64_NONE, 0
    .reloc .+1, R_X86_64_PC8, last
    jmp .+2
    .reloc .+2, R_X86_64_PC16, last
    .byte 0x66, 0xe9, 0, 0
    cmp $small, %al
    cmpw $small+3, %ax
last:
    ret

    .section .facts, "aw"
    .quad far+5, first-1
    .long far, last
    .quad far-.
    .long last-.
    .word small
    .byte small
    .reloc ., R_X86_64_32S, far
    .long 0
    .reloc ., R_X86_64_PLT32, last-4
    .long 0
"""
SCRIPT = """
SECTIONS {
  .code 0x12345678 : { *(.code) }
  .facts 0x40000123 : { *(.facts) }
  far = 0x6f00dabc;
  small = 0x55;
  /DISCARD/ : { *(*) }
}
"""


def test_relocated_sections_are_what_gnu_ld_makes(tmp_path: Path) -> None:
    prefix = next(
        (p for p in ("x86_64-linux-gnu-", "") if shutil.which(f"{p}ld") and shutil.which(f"{p}as")),
        None,
    )
    if prefix is None:
        pytest.skip("binutils for x86-64 are not installed")
    binutils = Binutils(prefix, ("-mrelax-relocations=no",), ("-m", "elf_x86_64"))
    binutils.link(tmp_path, SOURCE, SCRIPT)

    assert check_against_ld(tmp_path, relocate) == supported(relocate, tuple(NAMES))


def _one(name: str, value: int, base: int = 0) -> None:
    relocate(bytearray(8), base, [Relocation(2, NUMBERS[f"R_X86_64_{name}"], "there", value, 0)])


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [
        ("32", 0, (1 << 32) - 1),
        ("32S", -1 << 31, (1 << 31) - 1),
        ("16", -1 << 15, (1 << 16) - 1),
        ("8", -1 << 7, (1 << 8) - 1),
    ],
)
def test_value_that_does_not_fit_is_refused_with_its_figures(
    name: str, low: int, high: int
) -> None:
    _one(name, low)
    _one(name, high)
    for value in (low - 1, high + 1):
        with pytest.raises(HccError) as caught:
            _one(name, value)

        assert str(caught.value) == (
            f"relocation R_X86_64_{name} against 'there' at 0x2 out of range: "
            f"value is {value:#x}, limits {low:#x} and {high:#x}"
        )


@pytest.mark.parametrize(("name", "bits"), [("PC32", 32), ("PLT32", 32), ("PC16", 16), ("PC8", 8)])
def test_distance_that_does_not_fit_is_refused_with_its_figures(name: str, bits: int) -> None:
    base, half = 0x9000_0000, 1 << (bits - 1)
    _one(name, base + 2 - half, base)
    _one(name, base + 2 + half - 1, base)
    for distance in (half, -half - 1):
        with pytest.raises(HccError, match=rf"'there' at 0x2 .*is {distance} bytes away"):
            _one(name, base + 2 + distance, base)


def test_place_outside_the_section_is_refused() -> None:
    with pytest.raises(HccError, match="outside the section's 8 bytes"):
        relocate(bytearray(8), 0, [Relocation(5, NUMBERS["R_X86_64_32"], "s", 0, 0)])


@pytest.mark.parametrize("name", ["GOTPCREL", "REX_GOTPCRELX", "TPOFF32", "COPY"])
def test_what_static_code_does_not_have_is_refused_by_name(name: str) -> None:
    with pytest.raises(UnsupportedError, match=f"R_X86_64_{name} against 'there' at 0x2"):
        _one(name, 0)


def test_unknown_type_is_refused_by_number() -> None:
    with pytest.raises(UnsupportedError, match="type 250"):
        relocate(bytearray(8), 0, [Relocation(0, 250, "s", 0, 0)])


# ---- start-up ----

STACK = 0x20000


def _cpu(code: bytes, addr: int, **registers: int) -> Interpreter:
    memory = Memory()
    memory.protect(STACK - 0x1000, 0x2000, READ | WRITE)
    cpu = Interpreter(ARCH, memory, CodeSpace([(addr, code)]))
    cpu.state.pc = addr
    for name, value in registers.items():
        cpu.state.set(name, value)
    return cpu


def _listing(code: bytes) -> list[Insn]:
    addr, insns = 0, []
    while addr < len(code):
        insns.append(decode(code[addr:], addr))
        addr = insns[-1].next_addr
    return insns


@pytest.mark.parametrize("thread", [0, 0x1234_5FF8, 0x7FFF_FFFF])
@pytest.mark.parametrize("entry", [0x10000, 0xFFFF_FFF0])
def test_start_sets_the_thread_pointer_and_calls_the_entry(thread: int, entry: int) -> None:
    code = start(0x1000, thread, entry)
    cpu = _cpu(code, 0x1000, rsp=STACK + 8)
    state = cpu.state

    assert cpu.run() == Stop(StopReason.SYSCALL)
    assert ARCH.syscalls[state.get("rax")] == "arch_prctl"
    assert (0x1002, thread) == (state.get("rdi"), state.get("rsi"))  # ARCH_SET_FS
    stop = cpu.run()
    assert stop.fault is not None  # there is no code at `entry`
    assert stop.fault.kind is FaultKind.FETCH
    assert entry == state.pc
    assert state.get("rdi") == STACK + 8
    assert state.get("rsp") == STACK - 8  # aligned before the call
    assert state.get("rbp") == 0
    assert cpu.memory.load(STACK - 8, 8) == 0x1000 + len(code) - 2
    state.pc = 0x1000 + len(code) - 2
    fault = cpu.run().fault
    assert fault is not None
    assert fault.kind is FaultKind.ILLEGAL


def test_start_is_as_long_for_any_arguments() -> None:
    assert len(start(0, 0, 0)) == len(start(0xFFFF_0000, 0x7FFF_FFFF, 0xFFFF_FFFF))
    with pytest.raises(HccError, match="thread area at 0x80000000 is not below 2 GiB"):
        start(0, 1 << 31, 0)
    with pytest.raises(HccError, match="entry point at 0x100000000 is not below 4 GiB"):
        start(0, 0, 1 << 32)


def test_stubs_disassemble_to_their_comments() -> None:
    assert [insn.text for insn in _listing(start(0, 0x1234, 0x5678))] == [
        "mov rbx, rsp", "mov edi, 0x1002", "mov esi, 0x1234", "mov eax, 0x9e", "syscall",
        "mov rdi, rbx", "xor ebp, ebp", "and rsp, 0xfffffffffffffff0", "mov eax, 0x5678",
        "call rax", "ud2",
    ]  # fmt: skip
    assert [insn.text for insn in _listing(SYSCALL)] == [
        "mov rax, rdi", "mov rdi, rsi", "mov rsi, rdx", "mov rdx, rcx", "mov r10, r8",
        "mov r8, r9", "mov r9, qword ptr [rsp + 8]", "syscall", "ret",
    ]  # fmt: skip
    assert [insn.text for insn in _listing(MIGRATE)] == ["mov eax, 0x4800", "syscall", "ret"]


def test_syscall_stub_shifts_its_arguments() -> None:
    arguments = dict(zip(ARCH.convention.arguments, range(100, 106), strict=True))
    cpu = _cpu(SYSCALL, 0x1000, rsp=STACK, **arguments)
    cpu.memory.store(STACK, 8, 0x3000)
    cpu.memory.store(STACK + 8, 8, 106)

    assert cpu.run() == Stop(StopReason.SYSCALL)
    assert cpu.state.get("rax") == 100
    given = [cpu.state.get(name) for name in ARCH.convention.syscall_arguments]
    assert given == [101, 102, 103, 104, 105, 106]
    cpu.run(cpu.count + 1)
    assert (cpu.state.pc, cpu.state.get("rsp")) == (0x3000, STACK + 8)


def test_migrate_stub_keeps_what_a_callee_keeps() -> None:
    before = {"rbx": 1, "rbp": 2, "r12": 3, "r13": 4, "r14": 5, "r15": 6, "rsp": STACK}
    cpu = _cpu(MIGRATE, 0x1000, **before)

    assert cpu.run() == Stop(StopReason.SYSCALL)
    assert ARCH.syscalls[cpu.state.get("rax")] == "hcc_migrate"
    assert before == {name: cpu.state.get(name) for name in before}


def test_syscall_leaves_return_address_and_flags_in_registers() -> None:
    """SDM vol. 2, SYSCALL: rcx gets the next address, r11 RFLAGS."""
    cpu = _cpu(b"\xf9\x0f\x05\xff\xe0", 0x1000, zf=1, of=1, df=1)  # stc; syscall

    assert cpu.run() == Stop(StopReason.SYSCALL)
    assert (cpu.state.get("rcx"), cpu.state.pc) == (0x1003, 0x1003)
    assert cpu.state.get("r11") == 0x202 | 1 | 1 << 6 | 1 << 10 | 1 << 11


def test_system_call_numbers_are_those_of_the_kernel_headers() -> None:
    header = Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h")
    if not header.exists():
        pytest.skip(f"{header} is not installed")
    words = [line.split() for line in header.read_text().splitlines() if "__NR_" in line]
    theirs = {int(number): name.removeprefix("__NR_") for _, name, number in words}

    ours = {number: name for number, name in ARCH.syscalls.items() if number < 0x4800}
    assert ours == {number: theirs[number] for number in ours}
