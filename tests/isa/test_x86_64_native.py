"""Register-to-register instructions of x86-64 on our interpreter and on the CPU of this machine.

A real CPU settles what Unicorn gets wrong: NaNs on both sides of an operation, which Unicorn
chooses by the rule of the x87, and the upper half of registers that bsf of zero and cmpxchg
leave alone.
"""

from __future__ import annotations

import ctypes
import platform
import random
import shutil
import struct
import subprocess
from pathlib import Path

import pytest

from hcc.isa.arch import Insn, Reg
from hcc.isa.x86_64.architecture import ARCH
from hcc.isa.x86_64.decode import decode
from hcc.isa.x86_64.registers import GENERAL, STATUS_FLAGS, VECTOR
from hcc.isa.x86_64.semantics_control import TABLE as CONTROL
from tests.isa.harness import (
    CODE,
    STRIDE,
    Differences,
    Outcome,
    Regs,
    Subject,
    place,
    random_regs,
    read_cases,
)
from tests.isa.test_x86_64 import DATA_SIZE, FLAG_BITS, undefined

pytestmark = pytest.mark.skipif(
    platform.machine() != "x86_64" or shutil.which("gcc") is None,
    reason="needs an x86-64 machine and gcc",
)

# rdi holds the state's address and rsp the stack, so neither can be an operand.
_LOADED = tuple(name for name in GENERAL if name not in ("rdi", "rsp"))
_SAVED = ("rbx", "rbp", "r12", "r13", "r14", "r15")
_STATE = struct.Struct(f"<{len(_LOADED) + 1}Q")


def _stub(number: int, code: bytes) -> str:
    """A function that loads the state at rdi, runs the instruction and stores the state."""
    flags = 8 * len(_LOADED)
    vectors = _STATE.size
    lines = [f".globl t{number}", f"t{number}:"]
    lines += [f"push %{name}" for name in (*_SAVED, "rdi")]
    lines += [f"movups {vectors + 16 * n}(%rdi), %xmm{n}" for n in range(16)]
    lines += [f"push {flags}(%rdi)", "popfq"]
    lines += [f"mov {8 * i}(%rdi), %{name}" for i, name in enumerate(_LOADED)]
    lines += [f".byte {','.join(map(hex, code))}"]
    lines += ["mov (%rsp), %rdi"]
    lines += [f"mov %{name}, {8 * i}(%rdi)" for i, name in enumerate(_LOADED)]
    lines += ["pushfq", f"pop {flags}(%rdi)", "cld"]
    lines += [f"movups %xmm{n}, {vectors + 16 * n}(%rdi)" for n in range(16)]
    lines += [f"pop %{name}" for name in reversed((*_SAVED, "rdi"))]
    return "\n".join([*lines, "ret", ""])


def _usable(insn: Insn) -> bool:
    if insn.mnemonic in CONTROL or insn.mnemonic in ("div", "idiv", "ldmxcsr", "stmxcsr"):
        return False
    for operand in insn.operands:
        if not isinstance(operand, Reg) and hasattr(operand, "base"):
            return False
        if isinstance(operand, Reg) and operand.name in ("rdi", "rsp"):
            return False
    return True


def _cases() -> list[tuple[bytes, str]]:
    return [case for case in read_cases("x86_64.txt") if _usable(decode(case[0], CODE))]


class Machine:
    """The host's CPU behind one function for each instruction."""

    def __init__(self, cases: list[tuple[bytes, str]], folder: Path) -> None:
        source = folder / "stubs.s"
        stubs = "".join(_stub(number, code) for number, (code, _) in enumerate(cases))
        source.write_text(f'.text\n{stubs}.section .note.GNU-stack,"",@progbits\n')
        library = folder / "stubs.so"
        subprocess.run(["gcc", "-shared", "-o", str(library), str(source)], check=True)
        self._library = ctypes.CDLL(str(library))
        self._buffer = ctypes.create_string_buffer(_STATE.size + 16 * len(VECTOR))

    def run(self, number: int, regs: Regs) -> Regs:
        flags = 0x202 | sum(regs[name] << FLAG_BITS[name] for name in STATUS_FLAGS)
        state = _STATE.pack(*(regs[name] for name in _LOADED), flags)
        vectors = b"".join(regs[name].to_bytes(16, "little") for name in VECTOR)
        self._buffer[: len(state) + len(vectors)] = state + vectors
        getattr(self._library, f"t{number}")(self._buffer)
        raw = self._buffer.raw
        *values, flags = _STATE.unpack_from(raw)
        after = regs | dict(zip(_LOADED, values, strict=True))
        for n, name in enumerate(VECTOR):
            at = _STATE.size + 16 * n
            after[name] = int.from_bytes(raw[at : at + 16], "little")
        return after | {name: flags >> FLAG_BITS[name] & 1 for name in STATUS_FLAGS}


def _compare(rounds: int, seed: int, folder: Path) -> None:
    rng = random.Random(seed)
    cases = _cases()
    machine = Machine(cases, folder)
    subject = Subject(ARCH, place(code + b"\xff\xe0" for code, _ in cases))
    differences = Differences()
    empty = bytes(DATA_SIZE)
    for number, (code, text) in enumerate(cases):
        pc = CODE + number * STRIDE
        insn = decode(code, pc)
        for _ in range(rounds):
            regs = random_regs(rng, ARCH) | {"df": 0, "mxcsr": 0x1F80}
            if insn.mnemonic == "cmpxchg" and rng.random() < 0.5:
                dst = insn.operands[0]
                assert isinstance(dst, Reg)
                regs["rax"] = regs["rax"] >> 32 << 32 | regs[dst.name] & 0xFFFFFFFF
            loose = undefined(insn, regs)
            if loose is None:
                continue
            right = machine.run(number, dict(regs))
            theirs = Outcome(right, pc + len(code), empty, False)
            differences.compare(text, regs, subject.run(pc, regs, empty), theirs, loose)
    differences.check(seed)


def test_registers_and_flags_are_those_of_the_cpu(tmp_path: Path) -> None:
    _compare(rounds=4, seed=20, folder=tmp_path)


@pytest.mark.long
def test_registers_and_flags_are_those_of_the_cpu_for_many_operands(tmp_path: Path) -> None:
    seed = random.SystemRandom().randrange(1 << 32)
    print(f"seed {seed}")
    _compare(rounds=70, seed=seed, folder=tmp_path)
