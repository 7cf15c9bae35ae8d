"""What x86-64 instructions do when they cannot be carried out: memory faults, traps, refusals."""

from __future__ import annotations

import random

import pytest

from hcc.emulator.faults import FaultKind
from hcc.emulator.interpreter import StopReason
from hcc.emulator.memory import READ, WRITE
from hcc.isa.arch import Insn, Mem
from hcc.isa.errors import HccError, UnsupportedError
from hcc.isa.x86_64.architecture import ARCH
from hcc.isa.x86_64.decode import decode
from hcc.isa.x86_64.registers import STATUS_FLAGS
from tests.isa.harness import CODE, DATA, DATA_SIZE, STRIDE, Subject, place, read_cases
from tests.isa.test_x86_64 import prepare

CASES = read_cases("x86_64.txt")
NO_ACCESS = {"lea", "nop"} | {name for name in ARCH.semantics if name.startswith("prefetch")}
IMPLICIT = {"push", "pop", "call", "ret", "leave"}


def _accesses(insn: Insn) -> bool:
    """Whether the instruction reads or writes memory at an address of a register."""
    if insn.mnemonic in NO_ACCESS:
        return False
    based = any(isinstance(o, Mem) and o.base is not None for o in insn.operands)
    return based or insn.mnemonic in IMPLICIT


@pytest.mark.parametrize("access", [0, READ])
def test_a_memory_fault_leaves_registers_and_memory_as_they_were(access: int) -> None:
    """With nothing mapped every access faults; with read-only pages every store does."""
    rng = random.Random(31)
    image = place(code + b"\xff\xe0" for code, _ in CASES)
    subject = Subject(ARCH, image)
    cpu = subject.cpu
    kept = [r.name for r in ARCH.registers.registers if r.name not in STATUS_FLAGS]
    faults = 0
    for number, (code, text) in enumerate(CASES):
        pc = CODE + number * STRIDE
        insn = decode(code, pc)
        if not _accesses(insn):
            continue
        regs = prepare(rng, insn)
        if insn.extra:
            regs["rcx"] = 3
        cpu.memory.protect(DATA, DATA_SIZE, READ | WRITE)
        data = bytes(DATA_SIZE) if access else rng.randbytes(DATA_SIZE)
        cpu.memory.fill(DATA, data)
        cpu.memory.protect(DATA, DATA_SIZE, access)
        cpu.state.pc = pc
        for name, value in regs.items():
            cpu.state.set(name, value)
        stop = cpu.run(cpu.count + 1)
        cpu.memory.protect(DATA, DATA_SIZE, READ)

        assert data == cpu.memory.read(DATA, DATA_SIZE), text
        if access == 0 or stop.reason is StopReason.FAULT:
            assert stop.reason is StopReason.FAULT, text
            assert pc == cpu.state.pc, text
            assert {name: regs[name] for name in kept} == {
                name: cpu.state.get(name) for name in kept
            }, text
            faults += 1

    assert faults > 200


@pytest.mark.parametrize(
    ("code", "regs"),
    [
        ("f7f1", {"rcx": 0}),  # div ecx
        ("f7f1", {"rcx": 5, "rdx": 5}),
        ("48f7f9", {"rcx": 0, "rax": 1}),  # idiv rcx
        ("48f7f9", {"rcx": (1 << 64) - 1, "rax": 1 << 63, "rdx": (1 << 64) - 1}),
        ("48f7f9", {"rcx": 1, "rax": 0, "rdx": 1 << 63}),
        ("48f7f9", {"rcx": 2, "rax": 0, "rdx": 1}),
        ("f6f9", {"rcx": 1, "rax": 0x80}),  # idiv cl
    ],
)
def test_a_quotient_that_does_not_fit_is_a_division_fault(code: str, regs: dict[str, int]) -> None:
    assert FaultKind.DIVIDE is _fault(bytes.fromhex(code), regs)


def test_ud2_is_illegal_and_int3_a_breakpoint() -> None:
    assert FaultKind.ILLEGAL is _fault(b"\x0f\x0b", {})
    assert FaultKind.BREAKPOINT is _fault(b"\xcc", {})


@pytest.mark.parametrize("value", [0x1F80 | 0x2000, 0x1F80 | 0x8000, 0x1F80 | 0x40, 0x1F00, 0])
def test_mxcsr_other_than_the_default_is_refused(value: int) -> None:
    """Rounding, flushing, denormals as zeros, exceptions that trap (SDM vol. 1, 10.2.3)."""
    assert FaultKind.ILLEGAL is _fault(b"\x0f\xae\x10", {"rax": DATA}, value)  # ldmxcsr [rax]
    assert _fault(b"\x0f\xae\x10", {"rax": DATA}, 0x1F80 | 0x3F) is None


def _fault(code: bytes, regs: dict[str, int], data: int = 0) -> FaultKind | None:
    cpu = Subject(ARCH, place([code])).cpu
    cpu.memory.fill(DATA, data.to_bytes(8, "little"))
    cpu.state.pc = CODE
    for name, value in regs.items():
        cpu.state.set(name, value)
    stop = cpu.run(1)
    return stop.fault.kind if stop.fault else None


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("0606", "no x86-64 instruction at 0x1000: bytes 06 06"),  # push es: not in 64-bit mode
        ("d9c1", r"operand of 'fld st\(1\)' at 0x1000 is not supported: bytes d9 c1"),
        ("c5fc58c1", "operand of 'vaddps ymm0, ymm0, ymm1' at 0x1000"),
        ("0f20c0", "operand of 'mov rax, cr0' at 0x1000"),
        ("0ffcc1", "operand of 'paddb mm0, mm1' at 0x1000"),
        ("67f3a4", "'rep movsb .*' at 0x1000: 32-bit addresses are not supported"),
        ("f20fc7", "no x86-64 instruction"),  # cut off
    ],
)
def test_what_cannot_be_decoded_is_refused_with_address_and_bytes(code: str, reason: str) -> None:
    with pytest.raises(HccError, match=reason):
        decode(bytes.fromhex(code), 0x1000)


@pytest.mark.parametrize(
    "code",
    [
        "dd00",  # fld qword ptr [rax]
        "c5f158c2",  # vaddpd xmm0, xmm1, xmm2
        "f30fb8c1",  # popcnt eax, ecx
        "660f3800c1",  # pshufb xmm0, xmm1
        "0f53c1",  # rcpps xmm0, xmm1: an approximation that differs from CPU to CPU
        "0fa2",  # cpuid
        "0f31",  # rdtsc
        "f4",  # hlt
    ],
)
def test_instructions_outside_the_baseline_are_illegal(code: str) -> None:
    raw = bytes.fromhex(code)
    assert decode(raw, 0x1000).mnemonic not in ARCH.semantics
    assert FaultKind.ILLEGAL is _fault(raw, {"rax": DATA})


def test_unsupported_operands_are_named_as_such() -> None:
    with pytest.raises(UnsupportedError):
        decode(bytes.fromhex("d9c1"), 0)
