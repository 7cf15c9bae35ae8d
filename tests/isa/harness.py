"""What the tests of every ISA share: one instruction on our interpreter and on Unicorn, and whole
programs of the corpus on our interpreter and on qemu-user or the host.

ISA-neutral: what differs (Unicorn's register numbers, flags packed into one register, compilers)
comes in through `Oracle` and `Toolchain`.
"""

from __future__ import annotations

import random
import shutil
import struct
import subprocess
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from attrs import define, field, frozen
from elftools.elf.elffile import ELFFile
from llvmlite import binding
from unicorn import UC_PROT_ALL, Uc, UcError

from hcc.emulator.faults import Fault
from hcc.emulator.interpreter import CodeSpace, Interpreter, Stop, StopReason
from hcc.emulator.memory import PAGE_SIZE, READ, WRITE, Memory, page_ceil, page_floor
from hcc.isa.arch import Arch, Insn, Mem

HERE = Path(__file__).parent
CORPUS = HERE / "corpus"
DATA_FOLDER = HERE.parent / "data" / "isa"

CODE = 0x10_0000
STRIDE = 32
"""Instructions under test lie this far apart, so that each engine translates each once."""
DATA = 0x40_0000
DATA_SIZE = 0x2000

Regs = dict[str, int]


# ---- instructions ----


def read_cases(name: str) -> list[tuple[bytes, str]]:
    """The lines `hex bytes<tab>assembly` of a data file."""
    cases = []
    for line in (DATA_FOLDER / name).read_text().splitlines():
        if line and not line.startswith("#"):
            code, _, text = line.partition("\t")
            cases.append((bytes.fromhex(code), text))
    return cases


@frozen
class Outcome:
    """What one instruction left: registers, PC, the data pages, and whether it stopped."""

    regs: Regs
    pc: int
    data: bytes
    stopped: bool


@frozen
class Oracle:
    """How to drive Unicorn for one ISA. `write` and `read` move all of our registers at once."""

    arch: int
    mode: int
    write: Callable[[Uc, Regs], None]
    read: Callable[[Uc], Regs]
    prepare: Callable[[Uc], None] = lambda uc: None


def place(codes: Iterable[bytes]) -> bytes:
    """One image of all the instructions, `STRIDE` apart."""
    return b"".join(code.ljust(STRIDE, b"\0") for code in codes)


class Reference:
    """Unicorn with the code image and the data pages."""

    def __init__(self, oracle: Oracle, image: bytes) -> None:
        self._oracle = oracle
        self.uc = Uc(oracle.arch, oracle.mode)
        oracle.prepare(self.uc)
        # Room around the image, so that Unicorn can fetch where jumps go.
        self.uc.mem_map(PAGE_SIZE, DATA - PAGE_SIZE, UC_PROT_ALL)
        self.uc.mem_write(CODE, image)
        self.uc.mem_map(DATA, DATA_SIZE, UC_PROT_ALL)

    def run(self, pc: int, regs: Regs, data: bytes, count: int = 1) -> Outcome:
        """Run `count` instructions from `pc`; a jump away from the image is no fault."""
        self._oracle.write(self.uc, regs)
        self.uc.mem_write(DATA, data)
        stopped = False
        try:
            self.uc.emu_start(pc, 0, count=count)
        except UcError:
            stopped = True
        after = self._oracle.read(self.uc)
        left = bytes(self.uc.mem_read(DATA, DATA_SIZE))
        return Outcome(after, after.pop("pc"), left, stopped)


class Subject:
    """Our interpreter with the same image and pages, once translating and once stepping."""

    def __init__(self, arch: Arch, image: bytes) -> None:
        memory = Memory()
        memory.protect(DATA, DATA_SIZE, READ | WRITE)
        space = CodeSpace([(CODE, image)])
        self._image = image
        self.cpu = Interpreter(arch, memory, space, patience=0)
        self._stepping = Interpreter(arch, memory, space, patience=1 << 62)
        self._names = [register.name for register in arch.registers.registers]

    def run(self, pc: int, regs: Regs, data: bytes, count: int = 1) -> Outcome:
        """What translated code does, which must be what stepping does."""
        translated = self._run(self.cpu, pc, regs, data, count)
        stepped = self._run(self._stepping, pc, regs, data, count)
        if translated != stepped:
            code = self._image[pc - CODE :][:count * 16].hex()
            raise AssertionError(
                f"{code}: translated {translated}\nand stepped {stepped}\nfrom {regs}"
            )
        return translated

    def _run(self, cpu: Interpreter, pc: int, regs: Regs, data: bytes, count: int) -> Outcome:
        cpu.state.pc = pc
        for name, value in regs.items():
            cpu.state.set(name, value)
        cpu.memory.fill(DATA, data)
        before = cpu.count
        stop = cpu.run(before + count)
        after = dict(zip(self._names, cpu.state.regs, strict=True))
        left = cpu.memory.read(DATA, DATA_SIZE)
        return Outcome(after, cpu.state.pc, left, stop.reason is StopReason.FAULT)


# ---- operands ----

_F32_CORNERS = (
    0, 0x8000_0000, 0x3F80_0000, 0xBF80_0000, 0x7F80_0000, 0xFF80_0000, 0x7FC0_0000, 0xFFC1_2345,
    0x7F80_0001, 0xFFA0_0000, 1, 0x8000_0001, 0x7F_FFFF, 0x80_0000, 0x8080_0000, 0x7F7F_FFFF,
    0xFF7F_FFFF, 0x4F00_0000, 0xCF00_0000, 0x4F80_0000, 0x5F00_0000, 0x5F80_0000, 0xDF00_0000,
    0x3F00_0000, 0xBF00_0000, 0x3FC0_0000, 0x4020_0000, 0xBFC0_0000, 0x4B00_0001, 0x3EFF_FFFF,
)  # fmt: skip
_F64_CORNERS = (
    0, 1 << 63, 0x3FF0 << 48, 0xBFF0 << 48, 0x7FF0 << 48, 0xFFF0 << 48, 0x7FF8 << 48,
    0xFFF8_0000_0001_2345, 0x7FF0_0000_0000_0001, 0xFFF4 << 48, 1, 1 << 63 | 1,
    0x000F_FFFF_FFFF_FFFF, 0x0010 << 48, 0x8010 << 48, 0x7FEF_FFFF_FFFF_FFFF,
    0xFFEF_FFFF_FFFF_FFFF, 0x41E0 << 48, 0xC1E0 << 48, 0x41DF_FFFF_FFC0_0000, 0x43E0 << 48,
    0xC3E0 << 48, 0x43F0 << 48, 0x3FE0 << 48, 0xBFE0 << 48, 0x3FF8 << 48, 0x4004 << 48,
    0xBFF8 << 48, 0x47EF_FFFF_F000_0000, 0x36A0 << 48, 0x3690 << 48, 0x380F_FFFF_FFFF_FFFF,
    0x3FDF_FFFF_FFFF_FFFF, 0x4330_0000_0000_0001,
)  # fmt: skip


def _word(rng: random.Random, bits: int) -> int:
    """An integer, or the bits of a float, with a liking for corners."""
    mask = (1 << bits) - 1
    match rng.randrange(9):
        case 0 | 1:
            return rng.getrandbits(bits)
        case 2:
            return (1 << rng.randrange(bits)) + rng.randint(-2, 2) & mask
        case 3:
            return rng.randint(-20, 20) & mask
        case 4:
            return rng.choice((mask >> 1, mask, mask ^ mask >> 1, mask - 1))
        case 5:
            return rng.getrandbits(rng.randint(1, bits))
        case 6 if bits >= 32:
            return rng.choice(_F64_CORNERS if bits == 64 else _F32_CORNERS)
        case 7 if bits == 64:
            value = rng.choice((1, -1)) * rng.random() * 2.0 ** rng.randint(-70, 70)
            return int.from_bytes(struct.pack("<d", value), "little")
        case 7 | 8 if bits >= 32:
            value = rng.choice((1, -1)) * rng.random() * 2.0 ** rng.randint(-40, 40)
            single = int.from_bytes(struct.pack("<f", value), "little")
            return single if bits == 32 else single << 32 | _word(rng, 32)
    return rng.getrandbits(bits)


def random_bits(rng: random.Random, bits: int) -> int:
    """A value for a register of `bits` bits: one word, or lanes of one width from 8 to 64."""
    if bits <= 64:
        return _word(rng, bits)
    lane = rng.choice((8, 16, 32, 64, 64))
    return sum(_word(rng, lane) << i for i in range(0, bits, lane))


def random_regs(rng: random.Random, arch: Arch) -> Regs:
    return {r.name: random_bits(rng, r.bits) for r in arch.registers.registers}


def aim(
    rng: random.Random,
    insn: Insn,
    regs: Regs,
    reach: int = 64,
    middle: int = DATA + DATA_SIZE // 2,
) -> None:
    """Change base and index registers so that plain memory operands fall within `reach` of an
    address: the boundary between the two data pages, so that some accesses cross it."""
    for operand in insn.operands:
        if not isinstance(operand, Mem) or operand.base is None:
            continue
        spot = middle + rng.randint(-reach, reach)
        if operand.index is not None and operand.index != operand.base:
            regs[operand.index] = rng.randrange(8)
            spot -= regs[operand.index] * operand.scale
        regs[operand.base] = (spot - operand.disp) & (1 << 64) - 1


@define
class Differences:
    """Collects disagreements, to be shown together."""

    lines: list[str] = field(factory=list)

    def compare(
        self, text: str, before: Regs, ours: Outcome, theirs: Outcome, ignore: Iterable[str] = ()
    ) -> None:
        """Note how the outcomes differ; after a fault only the fault and memory count."""
        notes = []
        if ours.stopped != theirs.stopped:
            notes.append(f"stopped: ours {ours.stopped}, theirs {theirs.stopped}")
        elif not ours.stopped:
            if ours.pc != theirs.pc:
                notes.append(f"pc: ours {ours.pc:#x}, theirs {theirs.pc:#x}")
            for name, value in theirs.regs.items():
                if ours.regs[name] != value and name not in ignore:
                    notes.append(f"{name}: ours {ours.regs[name]:#x}, theirs {value:#x}")
        if ours.data != theirs.data:
            at = next(i for i in range(DATA_SIZE) if ours.data[i] != theirs.data[i])
            mine, right = ours.data[at : at + 16].hex(), theirs.data[at : at + 16].hex()
            notes.append(f"memory at {DATA + at:#x}: ours {mine}, theirs {right}")
        if notes:
            shown = {n: f"{v:#x}" for n, v in before.items() if n in text or len(before) < 8}
            self.lines.append(f"{text}: {'; '.join(notes)} (from {shown})")

    def check(self, seed: int) -> None:
        first = {line.partition(":")[0]: line for line in reversed(self.lines)}
        report = "\n".join(list(first.values())[:30])
        assert not self.lines, f"seed {seed}: {len(self.lines)} differences\n{report}"


# ---- programs ----


@frozen
class Toolchain:
    """How to build a static program without libc for an ISA, and how to run it for reference."""

    compiler: tuple[str, ...]
    runner: tuple[str, ...]  # empty: the host runs it itself

    def missing(self) -> str | None:
        """The first tool that is not installed."""
        for tool in (self.compiler[0], *self.runner[:1]):
            if shutil.which(tool) is None:
                return tool
        return None

    def build(self, sources: Sequence[Path], out: Path, *options: str) -> Path:
        common = (
            "-static",
            "-nostdlib",
            "-ffreestanding",
            "-fno-pic",
            "-fwrapv",
            "-w",
            "-fno-math-errno",
        )
        command = [*self.compiler, *common, *options, "-o", str(out), *map(str, sources), "-lgcc"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return out

    def reference(self, program: Path) -> tuple[bytes, int]:
        """Standard output and exit status of the program on the reference machine."""
        done = subprocess.run([*self.runner, str(program)], capture_output=True, check=False)
        return done.stdout, done.returncode


def llvm_object(
    source: Path, level: int, target: str, triple: str, cpu: str, features: str, abi: str = ""
) -> bytes:
    """An object file of today's LLVM (llvmlite's) for a C file, through clang's IR.

    `target` is clang's --target and its options. The IR is made unoptimised; clang and llvmlite
    may be versions apart, so the data layout is llvmlite's.
    """
    command = [
        "clang",
        *target.split(),
        "-S",
        "-emit-llvm",
        "-ffreestanding",
        "-fno-pic",
        "-fwrapv",
        "-fno-math-errno",
        "-w",
        "-DCORPUS_NO_ASM",
        "-o",
        "-",
        str(source),
    ]
    command += ["-O0"] if level == 0 else ["-O2", "-Xclang", "-disable-llvm-passes"]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    lines = [line for line in text.splitlines() if not line.startswith("target datalayout")]
    binding.initialize_all_targets()
    binding.initialize_all_asmprinters()
    machine = binding.Target.from_triple(triple).create_target_machine(
        cpu=cpu, features=features, opt=level, reloc="static", codemodel="small", abiname=abi
    )
    module = binding.parse_assembly("\n".join(lines))
    module.triple, module.data_layout = triple, str(machine.target_data)
    if level:
        tuning = binding.create_pipeline_tuning_options(speed_level=level)
        tuning.loop_vectorization = tuning.slp_vectorization = True
        builder = binding.create_pass_builder(machine, tuning)
        builder.getModulePassManager().run(module, builder)
    return bytes(machine.emit_object(module))


STACK_TOP = 0x7FF0_0000
STACK_SIZE = 0x10_0000


def load_program(arch: Arch, program: Path) -> Interpreter:
    """A CPU at the entry of a static ELF, with a stack that holds argc = 0 and no environment."""
    memory, ranges = Memory(), []
    with program.open("rb") as file:
        elf = ELFFile(file)
        for segment in elf.iter_segments("PT_LOAD"):
            start, size = segment["p_vaddr"], segment["p_memsz"]
            first = page_floor(start)
            memory.protect(first, page_ceil(start + size) - first, READ | WRITE)
            memory.fill(start, segment.data())
            if segment["p_flags"] & 1:
                ranges.append((start, segment.data()))
        entry = elf["e_entry"]
    memory.protect(STACK_TOP - STACK_SIZE, STACK_SIZE, READ | WRITE)
    cpu = Interpreter(arch, memory, CodeSpace(ranges))
    cpu.state.pc = entry
    cpu.state.set(arch.convention.stack_pointer, STACK_TOP - 256)
    return cpu


class ProgramFault(AssertionError):
    """A program of ours died; carries the fault."""

    def __init__(self, cpu: Interpreter, fault: Fault | None) -> None:
        raw = cpu.code.fetch(cpu.state.pc, cpu.arch.max_insn_size)
        super().__init__(f"{fault} at pc {cpu.state.pc:#x} ({raw.hex(' ')})")
        self.fault = fault


def run_loaded(cpu: Interpreter, limit: int | None = None) -> tuple[bytes, int | None]:
    """Run with only `write` and `exit` for an operating system; None if the limit was reached."""
    out = bytearray()
    convention = cpu.arch.convention
    while True:
        stop: Stop = cpu.run(limit)
        if stop.reason is StopReason.LIMIT:
            return bytes(out), None
        if stop.reason is not StopReason.SYSCALL:
            raise ProgramFault(cpu, stop.fault)
        number = cpu.state.get(convention.syscall_number)
        arguments = [cpu.state.get(name) for name in convention.syscall_arguments[:3]]
        match cpu.arch.syscalls.get(number):
            case "write":
                out += cpu.memory.read(arguments[1], arguments[2])
                cpu.state.set(convention.syscall_result, arguments[2])
            case "exit" | "exit_group":
                return bytes(out), arguments[0] & 0xFF
            case name:
                raise AssertionError(f"system call {number} ({name})")


def run_program(arch: Arch, program: Path) -> tuple[bytes, int | None]:
    return run_loaded(load_program(arch, program))


def uc_registers(numbers: Mapping[str, int], pc: int) -> tuple[Any, Any]:
    """`write` and `read` of an Oracle whose registers are Unicorn's one to one."""
    names, ids = list(numbers), list(numbers.values())

    def write(uc: Uc, regs: Regs) -> None:
        uc.reg_write_batch([(numbers[name], value) for name, value in regs.items()])

    def read(uc: Uc) -> Regs:
        values = uc.reg_read_batch([*ids, pc])
        return dict(zip([*names, "pc"], values, strict=True))

    return write, read
