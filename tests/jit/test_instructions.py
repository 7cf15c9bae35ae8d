"""Single instructions with random operands: compiled code against the interpreter, on each ISA.

Every instruction of the tables under tests/data/isa, followed by a jump away from all code, is a
region of its own. Registers, flags, memory, PC and the kind and place of a fault must agree.
"""

from __future__ import annotations

import ctypes
import random

import pytest
from attrs import frozen

from hcc.emulator.interpreter import CodeSpace, Interpreter, StopReason
from hcc.emulator.jit import generator
from hcc.emulator.jit.compiler import compile_object, has_avx
from hcc.emulator.jit.engine import JitCpu
from hcc.emulator.jit.host import avx_instruction
from hcc.emulator.jit.nodes import LOAD, Node
from hcc.emulator.jit.objects import read_image
from hcc.emulator.jit.options import Options
from hcc.emulator.jit.printer import llvm_type
from hcc.emulator.jit.regions import successors
from hcc.emulator.jit.translator import support
from hcc.emulator.memory import READ, WRITE, Memory
from hcc.isa import architecture
from hcc.isa.arch import Arch, Insn
from hcc.isa.builder import Op
from hcc.isa.errors import HccError
from hcc.isa.values import F32, F64, Ty, vec
from tests.isa.harness import CODE, DATA, DATA_SIZE, STRIDE, aim, random_regs, read_cases

ISAS = ("x86_64", "aarch64", "riscv64")
ROUNDING = {"mxcsr": 0x1F80, "fpcr": 0, "fpsr": 0, "fcsr": 0, "frm": 0, "fflags": 0}
"""What control registers hold: rounding to nearest, nothing raised."""


def jump(isa: str, offset: int) -> bytes:
    """A jump by `offset` bytes from its own address."""
    match isa:
        case "x86_64":
            return b"\xe9" + (offset - 5).to_bytes(4, "little", signed=True)
        case "aarch64":
            return (0x14000000 | offset >> 2 & 0x3FFFFFF).to_bytes(4, "little")
    bits = offset & 0x1FFFFF
    word = (bits >> 20) << 31 | (bits >> 1 & 0x3FF) << 21 | (bits >> 11 & 1) << 20
    return (word | (bits >> 12 & 0xFF) << 12 | 0x6F).to_bytes(4, "little")


@frozen
class Bench:
    """Both engines over the same code, each with a memory of its own."""

    arch: Arch
    compiled: JitCpu
    interpreted: Interpreter

    @classmethod
    def of(cls, arch: Arch, codes: list[bytes]) -> Bench:
        end = len(codes) * STRIDE
        image = bytearray()
        for i, code in enumerate(codes):
            at = i * STRIDE + len(code)
            image += (code + jump(arch.name, end - at)).ljust(STRIDE, b"\0")
        space = CodeSpace([(CODE, bytes(image))])
        memories = Memory(), Memory()
        for memory in memories:
            memory.protect(DATA, DATA_SIZE, READ | WRITE)
        functions = [(CODE + i * STRIDE, STRIDE) for i in range(len(codes))]
        options = Options(count=True, nest=False)
        jit = JitCpu(arch, memories[0], space, functions, options, cached=False)
        return cls(arch, jit, Interpreter(arch, memories[1], space))

    def compile_all(self) -> None:
        """Compile every region in few modules."""
        translator = self.compiled.translator
        todo = [start for start, _ in translator.functions.known]
        while todo:
            draft = translator.generator.translate(todo)
            if not draft.starts:
                break
            translator.compile(draft, translator.doubted)
            todo = [pc for pc in todo if pc not in translator.compiled]

    def insn(self, pc: int) -> Insn | None:
        """The instruction at an address, if it is one to test: it does not spin on itself."""
        try:
            insn = self.interpreted.insn_at(pc)
        except HccError:
            return None
        region = self.compiled.translator.generator.region(pc)
        spins = any(pc in successors(block) for block in region.blocks.values())
        return insn if insn.extra or not spins else None

    def difference(self, pc: int, regs: dict[str, int], data: bytes) -> str | None:
        """How the engines disagree after the instruction at `pc`."""
        jit, interpreter = self.compiled, self.interpreted
        for cpu in (jit, interpreter):
            cpu.memory.fill(DATA, data)
            cpu.state.pc = pc
            for name, value in regs.items():
                cpu.state.set(name, value)
        count, stop = jit.run_region(pc)
        before = interpreter.count
        if stop is not None and stop.reason is StopReason.FAULT:
            other = interpreter.run(before + 100)
            if stop != other:
                return f"{stop} against {other}"
        else:
            interpreter.run(before + count)
            if stop is None and jit.state.pc != interpreter.state.pc:
                return f"pc {jit.state.pc:#x} against {interpreter.state.pc:#x}"
            registers = self.arch.registers.registers
            pairs = zip(registers, jit.state.regs, interpreter.state.regs, strict=True)
            for register, mine, right in pairs:
                if mine != right:
                    return f"{register.name} {mine:#x} against {right:#x}"
        if jit.memory.read(DATA, DATA_SIZE) != interpreter.memory.read(DATA, DATA_SIZE):
            return "memory"
        return None


def operands(rng: random.Random, arch: Arch, insn: Insn) -> dict[str, int]:
    """Random registers that make most of an instruction's accesses hit the data pages, and some
    the end of them, where they fault."""
    regs = random_regs(rng, arch)
    for register in arch.registers.registers:
        if register.fixed is not None:
            regs[register.name] = register.fixed
        elif register.name in ROUNDING:
            regs[register.name] = ROUNDING[register.name]
    match rng.randrange(8):
        case 0:
            pass
        case 1 | 2:
            aim(rng, insn, regs, middle=DATA + DATA_SIZE)
        case _:
            aim(rng, insn, regs)
    if insn.extra and "rcx" in regs:
        regs["rcx"] = rng.randrange(6)  # repeated string instructions
        if rng.randrange(4):
            regs["rsi"], regs["rdi"] = (DATA + rng.randrange(64, DATA_SIZE - 64) for _ in "sd")
    return regs


def check(isa: str, share: float, trials: int) -> None:
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    rng = random.Random(seed)
    arch = architecture(isa)
    cases = [case for case in read_cases(f"{isa}.txt") if rng.random() < share]
    bench = Bench.of(arch, [code for code, _ in cases])
    bench.compile_all()
    found = []
    tested = 0
    for i, (_, text) in enumerate(cases):
        pc = CODE + i * STRIDE
        insn = bench.insn(pc)
        if insn is None or pc not in bench.compiled.translator.compiled:
            continue
        tested += 1
        for _ in range(trials):
            regs = operands(rng, arch, insn)
            told = bench.difference(pc, regs, rng.randbytes(DATA_SIZE))
            if told is not None:
                shown = {n: f"{v:#x}" for n, v in regs.items() if n in text}
                found.append(f"{text}: {told} (from {shown})")
                break
    bench.compiled.close()

    assert tested > 0.9 * len(cases)
    assert not found, "\n".join(found[:20])


@pytest.mark.parametrize("isa", ISAS)
def test_compiled_instructions_agree_with_interpreted_ones(isa: str) -> None:
    check(isa, 0.05, 5)


def test_nans_are_right_without_avx(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generator, "has_avx", lambda: False)
    check("x86_64", 0.1, 5)


def in_registers(node: Node, registers: tuple[str, str, str]) -> str:
    """A function that does an operation on what its argument points to, in given registers."""
    instruction, kind = avx_instruction(node), llvm_type(node.ty)
    assert instruction is not None
    result, a, b = (f"{{{name}}}" for name in registers)
    fixed = instruction.replace("=x,x,x", f"={result},{a},{b}")
    return f"""target triple = "x86_64-unknown-linux-gnu"
define hidden void @f(ptr %p) {{
%q = getelementptr i8, ptr %p, i64 16
%r = getelementptr i8, ptr %p, i64 32
%a = load {kind}, ptr %p
%b = load {kind}, ptr %q
%c = call {kind} asm {fixed}({kind} %a, {kind} %b)
store {kind} %c, ptr %r
ret void
}}
"""


@pytest.mark.skipif(not has_avx(), reason="the host has no AVX")
@pytest.mark.parametrize("registers", [("xmm2", "xmm2", "xmm8"), ("xmm9", "xmm8", "xmm2")])
@pytest.mark.parametrize("ty", [F32, F64, vec(F32, 4), vec(F64, 2)], ids=llvm_type)
@pytest.mark.parametrize("op", [Op.FADD, Op.FSUB, Op.FMUL, Op.FDIV])
def test_the_first_of_two_nans_is_first_in_any_registers(
    op: Op, ty: Ty, registers: tuple[str, str, str]
) -> None:
    node = Node(ty, op, (Node(ty, LOAD), Node(ty, LOAD)))
    image = read_image(compile_object(in_registers(node, registers)))
    arena = support().arena
    address = arena.place(image)
    nans = [0x7FC0_0001, 0x7FC0_0002] if ty.bits == 32 else [0x7FF8 << 48 | 1, 0x7FF8 << 48 | 2]
    a, b = (nan.to_bytes(ty.bits // 8, "little") * ty.lanes for nan in nans)
    buffer = ctypes.create_string_buffer(a.ljust(16, b"\0") + b.ljust(16, b"\0"), 48)
    ctypes.CFUNCTYPE(None, ctypes.c_void_p)(address + image.symbols["f"])(ctypes.addressof(buffer))
    arena.give_back(address, image)

    assert buffer.raw[32 : 32 + len(a)] == a


@pytest.mark.long
@pytest.mark.parametrize("isa", ISAS)
def test_all_compiled_instructions_agree_with_interpreted_ones(isa: str) -> None:
    check(isa, 1.0, 5)
